//! Neurons with a shape: closed forms, equal ways to say the same, and views of sections. Step by step against Brian 2 in
//! conformance/golden/cable.py.

#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "a test")]

use neuropil::{Backend, Builder, Cpu, Interp, Model, Options, Precision, RecordTo, Simulation};

fn model(text: &str) -> Model {
    Model::parse("cable.toml", text).unwrap_or_else(|e| panic!("{e}"))
}

fn on(backend: &dyn Backend, model: &Model) -> Simulation {
    let options = Options { threads: 1, record: RecordTo::Memory };
    model.simulate(backend, &options).unwrap_or_else(|e| panic!("{e}"))
}

fn after(model: &Model, seconds: f64, variable: &str) -> Vec<f64> {
    let mut simulation = on(&Cpu, model);
    simulation.run(seconds).unwrap();
    simulation.values(variable).unwrap()
}

fn close(found: &[f64], expected: &[f64], relative: f64) {
    assert_eq!(found.len(), expected.len());
    let size = expected.iter().fold(0.0_f64, |a, x| a.max(x.abs()));
    for (k, (a, b)) in found.iter().zip(expected).enumerate() {
        assert!((a - b).abs() <= relative * size, "element {k}: {a} instead of {b}");
    }
}

/// A leak, and a current into one compartment.
const PASSIVE: &str = r#"
[neuron.passive]
equations = """
Im = gl*(0*mV - v) : amp/meter**2
I : amp (point current)
gl = 0.1*mS/cm**2 : siemens/meter**2
"""
"#;

/// Sections as `name parent um um compartments`.
fn sections(morphology: &str, list: &[(&str, &str, f64, f64, usize)]) -> String {
    list.iter()
        .map(|(name, parent, length, diameter, n)| {
            let parent = if parent.is_empty() { String::new() } else { format!("parent = \"{parent}\"\n") };
            format!(
                "[morphology.{morphology}.section.{name}]\n{parent}length = \"{length:?} um\"\n\
                 diameter = \"{diameter:?} um\"\ncompartments = {n}\n"
            )
        })
        .collect()
}

#[test]
fn a_finite_cable_at_rest_has_the_profile_of_a_hyperbolic_cosine() {
    // Sealed at both ends, a current into the first compartment; steps of ten time constants reach the steady state.
    let (length, diameter, n) = (1000e-6, 2e-6, 200);
    let (gl, ri, current) = (1.0, 1.0, 0.1e-9);
    let text = format!(
        "dt = \"100 ms\"\n{PASSIVE}{}[population.c]\nneuron = \"passive\"\nmorphology = \"m\"\nCm = \"1 uF/cm2\"\n\
         Ri = \"100 ohm*cm\"\ninitial.I = \"0.1*nA*(i == 0)\"\n",
        sections("m", &[("s", "", 1000.0, 2.0, n)])
    );
    let v = after(&model(&text), 5.0, "c.v");
    // The equation of the compartments has an exact solution of this form, with 2 (cosh k - 1) = s/g.
    let h = length / n as f64;
    let (shunt, coupling) = (
        gl * std::f64::consts::PI * diameter * h,
        std::f64::consts::PI / 4.0 * diameter * diameter / (ri * h),
    );
    let k = (1.0 + shunt / coupling / 2.0).acosh();
    let shape = |i: usize| (k * (n as f64 - 0.5 - i as f64)).cosh();
    let all: f64 = (0..n).map(shape).sum();
    let expected: Vec<f64> = (0..n).map(|i| shape(i) * current / (shunt * all)).collect();
    close(&v, &expected, 1e-11);
    // The continuous cable, from which the compartments differ by their length squared.
    let lambda = (diameter / (4.0 * ri * gl)).sqrt();
    let input = 4.0 * ri * lambda / (std::f64::consts::PI * diameter * diameter);
    let at = |x: f64| current * input * ((length - x) / lambda).cosh() / (length / lambda).sinh();
    let continuous: Vec<f64> = (0..n).map(|i| at((i as f64 + 0.5) * h)).collect();
    close(&v[1..], &continuous[1..], 1.5e-2);
    close(&v[20..], &continuous[20..], 1e-2);
    let decay = (v[100] / v[99]) / (continuous[100] / continuous[99]);
    assert!((decay - 1.0).abs() < 1e-6, "{decay}");
}

