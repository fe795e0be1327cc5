//! Pages of machine code: written first, then run, never both at a time.

#![allow(unsafe_code, reason = "calls machine code that was made while the program runs")]

use memmap2::{Mmap, MmapMut};

/// Machine code that may be run, with its constants after it.
#[derive(Debug)]
pub(super) struct Pages {
    map: Mmap,
    pool: usize,
}

impl Pages {
    /// Lays code and constants down. `None` if the system gives no pages for code.
    pub(super) fn new(code: &[u8], pool: &[u8]) -> Option<Self> {
        let start = code.len().next_multiple_of(64);
        let mut map = MmapMut::map_anon((start + pool.len()).max(1)).ok()?;
        map.get_mut(..code.len())?.copy_from_slice(code);
        map.get_mut(start..start + pool.len())?.copy_from_slice(pool);
        Some(Self { map: map.make_exec().ok()?, pool: start })
    }

    /// The address of the constants.
    pub(super) fn pool(&self) -> u64 {
        self.map.as_ptr() as u64 + self.pool as u64
    }

    /// Runs the code.
    ///
    /// # Safety
    /// The code came from [`super::encode::encode`] for an instruction set that this machine has, and the
    /// table holds what the program's entries ask for: addresses of memory that is there for as many elements as
    /// the table says, and that nobody else uses in a way that [`crate::Slot::shared`] forbids.
    pub(super) unsafe fn call(&self, table: *mut u64) {
        // SAFETY: the pages hold a function of this type from their start on.
        let function: unsafe extern "sysv64" fn(*mut u64) = unsafe { std::mem::transmute(self.map.as_ptr()) };
        // SAFETY: the caller's promise.
        unsafe { function(table) }
    }
}
