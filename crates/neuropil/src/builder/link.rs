//! Linked variables in models that are built in Rust.

use neuropil_base::Spanned;
use neuropil_source::{LinkSource, PopulationSource, ProjectionSource, ValueSource};

use super::{Piece, named};

impl<T> Piece<'_, T> {
    fn linked(&mut self, variable: &str, to: &str, index: Option<&str>) -> LinkSource {
        let index = index.map(|e| ValueSource::Expression(self.text(&format!("link {variable}: index"), e)));
        let target = self.text(&format!("link {variable}"), to);
        LinkSource { name: named(variable), variable: Spanned::new(target.text, target.span), index }
    }
}

impl Piece<'_, PopulationSource> {
    /// Links a variable that is flagged `linked` to `NAME.VARIABLE`, one to one or to a shared variable.
    pub fn link(&mut self, variable: &str, to: &str) -> &mut Self {
        let link = self.linked(variable, to, None);
        self.change(|p| p.links.push(link))
    }

    /// Links a variable to the elements of `NAME.VARIABLE` that an expression numbers: `i // 2`.
    pub fn link_by(&mut self, variable: &str, to: &str, index: &str) -> &mut Self {
        let link = self.linked(variable, to, Some(index));
        self.change(|p| p.links.push(link))
    }
}

impl Piece<'_, ProjectionSource> {
    /// Links a variable of the synapses that is flagged `linked` to a shared variable, `NAME.VARIABLE`.
    pub fn link(&mut self, variable: &str, to: &str) -> &mut Self {
        let link = self.linked(variable, to, None);
        self.change(|p| p.links.push(link))
    }

    /// Links a variable of the synapses to the elements of `NAME.VARIABLE` that an expression numbers: `j % 3`.
    pub fn link_by(&mut self, variable: &str, to: &str, index: &str) -> &mut Self {
        let link = self.linked(variable, to, Some(index));
        self.change(|p| p.links.push(link))
    }
}