#[test]
fn branches_by_ralls_law_are_the_equivalent_cylinder() {
    // Two daughters of diameter d/2**(2/3), their compartments shorter by the root of the ratio, are at every step as
    // far as a cylinder that goes on: the discrete systems are the same.
    let thin = 4.0 / 2.0_f64.powf(2.0 / 3.0);
    let shorter = 300.0 * (thin / 4.0).sqrt();
    let branched = sections(
        "m",
        &[("trunk", "", 300.0, 4.0, 6), ("a", "trunk", shorter, thin, 6), ("b", "trunk", shorter, thin, 6)],
    );
    let whole = sections("w", &[("trunk", "", 600.0, 4.0, 12)]);
    let text = format!(
        "dt = \"0.1 ms\"\n{PASSIVE}{branched}{whole}\
         [population.tree]\nneuron = \"passive\"\nmorphology = \"m\"\ninitial.I = \"0.1*nA*(i == 1)\"\n\
         [population.line]\nneuron = \"passive\"\nmorphology = \"w\"\ninitial.I = \"0.1*nA*(i == 1)\"\n"
    );
    let model = model(&text);
    let mut simulation = on(&Cpu, &model);
    for _ in 0..50 {
        simulation.run(2e-4).unwrap();
        let (tree, line) = (simulation.values("tree.v").unwrap(), simulation.values("line.v").unwrap());
        close(&tree[..12], &line, 1e-12);
        close(&tree[12..], &line[6..], 1e-12);
    }
}

const SPINY: &str = r#"
dt = "0.1 ms"
[morphology.m]
file = "../../models/pyramidal.swc"
[neuron.n]
equations = """
Im = gl*(-70*mV - v) : amp/meter**2
Isyn = g*(0*mV - v) : amp (point current)
I : amp (point current)
g : siemens
gl = 0.1*mS/cm**2 : siemens/meter**2
"""
[population.c]
neuron = "n"
morphology = "m"
size = 2
Cm = "(1 + 0.5*(distance > 50*um))*uF/cm**2"
initial = { v = "-70*mV + i*0.3*mV", I = "0.02*nA*sin(1.0*i)", g = "0.1*nS*(i % 3)" }
[record.state.charging]
of = "c"
variables = ["Ic"]
neurons = [0]
"#;

#[test]
fn charge_is_kept() {
    // What flows into all membranes of a neuron is what charges them: axial currents cancel.
    let model = model(SPINY);
    let mut simulation = on(&Cpu, &model);
    let get = |s: &mut Simulation, name: &str| s.values(&format!("c.{name}")).unwrap();
    for _ in 0..20 {
        let before = get(&mut simulation, "v");
        simulation.step().unwrap();
        let (v, area, cm) =
            (get(&mut simulation, "v"), get(&mut simulation, "area"), get(&mut simulation, "Cm"));
        let (g, i) = (get(&mut simulation, "g"), get(&mut simulation, "I"));
        let ic: Vec<f64> = (0..64).map(|k| cm[k] * (v[k] - before[k]) / 1e-4).collect();
        assert_eq!(get(&mut simulation, "Ic"), ic, "what charges the membrane");
        for cell in [0..32, 32..64] {
            let charging: f64 = cell.clone().map(|k| cm[k] * area[k] * (v[k] - before[k]) / 1e-4).sum();
            let flowing = |k: usize| area[k] * 1.0 * (-0.07 - v[k]) - g[k] * v[k] + i[k];
            let inward: f64 = cell.clone().map(flowing).sum();
            let size: f64 = cell.map(|k| flowing(k).abs()).sum();
            assert!((charging - inward).abs() < 1e-9 * size, "{charging} {inward}");
        }
    }
}

#[test]
fn the_shape_of_an_swc_file_is_brians() {
    // Sums, and sums weighted by the number of the compartment, of what Brian 2.9's FlatMorphology holds of
    // Morphology.from_file("models/pyramidal.swc").
    let model = model(SPINY);
    let mut simulation = on(&Cpu, &model);
    let expected = [
        ("length", 0.0011249029973754785, 0.017710527171122224),
        ("distance", 0.004167035149369603, 0.05934036916146279),
        ("area", 6.845953904160079e-09, 7.193716498999718e-08),
        ("diameter", 6.884999999999999e-05, 0.0006994499999999999),
        ("volume", 7.225405090789192e-15, 3.1436980295305224e-14),
        ("r_length_1", 1.00000499336542, 1.0000577371666717),
        ("r_length_2", 1.000004245442664, 1.000047521044442),
        ("x", 6.350000000000003e-05, 0.0034085),
        ("y", 0.0018059999999999999, 0.0018950000000000022),
        ("z", 0.000176, 0.004325999999999999),
    ];
    for (name, sum, weighted) in expected {
        let values = simulation.values(&format!("c.{name}")).unwrap();
        assert_eq!(values[..32], values[32..], "{name}: both neurons have the shape");
        close(&[values[..32].iter().sum()], &[sum], 1e-12);
        close(&[values[..32].iter().zip(1..).map(|(x, k)| x * f64::from(k)).sum()], &[weighted], 1e-12);
    }
    let cells = simulation.values("c.cell").unwrap();
    assert_eq!((cells[31], cells[32]), (0.0, 1.0));
    assert_eq!(simulation.values("c.compartment").unwrap()[33], 1.0);
}

