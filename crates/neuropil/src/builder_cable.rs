//! Neurons with a shape, built in Rust: morphologies, populations of compartments, views of sections.

use std::path::PathBuf;

use neuropil_base::{Span, Spanned};
use neuropil_source::{
    MorphologySource, Numbers, PopulationSource, SectionKind, SectionSource, SectionValues, ValueSource,
    ViewSource,
};

use crate::builder::{Builder, Piece, named, text};

impl Builder {
    /// The shape of a neuron.
    ///
    /// ```
    /// use neuropil::{Builder, Cpu, Options};
    ///
    /// let mut net = Builder::new("cable");
    /// net.dt("0.1 ms");
    /// net.morphology("cell").soma("soma", "20 um").cylinder("dend", "soma", "200 um", "2 um", 10);
    /// net.neuron("passive").equations(
    ///     "Im = gl*(El - v) : amp/meter**2
    ///      I : amp (point current)
    ///      gl = 0.1*mS/cm**2 : siemens/meter**2
    ///      El = -70*mV : volt",
    /// );
    /// net.cells("cells", "passive", "cell", 2).initial("v", "El").in_section("soma.main", "I", "0.05*nA");
    /// net.section_view("dendrite", "cells", 1, "dend");
    ///
    /// let mut simulation = net.model().simulate(&Cpu, &Options::default())?;
    /// simulation.run(0.1)?;
    /// let v = simulation.values("cells.v")?;
    /// assert_eq!(v.len(), 22);
    /// assert!(v[0] > v[10] && v[10] > -0.07);
    /// # Ok::<(), neuropil::Error>(())
    /// ```
    pub fn morphology(&mut self, name: &str) -> Piece<'_, MorphologySource> {
        let piece = MorphologySource::new(named(name));
        self.piece(format!("morphology {name}"), |n| &mut n.morphologies, piece)
    }

    /// `count` neurons of a shape; the elements of the population are their compartments, neuron after neuron.
    pub fn cells(
        &mut self,
        name: &str,
        neuron: &str,
        morphology: &str,
        count: u32,
    ) -> Piece<'_, PopulationSource> {
        let mut piece = self.population(name, neuron, count);
        piece.change(|p| p.morphology = Some(named(morphology)));
        piece
    }

    /// The compartments of a section of one neuron, and all that hangs on it; with `.main` behind the name, of the
    /// section alone.
    pub fn section_view(&mut self, name: &str, population: &str, cell: u32, section: &str) -> &mut Self {
        let cell = text(&mut self.source, &format!("view {name}: cell"), cell.to_string());
        let mut view = ViewSource::new(named(name), named(population), "".into(), "".into());
        view.section = Some(named(section));
        view.cell = Some(cell);
        self.source.views.push(view);
        self
    }
}

impl Piece<'_, MorphologySource> {
    /// The neuron that an SWC file describes.
    pub fn file(&mut self, path: impl Into<PathBuf>) -> &mut Self {
        let path = Spanned::new(path.into(), Span::NONE);
        self.change(|m| (m.file, m.text) = (Some(path), None))
    }

    /// A soma of one or three points in the file is no sphere.
    pub fn without_spherical_soma(&mut self) -> &mut Self {
        self.change(|m| m.spherical_soma = Some(Spanned::new(false, Span::NONE)))
    }

    /// A sphere as the root: `30 um`.
    pub fn soma(&mut self, name: &str, diameter: &str) -> &mut Self {
        let diameter = self.text(&format!("{name}: diameter"), diameter);
        let mut section = SectionSource::new(named(name));
        section.kind = Spanned::new(SectionKind::Soma, Span::NONE);
        section.diameter = Some(ValueSource::Expression(diameter));
        self.change(|m| m.sections.push(section))
    }

    /// A cylinder of equal compartments that begins at the end of `parent`; an empty name makes it the root.
    pub fn cylinder(
        &mut self,
        name: &str,
        parent: &str,
        length: &str,
        diameter: &str,
        compartments: u32,
    ) -> &mut Self {
        let length = self.text(&format!("{name}: length"), length);
        let diameter = self.text(&format!("{name}: diameter"), diameter);
        let compartments = self.text(&format!("{name}: compartments"), compartments.to_string());
        let mut section = SectionSource::new(named(name));
        section.parent = (!parent.is_empty()).then(|| named(parent));
        section.length = Some(ValueSource::Expression(length));
        section.diameter = Some(ValueSource::Expression(diameter));
        section.compartments = Some(compartments);
        self.change(|m| m.sections.push(section))
    }

    /// Truncated cones in a row, as many as `lengths`; `diameters` at the start and at the end of each. Metres.
    pub fn cones(&mut self, name: &str, parent: &str, lengths: Vec<f64>, diameters: Vec<f64>) -> &mut Self {
        let unit = self.text(&format!("{name}: unit"), "m");
        let list = |values: Vec<f64>| {
            Some(ValueSource::List { values: Numbers::from(values), unit: Some(unit.clone()) })
        };
        let mut section = SectionSource::new(named(name));
        section.parent = (!parent.is_empty()).then(|| named(parent));
        (section.length, section.diameter) = (list(lengths), list(diameters));
        self.change(|m| m.sections.push(section))
    }
}

impl Piece<'_, PopulationSource> {
    /// The capacitance of the membrane, for neurons with a shape: `1 uF/cm2`, or an expression per compartment.
    pub fn capacitance(&mut self, value: &str) -> &mut Self {
        let value = ValueSource::Expression(self.text("Cm", value));
        self.change(|p| p.capacitance = Some(value))
    }

    /// The resistivity of the cytoplasm, for neurons with a shape: `100 ohm*cm`, or an expression per compartment.
    pub fn resistivity(&mut self, value: &str) -> &mut Self {
        let value = ValueSource::Expression(self.text("Ri", value));
        self.change(|p| p.resistivity = Some(value))
    }

    /// The one compartment of each neuron that spikes: its number, `soma`, or `axon[10]`.
    pub fn threshold_location(&mut self, location: &str) -> &mut Self {
        let location = self.text("threshold_location", location);
        self.change(|p| p.threshold_location = Some(location))
    }

    /// The initial value of a variable in a section and all that hangs on it; `soma.main` is the section alone.
    pub fn in_section(&mut self, section: &str, variable: &str, value: &str) -> &mut Self {
        let values = vec![self.assignment(variable, value)];
        self.change(|p| p.sections.push(SectionValues { section: named(section), values }))
    }
}
