//! Which source of a setting counts, where its paths begin, and what passes with a warning.

use std::path::Path;

use insta::assert_snapshot;
use secrecy::{ExposeSecret, SecretString};

use super::{Config, CoreSecrets, FILE, MpesaSecrets, Place, SECRETS, Sources};

/// The environment gives a secret that the file names a file for: the file need not even exist.
#[test]
fn the_later_source_of_a_secret_wins() {
    let more = "[[providers]]\nid = \"mpesa-ke\"\nmapping = \"m\"\n\
                callback_secret_file = \"/nowhere/callback\"\nproxy_file = \"/nowhere/proxy\"\n\
                [providers.secrets]\napi_key_file = \"/nowhere/key\"\n\
                [database]\nurl_file = \"/nowhere/url\"\n\
                [queue]\nurl = \"amqps://kiungo@broker.example\"\npassword_file = \"/nowhere/q\"\n";
    let place = Place::new(&format!("{FILE}{more}"));
    let environment = [
        ("KIUNGO__PROVIDERS__MPESA_KE__CALLBACK_SECRET", "0123456789abcdefXY"),
        ("KIUNGO__PROVIDERS__MPESA_KE__PROXY", "http://proxy.example:3128"),
        ("KIUNGO__PROVIDERS__MPESA_KE__SECRETS__API_KEY", "of the environment"),
        ("KIUNGO__DATABASE__URL", "sqlite:///x/of-the-environment.db"),
        ("KIUNGO__QUEUE__PASSWORD", "geheim-of-the-environment"),
    ];
    let config = place.load(&environment).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(config.database.address.shown(), "/x/of-the-environment.db");
    assert!(config.queue.rabbit().unwrap().has_password());
    let provider = &config.providers[2];
    let expose =
        |secret: &Option<SecretString>| secret.as_ref().unwrap().expose_secret().to_owned();
    assert_eq!(expose(&provider.callback_secret), "0123456789abcdefXY");
    assert_eq!(expose(&provider.proxy), "http://proxy.example:3128");
    let secrets: MpesaSecrets = provider.secrets.read().unwrap();
    assert_eq!(secrets.api_key.expose_secret(), "of the environment");
}

#[test]
fn paths_of_the_file_count_from_its_folder_and_those_of_the_environment_do_not() {
    let file = FILE.replace("MAPPINGS/mpesa-tz.toml", "mappings/mpesa-tz.toml");
    let more = "[cores.secrets]\npassword_file = \"password\"\n";
    let place = Place::new(&file.replace("[cores.inquiry]", &format!("{more}[cores.inquiry]")));
    place.write("password", "sesame\n");
    let config = place.load(&[]).unwrap_or_else(|errors| panic!("{errors}"));
    let folder = place.0.path();
    assert_eq!(config.providers[0].mapping, folder.join("mappings/mpesa-tz.toml"));
    let secrets: CoreSecrets = config.cores[0].secrets.read().unwrap();
    assert_eq!(secrets.password.expose_secret(), "sesame");
    // The built-in default too: no path of an installation depends on where its program is started.
    let database = folder.join("data/kiungo.db");
    assert_eq!(config.database.address.shown(), database.display().to_string());
    let environment = [
        ("KIUNGO__PROVIDERS__MPESA_TZ__MAPPING", "here.toml"),
        ("KIUNGO__DATABASE__URL", "sqlite://here.db"),
    ];
    let config = place.load(&environment).unwrap();
    assert_eq!(config.providers[0].mapping, Path::new("here.toml"));
    assert_eq!(config.database.address.shown(), "here.db");
}

/// Before, relative paths counted from the current directory: a database that is there is not
/// forgotten over a new, empty one. The current directory of a test is that of its crate.
#[test]
fn a_database_of_the_current_directory_is_not_left_behind() {
    let place = Place::new("[database]\nurl = \"sqlite://src/main.rs\"");
    let message = place.load(&[]).unwrap_err();
    assert!(message.contains("`DIR/src/main.rs` does not exist"), "{message}");
    assert!(message.contains("`src/main.rs` of the current directory does"), "{message}");
}

#[test]
fn what_passes_and_cannot_be_meant_is_warned_of() {
    let warnings = |file: &str, environment: &[(&str, &str)]| {
        let config = Place::new(file).load(environment).unwrap_or_else(|errors| panic!("{errors}"));
        config.warnings.iter().map(|warning| warning.name).collect::<Vec<_>>()
    };
    assert_eq!(warnings(FILE, &SECRETS[1..]), [""; 0]);
    assert_eq!(warnings("", &[]), ["api_keys_missing"]);
    let client = "[[messaging.clients]]\nuser = \"erp\"\nname = \"erp\"\nroles = [\"write\"]";
    assert_eq!(warnings(client, &[]), [""; 0], "commands come over the broker");
    let http =
        FILE.replace("https://pay.example/\"", "http://pay.example\"\nplaintext_allowed = true");
    assert_eq!(warnings(&http, &[]), ["public_url_without_tls"]);
    for (variable, sample) in [
        ("KIUNGO__CORES__MAIN__SECRETS__PASSWORD", "Password"),
        ("KIUNGO__PROVIDERS__MPESA_TZ__CALLBACK_SECRET", "0123456789012345"),
        ("KIUNGO__PROVIDERS__MPESA_TZ__CALLBACK_SECRET", "xxxxxxxxxxxxxxxx"),
    ] {
        assert_eq!(warnings(FILE, &[(variable, sample)]), ["sample_secret"], "{sample}");
    }
    assert_eq!(warnings(&format!("{FILE}[log]\nfilter = \"error\""), &[]), ["log_hides_warnings"]);
    assert!(Config::load(&Sources::default()).unwrap().warnings.is_empty(), "there is no file");
}

#[test]
fn without_a_file_that_is_the_one_thing_that_is_said() {
    let config = Config::load(&Sources::default()).unwrap();
    assert_snapshot!("no_file", config.check().unwrap_err());
    let said = config.database.failure(&"it is on fire").to_string();
    assert_eq!(said, "no configuration file is named: database.url: it is on fire");
}

#[test]
fn the_settings_are_a_tree_without_secrets() {
    let config = Place::new(FILE).load(&SECRETS).unwrap();
    let tree = serde_json::to_value(config.redacted_tree().unwrap()).unwrap();
    assert_eq!(tree["server"]["port"], 8080);
    assert_eq!(tree["providers"][0]["id"], "mpesa-tz");
    assert_eq!(tree["providers"][0]["secrets"]["api_key"], "***");
    assert_eq!(tree["cores"][0]["fineract"]["auth"]["username"], "kiungo");
    assert_eq!(tree["api"]["keys"][0]["roles"][1], "write");
}
