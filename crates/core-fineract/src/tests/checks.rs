//! Finding accounts, and whether they would take a booking.

use kiungo_core_banking::{AccountCheck, Booking, CheckAnswer, Core as _};
use kiungo_domain::outcome::Reason;
use kiungo_domain::party::AccountKey;
use kiungo_domain::{AccountKind, AccountRef, Currency, Money, Msisdn, Timestamp};
use serde_json::{Value, json};

use super::script::{Reply, core, envelope, lost, ok, reply};

pub(super) const SAVINGS: &str = include_str!("../../fixtures/savings_account.json");
const LOAN: &str = include_str!("../../fixtures/loan.json");

fn asked(key: AccountKey, kind: Option<AccountKind>, booking: Option<Booking>) -> AccountCheck {
    AccountCheck {
        account: AccountRef { kind, key },
        booking,
        amount: Money::parse("1000.00", Currency::from_code("TZS").unwrap()).unwrap(),
        holder: None,
        at: Timestamp::from_micros(1_788_253_200_000_000),
    }
}

fn by_id(booking: Booking) -> AccountCheck {
    asked(AccountKey::Id(if is_loan(booking) { 3 } else { 34 }), None, Some(booking))
}

fn is_loan(booking: Booking) -> bool {
    matches!(booking, Booking::Repay | Booking::Disburse)
}

fn changed(sample: &str, pointer: &str, value: Value) -> String {
    let mut whole: Value = serde_json::from_str(sample).unwrap();
    if let Some(member) = whole.pointer_mut(pointer) {
        *member = value;
    } else {
        whole[pointer.trim_start_matches('/')] = value;
    }
    whole.to_string()
}

async fn answer(options: Value, check: &AccountCheck, replies: Vec<Reply>) -> CheckAnswer {
    let (core, script) = core(options, replies);
    let answer = core.check(check).await;
    assert!(script.is_used_up(), "asked only {:?}", script.paths());
    answer
}

fn reason(answer: &CheckAnswer) -> Option<Reason> {
    match answer {
        CheckAnswer::Rejected(rejection) => Some(rejection.reason),
        _ => None,
    }
}

#[tokio::test]
async fn an_account_that_would_take_it_is_described() {
    let found = answer(json!({}), &by_id(Booking::Deposit), vec![ok(SAVINGS)]).await;
    let CheckAnswer::Allowed(facts) = found else { panic!("{found:?}") };
    assert_eq!((facts.account.id, facts.account_no.as_str()), (34, "000000034"));
    assert_eq!((facts.currency.code(), facts.holder.as_deref()), ("TZS", Some("Asha Juma")));
}

#[tokio::test]
async fn savings_are_weighed_by_the_cores_rules() {
    use Booking::{Deposit, Withdraw};
    let cases: &[(Booking, &str, Value, Option<Reason>)] = &[
        (Deposit, "/status/id", json!(200), Some(Reason::AccountState)),
        (Deposit, "/status/id", json!(600), Some(Reason::AccountState)),
        (Deposit, "/depositType/id", json!(200), Some(Reason::AccountState)),
        (Deposit, "/subStatus/id", json!(200), None),
        (Deposit, "/subStatus/id", json!(400), Some(Reason::AccountState)),
        (Deposit, "/subStatus/id", json!(500), Some(Reason::AccountState)),
        (Deposit, "/subStatus/id", json!(600), None),
        (Withdraw, "/subStatus/id", json!(400), Some(Reason::AccountState)),
        (Withdraw, "/subStatus/id", json!(500), None),
        (Withdraw, "/subStatus/id", json!(600), Some(Reason::AccountState)),
        (Deposit, "/currency/code", json!("UGX"), Some(Reason::AmountNotAllowed)),
        (Withdraw, "/summary/availableBalance", json!(1000), None),
        (Withdraw, "/summary/availableBalance", json!(999.99), Some(Reason::InsufficientFunds)),
        (Deposit, "/summary/availableBalance", json!(-5.5), None),
        (Withdraw, "/lockinPeriodFrequency", json!(3), None),
    ];
    for (booking, pointer, value, expected) in cases {
        let account = changed(SAVINGS, pointer, value.clone());
        let found = answer(json!({}), &by_id(*booking), vec![ok(account)]).await;
        assert_eq!(reason(&found), *expected, "{booking:?} {pointer} {value}: {found:?}");
        assert_eq!(matches!(found, CheckAnswer::Allowed(_)), expected.is_none());
    }
}

