//! The code of a crate that goes into its product, without what only its tests compile.

use std::collections::BTreeSet;

use super::SourceFile;
use super::mask::{is_word, mask};

/// The mark of an item that only tests compile.
const TEST_ONLY: &str = "#[cfg(test)]";

/// The code of a crate, comments and texts blanked out.
pub(super) struct Code {
    /// The code of the product.
    pub(super) product: String,
    /// All code, tests included.
    pub(super) all: String,
}

/// Reads the files of the crate in `folder`, which are `files`. `programs` are the files, relative to
/// the crate, that its manifest names as programs; the others outside of `src/` are tests.
pub(super) fn read(folder: &str, files: &[&SourceFile], programs: &BTreeSet<String>) -> Code {
    let mut code = Code { product: String::new(), all: String::new() };
    let (mut products, mut tests) = (Vec::new(), BTreeSet::new());
    for file in files {
        let path = file.path.strip_prefix(folder).unwrap_or(&file.path).trim_start_matches('/');
        let masked = mask(&file.content);
        code.all.extend([masked.as_str(), "\n"]);
        let cut = cut(path, &file.content, &masked);
        tests.extend(cut.modules);
        if path.starts_with("src/") || path == "build.rs" || programs.contains(path) {
            products.push((path, cut.product));
        }
    }
    for (path, product) in products {
        if !tests.iter().any(|module| is_within(path, module)) {
            code.product.extend([product.as_str(), "\n"]);
        }
    }
    code
}

/// The code of a file without what only tests compile, comments and texts blanked out.
pub(super) fn product_of(source: &str) -> String {
    cut("", source, &mask(source)).product
}

/// A file, cut in two.
struct Cut {
    product: String,
    /// The modules in files of their own that only tests compile: their paths without `.rs`.
    modules: Vec<String>,
}

fn cut(path: &str, source: &str, masked: &str) -> Cut {
    let (mut product, mut modules) = (String::new(), Vec::new());
    let (mut at, mut end) = (0, 0);
    while let Some(found) = masked[at..].find(TEST_ONLY) {
        let start = at + found;
        product.push_str(&masked[end..start]);
        end = start + item(&masked[start..]);
        at = end;
        modules.extend(module(path, &source[start..end], &masked[start..end]));
    }
    product.push_str(&masked[end..]);
    Cut { product, modules }
}

/// The length of the item that begins with an attribute: up to its `;`, or to the end of its block.
fn item(code: &str) -> usize {
    let (mut round, mut curly) = (0_usize, 0_usize);
    for (at, byte) in code.bytes().enumerate() {
        match byte {
            b'(' | b'[' => round += 1,
            b')' | b']' => round = round.saturating_sub(1),
            b'{' => curly += 1,
            b'}' => {
                curly = curly.saturating_sub(1);
                if curly == 0 && round == 0 {
                    // `use a::{b};` ends behind its block.
                    let rest = code[at + 1..].trim_start();
                    let ends_later = rest.starts_with(';');
                    return if ends_later { code.len() - rest.len() + 1 } else { at + 1 };
                }
            }
            b';' if curly == 0 && round == 0 => return at + 1,
            _ => {}
        }
    }
    code.len()
}

/// The path of a module in a file of its own, without `.rs`, if the item is one.
fn module(path: &str, source: &str, masked: &str) -> Option<String> {
    let declaration = masked.trim_end().strip_suffix(';')?.trim_end();
    let name = declaration.rsplit(|c: char| !c.is_ascii() || !is_word(c as u8)).next()?;
    let before = declaration[..declaration.len() - name.len()].trim_end();
    if before.split_whitespace().next_back() != Some("mod") {
        return None;
    }
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    if let Some((_, rest)) = source.split_once("#[path = \"") {
        let (named, _) = rest.split_once('"')?;
        return Some(format!("{folder}/{}", named.trim_end_matches(".rs")));
    }
    Some(match file {
        "lib.rs" | "main.rs" | "mod.rs" => format!("{folder}/{name}"),
        _ => format!("{}/{name}", path.trim_end_matches(".rs")),
    })
}

/// True for the module's own file and for those in its folder.
fn is_within(path: &str, module: &str) -> bool {
    let rest = path.strip_prefix(module);
    rest.is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product(files: &[(&str, &str)]) -> String {
        let file = |(path, content): &(&str, &str)| SourceFile {
            path: format!("crates/a/{path}"),
            content: (*content).to_owned(),
        };
        let files: Vec<_> = files.iter().map(file).collect();
        let programs = BTreeSet::from(["programs/b.rs".to_owned()]);
        let code = read("crates/a", &files.iter().collect::<Vec<_>>(), &programs);
        code.product.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn code_that_only_tests_compile_is_no_product() {
        let source = "use a; #[cfg(test)]\nmod tests { fn b() { c([1; 2]); } }\n\
                      #[cfg(test)]\n#[allow(x)]\nuse d::{e, f};\n\
                      #[cfg(test)] fn g(_: [u8; 2]) { h() }\nfn i() {}";
        assert_eq!(product(&[("src/lib.rs", source)]), "use a; fn i() {}");
        assert_eq!(product(&[("tests/it/main.rs", "use a;"), ("build.rs", "use b;")]), "use b;");
        assert_eq!(product(&[("programs/b.rs", "use b;"), ("programs/c.rs", "use c;")]), "use b;");
    }

    #[test]
    fn modules_in_files_of_their_own_are_found_wherever_they_are_named() {
        let files = [
            ("src/lib.rs", "mod a; #[cfg(test)] mod b;"),
            ("src/a.rs", "a1!(); #[cfg(test)]\npub(crate) mod tests;"),
            ("src/a/tests.rs", "a2!();"),
            ("src/a/tests/more.rs", "a3!();"),
            ("src/a/tests_of_another.rs", "a4!();"),
            ("src/b.rs", "b1!();"),
            ("src/c/mod.rs", "c1!(); #[cfg(test)]\n#[path = \"c_tests.rs\"]\nmod tests;"),
            ("src/c/c_tests.rs", "c2!();"),
        ];
        assert_eq!(product(&files), "mod a; a1!(); a4!(); c1!();");
    }
}
