//! Typed expressions and blocks of the model to instructions of the kernel language.
//!
//! Three rules are kept here. A buffer is one slot of a kernel however many names lead to it, so that a
//! projection of a population onto itself sees its own stores. `x += f` on a neuron's variable becomes an
//! accumulation if nothing else in the kernel touches that variable, and a load, an addition and a store if
//! something does. A write to an `(unless refractory)` variable from synapses keeps the old value while the
//! neuron is refractory.

use neuropil_base::{Scalar, ScalarType};
use neuropil_ir::{Accumulation, At, Builder, Domain, Kernel, Sampler, SlotId, ValueId, contract};
use neuropil_math::{self as math, BinaryOp, Emit};
use neuropil_model::{
    AssignOp, Block, Distribution, Endpoint, Expr, ExprKind, Extent, LinkPlace, LocalId, Network, ObjectId,
    Random, Side, Statement, TableId, VarRef, VariableId, VariableKind,
};

/// What a slot of a lowered kernel is bound to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Binding {
    /// A variable of the model.
    Variable(ObjectId, VariableId),
    /// A timed array.
    Table(TableId),
    /// Whatever the kernel was lowered to compute.
    Output,
    /// A buffer that the program keeps for itself, by the number that its maker gave it.
    Internal(u32),
}

/// A kernel as lowered, before calls are expanded, and what its slots stand for.
#[derive(Clone, PartialEq, Debug)]
pub struct Lowered {
    /// The kernel.
    pub kernel: Kernel,
    /// One binding per slot.
    pub bindings: Vec<Binding>,
}

/// Where code runs: what its names mean.
#[derive(Clone, Copy, Debug)]
pub struct Scope {
    /// The object whose code it is.
    pub object: ObjectId,
    /// The clock's step in seconds.
    pub dt: f64,
    /// The first presynaptic neuron of the structure, 0 for populations.
    pub pre_start: u32,
    /// The first postsynaptic neuron of the structure, 0 for populations.
    pub post_start: u32,
    /// Whether writes to `(unless refractory)` variables are held back while the neuron is refractory.
    pub guarded: bool,
    /// Whether products and sums may be [contracted](neuropil_ir::contract): in steps of differential equations.
    pub contracted: bool,
    /// Steps of the object's clock between two runs of the code: `t`, `dt` and `t_in_timesteps` are the object's.
    pub stride: i64,
}

impl Scope {
    /// The scope of a population's code, or of a projection's, with that clock step.
    #[must_use]
    pub fn of(network: &Network, object: ObjectId, dt: f64) -> Self {
        let (pre_start, post_start) = match object {
            ObjectId::Population(_) => (0, 0),
            ObjectId::Projection(id) => {
                let projection = network.projection(id);
                (projection.source.start, projection.target.start)
            }
        };
        Self { object, dt, pre_start, post_start, guarded: false, contracted: false, stride: 1 }
    }

    /// The same scope, its products and sums contracted.
    #[must_use]
    pub fn contracted(self) -> Self {
        Self { contracted: true, ..self }
    }

    /// The same scope, its writes guarded.
    #[must_use]
    pub fn guarded(self) -> Self {
        Self { guarded: true, ..self }
    }
}

/// Lowers one kernel.
pub(crate) struct Lowering<'a> {
    network: &'a Network,
    scope: Scope,
    builder: Builder,
    bindings: Vec<Binding>,
    locals: Vec<Option<ValueId>>,
    /// Variables whose loads are taken from another slot and place: delayed values.
    replaced: Vec<(VarRef, SlotId, At)>,
    /// Variables whose loads are taken from a copy: of whom, what leads to it, and the copy.
    copies: Vec<(VarRef, SlotId)>,
}

impl<'a> Lowering<'a> {
    pub(crate) fn new(network: &'a Network, scope: Scope, name: impl Into<String>, domain: Domain) -> Self {
        Self {
            network,
            scope,
            builder: Builder::new(name, domain),
            bindings: Vec::new(),
            locals: Vec::new(),
            replaced: Vec::new(),
            copies: Vec::new(),
        }
    }

    pub(crate) fn finish(self) -> Lowered {
        let kernel = self.builder.finish();
        let kernel = if self.scope.contracted { contract(&kernel) } else { kernel };
        Lowered { kernel, bindings: self.bindings }
    }

    pub(crate) fn builder(&mut self) -> &mut Builder {
        &mut self.builder
    }

    /// The slot bound to `binding`, made if there is none.
    pub(crate) fn slot(&mut self, binding: Binding, name: &str, ty: ScalarType) -> SlotId {
        if let Some(i) = self.bindings.iter().position(|b| *b == binding) {
            return SlotId::new(i);
        }
        self.bindings.push(binding);
        self.builder.slot(name, ty)
    }