#[tokio::test]
async fn minimum_balance_and_overdraft_count_where_they_apply() {
    for (minimum, enforced, overdraft, allowed, takes) in [
        (250, true, 0, false, false),
        (250, false, 0, false, true),
        (250, true, 50, true, true),
        (250, true, 50, false, false),
    ] {
        let mut account: Value = serde_json::from_str(SAVINGS).unwrap();
        account["minRequiredBalance"] = minimum.into();
        account["enforceMinRequiredBalance"] = enforced.into();
        account["overdraftLimit"] = overdraft.into();
        account["allowOverdraft"] = allowed.into();
        let replies = vec![ok(account.to_string())];
        let found = answer(json!({}), &by_id(Booking::Withdraw), replies).await;
        assert_eq!(matches!(found, CheckAnswer::Allowed(_)), takes, "{account}");
    }
    let summary = changed(SAVINGS, "/summary", json!({}));
    let found = answer(json!({}), &by_id(Booking::Withdraw), vec![ok(summary)]).await;
    assert!(matches!(found, CheckAnswer::Unclear { .. }));
}

#[tokio::test]
async fn a_lock_in_ends_on_its_day() {
    // Activated on the first of August, asked on the first of September.
    for (count, unit, takes) in [(2, 2, false), (1, 2, true), (31, 0, true), (32, 0, false)] {
        let mut account: Value = serde_json::from_str(SAVINGS).unwrap();
        account["lockinPeriodFrequency"] = count.into();
        account["lockinPeriodFrequencyType"] = json!({"id": unit});
        let replies = vec![ok(account.to_string())];
        let found = answer(json!({}), &by_id(Booking::Withdraw), replies).await;
        assert_eq!(matches!(found, CheckAnswer::Allowed(_)), takes, "{count} {unit}");
    }
}

#[tokio::test]
async fn loans_are_weighed_by_status_and_approved_amount() {
    use Booking::{Disburse, Repay};
    for (booking, status, overpay, expected) in [
        (Repay, 300, false, None),
        (Repay, 200, false, Some(Reason::AccountState)),
        (Repay, 600, false, Some(Reason::AccountState)),
        (Repay, 700, false, Some(Reason::AccountState)),
        (Repay, 600, true, None),
        (Repay, 700, true, None),
        (Repay, 601, true, Some(Reason::AccountState)),
        (Disburse, 200, false, None),
        (Disburse, 100, false, Some(Reason::AccountState)),
        (Disburse, 300, false, Some(Reason::AccountState)),
    ] {
        let loan = changed(LOAN, "/status/id", json!(status));
        let options = json!({"accept_overpayment": overpay});
        let found = answer(options, &by_id(booking), vec![ok(loan)]).await;
        assert_eq!(reason(&found), expected, "{booking:?} {status}");
    }
    let small = changed(LOAN, "/status/id", json!(200));
    let small = changed(&small, "/approvedPrincipal", json!(999.99));
    let found = answer(json!({}), &by_id(Disburse), vec![ok(small)]).await;
    assert_eq!(reason(&found), Some(Reason::AmountNotAllowed));
}

#[tokio::test]
async fn an_amount_that_the_core_would_round_is_refused() {
    let mut check = by_id(Booking::Deposit);
    check.amount = Money::parse("1000.50", Currency::from_code("TZS").unwrap()).unwrap();
    let whole = changed(SAVINGS, "/currency/decimalPlaces", json!(0));
    let found = answer(json!({}), &check, vec![ok(whole.clone())]).await;
    assert_eq!(reason(&found), Some(Reason::AmountNotAllowed));
    let hundreds = changed(&whole, "/currency/inMultiplesOf", json!(300));
    let found = answer(json!({}), &by_id(Booking::Deposit), vec![ok(hundreds)]).await;
    assert_eq!(reason(&found), Some(Reason::AmountNotAllowed));
}

#[tokio::test]
async fn a_missing_account_is_refused_and_an_unreadable_one_is_not() {
    let check = by_id(Booking::Deposit);
    let found =
        answer(json!({}), &check, vec![envelope(404, "error.msg.saving.account.id.invalid")]).await;
    assert_eq!(reason(&found), Some(Reason::AccountNotFound));
    for reply in [
        reply(404, "<html></html>"),
        reply(500, ""),
        reply(401, ""),
        envelope(403, "error.msg.not.authorized"),
        ok("{}"),
        ok(changed(SAVINGS, "/id", json!(35))),
        lost(),
    ] {
        let shown = format!("{reply:?}");
        let found = answer(json!({}), &check, vec![reply]).await;
        assert!(matches!(found, CheckAnswer::Unclear { .. }), "{shown}: {found:?}");
    }
}

#[tokio::test]
async fn a_booking_for_the_other_kind_is_refused_unasked() {
    let check = asked(AccountKey::Id(3), Some(AccountKind::Loan), Some(Booking::Deposit));
    assert_eq!(reason(&answer(json!({}), &check, vec![]).await), Some(Reason::AccountState));
}

