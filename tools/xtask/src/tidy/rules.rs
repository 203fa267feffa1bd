//! The rules that keep money safe: numbered once, in ARCHITECTURE.md, and cited by these numbers.

use std::collections::BTreeMap;

use super::citations::text_of;
use super::markdown::prose;
use super::{Checked, Finding, SourceFile};

/// The document with the table of the rules, and its heading.
const TABLE: (&str, &str) = ("ARCHITECTURE.md", "## The rules that keep money safe");
/// The document that explains the first rules to users, and its heading.
const LIST: (&str, &str) = ("README.md", "## How money stays safe");

/// Looks at the table, at the list, and at all that cites a rule.
pub(super) fn check(files: &[SourceFile]) -> Checked {
    let mut checked = Checked::default();
    let content = |path: &str| files.iter().find(|file| file.path == path).map(|f| &f.content[..]);
    let rules = table(content(TABLE.0).unwrap_or_default(), &mut checked.findings);
    let list = section(content(LIST.0).unwrap_or_default(), LIST.1);
    for (line, number, name) in list.filter_map(|(line, text)| listed(line, text)) {
        if rules.get(&number).is_none_or(|known| *known != name) {
            let says = format!("rule {number}, `{name}`, is called otherwise in {}", TABLE.0);
            checked.findings.push(Finding::new(LIST.0, line, says));
        }
    }
    for file in files {
        for (line, number) in text_of(file).iter().flat_map(|text| cited(text)) {
            checked.count += 1;
            if !rules.contains_key(&number) {
                let says = format!("rule {number} does not stand in {}", TABLE.0);
                checked.findings.push(Finding::new(&file.path, line, says));
            }
        }
    }
    checked
}

/// The lines below a heading, up to the next one of its level.
fn section<'a>(content: &'a str, heading: &'a str) -> impl Iterator<Item = (usize, &'a str)> {
    let from = prose(content).skip_while(move |(_, line)| !line.starts_with(heading)).skip(1);
    from.take_while(|(_, line)| !line.starts_with("## "))
}

/// The names of the rules, by their numbers: in their order, each once, with its keepers.
fn table<'a>(content: &'a str, findings: &mut Vec<Finding>) -> BTreeMap<u32, &'a str> {
    let mut rules = BTreeMap::new();
    let mut last = 0;
    let rows = section(content, TABLE.1).filter(|(_, line)| line.starts_with('|')).skip(2);
    for (line, row) in rows {
        let mut cells = row.trim_matches('|').split('|').map(str::trim);
        let [number, name, keepers] = [(); 3].map(|()| cells.next().unwrap_or_default());
        let mut wrong = |says: String| findings.push(Finding::new(TABLE.0, line, says));
        if keepers.is_empty() {
            wrong(format!("`{name}`: say what keeps it"));
        }
        match number.parse() {
            Ok(number) => {
                if number <= last {
                    wrong(format!("rule {number} comes after rule {last}"));
                }
                last = number;
                rules.entry(number).or_insert(name);
            }
            Err(_) => wrong(format!("`{name}` has no number")),
        }
    }
    if rules.is_empty() {
        findings.push(Finding::new(TABLE.0, 0, format!("no rules below `{}`", TABLE.1)));
    }
    rules
}

/// Number and name of an item such as `1. **Intent first.** What is about …`.
fn listed(line: usize, text: &str) -> Option<(usize, u32, &str)> {
    let (number, rest) = text.split_once(". **")?;
    let (name, _) = rest.split_once("**")?;
    Some((line, number.parse().ok()?, name.trim_end_matches('.')))
}

/// The numbers of rules that a text cites, each with its line: "rule 6", "rules 3 and 18".
fn cited(text: &str) -> Vec<(usize, u32)> {
    let mut found = Vec::new();
    for (at, word) in text.match_indices("ule") {
        let before = text[..at].strip_suffix(['r', 'R']);
        if before.is_none_or(|before| before.ends_with(char::is_alphanumeric)) {
            continue;
        }
        let line = 1 + text[..at].matches('\n').count();
        let rest = &text[at + word.len()..];
        let rest = rest.strip_prefix('s').unwrap_or(rest);
        if !rest.starts_with(char::is_whitespace) {
            continue;
        }
        for word in rest.split_whitespace() {
            let number = word.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
            match number.parse() {
                Ok(number) => found.push((line, number)),
                Err(_) if ["and", "to", "or"].contains(&word) => continue,
                Err(_) => break,
            }
            let after = &word[number.len()..];
            if !after.is_empty() && after != "," {
                break;
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "# A\n## The rules that keep money safe, and where\n\n| no. | rule | kept by |\n| --- | --- | --- |\n";

    fn says(files: &[(&str, &str)]) -> Vec<String> {
        let file = |(path, content): &(&str, &str)| SourceFile {
            path: (*path).to_owned(),
            content: (*content).to_owned(),
        };
        let files: Vec<_> = files.iter().map(file).collect();
        check(&files).findings.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_cited_rule_stands_in_the_table() {
        let table = format!("{HEAD}| 1 | Intent first | a |\n| 3 | Asked | b |\n\n## Rest\n");
        let table = ("ARCHITECTURE.md", table.as_str());
        let good = "//! The intent (rule 1). Rules 1 and 3: a rule\n//! 3 of them, a ferrule 9, rule(9)\nlet rule = \"rule 9\";\n";
        assert_eq!(says(&[table, ("a.rs", good)]), [""; 0]);
        let bad = "// (rules 1, 2 and 4)\n//\n// rule\n// 5\n";
        let expected =
            [2, 4].map(|n| format!("a.rs:1: rule {n} does not stand in ARCHITECTURE.md"));
        let found = says(&[table, ("a.rs", bad)]);
        assert_eq!(found[..2], expected);
        assert_eq!(found[2], "a.rs:3: rule 5 does not stand in ARCHITECTURE.md");
    }

    #[test]
    fn the_rules_are_numbered_once_and_in_their_order() {
        let table = format!(
            "{HEAD}| 1 | A | a |\n| 3 | B | |\n| 2 | C | c |\n| | D | d |\n| 2 | E | e |\n"
        );
        let expected = [
            "ARCHITECTURE.md:7: `B`: say what keeps it",
            "ARCHITECTURE.md:8: rule 2 comes after rule 3",
            "ARCHITECTURE.md:9: `D` has no number",
            "ARCHITECTURE.md:10: rule 2 comes after rule 2",
        ];
        assert_eq!(says(&[("ARCHITECTURE.md", &table)]), expected);
        assert!(says(&[])[0].contains("no rules"));
    }

    #[test]
    fn the_list_for_users_has_the_numbers_and_names_of_the_table() {
        let table = format!("{HEAD}| 1 | Intent first | a |\n| 2 | Nothing invented | b |\n");
        let list = "# R\n## How money stays safe\n\n1. **Intent first.** So.\n2. **Asked**, so.\n";
        let found = says(&[("ARCHITECTURE.md", &table), ("README.md", list)]);
        assert_eq!(found, ["README.md:5: rule 2, `Asked`, is called otherwise in ARCHITECTURE.md"]);
    }
}
