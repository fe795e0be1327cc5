//! What makes a kernel valid. This comment is the specification, in the order of the code.
//!
//! 1. Names of slots differ.
//! 2. Every operand is the value of an earlier instruction.
//! 3. An instruction has a type if and only if it is no effect, and the type is what its operation gives:
//!    * `const`: the constant's type; `step`: `i64`; `index`, `word`: `i32`.
//!    * `neg`, `abs`: the operand's type, a number; `sqrt`, `floor`, `ceil`, `trunc`: a float; `not`: no float.
//!    * Binary operations: the type of both operands. `add`, `sub`, `mul`, `div`, `min`, `max`: a number;
//!      `rem`, `shl`, `shr`, `sar`: an integer; `and`, `or`, `xor`: no float.
//!    * Comparisons: operands of one type, `bool`. `fma`: three floats of one type.
//!    * `select`: a `bool` condition, the type of both choices.
//!    * `convert`: any type from any type. `bitcast`: between `i32` and `f32`, `i64` and `f64`, or to the same.
//!    * `call`: as many arguments as the function has, of the types of its
//!      [signature](neuropil_math::Function::signature).
//!    * `sample`: `i32`, as many parameters as the distribution has, all `f64`.
//!    * `load`: the slot's type. `store` and `accumulate`: the value has the slot's type, which for
//!      `accumulate` is a number. `emit`: the condition is a `bool`.
//! 4. Slots exist, and sides are those of the domain: `own` for elements; `own`, `pre` and `post` for synapses
//!    and pairs. A computed place is an integer.
//! 5. A slot that is accumulated into is neither loaded nor stored, and always combined in the same way.
//! 6. There is at most one `emit`.

use std::fmt;
use std::ops::Deref;

use neuropil_base::{Precision, ScalarType};
use neuropil_math::{BinaryOp, UnaryOp};

use crate::{Access, At, Domain, Kernel, Op, Sampler, Side, SlotId, ValueId};

/// A kernel that the verifier has passed and that holds no calls: what a backend accepts.
///
/// Every index in it is good, every type is right, every operation is primitive: a backend that takes one has
/// nothing left to refuse. [`prepare`](crate::prepare) makes one of any valid kernel.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Verified(Kernel);

impl Verified {
    /// Verifies a kernel whose calls have been expanded.
    ///
    /// # Errors
    /// The first rule that it breaks; a call is one.
    pub fn new(kernel: Kernel) -> Result<Self, VerifyError> {
        verify(&kernel)?;
        for (i, inst) in kernel.insts.iter().enumerate() {
            if let Op::Call(function, _) = inst.op {
                return Err(VerifyError::new(&kernel, Some(i), Violation::Call(function.name())));
            }
        }
        Ok(Self(kernel))
    }

    /// The kernel.
    #[must_use]
    pub fn kernel(&self) -> &Kernel {
        &self.0
    }

    /// The kernel, free to be changed.
    #[must_use]
    pub fn into_kernel(self) -> Kernel {
        self.0
    }
}

impl Deref for Verified {
    type Target = Kernel;

    fn deref(&self) -> &Kernel {
        &self.0
    }
}

impl fmt::Display for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Which rule a kernel breaks, and where.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("kernel `{kernel}`{}: {violation}", .inst.map(|i| format!(", instruction {i}")).unwrap_or_default())]
pub struct VerifyError {
    /// The name of the kernel.
    pub kernel: String,
    /// The instruction, by position; `None` for what concerns the whole kernel.
    pub inst: Option<usize>,
    /// The rule.
    pub violation: Violation,
}

impl VerifyError {
    pub(crate) fn new(kernel: &Kernel, inst: Option<usize>, violation: Violation) -> Self {
        Self { kernel: kernel.name.clone(), inst, violation }
    }
}

