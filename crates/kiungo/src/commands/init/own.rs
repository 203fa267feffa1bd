//! `kiungo init`: a configuration for a real core and provider, with blanks for the values that
//! only the user knows.

use std::path::Path;

use kiungo_sandbox::configuration::Configuration;
use kiungo_sandbox::members::gsma::ID;
use kiungo_sandbox::{NewFile, secrets, shipped};

use super::plan::{DATABASE, Plan};

/// The secrets that other parties issue: their files are empty, which `kiungo config check`
/// reports.
const FOREIGN: [&str; 3] = ["core-password", "gsma-client-id", "gsma-client-secret"];

/// The files to be written to `folder`, which the user calls `named`.
pub(super) fn plan(named: &Path, folder: &Path, port: u16) -> anyhow::Result<Plan> {
    let (api_key, callback) = (secrets::fresh()?, secrets::fresh()?);
    let secret = |name: &str| Configuration::secret_path(folder, name);
    let mut files = vec![
        NewFile::open(
            Configuration::path(folder),
            text(folder, port, &kiungo_api::sha256_hex(api_key.as_bytes())),
        ),
        NewFile::private(secret("callback"), &callback),
    ];
    // The mapping stays apart from the file that it extends: what is changed in it is the user's own, and a
    // later release can bring another parent.
    files.extend(shipped::files(ID)?.into_iter().map(|(name, text)| {
        NewFile::open(Configuration::mapping_path(folder, name), text.to_owned())
    }));
    files.extend(FOREIGN.map(|name| NewFile::private(secret(name), "")));
    let dir = named.display();
    let next = format!(
        "The API key, for its holder alone; it is not kept anywhere:\n\n    {api_key}\n\n\
         To be filled in: what says FILL IN in kiungo.toml, and the empty files in secrets/: {}.\n\
         This names what is left, then what does not answer:\n\
         \x20 kiungo config check --config {dir}/kiungo.toml\n\
         \x20 kiungo doctor --config {dir}/kiungo.toml\n\
         Limits and addresses of the provider stand in mappings/{ID}.toml, its codes and waits in the file\n\
         that this one extends: compare them with your contract. `kiungo mapping show` prints both as one. To try everything without a core and a provider: kiungo init --sandbox",
        FOREIGN.join(", ")
    );
    Ok(Plan { files, next, api_key: Some(api_key) })
}

fn text(folder: &Path, port: u16, key_digest: &str) -> String {
    let secret = Configuration::secret;
    format!(
        r#"# Kiungo's configuration, written by `kiungo init`. What says FILL IN is yours to write, and so are the
# empty files in secrets/; `kiungo config check --config {own}` names what is left.
#
# Relative paths count from the folder of this file. Only what differs from the defaults stands here:
# config/default.toml lists every key with its meaning and the reason for its default, and
# `kiungo config show` prints what is in effect.

[server]
# Only this machine reaches it: put a reverse proxy with TLS in front.
listen = "127.0.0.1"
port = {port}
# How the provider reaches this server through that proxy: https://pay.example
public_url = "FILL IN"

[database]
# A file, for one process. A PostgreSQL server, for several: docs/operating.md, "PostgreSQL".
url = "{database}"

# Who may use the API; `kiungo config key` makes further keys.
# roles: "read" (look), "write" (start transfers, ask again), "operate" (reversals, suspense, full numbers).
[[api.keys]]
name = "mobile-app"
sha256 = "{key_digest}"
roles = ["read", "write"]

# The core: docs/fineract.md says which user and permissions it needs.
[[cores]]
id = "main"

[cores.fineract]
# Up to its context path: https://core.example:8443/fineract-provider
base_url = "FILL IN"
tenant = "default"
# The tenant's time zone decides on which day is booked; the core does not tell it.
time_zone = "FILL IN"
auth = {{ type = "basic", username = "kiungo" }}
# The payment type under which is booked, where the mapping names none: GET /v1/paymenttypes
payment_type = 1

[cores.secrets]
# The password of that user.
password_file = {core_password}

# The provider: its market, limits, codes and waits stand in its mapping. Other markets that are known:
# mappings/ of the source, or /usr/share/kiungo/mappings; docs/providers says what each needs.
[[providers]]
id = "gsma-sandbox"
mapping = {mapping}
# Part of the address that the provider calls back; made for you.
callback_secret_file = {callback}

[providers.secrets]
# Consumer key and secret, as the provider gave them to you.
client_id_file = {client_id}
client_secret_file = {client_secret}

[log]
# "json" for collectors.
format = "text"
"#,
        own = Configuration::path(folder).display(),
        database = DATABASE,
        core_password = secret("core-password"),
        mapping = Configuration::mapping(ID),
        callback = secret("callback"),
        client_id = secret("gsma-client-id"),
        client_secret = secret("gsma-client-secret"),
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;

    use kiungo_sandbox::files::write_new;

    use super::*;
    use crate::components::Assembly;
    use kiungo_settings::Problems;

    use crate::config::{Config, Sources};
    use crate::serve;

    fn load(folder: &Path) -> Result<Config, Problems> {
        let file = Some(Configuration::path(folder));
        Config::load(&Sources { file, environment: BTreeMap::new() })
    }

    #[test]
    fn blanks_are_named_and_nothing_else_is_missing() {
        let home = tempfile::tempdir().unwrap();
        let plan = plan(home.path(), home.path(), 8080).unwrap();
        let key = plan.api_key.unwrap();
        assert!(plan.next.contains(&key));
        write_new(&plan.files).unwrap();
        let mut mappings: Vec<_> = fs::read_dir(home.path().join("mappings")).unwrap().collect();
        mappings.sort_by_key(|entry| entry.as_ref().unwrap().path());
        let files = mappings.into_iter().map(|entry| entry.unwrap().file_name());
        let copied = ["gsma-mobile-money.toml", "gsma-sandbox.toml"];
        assert_eq!(files.collect::<Vec<_>>(), copied, "the file and the one that it extends");
        let errors = load(home.path()).unwrap_err();
        let mut named: Vec<_> =
            errors.problems().iter().map(|problem| problem.key.as_str()).collect();
        named.sort_unstable();
        let expected = [
            "cores[0].fineract.base_url",
            "cores[0].fineract.time_zone",
            "cores[0].secrets.password_file",
            "providers[0].secrets.client_id_file",
            "providers[0].secrets.client_secret_file",
            "server.public_url",
        ];
        assert_eq!(named, expected, "{errors}");
        assert!(errors.to_string().contains("is still to be filled in"), "{errors}");
        let file = Configuration::path(home.path());
        let text = fs::read_to_string(&file).unwrap();
        assert!(!text.contains(&key), "the key is kept nowhere");
        let text = text
            .replacen("public_url = \"FILL IN\"", "public_url = \"https://pay.example\"", 1)
            .replacen("base_url = \"FILL IN\"", "base_url = \"https://core.example/f\"", 1)
            .replacen("time_zone = \"FILL IN\"", "time_zone = \"Africa/Maseru\"", 1);
        fs::write(&file, text).unwrap();
        for name in FOREIGN {
            fs::write(Configuration::secret_path(home.path(), name), "sesame\n").unwrap();
        }
        let config = load(home.path()).unwrap();
        assert!(config.warnings.is_empty(), "{:?}", config.warnings);
        serve::check(&config).unwrap();
        assert_eq!(Assembly::new(&config).unwrap().providers.len(), 1);
    }
}
