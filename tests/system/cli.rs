//! The answers of commands, and their exit codes.

use std::process::{Output, Stdio};

use serde_json::Value;

use crate::kiungo::Installation;
use crate::world::{KINDS, World};

pub(crate) async fn run(installation: &Installation, arguments: &[&str]) -> (i32, String, String) {
    read(installation.command(arguments).output().await.unwrap())
}

pub(crate) fn read(output: Output) -> (i32, String, String) {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[tokio::test]
async fn the_help_names_every_command() {
    let installation = Installation::new(&World::start().await);
    let (code, out, _) = run(&installation, &["--help"]).await;
    assert_eq!(code, 0);
    let commands = [
        "init",
        "demo",
        "serve",
        "worker",
        "transfer",
        "case",
        "suspense",
        "core-request",
        "provider",
        "arrival",
        "action",
        "simulate",
        "config",
        "mapping",
        "doctor",
        "migrate",
        "archive",
        "queue",
        "completions",
        "man",
        "version",
    ];
    for command in commands {
        assert!(out.contains(&format!("\n  {command} ")), "{command} in {out}");
        assert_eq!(run(&installation, &[command, "--help"]).await.0, 0, "{command}");
    }
    assert_eq!(run(&installation, &["no-such-command"]).await.0, 2);
}

#[tokio::test]
async fn the_description_of_commands_and_events_is_the_one_that_is_checked_in() {
    let installation = Installation::new(&World::start().await);
    let (code, out, _) = run(&installation, &["queue", "asyncapi"]).await;
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/asyncapi.json");
    assert!(code == 0 && out == std::fs::read_to_string(file).unwrap(), "{out}");
    let (code, out, _) = run(&installation, &["--json", "queue", "asyncapi"]).await;
    let json: Value = serde_json::from_str(&out).unwrap();
    assert!(code == 0 && json["asyncapi"] == "3.0.0", "{out}");
}

#[tokio::test]
async fn a_wrong_key_stops_the_start_and_is_named_with_its_file() {
    let installation = Installation::new(&World::start().await);
    let file = installation.path().join("kiungo.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("[engine]\n", "[engine]\nspeed = 9\n")).unwrap();
    for command in
        [&["serve", "--config", "kiungo.toml"][..], &["config", "check", "--config", "kiungo.toml"]]
    {
        let (code, out, complaint) = run(&installation, command).await;
        assert_eq!((code, out.as_str()), (2, ""), "{complaint}");
        assert!(complaint.contains("kiungo.toml:"), "{complaint}");
        assert!(complaint.contains("engine.speed"), "{complaint}");
    }
    assert!(!installation.path().join("kiungo.db").exists(), "something was started");
}

#[tokio::test]
async fn a_missing_secret_and_a_bad_crash_point_are_named() {
    let installation = Installation::new(&World::start().await);
    let serve = ["serve", "--config", "kiungo.toml"];
    let mut command = installation.command(&serve);
    command.env_remove("KIUNGO__PROVIDERS__MPESA_TZ__SECRETS__API_KEY");
    let (code, _, complaint) = read(command.output().await.unwrap());
    assert_eq!(code, 2);
    assert!(complaint.contains("provider `mpesa-tz`: secrets.api_key"), "{complaint}");
    let mut command = installation.command(&serve);
    command.env("KIUNGO_CRASH_AT", "sometime");
    let (code, _, complaint) = read(command.output().await.unwrap());
    assert_eq!(code, 2);
    assert!(complaint.contains("KIUNGO_CRASH_AT"), "{complaint}");
}

#[tokio::test]
async fn a_new_key_is_shown_with_its_hash_and_no_two_are_equal() {
    let installation = Installation::new(&World::start().await);
    let mut keys = Vec::new();
    for _ in 0..2 {
        let (code, out, _) = run(&installation, &["--json", "config", "key"]).await;
        assert_eq!(code, 0);
        let key: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(key["sha256"].as_str().unwrap().len(), 64);
        keys.push(key["key"].as_str().unwrap().to_owned());
    }
    assert_ne!(keys[0], keys[1]);
    // The lines that it prints can be pasted as they are, whatever the roles.
    let file = installation.path().join("kiungo.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let check = ["config", "check", "--config", "kiungo.toml"];
    for (roles, lines) in [
        (&[][..], "roles = [\"read\", \"write\"]"),
        (&["--roles", "read"], "roles = [\"read\"]"),
        (&["--roles", "operate,read,write"], "roles = [\"operate\", \"read\", \"write\"]"),
    ] {
        let key = [&["config", "key", "--name", "branch-7"], roles].concat();
        let (code, out, _) = run(&installation, &key).await;
        assert!(code == 0 && out.contains(lines), "{out}");
        let lines = &out[out.find("[[api.keys]]").unwrap()..];
        std::fs::write(&file, format!("{text}\n{lines}")).unwrap();
        let (code, out, complaint) = run(&installation, &check).await;
        assert_eq!(code, 0, "{out}{complaint}");
    }
    let (code, _, complaint) = run(&installation, &["config", "key", "--name", "the app"]).await;
    assert!(code == 2 && complaint.contains("a name is 1 to 64 of"), "{complaint}");
    let (code, _, complaint) =
        run(&installation, &["config", "key", "--roles", "read,transfer"]).await;
    assert_eq!(code, 2, "{complaint}");
    assert!(complaint.contains("`transfer` is not one of"), "{complaint}");
    let sample = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    let key = format!("[[api.keys]]\nname = \"x\"\nsha256 = \"{sample}\"\nroles = [\"read\"]\n");
    std::fs::write(&file, format!("{text}\n{key}")).unwrap();
    for command in
        [&check[..], &["doctor", "--config", "kiungo.toml"], &["serve", "--config", "kiungo.toml"]]
    {
        let (code, out, complaint) = run(&installation, command).await;
        assert_eq!(code, 2, "{command:?}: {out}");
        assert!(complaint.contains("kiungo config key"), "{command:?}: {complaint}");
    }
}

#[tokio::test]
async fn http_to_another_machine_needs_a_word_for_that_very_counterparty() {
    let installation = Installation::new(&World::start().await);
    let check = ["config", "check", "--config", "kiungo.toml"];
    let change = |name: &str, from: &str, to: &str| {
        let file = installation.path().join(name);
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "{from} in {text}");
        std::fs::write(&file, text.replacen(from, to, 1)).unwrap();
    };
    for (name, key, entry) in [
        ("kiungo.toml", "base_url = \"http://127.0.0.1", "id = \"main\"\n"),
        ("gsma-sandbox.toml", "token_url = \"http://127.0.0.1", "id = \"gsma-sandbox\"\n"),
        ("mpesa-tz.toml", "base_url = \"http://127.0.0.1", "id = \"mpesa-tz\"\n"),
        ("kiungo.toml", "public_url = \"http://127.0.0.1", "[server]\n"),
    ] {
        change(name, key, &key.replace("127.0.0.1", "10.0.0.7"));
        let (code, out, complaint) = run(&installation, &check).await;
        assert_eq!((code, out.as_str()), (2, ""), "{complaint}");
        assert!(complaint.contains("http://10.0.0.7"), "{complaint}");
        assert!(complaint.contains("plaintext_allowed = true"), "{complaint}");
        change("kiungo.toml", entry, &format!("{entry}plaintext_allowed = true\n"));
        let (code, out, complaint) = run(&installation, &check).await;
        assert_eq!(code, 0, "{name}: {out}{complaint}");
    }
    let (code, _, complaint) =
        run(&installation, &["transfer", "list", "--url", "http://10.0.0.7:8080", "--key", "k"])
            .await;
    assert_eq!(code, 2);
    assert!(complaint.contains("--plaintext-allowed"), "{complaint}");
}

#[tokio::test]
async fn an_answer_that_cannot_be_written_is_a_failure() {
    let installation = Installation::new(&World::start().await);
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let mut command = installation.command(&["config", "show", "--config", "kiungo.toml"]);
    let child = command.stdout(full).stderr(Stdio::piped()).spawn().unwrap();
    let (code, _, complaint) = read(child.wait_with_output().await.unwrap());
    assert_eq!(code, 1, "{complaint}");
    assert!(complaint.contains("the answer could not be written"), "{complaint}");
}

#[tokio::test]
async fn showing_the_configuration_hides_secrets() {
    let installation = Installation::new(&World::start().await);
    let (code, out, _) = run(&installation, &["config", "show", "--config", "kiungo.toml"]).await;
    assert_eq!(code, 0);
    assert!(out.contains("poll_interval = \"50ms\""), "{out}");
    assert!(!out.contains("demo0000") && !out.contains("0123456789abcdef"), "{out}");
    let (code, out, _) =
        run(&installation, &["--json", "config", "show", "--config", "kiungo.toml"]).await;
    assert_eq!(code, 0);
    let settings: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(settings["engine"]["poll_interval"], "50ms");
    assert_eq!(settings["cores"][0]["secrets"]["password"], "***");
    assert!(!out.contains("demo0000") && !out.contains("0123456789abcdef"), "{out}");
}

#[tokio::test]
async fn a_mapping_is_checked_to_the_line() {
    let installation = Installation::new(&World::start().await);
    let (code, _, _) =
        run(&installation, &["mapping", "check", "mpesa-tz.toml", "gsma-sandbox.toml"]).await;
    assert_eq!(code, 0);
    let file = installation.path().join("bad.toml");
    let text = std::fs::read_to_string(installation.path().join("mpesa-tz.toml")).unwrap();
    std::fs::write(&file, format!("surprise = 1\n{text}")).unwrap();
    let (code, out, _) = run(&installation, &["mapping", "check", "bad.toml"]).await;
    assert_eq!(code, 1);
    assert!(out.contains("bad.toml:1:") && out.contains("surprise"), "{out}");
}

#[tokio::test]
async fn a_mapping_is_shown_and_checked_with_the_file_that_it_extends() {
    let installation = Installation::new(&World::start().await);
    let write =
        |name: &str, text: &str| std::fs::write(installation.path().join(name), text).unwrap();
    write("bank.toml", "extends = \"mpesa-tz\"\n[provider]\nid = \"bank\"\n");
    let (code, out, _) = run(&installation, &["mapping", "show", "bank.toml"]).await;
    assert_eq!(code, 0);
    assert!(out.contains("\nid = \"bank\"  # bank.toml:3\n"), "{out}");
    assert!(out.contains("\nfamily = \"mpesa\"  # mpesa-tz.toml:"), "{out}");
    let (_, out, _) = run(&installation, &["--json", "mapping", "show", "bank.toml"]).await;
    let shown: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(shown["mapping"]["provider"]["id"], "bank");
    assert_eq!(shown["places"]["provider.id"], "bank.toml:3");
    assert_eq!(shown["extends"], serde_json::json!(["mpesa-tz.toml"]));
    // A parent that is no provider is checked with its children only.
    let text = std::fs::read_to_string(installation.path().join("mpesa-tz.toml")).unwrap();
    write("family.toml", &text.replacen("\nid = \"mpesa-tz\"\n", "\n", 1));
    write("bank.toml", "extends = \"family\"\n[provider]\nid = \"bank\"\n");
    let (code, out, _) =
        run(&installation, &["mapping", "check", "family.toml", "bank.toml"]).await;
    assert_eq!(code, 0, "{out}");
    assert!(out.starts_with("family.toml: checked with bank.toml\nbank.toml: ok"), "{out}");
    let (code, out, _) = run(&installation, &["mapping", "check", "family.toml"]).await;
    assert_eq!(code, 1);
    assert!(out.contains("provider.id: is missing"), "{out}");
    write("bank.toml", "extends = \"family\"\nunset = [\"hour\"]\n");
    let (code, _, complaint) = run(&installation, &["mapping", "show", "bank.toml"]).await;
    assert_eq!(code, 1);
    assert!(
        complaint.contains("bank.toml:2:10: unset[0]: the parent has no key `hour`"),
        "{complaint}"
    );
}

#[tokio::test]
async fn simulators_stay_on_this_machine() {
    let installation = Installation::new(&World::start().await);
    let (code, _, complaint) =
        run(&installation, &["simulate", "gsma", "--listen", "0.0.0.0:0"]).await;
    assert_eq!(code, 2);
    assert!(complaint.contains("loopback"), "{complaint}");
}

#[tokio::test]
async fn the_doctor_finds_all_well_and_what_is_not() {
    let installation = Installation::new(&World::start().await);
    let doctor = ["--json", "doctor", "--config", "kiungo.toml"];
    let (code, out, complaint) = run(&installation, &doctor).await;
    assert_eq!(code, 0, "{out}{complaint}");
    let mut command = installation.command(&doctor);
    command.env("KIUNGO__CORES__MAIN__SECRETS__PASSWORD", "wrong");
    let (code, out, _) = read(command.output().await.unwrap());
    assert_eq!(code, 1, "{out}");
    let report: Value = serde_json::from_str(&out).unwrap();
    let failed = report["findings"].as_array().unwrap().iter();
    let failed: Vec<_> = failed.filter(|finding| finding["state"] == "failed").collect();
    assert_eq!(failed.len(), 1, "{out}");
    assert_eq!(failed[0]["subject"], "core main");
    assert_eq!(failed[0]["name"], "core_settings");
    assert!(!out.contains("wrong"), "{out}");
}

#[tokio::test]
async fn a_database_is_set_up_and_said_to_be_up_to_date() {
    let installation = Installation::new(&World::start().await);
    let check = ["migrate", "--config", "kiungo.toml", "--check"];
    let (code, out, _) = run(&installation, &check).await;
    assert_eq!(code, 1, "{out}");
    assert!(out.contains("missing: 1 journal"), "{out}");
    assert!(!installation.path().join("kiungo.db").exists(), "a check made a file");
    let (code, out, _) =
        run(&installation, &["--json", "migrate", "--config", "kiungo.toml"]).await;
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &report["applied"][0][1]), (0, &Value::from("journal")), "{out}");
    let (code, out, _) = run(&installation, &check).await;
    assert_eq!(code, 0, "{out}");
    assert!(out.contains("up to date"), "{out}");
}