#[test]
fn pyramidal_cells_spike_at_their_somata_and_excite_each_other() {
    let model = Model::read("../../models/pyramidal.toml").unwrap_or_else(|e| panic!("{e}"));
    let mut simulation = on(&Cpu, &model);
    simulation.run(0.2).unwrap();
    let (times, elements) = simulation.spikes("cells").unwrap();
    assert!(elements.iter().all(|e| e % 32 == 0), "only somata spike");
    assert_eq!(times.len(), 121, "as the header of the model says");
    assert!(simulation.values("cells.v").unwrap().iter().all(|v| (-0.09..0.06).contains(v)));
}

#[test]
fn a_single_compartment_is_a_point_neuron_under_backward_euler() {
    let text = r#"
dt = "0.1 ms"
[morphology.m.section.soma]
kind = "soma"
diameter = "20 um"
[neuron.compartment]
equations = """
Im = gl*(-70*mV - v) + g*(20*mV - v) : amp/meter**2
# Backward Euler of the point neuron takes the current at the end of the step.
I = 0.1*nA*sin((t + dt)/ms) : amp (point current)
gl = 0.1*mS/cm**2 : siemens/meter**2
dg/dt = -g/(5*ms) : siemens/meter**2
"""
[neuron.point]
equations = """
dv/dt = (gl*(-70*mV - v) + g*(20*mV - v) + I/area)/(1*uF/cm**2) : volt
I = 0.1*nA*sin(t/ms) : amp
gl = 0.1*mS/cm**2 : siemens/meter**2
area = pi*(20*um)**2 : meter**2
g : siemens/meter**2
"""
method = "implicit_euler"
[population.c]
neuron = "compartment"
morphology = "m"
Cm = "1 uF/cm2"
initial = { v = "-60 mV", g = 0 }
[population.p]
neuron = "point"
size = 1
initial.v = "-60 mV"
"#;
    let model = model(&text.replace("g = 0 }", "g = \"0*siemens/meter**2\" }"));
    let mut simulation = on(&Cpu, &model);
    for _ in 0..100 {
        simulation.step().unwrap();
        close(&simulation.values("c.v").unwrap(), &simulation.values("p.v").unwrap(), 1e-14);
    }
}

/// The speed in the shipped model of an axon whose diameter and compartments were changed.
fn speed(diameter: &str, length: &str) -> f64 {
    let mut model = Model::read("../../models/cable_hh.toml").unwrap_or_else(|e| panic!("{e}"));
    model.set(&format!("morphology.axon.section.axon.diameter={diameter}")).unwrap();
    model.set(&format!("morphology.axon.section.axon.length={length}")).unwrap();
    model.set("view.near.range=[100, 101]").unwrap();
    model.set("view.far.range=[400, 401]").unwrap();
    let mut simulation = on(&Cpu, &model);
    simulation.run(12e-3).unwrap();
    let (near, far) = (simulation.spikes("near").unwrap(), simulation.spikes("far").unwrap());
    assert_eq!((near.1.as_slice(), far.1.as_slice()), ([100].as_slice(), [400].as_slice()), "one spike each");
    let x = simulation.values("axon.distance").unwrap();
    (x[400] - x[100]) / (far.0[0] - near.0[0])
}

#[test]
fn an_action_potential_travels_at_the_speed_of_its_axon() {
    let thick = speed("476um", "10cm");
    assert!((12.2..12.4).contains(&thick), "{thick} m/s, as the header of the model says");
    // The equation has no scale but the root of the diameter.
    let thin = speed("119um", "5cm");
    assert!((thick / thin - 2.0).abs() < 0.02, "{thick} {thin}");
}

#[test]
fn single_precision_follows_the_action_potential() {
    let model = Model::read("../../models/cable_hh.toml").unwrap_or_else(|e| panic!("{e}"));
    let mut narrow = model.clone();
    narrow.set_precision(Precision::F32);
    close(&after(&narrow, 4e-3, "axon.v"), &after(&model, 4e-3, "axon.v"), 2e-3);
}

