//! Configurations as an operator writes them, and what is said about mistakes.
//!
//! * `sources`: which source counts, and what is warned of

mod sources;

use std::path::Path;
use std::time::Duration;

use insta::assert_snapshot;
use kiungo_api::Role;
use kiungo_settings::duration;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::problem::Warning;
use super::{Config, Sources};
use crate::logging::LogFormat;

pub(super) const FILE: &str = r#"
[server]
public_url = "https://pay.example/"

[[api.keys]]
name = "mobile-app"
sha256 = "3c8d1fa5b0e94c7a21d6f5807be3a9142f60c8d73b5e91a04cd2867f1b9e05a3"
roles = ["read", "write"]

[[cores]]
id = "main"
[cores.fineract]
base_url = "https://core.example/fineract-provider"
auth = { type = "basic", username = "kiungo" }
command_timeout_ms = 60000
[cores.inquiry]
ladder = ["10s", "1m"]

[[providers]]
id = "mpesa-tz"
mapping = "MAPPINGS/mpesa-tz.toml"

[[providers]]
id = "gsma-sandbox"
mapping = "MAPPINGS/gsma-sandbox.toml"
"#;

/// A directory with a configuration file.
pub(super) struct Place(tempfile::TempDir);

impl Place {
    pub(super) fn new(file: &str) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        let mappings = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../mappings");
        place.write("kiungo.toml", &file.replace("MAPPINGS", mappings.to_str().unwrap()));
        place
    }

    pub(super) fn write(&self, name: &str, text: &str) -> String {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    pub(super) fn load(&self, environment: &[(&str, &str)]) -> Result<Config, String> {
        let pairs = environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        let file = Some(self.0.path().join("kiungo.toml"));
        let sources = Sources { file, environment: pairs.collect() };
        Config::load(&sources).map_err(|errors| self.hide(&errors.to_string()))
    }

    fn check(&self, environment: &[(&str, &str)]) -> String {
        let config = self.load(environment).unwrap_or_else(|errors| panic!("{errors}"));
        self.hide(&config.check().unwrap_err().to_string())
    }

    /// The text without this machine's directories.
    fn hide(&self, text: &str) -> String {
        let mappings = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../mappings");
        text.replace(self.0.path().to_str().unwrap(), "DIR")
            .replace(mappings.to_str().unwrap(), "MAPPINGS")
    }
}

pub(super) const SECRETS: [(&str, &str); 3] = [
    ("KIUNGO__PROVIDERS__MPESA_TZ__SECRETS__API_KEY", "0123456"),
    ("KIUNGO__PROVIDERS__GSMA_SANDBOX__CALLBACK_SECRET", "0123456789abcdef01"),
    ("KIUNGO__CORES__MAIN__SECRETS__PASSWORD", "0042"),
];