    /// From now on a load of `variable` reads `slot` at `at`.
    pub(crate) fn replace(&mut self, variable: VarRef, slot: SlotId, at: At) {
        self.replaced.push((variable, slot, at));
    }

    /// From now on a load of `variable`, which is linked, reads the copy in `slot` of what it is linked to.
    pub(crate) fn read_copy(&mut self, variable: VarRef, slot: SlotId) {
        self.copies.push((variable, slot));
    }

    fn variable_slot(&mut self, reference: VarRef) -> (SlotId, At) {
        let (object, variable, at) = self.resolve(reference);
        (self.root_slot(object, variable), at)
    }

    fn root_slot(&mut self, object: ObjectId, variable: VariableId) -> SlotId {
        let network = self.network;
        let described = &network.variables(object)[variable.index()];
        let name = format!("{}.{}", network.object_name(object), described.name);
        self.slot(Binding::Variable(object, variable), &name, described.ty)
    }

    /// The variable that holds the value, behind all links, and which element of it.
    fn resolve(&mut self, reference: VarRef) -> (ObjectId, VariableId, At) {
        let network = self.network;
        let (mut object, mut variable) = (reference.object, reference.variable);
        let own = At::Side(side(reference.side));
        let mut at = own;
        loop {
            let described = &network.variables(object)[variable.index()];
            if described.extent == Extent::Shared {
                at = At::Scalar;
            }
            let link = match &described.kind {
                VariableKind::Link(link) => *link,
                VariableKind::Degree(end) => return (object, variable, At::Side(end_side(*end))),
                VariableKind::State
                | VariableKind::Parameter { .. }
                | VariableKind::Subexpression(_)
                | VariableKind::LastSpike
                | VariableKind::NotRefractory
                | VariableKind::SumTarget
                | VariableKind::Held
                | VariableKind::Count => return (object, variable, at),
            };
            at = match link.place {
                LinkPlace::One { element: 0 } => At::Scalar,
                LinkPlace::One { element } => At::Value(self.builder.constant(Scalar::I32(element as i32))),
                LinkPlace::Same { start: 0 } => at,
                LinkPlace::Same { start } => {
                    let number = match at {
                        At::Side(side) => self.builder.index(side),
                        At::Value(number) => number,
                        At::Scalar => self.builder.constant(Scalar::I32(0)),
                    };
                    At::Value(self.shifted(number, start))
                }
                LinkPlace::Index { index, start, len: _ } => {
                    let slot = self.root_slot(object, index);
                    let number = self.builder.load(slot, at);
                    At::Value(self.shifted(number, start))
                }
            };
            (object, variable) = (link.object, link.variable);
        }
    }

    fn shifted(&mut self, number: ValueId, start: u32) -> ValueId {
        if start == 0 {
            return number;
        }
        let start = self.builder.constant(Scalar::I32(start as i32));
        self.builder.binary(BinaryOp::Add, number, start)
    }

    /// The value of an expression.
    pub(crate) fn expr(&mut self, e: &Expr) -> ValueId {
        match &e.kind {
            ExprKind::Constant(value) => {
                let value = if e.ty.is_float() { Scalar::from_f64(e.ty, value.to_f64()) } else { *value };
                self.builder.constant(value)
            }
            ExprKind::Variable(reference) => self.load(*reference),
            ExprKind::Local(local) => match self.locals.get(local.index()).copied().flatten() {
                Some(value) => value,
                // A local read before it is given a value holds zero; sema refuses such code.
                None => self.builder.constant(Scalar::from_f64(e.ty, 0.0)),
            },
            ExprKind::Time => {
                let step = self.step();
                let step = self.builder.convert(ScalarType::F64, step);
                let dt = self.builder.constant(Scalar::F64(self.scope.dt));
                self.builder.binary(BinaryOp::Mul, step, dt)
            }
            ExprKind::TimeStep => self.builder.constant(Scalar::F64(self.scope.dt)),
            ExprKind::Step => self.step(),
            ExprKind::Index(model_side) => self.index(*model_side),
            ExprKind::Unary(op, a) => {
                let a = self.expr(a);
                self.builder.unary(*op, a)
            }
            ExprKind::Binary(op, a, b) => {
                let (a, b) = (self.expr(a), self.expr(b));
                self.builder.binary(*op, a, b)
            }
            ExprKind::Compare(op, a, b) => {
                let (a, b) = (self.expr(a), self.expr(b));
                self.builder.compare(*op, a, b)
            }
            ExprKind::Select(c, a, b) => {
                let (c, a, b) = (self.expr(c), self.expr(a), self.expr(b));
                self.builder.select(c, a, b)
            }
            ExprKind::Convert(a) => {
                let a = self.expr(a);
                self.builder.convert(e.ty, a)
            }
            ExprKind::Call(function, args) => {
                let args = args.iter().map(|a| self.expr(a)).collect();
                self.builder.call(*function, args, e.ty)
            }
            ExprKind::Random(random) => self.random(random, e.ty),
            // Integration has turned noise into normal numbers; whatever is left contributes nothing.
            ExprKind::Noise(_) => self.builder.constant(Scalar::from_f64(e.ty, 0.0)),
            ExprKind::Table { table, time, column } => self.table(*table, time, column.as_deref(), e.ty),
        }
    }

