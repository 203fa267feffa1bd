//! Circles: files of a crate that use each other in a loop. None may be larger than `tidy.toml` allows,
//! so that a part can be read, and taken out, without all others.
//!
//! A file uses another one if its product code names something by a path that leads there. Re-exports
//! are followed to the file that defines the name, and are no use by themselves. Neither is the use that
//! the head of a folder (`mod.rs`, `lib.rs`) makes of its own files: it is their table of contents.

use std::collections::{BTreeMap, BTreeSet};

use super::mask::is_word;
use super::product::product_of;
use super::settings::Settings;
use super::{Finding, SourceFile};

/// The largest number of re-exports that lead from one to the next.
const REEXPORTS_MAX: usize = 8;

/// Finds the circles that are too large.
pub(super) fn check(files: &[SourceFile], settings: &Settings) -> Vec<Finding> {
    let largest = settings.circles.files_max;
    let large = all(files).filter(|circle| circle.len() > largest);
    let finding = |circle: Vec<&str>| {
        let says = format!(
            "a circle of {} files, more than {largest}: move what they share to a file below them: {}",
            circle.len(),
            circle.join(", ")
        );
        Finding::new(circle.first().copied().unwrap_or_default(), 0, says)
    };
    large.map(finding).collect()
}

/// All circles of at least two files.
pub(super) fn all(files: &[SourceFile]) -> impl Iterator<Item = Vec<&str>> {
    by_crate(files).into_values().flat_map(|modules| Crate::new(modules).circles())
}

/// A path of modules from the crate's root: empty for the root itself.
type ModulePath = Vec<String>;

/// The files of each crate's `src/`, by module.
fn by_crate(files: &[SourceFile]) -> BTreeMap<&str, BTreeMap<ModulePath, &SourceFile>> {
    let mut crates: BTreeMap<&str, BTreeMap<ModulePath, &SourceFile>> = BTreeMap::new();
    for file in files.iter().filter(|file| file.is("rs")) {
        if let Some((folder, path)) = file.path.split_once("/src/") {
            crates.entry(folder).or_default().insert(module_path(path), file);
        }
    }
    crates
}

fn module_path(path: &str) -> ModulePath {
    let mut parts: ModulePath =
        path.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if parts.last().is_some_and(|last| ["lib", "main", "mod"].contains(&last.as_str())) {
        parts.pop();
    }
    parts
}

/// A name that code uses, as a path from where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Named {
    segments: Vec<String>,
    /// The name under which a `use` makes it known.
    known_as: String,
    is_reexport: bool,
}

struct Crate<'a> {
    modules: BTreeMap<ModulePath, &'a SourceFile>,
    named: BTreeMap<ModulePath, Vec<Named>>,
}

impl<'a> Crate<'a> {
    fn new(modules: BTreeMap<ModulePath, &'a SourceFile>) -> Self {
        let read = |(path, file): (&ModulePath, &&SourceFile)| {
            (path.clone(), paths(&product_of(&file.content)))
        };
        let named = modules.iter().map(read).collect();
        Self { modules, named }
    }

    /// The module that defines what is named in `here`; `None` if it is none of this crate.
    fn target(&self, here: &ModulePath, segments: &[String], depth: usize) -> Option<ModulePath> {
        let mut module = here.clone();
        let mut rest = segments;
        match rest.first()?.as_str() {
            "crate" => (module, rest) = (ModulePath::new(), &rest[1..]),
            "self" => rest = &rest[1..],
            "super" => {
                while rest.first().is_some_and(|segment| segment == "super") {
                    module.pop()?;
                    rest = &rest[1..];
                }
            }
            child if !self.modules.contains_key(&within(&module, child)) => return None,
            _ => {}
        }
        for (at, segment) in rest.iter().enumerate() {
            let inner = within(&module, segment);
            if self.modules.contains_key(&inner) {
                module = inner;
            } else {
                let reexport = self.reexport(&module, segment).filter(|_| depth < REEXPORTS_MAX);
                return match reexport {
                    Some(named) => {
                        let further = [&named.segments[..], &rest[at + 1..]].concat();
                        self.target(&module, &further, depth + 1)
                    }
                    None => Some(module),
                };
            }
        }
        Some(module)
    }

