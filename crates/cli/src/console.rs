//! Writing to standard output and standard error: colours where somebody sees them, no panic where nobody listens.

use std::io::{self, ErrorKind, IsTerminal as _, Write as _};

use neuropil::{Diagnostics, SourceMap};

use crate::failure::Failure;

/// The sorts of messages on standard error.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Message {
    Error,
    Help,
    Note,
}

impl Message {
    fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Help => "  = help",
            Self::Note => "note",
        }
    }

    /// What a terminal is told before the word.
    fn style(self) -> &'static str {
        match self {
            Self::Error => "\x1b[1;31m",
            Self::Help => "\x1b[1;36m",
            Self::Note => "\x1b[1;32m",
        }
    }
}

/// Writes to standard output. A reader that has gone away, as `head` does, is no error.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::Output(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Says something on standard error, if anybody listens.
pub(crate) fn tell(message: Message, text: &str) {
    let line = if colours() {
        format!("{}{}\x1b[0m: {text}\n", message.style(), message.word())
    } else {
        format!("{}: {text}\n", message.word())
    };
    write(&line);
}

/// Shows mistakes or warnings with the places that they are about, and counts them.
pub(crate) fn show(diagnostics: &Diagnostics, sources: &SourceMap) {
    if !diagnostics.is_empty() {
        let text = if colours() { diagnostics.render_styled(sources) } else { diagnostics.render(sources) };
        write(&format!("{text}\n"));
    }
}

fn write(text: &str) {
    // There is no other place to complain in.
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// Whether standard error is in colours: on a terminal that can, unless <https://no-color.org> is asked for.
fn colours() -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    io::stderr().is_terminal() && !set("NO_COLOR") && !dumb
}
