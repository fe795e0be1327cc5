//! Every expression of a step has operands of the types that it asks for.

use neuropil_base::ScalarType;
use neuropil_math::Signature;
use neuropil_model::{Block, Expr, ExprKind, Network, Statement};

pub(crate) fn check_types(network: &Network, block: &Block) {
    for statement in &block.statements {
        let (expected, value) = match statement {
            Statement::Let { local, value } => (block.locals[local.index()].ty, value),
            Statement::Assign { target, value, .. } => (network.variable(*target).ty, value),
        };
        assert_eq!(value.ty, expected, "{value:?}");
        value.walk(&mut |e| check(network, block, e));
    }
    let mut names: Vec<&str> = block.locals.iter().map(|l| l.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), block.locals.len(), "locals have names of their own");
}

fn check(network: &Network, block: &Block, e: &Expr) {
    match &e.kind {
        ExprKind::Constant(value) => {
            let kept = if e.ty.is_float() { ScalarType::F64 } else { e.ty };
            assert_eq!(value.ty(), kept, "{e:?}");
        }
        ExprKind::Variable(variable) => assert_eq!(e.ty, network.variable(*variable).ty),
        ExprKind::Local(local) => assert_eq!(e.ty, block.locals[local.index()].ty),
        ExprKind::Time | ExprKind::TimeStep => assert_eq!(e.ty, ScalarType::F64),
        ExprKind::Step => assert_eq!(e.ty, ScalarType::I64),
        ExprKind::Index(_) => assert_eq!(e.ty, ScalarType::I32),
        ExprKind::Unary(_, a) => assert_eq!(e.ty, a.ty, "{e:?}"),
        ExprKind::Binary(_, a, b) => assert_eq!((e.ty, e.ty), (a.ty, b.ty), "{e:?}"),
        ExprKind::Compare(_, a, b) => assert_eq!((e.ty, a.ty), (ScalarType::Bool, b.ty), "{e:?}"),
        ExprKind::Select(c, a, b) => assert_eq!((ScalarType::Bool, e.ty, e.ty), (c.ty, a.ty, b.ty), "{e:?}"),
        ExprKind::Convert(_) | ExprKind::Random(_) | ExprKind::Table { .. } => {}
        ExprKind::Call(function, args) => match function.signature() {
            Signature::Float | Signature::Same => assert!(args.iter().all(|a| a.ty == e.ty), "{e:?}"),
            Signature::Integer => assert_eq!(e.ty, ScalarType::I32),
            Signature::Timestep => {
                assert!(e.ty == ScalarType::I32 && args.iter().all(|a| a.ty == ScalarType::F64), "{e:?}");
            }
        },
        ExprKind::Noise(_) => panic!("noise in a step"),
    }
}
