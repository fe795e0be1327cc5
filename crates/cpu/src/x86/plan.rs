//! What a kernel needs around its code: shared values, lanes that are filled before, parameters of samples.

use std::collections::HashMap;

use neuropil_base::ScalarType;
use neuropil_ir::{Access, At, Op, Sampler, Side, SlotId, ValueId, Verified};

/// Where a parameter of a sample is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Parameter {
    /// The same for all elements.
    Shared(ValueId),
    /// In a lane.
    Lane(u32),
}

/// What fills a lane before the code runs.
#[derive(Clone, Debug)]
pub(super) enum Fill {
    Word { site: u32, draw: u32, side: Side, lane: u32 },
    Sample { sampler: Sampler, site: u32, side: Side, parameters: Vec<Parameter>, lane: u32 },
}

/// A kernel and what it needs.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) kernel: Verified,
    pub(super) uniform: Vec<bool>,
    /// The shared values that depend on the call, in order, and their types.
    pub(super) computed: Vec<(usize, ScalarType)>,
    /// What effects need, up to lanes that are filled.
    pub(super) for_effects: Vec<bool>,
    /// What the parameters of samples need.
    pub(super) for_parameters: Vec<bool>,
    pub(super) parameters: Vec<(ValueId, u32)>,
    /// In this order: words first.
    pub(super) fills: Vec<Fill>,
    /// By value: the lane that holds it.
    pub(super) filled: HashMap<usize, u32>,
    pub(super) lanes: u32,
    /// Which sides matter.
    pub(super) sides: [bool; 3],
    pub(super) accesses: Vec<(SlotId, At, Access)>,
    pub(super) emits: bool,
}

impl Plan {
    /// `None` for a kernel that is left to the block engine. It has been prepared.
    pub(super) fn new(kernel: Verified) -> Option<Self> {
        if kernel.order_dependence().is_some() {
            return None;
        }
        let uniform = kernel.uniform();
        let mut computed = Vec::new();
        for (i, inst) in kernel.insts.iter().enumerate() {
            if let (true, Some(ty)) = (uniform[i] && !matches!(inst.op, Op::Constant(_)), inst.ty) {
                computed.push((i, ty));
            }
        }
        let n = kernel.insts.len();
        let mut plan = Self {
            sides: sides(&kernel),
            accesses: kernel.accesses(),
            emits: kernel.emits(),
            kernel,
            uniform,
            computed,
            for_effects: vec![false; n],
            for_parameters: vec![false; n],
            parameters: Vec::new(),
            fills: Vec::new(),
            filled: HashMap::new(),
            lanes: 0,
        };
        plan.fill()?;
        let effects: Vec<usize> = (0..n).filter(|i| plan.kernel.insts[*i].op.is_effect()).collect();
        plan.for_effects = plan.needed(&effects);
        let parameters: Vec<usize> = plan.parameters.iter().map(|(v, _)| v.index()).collect();
        plan.for_parameters = plan.needed(&parameters);
        plan.can_be_first().then_some(plan)
    }

    /// Gives lanes to words, samples and their parameters.
    fn fill(&mut self) -> Option<()> {
        let mut samples = Vec::new();
        for (i, inst) in self.kernel.insts.iter().enumerate() {
            match &inst.op {
                Op::Word { site, draw, side } => {
                    let lane = self.lanes;
                    self.lanes += 1;
                    self.filled.insert(i, lane);
                    self.fills.push(Fill::Word { site: *site, draw: *draw, side: *side, lane });
                }
                Op::Sample { sampler, site, side, args } => {
                    let lane = self.lanes;
                    self.lanes += 1;
                    self.filled.insert(i, lane);
                    let mut parameters = Vec::new();
                    for arg in args {
                        if self.uniform[arg.index()] {
                            parameters.push(Parameter::Shared(*arg));
                            continue;
                        }
                        let known = self.parameters.iter().find(|(v, _)| v == arg);
                        let lane = known.map_or(self.lanes, |(_, lane)| *lane);
                        if known.is_none() {
                            self.lanes += 1;
                            self.parameters.push((*arg, lane));
                        }
                        parameters.push(Parameter::Lane(lane));
                    }
                    samples.push(Fill::Sample {
                        sampler: *sampler,
                        site: *site,
                        side: *side,
                        parameters,
                        lane,
                    });
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
                | Op::Store { .. }
                | Op::Accumulate { .. }
                | Op::Emit(_) => {}
            }
        }
        self.fills.extend(samples);
        Some(())
    }

    /// What some instructions need, up to lanes that are filled and values that all elements share.
    fn needed(&self, roots: &[usize]) -> Vec<bool> {
        let mut needed = vec![false; self.kernel.insts.len()];
        roots.iter().for_each(|i| needed[*i] = true);
        for (i, inst) in self.kernel.insts.iter().enumerate().rev() {
            if !needed[i] || self.filled.contains_key(&i) {
                continue;
            }
            for v in inst.op.operands() {
                needed[v.index()] = !self.uniform[v.index()] || needed[v.index()];
            }
        }
        needed
    }

    /// Whether the parameters of samples can be computed before everything else: they depend on no sample, and on
    /// nothing that the kernel has written before.
    fn can_be_first(&self) -> bool {
        let insts = &self.kernel.insts;
        (0..insts.len()).filter(|i| self.for_parameters[*i]).all(|i| match &insts[i].op {
            Op::Sample { .. } => false,
            Op::Load { slot, .. } => {
                !insts[..i].iter().any(|inst| matches!(&inst.op, Op::Store { slot: s, .. } if s == slot))
            }
            Op::Constant(_)
            | Op::Step
            | Op::Index(_)
            | Op::Unary(..)
            | Op::Binary(..)
            | Op::Compare(..)
            | Op::Fma(..)
            | Op::Select(..)
            | Op::Convert(_)
            | Op::Bitcast(_)
            | Op::Call(..)
            | Op::Word { .. }
            | Op::Store { .. }
            | Op::Accumulate { .. }
            | Op::Emit(_) => true,
        })
    }
}

/// The sides whose numbers the code looks at.
fn sides(kernel: &Verified) -> [bool; 3] {
    let mut sides = [false; 3];
    for inst in &kernel.insts {
        let side = match &inst.op {
            Op::Load { at, .. } | Op::Store { at, .. } | Op::Accumulate { at, .. } => match at {
                At::Side(side) => *side,
                At::Scalar | At::Value(_) => continue,
            },
            Op::Index(side) => *side,
            Op::Emit(_) => Side::Own,
            Op::Constant(_)
            | Op::Step
            | Op::Unary(..)
            | Op::Binary(..)
            | Op::Compare(..)
            | Op::Fma(..)
            | Op::Select(..)
            | Op::Convert(_)
            | Op::Bitcast(_)
            | Op::Call(..)
            | Op::Word { .. }
            | Op::Sample { .. } => continue,
        };
        sides[side as usize] = true;
    }
    sides
}
