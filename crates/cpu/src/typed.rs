//! From the type of a buffer to the machine type of its elements.

/// Carries out `$body` with `$T` the machine type of `$ty`.
macro_rules! typed {
    ($ty:expr, $T:ident => $body:expr) => {
        match $ty {
            neuropil_base::ScalarType::Bool => {
                type $T = u8;
                $body
            }
            neuropil_base::ScalarType::I32 => {
                type $T = i32;
                $body
            }
            neuropil_base::ScalarType::I64 => {
                type $T = i64;
                $body
            }
            neuropil_base::ScalarType::F32 => {
                type $T = f32;
                $body
            }
            neuropil_base::ScalarType::F64 => {
                type $T = f64;
                $body
            }
        }
    };
}
pub(crate) use typed;