    fn reexport(&self, module: &ModulePath, name: &str) -> Option<&Named> {
        self.named.get(module)?.iter().find(|named| named.is_reexport && named.known_as == name)
    }

    /// The modules that each module uses.
    fn uses(&self) -> BTreeMap<&ModulePath, BTreeSet<ModulePath>> {
        let used = |(here, named): (&'_ ModulePath, &Vec<Named>)| -> BTreeSet<ModulePath> {
            let named = named.iter().filter(|named| !named.is_reexport);
            let targets = named.filter_map(|named| self.target(here, &named.segments, 0));
            targets.filter(|target| !target.starts_with(here)).collect()
        };
        self.named.iter().map(|(here, named)| (here, used((here, named)))).collect()
    }

    /// The files of each circle, two at least.
    fn circles(&self) -> Vec<Vec<&'a str>> {
        let uses = self.uses();
        let reached: BTreeMap<_, _> = uses.keys().map(|from| (*from, reach(from, &uses))).collect();
        let mut seen = BTreeSet::new();
        let mut circles = Vec::new();
        for (from, to) in &reached {
            let in_circle = |other: &&ModulePath| reached[*other].contains(*from);
            let circle: Vec<&ModulePath> = to.iter().filter(in_circle).collect();
            if circle.len() > 1 && seen.insert(circle.clone()) {
                let path = |module: &ModulePath| self.modules[module].path.as_str();
                circles.push(circle.into_iter().map(path).collect());
            }
        }
        circles
    }
}

fn within(module: &ModulePath, name: &str) -> ModulePath {
    let mut path = module.clone();
    path.push(name.to_owned());
    path
}

/// All that can be reached from a module; itself too, if it is in a circle.
fn reach(
    from: &ModulePath,
    uses: &BTreeMap<&ModulePath, BTreeSet<ModulePath>>,
) -> BTreeSet<ModulePath> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&ModulePath> = vec![from];
    while let Some(module) = open.pop() {
        for next in uses.get(module).into_iter().flatten() {
            if reached.insert(next.clone()) {
                open.push(next);
            }
        }
    }
    reached
}

/// The paths of more than one segment in masked code; those of `use` with their groups taken apart.
fn paths(code: &str) -> Vec<Named> {
    let tokens = tokens(code);
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let begins = is_name(tokens[at]) && (at == 0 || tokens[at - 1] != "::");
        if begins && tokens.get(at + 1) == Some(&"::") {
            let is_reexport = is_reexport(&tokens[..at]);
            let mut reader = Reader { tokens: &tokens, at, is_reexport, found: &mut found };
            reader.tree(&[]);
            at = reader.at.max(at + 1);
        } else {
            at += 1;
        }
    }
    found
}

/// True behind `pub use` and `pub(crate) use`.
fn is_reexport(before: &[&str]) -> bool {
    matches!(before, [.., "pub", "use"] | [.., "pub", "(", _, ")", "use"])
}

fn is_name(token: &str) -> bool {
    token.bytes().next().is_some_and(is_word)
}

fn tokens(code: &str) -> Vec<&str> {
    let bytes = code.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        if is_word(bytes[at]) {
            while at < bytes.len() && is_word(bytes[at]) {
                at += 1;
            }
        } else if code[at..].starts_with("::") {
            at += 2;
        } else {
            at += 1;
        }
        if !bytes[start].is_ascii_whitespace() {
            tokens.push(&code[start..at]);
        }
    }
    tokens
}

/// Reads the tree of one path.
struct Reader<'a> {
    tokens: &'a [&'a str],
    at: usize,
    is_reexport: bool,
    found: &'a mut Vec<Named>,
}

