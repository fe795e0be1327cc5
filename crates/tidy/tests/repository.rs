//! The rules of this crate, held on the repository itself.

#![allow(clippy::expect_used, reason = "a test may panic")]

use neuropil_tidy::{Problem, Repository, document, layer, style, unsafety};

fn holds(rule: fn(&Repository) -> Vec<Problem>) {
    let repository = Repository::open().expect("the repository can be listed");
    let problems: Vec<String> = rule(&repository).iter().map(ToString::to_string).collect();
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

#[test]
fn a_crate_depends_only_on_crates_above_it() {
    holds(layer::upward);
}

#[test]
fn every_crate_is_a_member_of_the_workspace() {
    holds(layer::unlisted);
}

#[test]
fn every_foreign_package_has_a_reason() {
    holds(layer::unexplained);
}

#[test]
fn every_source_file_says_what_it_is_for() {
    holds(style::without_purpose);
}

#[test]
fn source_files_are_short() {
    holds(style::too_long);
}

#[test]
fn no_work_is_put_off() {
    holds(style::put_off);
}

#[test]
fn white_space_is_plain() {
    holds(style::white_space);
}

#[test]
fn nothing_belongs_to_one_machine() {
    holds(style::of_one_machine);
}

#[test]
fn unsafe_code_stays_in_its_crates() {
    holds(unsafety::out_of_place);
}

#[test]
fn unsafe_code_says_why_it_is_sound() {
    holds(unsafety::unjustified);
}

#[test]
fn links_lead_somewhere() {
    holds(document::broken_links);
}

#[test]
fn the_readme_names_the_two_commands() {
    holds(document::readme);
}

#[test]
fn the_change_log_and_the_script_keep_their_promises() {
    holds(document::process);
}

#[test]
fn every_diagnostic_is_explained() {
    holds(document::codes);
}

#[test]
fn every_model_names_its_paper_and_is_listed() {
    holds(document::models);
}

#[test]
fn the_comparison_names_tests_that_exist() {
    holds(document::comparison);
}
