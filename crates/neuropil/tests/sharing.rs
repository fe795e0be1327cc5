//! Weight sharing: convolutions, pooling, copies and transposes, against the same network with every synapse listed.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

mod common;

use common::model;
use neuropil::Simulation;

/// What `read` finds after some steps, the same on every backend.
fn after<T: PartialEq + std::fmt::Debug>(text: &str, steps: u64, read: impl Fn(&mut Simulation) -> T) -> T {
    common::found(&model(text), steps, read)
}

/// An image of `shape`, whose values are `image`, and a target of `target` that sums what it sees.
fn seen(shape: &str, image: &str, target: &str, sum: &str, connect: &str) -> String {
    format!(
        r#"
dt = "1 ms"
[neuron.pixel]
equations = "r : 1"
[neuron.cell]
equations = "x : 1"
[population.image]
neuron = "pixel"
shape = {shape}
initial.r = {image}
[population.cells]
neuron = "cell"
shape = {target}
[synapse.s]
equations = "w : 1"
sum = [{{ into = "x", expression = "{sum}" }}]
[projection.p]
synapse = "s"
source = "image"
target = "cells"
{connect}
"#
    )
}

const FILTER: [[f64; 3]; 3] = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]];

#[test]
fn a_convolution_of_a_single_bright_pixel_is_the_flipped_filter() {
    let connect =
        "connect = { rule = 'convolution', filter = [[1, 2, 3], [4, 5, 6], [7, 8, 9]], padding = 'same' }";
    let text = seen("[5, 6]", "'int(i == 2*6 + 3)'", "[5, 6]", "w*r_pre", connect);
    let found = after(&text, 1, |s| s.values("cells.x").unwrap());
    for row in 0..5_usize {
        for column in 0..6_usize {
            // Target (r, c) sees the pixel through element (2 - r + 1, 3 - c + 1).
            let (a, b) = (3 - row as i64, 4 - column as i64);
            let inside = (0..3).contains(&a) && (0..3).contains(&b);
            let expected = if inside { FILTER[a as usize][b as usize] } else { 0.0 };
            assert_eq!(found[row * 6 + column], expected, "({row}, {column})");
        }
    }
}

#[test]
fn a_bank_of_filters_over_channels_equals_listed_synapses_bit_by_bit() {
    for (stride, padding, before, rows, columns) in
        [("1", "'valid'", 0_i64, 4_i64, 3_i64), ("2", "'same'", 0, 3, 2), ("[2, 1]", "1", 1, 3, 5)]
    {
        let strides: (i64, i64) = match stride {
            "1" => (1, 1),
            "2" => (2, 2),
            _ => (2, 1),
        };
        let (mut pairs, mut weights) = (Vec::new(), Vec::new());
        for r in 0..rows {
            for c in 0..columns {
                for f in 0..3 {
                    for a in 0..2 {
                        for b in 0..2 {
                            for ch in 0..2 {
                                let (y, x) = (r * strides.0 + a - before, c * strides.1 + b - before);
                                if (0..5).contains(&y) && (0..4).contains(&x) {
                                    pairs.push(format!(
                                        "[{}, {}]",
                                        (y * 4 + x) * 2 + ch,
                                        (r * columns + c) * 3 + f
                                    ));
                                    let k = ((f * 2 + a) * 2 + b) * 2 + ch;
                                    weights.push(format!("{:?}", 0.0625 * k as f64 - 1.0));
                                }
                            }
                        }
                    }
                }
            }
        }
        let target = format!("[{rows}, {columns}, 3]");
        for precision in ["f32", "f64"] {
            let with = |connect: &str| {
                let text = seen("[5, 4, 2]", "'sin(1.0*i)'", &target, "w*r_pre", connect);
                after(&format!("precision = '{precision}'\n{text}"), 1, |s| s.values("cells.x").unwrap())
            };
            let shared = with(&format!(
                "connect = {{ rule = 'convolution', filter_shape = [3, 2, 2, 2], stride = {stride}, padding = {padding} }}\n\
                 weight = '0.0625*i - 1'"
            ));
            let listed = with(&format!(
                "connect = {{ rule = 'pairs', pairs = [{}] }}\nweight = [{}]",
                pairs.join(", "),
                weights.join(", ")
            ));
            assert_eq!(shared, listed, "{stride} {padding} {precision}");
            assert!(shared.iter().all(|x| *x != 0.0));
        }
    }
}

