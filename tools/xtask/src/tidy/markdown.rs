//! Rules about documents: one title each, and links that lead somewhere.

use super::{Finding, SourceFile};

/// Looks at one document; `files` are all that a link may lead to.
pub(super) fn check(file: &SourceFile, files: &[SourceFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let titles = titles(&file.content);
    match titles.iter().filter(|title| title.level == 1).count() {
        1 => {}
        count => {
            let says = format!("{count} titles (`# …`); a document has one");
            findings.push(Finding::new(&file.path, 0, says));
        }
    }
    for (line, target) in links(&file.content) {
        if let Err(says) = follow(file, &target, files) {
            findings.push(Finding::new(&file.path, line, format!("link `{target}`: {says}")));
        }
    }
    findings
}

/// A heading.
struct Title {
    level: usize,
    anchor: String,
}

fn titles(content: &str) -> Vec<Title> {
    let mut titles: Vec<Title> = Vec::new();
    for (_, line) in prose(content) {
        let level = line.bytes().take_while(|byte| *byte == b'#').count();
        if !(1..=6).contains(&level) || !line[level..].starts_with(' ') {
            continue;
        }
        let plain = anchor(line[level..].trim());
        let same = |title: &&Title| {
            title.anchor == plain
                || title.anchor.strip_prefix(&plain).is_some_and(|rest| rest.starts_with('-'))
        };
        let before = titles.iter().filter(same).count();
        let anchor = if before == 0 { plain } else { format!("{plain}-{before}") };
        titles.push(Title { level, anchor });
    }
    titles
}

/// The anchor that viewers give a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// The lines outside fenced blocks, each with its number.
pub(super) fn prose(content: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    content.lines().enumerate().filter_map(move |(index, line)| {
        let fence = line.trim_start().starts_with("```") || line.trim_start().starts_with("~~~");
        if fence {
            fenced = !fenced;
        }
        (!fence && !fenced).then_some((index + 1, line))
    })
}

/// The texts between back-ticks, each with its line.
pub(super) fn inline_code(content: &str) -> impl Iterator<Item = (usize, &str)> {
    prose(content).flat_map(|(number, line)| {
        line.split('`').skip(1).step_by(2).map(move |code| (number, code))
    })
}

/// The targets of links, each with its line: `[text](target)` and `[name]: target`.
fn links(content: &str) -> Vec<(usize, String)> {
    let mut links = Vec::new();
    for (number, line) in prose(content) {
        let line = without_code(line);
        for part in line.split("](").skip(1) {
            let target = part.split(')').next().unwrap_or_default();
            let target = target.split_whitespace().next().unwrap_or_default();
            links.push((number, target.trim_matches(['<', '>']).to_owned()));
        }
        if let Some((name, target)) = line.split_once("]: ")
            && name.starts_with('[')
        {
            links.push((number, target.trim().to_owned()));
        }
    }
    links
}

/// A line with what stands between back-ticks blanked out.
fn without_code(line: &str) -> String {
    let parts = line.split('`').enumerate();
    parts.map(|(index, part)| if index % 2 == 0 { part } else { "" }).collect::<Vec<_>>().join("`")
}

fn follow(file: &SourceFile, target: &str, files: &[SourceFile]) -> Result<(), String> {
    let elsewhere = ["http://", "https://", "mailto:"].iter().any(|s| target.starts_with(s));
    // rustdoc resolves paths of items itself.
    if elsewhere || target.contains("::") {
        return Ok(());
    }
    let (path, wanted) = target.split_once('#').unwrap_or((target, ""));
    let path = if path.is_empty() { file.path.clone() } else { resolve(&file.path, path)? };
    let folder = format!("{}/", path.trim_end_matches('/'));
    let found = files.iter().find(|other| other.path == path);
    if found.is_none() && !files.iter().any(|other| other.path.starts_with(&folder)) {
        return Err("there is no such file".to_owned());
    }
    let known = |found: &SourceFile| titles(&found.content).iter().any(|t| t.anchor == wanted);
    if wanted.is_empty() || found.is_some_and(known) {
        Ok(())
    } else {
        Err(format!("there is no heading `#{wanted}`"))
    }
}

/// A path relative to the document, as one relative to the workspace.
pub(super) fn resolve(from: &str, path: &str) -> Result<String, String> {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop().ok_or_else(|| "it leads out of the project".to_owned())?;
            }
            part => parts.push(part),
        }
    }
    Ok(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, content: &str) -> SourceFile {
        SourceFile { path: path.to_owned(), content: content.to_owned() }
    }

    fn says(path: &str, content: &str) -> Vec<String> {
        let there =
            file("docs/other.md", "# Other\n\n## What `it` is, and why\n\n## Same\n\n## Same\n");
        let document = file(path, content);
        check(&document, &[there, document.clone()]).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_document_has_one_title() {
        assert_eq!(says("a.md", "# A\n\n```sh\n# no title\n```\n"), Vec::<String>::new());
        assert_eq!(says("a.md", "# A\n# B\n").len(), 1);
        assert_eq!(says("a.md", "text\n").len(), 1);
    }

    #[test]
    fn inline_code_stands_outside_of_blocks() {
        let content = "a `b c` d `e`\n```sh\n`f`\n```\n`g`\n";
        let found: Vec<_> = inline_code(content).collect();
        assert_eq!(found, [(1, "b c"), (1, "e"), (5, "g")]);
    }

    #[test]
    fn links_lead_somewhere() {
        let good = "# A\n[o](other.md#what-it-is-and-why) [s](other.md#same-1) [a](#a) `[x](no.md)`\n\
                    [h](https://example.org/x) [f](../docs)\n[n]: other.md\n";
        assert_eq!(says("docs/a.md", good), Vec::<String>::new());
        let bad = "# A\n[g](gone.md)\n[h](other.md#gone) [i](../../x.md)\n[n]: gone.md\n";
        let found = says("docs/a.md", bad);
        assert_eq!(found.len(), 4, "{found:?}");
        assert!(found[0].starts_with("docs/a.md:2: link `gone.md`"), "{found:?}");
    }
}