#[derive(Deserialize)]
struct CoreSecrets {
    password: SecretString,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MpesaSecrets {
    api_key: SecretString,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FineractOptions {
    base_url: String,
    auth: Auth,
    #[serde(default)]
    command_timeout_ms: u64,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum Auth {
    Basic { username: String },
}

#[test]
fn the_defaults_alone_can_be_loaded_and_are_the_documented_ones() {
    let config = Config::load(&Sources::default()).unwrap();
    assert_eq!(config.server.address.to_string(), "127.0.0.1:8080");
    assert_eq!(config.database.address.shown(), "data/kiungo.db");
    assert_eq!(config.engine.in_flight_max, 512);
    assert_eq!(config.log.format, LogFormat::Text);
    assert!(config.api.keys.is_empty(), "nothing is open by default");
    assert!(config.cores.is_empty() && config.providers.is_empty());
}

#[test]
fn every_key_that_is_read_is_in_the_default_file() {
    let shown: toml::Table = Config::load(&Sources::default()).unwrap().redacted().parse().unwrap();
    let documented: toml::Table = super::sources::DEFAULTS.parse().unwrap();
    let keys = |table: &toml::Table| {
        let sections = table.iter().map(|(name, section)| {
            let mut keys: Vec<String> = section.as_table().unwrap().keys().cloned().collect();
            keys.sort();
            (name.clone(), keys)
        });
        sections.collect::<std::collections::BTreeMap<_, _>>()
    };
    assert_eq!(keys(&shown), keys(&documented));
}

#[test]
fn the_environment_goes_before_the_file_and_the_file_before_the_defaults() {
    let place = Place::new(&FILE.replace("[server]", "[server]\nport = 7000\nlisten = \"::1\""));
    let config = place.load(&[("KIUNGO__SERVER__PORT", "9000")]).unwrap();
    assert_eq!(config.server.address.to_string(), "[::1]:9000");
    assert_eq!(config.server.public_url.as_deref(), Some("https://pay.example"));
    assert_eq!(config.server.shutdown_grace, Duration::from_secs(30));
}

#[test]
fn a_password_of_digits_stays_a_text() {
    let config = Place::new(FILE).load(&SECRETS).unwrap();
    let secrets: MpesaSecrets = config.providers[0].secrets.read().unwrap();
    assert_eq!(secrets.api_key.expose_secret(), "0123456");
    let error = config.cores[0].secrets.read::<MpesaSecrets>().unwrap_err().to_string();
    assert_eq!(error, "unknown field `password`, expected `api_key`");
}

#[test]
fn a_secret_file_loses_its_line_break_and_an_open_one_is_warned_of() {
    let place = Place::new(FILE);
    let path = place.write("secret", "p@ss word\n");
    let config =
        place.load(&[("KIUNGO__CORES__MAIN__SECRETS__PASSWORD_FILE", path.as_str())]).unwrap();
    let secrets: CoreSecrets = config.cores[0].secrets.read().unwrap();
    assert_eq!(secrets.password.expose_secret(), "p@ss word");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let set = |mode| {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let environment = [("KIUNGO__CORES__MAIN__SECRETS__PASSWORD_FILE", path.as_str())];
            place.load(&environment).unwrap().warnings
        };
        assert_eq!(set(0o600), Vec::<Warning>::new());
        let warnings = set(0o644);
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].message.contains("can be read by every user"), "{}", warnings[0]);
    }
}

#[test]
fn a_database_server_is_taken_if_it_is_here_or_proves_itself_or_is_let_off() {
    for (url, more) in [
        ("postgres://kiungo@localhost/kiungo", ""),
        ("postgres://kiungo@db.example/kiungo?sslmode=verify-full", ""),
        (
            "postgres://kiungo@db.example/kiungo",
            "unverified_allowed = true\npassword_file = \"DIR\"",
        ),
    ] {
        let place = Place::new("");
        let path = place.write("password", "geheim\n");
        let file = format!("[database]\nurl = \"{url}\"\n{}", more.replace("DIR", &path));
        place.write("kiungo.toml", &file);
        let config = place.load(&[]).unwrap_or_else(|errors| panic!("{url}: {errors}"));
        assert!(config.database.address.shown().starts_with("PostgreSQL database kiungo at"));
        assert!(!format!("{config:?}").contains("geheim"));
    }
}

#[test]
fn a_broker_is_taken_if_it_is_here_or_proves_itself_or_is_let_off() {
    for (url, more) in [
        ("amqp://kiungo@localhost:5672/%2f", ""),
        ("amqps://kiungo@broker.example/kiungo", ""),
        ("amqp://kiungo@broker.example/kiungo", "unverified_allowed = true"),
    ] {
        let place = Place::new("");
        let path = place.write("password", "geheim\n");
        let file =
            format!("[queue]\nurl = \"{url}\"\npassword_file = \"{path}\"\nshards = 4\n{more}");
        place.write("kiungo.toml", &file);
        let config = place.load(&[]).unwrap_or_else(|errors| panic!("{url}: {errors}"));
        let rabbit = config.queue.rabbit().unwrap();
        assert!(rabbit.shown().starts_with("RabbitMQ at ") && rabbit.shards == 4);
        assert!(!format!("{config:?}{}", config.redacted()).contains("geheim"));
    }
    assert!(Config::load(&Sources::default()).unwrap().queue.rabbit().is_err());
}

