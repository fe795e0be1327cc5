//! The instruction sets that the loops are built for, and which of them this machine has.

#![allow(
    unsafe_code,
    reason = "functions built for more than the portable instruction set are unsafe to call"
)]

use neuropil_ir::Sampler;
use neuropil_rng::{
    FIRST_WORDS, Key, SampleBits, binomial_lanes, fill_lanes, pick_lanes, poisson_lanes, poisson_tries,
};

use super::compile::{Group, Pure};
use super::lanes::Files;
use super::{called, loops};
use crate::product;

/// An instruction set that this machine has. All of them give the same bits.
#[derive(Clone, Copy, Debug)]
pub struct Level {
    loops: &'static Loops,
}

/// The loops built for one instruction set.
#[derive(Debug)]
struct Loops {
    name: &'static str,
    f64: unsafe fn(&Pure, &mut Files, usize),
    f32: unsafe fn(&Pure, &mut Files, usize),
    i64: unsafe fn(&Pure, &mut Files, usize),
    i32: unsafe fn(&Pure, &mut Files, usize),
    mixed: unsafe fn(&Pure, &mut Files, usize),
    call_f64: unsafe fn(&Pure, &mut Files, usize),
    call_f32: unsafe fn(&Pure, &mut Files, usize),
    fill: unsafe fn(&Key, i64, u64, &mut [u32]),
    pick: unsafe fn(&Key, i64, &[u64], &mut [u32]),
    poisson: unsafe fn(&[f64], &mut [u32]) -> usize,
    tries: unsafe fn(&[f64], [&[u32]; FIRST_WORDS], &mut [u32]),
    binomial: unsafe fn(&[f64], &[f64], &mut [u32]) -> usize,
    draw: unsafe fn(Sampler, [f64; 2], &mut SampleBits) -> i32,
    product_f32: unsafe fn(&[f32], usize, &[f32], &mut [f32]),
    product_f64: unsafe fn(&[f64], usize, &[f64], &mut [f64]),
}