    /// The step of the object's clock.
    fn step(&mut self) -> ValueId {
        let step = self.builder.step();
        if self.scope.stride == 1 {
            return step;
        }
        let stride = self.builder.constant(Scalar::I64(self.scope.stride));
        self.builder.binary(BinaryOp::Mul, step, stride)
    }

    fn index(&mut self, model_side: Side) -> ValueId {
        let number = self.builder.index(side(model_side));
        let start = match model_side {
            Side::Own => 0,
            Side::Pre => self.scope.pre_start,
            Side::Post => self.scope.post_start,
        };
        if start == 0 {
            return number;
        }
        let start = self.builder.constant(Scalar::I32(start as i32));
        self.builder.binary(BinaryOp::Sub, number, start)
    }

    fn load(&mut self, reference: VarRef) -> ValueId {
        if let Some((_, slot, at)) = self.replaced.iter().find(|(v, _, _)| *v == reference) {
            return self.builder.load(*slot, *at);
        }
        // Uses of a subexpression have been replaced by its text; one named as a recorded variable is lowered here.
        if let VariableKind::Subexpression(e) = &self.network.variable(reference).kind {
            let e = e.clone();
            return self.expr(&e);
        }
        if let Some((_, copy)) = self.copies.iter().find(|(v, _)| *v == reference) {
            let copy = *copy;
            let (_, _, at) = self.resolve(reference);
            return self.builder.load(copy, at);
        }
        let (slot, at) = self.variable_slot(reference);
        self.builder.load(slot, at)
    }

    fn random(&mut self, random: &Random, ty: ScalarType) -> ValueId {
        let site = random.site.index() as u32;
        let side = side(random.side);
        let fixed = match &random.distribution {
            Distribution::Uniform => math::Distribution::Uniform,
            Distribution::Normal => math::Distribution::Normal,
            Distribution::Exponential => math::Distribution::Exponential,
            Distribution::Poisson(mean) => {
                let mean = self.expr(mean);
                let mean = self.builder.convert(ScalarType::F64, mean);
                return self.builder.sample(Sampler::Poisson, site, side, vec![mean]);
            }
            Distribution::Binomial(n, p) => {
                let (n, p) = (self.expr(n), self.expr(p));
                let n = self.builder.convert(ScalarType::F64, n);
                let p = self.builder.convert(ScalarType::F64, p);
                return self.builder.sample(Sampler::Binomial, site, side, vec![n, p]);
            }
        };
        let words: Vec<ValueId> =
            (0..fixed.words(ty)).map(|draw| self.builder.word(site, draw as u32, side)).collect();
        fixed.expand(&mut self.builder, ty, &words)
    }

    /// `values[row * columns + column]` with `row = int((t + dt/1000) / table dt)`, both numbers clamped: the
    /// shift keeps a time that should be the start of a row from being rounded into the row before.
    fn table(&mut self, id: TableId, time: &Expr, column: Option<&Expr>, ty: ScalarType) -> ValueId {
        let table = self.network.table(id);
        let (rows, columns, dt) = (table.rows as i64, table.columns as i64, table.dt);
        let slot = self.slot(Binding::Table(id), &table.name.clone(), ty);
        let t = self.expr(time);
        let t = self.builder.convert(ScalarType::F64, t);
        let shift = self.builder.constant(Scalar::F64(1e-3 * self.scope.dt));
        let t = self.builder.binary(BinaryOp::Add, t, shift);
        let row_dt = self.builder.constant(Scalar::F64(dt));
        let row = self.builder.binary(BinaryOp::Div, t, row_dt);
        let row = self.builder.convert(ScalarType::I64, row);
        let mut at = self.clamp(row, rows);
        if let Some(column) = column {
            let column = self.expr(column);
            let column = self.builder.convert(ScalarType::I64, column);
            let column = self.clamp(column, columns);
            let width = self.builder.constant(Scalar::I64(columns));
            at = self.builder.binary(BinaryOp::Mul, at, width);
            at = self.builder.binary(BinaryOp::Add, at, column);
        }
        self.builder.load(slot, At::Value(at))
    }

