//! Carries out blocks of a model one value at a time: what a block means, for tests of methods.
//!
//! Real values are computed in the type that each expression says, with the operations of
//! [`neuropil_math::scalar`], as every backend does.

use std::collections::BTreeMap;

use neuropil_base::{Scalar, ScalarType};
use neuropil_math::scalar;
use neuropil_model::{
    AssignOp, Block, Distribution, Expr, ExprKind, Network, Random, Side, Statement, VarRef,
};

/// One element and the step it is in.
pub struct Element<'a> {
    /// The network that blocks belong to.
    pub network: &'a Network,
    /// The values of variables; one that is missing is 0.
    pub values: BTreeMap<VarRef, Scalar>,
    /// The number of the step.
    pub step: i64,
    /// The clock's step, seconds.
    pub dt: f64,
    /// The numbers of the element (own, presynaptic, postsynaptic).
    pub index: [i32; 3],
    /// Where random numbers come from.
    pub draw: &'a Draw<'a>,
}

/// Draws a random number for an element, parameters of its distribution given, of the given type.
pub type Draw<'a> = dyn Fn(&Element<'a>, &Random, &[Scalar], ScalarType) -> Scalar + 'a;

impl<'a> Element<'a> {
    /// Element 0 of a network at step 0, all values 0; random numbers are 0.
    #[must_use]
    pub fn new(network: &'a Network, dt: f64) -> Self {
        Self {
            network,
            values: BTreeMap::new(),
            step: 0,
            dt,
            index: [0; 3],
            draw: &|_, _, _, ty| Scalar::from_f64(ty, 0.0),
        }
    }

    /// A variable's value as a double.
    #[must_use]
    pub fn get(&self, variable: VarRef) -> f64 {
        self.values.get(&variable).map_or(0.0, |v| v.to_f64())
    }

    /// Sets a variable, the value converted to its type.
    pub fn set(&mut self, variable: VarRef, value: f64) {
        let ty = self.network.variable(variable).ty;
        self.values.insert(variable, Scalar::from_f64(ty, value));
    }

    /// Runs a block.
    pub fn run(&mut self, block: &Block) {
        let mut locals: Vec<Scalar> = block.locals.iter().map(|l| Scalar::from_f64(l.ty, 0.0)).collect();
        for statement in &block.statements {
            match statement {
                Statement::Let { local, value } => locals[local.index()] = self.eval(value, &locals),
                Statement::Assign { target, op, value, span: _ } => {
                    let value = self.eval(value, &locals);
                    let before = self.read(*target, value.ty());
                    let after = match op {
                        AssignOp::Set => value,
                        AssignOp::Add => scalar::binary(neuropil_math::BinaryOp::Add, before, value),
                        AssignOp::Mul => scalar::binary(neuropil_math::BinaryOp::Mul, before, value),
                        AssignOp::Div => scalar::binary(neuropil_math::BinaryOp::Div, before, value),
                    };
                    self.values.insert(*target, after);
                }
            }
        }
    }

    /// The value of an expression, of the expression's type.
    #[must_use]
    pub fn eval(&self, e: &Expr, locals: &[Scalar]) -> Scalar {
        let value = |e: &Expr| self.eval(e, locals);
        let result = match &e.kind {
            ExprKind::Constant(value) => *value,
            ExprKind::Variable(variable) => self.read(*variable, e.ty),
            ExprKind::Local(local) => {
                locals.get(local.index()).copied().unwrap_or_else(|| Scalar::from_f64(e.ty, 0.0))
            }
            ExprKind::Time => Scalar::F64(self.step as f64 * self.dt),
            ExprKind::TimeStep => Scalar::F64(self.dt),
            ExprKind::Step => Scalar::I64(self.step),
            ExprKind::Index(side) => Scalar::I32(match side {
                Side::Own => self.index[0],
                Side::Pre => self.index[1],
                Side::Post => self.index[2],
            }),
            ExprKind::Unary(op, a) => scalar::unary(*op, value(a)),
            ExprKind::Binary(op, a, b) => scalar::binary(*op, value(a), value(b)),
            ExprKind::Compare(op, a, b) => Scalar::Bool(scalar::compare(*op, value(a), value(b))),
            ExprKind::Select(c, a, b) => scalar::select(value(c), value(a), value(b)),
            ExprKind::Convert(a) => scalar::convert(e.ty, value(a)),
            ExprKind::Call(function, args) => {
                scalar::eval(*function, &args.iter().map(value).collect::<Vec<_>>())
            }
            ExprKind::Random(random) => {
                let parameters: Vec<Scalar> = match &random.distribution {
                    Distribution::Uniform | Distribution::Normal | Distribution::Exponential => Vec::new(),
                    Distribution::Poisson(mean) => vec![value(mean)],
                    Distribution::Binomial(n, p) => vec![value(n), value(p)],
                };
                (self.draw)(self, random, &parameters, e.ty)
            }
            // Steps hold no noise: integration has replaced it by random numbers.
            ExprKind::Noise(_) => Scalar::from_f64(e.ty, f64::NAN),
            ExprKind::Table { table, time, column } => {
                let table = self.network.table(*table);
                let row = ((value(time).to_f64() + 1e-3 * table.dt) / table.dt) as usize;
                let column = column.as_ref().map_or(0, |c| value(c).to_f64() as usize);
                let row = row.min(table.rows.saturating_sub(1));
                let column = column.min(table.columns.saturating_sub(1));
                Scalar::F64(table.values.get(row * table.columns + column).copied().unwrap_or(f64::NAN))
            }
        };
        scalar::convert(e.ty, result)
    }

    fn read(&self, variable: VarRef, ty: ScalarType) -> Scalar {
        self.values.get(&variable).copied().unwrap_or_else(|| Scalar::from_f64(ty, 0.0))
    }
}