/// The rules of the verifier.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Violation {
    /// Two slots have one name.
    #[error("there are two slots `{0}`")]
    SlotName(String),
    /// An operand is not the value of an earlier instruction.
    #[error("`%{0}` is not the value of an earlier instruction")]
    Operand(usize),
    /// The instruction has another type than its operation gives.
    #[error("the operation gives {}, the instruction says {}", shown(*.wanted), shown(*.found))]
    Result {
        /// What the operation gives.
        wanted: Option<ScalarType>,
        /// What the instruction says.
        found: Option<ScalarType>,
    },
    /// An operand has another type than the operation takes.
    #[error("operand `%{value}` is `{found}` where `{wanted}` is wanted")]
    OperandType {
        /// The operand.
        value: usize,
        /// What the operation takes.
        wanted: ScalarType,
        /// What the operand is.
        found: ScalarType,
    },
    /// The operation does not exist for the type.
    #[error("`{0}` has no such operation")]
    NoSuchOperation(ScalarType),
    /// A bit cast between sizes, or of truth values.
    #[error("`{0}` and `{1}` share no bits")]
    Bitcast(ScalarType, ScalarType),
    /// A function or distribution with too many or too few arguments.
    #[error("`{name}` takes {wanted} arguments, not {found}")]
    Arity {
        /// The function or distribution.
        name: &'static str,
        /// How many it takes.
        wanted: usize,
        /// How many there are.
        found: usize,
    },
    /// A slot that is not there.
    #[error("there is no slot number {0}")]
    Slot(usize),
    /// A side that the domain does not have.
    #[error("{domain:?} have no side {side:?}")]
    Side {
        /// The domain.
        domain: Domain,
        /// The side.
        side: Side,
    },
    /// A computed place that is no integer.
    #[error("`%{value}` is a place, and of type `{found}`")]
    Place {
        /// The computed place.
        value: usize,
        /// Its type.
        found: ScalarType,
    },
    /// A slot that is accumulated into and used in another way too.
    #[error("slot `{0}` is accumulated into, and used in another way too")]
    Exclusive(String),
    /// More than one emit.
    #[error("there is more than one `emit`")]
    Emit,
    /// A call where only primitive operations may be.
    #[error("the call of `{0}` is not expanded")]
    Call(&'static str),
}

fn shown(ty: Option<ScalarType>) -> String {
    ty.map_or_else(|| "no value".to_owned(), |ty| format!("`{ty}`"))
}

/// Whether a kernel follows the rules at the top of this file. Calls are allowed.
///
/// ```
/// let kernel = neuropil_ir::parse("kernel k over elements {\n slot v: f64\n %0 = load v[pre] : f64\n}")?;
/// let error = neuropil_ir::verify(&kernel).unwrap_err();
/// assert_eq!(error.to_string(), "kernel `k`, instruction 0: Elements have no side Pre");
/// # Ok::<(), neuropil_ir::ParseError>(())
/// ```
///
/// # Errors
/// The first rule that the kernel breaks.
pub fn verify(kernel: &Kernel) -> Result<(), VerifyError> {
    for (i, slot) in kernel.slots.iter().enumerate() {
        if kernel.slots[..i].iter().any(|s| s.name == slot.name) {
            return Err(VerifyError::new(kernel, None, Violation::SlotName(slot.name.clone())));
        }
    }
    for i in 0..kernel.insts.len() {
        Check { kernel, at: i }.inst().map_err(|v| VerifyError::new(kernel, Some(i), v))?;
    }
    exclusive(kernel).map_err(|v| VerifyError::new(kernel, None, v))?;
    if kernel.insts.iter().filter(|i| matches!(i.op, Op::Emit(_))).count() > 1 {
        return Err(VerifyError::new(kernel, None, Violation::Emit));
    }
    Ok(())
}

/// Rule 5.
fn exclusive(kernel: &Kernel) -> Result<(), Violation> {
    let accesses = kernel.accesses();
    for (slot, _, access) in &accesses {
        let accumulates = matches!(access, Access::Accumulate(_));
        if accumulates && accesses.iter().any(|(s, _, other)| s == slot && other != access) {
            let name = kernel.slots.get(slot.index()).map(|s| s.name.clone());
            return Err(Violation::Exclusive(name.unwrap_or_default()));
        }
    }
    Ok(())
}

/// The check of one instruction.
struct Check<'a> {
    kernel: &'a Kernel,
    at: usize,
}