    fn clamp(&mut self, value: ValueId, count: i64) -> ValueId {
        let zero = self.builder.constant(Scalar::I64(0));
        let last = self.builder.constant(Scalar::I64((count - 1).max(0)));
        let value = self.builder.binary(BinaryOp::Max, value, zero);
        self.builder.binary(BinaryOp::Min, value, last)
    }

    /// The statements of a block.
    pub(crate) fn block(&mut self, block: &Block) {
        self.block_with(block, &[]);
    }

    /// The statements of a block, some of whose locals have values beforehand.
    pub(crate) fn block_with(&mut self, block: &Block, given: &[(LocalId, ValueId)]) {
        self.locals = vec![None; block.locals.len()];
        for (local, value) in given {
            self.locals[local.index()] = Some(*value);
        }
        for statement in &block.statements {
            match statement {
                Statement::Let { local, value } => {
                    let value = self.expr(value);
                    let ty = block.locals[local.index()].ty;
                    let value = self.builder.convert(ty, value);
                    self.locals[local.index()] = Some(value);
                }
                Statement::Assign { target, op, value, .. } => {
                    let lone = *op == AssignOp::Add && self.is_lone(block, *target);
                    self.assign(*target, *op, value, lone);
                }
            }
        }
    }

    /// Whether elements share the target, and all that the block does with it, under any name, is to add to it.
    fn is_lone(&self, block: &Block, target: VarRef) -> bool {
        let network = self.network;
        let root = |r: &VarRef| network.root(r.object, r.variable);
        let own = root(&target);
        let same = |r: &VarRef| root(r) == own;
        let described = network.variable(target);
        let meets = target.side != Side::Own
            || described.extent == Extent::Shared
            || matches!(described.kind, VariableKind::Link(_));
        meets
            && block.statements.iter().all(|s| match s {
                Statement::Let { .. } => true,
                Statement::Assign { target: other, op, .. } => !same(other) || *op == AssignOp::Add,
            })
            && !block
                .expressions()
                .any(|e| e.any(&mut |e| matches!(&e.kind, ExprKind::Variable(r) if same(r))))
    }

    fn assign(&mut self, target: VarRef, op: AssignOp, value: &Expr, lone: bool) {
        let value = self.expr(value);
        let ty = self.network.variable(target).ty;
        let value = self.builder.convert(ty, value);
        let (slot, at) = self.variable_slot(target);
        let active = self.guard(target);
        if lone {
            let value = match active {
                Some(active) => {
                    let nothing = self.builder.constant(Scalar::from_f64(ty, 0.0));
                    self.builder.select(active, value, nothing)
                }
                None => value,
            };
            self.builder.accumulate(slot, at, Accumulation::Add, value);
            return;
        }
        let binary = match op {
            AssignOp::Set => None,
            AssignOp::Add => Some(BinaryOp::Add),
            AssignOp::Mul => Some(BinaryOp::Mul),
            AssignOp::Div => Some(BinaryOp::Div),
        };
        let mut new = value;
        if let Some(binary) = binary {
            let old = self.builder.load(slot, at);
            new = self.builder.binary(binary, old, value);
        }
        if let Some(active) = active {
            let old = self.builder.load(slot, at);
            new = self.builder.select(active, new, old);
        }
        self.builder.store(slot, at, new);
    }

    /// The condition under which a guarded write happens; `None` if it always does.
    fn guard(&mut self, target: VarRef) -> Option<ValueId> {
        if !self.scope.guarded {
            return None;
        }
        let network = self.network;
        let (object, variable) = network.root(target.object, target.variable);
        if !network.variables(object)[variable.index()].unless_refractory {
            return None;
        }
        let position =
            network.variables(object).iter().position(|v| matches!(v.kind, VariableKind::NotRefractory))?;
        let (_, _, at) = self.resolve(target);
        let slot = self.root_slot(object, VariableId::new(position));
        Some(self.builder.load(slot, at))
    }
}

/// The kernel language's name of the side on which an end of synapses is.
pub(crate) fn end_side(end: Endpoint) -> neuropil_ir::Side {
    match end {
        Endpoint::Pre => neuropil_ir::Side::Pre,
        Endpoint::Post => neuropil_ir::Side::Post,
    }
}

/// The kernel language's name of a side.
pub(crate) fn side(side: Side) -> neuropil_ir::Side {
    match side {
        Side::Own => neuropil_ir::Side::Own,
        Side::Pre => neuropil_ir::Side::Pre,
        Side::Post => neuropil_ir::Side::Post,
    }
}