#[test]
fn a_failure_of_the_database_names_the_key_of_its_address() {
    let place = Place::new("[database]\nurl = \"sqlite://x.db\"");
    let said = |place: &Place| {
        let database = place.load(&[]).unwrap().database;
        place.hide(&database.failure(&"it is on fire").to_string())
    };
    assert_eq!(said(&place), "DIR/kiungo.toml:2:7: database.url: it is on fire");
    let path = place.write("url", "sqlite://y.db\n");
    place.write("kiungo.toml", &format!("[database]\n\nurl_file = \"{path}\""));
    assert_eq!(said(&place), "DIR/kiungo.toml:3:12: database.url_file: it is on fire");
}

#[test]
fn an_adapters_table_is_read_as_its_own_type_with_the_environment_laid_over() {
    let place = Place::new(FILE);
    let environment = [("KIUNGO__CORES__MAIN__FINERACT__COMMAND_TIMEOUT_MS", "5000")];
    let config = place.load(&environment).unwrap();
    let options: FineractOptions = config.cores[0].fineract.read_as().unwrap();
    assert_eq!(options.command_timeout_ms, 5000);
    assert_eq!(options.base_url, "https://core.example/fineract-provider");
    let Auth::Basic { username } = options.auth;
    assert_eq!(username, "kiungo");
    assert_eq!(config.cores[0].inquiry.ladder.as_ref().map(Vec::len), Some(2));
}

#[test]
fn an_adapters_wrong_key_is_named_with_its_line() {
    let wrong = |from, to| {
        let place = Place::new(&FILE.replace(from, to));
        let config = place.load(&[]).unwrap();
        let errors = config.cores[0].fineract.read_as::<FineractOptions>().unwrap_err();
        place.hide(&errors.to_string())
    };
    assert_snapshot!("an_adapters_unknown_key", wrong("command_timeout_ms", "timeout"));
    assert_snapshot!("an_adapters_wrong_type", wrong("60000", "\"soon\""));
    assert_snapshot!("an_adapters_missing_key", wrong("base_url", "# base_url"));
}

#[test]
fn a_good_configuration_fits_together() {
    let config = Place::new(FILE).load(&SECRETS).unwrap();
    let checked = config.check().unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(checked.mappings.len(), 2);
    assert!(checked.cores.values().all(|core| core.as_str() == "main"));
    assert_eq!(config.api.keys[0].roles, [Role::Read, Role::Write].into());
    let digest = "3c8d1fa5b0e94c7a21d6f5807be3a9142f60c8d73b5e91a04cd2867f1b9e05a3";
    assert_eq!(config.api.keys[0].digest, digest.parse().unwrap());
}

#[test]
fn what_is_shown_is_complete_toml_without_secrets() {
    let place = Place::new(FILE);
    let mut environment = SECRETS.to_vec();
    environment.push(("KIUNGO__DATABASE__URL", "postgres://kiungo:hunter2@localhost/kiungo"));
    let config = place.load(&environment).unwrap();
    let shown = place.hide(config.redacted());
    for secret in ["0123456", "0042", "hunter2"] {
        assert!(!shown.contains(secret), "{shown}");
        assert!(!format!("{config:?}").contains(secret));
    }
    shown.parse::<toml::Table>().unwrap();
    assert_snapshot!("shown", shown);
}

macro_rules! mistakes {
    ($($name:ident: $file:expr, $environment:expr;)*) => {$(
        #[test]
        fn $name() {
            assert_snapshot!(stringify!($name), Place::new($file).load(&$environment).unwrap_err());
        }
    )*};
}

