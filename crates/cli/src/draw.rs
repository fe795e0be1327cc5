//! `neuropil plot`: the figure of a recording.

use std::path::Path;

use neuropil::record::Recording;

use crate::console::{self, Message};
use crate::failure::{Exit, Failure};
use crate::place;
use crate::plot::{self, PlotData};

/// Draws the recording in a directory, finished or not, and prints where the figure is.
pub(crate) fn draw(recording: &Path, figure: &Path) -> Result<Exit, Failure> {
    let recording = Recording::open(recording)?;
    if recording.is_partial() {
        let note = "the recording is unfinished: its run was killed, or is still going on";
        console::tell(Message::Note, note);
    }
    place::file(figure)?;
    save(&PlotData::from_recording(&recording)?, figure)?;
    console::print(&format!("{}\n", figure.display()))?;
    Ok(Exit::Done)
}

/// Writes a figure, making its directory if need be.
pub(crate) fn save(data: &PlotData, figure: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(place::folder(figure))
        .map_err(|source| Failure::Place { path: figure.to_owned(), source })?;
    Ok(plot::plot(data, figure)?)
}
