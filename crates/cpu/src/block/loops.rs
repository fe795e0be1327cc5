//! The loops: one per operation, type and kind of operands, over the lanes of one block.
//!
//! Everything here is always inlined into a function per group and instruction set (see `level`), where the compiler
//! vectorises it; the loops are plain ones, since what an iterator calls might not be inlined. What the operations mean is said by `neuropil_math::scalar`.

use neuropil_base::ScalarType;
use neuropil_math::{BinaryOp, CompareOp, UnaryOp};

use super::compile::{Action, Operand, Pure};
use super::lanes::{Files, HasFile, Source, lane, put, source, take, values};

/// The float types.
pub(super) trait Float: HasFile + PartialOrd {
    fn neg(self) -> Self;
    fn abs(self) -> Self;
    fn sqrt(self) -> Self;
    fn floor(self) -> Self;
    fn ceil(self) -> Self;
    fn trunc(self) -> Self;
    fn add(self, b: Self) -> Self;
    fn sub(self, b: Self) -> Self;
    fn mul(self, b: Self) -> Self;
    fn div(self, b: Self) -> Self;
    fn fma(self, b: Self, c: Self) -> Self;
}

macro_rules! float {
    ($T:ident) => {
        impl Float for $T {
            #[inline(always)]
            fn neg(self) -> Self {
                -self
            }
            #[inline(always)]
            fn abs(self) -> Self {
                $T::abs(self)
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                $T::sqrt(self)
            }
            #[inline(always)]
            fn floor(self) -> Self {
                $T::floor(self)
            }
            #[inline(always)]
            fn ceil(self) -> Self {
                $T::ceil(self)
            }
            #[inline(always)]
            fn trunc(self) -> Self {
                $T::trunc(self)
            }
            #[inline(always)]
            fn add(self, b: Self) -> Self {
                self + b
            }
            #[inline(always)]
            fn sub(self, b: Self) -> Self {
                self - b
            }
            #[inline(always)]
            fn mul(self, b: Self) -> Self {
                self * b
            }
            #[inline(always)]
            fn div(self, b: Self) -> Self {
                self / b
            }
            #[inline(always)]
            fn fma(self, b: Self, c: Self) -> Self {
                $T::mul_add(self, b, c)
            }
        }
    };
}

float!(f32);
float!(f64);

/// The integer types.
pub(super) trait Integer: HasFile + Ord {
    fn neg(self) -> Self;
    fn abs(self) -> Self;
    fn not(self) -> Self;
    fn add(self, b: Self) -> Self;
    fn sub(self, b: Self) -> Self;
    fn mul(self, b: Self) -> Self;
    fn div(self, b: Self) -> Self;
    fn rem(self, b: Self) -> Self;
    fn and(self, b: Self) -> Self;
    fn or(self, b: Self) -> Self;
    fn xor(self, b: Self) -> Self;
    fn shl(self, b: Self) -> Self;
    fn shr(self, b: Self) -> Self;
    fn sar(self, b: Self) -> Self;
}

macro_rules! integer {
    ($T:ident, $U:ident) => {
        impl Integer for $T {
            #[inline(always)]
            fn neg(self) -> Self {
                self.wrapping_neg()
            }
            #[inline(always)]
            fn abs(self) -> Self {
                self.wrapping_abs()
            }
            #[inline(always)]
            fn not(self) -> Self {
                !self
            }
            #[inline(always)]
            fn add(self, b: Self) -> Self {
                self.wrapping_add(b)
            }
            #[inline(always)]
            fn sub(self, b: Self) -> Self {
                self.wrapping_sub(b)
            }
            #[inline(always)]
            fn mul(self, b: Self) -> Self {
                self.wrapping_mul(b)
            }
            #[inline(always)]
            fn div(self, b: Self) -> Self {
                if b == 0 {
                    return 0;
                }
                let inexact = self.wrapping_rem(b) != 0 && (self < 0) != (b < 0);
                self.wrapping_div(b) - Self::from(inexact)
            }
            #[inline(always)]
            fn rem(self, b: Self) -> Self {
                if b == 0 {
                    return 0;
                }
                let rest = self.wrapping_rem(b);
                if rest != 0 && (rest < 0) != (b < 0) { rest + b } else { rest }
            }
            #[inline(always)]
            fn and(self, b: Self) -> Self {
                self & b
            }
            #[inline(always)]
            fn or(self, b: Self) -> Self {
                self | b
            }
            #[inline(always)]
            fn xor(self, b: Self) -> Self {
                self ^ b
            }
            #[inline(always)]
            fn shl(self, b: Self) -> Self {
                self.wrapping_shl(b as u32)
            }
            #[inline(always)]
            fn shr(self, b: Self) -> Self {
                (self as $U).wrapping_shr(b as u32) as $T
            }
            #[inline(always)]
            fn sar(self, b: Self) -> Self {
                self.wrapping_shr(b as u32)
            }
        }
    };
}

