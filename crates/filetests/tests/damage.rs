//! No damage to a file makes anything panic: every input of a test file, cut, shortened and disturbed.

#![allow(clippy::expect_used, reason = "a test may panic")]

use neuropil_filetests::{case, root};

/// Disturbed copies of each input.
const COPIES: usize = 40;

/// What is put into a text: pieces that mean something somewhere.
const PIECES: [&str; 16] = [
    "(",
    ")",
    "[",
    "]",
    "\"",
    "\n",
    "=",
    ":",
    "**",
    "-",
    "1e400",
    "rand()",
    "xi",
    ".",
    "\u{b5}",
    "99999999999999999999",
];

/// Numbers that look random, the same on every run (Steele and Vigna 2021, a multiplier for modulus 2^64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(0xd134_2543_de82_ef95).wrapping_add(1);
        ((self.0 >> 33) as usize) % end.max(1)
    }
}

/// Stages that read text and run nothing.
fn files() -> Vec<case::File> {
    let files = case::files(&root().join("crates/filetests/files")).expect("the folder can be listed");
    files.into_iter().filter(|file| file.stage.name != "run").collect()
}

fn input(file: &case::File) -> String {
    let text = std::fs::read_to_string(&file.path).expect("the file can be read");
    case::Case::parse(&text).expect("the file is a test").input.to_owned()
}

#[test]
fn a_file_that_ends_too_early_is_read_without_panic() {
    for file in files() {
        let text = input(&file);
        let ends: Vec<usize> = text.match_indices('\n').map(|(at, _)| at).collect();
        for end in ends {
            (file.stage.run)(&text[..end]);
        }
    }
}

#[test]
fn a_file_that_lacks_a_line_is_read_without_panic() {
    for file in files() {
        let text = input(&file);
        for k in 0..text.lines().count() {
            let rest: String = text
                .lines()
                .enumerate()
                .filter(|(n, _)| *n != k)
                .flat_map(|(_, line)| [line, "\n"])
                .collect();
            (file.stage.run)(&rest);
        }
    }
}

#[test]
fn a_disturbed_file_is_read_without_panic() {
    let mut numbers = Numbers(1);
    for file in files() {
        let text: Vec<char> = input(&file).chars().collect();
        for _ in 0..COPIES {
            let at = numbers.below(text.len());
            let skip = numbers.below(4);
            let piece = PIECES[numbers.below(PIECES.len())];
            let rest = text.iter().skip(at + skip);
            let disturbed: String =
                text[..at].iter().copied().chain(piece.chars()).chain(rest.copied()).collect();
            (file.stage.run)(&disturbed);
        }
    }
}
