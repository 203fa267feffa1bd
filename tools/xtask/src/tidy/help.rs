//! Reads back the text that `-h` prints about a command, and compares it with how a document uses
//! it.

use std::collections::BTreeMap;

/// A command's options and arguments.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Help {
    pub(super) subcommands: Vec<String>,
    options: BTreeMap<String, Option_>,
    arguments_least: usize,
    /// `None` for any number.
    arguments_most: Option<usize>,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Option_ {
    takes_value: bool,
    values: Vec<String>,
    required: bool,
}

impl Help {
    /// Reads the text that `clap` prints for `-h`; `None` if it is no such text.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let usage = text.lines().find_map(|line| line.trim().strip_prefix("Usage:"))?;
        let mut help = Self { arguments_most: Some(0), ..Self::default() };
        let mut section = "";
        for line in text.lines() {
            if !line.starts_with(' ') && line.ends_with(':') {
                section = line;
            } else if section == "Commands:" && line.starts_with("  ") && !line.starts_with("   ") {
                help.subcommands.extend(line.split_whitespace().next().map(str::to_owned));
            } else if section == "Arguments:" && line.starts_with("  ") {
                help.argument(line.trim());
            } else if line.trim_start().starts_with('-') {
                help.option(line.trim());
            }
        }
        help.require(usage);
        Some(help)
    }

    fn argument(&mut self, line: &str) {
        if !line.starts_with(['<', '[']) {
            return;
        }
        let name = line.split_whitespace().next().unwrap_or_default();
        self.arguments_least += usize::from(name.starts_with('<'));
        self.arguments_most =
            if name.ends_with("...") { None } else { self.arguments_most.map(|most| most + 1) };
    }

    /// Reads an option such as `-c, --config <FILE> Its meaning [possible values: a, b]`.
    fn option(&mut self, line: &str) {
        let declared = line.split("  ").next().unwrap_or_default();
        let words = || declared.split([' ', ',']).filter(|word| !word.is_empty());
        let possible =
            line.split_once("[possible values: ").and_then(|(_, rest)| rest.split_once(']'));
        let values = possible.map(|(list, _)| list.split(", ").map(str::to_owned).collect());
        for name in words().filter(|word| word.starts_with('-')) {
            let takes_value = words().any(|word| word.starts_with('<'));
            let values = values.clone().unwrap_or_default();
            let option = Option_ { takes_value, values, required: false };
            self.options.insert(name.trim_end_matches("...").to_owned(), option);
        }
    }

    /// Marks everything in the usage that stands outside of brackets as required.
    fn require(&mut self, usage: &str) {
        let mut depth = 0_usize;
        for word in usage.split_whitespace() {
            let opened = word.matches(['[', '(']).count();
            if depth + opened == 0
                && let Some(option) = self.options.get_mut(word)
            {
                option.required = true;
            }
            depth = (depth + opened).saturating_sub(word.matches([']', ')']).count());
        }
    }

    /// Checks that a command can be given these words after its name.
    pub(super) fn accepts(&self, words: &[String]) -> Result<(), String> {
        let mut given: Vec<&str> = Vec::new();
        let mut arguments = 0;
        let mut words = words.iter();
        while let Some(word) = words.next() {
            if !word.starts_with('-') || word == "-" {
                arguments += 1;
                continue;
            }
            let (name, value) = match word.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (word.as_str(), None),
            };
            let option = self.options.get(name).ok_or_else(|| format!("there is no `{name}`"))?;
            given.push(name);
            let value = match (option.takes_value, value) {
                (true, None) => words.next().map(String::as_str),
                (_, value) => value,
            };
            match value {
                None if option.takes_value => return Err(format!("`{name}` needs a value")),
                Some(_) if !option.takes_value => return Err(format!("`{name}` takes no value")),
                Some(value)
                    if !option.values.is_empty() && !option.values.iter().any(|v| v == value) =>
                {
                    return Err(format!("`{name}` is one of {}", option.values.join(", ")));
                }
                _ => {}
            }
        }
        let missing = self
            .options
            .iter()
            .find(|(name, option)| option.required && !given.contains(&name.as_str()));
        if let Some((name, _)) = missing {
            return Err(format!("`{name}` is missing"));
        }
        self.count(arguments)
    }

    /// Checks that all options among these words exist.
    pub(super) fn knows(&self, words: &[String]) -> Result<(), String> {
        let mut names = words.iter().filter(|word| word.starts_with('-'));
        let name = |word: &String| word.split('=').next().unwrap_or_default().to_owned();
        let unknown = names.find(|word| !self.options.contains_key(&name(word)));
        unknown.map_or(Ok(()), |word| Err(format!("there is no `{}`", name(word))))
    }

    fn count(&self, arguments: usize) -> Result<(), String> {
        if arguments < self.arguments_least {
            return Err(format!("it needs {} arguments, not {arguments}", self.arguments_least));
        }
        match self.arguments_most {
            Some(most) if arguments > most => {
                Err(format!("it takes {most} arguments, not {arguments}"))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOP: &str = "Moves money\n\nUsage: kiungo [OPTIONS] <COMMAND>\n\nCommands:\n  demo      A day\n  transfer  Transfers\n                more about it\n\nOptions:\n  -h, --help     Print help\n      --json     JSON\n";
    const CREATE: &str = "Creates\n\nUsage: kiungo transfer create [OPTIONS] --kind <KIND> <ID>\n\nArguments:\n  <ID>     The id\n  [NOTE]   A note\n\nOptions:\n  -c, --config <FILE>  The file [env: X=]\n      --kind <KIND>    Which [possible values: deposit, withdrawal]\n      --json           JSON\n";

    fn accepts(help: &str, words: &str) -> Result<(), String> {
        let words: Vec<_> = words.split_whitespace().map(str::to_owned).collect();
        Help::parse(help).unwrap().accepts(&words)
    }

    #[test]
    fn subcommands_are_read() {
        assert_eq!(Help::parse(TOP).unwrap().subcommands, ["demo", "transfer"]);
        assert_eq!(Help::parse(""), None);
        assert!(accepts(TOP, "--json").is_ok());
        assert!(accepts(TOP, "nonsense").is_err());
    }

    #[test]
    fn options_and_arguments_are_compared() {
        assert_eq!(accepts(CREATE, "ID --kind deposit --json -c kiungo.toml"), Ok(()));
        assert_eq!(accepts(CREATE, "--config=kiungo.toml ID NOTE --kind=deposit"), Ok(()));
        for (words, why) in [
            ("ID", "`--kind` is missing"),
            ("--kind deposit", "needs 1 arguments"),
            ("A B C --kind deposit", "takes 2 arguments"),
            ("ID --kind loan", "one of deposit, withdrawal"),
            ("ID --kind", "needs a value"),
            ("ID --kind deposit --json=yes", "takes no value"),
            ("ID --kind deposit --fast", "no `--fast`"),
        ] {
            let error = accepts(CREATE, words).unwrap_err();
            assert!(error.contains(why), "{words}: {error}");
        }
    }
}
