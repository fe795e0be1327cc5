//! The machine types that buffers and lanes hold.

use neuropil_base::Scalar;

/// A machine type that buffers and lanes hold.
pub(super) trait Element: neuropil_memory::Element + Default {
    /// The value as it may stand in a lane: truth values are 0 or 1 there.
    fn clean(self) -> Self;
    /// The value with its type.
    fn scalar(self) -> Scalar;
    /// The value of a scalar of this type; 0 for other types.
    fn of(value: Scalar) -> Self;
    /// `old + value`.
    fn sum(old: Self, value: Self) -> Self;
    /// `value < old ? value : old`.
    fn lower(old: Self, value: Self) -> Self;
    /// `value > old ? value : old`.
    fn higher(old: Self, value: Self) -> Self;
}

macro_rules! element {
    ($T:ty, $variant:ident, $clean:expr, $scalar:expr, $of:expr, $sum:expr) => {
        impl Element for $T {
            #[inline(always)]
            fn clean(self) -> Self {
                $clean(self)
            }

            #[inline(always)]
            fn scalar(self) -> Scalar {
                Scalar::$variant($scalar(self))
            }

            #[inline(always)]
            fn of(value: Scalar) -> Self {
                if let Scalar::$variant(x) = value { $of(x) } else { Self::default() }
            }

            #[inline(always)]
            fn sum(old: Self, value: Self) -> Self {
                $sum(old, value)
            }

            #[inline(always)]
            fn lower(old: Self, value: Self) -> Self {
                if value < old { value } else { old }
            }

            #[inline(always)]
            fn higher(old: Self, value: Self) -> Self {
                if value > old { value } else { old }
            }
        }
    };
}

element!(u8, Bool, |x: u8| u8::from(x != 0), |x: u8| x != 0, u8::from, |a: u8, b: u8| a | b);
element!(i32, I32, |x| x, |x| x, |x| x, i32::wrapping_add);
element!(i64, I64, |x| x, |x| x, |x| x, i64::wrapping_add);
element!(f32, F32, |x| x, |x| x, |x| x, |a: f32, b: f32| a + b);
element!(f64, F64, |x| x, |x| x, |x| x, |a: f64, b: f64| a + b);
