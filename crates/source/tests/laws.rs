//! Laws of reading and printing: nothing makes the reader panic, and what is printed reads back the same.

use neuropil_source::{NetworkSource, read_str};
use proptest::prelude::*;

const MODEL: &str = include_str!("everything.toml");

fn good(text: &str) -> NetworkSource {
    let (network, diagnostics) = read_str("m.toml", text);
    assert!(diagnostics.is_empty(), "{}\n{text}", diagnostics.render(&network.files));
    network
}

#[test]
fn every_field_is_printed_and_reads_back_the_same() {
    let network = good(MODEL);
    let text = network.to_toml();
    let back = good(&text);
    assert_eq!(back.clone().without_places(), network.without_places(), "{text}");
    assert_eq!(back.to_toml(), text, "printing is stable");
}

#[test]
fn spans_point_at_what_was_written() {
    let mut network = good(MODEL);
    let files = network.files.clone();
    let (mut seen, mut unwritten) = (0, 0);
    neuropil_source::Places::for_each_span(&mut network, &mut |span| {
        let Some(file) = span.file() else {
            unwritten += 1;
            return;
        };
        assert!(files.text(file).get(span.range()).is_some_and(|t| !t.is_empty()), "{span:?}");
        seen += 1;
    });
    assert_eq!(unwritten, 3, "the size of one neuron with a morphology, and the range of a view by section");
    assert!(seen > 150, "{seen}");
}

#[test]
fn what_is_adopted_keeps_its_text() {
    let mut network = good(MODEL);
    let other = good("[neuron.other]\nequations = \"dv/dt = 0/second : 1\"");
    let other = network.adopt(other);
    let equations = other.neurons[0].equations.clone().expect("equations");
    let file = equations.span.file().expect("a file");
    assert_eq!(&network.files.text(file)[equations.span.range()], equations.text);
}

/// A value as somebody might write it, or not.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9 *+.-]{0,8}".prop_map(|s| format!("\"{s}\"")),
        any::<i64>().prop_map(|n| n.to_string()),
        any::<f64>().prop_map(|x| format!("{x:?}")),
        Just("true".to_owned()),
        Just("[]".to_owned()),
        Just("[[1, 2], [3, 4]]".to_owned()),
        Just("{ values = [1, 2], unit = \"mV\" }".to_owned()),
        Just("{ rule = \"fixed_probability\", p = 0.5 }".to_owned()),
        Just("'''\na = 1\n'b'''".to_owned()),
        Just("1979-05-27".to_owned()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,80}") {
        let (network, diagnostics) = read_str("m.toml", &text);
        let _ = diagnostics.render(&network.files);
    }

    #[test]
    fn no_change_of_a_model_makes_the_reader_panic(at in 0..MODEL.len(), len in 0usize..40, with in "[\\[\\]{}=.\"'\\n#a1 ,\\\\]{0,6}") {
        let start = (0..=at).rev().find(|i| MODEL.is_char_boundary(*i)).unwrap_or(0);
        let end = (at + len..).find(|i| *i >= MODEL.len() || MODEL.is_char_boundary(*i)).unwrap_or(0).min(MODEL.len());
        let text = format!("{}{with}{}", &MODEL[..start], &MODEL[end..]);
        let (network, diagnostics) = read_str("m.toml", &text);
        let _ = diagnostics.render(&network.files);
        if diagnostics.is_empty() {
            let back = good(&network.to_toml());
            prop_assert_eq!(back.without_places(), network.without_places());
        }
    }

    #[test]
    fn any_field_may_hold_any_value_without_a_panic(index in 0usize..500, value in value()) {
        // The value of one line of the model is replaced; so is that field by an override.
        let lines: Vec<&str> = MODEL.lines().collect();
        let index = index % lines.len();
        let (key, _) = lines[index].split_once('=').unwrap_or((lines[index], ""));
        let changed = format!("{key}= {value}");
        let text: Vec<&str> =
            lines.iter().enumerate().map(|(i, line)| if i == index { changed.as_str() } else { *line }).collect();
        let (network, diagnostics) = read_str("m.toml", &text.join("\n"));
        let _ = diagnostics.render(&network.files);
        if diagnostics.is_empty() {
            let printed = network.to_toml();
            let back = good(&printed);
            prop_assert_eq!(back.without_places(), network.without_places(), "{}", printed);
        }
    }

    #[test]
    fn no_override_panics(path in "[a-z_.]{0,30}", value in value()) {
        let mut network = good(MODEL);
        let diagnostics = network.set(&format!("{path}={value}"));
        let _ = diagnostics.render(&network.files);
        let mut network = good(MODEL);
        let diagnostics = network.set(&format!("projection.exc.connect.{path}={value}"));
        let _ = diagnostics.render(&network.files);
    }

    #[test]
    fn strings_of_any_kind_survive_printing(text in "(\\PC|[\\n\\t\\r\"'\\\\]){0,20}") {
        let mut network = good(MODEL);
        network.settings.title = Some(text.clone());
        network.constants[0].value = text.clone().into();
        network.neurons[0].equations = Some(text.into());
        let back = good(&network.to_toml());
        prop_assert_eq!(back.without_places(), network.without_places());
    }
}
