//! Settings that documents name must exist: as `server.port`, as `KIUNGO__SERVER__PORT`, in a block
//! of TOML, or in a table of settings.

use std::collections::{BTreeMap, BTreeSet};

use super::markdown::{inline_code, prose};
use super::{Checked, Finding, SourceFile};

/// The file that lists every setting; the entries of lists stand in its comments.
const DEFAULTS: &str = "config/default.toml";
/// The tables whose keys belong to an adapter: its file, its structure, the table.
const ADAPTERS: [(&str, &str, &str); 3] = [
    ("crates/core-fineract/src/config.rs", "Options", "cores.fineract"),
    ("crates/core-fineract/src/config.rs", "Secrets", "cores.secrets"),
    // The secrets of every family.
    ("crates/provider-*/src/config.rs", "Secrets", "providers.secrets"),
];
/// Lists whose entries the environment addresses by their names.
const LISTS: [&str; 3] = ["cores", "providers", "api.keys"];
/// The document that tells of the past.
pub(super) const HISTORY: &str = "CHANGELOG.md";

/// Looks at all documents.
pub(super) fn check(files: &[SourceFile]) -> Checked {
    let declared = Declared::new(files);
    let mut checked = Checked::default();
    for file in files.iter().filter(|file| file.is("md") && file.path != HISTORY) {
        let mut named = in_text(&file.content, &declared);
        named.extend(in_blocks(&file.content, &declared));
        named.extend(in_tables(&file.content));
        for (line, name) in named {
            checked.count += 1;
            if !declared.knows(&name) {
                let says = format!("there is no setting `{}`", name.trim_start_matches("*."));
                checked.findings.push(Finding::new(&file.path, line, says));
            }
        }
    }
    checked
}

/// The keys of each table, by the table's name without brackets.
#[derive(Default)]
struct Declared {
    tables: BTreeMap<String, BTreeSet<String>>,
}

impl Declared {
    fn new(files: &[SourceFile]) -> Self {
        let mut declared = Self::default();
        let content = |path: &str| {
            files.iter().find(|file| file.path == path).map_or("", |file| file.content.as_str())
        };
        let mut table = String::new();
        for line in content(DEFAULTS).lines() {
            let line = line.strip_prefix("# ").unwrap_or(line);
            if let Some(name) = header(line) {
                name.clone_into(&mut table);
                declared.tables.entry(table.clone()).or_default();
            } else if let Some(key) = key(line) {
                declared.insert(&table, key);
            }
        }
        for (path, structure, table) in ADAPTERS {
            for file in files.iter().filter(|file| is_like(&file.path, path)) {
                for field in fields(&file.content, structure) {
                    declared.insert(table, field);
                }
            }
        }
        declared
    }

    fn insert(&mut self, table: &str, key: &str) {
        self.tables.entry(table.to_owned()).or_default().insert(key.to_owned());
    }

    /// True if a path names a table or a key; `*.key` is a key of any table.
    fn knows(&self, path: &str) -> bool {
        let has = |keys: &BTreeSet<String>, key: &str| {
            // Secrets have a second name, for a file.
            let plain = key.strip_suffix("_file").unwrap_or(key);
            [key, plain, &format!("{key}_file")].iter().any(|key| keys.contains(*key))
        };
        match path.rsplit_once('.') {
            _ if self.tables.contains_key(path) => true,
            Some(("*", key)) => {
                let ends = |table: &String| table.rsplit('.').next() == Some(key);
                self.tables.iter().any(|(table, keys)| ends(table) || has(keys, key))
            }
            Some((table, key)) => self.tables.get(table).is_some_and(|keys| has(keys, key)),
            None => false,
        }
    }

    /// True if a path begins as a table does.
    fn begins(&self, path: &str) -> bool {
        let section = |path: &str| path.split('.').next().unwrap_or_default().to_owned();
        let wanted = section(path);
        self.tables.keys().any(|table| section(table) == wanted)
    }
}

/// True if a path is this one, in which a `*` stands for any text.
fn is_like(path: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        Some((before, after)) => {
            path.strip_prefix(before).is_some_and(|rest| rest.ends_with(after))
        }
        None => path == pattern,
    }
}

fn is_path(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '.'
}

/// The table of a line such as `[server]` or `[[api.keys]]`.
fn header(line: &str) -> Option<&str> {
    let name = line.strip_prefix("[[").or_else(|| line.strip_prefix('['))?;
    let (name, _) = name.split_once(']')?;
    (!name.is_empty() && name.chars().all(is_path)).then_some(name)
}

/// The key of a line such as `port = 8080`.
fn key(line: &str) -> Option<&str> {
    let (key, value) = line.split_once(" = ")?;
    let starts = value.starts_with(['"', '[', '{']) || value.starts_with(char::is_numeric);
    let value = starts || value.starts_with("true") || value.starts_with("false");
    (value && !key.is_empty() && key.chars().all(|c| is_path(c) && c != '.')).then_some(key)
}

/// The fields of a structure.
fn fields<'a>(source: &'a str, structure: &str) -> impl Iterator<Item = &'a str> {
    let opening = format!("pub struct {structure} {{");
    let body = source.lines().skip_while(move |line| *line != opening).skip(1);
    let body = body.take_while(|line| *line != "}");
    body.filter_map(|line| Some(line.strip_prefix("    pub ")?.split_once(':')?.0))
}

