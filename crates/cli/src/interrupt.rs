//! Ctrl-C: the first ends a run in order, the second at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use crate::console::{self, Message};
use crate::failure::Exit;

/// Nothing has been recorded yet: there is nothing to put in order.
const BUILDING: u8 = 0;
/// Steps are running, or what they recorded is being written.
const RUNNING: u8 = 1;
/// Somebody wants it to end.
const STOPPING: u8 = 2;

/// Whether somebody has pressed Ctrl-C.
#[derive(Clone, Debug)]
pub(crate) struct Interrupt {
    state: Arc<AtomicU8>,
}

impl Interrupt {
    /// Listens from now on. Until [`begin`](Self::begin), Ctrl-C ends the process at once.
    pub(crate) fn listen() -> Self {
        let state = Arc::new(AtomicU8::new(BUILDING));
        let heard = Arc::clone(&state);
        // If the system offers no such signal, Ctrl-C does what it does to every program.
        let _ = ctrlc::set_handler(move || pressed(&heard));
        Self { state }
    }

    /// From now on there may be something to put in order.
    pub(crate) fn begin(&self) {
        self.state.store(RUNNING, Ordering::SeqCst);
    }

    /// Whether the run is to end.
    pub(crate) fn requested(&self) -> bool {
        self.state.load(Ordering::SeqCst) == STOPPING
    }
}

fn pressed(state: &AtomicU8) {
    match state.compare_exchange(RUNNING, STOPPING, Ordering::SeqCst, Ordering::SeqCst) {
        Ok(_) => console::tell(
            Message::Note,
            "stopping in order; press Ctrl-C again to stop at once and lose what is not yet written",
        ),
        Err(_) => std::process::exit(i32::from(Exit::Interrupted.status())),
    }
}
