//! Morphologies within the analysis: made first, then given to populations and their views.

use std::sync::Arc;

use neuropil_base::{Diagnostic, Spanned};
use neuropil_model::Group;
use neuropil_source::{PopulationSource, ViewSource};

use crate::analysis::Analysis;
use crate::builtin;
use crate::cable::{self, Cells};
use crate::code;
use crate::morphology::morphology;
use crate::population::NeuronModel;

impl Analysis<'_> {
    /// Morphologies, before the populations that have them.
    pub(crate) fn make_morphologies(&mut self) {
        for (index, source) in self.source.morphologies.iter().enumerate() {
            let made = morphology(source, &self.world, &mut self.out);
            let earlier = &self.source.morphologies[..index];
            // Whoever read a file has reported it.
            if let Some(first) = earlier.iter().find(|m| m.name.value == source.name.value)
                && source.name.span.file().is_none()
            {
                let message = format!("there are two morphologies `{}`", source.name.value);
                self.out.push(
                    Diagnostic::error(code::DUPLICATE_NAME, source.name.span, message)
                        .related(first.name.span, "first here"),
                );
            }
            self.morphologies.push((source.name.value.clone(), made.map(Arc::new)));
        }
        if self.source.populations.iter().any(|p| p.morphology.is_some()) {
            cable::warn_of_hidden(&self.source.constants, &mut self.out);
        }
    }

    /// How many elements a population has, and its neurons if they have a shape, for which the model is completed; none
    /// instead of neurons if something is wrong with them.
    pub(crate) fn shape(
        &mut self,
        source: &PopulationSource,
        model: Option<&mut NeuronModel>,
    ) -> (u32, Option<Option<Cells>>) {
        let grid = self.size_of_shape(source);
        let said = !source.size.text.is_empty() || (source.morphology.is_none() && source.shape.is_none());
        let mut count = self.size(Some(&source.size).filter(|_| said), "the size of a population");
        if let Some(grid) = grid {
            if said && count != grid {
                let message = format!("the shape has {grid} neurons, the size is {count}");
                self.out.push(
                    Diagnostic::error(code::SIZES, source.size.span, message)
                        .help("leave `size` away: the shape says it"),
                );
            }
            count = grid;
        }
        match model.and_then(|model| self.cells(source, model, count)) {
            None => (count, None),
            Some(None) => (count, Some(None)),
            Some(Some((total, cells))) => (total, Some(Some(cells))),
        }
    }

    fn cells(
        &mut self,
        source: &PopulationSource,
        model: &mut NeuronModel,
        count: u32,
    ) -> Option<Option<(u32, Cells)>> {
        let Some(name) = &source.morphology else {
            cable::refuse_fields(source, &mut self.out);
            let for_compartments = cable::is_for_compartments(&model.equations);
            if let Some(current) = model.equations.get("Im").filter(|_| for_compartments) {
                cable::lacks_morphology(source, current, &mut self.out);
                return None;
            }
            cable::refuse_point_current(&source.name.value, &model.equations, &mut self.out);
            return Some(None);
        };
        let Some((_, shape)) = self.morphologies.iter().find(|(n, _)| *n == name.value) else {
            let names = self.morphologies.iter().map(|(n, _)| n.as_str());
            builtin::unknown("morphology", name, names, &mut self.out);
            return None;
        };
        let shape = Arc::clone(shape.as_ref()?);
        let has = (shape.has_coordinates(), self.names_charging(model));
        let current = model.complete(has, &source.neuron, &mut self.out)?;
        if let Some(location) = source.threshold_location.as_ref().filter(|_| !model.has_threshold()) {
            let message = "`threshold_location` says where a neuron without `threshold` spikes".to_owned();
            self.out.push(
                Diagnostic::error(code::MISSING, location.span, message)
                    .help("give the neuron a condition: `threshold = \"v > 0*mV\"`"),
            );
        }
        let total = cable::total(count, &shape, source.size.span, &mut self.out)?;
        Some(Some((total, cable::cells(&name.value, &shape, count, current))))
    }

    /// Whether the model, a synapse or a recorder names what charges the membrane.
    fn names_charging(&self, model: &NeuronModel) -> bool {
        let synapses = self.source.synapses.iter().flat_map(|s| {
            let code = s.pathways.iter().map(|p| &p.code);
            s.equations.iter().chain(code).chain(s.sums.iter().map(|s| &s.expression))
        });
        let recorded = self.source.record.state.iter().flat_map(|r| &r.variables).map(|v| v.value.as_str());
        let texts = model.texts.iter().chain(synapses).map(|t| t.text.as_str());
        cable::names_charging(texts.chain(recorded))
    }

    /// The neurons of a model that no population has: compartments, if it is a model of those. None if it is wrong.
    pub(crate) fn unused_shape(
        &mut self,
        name: &Spanned<String>,
        model: &mut NeuronModel,
    ) -> Option<Option<Cells>> {
        if cable::is_for_compartments(&model.equations) {
            let has = (true, self.names_charging(model));
            let current = model.complete(has, name, &mut self.out)?;
            return Some(cable::stand_in(current));
        }
        cable::refuse_point_current(&name.value, &model.equations, &mut self.out);
        Some(None)
    }

    /// A view by section; the whole of `of` if it was refused, so that what is connected to it can be checked.
    pub(crate) fn view_of_section(&mut self, view: &ViewSource, of: &Group) -> Group {
        let mut group = Group { name: view.name.value.clone(), ..of.clone() };
        let Some(pop) = of.population().and_then(|id| self.pops.get(id.index())) else { return group };
        let place = view.section.as_ref().map_or(view.name.span, |s| s.span);
        match &pop.cells {
            None if pop.broken => {}
            None => self.out.push(
                Diagnostic::error(
                    code::UNKNOWN_NAME,
                    place,
                    format!("the neurons of `{}` have no sections", of.name),
                )
                .help("a population has sections if it has a `morphology`; others have a `range`"),
            ),
            Some(_) if of.name != pop.population.name => {
                let message = format!("sections are those of a whole neuron, and `{}` is a view", of.name);
                self.out.push(
                    Diagnostic::error(code::UNKNOWN_NAME, place, message)
                        .help(format!("take it from the population: `of = \"{}\"`", pop.population.name)),
                );
            }
            Some(cells) => {
                if let Some((start, len)) = cells.view(view, &self.world, &mut self.out) {
                    (group.start, group.len) = (start, len);
                }
            }
        }
        group
    }
}
