//! The voltage along neurons with a shape, on the host: elimination in the buffers' own precision.

use neuropil_base::ScalarType;
use neuropil_kernels::program::CableBuffers;
use neuropil_memory::HostBuffer;
use neuropil_morphology::{CableTree, Membrane, Solver};

/// The solver of one operation.
#[derive(Clone, Default, Debug)]
pub(crate) struct CableSolver {
    narrow: Solver<f32>,
    wide: Solver<f64>,
    /// Whether the conductances between compartments have been computed since a buffer may have changed.
    ready: bool,
}

impl CableSolver {
    /// Resistivities may have changed: conductances are computed anew at the next step.
    pub(crate) fn forget(&mut self) {
        self.ready = false;
    }

    /// Solves for the voltages of all compartments.
    pub(crate) fn step(&mut self, tree: &CableTree, ids: &CableBuffers, buffers: &mut [HostBuffer]) {
        // The voltages are taken out, so that the other buffers can be read while they are written.
        let empty = HostBuffer::new(ScalarType::F64, 0);
        let mut voltage = std::mem::replace(&mut buffers[ids.voltage.index()], empty);
        let of = |id: neuropil_kernels::program::BufferId| &buffers[id.index()];
        macro_rules! solve {
            ($solver:expr, $ty:ty) => {{
                if !self.ready {
                    $solver.prepare(
                        tree,
                        Membrane {
                            r_length_1: of(ids.r_length_1).as_slice::<$ty>(),
                            r_length_2: of(ids.r_length_2).as_slice::<$ty>(),
                            resistivity: of(ids.resistivity).as_slice::<$ty>(),
                        },
                    );
                }
                let (shunt, source) = (of(ids.shunt).as_slice::<$ty>(), of(ids.source).as_slice::<$ty>());
                $solver.step(tree, shunt, source, voltage.as_mut_slice::<$ty>());
            }};
        }
        if voltage.ty() == ScalarType::F32 {
            solve!(self.narrow, f32);
        } else {
            solve!(self.wide, f64);
        }
        self.ready = true;
        buffers[ids.voltage.index()] = voltage;
    }
}