mistakes! {
    not_toml: "[server\nport = 1", [];
    an_unknown_key: "[server]\nprot = 1", [];
    an_unknown_section: "[sever]\nport = 1", [];
    an_unknown_variable: "", [("KIUNGO__SERVER__PROT", "1")];
    an_unknown_section_of_the_environment: "", [("KIUNGO__SEVER__PORT", "1")];
    a_variable_for_an_unknown_provider: FILE, [("KIUNGO__PROVIDERS__MPESA_KE__CORE", "main")];
    a_variable_without_entries: "", [("KIUNGO__CORES__MAIN__ID", "main")];
    a_variable_that_is_none: "", [("KIUNGO__SERVER__PORT[9]", "1"), ("KIUNGO__", "1")];
    a_number_that_is_none: "", [("KIUNGO__SERVER__PORT", "http")];
    a_number_out_of_range: "[server]\nport = 70000", [];
    a_text_that_is_a_number: "[log]\nfilter = 7", [];
    a_table_that_is_a_text: "server = \"x\"", [];
    a_duration_that_is_none: "[server]\nrequest_timeout = \"10\"", [];
    an_address_that_is_none: "[server]\nlisten = \"localhost:80\"\npublic_url = \"pay.example\"", [];
    a_secret_in_the_file: "[[providers]]\nid = \"a\"\nmapping = \"m\"\ncallback_secret = \"0123456789abcdef\"\n[providers.secrets]\napi_key = \"geheim\"", [];
    a_database_of_no_kind: "[database]\nurl = \"mysql://db/kiungo\"", [];
    a_database_in_memory: "[database]\nurl = \"sqlite::memory:\"", [];
    a_database_address_that_is_none: "[database]\nurl = \"postgres://kiungo@db:port/kiungo\"", [];
    a_database_server_that_proves_nothing: "[database]\nurl = \"postgres://kiungo@db.example/kiungo?sslmode=require\"", [];
    a_password_for_a_file: "", [("KIUNGO__DATABASE__PASSWORD", "geheim")];
    a_flag_that_is_none: "[database]\nunverified_allowed = \"yes\"", [];
    a_password_in_the_query: "[database]\nurl = \"postgres://kiungo@db/kiungo?password=geheim\"", [];
    a_password_in_the_file: "[database]\nurl = \"postgres://kiungo:geheim@db/kiungo\"", [];
    a_secret_file_that_is_not_there: "[[providers]]\nid = \"a\"\nmapping = \"m\"\ncallback_secret_file = \"/nowhere/secret\"", [];
    a_weak_callback_secret: FILE, [("KIUNGO__PROVIDERS__MPESA_TZ__CALLBACK_SECRET", "short")];
    a_key_instead_of_its_hash: "[[api.keys]]\nname = \"x\"\nsha256 = \"geheim\"\nroles = [\"admin\"]", [];
    the_key_of_an_example: "[[api.keys]]\nname = \"x\"\nsha256 = \"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\"\nroles = [\"read\"]", [];
    an_address_without_tls: "[server]\npublic_url = \"http://pay.example\"", [];
    a_scope_that_is_none: "[[api.keys]]\nname = \"x\"\nsha256 = \"ab\"\nroles = [\"read\"]\ncores = []\nproviders = [\"M Pesa\"]\nkinds = [\"deposits\"]\namount_max = { TZS = 5, XXY = \"5\" }", [];
    a_scope_without_currency: "[[messaging.clients]]\nuser = \"x\"\nname = \"x\"\nroles = [\"write\"]\namount_max = \"500\"", [];
    a_queue_that_is_not_there: "[queue]\nurl = \"kafka://x\"", [];
    a_broker_without_tls: "[queue]\nurl = \"amqp://kiungo@broker.example\"", [("KIUNGO__QUEUE__PASSWORD", "geheim")];
    a_broker_without_password: "[queue]\nurl = \"amqps://kiungo@broker.example\"\nprefix = \"a b\"", [];
    a_brokers_password_in_the_file: "[queue]\nurl = \"amqps://kiungo:geheim@broker.example/kiungo\"", [];
    a_broker_with_parameters: "[queue]\nurl = \"amqps://kiungo@broker.example/kiungo?heartbeat=9\"\nca_file = \"/nowhere/ca\"", [];
    a_password_for_no_broker: "[queue]\nshards = 0", [("KIUNGO__QUEUE__PASSWORD", "geheim")];
    a_filter_that_is_none: "[log]\nformat = \"xml\"\nfilter = \"a=b=c\"", [];
    a_filter_that_silences_everything: "[log]\nfilter = \"inof\"", [];
    a_filter_for_no_part: "[log]\nfilter = \"info,kiungo_engin=debug\"", [];
    a_role_that_is_none: "[[api.keys]]\nname = \"x\"\nsha256 = \"3c8d1fa5b0e94c7a21d6f5807be3a9142f60c8d73b5e91a04cd2867f1b9e05a3\"\nroles = [\"reed\"]\n[[messaging.clients]]\nuser = \"x\"\nname = \"x\"\nroles = [\"reed\"]", [];
    no_role: "[[api.keys]]\nname = \"x\"\nsha256 = \"3c8d1fa5b0e94c7a21d6f5807be3a9142f60c8d73b5e91a04cd2867f1b9e05a3\"", [];
    a_password_twice_in_one_source: "[queue]\nurl = \"amqps://kiungo@broker.example\"", [("KIUNGO__QUEUE__PASSWORD", "geheim"), ("KIUNGO__QUEUE__PASSWORD_FILE", "/nowhere/password")];
    an_address_twice_in_one_source: "[database]\nurl = \"sqlite://kiungo.db\"\nurl_file = \"/nowhere/url\"", [];
    a_core_without_options: "[[cores]]\nid = \"Main\"", [];
    a_ladder_that_descends: "[[cores]]\nid = \"a\"\n[cores.fineract]\n[cores.inquiry]\nladder = [\"2m\", \"1m\"]\nwhen_absent = \"hope\"", [];
    several_at_once: "[server]\nport = -1\nrequest_timeout = \"x\"\n[engine]\nspeed = 9", [("KIUNGO__LOG__FORMAT", "xml")];
}

