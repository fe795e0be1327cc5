//! Compiled code as plain data: what is kept on disk, and what pages are made of.

use neuropil_ir::{Side, SlotId};
use serde::{Deserialize, Serialize};

use super::pages::Pages;
use super::program::{Entry, Isa};
use super::{Changing, Code, Codes};

/// The code for one shape of elements.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct PlainCodes {
    pub(super) parameters: Option<PlainCode>,
    pub(super) body: PlainCode,
}

/// A function, and the table that it takes.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct PlainCode {
    text: Vec<u8>,
    pool: Vec<u8>,
    /// For each entry its place in the table, its kind, and what it names.
    entries: Vec<(i32, Kind, u32, u8)>,
    table: i32,
    lanes: u32,
}

/// The kinds of [`Entry`].
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
enum Kind {
    Uniform,
    Stream,
    Same,
    Base,
    Last,
    Len,
    List,
    Start,
    Number,
    Lane,
}

const SIDES: [Side; 3] = [Side::Own, Side::Pre, Side::Post];

fn kind(entry: Entry) -> (Kind, u32, u8) {
    let of = |slot: SlotId| slot.index() as u32;
    match entry {
        Entry::Uniform(k) => (Kind::Uniform, k, 0),
        Entry::Stream { slot, side } => (Kind::Stream, of(slot), side as u8),
        Entry::Same { slot, side } => (Kind::Same, of(slot), side as u8),
        Entry::Base(slot) => (Kind::Base, of(slot), 0),
        Entry::Last(slot) => (Kind::Last, of(slot), 0),
        Entry::Len(slot) => (Kind::Len, of(slot), 0),
        Entry::List(side) => (Kind::List, 0, side as u8),
        Entry::Start(side) => (Kind::Start, 0, side as u8),
        Entry::Number(side) => (Kind::Number, 0, side as u8),
        Entry::Lane(k) => (Kind::Lane, k, 0),
    }
}

fn entry(kind: Kind, number: u32, side: u8) -> Option<Entry> {
    let side = *SIDES.get(usize::from(side))?;
    let slot = SlotId::new(number as usize);
    Some(match kind {
        Kind::Uniform => Entry::Uniform(number),
        Kind::Stream => Entry::Stream { slot, side },
        Kind::Same => Entry::Same { slot, side },
        Kind::Base => Entry::Base(slot),
        Kind::Last => Entry::Last(slot),
        Kind::Len => Entry::Len(slot),
        Kind::List => Entry::List(side),
        Kind::Start => Entry::Start(side),
        Kind::Number => Entry::Number(side),
        Kind::Lane => Entry::Lane(number),
    })
}

impl PlainCode {
    pub(super) fn new(
        text: Vec<u8>,
        pool: Vec<u8>,
        entries: &[(i32, Entry)],
        table: i32,
        lanes: usize,
    ) -> Self {
        let plain = |(at, entry): &(i32, Entry)| {
            let (kind, number, side) = kind(*entry);
            (*at, kind, number, side)
        };
        Self { text, pool, entries: entries.iter().map(plain).collect(), table, lanes: lanes as u32 }
    }

    fn code(&self, isa: Isa) -> Option<Code> {
        let (mut entries, mut changing) = (Vec::new(), Vec::new());
        for (at, kind, number, side) in &self.entries {
            match entry(*kind, *number, *side)? {
                Entry::Uniform(k) => changing.push((*at, Changing::Shared(k))),
                Entry::Lane(k) => changing.push((*at, Changing::Lane(k))),
                entry => entries.push((*at, entry)),
            }
        }
        Some(Code {
            pages: Pages::new(&self.text, &self.pool)?,
            entries,
            changing,
            table: self.table,
            lanes: self.lanes as usize,
            isa,
        })
    }
}

impl PlainCodes {
    /// The code, ready to run.
    pub(super) fn codes(&self, isa: Isa) -> Option<Codes> {
        let parameters = match &self.parameters {
            Some(plain) => Some(plain.code(isa)?),
            None => None,
        };
        Some(Codes { parameters, body: self.body.code(isa)? })
    }
}
