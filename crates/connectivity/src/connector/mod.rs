//! Connectors: rules that say who is connected, each in a file of its own.
//!
//! A connector is a value. `connect` depends on the value, the [`Shape`] and the [`Site`], on nothing
//! else. To add one: its file, and one line in [`CONNECTORS`].

mod all_to_all;
mod fixed_in_degree;
mod fixed_out_degree;
mod fixed_probability;
mod fixed_total_number;
mod one_to_one;
mod pair_list;
mod predicate;
mod shape;

pub use all_to_all::AllToAll;
pub use fixed_in_degree::FixedInDegree;
pub use fixed_out_degree::FixedOutDegree;
pub use fixed_probability::FixedProbability;
pub use fixed_total_number::FixedTotalNumber;
pub use one_to_one::OneToOne;
pub use pair_list::PairList;
pub use predicate::{Predicate, RowRule};
pub use shape::Shape;

use crate::{ConnectError, Csr, Site};

/// A rule that says who is connected.
pub trait Connector: Sync {
    /// What the rule is called, as in [`CONNECTORS`].
    fn name(&self) -> &'static str;

    /// Checks the rule against the sizes of both sides, without building anything.
    ///
    /// # Errors
    /// Whatever makes the rule impossible there.
    fn validate(&self, shape: &Shape) -> Result<(), ConnectError>;

    /// How many synapses there will be: exactly, or for random numbers at most but for an accident
    /// (mean plus six standard deviations), or for expressions at most.
    fn estimate_synapses(&self, shape: &Shape) -> u64;

    /// Who is connected. Rows ascend by post neuron, except for [`PairList`].
    ///
    /// Memory is taken without asking; see [`Connector::estimate_bytes`].
    ///
    /// # Errors
    /// As [`Connector::validate`], and [`ConnectError::TooManySynapses`].
    fn connect(&self, shape: &Shape, site: Site) -> Result<Csr, ConnectError>;

    /// Bytes that building takes at its peak, about: two lists of targets and the offsets.
    fn estimate_bytes(&self, shape: &Shape) -> u64 {
        let offsets = 8 * (u64::from(shape.n_pre) + u64::from(shape.n_post) + 2);
        self.estimate_synapses(shape).saturating_mul(8).saturating_add(offsets)
    }
}

/// What a connector is called and what it takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ConnectorInfo {
    /// The word for it in a model file.
    pub name: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// The names of its parameters.
    pub parameters: &'static [&'static str],
}

/// All connectors, in the order of the documentation.
pub const CONNECTORS: [ConnectorInfo; 8] = [
    all_to_all::INFO,
    one_to_one::INFO,
    fixed_probability::INFO,
    fixed_in_degree::INFO,
    fixed_out_degree::INFO,
    fixed_total_number::INFO,
    pair_list::INFO,
    predicate::INFO,
];

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Runs `connect` on one thread and on five, asserts that they agree, and returns the result.
    pub(crate) fn connected(rule: &dyn Connector, shape: &Shape, site: Site) -> Csr {
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| rule.connect(shape, site)).unwrap()
        };
        let csr = on(1);
        assert_eq!(csr, on(5), "{} depends on the number of threads", rule.name());
        csr.validate().unwrap();
        assert_eq!((csr.n_pre(), csr.n_post()), (shape.n_pre, shape.n_post));
        assert!(csr.n_syn() as u64 <= rule.estimate_synapses(shape), "{} was underestimated", rule.name());
        csr
    }

    /// Shapes that matter: different sizes, one population, a slice of it onto another slice.
    pub(crate) fn shapes() -> [Shape; 5] {
        [
            Shape::between(30, 50),
            Shape::within(40),
            Shape { n_pre: 20, n_post: 30, pre_offset: 15, post_offset: 5, same_population: true },
            Shape::between(0, 7),
            Shape::between(7, 0),
        ]
    }

    #[test]
    fn every_connector_stands_in_the_table_once() {
        struct Never;
        impl RowRule for Never {
            fn row(&self, _: u32, _: &mut [f64]) -> Result<(), String> {
                Ok(())
            }
        }
        let all: [&dyn Connector; 8] = [
            &AllToAll { self_connections: true, repeat: 1 },
            &OneToOne,
            &FixedProbability { p: 0.0, self_connections: true },
            &FixedInDegree { n: 0, multapses: true, self_connections: true },
            &FixedOutDegree { n: 0, multapses: true, self_connections: true },
            &FixedTotalNumber { n: 0, multapses: true, self_connections: true },
            &PairList { pairs: Vec::new() },
            &Predicate { rule: &Never, repeat: 1, self_connections: true },
        ];
        assert_eq!(all.map(|c| c.name()), CONNECTORS.map(|info| info.name));
    }

    #[test]
    fn no_connector_makes_self_connections_unless_asked() {
        for shape in shapes() {
            let rules: [&dyn Connector; 7] = [
                &AllToAll { self_connections: false, repeat: 2 },
                &FixedProbability { p: 0.9, self_connections: false },
                &FixedProbability { p: 0.3, self_connections: false },
                &FixedInDegree { n: 5, multapses: true, self_connections: false },
                &FixedOutDegree { n: 5, multapses: true, self_connections: false },
                &FixedTotalNumber { n: 200, multapses: true, self_connections: false },
                &FixedTotalNumber { n: 200, multapses: false, self_connections: false },
            ];
            for rule in rules {
                if rule.validate(&shape).is_err() {
                    assert!(shape.n_pre == 0 || shape.n_post == 0);
                    assert!(rule.connect(&shape, Site::new(1, 1)).is_err());
                    continue;
                }
                let csr = connected(rule, &shape, Site::new(1, 1));
                assert!(csr.pairs().all(|(pre, post)| !shape.is_self(pre, post)), "{}", rule.name());
                assert!((0..csr.n_pre()).all(|pre| csr.row(pre).is_sorted()));
            }
        }
    }

    #[test]
    fn sites_and_seeds_give_different_networks() {
        let rule = FixedProbability { p: 0.5, self_connections: true };
        let with = |seed, site| rule.connect(&Shape::within(20), Site::new(seed, site)).unwrap();
        assert_eq!(with(1, 1), with(1, 1));
        assert_ne!(with(1, 1), with(1, 2));
        assert_ne!(with(1, 1), with(2, 1));
    }
}
