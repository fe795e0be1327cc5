//! Partial derivatives of functions, as text of the equation language.

use crate::Function;

impl Function {
    /// The partial derivative by argument number `argument` (from 0), in terms of the arguments `x`, `y`
    /// and `z`. `None` where the function has steps or there is no such argument.
    ///
    /// Where a function has a corner, the text gives the derivative on one side of it.
    #[must_use]
    pub fn derivative(self, argument: usize) -> Option<&'static str> {
        match (self, argument) {
            (Self::Exp | Self::Expm1, 0) => Some("exp(x)"),
            (Self::Log, 0) => Some("1/x"),
            (Self::Log10, 0) => Some("1/(x*2.302585092994046)"),
            (Self::Log2, 0) => Some("1/(x*0.6931471805599453)"),
            (Self::Log1p, 0) => Some("1/(1+x)"),
            // The quotient is 0/0 at 0; the comparison puts the limit 1/2 in its place.
            (Self::Exprel, 0) => Some("(exp(x)-exprel(x))/(x+int(x==0))+0.5*int(x==0)"),
            // And here -1/2.
            (Self::PerExprel, 0) => Some("per_exprel(x)*(1-per_exprel(-x))/(x+int(x==0))-0.5*int(x==0)"),
            (Self::Sqrt, 0) => Some("0.5/sqrt(x)"),
            (Self::Sin, 0) => Some("cos(x)"),
            (Self::Cos, 0) => Some("-sin(x)"),
            (Self::Tan, 0) => Some("1+tan(x)**2"),
            (Self::Sinh, 0) => Some("cosh(x)"),
            (Self::Cosh, 0) => Some("sinh(x)"),
            (Self::Tanh, 0) => Some("1-tanh(x)**2"),
            (Self::Arcsin, 0) => Some("1/sqrt(1-x**2)"),
            (Self::Arccos, 0) => Some("-1/sqrt(1-x**2)"),
            (Self::Arctan, 0) => Some("1/(1+x**2)"),
            (Self::Arctan2, 0) => Some("y/(x**2+y**2)"),
            (Self::Arctan2, 1) => Some("-x/(x**2+y**2)"),
            (Self::Abs, 0) => Some("sign(x)"),
            (Self::Clip, 0) => Some("int(x >= y and x <= z)"),
            (Self::Clip, 1) => Some("int(x < y and y <= z)"),
            (Self::Clip, 2) => Some("int(x > z or y > z)"),
            (Self::Min, 0) => Some("int(x <= y)"),
            (Self::Min, 1) => Some("int(x > y)"),
            (Self::Max, 0) => Some("int(x >= y)"),
            (Self::Max, 1) => Some("int(x < y)"),
            (Self::Pow, 0) => Some("y*x**(y-1)"),
            (Self::Pow, 1) => Some("log(x)*x**y"),
            (Self::Mod, 0) => Some("1"),
            (Self::Mod, 1) => Some("-(x//y)"),
            (Self::Sign | Self::Floor | Self::Ceil | Self::Int | Self::FloorDiv | Self::Timestep, _) => None,
            (
                Self::Exp
                | Self::Log
                | Self::Log10
                | Self::Log2
                | Self::Log1p
                | Self::Expm1
                | Self::Exprel
                | Self::PerExprel
                | Self::Sqrt
                | Self::Sin
                | Self::Cos
                | Self::Tan
                | Self::Sinh
                | Self::Cosh
                | Self::Tanh
                | Self::Arcsin
                | Self::Arccos
                | Self::Arctan
                | Self::Arctan2
                | Self::Abs
                | Self::Clip
                | Self::Min
                | Self::Max
                | Self::Pow
                | Self::Mod,
                _,
            ) => None,
        }
    }
}