#[test]
fn pooling_takes_the_largest_the_mean_or_the_sum_of_each_window() {
    let value = |y: i64, x: i64, ch: i64| ((y * 7 + x) * 2 + ch) * 37 % 101 - 50;
    for (operation, stride) in [("max", 2_i64), ("mean", 2), ("sum", 1), ("min", 3)] {
        let (rows, columns) = ((5 - 2) / stride + 1, (7 - 3) / stride + 1);
        let connect = format!("connect = {{ rule = 'pooling', extent = [2, 3], stride = {stride} }}");
        let text =
            seen("[5, 7, 2]", "'(i*37) % 101 - 50'", &format!("[{rows}, {columns}, 2]"), "r_pre", &connect)
                .replace("\"r_pre\" }", &format!("\"r_pre\", operation = \"{operation}\" }}"));
        let found = after(&text, 1, |s| s.values("cells.x").unwrap());
        let mut expected = Vec::new();
        for r in 0..rows {
            for c in 0..columns {
                for ch in 0..2 {
                    let window = (0..2).flat_map(|a| (0..3).map(move |b| (a, b)));
                    let window: Vec<f64> =
                        window.map(|(a, b)| value(r * stride + a, c * stride + b, ch) as f64).collect();
                    expected.push(match operation {
                        "max" => window.iter().copied().fold(f64::NEG_INFINITY, f64::max),
                        "min" => window.iter().copied().fold(f64::INFINITY, f64::min),
                        "mean" => window.iter().sum::<f64>() / 6.0,
                        _ => window.iter().sum(),
                    });
                }
            }
        }
        assert_eq!(found, expected, "{operation} {stride}");
    }
}

#[test]
fn learning_changes_each_filter_element_once_per_synapse() {
    // Every pixel spikes once: element (a, b) grows by one per synapse, of which it has as many as windows have a pixel
    // there; and each synapse counts for itself.
    let text = r#"
dt = "1 ms"
[neuron.pixel]
equations = "v : 1"
threshold = "v > 0"
reset = "v = 0"
[neuron.cell]
equations = "x : 1"
[population.image]
neuron = "pixel"
shape = [4, 3]
initial.v = 1
[population.cells]
neuron = "cell"
shape = [4, 3]
[synapse.s]
equations = """
w : 1
n : 1
"""
on_pre = """
x_post += w
w += 1
n += 1
"""
[projection.p]
synapse = "s"
source = "image"
target = "cells"
connect = { rule = "convolution", filter = [[0, 0, 0], [0, 0, 0], [0, 0, 0]], padding = "same" }
"#;
    let (filter, counts) = after(text, 2, |s| (s.values("p.filter.w").unwrap(), s.values("p.n").unwrap()));
    assert_eq!(filter, [6.0, 9.0, 6.0, 8.0, 12.0, 8.0, 6.0, 9.0, 6.0]);
    assert_eq!(counts, vec![1.0; 70]);
}

#[test]
fn a_copy_learns_with_what_it_copies() {
    let text = |end: &str| {
        format!(
            r#"
dt = "1 ms"
[input.a]
kind = "spikes"
size = 3
indices = [0, 1]
times = [0, 2]
unit = "ms"
[input.b]
kind = "spikes"
size = 3
indices = [0, 2]
times = [1, 3]
unit = "ms"
[neuron.cell]
equations = "x : 1"
[population.one]
neuron = "cell"
size = 2
[population.two]
neuron = "cell"
size = 2
[synapse.first]
equations = """
w : 1
scale : 1 (shared)
"""
on_pre = "x_post += w; w += 100*scale"
[synapse.second]
equations = "n : 1"
on_pre = "x_post += 2*w; w += 1000; n += 1"
[projection.second]
synapse = "second"
source = "b"
target = "two"
{end}
[projection.first]
synapse = "first"
source = "a"
target = "one"
connect = "all_to_all"
weight = "1 + i + 10*j"
initial.scale = 1
"#
        )
    };
    let read =
        |s: &mut Simulation| ["first.w", "second.n", "one.x", "two.x"].map(|name| s.values(name).unwrap());
    let found = after(&text("connect = { rule = 'copy', of = 'first' }"), 4, read);
    assert_eq!(found[0], [1101.0, 1111.0, 102.0, 112.0, 1003.0, 1013.0]);
    assert_eq!(found[1], [1.0, 1.0, 0.0, 0.0, 1.0, 1.0]);
    // Input a: neuron 0 with w, neuron 1 with w; b: neuron 0 after a has changed its weights, neuron 2.
    assert_eq!(found[2], [1.0 + 2.0, 11.0 + 12.0]);
    assert_eq!(found[3], [2.0 * 101.0 + 2.0 * 3.0, 2.0 * 111.0 + 2.0 * 13.0]);
}

