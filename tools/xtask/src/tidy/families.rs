//! Checks that only its own crate, its simulator and one line of the program name a family of
//! providers. Any other place would have to be found again for the next family.

use std::collections::BTreeMap;

use super::mask::comments;
use super::settings::{FILE, Settings};
use super::{Finding, SourceFile};

/// The beginning of the name of a family's crate.
const CRATE: &str = "kiungo-provider-";

/// Looks at the code of all crates, without comments and tests.
pub(super) fn check(files: &[SourceFile], settings: &Settings) -> Vec<Finding> {
    let families: Vec<&str> =
        settings.arrows.keys().filter_map(|name| name.strip_prefix(CRATE)).collect();
    let allowed = &settings.families.allowed;
    let mut findings = Vec::new();
    let mut used: BTreeMap<&str, bool> = allowed.keys().map(|key| (key.as_str(), false)).collect();
    for file in files.iter().filter(|file| is_looked_at(file)) {
        let code = code(&file.content);
        for family in families.iter().filter(|family| !file.path.contains(**family)) {
            let Some(line) = code.lines().position(|line| names(line, family)) else { continue };
            let exception = allowed.keys().find(|key| covers(key, &file.path));
            if let Some(exception) = exception {
                used.insert(exception, true);
            } else {
                let says = format!("names the family `{family}` (or say why in {FILE})");
                findings.push(Finding::new(&file.path, line + 1, says));
            }
        }
    }
    for (key, reason) in allowed {
        if reason.trim().is_empty() {
            findings.push(Finding::new(FILE, 0, format!("`{key}`: say why")));
        }
    }
    for (key, _) in used.into_iter().filter(|(_, used)| !used) {
        let says = format!("`{key}` no longer needs its exception");
        findings.push(Finding::new(FILE, 0, says));
    }
    findings
}

fn is_looked_at(file: &SourceFile) -> bool {
    let path = &file.path;
    let product = path.starts_with("crates/") && path.contains("/src/");
    let tests = path.ends_with("/tests.rs") || path.ends_with("_tests.rs");
    file.is("rs") && !tests && (product || path.starts_with("tests/src/"))
}

/// An exception of a file, or, with a `/` at its end, of a folder.
fn covers(exception: &str, path: &str) -> bool {
    path == exception || (exception.ends_with('/') && path.starts_with(exception))
}

/// The source up to its tests, with the comments blanked out.
fn code(source: &str) -> String {
    let comments = comments(source);
    let kept = source.bytes().zip(comments.bytes()).map(|(byte, comment)| {
        if comment.is_ascii_whitespace() && byte.is_ascii() { byte } else { b' ' }
    });
    let code = String::from_utf8(kept.collect()).unwrap_or_default();
    code.split("#[cfg(test)]\nmod tests").next().unwrap_or_default().to_owned()
}

/// True if a line has the word, alone or as a part of a name. A provider's id such as `mpesa-tz` and
/// the name of a document are no family's.
fn names(line: &str, family: &str) -> bool {
    let line = line.to_ascii_lowercase();
    line.match_indices(family).any(|(at, _)| {
        let hyphen = |byte: Option<&u8>| byte == Some(&b'-');
        let bytes = line.as_bytes();
        let before = at.checked_sub(1).and_then(|before| bytes.get(before));
        !hyphen(before) && !hyphen(bytes.get(at + family.len()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, content: &str, allowed: &str) -> Vec<String> {
        let text = format!(
            "[lines]\nfile_max = 1\nfunction_max = 1\n[comments]\nquestion_max_percent = 2\n\
             [floats.allowed]\n[families.allowed]\n\
             {allowed}\n[arrows]\nkiungo-provider-gsma = []\nkiungo-engine = []\n"
        );
        let settings: Settings = toml::from_str(&text).unwrap();
        let file = SourceFile { path: path.to_owned(), content: content.to_owned() };
        check(&[file], &settings).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_family_is_named_in_its_own_files_only() {
        let found = findings("crates/engine/src/a.rs", "// gsma\nlet a = \"gsma\";\n", "");
        assert_eq!(
            found,
            ["crates/engine/src/a.rs:2: names the family `gsma` (or say why in tidy.toml)"]
        );
        let named = "enum Family { Gsma }";
        assert_eq!(findings("crates/engine/src/a.rs", named, "").len(), 1);
        for path in ["crates/provider-gsma/src/a.rs", "tests/src/fuzz/gsma.rs", "docs/a.rs"] {
            assert_eq!(findings(path, named, ""), [""; 0], "{path}");
        }
        for content in
            ["// Gsma", "let a = \"gsma-sandbox\";", "#[cfg(test)]\nmod tests {\n  gsma();\n}"]
        {
            assert_eq!(findings("crates/engine/src/a.rs", content, ""), [""; 0], "{content}");
        }
    }

    #[test]
    fn an_exception_says_why_and_is_needed() {
        let named = "use gsma;";
        let allowed = "\"crates/engine/src/\" = \"a list\"";
        assert_eq!(findings("crates/engine/src/a/b.rs", named, allowed), [""; 0]);
        let stale = findings("crates/engine/src/a.rs", "let a = 1;", allowed);
        assert_eq!(stale, ["tidy.toml: `crates/engine/src/` no longer needs its exception"]);
        let silent =
            findings("crates/engine/src/a.rs", named, "\"crates/engine/src/a.rs\" = \" \"");
        assert_eq!(silent, ["tidy.toml: `crates/engine/src/a.rs`: say why"]);
    }
}