pub(super) fn hit(kind: &str, id: u64, number: &str) -> Value {
    json!({"entityId": id, "entityAccountNo": number, "entityName": "Wallet", "entityType": kind,
        "parentName": "Asha Juma", "entityStatus": {"id": 0, "code": "", "value": ""}})
}

#[tokio::test]
async fn an_account_number_is_matched_exactly() {
    let number = || AccountKey::AccountNo("000000034".to_owned());
    let hits = json!([hit("SAVING", 34, "000000034"), hit("SAVING", 35, "000000035")]).to_string();
    let check = asked(number(), None, None);
    let found = answer(json!({}), &check, vec![ok(hits), ok(SAVINGS)]).await;
    assert!(matches!(found, CheckAnswer::Allowed(_)), "{found:?}");
    let both = json!([hit("SAVING", 34, "000000034"), hit("LOAN", 3, "000000034")]).to_string();
    let found = answer(json!({}), &check, vec![ok(both.clone()), ok(SAVINGS), ok(LOAN)]).await;
    let CheckAnswer::Rejected(rejection) = found else { panic!("ambiguous") };
    assert_eq!(rejection.code, "account_ambiguous");
    assert_ne!(rejection.reason, Reason::AccountNotFound, "found, and more than once");
    let loan = asked(number(), Some(AccountKind::Loan), None);
    let found = answer(json!({}), &loan, vec![ok(both), ok(LOAN)]).await;
    assert!(
        matches!(found, CheckAnswer::Allowed(facts) if facts.account.kind == AccountKind::Loan)
    );
    for wild in ["", "%", "00000003_"] {
        let check = asked(AccountKey::AccountNo(wild.to_owned()), None, None);
        let found = answer(json!({}), &check, vec![]).await;
        assert_eq!(reason(&found), Some(Reason::AccountNotFound), "{wild}");
    }
}

