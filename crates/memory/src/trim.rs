//! Gives memory that was freed back to the system.
//!
//! The C library keeps what is freed for what comes next, and grows the size up to which it does so with every large array
//! that is freed, up to 32 MiB. A network is built of many arrays below that, so a gigabyte that nobody uses any more
//! would stay with the program for as long as it runs.

/// Gives the pages of freed memory back to the system, where the C library can be asked to (glibc); elsewhere nothing
/// happens. Takes milliseconds per gigabyte that goes back, and is called when much has been freed.
///
/// ```
/// let large = vec![vec![1_u8; 1 << 20]; 64];
/// drop(large);
/// neuropil_memory::give_back();
/// ```
pub fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: it touches only memory that nobody has been given, and may be called from any thread at any time.
    #[allow(unsafe_code, reason = "the standard library has no name for it")]
    unsafe {
        malloc_trim(0);
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code, reason = "the standard library has no name for it")]
// SAFETY: the signature is that of glibc, `int malloc_trim(size_t)`.
unsafe extern "C" {
    fn malloc_trim(pad: usize) -> std::ffi::c_int;
}

#[cfg(test)]
mod tests {
    #[test]
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    fn freed_memory_leaves_the_process() {
        let resident = || {
            let text = std::fs::read_to_string("/proc/self/statm").unwrap();
            text.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
        };
        // Small pieces, the last of which stays: what is below it is not given back by itself.
        let mut pieces: Vec<Vec<u8>> = (0..4096).map(|_| vec![1; 1 << 14]).collect();
        let last = pieces.pop();
        let before = resident();
        drop(pieces);
        super::give_back();
        let after = resident();
        assert!(after + (40 << 20) < before, "{before} before, {after} after");
        drop(last);
    }
}