/// Builds the loops with some features; `$blocks` ChaCha blocks are computed together, and `$samples` samples of different
/// distributions.
macro_rules! build {
    ($module:ident, $name:literal, $blocks:literal, $samples:literal $(, $features:literal)?) => {
        mod $module {
            use super::*;

            $(#[target_feature(enable = $features)])?
            fn f64(pure: &Pure, files: &mut Files, n: usize) {
                loops::floats::<f64>(pure, files, n);
            }

            $(#[target_feature(enable = $features)])?
            fn f32(pure: &Pure, files: &mut Files, n: usize) {
                loops::floats::<f32>(pure, files, n);
            }

            $(#[target_feature(enable = $features)])?
            fn i64(pure: &Pure, files: &mut Files, n: usize) {
                loops::integers::<i64>(pure, files, n);
            }

            $(#[target_feature(enable = $features)])?
            fn i32(pure: &Pure, files: &mut Files, n: usize) {
                loops::integers::<i32>(pure, files, n);
            }

            $(#[target_feature(enable = $features)])?
            fn mixed(pure: &Pure, files: &mut Files, n: usize) {
                loops::mixed(pure, files, n);
            }

            $(#[target_feature(enable = $features)])?
            fn call_f64(pure: &Pure, files: &mut Files, n: usize) {
                called::run::<f64>(pure, files, n);
            }

            $(#[target_feature(enable = $features)])?
            fn call_f32(pure: &Pure, files: &mut Files, n: usize) {
                called::run::<f32>(pure, files, n);
            }

            $(#[target_feature(enable = $features)])?
            fn pick(key: &Key, step: i64, numbers: &[u64], words: &mut [u32]) {
                pick_lanes::<$blocks>(key, step, numbers, words);
            }

            $(#[target_feature(enable = $features)])?
            fn fill(key: &Key, step: i64, first: u64, words: &mut [u32]) {
                fill_lanes::<$blocks>(key, step, first, words);
            }

            $(#[target_feature(enable = $features)])?
            fn poisson(means: &[f64], words: &mut [u32]) -> usize {
                poisson_lanes::<$samples>(means, words)
            }

            $(#[target_feature(enable = $features)])?
            fn tries(means: &[f64], words: [&[u32]; FIRST_WORDS], numbers: &mut [u32]) {
                poisson_tries::<$samples>(means, words, numbers);
            }

            $(#[target_feature(enable = $features)])?
            fn binomial(n: &[f64], p: &[f64], words: &mut [u32]) -> usize {
                binomial_lanes::<$samples>(n, p, words)
            }

            $(#[target_feature(enable = $features)])?
            fn draw(sampler: Sampler, parameters: [f64; 2], bits: &mut SampleBits) -> i32 {
                sampler.draw(&parameters, bits)
            }

            $(#[target_feature(enable = $features)])?
            fn product_f32(weights: &[f32], stride: usize, values: &[f32], sums: &mut [f32]) {
                product::add(weights, stride, values, sums);
            }

            $(#[target_feature(enable = $features)])?
            fn product_f64(weights: &[f64], stride: usize, values: &[f64], sums: &mut [f64]) {
                product::add(weights, stride, values, sums);
            }

            pub(super) static LOOPS: Loops =
                Loops {
                    name: $name,
                    f64,
                    f32,
                    i64,
                    i32,
                    mixed,
                    call_f64,
                    call_f32,
                    fill,
                    pick,
                    poisson,
                    tries,
                    binomial,
                    draw,
                    product_f32,
                    product_f64,
                };
        }
    };
}

build!(portable, "portable", 8, 4);
#[cfg(target_arch = "x86_64")]
build!(avx2, "avx2", 8, 16, "avx2,fma");
#[cfg(target_arch = "x86_64")]
build!(avx512, "avx512", 16, 32, "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma");

impl Level {
    /// The levels of this machine, the fastest first.
    #[must_use]
    pub fn available() -> Vec<Self> {
        let mut list = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            let avx512 = avx2
                && is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512bw");
            if avx512 {
                list.push(Self { loops: &avx512::LOOPS });
            }
            if avx2 {
                list.push(Self { loops: &avx2::LOOPS });
            }
        }
        list.push(Self { loops: &portable::LOOPS });
        list
    }

    /// The fastest level of this machine.
    #[must_use]
    pub fn best() -> Self {
        Self::available().first().copied().unwrap_or(Self { loops: &portable::LOOPS })
    }

    /// `portable`, `avx2` or `avx512`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.loops.name
    }

    /// Carries out an operation for `n` elements.
    #[inline]
    pub(super) fn execute(self, pure: &Pure, files: &mut Files, n: usize) {
        let run = match pure.group {
            Group::F64 => self.loops.f64,
            Group::F32 => self.loops.f32,
            Group::I64 => self.loops.i64,
            Group::I32 => self.loops.i32,
            Group::Mixed => self.loops.mixed,
            Group::CallF64 => self.loops.call_f64,
            Group::CallF32 => self.loops.call_f32,
        };
        // SAFETY: a `Level` is only made by `available`, for features that this machine was asked for and has;
        // the functions are safe otherwise.
        unsafe { run(pure, files, n) }
    }

    /// The random words of elements one after the other, see [`neuropil_rng::fill`].
    pub(crate) fn fill(self, key: &Key, step: i64, first: u64, words: &mut [u32]) {
        // SAFETY: as in `execute`.
        unsafe { (self.loops.fill)(key, step, first, words) }
    }

    /// The random words of elements with these numbers.
    pub(crate) fn pick(self, key: &Key, step: i64, numbers: &[u64], words: &mut [u32]) {
        // SAFETY: as in `execute`.
        unsafe { (self.loops.pick)(key, step, numbers, words) }
    }

    /// The samples that belong to first words, see [`poisson_lanes`].
    pub(crate) fn poisson(self, means: &[f64], words: &mut [u32]) -> usize {
        // SAFETY: as in `execute`.
        unsafe { (self.loops.poisson)(means, words) }
    }

    /// The samples that first tries of a rejection give, see [`poisson_tries`].
    pub(crate) fn poisson_tries(self, means: &[f64], words: [&[u32]; FIRST_WORDS], numbers: &mut [u32]) {
        // Most tries need no logarithms; made one by one, they cost more than is saved.
        if self.loops.name == portable::LOOPS.name {
            return;
        }
        // SAFETY: as in `execute`.
        unsafe { (self.loops.tries)(means, words, numbers) }
    }

    /// The samples that belong to first words, see [`binomial_lanes`].
    pub(crate) fn binomial(self, n: &[f64], p: &[f64], words: &mut [u32]) -> usize {
        // SAFETY: as in `execute`.
        unsafe { (self.loops.binomial)(n, p, words) }
    }

    /// A product of a matrix and a vector, see [`product::add`].
    pub(crate) fn product_f32(self, weights: &[f32], stride: usize, values: &[f32], sums: &mut [f32]) {
        // SAFETY: as in `execute`.
        unsafe { (self.loops.product_f32)(weights, stride, values, sums) }
    }

    /// The same in double precision.
    pub(crate) fn product_f64(self, weights: &[f64], stride: usize, values: &[f64], sums: &mut [f64]) {
        // SAFETY: as in `execute`.
        unsafe { (self.loops.product_f64)(weights, stride, values, sums) }
    }

    /// One sample, see [`Sampler::draw`].
    pub(crate) fn draw(self, sampler: Sampler, parameters: [f64; 2], bits: &mut SampleBits) -> i32 {
        // SAFETY: as in `execute`.
        unsafe { (self.loops.draw)(sampler, parameters, bits) }
    }
}