/// The settings that stand in inline code, and the variables of the environment.
fn in_text(content: &str, declared: &Declared) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (line, code) in inline_code(content) {
        let bare = code.trim_start_matches('[');
        let (path, rest) = bare.split_at(bare.find(|c| !is_path(c)).unwrap_or(bare.len()));
        let ends = rest.is_empty() || rest.starts_with([' ', '=', ']', '…']);
        let is_header = bare.len() < code.len() && rest.starts_with(']');
        if ends && (is_header || path.contains('.')) && declared.begins(path) {
            found.push((line, path.trim_end_matches('.').to_owned()));
        }
    }
    for (index, line) in content.lines().enumerate() {
        for variable in line.split("KIUNGO__").skip(1) {
            let name = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
            let variable = variable.split(|c| !name(c)).next().unwrap_or_default();
            let path = variable.to_lowercase().replace("__", ".");
            if declared.begins(&path) {
                found.push((index + 1, without_entry(&path)));
            }
        }
    }
    found
}

/// The path of a variable without the name of a list's entry.
fn without_entry(path: &str) -> String {
    for list in LISTS {
        if let Some(rest) = path.strip_prefix(list).and_then(|rest| rest.strip_prefix('.')) {
            let inside = rest.split_once('.').map_or("", |(_, inside)| inside);
            return format!("{list}.{inside}");
        }
    }
    path.to_owned()
}

/// The settings in blocks of TOML, below headers of the configuration.
fn in_blocks(content: &str, declared: &Declared) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut inside = false;
    let mut table = None;
    for (index, line) in content.lines().enumerate() {
        if line.starts_with("```") {
            inside = !inside && line == "```toml";
            table = None;
        } else if let Some(name) = header(line).filter(|_| inside) {
            table = declared.begins(name).then_some(name);
            found.extend(table.map(|name| (index + 1, name.to_owned())));
        } else if let (true, Some(table), Some(key)) = (inside, table, key(line)) {
            found.push((index + 1, format!("{table}.{key}")));
        }
    }
    found
}

/// The keys without their section in the first column of tables that are headed `setting`.
fn in_tables(content: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut inside = false;
    for (line, text) in prose(content) {
        inside = text.starts_with("| setting |") || (inside && text.starts_with('|'));
        let cell = text.split('|').nth(1).filter(|_| inside).unwrap_or_default();
        let keys = cell.split('`').skip(1).step_by(2);
        let keys = keys.filter(|key| key.chars().all(|c| is_path(c) && c != '.'));
        found.extend(keys.map(|key| (line, format!("*.{key}"))));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTED: &str = "[server]\n# A port = a door.\nport = 8080\n\n[api]\n# [[api.keys]]\n# name = \"a\"   # who\n# [[providers]]\n# proxy_file = \"\"\n";
    const SECRETS: &str = "pub struct Secrets {\n    /// It.\n    pub api_key: Text,\n}\npub struct Other {\n    pub no: u8,\n}\n";

    fn says(document: &str) -> Vec<String> {
        let adapter = ADAPTERS[2].0;
        let files = [(DEFAULTS, LISTED), (adapter, SECRETS), ("docs/a.md", document)];
        let file = |(path, content): (&str, &str)| SourceFile {
            path: path.to_owned(),
            content: content.to_owned(),
        };
        check(&files.map(file)).findings.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn settings_in_inline_code_exist() {
        let good = "`server.port` `server.port = 9` `[server]` `[[api.keys]]` `providers.proxy` \
                    `providers.secrets.api_key_file` `providers.secrets.` `server.rs()` `[other]` \
                    `other.key` `server`\n";
        assert_eq!(says(good), [""; 0]);
        let bad = "`server.ports`\n`[[api.clients]]` `providers.secrets.no` `server.a = 1`\n";
        let expected = [
            "docs/a.md:1: there is no setting `server.ports`",
            "docs/a.md:2: there is no setting `api.clients`",
            "docs/a.md:2: there is no setting `providers.secrets.no`",
            "docs/a.md:2: there is no setting `server.a`",
        ];
        assert_eq!(says(bad), expected);
    }

    #[test]
    fn variables_of_the_environment_name_settings() {
        let good = "KIUNGO__SERVER__PORT=1 KIUNGO__SECTION__KEY\n\
                    KIUNGO__PROVIDERS__MPESA_TZ__SECRETS__API_KEY `KIUNGO__`\n";
        assert_eq!(says(good), [""; 0]);
        let bad = "```sh\nKIUNGO__SERVER__PORTS=1 KIUNGO__API__KEYS__ME__AGE=3\n```\n";
        let expected = ["server.ports", "api.keys.age"]
            .map(|name| format!("docs/a.md:2: there is no setting `{name}`"));
        assert_eq!(says(bad), expected);
    }

    #[test]
    fn settings_in_blocks_of_toml_exist() {
        let good = "```toml\nx = 1\n[server]\nport = 1   # a\n[limits]\nx = 1\n[[api.keys]]\nname = \"\"\n```\n[server]\nx = 1\n";
        assert_eq!(says(good), [""; 0]);
        let bad = "```toml\n[server]\nports = 1\n[server.tls]\n```\n";
        let expected =
            ["3: there is no setting `server.ports`", "4: there is no setting `server.tls`"]
                .map(|says| format!("docs/a.md:{says}"));
        assert_eq!(says(bad), expected);
    }

    #[test]
    fn settings_in_tables_exist() {
        let table = "| setting | meaning |\n| --- | --- |\n| `port`, `ports`, `keys` | `a` |\n| a `[x]` | b |\n\n| `y` |\n";
        assert_eq!(says(table), ["docs/a.md:3: there is no setting `ports`"]);
    }
}
