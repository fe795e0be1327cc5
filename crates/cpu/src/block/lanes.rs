//! Lanes: the values of one block of elements, by machine type, and beside them the values that all share.

use bytemuck::Pod;
use neuropil_base::{Scalar, ScalarType};

use super::compile::{Operand, Program};
use super::data::Element;
use super::{BLOCK, typed};
use crate::random::Tables;

/// One value per element of a block, on a boundary that suits the widest vectors.
#[derive(Clone, Debug)]
#[repr(C, align(64))]
pub(super) struct Lane<T>([T; BLOCK]);

/// The lanes of one width. A lane that is being written is taken out, so that others can be read.
type File<W> = Vec<Option<Box<Lane<W>>>>;

/// All lanes, by width: the same bits as another type are the same lane. Beside them the shared values.
#[derive(Clone, Debug, Default)]
pub(super) struct Files {
    bytes: File<u8>,
    words: File<u32>,
    longs: File<u64>,
    bool: Vec<u8>,
    i32: Vec<i32>,
    i64: Vec<i64>,
    f32: Vec<f32>,
    f64: Vec<f64>,
    /// What samples are looked up in.
    pub(super) tables: Tables,
}

impl Files {
    /// The value that all elements share.
    pub(super) fn uniform(&self, ty: ScalarType, index: u16) -> Scalar {
        typed!(ty, T => T::uniforms(self)[usize::from(index)].scalar())
    }

    /// Sets a value that all elements share.
    pub(super) fn set_uniform(&mut self, index: u16, value: Scalar) {
        typed!(value.ty(), T => T::uniforms_mut(self)[usize::from(index)] = T::of(value));
    }
}

/// A type that has lanes.
pub(super) trait HasFile: Element + Pod {
    /// Its bits.
    type Word: Pod;
    /// The lanes of its width.
    fn file(files: &Files) -> &File<Self::Word>;
    /// The lanes of its width.
    fn file_mut(files: &mut Files) -> &mut File<Self::Word>;
    /// The shared values.
    fn uniforms(files: &Files) -> &[Self];
    /// The shared values.
    fn uniforms_mut(files: &mut Files) -> &mut Vec<Self>;
}

macro_rules! has_file {
    ($($T:ty, $name:ident, $Word:ty, $file:ident);*) => {$(
        impl HasFile for $T {
            type Word = $Word;

            #[inline(always)]
            fn file(files: &Files) -> &File<Self::Word> {
                &files.$file
            }

            #[inline(always)]
            fn file_mut(files: &mut Files) -> &mut File<Self::Word> {
                &mut files.$file
            }

            #[inline(always)]
            fn uniforms(files: &Files) -> &[Self] {
                &files.$name
            }

            #[inline(always)]
            fn uniforms_mut(files: &mut Files) -> &mut Vec<Self> {
                &mut files.$name
            }
        }
    )*};
}

has_file!(
    u8, bool, u8, bytes;
    i32, i32, u32, words;
    i64, i64, u64, longs;
    f32, f32, u32, words;
    f64, f64, u64, longs
);

/// Takes a lane out to write it. It is there unless it was taken twice.
#[inline(always)]
pub(super) fn take<T: HasFile>(files: &mut Files, lane: u16) -> Option<Box<Lane<T::Word>>> {
    T::file_mut(files)[usize::from(lane)].take()
}

/// Puts a lane back.
#[inline(always)]
pub(super) fn put<T: HasFile>(files: &mut Files, lane: u16, contents: Box<Lane<T::Word>>) {
    T::file_mut(files)[usize::from(lane)] = Some(contents);
}

/// The first `n` values of a lane that is taken out.
#[inline(always)]
pub(super) fn values<T: HasFile>(lane: &mut Lane<T::Word>, n: usize) -> &mut [T] {
    bytemuck::cast_slice_mut(&mut lane.0[..n])
}

/// The first `n` values of a lane; none if it is taken out.
#[inline(always)]
pub(super) fn lane<T: HasFile>(files: &Files, lane: u16, n: usize) -> &[T] {
    match &T::file(files)[usize::from(lane)] {
        Some(lane) => bytemuck::cast_slice(&lane.0[..n]),
        None => &[],
    }
}

/// An operand of an operation.
#[derive(Clone, Copy)]
pub(super) enum Source<'a, T> {
    /// One value per element.
    Each(&'a [T]),
    /// One value for all.
    All(T),
}

/// An operand's values.
#[inline(always)]
pub(super) fn source<T: HasFile>(files: &Files, operand: Operand, n: usize) -> Source<'_, T> {
    match operand {
        Operand::Lane(index) => Source::Each(lane(files, index, n)),
        Operand::Uniform(index) => Source::All(T::uniforms(files)[usize::from(index)]),
    }
}

/// Fills a lane with a shared value.
pub(super) fn splat<T: HasFile>(files: &mut Files, uniform: u16, lane: u16, n: usize) {
    let value = T::uniforms(files)[usize::from(uniform)];
    if let Some(lane) = &mut T::file_mut(files)[usize::from(lane)] {
        values::<T>(lane, n).fill(value);
    }
}

/// The lanes that a body works on; one serves any number of bodies, one after the other.
#[derive(Clone, Debug, Default)]
pub struct Workspace {
    files: Files,
    /// What machine code works on.
    #[cfg(target_arch = "x86_64")]
    pub(crate) machine: crate::x86::Scratch,
}

impl Workspace {
    /// Without lanes; they are made when a body first needs them, and kept.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes sure of the lanes, and sets the constants.
    pub(super) fn prepare(&mut self, program: &Program) -> &mut Files {
        reserve(&mut self.files.bytes, program.lanes[0]);
        reserve(&mut self.files.words, program.lanes[1]);
        reserve(&mut self.files.longs, program.lanes[2]);
        for (ty, constants) in &program.constants {
            typed!(*ty, T => {
                let uniforms = T::uniforms_mut(&mut self.files);
                uniforms.clear();
                uniforms.extend(constants.iter().map(|c| T::of(*c)));
            });
        }
        &mut self.files
    }
}

fn reserve<W: Pod>(file: &mut File<W>, lanes: usize) {
    while file.len() < lanes {
        file.push(Some(Box::new(Lane([W::zeroed(); BLOCK]))));
    }
}
