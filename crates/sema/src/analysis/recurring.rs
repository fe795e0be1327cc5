//! Linked variables, and the code that runs without an event.

use neuropil_base::Diagnostics;
use neuropil_model::{PopulationId, ProjectionId};
use neuropil_source::InputKind;

use super::{Analysis, has_neurons};
use crate::binomial::check_binomial;
use crate::ends::Objects;
use crate::firing_rate::check_firing_rates;
use crate::input::check_input;
use crate::link::Links;
use crate::periodic::{Variables, check_periodic};
use crate::population::Tools;
use crate::scope::Sites;

impl Analysis<'_> {
    /// Finds out what linked variables mean.
    pub(super) fn resolve_links(&mut self) {
        let first_input = self.source.populations.len();
        let sources = self.source.inputs.iter().filter(|i| has_neurons(i.kind.value));
        let mut inputs = Vec::new();
        for (index, input) in (first_input..).zip(sources) {
            // Inputs get their variables when they are checked; what those will be is found on a copy.
            let (mut unheard, mut unused) = (Diagnostics::new(), Sites::default());
            let mut tools = Tools { world: &self.world, sites: &mut unused, out: &mut unheard };
            let Some(mut pop) = self.pops.get(index).cloned() else { continue };
            let (id, dt) = (PopulationId::new(index), self.clocks[pop.population.clock.index()].dt);
            check_input(&mut pop, id, input, dt, &mut tools);
            inputs.push((id, pop.declared));
        }
        let mut tools = Tools { world: &self.world, sites: &mut self.sites, out: &mut self.out };
        let (source, groups) = (self.source, &self.groups);
        Links { source, pops: &mut self.pops, projs: &mut self.projs, groups, inputs: &inputs }
            .resolve(&mut tools);
    }

    /// Checks the code that runs periodically, and what acts like it.
    pub(super) fn check_periodic_code(&mut self) {
        for index in 0..self.pops.len() {
            let mut tools = Tools { world: &self.world, sites: &mut self.sites, out: &mut self.out };
            check_firing_rates(&mut self.pops[index], tools.out);
            let variables = Variables { pops: &self.pops, projs: &self.projs };
            let pop = &self.pops[index];
            let Some(list) = pop.model.as_ref().map(|m| &m.periodic).filter(|_| !pop.broken) else {
                continue;
            };
            let (home, own) = (pop.home(PopulationId::new(index)), pop.population.clock);
            let code = check_periodic(list, home, own, variables, &mut self.clocks, &mut tools);
            self.pops[index].population.periodic.extend(code);
        }
        for index in 0..self.projs.len() {
            let mut tools = Tools { world: &self.world, sites: &mut self.sites, out: &mut self.out };
            let variables = Variables { pops: &self.pops, projs: &self.projs };
            let proj = &self.projs[index];
            if proj.broken {
                continue;
            }
            let objects = Objects { pops: &self.pops, projs: &self.projs };
            let (home, own) = (proj.home(ProjectionId::new(index), objects), proj.projection.clock);
            let code =
                check_periodic(&proj.model.periodic, home, own, variables, &mut self.clocks, &mut tools);
            self.projs[index].projection.periodic.extend(code);
        }
        for input in self.source.inputs.iter().filter(|i| i.kind.value == InputKind::Binomial) {
            let Some(target) = &input.target else { continue };
            let Some(group) = self.group(target) else { continue };
            let Some(id) = group.population() else { continue };
            let pop = &self.pops[id.index()];
            let dt = self.clocks[pop.population.clock.index()].dt;
            let mut tools = Tools { world: &self.world, sites: &mut self.sites, out: &mut self.out };
            let code = check_binomial(input, &group, pop, dt, &mut tools);
            self.pops[id.index()].population.periodic.extend(code);
        }
    }
}
