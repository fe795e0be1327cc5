//! Populations whose elements are compartments of neurons with a shape.

use std::sync::Arc;

use neuropil_base::Span;
use neuropil_morphology::CableTree;

use crate::{Placed, VariableId};

/// What makes the elements of a population compartments: the neurons' shape, and the variables of which the equation
/// along it is made.
///
/// The population has `cells` times as many elements as the tree has compartments, neuron after neuron. At each step,
/// after the differential equations, backward Euler gives the voltage of all compartments:
///
/// ```text
/// capacitance * area * (v_new - v)/dt = area * (Im(v) + Im'(v) * (v_new - v)) + axial currents at v_new
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct Cable {
    /// The name of the morphology.
    pub morphology: String,
    /// The nodes of one neuron.
    pub tree: Arc<CableTree>,
    /// How many neurons.
    pub cells: u32,
    /// The voltage, volt.
    pub voltage: VariableId,
    /// The current through the membrane, positive into the neuron, ampere per square metre: a subexpression.
    pub current: VariableId,
    /// The area of a compartment's membrane, square metres.
    pub area: VariableId,
    /// The capacitance of the membrane, farad per square metre.
    pub capacitance: VariableId,
    /// The resistivity of the cytoplasm, ohm metres.
    pub resistivity: VariableId,
    /// What charged the membrane in the last step, `capacitance * (v_new - v)/dt`, if the model names it.
    pub charging: Option<VariableId>,
    /// The conductance from the start of a compartment to its middle, times the resistivity: metres.
    pub r_length_1: VariableId,
    /// The conductance from the middle of a compartment to its end, times the resistivity: metres.
    pub r_length_2: VariableId,
    /// When in the step the voltage advances.
    pub placed: Placed,
    /// Where the current was defined.
    pub span: Span,
}