#[test]
fn a_file_that_is_huge_no_text_or_not_there_is_refused_by_name() {
    let load = |content: &[u8]| {
        let place = Place::new("");
        std::fs::write(place.0.path().join("kiungo.toml"), content).unwrap();
        place.load(&[]).unwrap_err()
    };
    let utf16: Vec<u8> = FILE.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (content, says) in [
        (vec![b'#'; 1024 * 1024 + 1], "is over 1048576 bytes"),
        (utf16, "DIR/kiungo.toml"),
        (b"# caf\xe9".to_vec(), "valid UTF-8"),
        (format!("a = {}", "[".repeat(20_000)).into_bytes(), "DIR/kiungo.toml"),
        (format!("a = {}", "{ a = ".repeat(20_000)).into_bytes(), "DIR/kiungo.toml"),
    ] {
        let message = load(&content);
        assert!(message.contains("DIR/kiungo.toml") && message.contains(says), "{message}");
    }
    let place = Place::new("");
    std::fs::remove_file(place.0.path().join("kiungo.toml")).unwrap();
    assert!(place.load(&[]).unwrap_err().contains("DIR/kiungo.toml"));
}

#[test]
fn what_is_no_number_of_a_key_is_refused_by_key() {
    for number in [
        "-1",
        "0",
        "9223372036854775808",
        "99999999999999999999",
        "1.5",
        "nan",
        "1979-05-27",
        "[1]",
    ] {
        let file = format!("[engine]\nin_flight_max = {number}\n");
        let message = Place::new(&file).load(&[]).unwrap_err();
        assert!(message.contains("kiungo.toml"), "{number}: {message}");
        let variable = [("KIUNGO__ENGINE__IN_FLIGHT_MAX", number)];
        let message = Place::new("").load(&variable).unwrap_err();
        assert!(message.contains("IN_FLIGHT_MAX"), "{number}: {message}");
    }
}

#[test]
fn a_file_that_breaks_off_is_never_a_panic() {
    for end in (0..FILE.len()).step_by(5) {
        let _ = Place::new(&FILE[..end]).load(&SECRETS);
    }
}

#[test]
fn no_secret_is_in_a_message() {
    for file in [
        "[[providers]]\nid = \"a\"\ncallback_secret = \"geheim\"\n[providers.secrets]\napi_key = \"geheim\"",
        "[database]\nurl = \"postgres://kiungo:geheim@db/kiungo\"",
        "[[api.keys]]\nsha256 = \"geheim\"",
    ] {
        let message = Place::new(file).load(&[]).unwrap_err();
        assert!(!message.contains("geheim"), "{message}");
    }
}