#[test]
fn a_transpose_uses_the_same_weights_the_other_way() {
    let text = r#"
dt = "1 ms"
[neuron.cell]
equations = """
r : 1
x : 1
"""
[population.a]
neuron = "cell"
size = 7
initial.r = "1 + i"
[population.b]
neuron = "cell"
size = 5
initial.r = "10*(1 + i)"
[synapse.weighted]
equations = "w : 1"
sum = [{ into = "x", expression = "w*r_pre" }]
[projection.there]
synapse = "weighted"
source = "a"
target = "b"
connect = { rule = "fixed_probability", p = 0.6 }
weight = "floor(100*rand())"
[projection.back]
synapse = "weighted"
source = "b"
target = "a"
connect = { rule = "transpose", of = "there" }
"#;
    let [y, x] = after(text, 1, |s| ["b.x", "a.x"].map(|n| s.values(n).unwrap()));
    // b' (W a) = (W' b)' a, in whole numbers.
    let left: f64 = (0..5).map(|j| 10.0 * (1 + j) as f64 * y[j]).sum();
    let right: f64 = (0..7).map(|i| (1 + i) as f64 * x[i]).sum();
    assert_eq!(left, right);
    assert!(left > 0.0);
    // Element by element: only neuron 3 of b sends, so each neuron of a gets its weight to it.
    let single = text.replace("10*(1 + i)", "int(i == 3)").replace("\"1 + i\"", "\"int(i == 4)\"");
    let [y, x] = after(&single, 1, |s| ["b.x", "a.x"].map(|n| s.values(n).unwrap()));
    assert_eq!(y[3], x[4]);
}

#[test]
fn the_transpose_of_a_convolution_and_the_copy_of_a_transpose_share_one_filter() {
    let text = r#"
dt = "1 ms"
[neuron.cell]
equations = """
r : 1
x : 1
"""
[population.a]
neuron = "cell"
shape = [4, 4]
initial.r = "(i*5) % 7"
[population.b]
neuron = "cell"
shape = [3, 3]
initial.r = "(i*3) % 5"
[population.c]
neuron = "cell"
size = 9
initial.r = "(i*3) % 5"
[population.d]
neuron = "cell"
size = 16
[synapse.weighted]
equations = "w : 1"
sum = [{ into = "x", expression = "w*r_pre" }]
[projection.there]
synapse = "weighted"
source = "a"
target = "b"
connect = { rule = "convolution", filter = [[1, 2], [3, 4]] }
[projection.back]
synapse = "weighted"
source = "b"
target = "a"
connect = { rule = "transpose", of = "there" }
[projection.again]
synapse = "weighted"
source = "c"
target = "d"
connect = { rule = "copy", of = "back" }
"#;
    let [y, x, z] = after(text, 1, |s| ["b.x", "a.x", "d.x"].map(|n| s.values(n).unwrap()));
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let (a, b): (Vec<f64>, Vec<f64>) =
        ((0..16).map(|i| f64::from(i * 5 % 7)).collect(), (0..9).map(|i| f64::from(i * 3 % 5)).collect());
    assert_eq!(dot(&b, &y), dot(&x, &a));
    assert_eq!(x, z);
    assert_eq!(y[0], a[0] + 2.0 * a[1] + 3.0 * a[4] + 4.0 * a[5]);
}