integer!(i32, u32);
integer!(i64, u64);

#[inline(always)]
fn map1<A: Copy, D>(d: &mut [D], a: Source<'_, A>, f: impl Fn(A) -> D)
where
    D: Copy,
{
    match a {
        Source::Each(a) => {
            for (d, a) in d.iter_mut().zip(a) {
                *d = f(*a);
            }
        }
        Source::All(a) => d.fill(f(a)),
    }
}

/// For lanes only.
#[inline(always)]
fn zip2<A: Copy, D>(d: &mut [D], a: &[A], b: &[A], f: impl Fn(A, A) -> D) {
    for ((d, a), b) in d.iter_mut().zip(a).zip(b) {
        *d = f(*a, *b);
    }
}

#[inline(always)]
fn map2<A: Copy, D: Copy>(d: &mut [D], a: Source<'_, A>, b: Source<'_, A>, f: impl Fn(A, A) -> D) {
    match (a, b) {
        (Source::Each(a), Source::Each(b)) => zip2(d, a, b, f),
        (Source::Each(_), Source::All(b)) => map1(d, a, |a| f(a, b)),
        (Source::All(a), Source::Each(_)) => map1(d, b, |b| f(a, b)),
        (Source::All(a), Source::All(b)) => d.fill(f(a, b)),
    }
}

/// Operations of a float type.
#[inline(always)]
pub(super) fn floats<T: Float>(pure: &Pure, files: &mut Files, n: usize) {
    if let Action::Compare(op, a, b) = pure.action {
        compare::<T>(op, [a, b], pure.dst, files, n);
        return;
    }
    let Some(mut result) = take::<T>(files, pure.dst) else { return };
    let d = values::<T>(&mut result, n);
    match pure.action {
        Action::Unary(op, a) => {
            let a = source::<T>(files, a, n);
            match op {
                UnaryOp::Neg => map1(d, a, T::neg),
                UnaryOp::Abs => map1(d, a, T::abs),
                UnaryOp::Sqrt => map1(d, a, T::sqrt),
                UnaryOp::Floor => map1(d, a, T::floor),
                UnaryOp::Ceil => map1(d, a, T::ceil),
                UnaryOp::Trunc => map1(d, a, T::trunc),
                // No verified kernel has these, here and below.
                UnaryOp::Not => {}
            }
        }
        Action::Binary(op, a, b) => {
            let (a, b) = (source::<T>(files, a, n), source::<T>(files, b, n));
            match op {
                BinaryOp::Add => map2(d, a, b, T::add),
                BinaryOp::Sub => map2(d, a, b, T::sub),
                BinaryOp::Mul => map2(d, a, b, T::mul),
                BinaryOp::Div => map2(d, a, b, T::div),
                BinaryOp::Min => map2(d, a, b, |a, b| if a < b { a } else { b }),
                BinaryOp::Max => map2(d, a, b, |a, b| if a > b { a } else { b }),
                BinaryOp::Rem
                | BinaryOp::And
                | BinaryOp::Or
                | BinaryOp::Xor
                | BinaryOp::Shl
                | BinaryOp::Shr
                | BinaryOp::Sar => {}
            }
        }
        Action::Fma(a, b, c) => {
            let (a, b, c) = (source::<T>(files, a, n), source::<T>(files, b, n), source::<T>(files, c, n));
            match (a, b, c) {
                (Source::Each(a), Source::Each(b), Source::Each(c)) => {
                    for (((d, a), b), c) in d.iter_mut().zip(a).zip(b).zip(c) {
                        *d = a.fma(*b, *c);
                    }
                }
                (Source::Each(a), Source::Each(b), Source::All(c)) => zip2(d, a, b, |a, b| a.fma(b, c)),
                (Source::Each(a), Source::All(b), Source::Each(c)) => zip2(d, a, c, |a, c| a.fma(b, c)),
                (a @ Source::Each(_), Source::All(b), Source::All(c)) => map1(d, a, |a| a.fma(b, c)),
                (Source::All(a), Source::All(b), c) => map1(d, c, |c| a.fma(b, c)),
                // The compiler exchanges the factors here.
                (Source::All(_), Source::Each(_), _) => {}
            }
        }
        Action::Compare(..) | Action::Select(..) | Action::Convert(..) | Action::Call(..) => {}
    }
    put::<T>(files, pure.dst, result);
}

/// Comparisons of any type, with shared operands too.
#[inline(always)]
fn compare<T: HasFile + PartialOrd>(op: CompareOp, ab: [Operand; 2], dst: u16, files: &mut Files, n: usize) {
    let Some(mut result) = take::<u8>(files, dst) else { return };
    let d = values::<u8>(&mut result, n);
    let (a, b) = (source::<T>(files, ab[0], n), source::<T>(files, ab[1], n));
    match op {
        CompareOp::Eq => map2(d, a, b, |a, b| u8::from(a == b)),
        CompareOp::Ne => map2(d, a, b, |a, b| u8::from(a != b)),
        CompareOp::Lt => map2(d, a, b, |a, b| u8::from(a < b)),
        CompareOp::Le => map2(d, a, b, |a, b| u8::from(a <= b)),
        CompareOp::Gt => map2(d, a, b, |a, b| u8::from(a > b)),
        CompareOp::Ge => map2(d, a, b, |a, b| u8::from(a >= b)),
    }
    put::<u8>(files, dst, result);
}

/// Comparisons of any type, of lanes.
#[inline(always)]
fn compare_lanes<T: HasFile + PartialOrd>(
    op: CompareOp,
    ab: [Operand; 2],
    dst: u16,
    files: &mut Files,
    n: usize,
) {
    let Some(mut result) = take::<u8>(files, dst) else { return };
    let d = values::<u8>(&mut result, n);
    if let (Source::Each(a), Source::Each(b)) = (source::<T>(files, ab[0], n), source::<T>(files, ab[1], n)) {
        match op {
            CompareOp::Eq => zip2(d, a, b, |a, b| u8::from(a == b)),
            CompareOp::Ne => zip2(d, a, b, |a, b| u8::from(a != b)),
            CompareOp::Lt => zip2(d, a, b, |a, b| u8::from(a < b)),
            CompareOp::Le => zip2(d, a, b, |a, b| u8::from(a <= b)),
            CompareOp::Gt => zip2(d, a, b, |a, b| u8::from(a > b)),
            CompareOp::Ge => zip2(d, a, b, |a, b| u8::from(a >= b)),
        }
    }
    put::<u8>(files, dst, result);
}

/// Operations of an integer type; operands are lanes.
#[inline(always)]
pub(super) fn integers<T: Integer>(pure: &Pure, files: &mut Files, n: usize) {
    if let Action::Compare(op, a, b) = pure.action {
        compare_lanes::<T>(op, [a, b], pure.dst, files, n);
        return;
    }
    let Some(mut result) = take::<T>(files, pure.dst) else { return };
    let d = values::<T>(&mut result, n);
    match pure.action {
        Action::Unary(op, a) => {
            let a = source::<T>(files, a, n);
            match op {
                UnaryOp::Neg => map1(d, a, T::neg),
                UnaryOp::Abs => map1(d, a, T::abs),
                UnaryOp::Not => map1(d, a, T::not),
                UnaryOp::Sqrt | UnaryOp::Floor | UnaryOp::Ceil | UnaryOp::Trunc => {}
            }
        }
        Action::Binary(op, a, b) => {
            if let (Source::Each(a), Source::Each(b)) = (source::<T>(files, a, n), source::<T>(files, b, n)) {
                match op {
                    BinaryOp::Add => zip2(d, a, b, T::add),
                    BinaryOp::Sub => zip2(d, a, b, T::sub),
                    BinaryOp::Mul => zip2(d, a, b, T::mul),
                    BinaryOp::Div => zip2(d, a, b, T::div),
                    BinaryOp::Rem => zip2(d, a, b, T::rem),
                    BinaryOp::Min => zip2(d, a, b, |a, b| if a < b { a } else { b }),
                    BinaryOp::Max => zip2(d, a, b, |a, b| if a > b { a } else { b }),
                    BinaryOp::And => zip2(d, a, b, T::and),
                    BinaryOp::Or => zip2(d, a, b, T::or),
                    BinaryOp::Xor => zip2(d, a, b, T::xor),
                    BinaryOp::Shl => zip2(d, a, b, T::shl),
                    BinaryOp::Shr => zip2(d, a, b, T::shr),
                    BinaryOp::Sar => zip2(d, a, b, T::sar),
                }
            }
        }
        Action::Compare(..)
        | Action::Fma(..)
        | Action::Select(..)
        | Action::Convert(..)
        | Action::Call(..) => {}
    }
    put::<T>(files, pure.dst, result);
}

/// Operations of truth values, choices and conversions.
#[inline(always)]
pub(super) fn mixed(pure: &Pure, files: &mut Files, n: usize) {
    match pure.action {
        Action::Select(condition, a, b) => match pure.ty {
            ScalarType::Bool => select::<u8>(condition, [a, b], pure.dst, files, n),
            ScalarType::I32 => select::<i32>(condition, [a, b], pure.dst, files, n),
            ScalarType::I64 => select::<i64>(condition, [a, b], pure.dst, files, n),
            ScalarType::F32 => select::<f32>(condition, [a, b], pure.dst, files, n),
            ScalarType::F64 => select::<f64>(condition, [a, b], pure.dst, files, n),
        },
        Action::Convert(from, a) => match from {
            ScalarType::Bool => from_bool(pure.ty, a, pure.dst, files, n),
            ScalarType::I32 => from_i32(pure.ty, a, pure.dst, files, n),
            ScalarType::I64 => from_i64(pure.ty, a, pure.dst, files, n),
            ScalarType::F32 => from_f32(pure.ty, a, pure.dst, files, n),
            ScalarType::F64 => from_f64(pure.ty, a, pure.dst, files, n),
        },
        Action::Compare(op, a, b) => compare_lanes::<u8>(op, [a, b], pure.dst, files, n),
        Action::Unary(UnaryOp::Not, a) => apply(a, pure.dst, files, n, |x: u8| x ^ 1),
        Action::Binary(op, a, b) => {
            let Some(mut result) = take::<u8>(files, pure.dst) else { return };
            let d = values::<u8>(&mut result, n);
            if let (Source::Each(a), Source::Each(b)) = (source::<u8>(files, a, n), source::<u8>(files, b, n))
            {
                match op {
                    BinaryOp::And => zip2(d, a, b, |a, b| a & b),
                    BinaryOp::Or => zip2(d, a, b, |a, b| a | b),
                    BinaryOp::Xor => zip2(d, a, b, |a, b| a ^ b),
                    BinaryOp::Add
                    | BinaryOp::Sub
                    | BinaryOp::Mul
                    | BinaryOp::Div
                    | BinaryOp::Rem
                    | BinaryOp::Min
                    | BinaryOp::Max
                    | BinaryOp::Shl
                    | BinaryOp::Shr
                    | BinaryOp::Sar => {}
                }
            }
            put::<u8>(files, pure.dst, result);
        }
        Action::Unary(..) | Action::Fma(..) | Action::Call(..) => {}
    }
}

/// A lane of another type than its operand.
#[inline(always)]
fn apply<A: HasFile, D: HasFile>(a: Operand, dst: u16, files: &mut Files, n: usize, f: impl Fn(A) -> D) {
    let Some(mut result) = take::<D>(files, dst) else { return };
    map1(values::<D>(&mut result, n), source::<A>(files, a, n), f);
    put::<D>(files, dst, result);
}

/// Conversions from one type; `$is` says whether a value is not zero.
macro_rules! conversions {
    ($name:ident, $A:ident, $is:expr) => {
        #[inline(always)]
        fn $name(to: ScalarType, a: Operand, dst: u16, files: &mut Files, n: usize) {
            match to {
                ScalarType::Bool => apply(a, dst, files, n, |x: $A| u8::from($is(x))),
                ScalarType::I32 => apply(a, dst, files, n, |x: $A| x as i32),
                ScalarType::I64 => apply(a, dst, files, n, |x: $A| x as i64),
                ScalarType::F32 => apply(a, dst, files, n, |x: $A| x as f32),
                ScalarType::F64 => apply(a, dst, files, n, |x: $A| x as f64),
            }
        }
    };
}

conversions!(from_bool, u8, |x| x != 0);
conversions!(from_i32, i32, |x| x != 0);
conversions!(from_i64, i64, |x| x != 0);
conversions!(from_f32, f32, |x| x != 0.0);
conversions!(from_f64, f64, |x| x != 0.0);

#[inline(always)]
fn select<T: HasFile>(condition: u16, ab: [Operand; 2], dst: u16, files: &mut Files, n: usize) {
    let Some(mut result) = take::<T>(files, dst) else { return };
    let d = values::<T>(&mut result, n);
    let c = lane::<u8>(files, condition, n);
    match (source::<T>(files, ab[0], n), source::<T>(files, ab[1], n)) {
        // Both are read before the choice, so that no branch is needed.
        (Source::Each(a), Source::Each(b)) => {
            for (((d, c), &a), &b) in d.iter_mut().zip(c).zip(a).zip(b) {
                *d = if *c != 0 { a } else { b };
            }
        }
        (Source::Each(a), Source::All(b)) => {
            for ((d, c), &a) in d.iter_mut().zip(c).zip(a) {
                *d = if *c != 0 { a } else { b };
            }
        }
        (Source::All(a), Source::Each(b)) => {
            for ((d, c), &b) in d.iter_mut().zip(c).zip(b) {
                *d = if *c != 0 { a } else { b };
            }
        }
        (Source::All(a), Source::All(b)) => {
            for (d, c) in d.iter_mut().zip(c) {
                *d = if *c != 0 { a } else { b };
            }
        }
    }
    put::<T>(files, dst, result);
}