#[test]
fn parts_that_do_not_fit_are_all_named() {
    let nothing = Place::new("");
    assert_snapshot!("nothing_configured", nothing.check(&[]));
    let place = Place::new(
        &FILE
            .replace("https://pay.example/", "")
            .replace("mpesa-tz.toml", "mpesa-gh.toml")
            .replace("id = \"gsma-sandbox\"", "id = \"gsma-sandbox\"\ncore = \"branch\""),
    );
    assert_snapshot!("parts_that_do_not_fit", place.check(&[]));
    let twice = format!(
        "{FILE}\n[[providers]]\nid = \"mpesa-tz\"\nmapping = \"/nowhere/m.toml\"\nca_file = \"/nowhere/ca\"\n\
         [[cores]]\nid = \"main\"\n[cores.fineract]"
    );
    assert_snapshot!("twice", Place::new(&twice).check(&SECRETS[1..2]));
}

#[test]
fn a_key_is_changed_with_both_side_by_side() {
    let roles = "roles = [\"read\", \"write\"]\n";
    let second = format!("[[api.keys]]\nname = \"mobile-app\"\nsha256 = \"{}\"\n", "ab".repeat(32));
    let file = FILE.replace(roles, &format!("{roles}{second}{roles}"));
    let place = Place::new(&file);
    let config = place.load(&SECRETS).unwrap();
    config.check().unwrap();
    assert_eq!(config.api.keys.len(), 2);
    let which = [("KIUNGO__API__KEYS__MOBILE_APP__ROLES", "read")];
    let error = place.load(&which).unwrap_err();
    assert!(error.contains("several [[api.keys]] have the name `mobile_app`"), "{error}");
}

#[test]
fn a_scope_is_read_and_names_what_is_there() {
    let scope = "cores = [\"main\"]\nproviders = [\"mpesa-tz\"]\nkinds = [\"deposit\", \"withdrawal\"]\n\
                 amount_max = { TZS = \"500000\", USD = \"200.50\" }";
    let with = |scope: &str| {
        let roles = "roles = [\"read\", \"write\"]";
        let client = "\n[[messaging.clients]]\nuser = \"u\"\nname = \"n\"\nroles = [\"write\"]\n";
        Place::new(&(FILE.replace(roles, &format!("{roles}\n{scope}")) + client + scope))
    };
    let config = with(scope).load(&SECRETS).unwrap();
    config.check().unwrap();
    let bound = &config.api.keys[0].scope;
    assert_eq!(*bound, config.messaging.options.clients[0].scope);
    let amounts = bound.amount_max.iter().flatten().map(|(_, max)| max.to_string());
    assert_eq!(amounts.collect::<Vec<_>>(), ["500000.00 TZS", "200.50 USD"]);
    assert_eq!(bound.kinds.iter().flatten().count(), 2);
    let shown = "amount_max = { TZS = \"500000.00\", USD = \"200.50\" }";
    assert_eq!(config.redacted().matches(shown).count(), 2, "{}", config.redacted());
    let mistyped = scope.replace("\"main\"", "\"mian\"").replace("mpesa-tz", "mpesa-zt");
    assert_snapshot!("a_scope_of_nothing", with(&mistyped).check(&SECRETS));
    assert!(Place::new(FILE).load(&[]).unwrap().api.keys[0].scope.is_everything());
}

#[test]
fn a_bad_mapping_is_named_with_its_own_lines() {
    let place = Place::new(FILE);
    let path = place.write("mpesa-tz.toml", "[provider]\nid = \"mpesa-tz\"\n[mony]\n");
    let environment = [SECRETS[1], ("KIUNGO__PROVIDERS__MPESA_TZ__MAPPING", path.as_str())];
    assert_snapshot!("a_bad_mapping", place.check(&environment));
}

/// The sections that the general reader leaves to the adapters, in every file of this repository.
#[test]
fn adapters_read_their_own_sections_of_every_mapping() {
    use crate::families::FAMILIES;

    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../mappings");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // No providers: the files that extend them are checked.
        if ["gsma-mobile-money.toml", "mpesa-openapi.toml"].iter().any(|it| path.ends_with(it)) {
            continue;
        }
        let mapping = FAMILIES.load(&path).unwrap_or_else(|e| panic!("\n{e}"));
        let plan = FAMILIES.plan(&mapping).unwrap_or_else(|e| panic!("\n{e}"));
        // Callbacks that are asked for are expected.
        let validates = plan.capabilities().validates_payments;
        assert_eq!(validates, mapping.callbacks().validation, "{}", mapping.id());
        assert!(!mapping.codes().all.is_empty(), "{}", mapping.id());
        assert!(mapping.statuses().lines().count() > 0, "{}", mapping.id());
    }
}

