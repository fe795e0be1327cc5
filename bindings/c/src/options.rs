//! How a network is built and run.

use std::ffi::c_char;
use std::sync::Arc;

use facade::{Backend, Cpu, CpuOptions, Interp, KernelCache, KernelChoice, Options, RecordTo};

use crate::call::{Failure, call, npl_error, npl_status};
use crate::handle::{Handle, Kind, change, free, make, write};
use crate::text::given;

/// How much of a folder compiled kernels may take.
const CACHE_BYTES: u64 = 64 << 20;

/// How a network is built and run. Without options: on the CPU with all cores, recordings in memory.
#[derive(Clone, Default, Debug)]
pub struct npl_options {
    pub(crate) options: Options,
    interpreted: bool,
    cpu: CpuOptions,
}

impl Handle for npl_options {
    const KIND: Kind = Kind::Options;
    const NAME: &'static str = "npl_options";
}

impl npl_options {
    pub(crate) fn backend(&self) -> Box<dyn Backend> {
        if self.interpreted { Box::new(Interp) } else { Box::new(Cpu.with(self.cpu.clone())) }
    }
}

/// New options with their defaults. Free them with `npl_options_free`; simulations do not need them any longer once
/// they are made.
#[unsafe(no_mangle)]
pub extern "C" fn npl_options_new(options: *mut *mut npl_options, error: *mut *mut npl_error) -> npl_status {
    call(error, || {
        let new = make(npl_options::default());
        write(options, "options", new).inspect_err(|_| free(new))
    })
}

/// How many threads may be used; 0 stands for all cores. Results do not depend on it.
#[unsafe(no_mangle)]
pub extern "C" fn npl_options_set_threads(
    options: *mut npl_options,
    threads: usize,
    error: *mut *mut npl_error,
) -> npl_status {
    call(error, || {
        let all = Options::default().threads;
        change(options, "options")?.options.threads = if threads == 0 { all } else { threads };
        Ok(())
    })
}

/// What runs the network: `cpu`, or `interp`, the interpreter that says what everything means.
#[unsafe(no_mangle)]
pub extern "C" fn npl_options_set_backend(
    options: *mut npl_options,
    backend: *const c_char,
    error: *mut *mut npl_error,
) -> npl_status {
    call(error, || {
        change(options, "options")?.interpreted = match given(backend, "backend")? {
            "cpu" => false,
            "interp" => true,
            other => return Err(Failure::argument(format!("`{other}` is no backend: `cpu` or `interp`"))),
        };
        Ok(())
    })
}

/// What runs kernels on the CPU: `auto`, `block` (portable) or `x86` (machine code). Results do not depend on it.
#[unsafe(no_mangle)]
pub extern "C" fn npl_options_set_kernels(
    options: *mut npl_options,
    kernels: *const c_char,
    error: *mut *mut npl_error,
) -> npl_status {
    call(error, || {
        let choice = match given(kernels, "kernels")? {
            "auto" => KernelChoice::Auto,
            "block" => KernelChoice::Block,
            "x86" => KernelChoice::X86,
            other => {
                let message = format!("`{other}` names no kernels: `auto`, `block` or `x86`");
                return Err(Failure::argument(message));
            }
        };
        if !choice.is_available() {
            return Err(Failure::argument("this machine has neither AVX2 nor AVX-512, which `x86` needs"));
        }
        change(options, "options")?.cpu.kernels = choice;
        Ok(())
    })
}

/// Keeps compiled kernels in a folder for later processes; it is made if it is not there, and holds 64 MiB at most.
/// Without it nothing is kept.
#[unsafe(no_mangle)]
pub extern "C" fn npl_options_set_cache(
    options: *mut npl_options,
    folder: *const c_char,
    error: *mut *mut npl_error,
) -> npl_status {
    call(error, || {
        let folder = given(folder, "folder")?;
        let cache = KernelCache::open(folder.as_ref(), CACHE_BYTES);
        let cache = cache.map_err(|e| Failure::new(npl_status::NPL_IO, format!("`{folder}`: {e}")))?;
        change(options, "options")?.cpu.cache = Some(Arc::new(cache));
        Ok(())
    })
}

/// Records to `.npy` files in a folder, which must not exist or be empty, instead of memory. `npl_finish` completes
/// them.
#[unsafe(no_mangle)]
pub extern "C" fn npl_options_record_to(
    options: *mut npl_options,
    folder: *const c_char,
    error: *mut *mut npl_error,
) -> npl_status {
    call(error, || {
        change(options, "options")?.options.record = RecordTo::Directory(given(folder, "folder")?.into());
        Ok(())
    })
}

/// Frees options; null is fine.
#[unsafe(no_mangle)]
pub extern "C" fn npl_options_free(options: *mut npl_options) {
    free(options);
}
