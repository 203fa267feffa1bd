//! Accounts that a payer may have meant.

use kiungo_core_banking::{Core as _, Sought, Suggestions};
use kiungo_domain::party::AccountKey;
use kiungo_domain::typed::{Likeness, Reading};
use kiungo_domain::{AccountKind, AccountRef, Msisdn};
use serde_json::json;

use super::checks::{SAVINGS, accounts, clients, hit};
use super::script::{Reply, core, lost, ok};

fn reading(number: &str, likeness: Likeness) -> Reading {
    let key = AccountKey::AccountNo(number.to_owned());
    Reading { account: AccountRef { kind: Some(AccountKind::Savings), key }, likeness }
}

fn payer() -> Option<Msisdn> {
    Msisdn::parse("255700000001").ok()
}

fn none() -> Reply {
    ok("[]")
}

fn found(id: u64, number: &str) -> Reply {
    ok(json!([hit("SAVING", id, number)]).to_string())
}

fn account(id: u64) -> Reply {
    let number = format!("{id:09}");
    ok(SAVINGS.replace("\"id\":34", &format!("\"id\":{id}")).replace("000000034", &number))
}

/// Ids with reasons.
fn shown(suggestions: &Suggestions) -> Vec<(u64, Vec<&'static str>)> {
    let shown = suggestions.accounts.iter().map(|suggestion| {
        let reasons = suggestion.reasons.iter().map(|reason| reason.as_str()).collect();
        (suggestion.account.account.id, reasons)
    });
    shown.collect()
}

#[tokio::test]
async fn suggestions_are_the_payers_accounts_what_was_typed_and_near_numbers() {
    // The payer's; typed, filled up; then the slips of three digits: swapped and one off.
    let replies = vec![
        clients(&["0700000001"]),
        accounts(&[(34, 300), (33, 600)]),
        none(),
        found(123, "000000123"),
        none(),
        found(40, "132"),
        none(),
        found(50, "153"),
        found(60, "1299"),
    ];
    // Filled up it has eight pairs of digits, of which three differ, and nine digits.
    let slips = (0..3 + 9).map(|_| none());
    let read = vec![account(123), account(40), account(50)];
    let (core, script) = core(json!({}), replies.into_iter().chain(slips).chain(read).collect());
    let sought = Sought { readings: vec![reading("123", Likeness::Typed)], payer: payer() };
    let suggested = core.suggest(&sought).await;
    assert_eq!(
        shown(&suggested),
        [(123, vec!["typed"]), (34, vec!["payer"]), (40, vec!["similar"]), (50, vec!["similar"]),]
    );
    assert!(suggested.complete);
    assert_eq!(suggested.accounts[1].account.holder.as_deref(), Some("Asha"));
    assert!(script.is_used_up(), "{:?}", script.paths());
    assert!(script.paths()[6].contains("query=_23&resource=savings&exactMatch=true"));
}

#[tokio::test]
async fn the_payers_accounts_are_suggested_whatever_was_typed() {
    let (core, _) = core(json!({}), vec![clients(&["+255 700 000 001"]), accounts(&[(34, 300)])]);
    let suggested = core.suggest(&Sought { readings: Vec::new(), payer: payer() }).await;
    assert_eq!(shown(&suggested), [(34, vec!["payer"])]);
    assert!(suggested.complete);
}

#[tokio::test]
async fn a_payers_own_account_that_was_nearly_typed_goes_first() {
    let replies = vec![clients(&["0700000001"]), accounts(&[(34, 300), (56, 300)]), none()];
    let slips = (0..=9).map(|_| none());
    let (core, _) = core(json!({}), replies.into_iter().chain(slips).collect());
    let sought = Sought { readings: vec![reading("000000055", Likeness::Typed)], payer: payer() };
    let suggested = core.suggest(&sought).await;
    assert_eq!(shown(&suggested), [(56, vec!["payer", "similar"]), (34, vec!["payer"])]);
}

#[tokio::test]
async fn both_readings_of_digits_that_stood_apart_are_looked_for() {
    let joined = reading("000000011", Likeness::Joined);
    let split = reading("000000001", Likeness::Split);
    let replies = vec![found(11, "000000011"), found(1, "000000001")];
    let slips = (0..=9).map(|_| none());
    let read = vec![account(11), account(1)];
    let (core, _) = core(json!({}), replies.into_iter().chain(slips).chain(read).collect());
    let suggested = core.suggest(&Sought { readings: vec![joined, split], payer: None }).await;
    assert_eq!(shown(&suggested), [(11, vec!["joined"]), (1, vec!["split"])]);
}

#[tokio::test]
async fn an_account_that_is_closed_is_not_suggested() {
    let closed = SAVINGS.replace("\"id\":300", "\"id\":600");
    assert_ne!(closed, SAVINGS);
    let key = AccountKey::Id(34);
    let by_id = AccountRef { kind: Some(AccountKind::Savings), key };
    let readings = vec![Reading { account: by_id, likeness: Likeness::Typed }];
    let (core, _) = core(json!({}), vec![ok(closed)]);
    let suggested = core.suggest(&Sought { readings, payer: None }).await;
    assert_eq!(shown(&suggested), []);
    assert!(suggested.complete);
}

#[tokio::test]
async fn a_core_that_does_not_answer_everything_is_not_taken_to_know_nothing() {
    let (core, _) = core(json!({}), vec![lost(), found(34, "000000034"), account(34)]);
    let key = AccountKey::AccountNo("A34".to_owned());
    let account = AccountRef { kind: None, key };
    let readings = vec![Reading { account, likeness: Likeness::Typed }];
    let suggested = core.suggest(&Sought { readings, payer: payer() }).await;
    assert!(!suggested.complete);
}