const REQUESTS: &str = r#"
[cores.requests]
country_code = "255"
payment_type_field = "mobile_money.type"
[cores.requests.withdrawals]
table = "mm_withdrawal"
amount = "amount"
state = "state"
open = "requested"
[[cores.requests.rules]]
kind = "disbursement"
products = [2, 5]
payment_types = ["3"]
fields = ["client/consent.given = true"]
amount_max = "500000"
currency = "TZS"
prefixes = ["25574"]
action = "pay_out"
provider = "mpesa-tz"
wallet = "owner"
[[cores.requests.rules]]
kind = "withdrawal"
action = "ask"
provider = "gsma-sandbox"
wallet = "mm_withdrawal.number"
"#;

#[test]
fn rules_of_a_core_say_what_is_looked_for() {
    let secret = ("KIUNGO__CORES__MAIN__REQUESTS__HOOK_SECRET", "a-secret-of-the-hook");
    let config = Place::new(&format!("{FILE}{REQUESTS}")).load(&[secret]).unwrap();
    let requests = config.cores[0].requests.as_ref().unwrap();
    assert!(requests.sources.disbursements && requests.hook_secret.is_some());
    let tables: Vec<_> =
        requests.sources.tables.iter().map(|t| (t.of_client, t.name.as_str())).collect();
    assert_eq!(tables, [(false, "mobile_money"), (true, "consent")], "its own table is no other");
    let rule = &requests.rules.rules[0].when;
    assert_eq!((&rule.products[..], rule.amount_max.unwrap().minor()), (&[2, 5][..], 50_000_000));
    assert_eq!(rule.fields, [("client/consent.given".to_owned(), "true".to_owned())]);
    assert_eq!(requests.link.poll_interval, Duration::from_secs(60));
    assert!(!config.redacted().contains("a-secret-of-the-hook"));
    config.redacted().parse::<toml::Table>().unwrap();
    assert!(Place::new(FILE).load(&[]).unwrap().cores[0].requests.is_none());
}

#[test]
fn mistakes_in_the_rules_of_a_core_are_named() {
    for (from, to, says) in [
        ("\"pay_out\"", "\"pay\"", "rules[0].action"),
        ("\"disbursement\"", "\"loan\"", "rules[0].kind"),
        ("products = [2, 5]", "products = [\"2\"]", "rules[0].products"),
        ("currency = \"TZS\"", "", "rules[0].amount_max"),
        ("\"500000\"", "\"5.001\"", "rules[0].amount_max"),
        ("\"25574\"", "\"0754\"", "rules[0].prefixes"),
        ("consent.given = true", "consent = true", "rules[0].fields"),
        ("consent.given = true", "consent.given", "rules[0].fields"),
        ("wallet = \"owner\"", "", "rules[0].wallet"),
        ("\"mm_withdrawal.number\"", "\"number\"", "rules[1].wallet"),
        ("payment_type_field = \"mobile_money.type\"", "", "rules[0].payment_types"),
        ("open = \"requested\"", "", "withdrawals.open"),
        ("country_code = \"255\"", "country_code = \"0255\"", "country_code"),
        ("country_code = \"255\"", "poll_interval = \"1ms\"", "poll_interval"),
        ("country_code = \"255\"", "hook_secret = \"x\"", "hook_secret"),
        ("country_code = \"255\"", "contry_code = \"255\"", "contry_code"),
    ] {
        assert!(REQUESTS.contains(from), "{from}");
        let file = format!("{FILE}{}", REQUESTS.replacen(from, to, 1));
        let errors = Place::new(&file).load(&[]).unwrap_err();
        assert!(errors.contains(&format!("cores[0].requests.{says}")), "{to}: {errors}");
    }
    let rules = REQUESTS.split("[[").next().unwrap();
    let errors = Place::new(&format!("{FILE}{rules}")).load(&[]).unwrap_err();
    assert!(errors.contains("cores[0].requests.rules"), "{errors}");
    let file = format!("{FILE}{}", REQUESTS.replacen("\"gsma-sandbox\"", "\"nobody\"", 1));
    let errors = Place::new(&file).check(&[SECRETS[1]]);
    assert!(errors.contains("`nobody` is no provider"), "{errors}");
}