#[tokio::test]
async fn a_recent_period_is_not_archived() {
    let installation = Installation::new(&World::start().await);
    for period in [["--older-than", "1d"], ["--before", "2999-01-01"]] {
        let archive = [&["archive", "--config", "kiungo.toml"], &period[..]].concat();
        let (code, _, complaint) = run(&installation, &archive).await;
        assert_eq!(code, 2, "{complaint}");
        assert!(complaint.contains("48 hours"), "{complaint}");
    }
    assert_eq!(run(&installation, &["archive", "--config", "kiungo.toml"]).await.0, 2);
    let archive = ["--json", "archive", "--config", "kiungo.toml", "--older-than", "90d"];
    let (code, out, complaint) = run(&installation, &archive).await;
    assert_eq!(code, 0, "{complaint}");
    assert_eq!(serde_json::from_str::<Value>(&out).unwrap()["archived"], 0, "{out}");
}

#[tokio::test]
async fn a_transfer_is_created_shown_listed_and_reversed() {
    let world = World::start().await;
    let installation = Installation::new(&world);
    let serving = installation.serve(&[]).await;
    let person = world.new_person();
    let (_, account) = person.account(KINDS[0]);
    let account = account.to_string();
    let create = [
        "--json",
        "transfer",
        "create",
        "deposit",
        "--provider",
        "gsma-sandbox",
        "--msisdn",
        &person.msisdn,
        "--account-id",
        &account,
        "--amount",
        "5000",
        "--currency",
        "TZS",
        "--wait",
    ];
    let (code, out, said) = run(&installation, &create).await;
    assert_eq!(code, 0, "{out}{said}");
    assert!(said.contains("idempotency key: cli-"), "{said}");
    let created: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(created["status"], "completed");
    let id = created["id"].as_str().unwrap();
    let mut local = installation.command(&["transfer", "show", id]);
    let local = local.env("TZ", "Africa/Nairobi").env("COLUMNS", "80");
    let (code, out, _) = read(local.output().await.unwrap());
    assert_eq!(code, 0);
    assert!(out.lines().all(|line| line.len() <= 80 || line.contains("kiungo ")), "{out}");
    let out = out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(out.starts_with("Deposit of 5000.00 TZS from wallet "), "{out}");
    assert!(out.contains("completed (the money has arrived)") && out.contains(" +03:00 "), "{out}");
    assert!(out.contains("The money was taken from the wallet (gsma-sandbox,"), "{out}");
    assert!(out.contains(&format!("kiungo transfer reverse {id} --seen ")), "{out}");
    let mut events = installation.command(&["transfer", "show", id, "--events", "--utc"]);
    let (code, out, _) = read(events.env("TZ", "Africa/Nairobi").output().await.unwrap());
    assert_eq!(code, 0);
    assert!(out.contains("is asked to take the money") && !out.contains('{'), "{out}");
    assert!(out.contains(" +00:00 ") && !out.contains("+03:00"), "{out}");
    let (_, out, _) = run(&installation, &["--json", "transfer", "show", id, "--utc"]).await;
    let shown: Value = serde_json::from_str(&out).unwrap();
    assert!(shown["received_at"].as_str().unwrap().ends_with('Z'), "{out}");
    let (code, out, _) = run(&installation, &["transfer", "list", "--status", "completed"]).await;
    assert_eq!(code, 0);
    assert!(out.contains("gsma-sandbox"), "{out}");
    let (code, _, said) =
        run(&installation, &["transfer", "reverse", id, "--reason", "a test"]).await;
    assert_eq!(code, 0, "{said}");
    assert_eq!(serving.until_final(id).await["id"], id);
    let (code, _, said) = run(&installation, &["transfer", "show", "not-an-id"]).await;
    assert_eq!(code, 1, "{said}");
    assert!(serving.stop().await.success());
}

#[tokio::test]
async fn shells_and_readers_of_manuals_are_served() {
    let installation = Installation::new(&World::start().await);
    for shell in ["bash", "zsh", "fish"] {
        let (code, out, _) = run(&installation, &["completions", shell]).await;
        assert!(code == 0 && out.contains("core-request") && out.contains("suggestions"), "{out}");
    }
    let (code, out, said) = run(&installation, &["man", "pages"]).await;
    assert_eq!(code, 0, "{out}{said}");
    for (page, says) in [("kiungo", "core\\-request"), ("kiungo-transfer-show", "\\-\\-events")] {
        let page = installation.path().join("pages").join(format!("{page}.1"));
        let page = std::fs::read_to_string(page).unwrap();
        assert!(page.contains(".TH ") && page.contains(says), "{page}");
    }
}