const TREE: &str = r#"
dt = "0.1 ms"
[morphology.m.section.soma]
kind = "soma"
diameter = "20 um"
[morphology.m.section.axon]
parent = "soma"
length = "100 um"
diameter = "1 um"
compartments = 4
[morphology.m.section.end]
parent = "axon"
length = { values = [10, 20], unit = "um" }
diameter = { values = [1, 0.8, 0.5], unit = "um" }
[morphology.m.section.dend]
parent = "soma"
length = "50 um"
diameter = "2 um"
compartments = 3
[neuron.n]
equations = """
Im = gl*(-70*mV - v) : amp/meter**2
gl : siemens/meter**2
x0 : 1
I : amp (point current)
"""
threshold = "v > -60*mV"
"#;

#[test]
fn views_and_values_by_section_are_ranges_of_compartments() {
    let text = format!(
        r#"{TREE}
[population.c]
neuron = "n"
morphology = "m"
size = 3
initial.x0 = "1"
[population.c.section.axon]
x0 = "2"
[population.c.section."axon.main"]
x0 = "x0 + 1"
gl = "1 S/m2"
[population.c.section.soma]
gl = "2 S/m2"
[view.axon]
of = "c"
section = "axon"
cell = 1
[view.main]
of = "c"
section = "axon.main"
cell = 2
[view.part]
of = "c"
section = "axon"
cell = 0
range = ["25 um", "60 um"]
[view.last]
of = "c"
section = "dend"
range = [1, 3]
cell = 0
[view.whole]
of = "c"
cell = 1
[neuron.sink]
equations = "y : 1"
[population.sink]
neuron = "sink"
size = 1
[synapse.none]
equations = "k : 1"
[projection.of_axon]
synapse = "none"
source = "axon"
target = "sink"
connect = "all_to_all"
[projection.of_main]
synapse = "none"
source = "main"
target = "sink"
connect = "all_to_all"
[projection.of_part]
synapse = "none"
source = "part"
target = "sink"
connect = "all_to_all"
[projection.of_last]
synapse = "none"
source = "last"
target = "sink"
connect = "all_to_all"
[projection.of_whole]
synapse = "none"
source = "whole"
target = "sink"
connect = "all_to_all"
"#
    );
    // A name stands for its value before: `x0 + 1` would be circular, and is told.
    assert!(Model::parse("m", &text).unwrap().network().is_err());
    let model = model(&text.replace("x0 = \"x0 + 1\"\n", "x0 = \"3\"\n"));
    let (network, _) = model.network().unwrap();
    let view = |name: &str| {
        let group = &network.projections.iter().find(|p| p.source.name == name).unwrap().source;
        (group.start, group.len)
    };
    assert_eq!(view("axon"), (10 + 1, 6));
    assert_eq!(view("main"), (20 + 1, 4));
    assert_eq!(view("part"), (2, 2), "a border begins with the compartment behind it");
    assert_eq!(view("last"), (8, 2));
    assert_eq!(view("whole"), (10, 10));
    let mut simulation = on(&Cpu, &model);
    let x0 = [1.0, 3.0, 3.0, 3.0, 3.0, 2.0, 2.0, 1.0, 1.0, 1.0].repeat(3);
    assert_eq!(simulation.values("c.x0").unwrap(), x0);
    assert_eq!(
        simulation.values("c.gl").unwrap(),
        [2.0; 30],
        "the later wins, and `soma` is the whole neuron"
    );
}

#[test]
fn a_neuron_spikes_where_its_threshold_is() {
    for (location, expected) in [("3", 3), ("soma", 0), ("axon[2]", 3), ("end[1]", 6), ("1 + 1", 2)] {
        let text = format!(
            "{TREE}\n[population.c]\nneuron = \"n\"\nmorphology = \"m\"\nsize = 2\nthreshold_location = \"{location}\"\n\
             initial = {{ v = \"-50 mV\", gl = \"0.1*siemens/meter**2\" }}\n[record]\nspikes = [\"c\"]\n"
        );
        let model = model(&text);
        for backend in [&Cpu as &dyn Backend, &Interp] {
            let mut simulation = on(backend, &model);
            simulation.step().unwrap();
            assert_eq!(simulation.spikes("c").unwrap().1, [expected, expected + 10], "{location}");
        }
    }
}

#[test]
fn neurons_of_one_population_are_neurons_of_several() {
    let one = |size: u32, v: &str| {
        model(&format!(
            "{TREE}\n[population.c]\nneuron = \"n\"\nmorphology = \"m\"\nsize = {size}\nRi = \"(1 + 0.1*compartment)*ohm*meter\"\n\
             initial = {{ v = \"{v}\", gl = \"1*siemens/meter**2\" }}\n"
        ))
    };
    let both = after(&one(2, "-70*mV + (i % 7)*mV + cell*10*mV"), 2e-3, "c.v");
    assert_eq!(both[..10], after(&one(1, "-70*mV + (i % 7)*mV"), 2e-3, "c.v"));
    assert_eq!(both[10..], after(&one(1, "-70*mV + ((i + 10) % 7)*mV + 10*mV"), 2e-3, "c.v"));
}

