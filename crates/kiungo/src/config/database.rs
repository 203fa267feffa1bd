//! `[database]`. What each key means stands in `config/default.toml`.

use std::path::Path;

use kiungo_settings::Layer;
use kiungo_store_sql::{Address, sqlite_path};
use secrecy::{ExposeSecret as _, SecretString};

use super::read::{Section, quoted};
use super::secret;
use crate::failure::Failure;

/// `[database]`.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    pub(crate) address: Address,
    /// File, line and key of the address, for messages.
    place: String,
}

impl Database {
    pub(super) fn read(mut section: Section<'_>) -> Option<Self> {
        let url = url(&mut section, "\"sqlite://data/kiungo.db\"");
        let password = secret::one(&mut section, "password", "password_file");
        let unverified_allowed = section.flag("unverified_allowed");
        let readers_max = section.integer("connections_max", 1..=256);
        let batch_max = section.integer("batch_max", 1..=4096);
        let queue_max = section.integer("queue_max", 16..=1_000_000);
        let database = url.and_then(|(key, url)| {
            let address = Address::parse(url.expose_secret(), section.folder_of(key));
            let mut address = address.map_err(|why| section.problem(key, why)).ok()?;
            let password = password.filter(|_| !has_own_password(&section, key, &url));
            match &mut address {
                Address::Sqlite(options) => {
                    if password.is_some() {
                        section.problem("password", "a SQLite file has no password".to_owned());
                    }
                    if let Some(why) = left_behind(url.expose_secret(), &options.path) {
                        section.problem(key, why);
                    }
                    (options.batch_max, options.queue_max) = (batch_max, queue_max);
                    options.readers_max = readers_max;
                }
                Address::Postgres(options) => {
                    if let Some(password) = password {
                        **options = options.as_ref().clone().password(password.expose_secret());
                    }
                    (options.batch_max, options.queue_max) = (batch_max, queue_max);
                    options.readers_max = readers_max;
                    if !unverified_allowed && !options.is_private() {
                        section.problem(key, UNVERIFIED.to_owned());
                    }
                }
            }
            Some(Self { address, place: format!("{}: database.{key}", section.place(key)) })
        });
        section.finish();
        database
    }

    /// A failure of the database, with the place of its address.
    pub(crate) fn failure(&self, why: &dyn std::fmt::Display) -> Failure {
        Failure::failed(format!("{}: {why}", self.place))
    }
}

const UNVERIFIED: &str = "the server is on another machine and need not prove which it is, so that \
    others on the way could read and change what is kept: add sslmode=verify-full and \
    sslrootcert=FILE behind a question mark, or set database.unverified_allowed = true where the \
    network in between is trusted";

/// The address, and the key that gives it. Of a queue as of a database.
pub(super) fn url(
    section: &mut Section<'_>,
    example: &str,
) -> Option<(&'static str, SecretString)> {
    let text = section.read_text("url").unwrap_or_default();
    let shown = without_password(&text);
    section.show("url", &quoted(&shown));
    let path = section.text("url_file");
    if shown != text && section.layer("url") != Layer::Environment {
        let message = "a password must not stand in a configuration file: use password_file or \
                       url_file, or the environment";
        section.problem("url", message.to_owned());
        return None;
    }
    let both = !text.is_empty() && !path.is_empty();
    if !path.is_empty() && (!both || secret::goes_before(section, "url_file", "url")) {
        return secret::from_file(section, "url_file", &path).map(|url| ("url_file", url));
    }
    if text.is_empty() {
        section.problem("url", format!("is missing; write {example}"));
        return None;
    }
    Some(("url", SecretString::from(text)))
}

/// True if an address holds a password, and comes from a later source than the password beside it. Of a
/// queue as of a database.
pub(super) fn has_own_password(section: &Section<'_>, key: &str, url: &SecretString) -> bool {
    let url = url.expose_secret();
    let beside = section.layer("password").max(section.layer("password_file"));
    without_password(url) != url && section.layer(key) > beside
}

/// The reason not to make a new database at `path`: there is one where the same relative path led before
/// relative paths counted from the configuration file.
fn left_behind(url: &str, path: &Path) -> Option<String> {
    let before = Path::new(sqlite_path(url)?);
    (!path.exists() && before != path && before.exists()).then(|| {
        format!(
            "`{}` does not exist, and `{}` of the current directory does: relative paths count from the \
             directory of the configuration file; stop Kiungo and move the database there, or write its \
             absolute path",
            path.display(),
            before.display()
        )
    })
}

/// An address with `***` for each password in it.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (rest, query) = rest.split_once('?').map_or((rest, None), |(r, query)| (r, Some(query)));
    let end = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let authority = match authority.rsplit_once('@') {
        Some((user, host)) if user.contains(':') => {
            format!("{}:***@{host}", user.split(':').next().unwrap_or_default())
        }
        _ => authority.to_owned(),
    };
    let hidden = |parameter: &str| match parameter.split_once('=') {
        // As the address itself is read: the name of a parameter may be written with percent signs.
        Some((name, _)) if name == "password" || name.contains('%') => format!("{name}=***"),
        _ => parameter.to_owned(),
    };
    let query = query.map(|query| query.split('&').map(hidden).collect::<Vec<_>>().join("&"));
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    format!("{scheme}://{authority}{path}{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_hidden_wherever_an_address_has_them() {
        for (url, shown) in [
            ("postgres://k:geheim@h:1/d", "postgres://k:***@h:1/d"),
            ("postgres://k:ge@heim@h?a=b", "postgres://k:***@h?a=b"),
            ("postgres://k@h/d?a=b&password=geheim", "postgres://k@h/d?a=b&password=***"),
            ("postgres://k@h/d?p%61ssword=geheim", "postgres://k@h/d?p%61ssword=***"),
            ("postgres://k@h/d?sslmode=require", "postgres://k@h/d?sslmode=require"),
            ("sqlite://data/kiungo.db", "sqlite://data/kiungo.db"),
            ("amqps://k:geheim@h:5671/%2f", "amqps://k:***@h:5671/%2f"),
            ("embedded", "embedded"),
        ] {
            assert_eq!(without_password(url), shown);
        }
    }
}
