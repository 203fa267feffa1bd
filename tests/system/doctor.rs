//! The findings of the doctor, against simulated counterparties.

use kiungo_simulator_fineract::TableOf;
use serde_json::Value;

use crate::cli::{read, run};
use crate::kiungo::Installation;
use crate::world::World;

/// The names of a doctor's bad findings, except those that are expected of these worlds: their
/// secrets are those of examples, and no process serves.
fn ailments(out: &str) -> Vec<(String, String)> {
    let report: Value = serde_json::from_str(out).unwrap_or_else(|_| panic!("{out}"));
    let findings = report["findings"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let ill = findings.filter(|finding| finding["state"] != "ok");
    let ill = ill.inspect(|finding| assert!(finding["advice"].is_string(), "{finding}"));
    let named = ill.map(|finding| (text(&finding["name"]), text(&finding["found"])));
    let usual = [
        "sample_secret",
        "callback_address_silent",
        "core_permissions_too_many",
        "core_without_tls",
    ];
    named.filter(|(name, _)| !usual.contains(&name.as_str())).collect()
}

/// The rules of docs/fineract.md, pasted, passed the doctor, and nothing was ever listed.
#[tokio::test]
async fn the_doctor_finds_what_rules_and_mappings_name_and_the_core_lacks() {
    let world = World::start().await;
    let installation = Installation::new(&world);
    let doctor = ["--json", "doctor", "--config", "kiungo.toml"];
    let (code, out, _) = run(&installation, &doctor).await;
    let names = |out: &str| ailments(out).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    assert_eq!((code, names(&out)), (0, vec!["payment_type_is_cash".to_owned()]), "{out}");
    installation.add(
        "\n[cores.requests]\npayment_type_field = \"mobile_money.type\"\n\
         [[cores.requests.rules]]\nfields = [\"client/consent.given=true\"]\naction = \"pay_out\"\n\
         provider = \"mpesa-tz\"\nwallet = \"owner\"\n",
    );
    // `cores.requests` belongs to the core, which is not the last entry of the file.
    let file = installation.path().join("kiungo.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let (before, requests) = text.split_once("\n[cores.requests]").unwrap();
    let (cores, providers) = before.split_once("[[providers]]").unwrap();
    let text = format!("{cores}\n[cores.requests]{requests}\n[[providers]]{providers}");
    std::fs::write(&file, text).unwrap();
    world.core().register_table("consent", TableOf::Client, false);
    let mapping = installation.path().join("mpesa-tz.toml");
    let text = std::fs::read_to_string(&mapping).unwrap();
    assert!(text.contains("\n[core]\n"), "{text}");
    let text = text.replacen("\n[core]\n", "\n[core]\npayment_type = 99\n", 1);
    std::fs::write(&mapping, text).unwrap();
    let (code, out, complaint) = run(&installation, &doctor).await;
    assert_eq!(code, 0, "{complaint}");
    let expected = [
        "payment_type_is_cash",
        "payment_type_missing",
        "data_table_missing",
        "data_column_missing",
    ];
    assert_eq!(names(&out), expected, "{out}");
    assert!(out.contains("lacks columns that the rules name: given"), "{out}");
}

#[tokio::test]
async fn the_doctor_knows_whether_kiungo_answers_where_providers_call() {
    let installation = Installation::new(&World::start().await);
    let serving = installation.serve(&[]).await;
    let (code, out, _) = run(&installation, &["--json", "doctor", "--config", "kiungo.toml"]).await;
    assert_eq!(code, 0, "{out}");
    assert!(
        out.contains("where Kiungo answers") || out.contains("no provider calls back"),
        "{out}"
    );
    assert!(serving.stop().await.success());
}

#[tokio::test]
async fn a_silent_party_is_named_with_its_address_and_without_secrets() {
    let installation = Installation::new(&World::start().await);
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let mut command = installation.command(&["--json", "doctor", "--config", "kiungo.toml"]);
    let base = format!("http://127.0.0.1:{port}/fineract-provider");
    command.env("KIUNGO__CORES__MAIN__FINERACT__BASE_URL", base);
    let (code, out, _) = read(command.output().await.unwrap());
    assert_eq!(code, 1, "{out}");
    let found = ailments(&out);
    let silent = found.iter().find(|(name, _)| name == "core_unreachable").unwrap();
    assert!(silent.1.contains(&format!("http://127.0.0.1:{port}")), "{out}");
    assert!(!out.contains("README") && !out.contains("see the message"), "{out}");
}