impl Check<'_> {
    fn inst(&self) -> Result<(), Violation> {
        let inst = &self.kernel.insts[self.at];
        let wanted = self.result(&inst.op, inst.ty)?;
        if inst.ty == wanted { Ok(()) } else { Err(Violation::Result { wanted, found: inst.ty }) }
    }

    /// Checks the operands and gives the type of the result. A conversion gives what the instruction says.
    fn result(&self, op: &Op, said: Option<ScalarType>) -> Result<Option<ScalarType>, Violation> {
        Ok(Some(match op {
            Op::Constant(c) => c.ty(),
            Op::Step => ScalarType::I64,
            Op::Index(side) | Op::Word { side, .. } => {
                self.side(*side)?;
                ScalarType::I32
            }
            Op::Load { slot, at } => {
                self.place(*at)?;
                self.slot(*slot)?
            }
            Op::Unary(op, a) => {
                let ty = self.operand(*a)?;
                let has = match op {
                    UnaryOp::Neg | UnaryOp::Abs => ty != ScalarType::Bool,
                    UnaryOp::Sqrt | UnaryOp::Floor | UnaryOp::Ceil | UnaryOp::Trunc => ty.is_float(),
                    UnaryOp::Not => !ty.is_float(),
                };
                exists(has, ty)?
            }
            Op::Binary(op, a, b) => {
                let ty = self.operand(*a)?;
                self.operand_is(*b, ty)?;
                let has = match op {
                    BinaryOp::Add
                    | BinaryOp::Sub
                    | BinaryOp::Mul
                    | BinaryOp::Div
                    | BinaryOp::Min
                    | BinaryOp::Max => ty != ScalarType::Bool,
                    BinaryOp::Rem | BinaryOp::Shl | BinaryOp::Shr | BinaryOp::Sar => ty.is_integer(),
                    BinaryOp::And | BinaryOp::Or | BinaryOp::Xor => !ty.is_float(),
                };
                exists(has, ty)?
            }
            Op::Compare(_, a, b) => {
                let ty = self.operand(*a)?;
                self.operand_is(*b, ty)?;
                ScalarType::Bool
            }
            Op::Fma(a, b, c) => {
                let ty = self.operand(*a)?;
                self.operand_is(*b, ty)?;
                self.operand_is(*c, ty)?;
                exists(ty.is_float(), ty)?
            }
            Op::Select(condition, a, b) => {
                self.operand_is(*condition, ScalarType::Bool)?;
                let ty = self.operand(*a)?;
                self.operand_is(*b, ty)?;
                ty
            }
            Op::Convert(a) => {
                self.operand(*a)?;
                return match said {
                    Some(ty) => Ok(Some(ty)),
                    None => Err(Violation::Result { wanted: Some(self.operand(*a)?), found: None }),
                };
            }
            Op::Bitcast(a) => {
                let from = self.operand(*a)?;
                let Some(to) = said else {
                    return Err(Violation::Result { wanted: Some(from), found: None });
                };
                if from.size() != to.size() {
                    return Err(Violation::Bitcast(from, to));
                }
                to
            }
            Op::Call(function, args) => {
                let name = function.name();
                arity(name, function.arity(), args.len())?;
                let types = args.iter().map(|a| self.operand(*a)).collect::<Result<Vec<_>, _>>()?;
                // Where the arguments are floats already, the precision of the network plays no part.
                let signature = function.signature();
                if let Some(wanted) = signature.parameter(&types, Precision::F64) {
                    args.iter().try_for_each(|a| self.operand_is(*a, wanted))?;
                }
                signature.result(&types, Precision::F64)
            }
            Op::Sample { sampler, side, args, .. } => {
                self.side(*side)?;
                let (name, wanted) = match sampler {
                    Sampler::Poisson => ("poisson", 1),
                    Sampler::Binomial => ("binomial", 2),
                };
                arity(name, wanted, args.len())?;
                args.iter().try_for_each(|a| self.operand_is(*a, ScalarType::F64))?;
                ScalarType::I32
            }
            Op::Store { slot, at, value } => {
                self.place(*at)?;
                self.operand_is(*value, self.slot(*slot)?)?;
                return Ok(None);
            }
            Op::Accumulate { slot, at, value, .. } => {
                self.place(*at)?;
                let ty = self.slot(*slot)?;
                self.operand_is(*value, ty)?;
                exists(ty != ScalarType::Bool, ty)?;
                return Ok(None);
            }
            Op::Emit(condition) => {
                self.operand_is(*condition, ScalarType::Bool)?;
                return Ok(None);
            }
        }))
    }

    fn operand(&self, value: ValueId) -> Result<ScalarType, Violation> {
        let earlier = self.kernel.insts[..self.at].get(value.index());
        earlier.and_then(|i| i.ty).ok_or(Violation::Operand(value.index()))
    }

    fn operand_is(&self, value: ValueId, wanted: ScalarType) -> Result<(), Violation> {
        let found = self.operand(value)?;
        if found == wanted {
            return Ok(());
        }
        Err(Violation::OperandType { value: value.index(), wanted, found })
    }

    fn slot(&self, slot: SlotId) -> Result<ScalarType, Violation> {
        self.kernel.slots.get(slot.index()).map(|s| s.ty).ok_or(Violation::Slot(slot.index()))
    }

    fn side(&self, side: Side) -> Result<(), Violation> {
        match (self.kernel.domain, side) {
            (_, Side::Own) | (Domain::Synapses | Domain::Pairs, Side::Pre | Side::Post) => Ok(()),
            (domain @ Domain::Elements, Side::Pre | Side::Post) => Err(Violation::Side { domain, side }),
        }
    }

    fn place(&self, at: At) -> Result<(), Violation> {
        match at {
            At::Side(side) => self.side(side),
            At::Scalar => Ok(()),
            At::Value(value) => {
                let found = self.operand(value)?;
                if found.is_integer() {
                    Ok(())
                } else {
                    Err(Violation::Place { value: value.index(), found })
                }
            }
        }
    }
}

