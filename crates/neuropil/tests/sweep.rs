//! Many points of one model: each is what it is alone, and kernels are compiled once for all.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::collections::HashSet;
use std::ops::ControlFlow;

use neuropil::{
    Axis, Backend, Cpu, Error, ErrorKind, Interp, Model, Options, Pairing, RecordTo, RunError, Sweep,
};

/// Noise, random connections, and a constant in the update alone.
const NETWORK: &str = r#"
dt = "0.1 ms"
duration = "30 ms"
[constants]
tau = "10 ms"
gain = 2.0
[neuron.lif]
equations = "dv/dt = (15*mV - v)/tau + 2*mV*xi*tau**-0.5 : volt"
threshold = "v > 10*mV"
reset = "v = 0*mV"
[synapse.kick]
equations = "w : volt"
on_pre = "v_post += w"
[population.cells]
neuron = "lif"
size = 20
[projection.all]
synapse = "kick"
source = "cells"
target = "cells"
connect = { rule = "fixed_probability", p = 0.3 }
weight = "1 mV"
[record]
spikes = "all"
"#;

fn model() -> Model {
    Model::parse("m.toml", NETWORK).unwrap_or_else(|e| panic!("{e}"))
}

fn axis(text: &str) -> Axis {
    Axis::parse(text).unwrap()
}

/// The digest of a model run on its own.
fn digest(backend: &dyn Backend, set: &[(String, String)]) -> String {
    let mut model = model();
    set.iter().for_each(|(name, value)| model.set(&format!("{name}={value}")).unwrap());
    let options = Options { threads: 2, record: RecordTo::Nothing };
    let mut simulation = model.simulate(backend, &options).unwrap_or_else(|e| panic!("{e}"));
    simulation.perform(&mut |_| ControlFlow::Continue(())).unwrap();
    simulation.spike_digest()
}

#[test]
fn every_point_is_what_it_is_alone() {
    let backends: [&dyn Backend; 2] = [&Cpu, &Interp];
    for (backend, jobs) in backends.into_iter().zip([4, 3]) {
        let sweep = Sweep::new(model()).vary(axis("tau=5ms:15ms:5ms")).vary(axis("seed=1:2")).jobs(jobs);
        let swept = sweep.run(backend).unwrap();
        let mut digests = HashSet::new();
        for (k, (point, measured)) in swept.results.iter().enumerate() {
            let measured = measured.as_ref().unwrap();
            assert_eq!(point.index, k);
            assert_eq!(measured.digest, digest(backend, &point.values), "{:?}", point.values);
            digests.insert(measured.digest.clone());
        }
        assert_eq!((swept.results.len(), digests.len()), (6, 6));
        let named = |k: usize| swept.results[k].0.values.iter().map(|(_, v)| v.as_str()).collect::<Vec<_>>();
        assert_eq!(
            (named(0), named(1), named(5)),
            (vec!["5 ms", "1"], vec!["5 ms", "2"], vec!["15 ms", "2"])
        );
    }
}

/// The kernels of all points' programs, each counted once.
fn distinct(sweep: &Sweep) -> usize {
    let mut kernels = HashSet::new();
    for point in sweep.points().unwrap() {
        let simulation = sweep.model(&point).unwrap().simulate(&Cpu, &Options::default()).unwrap();
        kernels.extend(simulation.program().kernels.iter().map(|k| k.body.clone()));
    }
    kernels.len()
}

#[test]
fn kernels_are_compiled_once_for_all_points() {
    // Initial values and weights are constants, which no kernel computes: all kernels are those of programs.
    let seeds = || Sweep::new(model()).vary(axis("seed=1:20"));
    let backends: [&dyn Backend; 2] = [&Cpu, &Interp];
    for backend in backends {
        let alone = Sweep::new(model()).run(backend).unwrap().compiled;
        assert!(alone >= 2, "{alone}");
        for jobs in [1, 4] {
            assert_eq!(seeds().jobs(jobs).run(backend).unwrap().compiled, alone);
        }
        let taus = || Sweep::new(model()).vary(axis("tau=5ms:9ms:1ms")).vary(axis("seed=1:3"));
        // Only the update knows `tau`.
        assert_eq!(taus().run(backend).unwrap().compiled, alone + 4);
        // The CPU makes one kernel of the update and the threshold, and needs none to deliver.
        let spared = if backend.name() == "cpu" { 2 } else { 0 };
        assert_eq!(distinct(&taus()) as u64, alone + 4 + spared);
    }
}

#[test]
fn values_go_in_pairs_if_asked_to() {
    let sweep =
        |a: &str, b: &str| Sweep::new(model()).vary(axis(a)).vary(axis(b)).pairing(Pairing::Zip).points();
    let points = sweep("tau=5ms,6ms", "seed=3:4").unwrap();
    let values: Vec<Vec<&str>> =
        points.iter().map(|p| p.values.iter().map(|(_, v)| v.as_str()).collect()).collect();
    assert_eq!(values, [["5ms", "3"], ["6ms", "4"]]);
    let error = sweep("tau=5ms,6ms", "seed=3:5").unwrap_err().to_string();
    assert!(error.contains("`tau` has 2 values and `seed` has 3"), "{error}");
    let error = sweep("tau=5ms", "tau=6ms").unwrap_err().to_string();
    assert!(error.contains("`tau` is given values twice"), "{error}");
}

#[test]
fn a_point_that_fails_does_not_stop_the_others() {
    let sweep = Sweep::new(model()).vary(axis("tau=10ms,10mV,-1ms,20ms")).jobs(2);
    let swept = sweep.run(&Cpu).unwrap();
    let kinds: Vec<Option<ErrorKind>> =
        swept.results.iter().map(|(_, r)| r.as_ref().err().map(Error::kind)).collect();
    assert_eq!(kinds, [None, Some(ErrorKind::Model), Some(ErrorKind::NonFinite), None]);
    let (_, failed) = &swept.results[2];
    assert!(matches!(failed, Err(Error::Run(RunError::NonFinite { .. }))));
}

#[test]
fn a_sweep_ends_when_it_is_told_to() {
    let sweep = Sweep::new(model()).vary(axis("seed=1:50")).jobs(2);
    let mut n = 0;
    let swept = sweep.map(
        &Cpu,
        |_, simulation| Ok(simulation.run(1e-3)?),
        |_, _| {
            n += 1;
            if n == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        },
    );
    let n_run = swept.unwrap().results.len();
    assert!((3..50).contains(&n_run), "{n_run}");
}
