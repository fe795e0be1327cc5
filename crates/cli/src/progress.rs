//! How far a run has come, on a terminal, if it takes long enough to ask.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use neuropil::Progress;

use crate::job::Chatter;
use crate::summary::time;

/// Who waits for less does not need a bar.
const PATIENCE: Duration = Duration::from_millis(700);

/// A bar that appears when a run turns out to be long. It draws only on terminals, and on standard error.
pub(crate) struct Bar {
    begin: Instant,
    chatter: Chatter,
    bar: Option<ProgressBar>,
}

impl Bar {
    pub(crate) fn new(chatter: Chatter) -> Self {
        Self { begin: Instant::now(), chatter, bar: None }
    }

    /// Shows how far it is.
    pub(crate) fn update(&mut self, progress: Progress) {
        if self.bar.is_none() && self.chatter != Chatter::Nothing && self.begin.elapsed() > PATIENCE {
            self.bar = Some(begin(progress));
        }
        if let Some(bar) = &self.bar {
            bar.set_position(progress.done);
            bar.set_message(time(progress.time_s));
        }
    }

    /// Takes the bar off the screen.
    pub(crate) fn end(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

fn begin(progress: Progress) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(progress.total), ProgressDrawTarget::stderr());
    let template = "{bar:40} {percent:>3} %  {msg}  {eta} left";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("━╸ "));
    }
    bar
}

/// How many points of a sweep are done. It appears, as [`Bar`] does, when somebody might ask.
pub(crate) struct Tally {
    begin: Instant,
    chatter: Chatter,
    total: usize,
    bar: Option<ProgressBar>,
}

impl Tally {
    pub(crate) fn new(chatter: Chatter, total: usize) -> Self {
        Self { begin: Instant::now(), chatter, total, bar: None }
    }

    /// Shows how many are done.
    pub(crate) fn update(&mut self, done: usize) {
        if self.bar.is_none() && self.chatter != Chatter::Nothing && self.begin.elapsed() > PATIENCE {
            let bar = ProgressBar::with_draw_target(Some(self.total as u64), ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos} of {len} points  {eta} left") {
                bar.set_style(style.progress_chars("━╸ "));
            }
            self.bar = Some(bar);
        }
        if let Some(bar) = &self.bar {
            bar.set_position(done as u64);
        }
    }

    /// Says something while the bar is off the screen.
    pub(crate) fn aside(&self, say: impl FnOnce()) {
        match &self.bar {
            Some(bar) => bar.suspend(say),
            None => say(),
        }
    }

    /// Takes the bar off the screen.
    pub(crate) fn end(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}
