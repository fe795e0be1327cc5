//! Functions found again in a body: their expansions carried out in one loop instead of one per operation.
//!
//! A body arrives with its functions expanded, so that all engines do the same operations. Here the instructions of
//! an expansion are recognised by comparing them with those that the [`Builder`] makes of the function, and given to a
//! loop in which the compiler keeps everything in registers (`neuropil_math::straight`). Results keep their
//! bits. An expansion that was changed on the way, by a sign that moved or a shared part, stays as it is.

use std::sync::OnceLock;

use neuropil_base::ScalarType;
use neuropil_ir::{At, Builder, Domain, Kernel, Op, Side, ValueId};
use neuropil_math::straight::Straight;
use neuropil_math::{Distribution, Function};

use super::compile::{Action, Pure};
use super::lanes::{Files, HasFile, lane, put, take, values};

/// What is recognised.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Called {
    /// A function of one or two floats of the type of the result.
    Function(Function),
    /// A random variable from random words.
    Distribution(Distribution),
}

/// The functions for which there are loops.
const FUNCTIONS: [Function; 13] = [
    Function::Exp,
    Function::Expm1,
    Function::Exprel,
    Function::PerExprel,
    Function::Log,
    Function::Log10,
    Function::Log1p,
    Function::Sin,
    Function::Cos,
    Function::Sinh,
    Function::Cosh,
    Function::Tanh,
    Function::Pow,
];

/// A call found in a body.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) called: Called,
    pub(super) args: Vec<ValueId>,
}

/// The expansion of a function, on loads that stand for its arguments.
pub(crate) struct Template {
    called: Called,
    pub(crate) kernel: Kernel,
    pub(crate) args: Vec<ValueId>,
    pub(crate) root: ValueId,
}

impl Template {
    /// The expansion of a function of floats of one type.
    pub(crate) fn of(function: Function, ty: ScalarType) -> Self {
        Self::new(Called::Function(function), ty)
    }

    fn new(called: Called, ty: ScalarType) -> Self {
        let mut b = Builder::new("template", Domain::Elements);
        let (count, arg_type) = match called {
            Called::Function(function) => (function.arity(), ty),
            Called::Distribution(distribution) => (distribution.words(ty), ScalarType::I32),
        };
        let args: Vec<ValueId> = (0..count)
            .map(|i| {
                let slot = b.slot(&format!("x{i}"), arg_type);
                b.load(slot, At::Side(Side::Own))
            })
            .collect();
        let root = match called {
            Called::Function(function) => function.expand(&mut b, &args),
            Called::Distribution(distribution) => distribution.expand(&mut b, ty, &args),
        };
        Self { called, kernel: b.finish(), args, root }
    }

    /// The largest first, so that what contains another is found before it.
    fn all() -> &'static [Self] {
        static ALL: OnceLock<Vec<Template>> = OnceLock::new();
        ALL.get_or_init(|| {
            let functions = FUNCTIONS.into_iter().map(Called::Function);
            let distributions = Distribution::ALL.into_iter().map(Called::Distribution);
            let mut list: Vec<Self> = functions
                .chain(distributions)
                .flat_map(|called| [ScalarType::F32, ScalarType::F64].map(|ty| Self::new(called, ty)))
                .collect();
            list.sort_by_key(|t| std::cmp::Reverse(t.kernel.insts.len()));
            list
        })
    }

    /// The arguments with which this expansion gives `value`.
    fn find(&self, kernel: &Kernel, value: ValueId) -> Option<Vec<ValueId>> {
        let known = self.places(kernel, value)?;
        self.args.iter().map(|arg| known[arg.index()]).collect()
    }

    /// By value of the expansion: what stands for it in a kernel where the expansion gives `value`.
    pub(crate) fn places(&self, kernel: &Kernel, value: ValueId) -> Option<Vec<Option<ValueId>>> {
        let mut known = vec![None; self.kernel.insts.len()];
        self.is(self.root, kernel, value, &mut known).then_some(known)
    }

    /// Whether `ours` may stand for `theirs`, as far as is `known`.
    fn is(&self, ours: ValueId, kernel: &Kernel, theirs: ValueId, known: &mut [Option<ValueId>]) -> bool {
        if let Some(known) = known[ours.index()] {
            return known == theirs;
        }
        let (a, b) = (&self.kernel.insts[ours.index()], &kernel.insts[theirs.index()]);
        if a.ty != b.ty {
            return false;
        }
        if !matches!(a.op, Op::Load { .. })
            && (without_operands(&a.op) != without_operands(&b.op)
                || !a
                    .op
                    .operands()
                    .into_iter()
                    .zip(b.op.operands())
                    .all(|(x, y)| self.is(x, kernel, y, known)))
        {
            return false;
        }
        known[ours.index()] = Some(theirs);
        true
    }
}

