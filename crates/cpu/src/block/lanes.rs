//! Lanes: the values of one block of elements, by machine type, and beside them the values that all share.

use std::ops::{Deref, DerefMut};

use neuropil_base::{Scalar, ScalarType};

use super::compile::{Operand, Program};
use super::data::Element;
use super::{BLOCK, typed};

/// One value per element of a block, on a boundary that suits the widest vectors.
#[derive(Clone, Debug)]
#[repr(C, align(64))]
pub(super) struct Lane<T>([T; BLOCK]);

impl<T> Deref for Lane<T> {
    type Target = [T; BLOCK];

    #[inline(always)]
    fn deref(&self) -> &[T; BLOCK] {
        &self.0
    }
}

impl<T> DerefMut for Lane<T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [T; BLOCK] {
        &mut self.0
    }
}

/// The lanes of one type. A lane that is being written is taken out, so that others can be read.
#[derive(Clone, Debug)]
pub(super) struct File<T> {
    lanes: Vec<Option<Box<Lane<T>>>>,
    uniforms: Vec<T>,
}

impl<T> Default for File<T> {
    fn default() -> Self {
        Self { lanes: Vec::new(), uniforms: Vec::new() }
    }
}

impl<T: Element> File<T> {
    fn reserve(&mut self, lanes: usize, constants: &[Scalar]) {
        while self.lanes.len() < lanes {
            self.lanes.push(Some(Box::new(Lane([T::default(); BLOCK]))));
        }
        self.uniforms.clear();
        self.uniforms.extend(constants.iter().map(|c| T::of(*c)));
    }
}

/// All lanes.
#[derive(Clone, Debug, Default)]
pub(super) struct Files {
    bool: File<u8>,
    i32: File<i32>,
    i64: File<i64>,
    f32: File<f32>,
    f64: File<f64>,
}

impl Files {
    /// The value that all elements share.
    pub(super) fn uniform(&self, ty: ScalarType, index: u16) -> Scalar {
        typed!(ty, T => T::file(self).uniforms[usize::from(index)].scalar())
    }

    /// Sets a value that all elements share.
    pub(super) fn set_uniform(&mut self, index: u16, value: Scalar) {
        typed!(value.ty(), T => T::file_mut(self).uniforms[usize::from(index)] = T::of(value));
    }
}

/// A type that has lanes.
pub(super) trait HasFile: Element {
    /// Its lanes.
    fn file(files: &Files) -> &File<Self>;
    /// Its lanes.
    fn file_mut(files: &mut Files) -> &mut File<Self>;
}

macro_rules! has_file {
    ($($T:ty, $name:ident);*) => {$(
        impl HasFile for $T {
            #[inline(always)]
            fn file(files: &Files) -> &File<Self> {
                &files.$name
            }

            #[inline(always)]
            fn file_mut(files: &mut Files) -> &mut File<Self> {
                &mut files.$name
            }
        }
    )*};
}

has_file!(u8, bool; i32, i32; i64, i64; f32, f32; f64, f64);

/// Takes a lane out to write it. It is there unless it was taken twice.
#[inline(always)]
pub(super) fn take<T: HasFile>(files: &mut Files, lane: u16) -> Option<Box<Lane<T>>> {
    T::file_mut(files).lanes[usize::from(lane)].take()
}

/// Puts a lane back.
#[inline(always)]
pub(super) fn put<T: HasFile>(files: &mut Files, lane: u16, contents: Box<Lane<T>>) {
    T::file_mut(files).lanes[usize::from(lane)] = Some(contents);
}

/// The first `n` values of a lane; none if it is taken out.
#[inline(always)]
pub(super) fn lane<T: HasFile>(files: &Files, lane: u16, n: usize) -> &[T] {
    match &T::file(files).lanes[usize::from(lane)] {
        Some(lane) => &lane[..n],
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
        Operand::Uniform(index) => Source::All(T::file(files).uniforms[usize::from(index)]),
    }
}

/// Fills a lane with a shared value.
pub(super) fn splat<T: HasFile>(files: &mut Files, uniform: u16, lane: u16, n: usize) {
    let file = T::file_mut(files);
    let value = file.uniforms[usize::from(uniform)];
    if let Some(lane) = &mut file.lanes[usize::from(lane)] {
        lane[..n].fill(value);
    }
}

/// The lanes that a body works on; one serves any number of bodies, one after the other.
#[derive(Clone, Debug, Default)]
pub struct Workspace {
    files: Files,
}

impl Workspace {
    /// Without lanes; they are made when a body first needs them, and kept.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes sure of the lanes, and sets the constants.
    pub(super) fn prepare(&mut self, program: &Program) -> &mut Files {
        for (ty, file) in &program.files {
            typed!(*ty, T => T::file_mut(&mut self.files).reserve(file.lanes, &file.constants));
        }
        &mut self.files
    }
}
