//! How many operations each expansion takes: what a function costs on every backend.

use neuropil_base::{Scalar, ScalarType};
use neuropil_math::{BinaryOp, CompareOp, Distribution, Emit, Function, UnaryOp};

/// Counts operations, bit casts excepted, which cost nothing.
#[derive(Default)]
struct Counter {
    operations: usize,
    divisions: usize,
}

impl Counter {
    fn one(&mut self, ty: ScalarType) -> ScalarType {
        self.operations += 1;
        ty
    }
}

impl Emit for Counter {
    type Value = ScalarType;

    fn ty(&self, value: ScalarType) -> ScalarType {
        value
    }
    fn constant(&mut self, value: Scalar) -> ScalarType {
        value.ty()
    }
    fn unary(&mut self, op: UnaryOp, a: ScalarType) -> ScalarType {
        self.divisions += usize::from(op == UnaryOp::Sqrt);
        self.one(a)
    }
    fn binary(&mut self, op: BinaryOp, a: ScalarType, _: ScalarType) -> ScalarType {
        self.divisions += usize::from(op == BinaryOp::Div);
        self.one(a)
    }
    fn compare(&mut self, _: CompareOp, _: ScalarType, _: ScalarType) -> ScalarType {
        self.one(ScalarType::Bool)
    }
    fn fma(&mut self, a: ScalarType, _: ScalarType, _: ScalarType) -> ScalarType {
        self.one(a)
    }
    fn select(&mut self, _: ScalarType, a: ScalarType, _: ScalarType) -> ScalarType {
        self.one(a)
    }
    fn convert(&mut self, ty: ScalarType, a: ScalarType) -> ScalarType {
        if ty == a { a } else { self.one(ty) }
    }
    fn bitcast(&mut self, ty: ScalarType, _: ScalarType) -> ScalarType {
        ty
    }
}

/// Operations, and how many of them are divisions or square roots, in single and double precision.
fn counts(expand: impl Fn(&mut Counter, ScalarType)) -> [(usize, usize); 2] {
    [ScalarType::F32, ScalarType::F64].map(|ty| {
        let mut counter = Counter::default();
        expand(&mut counter, ty);
        (counter.operations, counter.divisions)
    })
}

#[test]
fn expansions_take_so_many_operations() {
    let expected = [
        ("exp", [(18, 0), (23, 0)]),
        ("log", [(30, 0), (43, 0)]),
        ("log10", [(42, 0), (55, 0)]),
        ("log2", [(42, 0), (55, 0)]),
        ("log1p", [(38, 0), (51, 0)]),
        ("expm1", [(22, 0), (27, 0)]),
        ("exprel", [(23, 1), (28, 1)]),
        ("per_exprel", [(18, 1), (23, 1)]),
        ("sqrt", [(1, 1), (1, 1)]),
        ("sin", [(26, 0), (32, 0)]),
        ("cos", [(24, 0), (30, 0)]),
        ("tan", [(74, 2), (80, 2)]),
        ("sinh", [(31, 1), (40, 1)]),
        ("cosh", [(20, 1), (25, 1)]),
        ("tanh", [(34, 1), (39, 1)]),
        ("arcsin", [(38, 2), (52, 2)]),
        ("arccos", [(47, 2), (61, 2)]),
        ("arctan", [(32, 1), (38, 1)]),
        ("arctan2", [(62, 1), (68, 1)]),
        ("abs", [(1, 0), (1, 0)]),
        ("sign", [(6, 0), (6, 0)]),
        ("clip", [(2, 0), (2, 0)]),
        ("floor", [(1, 0), (1, 0)]),
        ("ceil", [(1, 0), (1, 0)]),
        ("int", [(1, 0), (1, 0)]),
        ("minimum", [(3, 0), (3, 0)]),
        ("maximum", [(3, 0), (3, 0)]),
        ("pow", [(91, 0), (130, 2)]),
        ("mod", [(36, 1), (36, 1)]),
        ("floordiv", [(35, 2), (35, 2)]),
        ("timestep", [(4, 1), (4, 1)]),
        ("uniform", [(3, 0), (6, 0)]),
        ("normal", [(29, 1), (47, 1)]),
        ("exponential", [(19, 0), (33, 0)]),
    ];
    let functions = Function::ALL.into_iter().map(|function| {
        let count = counts(|counter, ty| {
            function.expand(counter, &vec![ty; function.arity()]);
        });
        (function.name(), count)
    });
    let distributions = Distribution::ALL.into_iter().map(|distribution| {
        let count = counts(|counter, ty| {
            distribution.expand(counter, ty, &vec![ScalarType::I32; distribution.words(ty)]);
        });
        (distribution.name(), count)
    });
    let found: Vec<_> = functions.chain(distributions).collect();
    assert_eq!(found, expected);
}
