//! One step of the cable equation: elimination along the tree, from the leaves to the root and back.
//!
//! Backward Euler in the voltage of compartment `i` with membrane `s[i]` (capacitance over the step plus the slope
//! of the membrane's current, siemens) and `r[i]` (what flows at 0 V, ampere) is
//!
//! ```text
//! (s[i] + sum_j g[i,j]) v[i] - sum_j g[i,j] v[j] = r[i]
//! ```
//!
//! over its neighbours `j` in the tree; a point where sections branch has `s = r = 0`. Hines' order (children before
//! parents) fills nothing in. A row is kept as its two sums `s` and `g` instead of as its diagonal `s + g`: a child
//! seen from its parent is the conductance `g` in series with `s`, so that elimination only adds, multiplies and divides
//! positive numbers. Nothing cancels, however well a soma conducts (1 m over the resistivity is nine orders of
//! magnitude above the rest), which is what makes single precision good enough.
//!
//! The order of operations is part of the result. For each neuron, and for each node in descending order but the root:
//!
//! ```text
//! d = g + s;  q = g / d;  s[parent] += q * s;  r[parent] += q * r
//! ```
//!
//! then `v = r / s` at the root, and `v = (r + g * v[parent]) / d` for the others in ascending order.

use std::ops::{Add, Div, Mul};

use crate::{CableTree, Link};

/// A float: `f32` or `f64`.
pub trait Real:
    Copy + Default + From<u8> + Add<Output = Self> + Mul<Output = Self> + Div<Output = Self>
{
}

impl<T: Copy + Default + From<u8> + Add<Output = T> + Mul<Output = T> + Div<Output = T>> Real for T {}

/// What the cytoplasm of the compartments of all neurons is like; one value each.
#[derive(Clone, Copy, Debug)]
pub struct Membrane<'a, T> {
    /// The conductance from start to middle times the resistivity, metres.
    pub r_length_1: &'a [T],
    /// The conductance from middle to end times the resistivity, metres.
    pub r_length_2: &'a [T],
    /// The resistivity, ohm metres.
    pub resistivity: &'a [T],
}

/// Solves for the voltages of some neurons of one shape.
#[derive(Clone, Default, Debug)]
pub struct Solver<T> {
    /// The conductance between each node and the one before it, neuron after neuron; 0 for roots.
    couplings: Vec<T>,
    /// Per node of one neuron: `s`, then `d`.
    shunt: Vec<T>,
    /// Per node: `r`, then the voltage.
    source: Vec<T>,
}

impl<T: Real> Solver<T> {
    /// Computes the conductances between nodes.
    pub fn prepare(&mut self, tree: &CableTree, membrane: Membrane<'_, T>) {
        let Membrane { r_length_1, r_length_2, resistivity } = membrane;
        let per_cell = tree.compartments as usize;
        let one = T::from(1);
        self.couplings.clear();
        for first in (0..resistivity.len()).step_by(per_cell.max(1)) {
            let start = |c: u32| resistivity[first + c as usize] / r_length_1[first + c as usize];
            let end = |c: u32| resistivity[first + c as usize] / r_length_2[first + c as usize];
            self.couplings.extend(tree.nodes.iter().map(|node| match node.link {
                Link::Root => T::default(),
                Link::Whole { from, to } => one / (end(from) + start(to)),
                Link::End(c) => one / end(c),
                Link::Start(c) => one / start(c),
            }));
        }
    }

