//! Sections as a tree, their compartments in one order, and the nodes of the cable equation.

use crate::section::{Compartment, End, Shape, ShapeError};

/// A section before it is part of a tree.
#[derive(Clone, PartialEq, Debug)]
pub struct SectionSpec {
    /// Its name, unique in the morphology.
    pub name: String,
    /// The section at whose end it begins, by its place in the list; none for the root.
    pub parent: Option<usize>,
    /// Its shape.
    pub shape: Shape,
}

/// Why sections make no tree.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum MorphologyError {
    /// No section is without parent.
    #[error("no section is the root: one has no parent")]
    NoRoot,
    /// A second section without parent.
    #[error("section {section} is a second root: all but one have a parent")]
    SecondRoot {
        /// Its place in the list.
        section: usize,
    },
    /// A section that no way leads to from the root.
    #[error("section {section} does not hang on the root")]
    Unreachable {
        /// Its place in the list.
        section: usize,
    },
    /// A section with an impossible shape.
    #[error("section {section}: {error}")]
    Shape {
        /// Its place in the list.
        section: usize,
        /// What is wrong.
        error: ShapeError,
    },
    /// More compartments than can be counted.
    #[error("there are more than {} compartments", i32::MAX)]
    TooMany,
}

/// A section of a morphology; its compartments are a range.
#[derive(Clone, PartialEq, Debug)]
pub struct Section {
    /// Its name.
    pub name: String,
    /// The section at whose end it begins.
    pub parent: Option<usize>,
    /// Its first compartment.
    pub start: u32,
    /// How many compartments it has.
    pub len: u32,
    /// The compartment after the last of everything that hangs on it, itself included.
    pub stop: u32,
    /// How many sections begin at its end.
    pub children: u32,
}

/// The shape of a neuron: sections and compartments.
///
/// A section stands before those that hang on it, these in the order in which they were given, each followed by
/// everything that hangs on it; so both a section and a whole branch are a range of compartments.
#[derive(Clone, PartialEq, Debug)]
pub struct Morphology {
    sections: Vec<Section>,
    compartments: Vec<Compartment>,
}

impl Morphology {
    /// The tree of some sections, given in any order.
    ///
    /// # Errors
    /// [`MorphologyError`] if they are no tree, or if a shape is none.
    pub fn new(specs: &[SectionSpec]) -> Result<Self, MorphologyError> {
        let mut children: Vec<Vec<usize>> = vec![Vec::new(); specs.len()];
        let mut root = None;
        let mut total = 0_usize;
        for (k, spec) in specs.iter().enumerate() {
            spec.shape.check().map_err(|error| MorphologyError::Shape { section: k, error })?;
            total = total.saturating_add(spec.shape.compartments());
            match spec.parent.map(|p| children.get_mut(p)) {
                Some(Some(list)) => list.push(k),
                Some(None) => return Err(MorphologyError::Unreachable { section: k }),
                None if root.is_some() => return Err(MorphologyError::SecondRoot { section: k }),
                None => root = Some(k),
            }
        }
        let Some(root) = root else { return Err(MorphologyError::NoRoot) };
        if total > i32::MAX as usize {
            return Err(MorphologyError::TooMany);
        }
        let mut sections: Vec<Section> = Vec::new();
        let mut compartments = Vec::with_capacity(total);
        let mut ends: Vec<End> = Vec::new();
        let mut placed = vec![false; specs.len()];
        let mut open = vec![(root, None)];
        while let Some((k, parent)) = open.pop() {
            let spec = &specs[k];
            placed[k] = true;
            let start = compartments.len() as u32;
            let end = spec.shape.append(parent.map(|p: usize| ends[p]), &mut compartments);
            let len = compartments.len() as u32 - start;
            let stop = start + len;
            let own = sections.len();
            let children = &children[k];
            let name = spec.name.clone();
            sections.push(Section { name, parent, start, len, stop, children: children.len() as u32 });
            ends.push(end);
            open.extend(children.iter().rev().map(|child| (*child, Some(own))));
        }
        if let Some(section) = placed.iter().position(|p| !p) {
            return Err(MorphologyError::Unreachable { section });
        }
        for k in (1..sections.len()).rev() {
            let stop = sections[k].stop;
            if let Some(parent) = sections[k].parent {
                sections[parent].stop = sections[parent].stop.max(stop);
            }
        }
        Ok(Self { sections, compartments })
    }

    /// The sections, each before those that hang on it.
    #[must_use]
    pub fn sections(&self) -> &[Section] {
        &self.sections
    }

    /// The section of that name.
    #[must_use]
    pub fn section(&self, name: &str) -> Option<&Section> {
        self.sections.iter().find(|s| s.name == name)
    }

    /// The compartments in their order.
    #[must_use]
    pub fn compartments(&self) -> &[Compartment] {
        &self.compartments
    }

    /// Whether every compartment has a place in space.
    #[must_use]
    pub fn has_coordinates(&self) -> bool {
        self.compartments.iter().all(|c| c.middle.is_some())
    }