#[test]
fn a_resistivity_that_is_set_between_runs_holds_from_there() {
    let text = |ri: &str| {
        format!(
            "{TREE}\n[population.c]\nneuron = \"n\"\nmorphology = \"m\"\nRi = \"{ri}\"\n\
             initial = {{ v = \"-70*mV + i*mV\", gl = \"1*siemens/meter**2\" }}\n"
        )
    };
    let mut changed = on(&Cpu, &model(&text("1 ohm*m")));
    changed.set("c.Ri", &[3.0; 10]).unwrap();
    changed.run(1e-3).unwrap();
    let expected = after(&model(&text("3 ohm*m")), 1e-3, "c.v");
    assert_eq!(changed.values("c.v").unwrap(), expected);
    changed.set("c.Ri", &[1.0; 10]).unwrap();
    changed.run(1e-3).unwrap();
    assert_ne!(changed.values("c.v").unwrap(), after(&model(&text("3 ohm*m")), 2e-3, "c.v"));
}

#[test]
fn the_builder_says_what_a_file_says() {
    let file = model(&format!(
        "{TREE}\n[population.c]\nneuron = \"n\"\nmorphology = \"m\"\nsize = 2\nCm = \"2 uF/cm2\"\nRi = \"1 ohm*m\"\n\
         threshold_location = \"axon[1]\"\ninitial.v = \"-70 mV\"\n[population.c.section.dend]\nI = \"0.1 nA\"\n"
    ));
    let mut net = Builder::new("cable");
    net.dt("0.1 ms");
    net.morphology("m")
        .soma("soma", "20 um")
        .cylinder("axon", "soma", "100 um", "1 um", 4)
        .cones("end", "axon", vec![10e-6, 20e-6], vec![1e-6, 0.8e-6, 0.5e-6])
        .cylinder("dend", "soma", "50 um", "2 um", 3);
    net.neuron("n")
        .equations(
            "Im = gl*(-70*mV - v) : amp/meter**2\ngl : siemens/meter**2\nx0 : 1\nI : amp (point current)",
        )
        .threshold("v > -60*mV");
    net.cells("c", "n", "m", 2)
        .capacitance("2 uF/cm2")
        .resistivity("1 ohm*m")
        .threshold_location("axon[1]")
        .initial("v", "-70 mV")
        .in_section("dend", "I", "0.1 nA");
    let found = after(&net.model(), 1e-2, "c.v");
    close(&found, &after(&file, 1e-2, "c.v"), 1e-13);
    assert!(found[9] > found[0] && found[0] > -0.07);
    // An SWC file is read when the model is made.
    let mut net = Builder::new("traced");
    net.morphology("m").file("../../models/pyramidal.swc");
    net.neuron("n").equations("Im = 1*siemens/meter**2*(-70*mV - v) : amp/meter**2");
    net.cells("c", "n", "m", 1);
    assert_eq!(after(&net.model(), 1e-3, "c.v").len(), 32);
}

#[test]
fn mistakes_in_an_swc_file_are_shown_in_its_text() {
    let folder = std::env::temp_dir().join("neuropil-cable-test");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("bad.swc"), "# a cell\n1 1 0 0 0 5 -1\n2 3 0 nine 0 1 1\n3 3 0 20 0 1 7\n")
        .unwrap();
    let path = folder.join("model.toml");
    std::fs::write(
        &path,
        "[morphology.m]\nfile = \"bad.swc\"\n[neuron.n]\nequations = \"Im = 0*amp/meter**2 : amp/meter**2\"\n\
         [population.c]\nneuron = \"n\"\nmorphology = \"m\"\n",
    )
    .unwrap();
    let error = Model::read(&path).unwrap().network().unwrap_err().to_string();
    assert!(error.contains("bad.swc:3:7") && error.contains("`nine` is no y coordinate"), "{error}");
    assert!(error.contains("bad.swc:4:") && error.contains("no line above has the number 7"), "{error}");
    std::fs::remove_file(folder.join("bad.swc")).unwrap();
    let error = Model::read(&path).unwrap().network().unwrap_err().to_string();
    assert!(error.contains("unreadable-file") && error.contains("model.toml:2:"), "{error}");
    std::fs::remove_dir_all(&folder).unwrap();
}
