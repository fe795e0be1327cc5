//! Models that nothing uses: checked as far as that goes without a population or projection of theirs.

use neuropil_model::{ClockId, Method, PopulationId};

use crate::analysis::{Analysis, DT, population, set_initial};
use crate::builtin;
use crate::declare::Declared;
use crate::firing_rate::declare_firing_rates;
use crate::population::{NeuronModel, Pop, Tools, check_population, method};
use crate::projection::SynapseModel;
use crate::scope::Channels;

impl Analysis<'_> {
    /// Checks models that nothing uses: neurons as a population of their own, synapses as far as that goes
    /// without neurons.
    pub(crate) fn check_unused_models(&mut self) {
        for source in &self.source.neurons {
            let used = self.source.populations.iter().any(|p| p.neuron.value == source.name.value);
            if used {
                continue;
            }
            let source = builtin::complete_neuron(source, &mut self.out);
            let mut model = NeuronModel::parse(&source, &mut self.out);
            if let Some(name) = &model.method {
                method(name, &mut self.out);
            }
            let initial = model.initial.clone();
            let Some(cells) = self.unused_shape(&source.name, &mut model) else { continue };
            // Whatever the model reads as a channel is fed by nobody, which is no mistake here.
            let channels = Channels::new();
            let mut pop = Pop {
                cells,
                section_values: Vec::new(),
                threshold_location: None,
                population: population(&source.name, &source.name.value, 1, ClockId::new(0), Method::Auto),
                declared: Declared::default(),
                channels,
                model: Some(model),
                initial,
                windows: Vec::new(),
                broken: false,
            };
            pop.declare(self.precision, &mut self.out);
            declare_firing_rates(
                &mut pop,
                PopulationId::new(self.pops.len()),
                DT,
                &self.world,
                &mut self.out,
            );
            let id = PopulationId::new(self.pops.len());
            let mut sites = self.sites.clone();
            let mut tools = Tools { world: &self.world, sites: &mut sites, out: &mut self.out };
            check_population(&mut pop, id, &mut tools);
            set_initial(&mut pop, id, &mut tools);
        }
        for source in &self.source.synapses {
            let used = self.source.projections.iter().any(|p| p.synapse.value == source.name.value);
            if !used {
                let source = builtin::complete_synapse(source, &mut self.out);
                let model = SynapseModel::parse(&source, &mut self.out);
                let owner = crate::declare::Owner::Synapse;
                crate::declare::declare(&model.equations, owner, &[], self.precision, &mut self.out);
            }
        }
    }
}
