//! The step of the voltage along neurons with a shape: the coefficients of each compartment, then elimination.

use neuropil_integrate as integrate;
use neuropil_ir::{At, Domain, Side as IrSide};
use neuropil_math::Emit;
use neuropil_model::{Arith, Block, Expr, ObjectId, PopulationId, Side, VarRef, VariableId};

use crate::LowerError;
use crate::lower::{Lowering, Scope};
use crate::plan::{Lowerer, clock, internal};
use crate::program::{Action, Buffer, BufferId, CableBuffers, Role};

impl Lowerer<'_> {
    /// `shunt = area * (Cm/dt + conductance)` and `source = area * (Cm/dt * v + current)` for each compartment, then
    /// the voltage of all of them at once.
    pub(crate) fn cable(&mut self, id: PopulationId) -> Result<(), LowerError> {
        let network = self.network;
        let population = network.population(id);
        let Some(cable) = &population.cable else { return Ok(()) };
        let Some(line) = integrate::membrane_current(network, id).map_err(LowerError::Model)? else {
            return Ok(());
        };
        let object = ObjectId::Population(id);
        let arith = Arith::new(network.precision);
        let (on, ty) = (clock(population.clock), network.precision.float());
        let name = format!("{}.cable", population.name);
        let dt = network.clock(population.clock).dt;
        let value = |variable: VariableId| {
            let reference = VarRef { object, variable, side: Side::Own };
            Expr::variable(reference, network.variable(reference).ty)
        };
        let charge = arith.div(value(cable.capacitance), arith.real(dt));
        let area = value(cable.area);
        let shunt = arith.mul(area.clone(), arith.add(charge.clone(), line.conductance));
        let source = arith.mul(area, arith.add(arith.mul(charge, value(cable.voltage)), line.current));
        let mut lowering = Lowering::new(network, Scope::of(network, object, dt), &name, Domain::Elements);
        let mut scratch = |this: &mut Self, what: &str, value: &Expr| {
            let name = format!("{name}.{what}");
            let len = population.size as usize;
            let buffer = this.buffer(Buffer { name: name.clone(), ty, len, role: Role::Scratch });
            let value = lowering.expr(value);
            let value = lowering.builder().convert(ty, value);
            let slot = lowering.slot(internal(buffer), &name, ty);
            lowering.builder().store(slot, At::Side(IrSide::Own), value);
            buffer
        };
        // What charges the membrane is known once the new voltage is; until then its place keeps the old one.
        let (shunt, source) = (scratch(self, "shunt", &shunt), scratch(self, "source", &source));
        let charging = cable.charging.map(|variable| VarRef { object, variable, side: Side::Own });
        if let Some(charging) = charging {
            let mut keep = Block::new();
            keep.set(charging, value(cable.voltage));
            lowering.block(&keep);
        }
        let call = self.call(lowering.finish())?;
        let coefficients = Action::Elements { call, start: 0, len: population.size, emits: None };
        self.push(name.clone(), on, cable.placed, coefficients);
        let of = |variable| self.variable_buffer(object, variable).unwrap_or(BufferId::new(0));
        let buffers = CableBuffers {
            voltage: of(cable.voltage),
            shunt,
            source,
            resistivity: of(cable.resistivity),
            r_length_1: of(cable.r_length_1),
            r_length_2: of(cable.r_length_2),
        };
        let action = Action::Cable { tree: cable.tree.clone(), buffers };
        self.push(format!("{name}.solve"), on, cable.placed, action);
        if let Some(charging) = charging {
            let gained = arith.sub(value(cable.voltage), value(charging.variable));
            let current = arith.div(arith.mul(value(cable.capacitance), gained), arith.real(dt));
            let mut block = Block::new();
            block.set(charging, current);
            let name = format!("{name}.charging");
            let mut lowering =
                Lowering::new(network, Scope::of(network, object, dt), &name, Domain::Elements);
            lowering.block(&block);
            let call = self.call(lowering.finish())?;
            self.push(
                name,
                on,
                cable.placed,
                Action::Elements { call, start: 0, len: population.size, emits: None },
            );
        }
        Ok(())
    }
}
