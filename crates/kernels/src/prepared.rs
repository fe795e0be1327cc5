//! Kernels that are prepared once for many programs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use neuropil_ir::{VerifyError, prepare};

use crate::program::Kernel;

/// More kernels than this are not kept: whoever makes programs without end gets them prepared each time.
const MOST: usize = 1 << 13;

/// Prepared kernels, by what was lowered. Programs that are lowered with it share kernels that are equal.
///
/// ```
/// use neuropil_kernels::Prepared;
///
/// let prepared = Prepared::default();
/// let kernel = neuropil_ir::parse("kernel k over elements {\n  slot v: f64\n  %0 = load v[own] : f64\n}")?;
/// let (one, two) = (prepared.get(&kernel)?, prepared.get(&kernel)?);
/// assert!(std::sync::Arc::ptr_eq(&one, &two));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Default, Debug)]
pub struct Prepared {
    known: Mutex<HashMap<neuropil_ir::Kernel, Arc<Kernel>>>,
}

impl Prepared {
    /// The kernel, prepared.
    ///
    /// # Errors
    /// The rule of the verifier that it breaks.
    pub fn get(&self, kernel: &neuropil_ir::Kernel) -> Result<Arc<Kernel>, VerifyError> {
        // The map is only ever added to, so it is whole even if somebody panicked.
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known().get(kernel) {
            return Ok(Arc::clone(found));
        }
        let made = Arc::new(Kernel { source: kernel.clone(), body: prepare(kernel)? });
        let mut known = known();
        if known.len() >= MOST {
            return Ok(made);
        }
        Ok(Arc::clone(known.entry(kernel.clone()).or_insert(made)))
    }
}