impl Reader<'_> {
    fn peek(&self) -> Option<&str> {
        self.tokens.get(self.at).copied()
    }

    fn tree(&mut self, before: &[String]) {
        let mut segments = before.to_vec();
        loop {
            match self.peek() {
                Some("{") if segments.len() > before.len() || !before.is_empty() => {
                    return self.group(&segments);
                }
                Some("*") => {
                    self.at += 1;
                    return self.leaf(segments, None);
                }
                Some(name) if is_name(name) => {
                    segments.push(name.to_owned());
                    self.at += 1;
                }
                _ => return self.leaf(segments, None),
            }
            if self.peek() == Some("::") {
                self.at += 1;
            } else {
                let alias = self.alias();
                return self.leaf(segments, alias);
            }
        }
    }

    fn alias(&mut self) -> Option<String> {
        if self.peek() != Some("as") {
            return None;
        }
        let name = self.tokens.get(self.at + 1)?;
        self.at += 2;
        Some((*name).to_owned())
    }

    fn group(&mut self, segments: &[String]) {
        self.at += 1;
        while let Some(token) = self.peek() {
            match token {
                "}" => {
                    self.at += 1;
                    return;
                }
                "," => self.at += 1,
                token if is_name(token) || token == "*" => self.tree(segments),
                _ => return,
            }
        }
    }

    fn leaf(&mut self, mut segments: Vec<String>, alias: Option<String>) {
        if segments.len() > 1 && segments.last().is_some_and(|last| last == "self") {
            segments.pop();
        }
        if let Some(last) = segments.last() {
            let known_as = alias.unwrap_or_else(|| last.clone());
            self.found.push(Named { segments, known_as, is_reexport: self.is_reexport });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn circles(files: &[(&str, &str)]) -> Vec<String> {
        let file = |(path, content): &(&str, &str)| SourceFile {
            path: format!("crates/a/src/{path}"),
            content: (*content).to_owned(),
        };
        let files: Vec<_> = files.iter().map(file).collect();
        let modules = by_crate(&files).remove("crates/a").unwrap();
        let found = Crate::new(modules).circles();
        found.iter().map(|circle| circle.join(" ").replace("crates/a/src/", "")).collect()
    }

    #[test]
    fn paths_are_read_with_their_groups_and_names() {
        let code =
            "use crate::{a::{B, c::*}, d::{self, E as F}}; pub use super::G; x::y::<Z>(h::I)";
        let found = paths(code);
        let shown: Vec<_> = found
            .iter()
            .map(|it| format!("{}={}{}", it.segments.join("::"), it.known_as, it.is_reexport))
            .collect();
        assert_eq!(
            shown,
            [
                "crate::a::B=Bfalse",
                "crate::a::c=cfalse",
                "crate::d=dfalse",
                "crate::d::E=Ffalse",
                "super::G=Gtrue",
                "x::y=yfalse",
                "h::I=Ifalse"
            ]
        );
    }

    #[test]
    fn files_that_use_each_other_are_a_circle() {
        let files = [
            ("lib.rs", "mod a; mod b; mod c; pub use a::A;"),
            ("a.rs", "use crate::b::B; struct A;"),
            ("b.rs", "fn b() { super::c::d() }"),
            ("c.rs", "use super::A;"),
        ];
        assert_eq!(circles(&files), ["a.rs b.rs c.rs"]);
        assert_eq!(circles(&files[..3]), [""; 0]);
    }

    #[test]
    fn the_head_of_a_folder_and_tests_make_no_circle() {
        let folder = [
            ("lib.rs", "mod a;"),
            ("a/mod.rs", "mod b; mod c; fn run() { b::run() } struct A;"),
            ("a/b.rs", "use super::A;"),
            ("a/c.rs", "use super::b::B;"),
        ];
        assert_eq!(circles(&folder), [""; 0]);
        let tests = [
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "use crate::b::B; #[cfg(test)] mod tests { use super::*; }"),
            ("b.rs", "#[cfg(test)] use crate::a::A; struct B;"),
        ];
        assert_eq!(circles(&tests), [""; 0]);
    }

    #[test]
    fn a_circle_that_is_too_large_is_found() {
        let settings = "lines = { file_max = 8, function_max = 3 }\n\
                        comments = { question_max_percent = 0 }\nfloats = { allowed = {} }\n\
                        arrows = {}\ncircles = { files_max = 1 }";
        let settings: Settings = toml::from_str(settings).unwrap();
        let file = |path: &str, content: &str| SourceFile {
            path: format!("crates/a/src/{path}"),
            content: content.to_owned(),
        };
        let files = [file("a.rs", "use crate::b::B;"), file("b.rs", "use crate::a::A;")];
        let found = check(&files, &settings);
        assert!(found.len() == 1 && found[0].says.contains("2 files"), "{found:?}");
    }
}