    /// The voltages of all compartments of all neurons, from `s` and `r` of each; slices are as long as in
    /// [`prepare`](Self::prepare), which must have been called.
    pub fn step(&mut self, tree: &CableTree, shunt: &[T], source: &[T], voltage: &mut [T]) {
        let per_cell = tree.compartments as usize;
        let nodes = tree.nodes.len();
        for (cell, g) in self.couplings.chunks_exact(nodes.max(1)).enumerate() {
            let first = cell * per_cell;
            let of = |values: &[T], c: Option<u32>| c.map_or(T::default(), |c| values[first + c as usize]);
            self.shunt.clear();
            self.shunt.extend(tree.nodes.iter().map(|node| of(shunt, node.compartment)));
            self.source.clear();
            self.source.extend(tree.nodes.iter().map(|node| of(source, node.compartment)));
            let (s, r) = (self.shunt.as_mut_slice(), self.source.as_mut_slice());
            for k in (1..nodes).rev() {
                let parent = tree.nodes[k].parent as usize;
                let d = g[k] + s[k];
                let q = g[k] / d;
                s[parent] = s[parent] + q * s[k];
                r[parent] = r[parent] + q * r[k];
                s[k] = d;
            }
            for (k, node) in tree.nodes.iter().enumerate() {
                r[k] = if k == 0 { r[0] / s[0] } else { (r[k] + g[k] * r[node.parent as usize]) / s[k] };
                if let Some(c) = node.compartment {
                    voltage[first + c as usize] = r[k];
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Morphology, SectionSpec, Shape};

    /// Solves `a x = b` by elimination with row exchanges.
    fn dense(mut a: Vec<Vec<f64>>, mut b: Vec<f64>) -> Vec<f64> {
        let n = b.len();
        for k in 0..n {
            let best = (k..n).max_by(|x, y| a[*x][k].abs().total_cmp(&a[*y][k].abs())).expect("a row");
            a.swap(k, best);
            b.swap(k, best);
            for i in k + 1..n {
                let f = a[i][k] / a[k][k];
                let above = a[k].clone();
                a[i].iter_mut().zip(&above).skip(k).for_each(|(x, y)| *x -= f * y);
                b[i] -= f * b[k];
            }
        }
        for k in (0..n).rev() {
            for j in k + 1..n {
                b[k] -= a[k][j] * b[j];
            }
            b[k] /= a[k][k];
        }
        b
    }

    /// A tree: the parent of each section, its compartments, its diameter in micrometres.
    fn cell() -> impl Strategy<Value = Morphology> {
        proptest::collection::vec((any::<prop::sample::Index>(), 1_usize..4, 0.2..20.0_f64), 1..9).prop_map(
            |list| {
                let specs: Vec<SectionSpec> = list
                    .iter()
                    .enumerate()
                    .map(|(k, (parent, n, d))| SectionSpec {
                        name: format!("s{k}"),
                        parent: (k > 0).then(|| parent.index(k)),
                        shape: Shape::cylinder(*n as f64 * 20e-6, d * 1e-6, *n),
                    })
                    .collect();
                Morphology::new(&specs).expect("a tree")
            },
        )
    }

    /// The voltages that the dense matrix gives, branch points among the unknowns.
    fn reference(m: &Morphology, ri: &[f64], s: &[f64], r: &[f64]) -> Vec<f64> {
        let tree = m.tree();
        let n = tree.nodes.len();
        let (mut a, mut b) = (vec![vec![0.0; n]; n], vec![0.0; n]);
        let c = m.compartments();
        for (k, node) in tree.nodes.iter().enumerate() {
            if let Some(i) = node.compartment {
                a[k][k] += s[i as usize];
                b[k] += r[i as usize];
            }
            let start = |i: u32| ri[i as usize] / c[i as usize].r_length_1;
            let end = |i: u32| ri[i as usize] / c[i as usize].r_length_2;
            let g = match node.link {
                Link::Root => continue,
                Link::Whole { from, to } => 1.0 / (end(from) + start(to)),
                Link::End(i) => 1.0 / end(i),
                Link::Start(i) => 1.0 / start(i),
            };
            let p = node.parent as usize;
            a[k][k] += g;
            a[p][p] += g;
            a[k][p] -= g;
            a[p][k] -= g;
        }
        let v = dense(a, b);
        let mut out = vec![0.0; c.len()];
        for (k, node) in tree.nodes.iter().enumerate() {
            if let Some(i) = node.compartment {
                out[i as usize] = v[k];
            }
        }
        out
    }

    fn solved<T: Real>(m: &Morphology, cells: usize, values: [&[T]; 3], of: impl Fn(f64) -> T) -> Vec<T> {
        let tree = m.tree();
        let repeat = |f: fn(&crate::Compartment) -> f64| -> Vec<T> {
            (0..cells).flat_map(|_| m.compartments()).map(|c| of(f(c))).collect()
        };
        let (first, last) = (repeat(|c| c.r_length_1), repeat(|c| c.r_length_2));
        let [resistivity, s, r] = values;
        let mut solver = Solver::default();
        solver.prepare(&tree, Membrane { r_length_1: &first, r_length_2: &last, resistivity });
        let mut v = vec![T::default(); s.len()];
        solver.step(&tree, s, r, &mut v);
        v
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn elimination_along_the_tree_solves_the_whole_system(m in cell(), seed in 0_u64..1000) {
            let n = m.compartments().len();
            let noise = |k: usize, p: u64| ((seed * 7 + k as u64 * p) % 97) as f64 / 97.0;
            let ri: Vec<f64> = (0..n).map(|k| 0.5 + noise(k, 13)).collect();
            let s: Vec<f64> = (0..n).map(|k| m.compartments()[k].area * (100.0 + 900.0 * noise(k, 29))).collect();
            let r: Vec<f64> = (0..n).map(|k| s[k] * (noise(k, 31) - 0.7) * 0.1).collect();
            let expected = reference(&m, &ri, &s, &r);
            let found = solved(&m, 1, [&ri, &s, &r], |x| x);
            let scale = expected.iter().fold(0.0_f64, |a, x| a.max(x.abs()));
            for (a, b) in found.iter().zip(&expected) {
                prop_assert!((a - b).abs() <= 1e-10 * scale, "{a} {b}");
            }
            // What flows in and what flows through membranes is the same: axial currents cancel.
            let into: f64 = r.iter().sum();
            let through: f64 = s.iter().zip(&found).map(|(s, v)| s * v).sum();
            let size: f64 = r.iter().map(|x| x.abs()).sum();
            prop_assert!((into - through).abs() <= 1e-13 * size, "{into} {through}");
            // In single precision the error stays that of rounding, as no step cancels.
            let narrow = |list: &[f64]| list.iter().map(|x| *x as f32).collect::<Vec<f32>>();
            let found = solved(&m, 1, [&narrow(&ri), &narrow(&s), &narrow(&r)], |x| x as f32);
            for (a, b) in found.iter().zip(&expected) {
                prop_assert!((f64::from(*a) - b).abs() <= 1e-5 * scale, "{a} {b}");
            }
        }

        #[test]
        fn neurons_of_one_shape_do_not_see_each_other(m in cell()) {
            let n = m.compartments().len();
            let ri = vec![1.0; 2 * n];
            let s: Vec<f64> = (0..2 * n).map(|k| 1e-9 * (1 + k % 5) as f64).collect();
            let r: Vec<f64> = (0..2 * n).map(|k| 1e-10 * (k % 7) as f64).collect();
            let both = solved(&m, 2, [&ri, &s, &r], |x| x);
            let one = solved(&m, 1, [&ri[..n], &s[..n], &r[..n]], |x| x);
            let other = solved(&m, 1, [&ri[n..], &s[n..], &r[n..]], |x| x);
            prop_assert_eq!(&both[..n], &one[..]);
            prop_assert_eq!(&both[n..], &other[..]);
        }
    }

    #[test]
    fn a_sphere_conducts_well_and_costs_no_digits() {
        // A soma with two dendrites, held at one voltage everywhere by its sources: any cancellation shows.
        let cone = |name: &str| SectionSpec {
            name: name.to_owned(),
            parent: Some(0),
            shape: Shape::cylinder(200e-6, 1e-6, 10),
        };
        let soma = SectionSpec { name: "soma".to_owned(), parent: None, shape: Shape::soma(20e-6) };
        let m = Morphology::new(&[soma, cone("a"), cone("b")]).expect("a tree");
        let s: Vec<f32> = m.compartments().iter().map(|c| (c.area * 100.0) as f32).collect();
        let r: Vec<f32> = s.iter().map(|s| s * -0.07).collect();
        let v = solved(&m, 1, [&vec![1.5; s.len()], &s, &r], |x| x as f32);
        assert!(v.iter().all(|v| (v + 0.07).abs() < 1e-7), "{v:?}");
    }
}