fn exists(has: bool, ty: ScalarType) -> Result<ScalarType, Violation> {
    if has { Ok(ty) } else { Err(Violation::NoSuchOperation(ty)) }
}

fn arity(name: &'static str, wanted: usize, found: usize) -> Result<(), Violation> {
    if wanted == found { Ok(()) } else { Err(Violation::Arity { name, wanted, found }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{parse, testing};
    use neuropil_base::Scalar;
    use proptest::prelude::*;

    /// The complaint about a kernel with slots `v: f64`, `s: f32`, `k: i32`, `b: bool` and the values
    /// `%v`, `%s`, `%k`, `%b` of their types.
    fn complaint(domain: &str, body: &str) -> String {
        let text = format!(
            "kernel k over {domain} {{
               slot v: f64\n slot s: f32\n slot k: i32\n slot b: bool\n slot sum: f64\n slot flag: bool
               %v = load v[own] : f64\n %s = load s[own] : f32\n %k = load k[own] : i32\n %b = load b[own] : bool
               {body}\n}}"
        );
        let text = text.replace(';', "\n");
        verify(&parse(&text).unwrap()).unwrap_err().violation.to_string()
    }

    #[test]
    fn each_rule_has_its_complaint() {
        let elements = |body: &str| complaint("elements", body);
        assert_eq!(elements("%r = add %v, %s : f64"), "operand `%1` is `f32` where `f64` is wanted");
        assert_eq!(
            elements("%r = add %v, %v : f32"),
            "the operation gives `f64`, the instruction says `f32`"
        );
        assert_eq!(elements("%r = add %b, %b : bool"), "`bool` has no such operation");
        assert_eq!(elements("%r = neg %b : bool"), "`bool` has no such operation");
        assert_eq!(elements("%r = sqrt %k : i32"), "`i32` has no such operation");
        assert_eq!(elements("%r = not %v : f64"), "`f64` has no such operation");
        assert_eq!(elements("%r = shl %v, %v : f64"), "`f64` has no such operation");
        assert_eq!(elements("%r = xor %v, %v : f64"), "`f64` has no such operation");
        assert_eq!(elements("%r = fma %k, %k, %k : i32"), "`i32` has no such operation");
        assert_eq!(elements("%r = select %k, %v, %v : f64"), "operand `%2` is `i32` where `bool` is wanted");
        assert_eq!(
            elements("%r = lt %v, %v : f64"),
            "the operation gives `bool`, the instruction says `f64`"
        );
        assert_eq!(elements("%r = bitcast %v : i32"), "`f64` and `i32` share no bits");
        assert_eq!(elements("%r = call exp %k : f64"), "operand `%2` is `i32` where `f64` is wanted");
        assert_eq!(
            elements("%r = call exp %s : f64"),
            "the operation gives `f32`, the instruction says `f64`"
        );
        assert_eq!(elements("%r = call exp %v, %v : f64"), "`exp` takes 1 arguments, not 2");
        assert_eq!(
            elements("%r = sample poisson site 1 own, %s : i32"),
            "operand `%1` is `f32` where `f64` is wanted"
        );
        assert_eq!(
            elements("%r = sample binomial site 1 own, %v : i32"),
            "`binomial` takes 2 arguments, not 1"
        );
        assert_eq!(elements("%r = index post : i32"), "Elements have no side Post");
        assert_eq!(elements("%r = load v[%v] : f64"), "`%0` is a place, and of type `f64`");
        assert_eq!(elements("store v[own], %s"), "operand `%1` is `f32` where `f64` is wanted");
        assert_eq!(elements("accumulate add flag[own], %b"), "`bool` has no such operation");
        assert_eq!(
            elements("accumulate add v[own], %v"),
            "slot `v` is accumulated into, and used in another way too"
        );
        assert_eq!(
            elements("accumulate add sum[own], %v;accumulate max sum[own], %v"),
            "slot `sum` is accumulated into, and used in another way too"
        );
        assert_eq!(elements("emit %k"), "operand `%2` is `i32` where `bool` is wanted");
        assert_eq!(elements("emit %b;emit %b"), "there is more than one `emit`");
        assert_eq!(
            complaint("synapses", "%r = index pre : f64"),
            "the operation gives `i32`, the instruction says `f64`"
        );
    }

    #[test]
    fn what_has_no_text_form_is_refused_too() {
        let kernel = |slots: Vec<crate::Slot>, insts: Vec<crate::Inst>| Kernel {
            name: "k".to_owned(),
            domain: Domain::Elements,
            slots,
            insts,
        };
        let inst = |op, ty| crate::Inst { op, ty };
        let first = |kernel: &Kernel| verify(kernel).unwrap_err().violation;
        let slot = crate::Slot { name: "v".to_owned(), ty: ScalarType::F64 };
        assert_eq!(first(&kernel(vec![slot.clone(), slot], vec![])), Violation::SlotName("v".to_owned()));
        let own = inst(Op::Unary(UnaryOp::Neg, ValueId::new(0)), Some(ScalarType::F64));
        assert_eq!(first(&kernel(vec![], vec![own])), Violation::Operand(0));
        let load = inst(Op::Load { slot: SlotId::new(7), at: At::Scalar }, Some(ScalarType::F64));
        assert_eq!(first(&kernel(vec![], vec![load])), Violation::Slot(7));
        let step = inst(Op::Step, None);
        let wanted = Violation::Result { wanted: Some(ScalarType::I64), found: None };
        assert_eq!(first(&kernel(vec![], vec![step])), wanted);
        let one = inst(Op::Constant(Scalar::F64(1.0)), Some(ScalarType::F64));
        let exp = inst(Op::Call(neuropil_math::Function::Exp, vec![ValueId::new(0)]), Some(ScalarType::F64));
        let called = kernel(vec![], vec![one, exp]);
        verify(&called).unwrap();
        assert_eq!(Verified::new(called).unwrap_err().violation, Violation::Call("exp"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn generated_kernels_are_valid(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let kernel = testing::kernel(&bytes);
            prop_assert_eq!(verify(&kernel), Ok(()), "{}", kernel);
        }
    }
}
