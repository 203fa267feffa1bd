//! Rules about Rust sources.

use super::mask::{is_word, mask};
use super::settings::Settings;
use super::{Finding, SourceFile};

/// A branch that is left for later. Put together, so that this file does not hold it.
const LATER: &str = concat!("to", "do!");

/// Looks at one file.
pub(super) fn check(file: &SourceFile, settings: &Settings) -> Vec<Finding> {
    let code = mask(&file.content);
    let mut findings = Vec::new();
    for (line, _) in places(&code, |line| line.contains(LATER)) {
        findings.push(Finding::new(&file.path, line, format!("{LATER} is no code")));
    }
    if !settings.floats.allowed.contains_key(&file.path) {
        for (line, _) in places(&code, line_has_floats) {
            let says = "floating point: money is integers (or say why in tidy.toml)";
            findings.push(Finding::new(&file.path, line, says));
        }
    }
    findings.extend(lengths(file, &code, settings));
    findings
}

/// True if this source uses floating point.
pub(super) fn has_floats(source: &str) -> bool {
    mask(source).lines().any(line_has_floats)
}

fn line_has_floats(line: &str) -> bool {
    ["f32", "f64"].into_iter().any(|word| has_word(line, word))
}

fn has_word(line: &str, word: &str) -> bool {
    let bytes = line.as_bytes();
    line.match_indices(word).any(|(at, _)| {
        let before = at > 0 && is_word(bytes[at - 1]);
        let after = bytes.get(at + word.len()).is_some_and(|byte| is_word(*byte));
        !before && !after
    })
}

fn places<'a>(
    code: &'a str,
    wanted: impl Fn(&str) -> bool + 'a,
) -> impl Iterator<Item = (usize, &'a str)> + 'a {
    code.lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line))
        .filter(move |(_, line)| wanted(line))
}

fn lengths(file: &SourceFile, code: &str, settings: &Settings) -> Vec<Finding> {
    let mut findings = Vec::new();
    let count = file.content.lines().count();
    let limits = &settings.lines;
    if count > limits.file_max && !limits.longer.contains_key(&file.path) {
        let says = format!(
            "{count} lines, more than {}: ask what its parts are (or say why in tidy.toml)",
            limits.file_max
        );
        findings.push(Finding::new(&file.path, 0, says));
    }
    for function in functions(code) {
        if function.lines > limits.function_max {
            let Function { name, lines, .. } = &function;
            let says = format!("`{name}` has {lines} lines, more than {}", limits.function_max);
            findings.push(Finding::new(&file.path, function.line, says));
        }
    }
    findings
}

/// The lengths in lines of all functions in masked code.
pub(super) fn function_lengths(code: &str) -> impl Iterator<Item = usize> {
    functions(code).into_iter().map(|function| function.lines)
}

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
struct Function {
    name: String,
    line: usize,
    lines: usize,
}

/// The functions in masked code, inner ones too.
fn functions(code: &str) -> Vec<Function> {
    let bytes = code.as_bytes();
    let mut functions = Vec::new();
    for (at, _) in code.match_indices("fn ") {
        if at > 0 && is_word(bytes[at - 1]) {
            continue;
        }
        let name: String =
            code[at + 3..].trim_start().chars().take_while(|c| is_word(*c as u8)).collect();
        if name.is_empty() {
            continue;
        }
        if let Some(end) = end_of_body(bytes, at) {
            let line = 1 + newlines(&code[..at]);
            functions.push(Function { name, line, lines: 1 + newlines(&code[at..end]) });
        }
    }
    functions
}

fn newlines(code: &str) -> usize {
    code.matches('\n').count()
}

/// The end of the body of the function that begins at `start`; `None` if it has none.
fn end_of_body(bytes: &[u8], start: usize) -> Option<usize> {
    let (mut brackets, mut braces) = (0_i32, 0_i32);
    for (at, byte) in bytes.iter().enumerate().skip(start) {
        match byte {
            b'(' | b'[' => brackets += 1,
            b')' | b']' => brackets -= 1,
            b';' if brackets == 0 && braces == 0 => return None,
            b'{' => braces += 1,
            b'}' => {
                braces -= 1;
                if braces == 0 && brackets == 0 {
                    return Some(at);
                }
                if braces < 0 {
                    return None;
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(content: &str) -> Vec<String> {
        let settings = r#"
            lines = { file_max = 8, function_max = 3 }
            comments = { question_max_percent = 0 }
            floats = { allowed = { "ok.rs" = "buckets" } }
            arrows = {}
        "#;
        let settings: Settings = toml::from_str(settings).unwrap();
        let file = SourceFile { path: "a.rs".to_owned(), content: content.to_owned() };
        check(&file, &settings).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn floats_and_branches_for_later_are_found_in_code_alone() {
        assert_eq!(says("let a: f64 = b;").len(), 1);
        assert_eq!(says("\nfn a() { unimplemented(); to_f64(); }\n// f64\n"), Vec::<String>::new());
        assert_eq!(says(&format!("fn a() {{ {LATER}() }}")).len(), 1);
        assert_eq!(says(&format!("// {LATER} x\nlet a = \"f32\";")), Vec::<String>::new());
    }

    #[test]
    fn long_files_and_functions_are_found() {
        assert_eq!(
            says("trait A { fn b(&self, c: [u8; 2]); }\n\nfn long(\n    a: fn (u8),\n) {\n}\n"),
            ["a.rs:3: `long` has 4 lines, more than 3"]
        );
        let found = says(&"\n".repeat(9));
        assert!(found.len() == 1 && found[0].contains("9 lines"), "{found:?}");
    }

    #[test]
    fn inner_functions_are_measured_too() {
        let code = "fn a() {\n  fn b() {\n    c()\n  }\n}\n";
        let found = functions(code);
        let lines: Vec<_> = found.iter().map(|f| (f.name.as_str(), f.line, f.lines)).collect();
        assert_eq!(lines, [("a", 1, 5), ("b", 2, 3)]);
    }
}