/// A proposer cannot approve his own action: with one name, a waiting action waits for ever.
#[test]
fn a_second_person_that_does_not_exist_is_warned_of() {
    let key = |name: &str, digit: char| {
        let sha256 = digit.to_string().repeat(64);
        format!("[[api.keys]]\nname = \"{name}\"\nsha256 = \"{sha256}\"\nroles = [\"operate\"]\n")
    };
    let client = "[[messaging.clients]]\nuser = \"u\"\nname = \"erp\"\nroles = [\"operate\"]\n";
    let second = "[actions]\nsecond_person = [\"give_up\"]\n";
    let warnings = |more: &[&str]| {
        let file = format!("{FILE}\n{}", more.concat());
        Place::new(&file).load(&[]).unwrap().warnings
    };
    let one = warnings(&[second, &key("desk", '1')]);
    assert_eq!(one.len(), 1, "{one:?}");
    assert!(one[0].message.contains("only `desk` has the role `operate`"), "{one:?}");
    let rotated = warnings(&[second, &key("desk", '1'), &key("desk", '2')]);
    assert_eq!(rotated, one, "a key that is being changed is one name");
    assert!(warnings(&[second])[0].message.contains("nobody has the role"));
    assert!(warnings(&[second, &key("desk", '1'), &key("head", '2')]).is_empty());
    assert!(warnings(&[second, &key("desk", '1'), client]).is_empty());
    assert!(warnings(&[&key("desk", '1')]).is_empty(), "nothing waits for a second person");
}

/// Tests and the simulated world run with the defaults of the parts.
#[test]
fn the_defaults_of_the_file_are_those_of_the_parts() {
    let config = Config::load(&Sources::default()).unwrap();
    assert_eq!(config.engine.sharing, kiungo_engine::SharingOptions::default());
    assert_eq!(config.messaging.options, kiungo_messaging::MessagingOptions::default());
}

/// The entries of lists stand in comments, so that their defaults are those of the code.
#[test]
fn the_defaults_that_stand_in_comments_are_those_in_effect() {
    let config = Place::new(&format!("{FILE}{REQUESTS}")).load(&[]).unwrap();
    let shown: toml::Table = config.redacted().parse().unwrap();
    let core = shown["cores"][0].as_table().unwrap();
    for (section, keys) in [
        (
            "traffic",
            &[
                "in_flight_max",
                "per_second_max",
                "breaker_failures",
                "breaker_window",
                "breaker_cool_down",
            ],
        ),
        ("requests", &["poll_interval", "pages_max", "reads_max", "reads_at_a_time", "hook_wait"]),
    ] {
        let header = format!("# [cores.{section}]");
        let lines = super::sources::DEFAULTS.lines().skip_while(|line| !line.starts_with(&header));
        for key in keys {
            let start = format!("# {key} = ");
            let line = lines.clone().find_map(|line| line.strip_prefix(&start)).unwrap();
            let documented: toml::Table = format!("value = {line}").parse().unwrap();
            let documented = match documented["value"].as_str() {
                // As it is shown.
                Some(wait) => duration::print(duration::parse(wait).unwrap()).into(),
                None => documented["value"].clone(),
            };
            assert_eq!(core[section][*key], documented, "{section}.{key}");
        }
    }
}

/// In the sections of an adapter, too.
#[test]
fn the_nearest_valid_key_is_named_everywhere() {
    let said = |file: &str| Place::new(file).load(&[]).unwrap_err();
    for (file, hint) in [
        ("[server]\nlisen = \"::1\"", "server.lisen: is not a key here; did you mean `listen`?"),
        ("[sever]\nport = 1", "sever: is not a key here; did you mean `server`?"),
    ] {
        assert!(said(file).contains(hint), "{}", said(file));
    }
    let place = Place::new(&FILE.replace("command_timeout_ms", "comand_timeout_ms"));
    let config = place.load(&[]).unwrap();
    let errors = config.cores[0].fineract.read_as::<FineractOptions>().unwrap_err().to_string();
    assert!(errors.contains("did you mean `command_timeout_ms`?"), "{errors}");
}
