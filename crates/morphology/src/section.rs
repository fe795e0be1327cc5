//! Sections: spheres and rows of truncated cones, and what their compartments are electrically.
//!
//! The definitions are those of Brian 2 (`brian2/spatialneuron/morphology.py`), so that the same numbers describe
//! the same neuron.

use std::f64::consts::PI;

/// The shape of an unbranched piece of a neuron; lengths in metres.
#[derive(Clone, PartialEq, Debug)]
pub enum Shape {
    /// One compartment without extent: a sphere whose inside is at one voltage.
    Soma {
        /// The diameter of the sphere.
        diameter: f64,
        /// Its centre.
        centre: Option<[f64; 3]>,
    },
    /// Compartments in a row, each a truncated cone; equal diameters make a cylinder.
    Cones {
        /// The length of each compartment.
        lengths: Vec<f64>,
        /// The diameter at the start of the first compartment and at the end of each: one more than lengths.
        diameters: Vec<f64>,
        /// The points that bound the compartments, relative to the end of the parent: one more than lengths.
        points: Option<Vec<[f64; 3]>>,
    },
}

/// Why a shape is none.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum ShapeError {
    /// No compartments.
    #[error("a section has at least one compartment")]
    Empty,
    /// A length that is no length.
    #[error("length {index} is {value} m: a length is positive and finite")]
    Length {
        /// Which compartment.
        index: usize,
        /// What was given.
        value: f64,
    },
    /// A diameter that is no diameter.
    #[error("diameter {index} is {value} m: a diameter is positive and finite")]
    Diameter {
        /// Which boundary.
        index: usize,
        /// What was given.
        value: f64,
    },
    /// A point that is no point.
    #[error("point {index} is not finite")]
    Point {
        /// Which boundary.
        index: usize,
    },
    /// Lists whose lengths do not fit.
    #[error("{found} {what} for {compartments} compartments, {expected} are needed")]
    Count {
        /// `diameters` or `points`.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many compartments.
        compartments: usize,
        /// How many there should be.
        expected: usize,
    },
}

/// A compartment: a piece of membrane, and of cytoplasm behind it. SI base units.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Compartment {
    /// Its length; of a sphere, the diameter.
    pub length: f64,
    /// The diameter in its middle.
    pub diameter: f64,
    /// The area of its membrane, without the discs at its ends.
    pub area: f64,
    /// Its volume.
    pub volume: f64,
    /// The way from the root of the tree to its middle.
    pub distance: f64,
    /// The conductance from its start to its middle, times the resistivity; of a sphere 1 m.
    pub r_length_1: f64,
    /// The same from its middle to its end.
    pub r_length_2: f64,
    /// Where its middle is, if the section has coordinates.
    pub middle: Option<[f64; 3]>,
}

/// What the sections after a section must know of it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct End {
    /// The way from the root to its end.
    pub(crate) distance: f64,
    /// The way from the root to the middle of its last compartment.
    pub(crate) middle: f64,
    /// Where it ends.
    pub(crate) point: Option<[f64; 3]>,
}

impl Shape {
    /// A cylinder of `n` equal compartments.
    #[must_use]
    pub fn cylinder(length: f64, diameter: f64, n: usize) -> Self {
        let each = length / n as f64;
        Self::Cones { lengths: vec![each; n], diameters: vec![diameter; n + 1], points: None }
    }

    /// A sphere.
    #[must_use]
    pub fn soma(diameter: f64) -> Self {
        Self::Soma { diameter, centre: None }
    }

    /// How many compartments it has.
    #[must_use]
    pub fn compartments(&self) -> usize {
        match self {
            Self::Soma { .. } => 1,
            Self::Cones { lengths, .. } => lengths.len(),
        }
    }

    /// Whether it can exist.
    ///
    /// # Errors
    /// [`ShapeError`], the first that is found.
    pub fn check(&self) -> Result<(), ShapeError> {
        let good = |x: f64| x.is_finite() && x > 0.0;
        match self {
            Self::Soma { diameter, centre } => {
                if !good(*diameter) {
                    return Err(ShapeError::Diameter { index: 0, value: *diameter });
                }
                match centre {
                    Some(c) if c.iter().any(|x| !x.is_finite()) => Err(ShapeError::Point { index: 0 }),
                    Some(_) | None => Ok(()),
                }
            }
            Self::Cones { lengths, diameters, points } => {
                let compartments = lengths.len();
                if compartments == 0 {
                    return Err(ShapeError::Empty);
                }
                let expected = compartments + 1;
                let count = |what, found| ShapeError::Count { what, found, compartments, expected };
                if diameters.len() != expected {
                    return Err(count("diameters", diameters.len()));
                }
                if let Some(index) = lengths.iter().position(|x| !good(*x)) {
                    return Err(ShapeError::Length { index, value: lengths[index] });
                }
                if let Some(index) = diameters.iter().position(|x| !good(*x)) {
                    return Err(ShapeError::Diameter { index, value: diameters[index] });
                }
                let Some(points) = points else { return Ok(()) };
                if points.len() != expected {
                    return Err(count("points", points.len()));
                }
                match points.iter().position(|p| p.iter().any(|x| !x.is_finite())) {
                    Some(index) => Err(ShapeError::Point { index }),
                    None => Ok(()),
                }
            }
        }
    }

