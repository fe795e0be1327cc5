//! Model files to a network: the file itself, and the files that it includes before it.

use std::path::{Path, PathBuf};

use neuropil_base::{Diagnostic, Diagnostics, Span, Spanned, Text};

use crate::field::NETWORK;
use crate::reader::{Mode, Reader};
use crate::tree::{self, Kind, Table};
use crate::{NetworkSource, Selection};

/// Files that include each other deeper than this are a mistake.
const MAX_DEPTH: usize = 16;

/// Spans count bytes in 32 bits, and nobody writes this much by hand.
const MAX_BYTES: u64 = 64 << 20;

/// Reads a model file and the files that it includes.
///
/// Whatever is wrong is in the diagnostics; the network holds all that could be understood.
#[must_use]
pub fn read_file(path: &Path) -> (NetworkSource, Diagnostics) {
    let name = path.file_stem().map_or_else(String::new, |s| s.to_string_lossy().into_owned());
    let mut files = Files::new(name);
    match read_text(path) {
        Ok(text) => {
            files.open.push(identity(path));
            files.file(&path.to_string_lossy(), text, folder_of(path));
        }
        Err(message) => files.diagnostics.push(unreadable(Span::NONE, path, &message)),
    }
    files.finish()
}

/// Reads the text of a model file; `name` is shown in diagnostics, and its folder is where includes are sought.
///
/// ```
/// let (_, diagnostics) = neuropil_source::read_str("m.toml", "duraton = \"1 s\"");
/// let first = diagnostics.iter().next().unwrap();
/// assert_eq!(first.code, "unknown-field");
/// assert_eq!(first.help, ["did you mean `duration`?"]);
/// ```
#[must_use]
pub fn read_str(name: &str, text: &str) -> (NetworkSource, Diagnostics) {
    let path = Path::new(name);
    let stem = path.file_stem().map_or_else(String::new, |s| s.to_string_lossy().into_owned());
    let mut files = Files::new(stem);
    files.open.push(identity(path));
    files.file(name, text.to_owned(), folder_of(path));
    files.finish()
}

/// The files of one network while they are read.
struct Files {
    network: NetworkSource,
    diagnostics: Diagnostics,
    /// The files that are being read, each including the next.
    open: Vec<PathBuf>,
    /// The files that have been read: a file included twice is read once.
    done: Vec<PathBuf>,
}

impl Files {
    fn new(name: String) -> Self {
        let network = NetworkSource { name, ..NetworkSource::default() };
        Self { network, diagnostics: Diagnostics::new(), open: Vec::new(), done: Vec::new() }
    }

    fn finish(mut self) -> (NetworkSource, Diagnostics) {
        shared_names(&self.network, &mut self.diagnostics);
        self.network.read_morphologies();
        self.diagnostics.sort();
        (self.network, self.diagnostics)
    }

    fn file(&mut self, name: &str, text: String, folder: &Path) {
        let id = self.network.files.add(name, text);
        let Some(table) = tree::parse(&self.network.files, id, &mut self.diagnostics) else { return };
        for include in includes(&table, &mut self.diagnostics) {
            self.include(&include, folder);
        }
        self.own(&table, folder);
    }

    /// What stands in the file itself. Its settings win over those of included files.
    fn own(&mut self, table: &Table, folder: &Path) {
        let mut reader = Reader::new(&mut self.diagnostics, folder, Mode::Define);
        reader.fields(NETWORK, "the model file", &mut self.network, table);
    }

    fn include(&mut self, include: &Spanned<String>, folder: &Path) {
        let path = folder.join(&include.value);
        let identity = identity(&path);
        if self.open.contains(&identity) {
            let message = format!("`{}` includes itself", include.value);
            self.diagnostics.push(Diagnostic::error("include-cycle", include.span, message));
            return;
        }
        if self.done.contains(&identity) {
            return;
        }
        if self.open.len() >= MAX_DEPTH {
            let message = format!("files include each other more than {MAX_DEPTH} deep");
            self.diagnostics.push(Diagnostic::error("include-cycle", include.span, message));
            return;
        }
        match read_text(&path) {
            Ok(text) => {
                self.open.push(identity);
                self.file(&path.to_string_lossy(), text, folder_of(&path));
                self.done.extend(self.open.pop());
            }
            Err(message) => self.diagnostics.push(unreadable(include.span, &path, &message)),
        }
    }
}

