//! Actions of persons, from the command line to the provider's books.

use serde_json::{Value, json};

use crate::cli::{read, run};
use crate::kiungo::Installation;
use crate::world::{KINDS, SECOND_KEY, World};

async fn json(installation: &Installation, arguments: &[&str]) -> Value {
    let mut all = vec!["--json"];
    all.extend(arguments);
    let (code, out, said) = run(installation, &all).await;
    assert_eq!(code, 0, "{arguments:?}: {out}{said}");
    serde_json::from_str(&out).unwrap()
}

#[tokio::test]
async fn a_held_payout_waits_in_the_core_and_is_given_up_by_two_persons() {
    let world = World::start().await;
    let installation = Installation::new(&world);
    installation.add("[actions]\nsecond_person = [\"give_up\"]\n");
    let serving = installation.serve(&[]).await;
    let reason = ["--reason", "the float is being moved"];
    let hold = ["provider", "hold", "gsma-sandbox", "pay_out", reason[0], reason[1]];
    assert_eq!(json(&installation, &hold).await["state"], "done");
    let (code, out, _) = run(&installation, &["provider", "list"]).await;
    assert!(code == 0 && out.contains("pay_out") && out.contains("being moved"), "{out}");
    let cases = json(&installation, &["case", "list"]).await;
    assert_eq!(cases["cases"][0]["kind"], "operation_held", "{cases}");
    let (code, out, _) = run(&installation, &["case", "list"]).await;
    assert!(code == 0 && out.contains("gsma-sandbox pay_out") && out.contains("release"), "{out}");

    let person = world.new_person();
    let (_, account) = person.account(KINDS[2]);
    let (account, msisdn) = (account.to_string(), person.msisdn.clone());
    let create = [
        "transfer",
        "create",
        "withdrawal",
        "--provider",
        "gsma-sandbox",
        "--msisdn",
        &msisdn,
        "--account-id",
        &account,
        "--amount",
        "5000",
        "--currency",
        "TZS",
    ];
    let created = json(&installation, &create).await;
    let id = created["id"].as_str().unwrap();
    let asked = json(&installation, &["transfer", "inquire", id]).await;
    assert_eq!(asked["id"], created["id"], "asking moves nothing");
    let (code, out, _) = run(&installation, &["transfer", "inquire", id]).await;
    assert!(code == 0 && out.contains(id), "{out}");
    let balance = json(&installation, &["provider", "balance", "gsma-sandbox"]).await;
    assert_eq!(balance["currency"], "TZS", "{balance}");
    let (code, out, _) = run(&installation, &["provider", "balance", "gsma-sandbox"]).await;
    assert!(code == 0 && out.contains("TZS"), "{out}");
    let holder = json(&installation, &["provider", "holder", "gsma-sandbox", &msisdn]).await;
    assert!(holder["name"].is_string(), "{holder}");
    let (code, _, said) = run(&installation, &["provider", "holder", "gsma-sandbox", "1"]).await;
    assert!(code == 1 && said.contains("invalid_request"), "{said}");
    let (code, _, said) = run(&installation, &["provider", "balance", "nowhere"]).await;
    assert!(code == 1 && said.contains("provider_not_found"), "{said}");
    for (command, list) in [("suspense", "transfers"), ("core-request", "requests")] {
        assert_eq!(json(&installation, &[command, "list"]).await, json!({ list: [] }));
        let (code, _, said) = run(&installation, &[command, "list", "--limit", "9"]).await;
        assert_eq!(code, 0, "{said}");
    }
    let (code, _, said) = run(&installation, &["core-request", "show", "main", "loan-1"]).await;
    assert!(code == 1 && said.contains("core_request_not_found"), "{said}");
    let give_up = ["transfer", "decide", id, "give_up", "--reason", "the customer left"];
    let action = json(&installation, &give_up).await;
    assert_eq!((&action["state"], &action["transfer"]), (&json!("proposed"), &json!(id)));
    let action = action["id"].as_str().unwrap();
    let (code, out, _) = run(&installation, &["action", "list"]).await;
    assert!(code == 0 && out.contains("the customer left"), "{out}");
    let shown = json(&installation, &["action", "show", action]).await;
    let version = shown["transfer_version"].to_string();
    let approve =
        ["action", "approve", action, "--seen", &version, "--reason", "seen at the counter"];
    let (code, _, said) = run(&installation, &approve).await;
    assert!(code == 1 && said.contains("a second person has to approve"), "{said}");
    let mut second = installation.command(&approve);
    second.env("KIUNGO_API_KEY", SECOND_KEY);
    let (code, out, said) = read(second.output().await.unwrap());
    assert_eq!(code, 0, "{out}{said}");
    assert_eq!(serving.until_final(id).await["status"], "failed");
    let release = ["provider", "release", "gsma-sandbox", "pay_out", reason[0], reason[1]];
    assert_eq!(json(&installation, &release).await["state"], "done");
    assert_eq!(json(&installation, &["case", "list"]).await, json!({ "cases": [] }));
    let (code, _, said) = run(&installation, &release).await;
    assert!(code == 1 && said.contains("nothing holds"), "{said}");
    let all = json(&installation, &["action", "list", "--all"]).await;
    assert_eq!(all["actions"].as_array().map(Vec::len), Some(3), "{all}");
    assert!(serving.stop().await.success());
}

#[tokio::test]
async fn an_unreadable_arrival_is_shown_handled_again_and_dismissed() {
    let world = World::start().await;
    let installation = Installation::new(&world);
    let serving = installation.serve(&[]).await;
    // It is stored whatever the provider is told: there is no such resource.
    let answer = serving.call_back("gsma-sandbox", "nowhere", "{\"no\": \"sense\"}").await;
    assert_eq!(answer, 404);
    let case = serving.until_case("quarantined").await;
    let arrival = case["inbox"].to_string();
    let shown = json(&installation, &["arrival", "show", &arrival]).await;
    assert_eq!(shown["body"], "{\"no\": \"sense\"}");
    let why = ["--reason", "the mapping has been mended"];
    let list = json(&installation, &["arrival", "list"]).await;
    assert_eq!(list["arrivals"][0]["inbox"], case["inbox"], "{list}");
    let mut narrow = installation.command(&["arrival", "list"]);
    let (code, out, _) = read(narrow.env("COLUMNS", "80").output().await.unwrap());
    assert!(code == 0 && out.contains("quarantined"), "{out}");
    assert!(out.lines().all(|line| line.chars().count() <= 80), "{out}");
    let again = json(&installation, &["arrival", "retry", &arrival, why[0], why[1]]).await;
    assert_eq!(again["state"], "done");
    serving.until_case("quarantined").await;
    json(&installation, &["arrival", "dismiss", &arrival, why[0], why[1]]).await;
    assert_eq!(json(&installation, &["case", "list"]).await, json!({ "cases": [] }));
    let (code, _, said) =
        run(&installation, &["arrival", "dismiss", &arrival, why[0], why[1]]).await;
    assert!(code == 1 && said.contains("not quarantined"), "{said}");
    assert!(serving.stop().await.success());
}