fn without_operands(op: &Op) -> Op {
    let mut op = op.clone();
    op.map_operands(&mut |_| ValueId::new(0));
    op
}

/// By value: the call that gives it, if it is one; and whether it is needed at all then.
pub(super) fn find(kernel: &Kernel, uniform: &[bool]) -> (Vec<Option<Found>>, Vec<bool>) {
    let mut found: Vec<Option<Found>> = vec![None; kernel.insts.len()];
    let mut needed: Vec<bool> = kernel.insts.iter().map(|inst| inst.op.is_effect()).collect();
    for (i, inst) in kernel.insts.iter().enumerate().rev() {
        if !needed[i] {
            continue;
        }
        let value = ValueId::new(i);
        let call = match inst.op {
            Op::Unary(..)
            | Op::Binary(..)
            | Op::Select(..)
            | Op::Fma(..)
            | Op::Bitcast(_)
            | Op::Convert(_)
                if !uniform[i] =>
            {
                Template::all()
                    .iter()
                    .find_map(|t| Some(Found { called: t.called, args: t.find(kernel, value)? }))
            }
            Op::Constant(_)
            | Op::Step
            | Op::Index(_)
            | Op::Load { .. }
            | Op::Unary(..)
            | Op::Binary(..)
            | Op::Compare(..)
            | Op::Fma(..)
            | Op::Select(..)
            | Op::Convert(_)
            | Op::Bitcast(_)
            | Op::Call(..)
            | Op::Word { .. }
            | Op::Sample { .. }
            | Op::Store { .. }
            | Op::Accumulate { .. }
            | Op::Emit(_) => None,
        };
        let operands = call.as_ref().map_or_else(|| inst.op.operands(), |call| call.args.clone());
        for operand in operands {
            needed[operand.index()] = true;
        }
        found[i] = call;
    }
    (found, needed)
}

/// Carries a call out.
#[inline(always)]
pub(super) fn run<T: HasFile + Straight>(pure: &Pure, files: &mut Files, n: usize) {
    let Action::Call(called, args) = pure.action else { return };
    let Some(mut result) = take::<T>(files, pure.dst) else { return };
    let d = values::<T>(&mut result, n);
    match called {
        Called::Function(function) => {
            let (x, y) = (lane::<T>(files, args[0], n), lane::<T>(files, args[1], n));
            apply(function, d, x, y);
        }
        Called::Distribution(distribution) => draw(distribution, d, args.map(|a| lane::<i32>(files, a, n))),
    }
    put::<T>(files, pure.dst, result);
}

/// One loop per function; only the last takes `y`.
#[inline(always)]
fn apply<T: Straight>(function: Function, d: &mut [T], x: &[T], y: &[T]) {
    macro_rules! each {
        ($name:ident) => {
            for (d, x) in d.iter_mut().zip(x) {
                *d = Straight::$name(*x);
            }
        };
    }
    match function {
        Function::Exp => each!(exp),
        Function::Expm1 => each!(expm1),
        Function::Exprel => each!(exprel),
        Function::PerExprel => each!(per_exprel),
        Function::Log => each!(log),
        Function::Log10 => each!(log10),
        Function::Log1p => each!(log1p),
        Function::Sin => each!(sin),
        Function::Cos => each!(cos),
        Function::Sinh => each!(sinh),
        Function::Cosh => each!(cosh),
        Function::Tanh => each!(tanh),
        Function::Pow => {
            for ((d, x), y) in d.iter_mut().zip(x).zip(y) {
                *d = Straight::pow(*x, *y);
            }
        }
        // There are no templates of these.
        Function::Log2
        | Function::Sqrt
        | Function::Tan
        | Function::Arcsin
        | Function::Arccos
        | Function::Arctan
        | Function::Arctan2
        | Function::Abs
        | Function::Sign
        | Function::Clip
        | Function::Floor
        | Function::Ceil
        | Function::Int
        | Function::Min
        | Function::Max
        | Function::Mod
        | Function::FloorDiv
        | Function::Timestep => {}
    }
}

#[inline(always)]
fn draw<T: Straight>(distribution: Distribution, d: &mut [T], [a, b, c]: [&[i32]; 3]) {
    macro_rules! each {
        ($name:ident) => {
            for (((d, a), b), c) in d.iter_mut().zip(a).zip(b).zip(c) {
                *d = T::draw(Distribution::$name, [*a, *b, *c]);
            }
        };
    }
    match distribution {
        Distribution::Uniform => each!(Uniform),
        Distribution::Normal => each!(Normal),
        Distribution::Exponential => each!(Exponential),
    }
}