impl NetworkSource {
    /// Reads the files of morphologies that have not been read, so that mistakes in them can be shown where they are.
    ///
    /// A file that cannot be read stays without text; whoever needs it says why.
    pub fn read_morphologies(&mut self) {
        for morphology in &mut self.morphologies {
            let Some(path) = morphology.file.as_ref().filter(|_| morphology.text.is_none()) else { continue };
            if let Ok(text) = read_text(&path.value) {
                let file = self.files.add(path.value.to_string_lossy(), text.clone());
                let span = Span::new(file, 0..text.len());
                morphology.text = Some(Text::new(text, span));
            }
        }
    }
}

/// The text of a file that a model names.
///
/// # Errors
/// Why there is none.
pub fn read_text(path: &Path) -> Result<String, String> {
    let size = std::fs::metadata(path).map_err(|e| described(&e))?.len();
    if size > MAX_BYTES {
        return Err(format!("it is larger than {} MiB", MAX_BYTES >> 20));
    }
    let bytes = std::fs::read(path).map_err(|e| described(&e))?;
    String::from_utf8(bytes).map_err(|e| {
        let good = e.utf8_error().valid_up_to();
        let line = e.as_bytes()[..good].iter().filter(|b| **b == b'\n').count() + 1;
        format!("line {line} is not UTF-8")
    })
}

/// The system's words for it, without its number.
fn described(error: &std::io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

fn unreadable(span: Span, path: &Path, message: &str) -> Diagnostic {
    Diagnostic::error("unreadable-file", span, format!("cannot read `{}`: {message}", path.display()))
}

/// Two paths of one file are equal after this.
fn identity(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new(""))
}

fn includes(table: &Table, diagnostics: &mut Diagnostics) -> Vec<Spanned<String>> {
    let Some(entry) = table.iter().find(|e| e.key.value == "include") else { return Vec::new() };
    let nodes = match &entry.value.kind {
        Kind::Array(items) => items.as_slice(),
        _ => std::slice::from_ref(&entry.value),
    };
    let mut includes = Vec::new();
    for node in nodes {
        match &node.kind {
            Kind::String(text) => includes.push(Spanned::new(text.text.clone(), text.span)),
            other => diagnostics.push(Diagnostic::error(
                "wrong-type",
                node.span,
                format!(
                    "`include` expects file names such as `[\"neurons.toml\"]`, found {}",
                    other.described()
                ),
            )),
        }
    }
    includes
}

/// Populations, views, inputs and projections are named in the same places, so they share one set of names.
fn shared_names(network: &NetworkSource, diagnostics: &mut Diagnostics) {
    let mut seen: Vec<(&str, &Spanned<String>)> = Vec::new();
    let all = (network.populations.iter().map(|o| ("population", &o.name)))
        .chain(network.views.iter().map(|o| ("view", &o.name)))
        .chain(network.inputs.iter().map(|o| ("input", &o.name)))
        .chain(network.projections.iter().map(|o| ("projection", &o.name)));
    for (kind, name) in all {
        match seen.iter().find(|(other, first)| *other != kind && first.value == name.value) {
            Some((other, first)) => diagnostics.push(
                Diagnostic::error(
                    "duplicate-name",
                    name.span,
                    format!("the {kind} `{}` has the name of {} {other}", name.value, article(other)),
                )
                .related(first.span, format!("the {other} is defined here")),
            ),
            None => seen.push((kind, name)),
        }
    }
}

fn article(word: &str) -> &'static str {
    if word.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }
}

impl Selection {
    /// Whether anything was said.
    #[must_use]
    pub fn is_specified(&self) -> bool {
        !matches!(self, Self::Unspecified)
    }
}