#[tokio::test]
async fn an_external_id_is_asked_for_by_route_or_by_filter() {
    let check = asked(AccountKey::ExternalId("SV-34".to_owned()), Some(AccountKind::Savings), None);
    let (newer, script) = core(json!({}), vec![ok(SAVINGS)]);
    assert!(matches!(newer.check(&check).await, CheckAnswer::Allowed(_)));
    assert_eq!(script.paths(), ["GET /fineract-provider/api/v1/savingsaccounts/external-id/SV-34"]);
    let page = format!(r#"{{"totalFilteredRecords":1,"pageItems":[{SAVINGS}]}}"#);
    let (older, script) = core(json!({"version": "1.8"}), vec![ok(page), ok(SAVINGS)]);
    assert!(matches!(older.check(&check).await, CheckAnswer::Allowed(_)));
    assert_eq!(script.paths()[0], "GET /fineract-provider/api/v1/savingsaccounts?externalId=SV-34");
    let odd = asked(AccountKey::ExternalId("a/b?c".to_owned()), Some(AccountKind::Loan), None);
    let (core, script) = core(json!({}), vec![envelope(404, "error.msg.loan.external.id.invalid")]);
    assert_eq!(reason(&core.check(&odd).await), Some(Reason::AccountNotFound));
    assert_eq!(script.paths(), ["GET /fineract-provider/api/v1/loans/external-id/a%2Fb%3Fc"]);
}

pub(super) fn clients(numbers: &[&str]) -> Reply {
    let content: Vec<Value> = (1_u64..)
        .zip(numbers)
        .map(
            |(id, no)| json!({"id": id, "displayName": "Asha", "externalId": null, "mobileNo": no}),
        )
        .collect();
    ok(json!({"content": content, "totalElements": content.len(), "last": true}).to_string())
}

pub(super) fn accounts(savings: &[(u64, u64)]) -> Reply {
    let listed: Vec<Value> = savings
        .iter()
        .map(|(id, status)| {
            json!({"id": id, "accountNo": format!("{id:09}"), "status": {"id": status},
                "currency": {"code": "TZS"}, "depositType": {"id": 100}})
        })
        .collect();
    ok(json!({"savingsAccounts": listed}).to_string())
}

#[tokio::test]
async fn a_phone_number_finds_its_one_living_account() {
    let phone = AccountKey::Phone(Msisdn::parse("255700000001").unwrap());
    let check = asked(phone, Some(AccountKind::Savings), None);
    let replies = vec![
        clients(&["0700000001", "1255700000001"]),
        accounts(&[(34, 300), (33, 600)]),
        ok(SAVINGS),
    ];
    let (finder, script) = core(json!({}), replies);
    assert!(matches!(finder.check(&check).await, CheckAnswer::Allowed(_)));
    assert_eq!(script.paths()[0], "POST /fineract-provider/api/v2/clients/search");
    assert_eq!(script.body(0)["request"]["text"], "700000001");
    assert_eq!(script.header(0, "Idempotency-Key"), None);

    let second = SAVINGS.replace("\"id\":34", "\"id\":35");
    let replies = vec![
        clients(&["+255700000001"]),
        accounts(&[(34, 300), (35, 300)]),
        ok(SAVINGS),
        ok(second),
    ];
    let CheckAnswer::Rejected(rejection) = answer(json!({}), &check, replies).await else {
        panic!("ambiguous")
    };
    assert_eq!(rejection.code, "account_ambiguous");
    let none = answer(json!({}), &check, vec![clients(&["255700000002"])]).await;
    assert_eq!(reason(&none), Some(Reason::AccountNotFound));
}

#[tokio::test]
async fn an_owner_is_found_by_phone_as_the_country_writes_numbers() {
    for (wallet, kept, searched) in [
        ("258841234567", "841234567", "841234567"),
        ("26658123456", "+266 58123456", "58123456"),
        ("2250707123456", "0707123456", "0707123456"),
        ("2290197123456", "2290197123456", "0197123456"),
        ("255700000001", "0700000001", "700000001"),
    ] {
        let phone = AccountKey::Phone(Msisdn::parse(wallet).unwrap());
        let check = asked(phone, Some(AccountKind::Savings), None);
        let hits = json!([{"entityId": 12, "entityName": "Asha", "entityType": "CLIENT",
            "entityMobileNo": kept}]);
        let replies = vec![ok(hits.to_string()), accounts(&[(34, 300)]), ok(SAVINGS)];
        let (core, script) = core(json!({"version": "1.8"}), replies);
        assert!(matches!(core.check(&check).await, CheckAnswer::Allowed(_)), "{kept}");
        let path = &script.paths()[0];
        assert!(path.contains(&format!("query={searched}&")), "{path}");
    }
}

#[tokio::test]
async fn before_1_9_a_phone_number_is_searched_generally() {
    let phone = AccountKey::Phone(Msisdn::parse("255700000001").unwrap());
    let check = asked(phone, Some(AccountKind::Savings), None);
    let hits = json!([{"entityId": 12, "entityName": "Asha", "entityType": "CLIENT",
        "entityMobileNo": "255700000001"}]);
    let replies = vec![ok(hits.to_string()), accounts(&[(34, 300)]), ok(SAVINGS)];
    let (core, script) = core(json!({"version": "1.8"}), replies);
    assert!(matches!(core.check(&check).await, CheckAnswer::Allowed(_)));
    assert_eq!(
        script.paths()[0],
        "GET /fineract-provider/api/v1/search?query=700000001&resource=clients&exactMatch=false"
    );
}

#[tokio::test]
async fn the_owner_must_be_active_and_have_the_number_if_asked() {
    let owner = |status: u64, mobile: &str| {
        ok(json!({"id": 12, "status": {"id": status}, "mobileNo": mobile}).to_string())
    };
    let mut check = by_id(Booking::Deposit);
    let careful = json!({"check_owner": true});
    let inactive = vec![ok(SAVINGS), owner(600, "")];
    assert_eq!(reason(&answer(careful, &check, inactive).await), Some(Reason::AccountState));
    for (wallet, mobile, rule, matches) in [
        ("255700000001", "0700 000 001", "phone", true),
        ("255700000001", "2550700000001", "phone", true),
        ("255700000001", "0700000002", "phone", false),
        ("255700000001", "", "phone", false),
        ("255700000001", "", "phone_if_known", true),
        ("255700000001", "0700000002", "phone_if_known", false),
        // No trunk prefix; a leading 0 that stays; the 0 of before that was never one.
        ("258841234567", "841234567", "phone", true),
        ("26658123456", "58123456", "phone", true),
        ("2250707123456", "0707123456", "phone", true),
        ("2290197123456", "0197123456", "phone", true),
        ("2290197123456", "197123456", "phone", false),
        ("258841234567", "0841234567", "phone", false),
    ] {
        check.holder = Some(Msisdn::parse(wallet).unwrap());
        let replies = vec![ok(SAVINGS), owner(300, mobile)];
        let found = answer(json!({"holder_match": rule}), &check, replies).await;
        let allowed = matches!(found, CheckAnswer::Allowed(_));
        assert_eq!(allowed, matches, "{wallet} {mobile} {rule}");
        // Another number and none at all are told apart: what to do about them differs.
        let code = match &found {
            CheckAnswer::Rejected(rejection) => rejection.code.as_str(),
            _ => "",
        };
        let expected = match (matches, mobile) {
            (true, _) => "",
            (false, "") => "holder_unknown",
            (false, _) => "holder_mismatch",
        };
        assert_eq!(code, expected, "{wallet} {mobile} {rule}");
    }
}