    /// The nodes of the cable equation.
    #[must_use]
    pub fn tree(&self) -> CableTree {
        let mut nodes: Vec<Node> = Vec::with_capacity(self.compartments.len());
        // The node at which the sections that hang on each section begin.
        let mut tips: Vec<u32> = Vec::with_capacity(self.sections.len());
        for section in &self.sections {
            let branching = section.parent.filter(|p| self.sections[*p].children > 1);
            for compartment in section.start..section.start + section.len {
                let own = nodes.len() as u32;
                let (parent, link) = match (compartment - section.start, section.parent, branching) {
                    (0, None, _) => (0, Link::Root),
                    (0, Some(p), None) => {
                        let before = &self.sections[p];
                        let from = before.start + before.len - 1;
                        (tips[p], Link::Whole { from, to: compartment })
                    }
                    (0, Some(_), Some(p)) => (tips[p], Link::Start(compartment)),
                    (_, _, _) => (own - 1, Link::Whole { from: compartment - 1, to: compartment }),
                };
                nodes.push(Node { parent, compartment: Some(compartment), link });
            }
            let last = nodes.len() as u32 - 1;
            if section.children > 1 {
                let link = Link::End(section.start + section.len - 1);
                nodes.push(Node { parent: last, compartment: None, link });
            }
            tips.push(nodes.len() as u32 - 1);
        }
        CableTree { nodes, compartments: self.compartments.len() as u32 }
    }
}

/// A point at which the cable equation has a voltage.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Node {
    /// The node before it on the way to the root; the root has itself.
    pub parent: u32,
    /// The middle of that compartment; none for a point where sections branch, which has no membrane.
    pub compartment: Option<u32>,
    /// What lies between the two nodes.
    pub link: Link,
}

/// The cytoplasm between a node and the one before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Link {
    /// The root: nothing before it.
    Root,
    /// From the middle of a compartment to the middle of the next.
    Whole {
        /// The one nearer to the root.
        from: u32,
        /// The other.
        to: u32,
    },
    /// From the middle of a compartment to its end.
    End(u32),
    /// From the start of a compartment to its middle.
    Start(u32),
}

/// The nodes of one neuron, each after the one that it hangs on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CableTree {
    /// The nodes; the first is the root.
    pub nodes: Vec<Node>,
    /// How many compartments there are: as many nodes have one.
    pub compartments: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(name: &str, parent: Option<usize>, n: usize) -> SectionSpec {
        SectionSpec { name: name.to_owned(), parent, shape: Shape::cylinder(1e-4, 1e-6, n) }
    }

    #[test]
    fn branches_are_ranges_of_compartments() {
        // Given out of order: the root last, a grandchild first.
        let specs = [
            spec("tuft", Some(1), 2),
            spec("apical", Some(3), 3),
            spec("basal", Some(3), 4),
            spec("soma", None, 1),
        ];
        let m = Morphology::new(&specs).expect("a tree");
        let names: Vec<&str> = m.sections().iter().map(|s| s.name.as_str()).collect();
        assert_eq!(names, ["soma", "apical", "tuft", "basal"]);
        let ranges: Vec<_> = m.sections().iter().map(|s| (s.start, s.len, s.stop)).collect();
        assert_eq!(ranges, [(0, 1, 10), (1, 3, 6), (4, 2, 6), (6, 4, 10)]);
        let tree = m.tree();
        assert_eq!(tree.nodes.len(), 11, "one node where two sections begin");
        assert_eq!(tree.nodes[1], Node { parent: 0, compartment: None, link: Link::End(0) });
        assert_eq!(tree.nodes[2], Node { parent: 1, compartment: Some(1), link: Link::Start(1) });
        assert_eq!(tree.nodes[5].link, Link::Whole { from: 3, to: 4 }, "one section hangs on `apical`");
        assert_eq!((tree.nodes[7].parent, tree.nodes[7].link), (1, Link::Start(6)));
    }

    #[test]
    fn what_is_no_tree_is_refused() {
        let new = |specs: &[SectionSpec]| Morphology::new(specs).map(|_| ()).expect_err("no tree");
        assert_eq!(new(&[]), MorphologyError::NoRoot);
        assert_eq!(new(&[spec("a", Some(0), 1)]), MorphologyError::NoRoot);
        let two = [spec("a", None, 1), spec("b", None, 1)];
        assert_eq!(new(&two), MorphologyError::SecondRoot { section: 1 });
        let circle = [spec("a", None, 1), spec("b", Some(2), 1), spec("c", Some(1), 1)];
        assert_eq!(new(&circle), MorphologyError::Unreachable { section: 1 });
        assert_eq!(
            new(&[spec("a", None, 1), spec("b", Some(7), 1)]),
            MorphologyError::Unreachable { section: 1 }
        );
        assert!(matches!(new(&[spec("a", None, 0)]), MorphologyError::Shape { section: 0, .. }));
    }

    #[test]
    fn a_long_chain_of_sections_takes_no_stack() {
        let specs: Vec<_> = (0..200_000_usize).map(|k| spec("s", k.checked_sub(1), 1)).collect();
        let m = Morphology::new(&specs).expect("a tree");
        assert_eq!(m.tree().nodes.len(), 200_000);
        assert_eq!(m.sections()[0].stop, 200_000);
    }
}
