//! The voltage along neurons with a shape, on the host: elimination in the buffers' own precision.

use neuropil_base::ScalarType;
use neuropil_kernels::program::{BufferId, CableBuffers};
use neuropil_memory::HostBuffer;
use neuropil_morphology::{CableTree, Membrane, Solver};

/// The contents of the buffers of one operation, one element per compartment; see [`CableBuffers`].
#[derive(Debug)]
#[allow(missing_docs, reason = "as in `CableBuffers`")]
pub struct CableData<'a, T> {
    pub voltage: &'a mut [T],
    pub shunt: &'a [T],
    pub source: &'a [T],
    pub resistivity: &'a [T],
    pub r_length_1: &'a [T],
    pub r_length_2: &'a [T],
}

/// The solver of one operation.
#[derive(Clone, Default, Debug)]
pub struct CableSolver {
    narrow: Solver<f32>,
    wide: Solver<f64>,
    /// Whether the conductances between compartments have been computed since a buffer may have changed.
    ready: bool,
}

macro_rules! solve {
    ($self:ident, $solver:ident, $tree:ident, $data:ident) => {{
        if !$self.ready {
            let CableData { r_length_1, r_length_2, resistivity, .. } = $data;
            $self.$solver.prepare($tree, Membrane { r_length_1, r_length_2, resistivity });
            $self.ready = true;
        }
        $self.$solver.step($tree, $data.shunt, $data.source, $data.voltage);
    }};
}

impl CableSolver {
    /// Resistivities may have changed: conductances are computed anew at the next step.
    pub fn forget(&mut self) {
        self.ready = false;
    }

    /// Solves for the voltages of all compartments, in single precision.
    pub fn narrow(&mut self, tree: &CableTree, data: CableData<'_, f32>) {
        solve!(self, narrow, tree, data);
    }

    /// Solves for the voltages of all compartments, in double precision.
    pub fn wide(&mut self, tree: &CableTree, data: CableData<'_, f64>) {
        solve!(self, wide, tree, data);
    }

    /// Solves for the voltages of all compartments.
    pub(crate) fn step(&mut self, tree: &CableTree, ids: &CableBuffers, buffers: &mut [HostBuffer]) {
        // The voltages are taken out, so that the other buffers can be read while they are written.
        let empty = HostBuffer::new(ScalarType::F64, 0);
        let mut voltage = std::mem::replace(&mut buffers[ids.voltage.index()], empty);
        let of = |id: BufferId| &buffers[id.index()];
        macro_rules! data {
            ($ty:ty) => {
                CableData {
                    voltage: voltage.as_mut_slice::<$ty>(),
                    shunt: of(ids.shunt).as_slice::<$ty>(),
                    source: of(ids.source).as_slice::<$ty>(),
                    resistivity: of(ids.resistivity).as_slice::<$ty>(),
                    r_length_1: of(ids.r_length_1).as_slice::<$ty>(),
                    r_length_2: of(ids.r_length_2).as_slice::<$ty>(),
                }
            };
        }
        if voltage.ty() == ScalarType::F32 {
            self.narrow(tree, data!(f32));
        } else {
            self.wide(tree, data!(f64));
        }
        buffers[ids.voltage.index()] = voltage;
    }
}