    /// Appends the compartments of a section that begins where `parent` ends; where it ends itself.
    pub(crate) fn append(&self, parent: Option<End>, list: &mut Vec<Compartment>) -> End {
        let before = parent.unwrap_or(End { distance: 0.0, middle: 0.0, point: None });
        match self {
            Self::Soma { diameter: d, centre } => {
                let d = *d;
                list.push(Compartment {
                    length: d,
                    diameter: d,
                    area: PI * (d * d),
                    volume: (PI * (d * d * d)) / 6.0,
                    distance: before.middle,
                    r_length_1: 1.0,
                    r_length_2: 1.0,
                    middle: *centre,
                });
                // A sphere adds nothing to the way: what is attached to it begins in its centre.
                End { distance: before.distance, middle: before.middle, point: *centre }
            }
            Self::Cones { lengths, diameters, points } => {
                let origin = before.point.unwrap_or([0.0; 3]);
                let absolute = |k: usize| points.as_ref().and_then(|p| p.get(k)).map(|p| sum(origin, *p));
                let (mut way, mut middle) = (0.0, before.middle);
                for (k, (l, d)) in lengths.iter().zip(diameters.windows(2)).enumerate() {
                    let (l, first, last) = (*l, d[0], d[1]);
                    let half = 0.5 * (first + last);
                    let slope = (first - last) * (first - last) / 4.0;
                    way += l;
                    middle = before.distance + way - 0.5 * l;
                    list.push(Compartment {
                        length: l,
                        diameter: half,
                        area: PI / 2.0 * (first + last) * (slope + l * l).sqrt(),
                        volume: PI * l * (first * first + first * last + last * last) / 12.0,
                        distance: middle,
                        r_length_1: PI / 2.0 * (first * half) / l,
                        r_length_2: PI / 2.0 * (half * last) / l,
                        middle: absolute(k).zip(absolute(k + 1)).map(|(a, b)| between(a, b)),
                    });
                }
                End { distance: before.distance + way, middle, point: absolute(lengths.len()) }
            }
        }
    }
}

fn sum(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

fn between(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    let middle = |k: usize| a[k] + 0.5 * (b[k] - a[k]);
    [middle(0), middle(1), middle(2)]
}

/// The lengths of the pieces between points.
pub(crate) fn lengths_between(points: &[[f64; 3]]) -> Vec<f64> {
    let length = |pair: &[[f64; 3]]| {
        let d = [pair[1][0] - pair[0][0], pair[1][1] - pair[0][1], pair[1][2] - pair[0][2]];
        (d[0] * d[0] + d[1] * d[1] + d[2] * d[2]).sqrt()
    };
    points.windows(2).map(length).collect()
}

impl Shape {
    /// Cones between points, which are relative to the end of the parent.
    #[must_use]
    pub fn between(points: Vec<[f64; 3]>, diameters: Vec<f64>) -> Self {
        Self::Cones { lengths: lengths_between(&points), diameters, points: Some(points) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64) {
        assert!((a - b).abs() <= 1e-14 * b.abs(), "{a} {b}");
    }

    #[test]
    fn a_cylinder_has_the_area_of_its_side() {
        let mut list = Vec::new();
        let end = Shape::cylinder(100e-6, 2e-6, 4).append(None, &mut list);
        assert_eq!(list.len(), 4);
        near(list.iter().map(|c| c.area).sum(), PI * 2e-6 * 100e-6);
        near(list.iter().map(|c| c.volume).sum(), PI * 1e-12 * 100e-6);
        near(list[2].distance, 62.5e-6);
        near(end.distance, 100e-6);
        near(list[0].r_length_1, PI / 2.0 * 4e-12 / 25e-6);
    }

    #[test]
    fn a_cone_has_its_own_area_and_volume() {
        let mut list = Vec::new();
        let shape = Shape::Cones { lengths: vec![3e-6], diameters: vec![8e-6, 0.0 + 1e-9], points: None };
        shape.append(None, &mut list);
        // With radius 4 and height 3 the side is 5 long: the area of a full cone is 20 pi.
        assert!((list[0].area / 1e-12 - 20.0 * PI).abs() < 0.02, "{}", list[0].area);
        assert!((list[0].volume / 1e-18 - 16.0 * PI).abs() < 0.02);
    }

    #[test]
    fn sections_begin_where_their_parent_ends() {
        let mut list = Vec::new();
        let soma = Shape::Soma { diameter: 10e-6, centre: Some([1e-6, 0.0, 0.0]) };
        let end = soma.append(None, &mut list);
        let dendrite = Shape::between(vec![[5e-6, 0.0, 0.0], [8e-6, 4e-6, 0.0]], vec![1e-6, 1e-6]);
        let end = dendrite.append(Some(end), &mut list);
        near(list[1].length, 5e-6);
        near(list[1].distance, 2.5e-6);
        assert_eq!(end.point.map(|p| (p[0] * 1e6).round()), Some(9.0));
    }

    #[test]
    fn what_has_no_extent_is_refused() {
        assert_eq!(Shape::cylinder(1.0, 1.0, 0).check(), Err(ShapeError::Empty));
        assert!(matches!(Shape::soma(0.0).check(), Err(ShapeError::Diameter { index: 0, .. })));
        assert!(matches!(Shape::soma(f64::NAN).check(), Err(ShapeError::Diameter { .. })));
        let short = Shape::Cones { lengths: vec![1.0, 1.0], diameters: vec![1.0, 1.0], points: None };
        assert!(matches!(short.check(), Err(ShapeError::Count { expected: 3, .. })));
        let zero = Shape::Cones { lengths: vec![1.0, 0.0], diameters: vec![1.0; 3], points: None };
        assert!(matches!(zero.check(), Err(ShapeError::Length { index: 1, .. })));
    }
}
