//! The meaning of a mapping file, as the engine asks for it.

use std::collections::BTreeMap;
use std::time::Duration;

use kiungo_domain::outcome::{Reason, Retry};
use kiungo_domain::party::AccountKey;
use kiungo_domain::policy::{FeePayer, OnCoreRejection, WhenAbsent};
use kiungo_domain::transfer::Operation;
use kiungo_domain::typed::Likeness;
use kiungo_domain::{AccountKind, AccountRef, CoreId, Currency, Kind, Money, Msisdn, Timestamp};
use kiungo_mapping::{
    Answered, Daily, DailyLimit, InquirySettings, Mapping, Meaning, Promise, Promises, Refusal,
};
use proptest::prelude::*;
use serde::Deserialize;

use crate::{FAMILIES, SMALL, shillings, with};

fn promises(provider: bool, core: bool) -> Promises {
    let promise = |resend_is_idempotent| Promise {
        resend_is_idempotent,
        indexing_window: Duration::from_mins(20),
    };
    Promises { provider: promise(provider), core: promise(core) }
}

#[test]
fn without_promises_nothing_is_sent_twice_whatever_the_file_wishes() {
    let mapping = with("[inquiry]\nwhen_absent = \"resend\"\nwhen_payout_absent = \"resend\"");
    let policy = mapping.policy(&InquirySettings::default(), promises(false, false));
    assert_eq!(policy.wallet.when_absent, WhenAbsent::Case);
    assert_eq!(policy.wallet.when_payout_absent, WhenAbsent::Case);
    assert_eq!(policy.core.when_absent, WhenAbsent::NewReference);
    let policy = mapping.policy(&InquirySettings::default(), promises(true, true));
    assert_eq!(policy.wallet.when_absent, WhenAbsent::Resend);
    assert_eq!(policy.core.when_absent, WhenAbsent::Resend);
}

#[test]
fn a_payout_is_never_taken_as_refused_by_default() {
    let mapping = with("[inquiry]\nwhen_absent = \"reject\"");
    let policy = mapping.policy(&InquirySettings::default(), promises(false, false));
    assert_eq!(policy.wallet.when_absent, WhenAbsent::Reject);
    assert_eq!(policy.wallet.when_payout_absent, WhenAbsent::Case);
    let policy = mapping.policy(&InquirySettings::default(), promises(true, false));
    assert_eq!(policy.wallet.when_payout_absent, WhenAbsent::Resend);
}

#[test]
fn not_found_never_counts_within_the_indexing_window() {
    let policy = with("[inquiry]\nabsent_after = \"1m\"")
        .policy(&InquirySettings::default(), promises(true, true));
    assert_eq!(policy.wallet.absent_after, Duration::from_mins(20));
}

#[test]
fn the_inquiry_schedule_is_half_a_minute_to_six_hours_and_then_a_case() {
    let policy = with("").policy(&InquirySettings::default(), promises(false, false));
    let schedule: Vec<u64> = policy.wallet.inquiry_schedule.iter().map(Duration::as_secs).collect();
    assert_eq!(schedule, [30, 120, 600, 3600, 21600]);
    assert_eq!(policy.wallet.case_after, Duration::from_hours(8));
    assert_eq!(policy.on_core_rejection, OnCoreRejection::Suspense);
}

#[test]
fn the_mappings_own_core_settings_go_before_those_of_the_configuration() {
    let configured = InquirySettings {
        absent_times: Some(7),
        case_after: Some(Duration::from_hours(2)),
        ..InquirySettings::default()
    };
    let mapping = with("[core]\non_core_rejection = \"refund\"\n[core.inquiry]\nabsent_times = 9");
    let policy = mapping.policy(&configured, promises(true, true));
    assert_eq!(policy.core.absent_times, 9);
    assert_eq!(policy.core.case_after, Duration::from_hours(2));
    assert_eq!(policy.on_core_rejection, OnCoreRejection::Refund);
}

#[test]
fn a_payment_type_is_that_of_the_core_or_the_common_one() {
    let core = |name| CoreId::new(name).unwrap();
    let mapping = with("[core]\npayment_type = 4\n[core.payment_types]\nbranch = 9");
    assert_eq!(mapping.payment_type(&core("branch")), Some(9));
    assert_eq!(mapping.payment_type(&core("main")), Some(4));
    assert_eq!(with("").payment_type(&core("main")), None);
}

#[test]
fn the_holder_is_asked_for_where_a_wallet_is_paid_unless_the_mapping_says_otherwise() {
    let asked = |mapping: &Mapping| {
        let of = |kind: &Kind| mapping.core().holder_must_match(kind.wallet_operation());
        Kind::ALL.into_iter().filter(of).collect::<Vec<_>>()
    };
    let outbound = [Kind::Withdrawal, Kind::Disbursement];
    assert_eq!(asked(&with("")), outbound);
    assert_eq!(asked(&with("[core]\nholder_must_match = {}")), outbound);
    assert_eq!(asked(&with("[core]\nholder_must_match = { collect = true }")), Kind::ALL);
    let neither = "[core.holder_must_match]\npay_out = false";
    assert_eq!(asked(&with(neither)), []);
}

#[test]
fn amounts_are_checked_by_currency_decimals_and_limits() {
    let mapping = with("");
    let check = |operation, text| mapping.check_amount(operation, shillings(text));
    assert_eq!(check(Operation::Collect, "500"), Ok(()));
    assert_eq!(check(Operation::Collect, "3000000"), Ok(()));
    assert_eq!(check(Operation::Reverse, "1"), Ok(()), "a reversal has no limits of its own");
    assert_eq!(check(Operation::Collect, "0"), Err(Refusal::Zero));
    assert!(matches!(check(Operation::Collect, "500.50"), Err(Refusal::Decimals { .. })));
    assert!(matches!(check(Operation::PayOut, "999"), Err(Refusal::BelowMinimum { .. })));
    let refusal = check(Operation::PayOut, "5000001").unwrap_err();
    assert_eq!(refusal.rejection().reason, Reason::LimitExceeded);
    let ugx = Money::parse("5000", Currency::from_code("UGX").unwrap()).unwrap();
    let refusal = mapping.check_amount(Operation::Collect, ugx).unwrap_err();
    assert_eq!(refusal.to_string(), "the provider works in TZS, not in UGX");
    assert_eq!(refusal.rejection().reason, Reason::AmountNotAllowed);
}

#[test]
fn a_closed_provider_says_when_it_opens_again() {
    let mapping = with("[hours]\nevery_day = [\"06:00-22:00\"]\nsunday = []");
    // 2026-11-21, a Saturday, 23:00 in Dar es Salaam (UTC+3); it opens on Monday at 06:00.
    let saturday = Timestamp::from_micros(1_795_291_200_000_000);
    let monday = Timestamp::from_micros(1_795_291_200_000_000 + 31 * 3_600_000_000);
    assert_eq!(mapping.open_at(saturday), Err(monday));
    assert_eq!(mapping.open_at(monday), Ok(()));
    assert_eq!(with("").open_at(saturday), Ok(()));
}

const REFERENCES: &str = r#"
[[account_reference]]
pattern = "LN{digits:1-9}"
kind = "loan"
key = "account_no"
pad = 9

[[account_reference]]
pattern = "SV-{alnum:1-20}"
exact = true
kind = "savings"
key = "external_id"
value = "SV-{}"

[[account_reference]]
pattern = "{digits:1-9}"
kind = "any"
key = "account_no"
pad = 9

[[account_reference]]
pattern = "0{digits:9}"
kind = "savings"
key = "phone"
value = "255{}"
join_digits = true

[[account_reference]]
payer_phone = true
kind = "savings"
"#;

fn reference(kind: Option<AccountKind>, key: AccountKey) -> AccountRef {
    AccountRef { kind, key }
}

#[test]
fn typed_text_becomes_candidates_with_the_payers_number_last() {
    let mapping = with(REFERENCES);
    let payer = Msisdn::parse("255712345678").unwrap();
    let own = reference(Some(AccountKind::Savings), AccountKey::Phone(payer.clone()));
    let loan = reference(Some(AccountKind::Loan), AccountKey::AccountNo("000000417".to_owned()));
    assert_eq!(mapping.resolve(" ln-00417", Some(&payer)), [loan.clone(), own.clone()]);
    assert_eq!(mapping.resolve("LN417", None), [loan]);
    let external = AccountKey::ExternalId("SV-a7".to_owned());
    assert_eq!(mapping.resolve("SV-a7", None), [reference(Some(AccountKind::Savings), external)]);
    let any = reference(None, AccountKey::AccountNo("000000034".to_owned()));
    assert_eq!(mapping.resolve("34", None), [any]);
    assert_eq!(mapping.resolve("0712 345 678", Some(&payer)), [own], "the same account only once");
    assert_eq!(mapping.resolve("???", None), []);
}

#[test]
fn a_phone_number_that_a_payer_typed_is_read_as_the_providers_market_has_it() {
    let typed = |code: &str, pattern: &str, text: &str| {
        let rule = format!(
            "[[account_reference]]\npattern = \"{pattern}\"\nkind = \"savings\"\nkey = \"phone\"\n"
        );
        let file = format!("{SMALL}{rule}").replace("255", code);
        let mapping = Mapping::parse("test.toml", &file, &FAMILIES).unwrap();
        let phone = |account: &AccountRef| match &account.key {
            AccountKey::Phone(number) => number.digits().to_owned(),
            other => panic!("{other:?}"),
        };
        mapping.resolve(text, None).iter().map(phone).collect::<Vec<_>>()
    };
    for (code, text, number) in [
        ("255", "0712 345 678", "255712345678"),
        ("255", "+255 712 345 678", "255712345678"),
        ("255", "2550712345678", "255712345678"),
        ("225", "0707123456", "2250707123456"),
        ("229", "0197123456", "2290197123456"),
        ("258", "841234567", "258841234567"),
        ("266", "58123456", "26658123456"),
    ] {
        assert_eq!(typed(code, "[+]{digits:8-15}", text), [number], "+{code} {text}");
    }
    assert!(typed("255", "{digits:8-15}", "0841234567").is_empty(), "of another country");
}

#[test]
fn the_section_of_numbers_narrows_what_is_known_of_the_country() {
    let section =
        "[\"243\"], lengths = [9], first_digits = \"8\", test_numbers = [\"000000000001\"]";
    let mapping =
        Mapping::parse("test.toml", &SMALL.replace("[\"255\"]", section), &FAMILIES).unwrap();
    let numbers = mapping.numbers();
    for (text, taken) in [
        ("0812345678", true),
        ("000000000001", true),
        ("000000000002", false),
        ("8812345", false),
        ("0912345678", false),
    ] {
        assert_eq!(numbers.read(text).is_ok(), taken, "{text}");
    }
}

#[test]
fn separators_between_digits_name_no_account_but_are_suggested_in_both_readings() {
    let mapping = with(REFERENCES);
    let number = |text: &str| AccountKey::AccountNo(text.to_owned());
    for typed in ["1-1", "1/1", "1.1", "1–1", "1\u{a0}1"] {
        assert_eq!(mapping.resolve(typed, None), [], "{typed:?}");
        let readings = mapping.readings(typed);
        let read: Vec<_> = readings.iter().map(|r| (r.likeness, &r.account.key)).collect();
        let expected =
            [(Likeness::Joined, &number("000000011")), (Likeness::Split, &number("000000001"))];
        assert_eq!(read, expected, "{typed:?}");
    }
    // A whole number, written in groups.
    let account = reference(None, number("000000034"));
    assert_eq!(mapping.resolve("000 000 034", None), [account]);
}

#[test]
fn a_rule_for_numbers_that_are_typed_apart_stands_beside_the_general_one() {
    let exact = "[[account_reference]]\npattern = \"{digits:1-7}/<digits:1-2>\"\nexact = true\n\
                 kind = \"loan\"\nkey = \"account_no\"\npad = 9\n";
    let mapping = with(&format!("{exact}{}", REFERENCES.replace("1-9", "1-6")));
    let loan = AccountKey::AccountNo("000000012".to_owned());
    assert_eq!(mapping.resolve("12/3", None), [reference(Some(AccountKind::Loan), loan)]);
}

#[test]
fn look_alikes_are_read_as_the_intended_characters() {
    let mapping = with(&REFERENCES.replace("exact = true", "overlaps = true\nexact = true"));
    let loan = reference(Some(AccountKind::Loan), AccountKey::AccountNo("000000001".to_owned()));
    for typed in ["LN–1", "LN\u{a0}1", "LN\u{200b}1", "LN#1", "LN,1", "LN١", "ln۱", "\u{200f}LN1"]
    {
        assert_eq!(mapping.resolve(typed, None), std::slice::from_ref(&loan), "{typed:?}");
    }
    for typed in ["LNl", "LNO1", "LN1 JOHN"] {
        assert_eq!(mapping.resolve(typed, None), [], "{typed}: a person decides");
        assert!(mapping.readings(typed).iter().any(|r| r.account == loan), "{typed}");
    }
}

#[test]
fn fees_are_known_by_amount_and_stand_beside_it() {
    let mapping = with(
        "[fees.collect]\npaid_by = \"customer\"\nbands = [\n  { up_to = \"1000\", flat = \"10\" },\n  \
         { per_mille = 10, max = \"5000\" },\n]",
    );
    let fee = |text| mapping.fee(Operation::Collect, shillings(text));
    assert_eq!(fee("1000"), Some(shillings("10")));
    assert_eq!(fee("2050"), Some(shillings("21")), "20.50 becomes a whole shilling");
    assert_eq!(fee("1000000"), Some(shillings("5000")));
    assert_eq!(mapping.fee(Operation::PayOut, shillings("1000")), None);
    assert_eq!(mapping.fees().get(Operation::Collect).unwrap().paid_by, FeePayer::Customer);
}

#[test]
fn a_day_is_bounded_by_operation_and_calendar() {
    let mapping = with("");
    // 2026-11-21 21:00 UTC: midnight in Dar es Salaam.
    let midnight = Timestamp::from_micros(1_795_294_800_000_000);
    let noon = midnight.after(Duration::from_hours(12));
    let day = midnight..midnight.after(Duration::from_hours(24));
    let wallet = DailyLimit { value: Some(shillings("10000000")), count: None };
    let daily = Some(Daily { day, wallet, organisation: DailyLimit::default() });
    assert_eq!(mapping.daily(Operation::PayOut, noon), daily);
    assert_eq!(mapping.daily(Operation::PayOut, midnight), daily);
    assert_eq!(mapping.daily(Operation::Collect, noon), None, "the file gives it no bound");
    assert_eq!(mapping.daily(Operation::Reverse, noon), None);
}

#[test]
fn wallets_and_the_organisation_have_days_of_their_own() {
    let max = "max = \"3000000\"";
    let more = "daily_count = 5\norganisation_daily_max = \"90000000\"\n\
                organisation_daily_count = 900";
    let text = SMALL.replace(max, &format!("{max}\n{more}"));
    let mapping = Mapping::parse("test.toml", &text, &FAMILIES).unwrap();
    let daily = mapping.daily(Operation::Collect, Timestamp::from_micros(0)).unwrap();
    assert_eq!(daily.wallet, DailyLimit { value: None, count: Some(5) });
    let organisation = DailyLimit { value: Some(shillings("90000000")), count: Some(900) };
    assert_eq!(daily.organisation, organisation);
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Options {
    market: String,
}

#[test]
fn a_family_reads_its_own_section_and_an_absent_one_is_empty() {
    let mapping = with("");
    let options: Options = mapping.section("mpesa").unwrap();
    assert_eq!(options, Options { market: "tanzania".to_owned() });
    let nothing: BTreeMap<String, String> = mapping.section("gsma").unwrap();
    assert_eq!(nothing.len(), 0);
}

#[test]
fn a_familys_problem_is_placed_where_the_file_has_it() {
    let mapping = with("[codes.all]\nE1 = { means = \"unknown\" }");
    let place = |path: &[&str]| mapping.problem(path, "is wrong").to_string();
    assert_eq!(place(&["mpesa", "market"]), "test.toml:21:10: mpesa.market: is wrong");
    assert_eq!(place(&["mpesa", "key"]), "test.toml:20:1: mpesa.key: is wrong");
    assert_eq!(place(&["mpesa", "market", "x"]), "test.toml:21:10: mpesa.market.x: is wrong");
    assert_eq!(place(&["codes", "all", "E1"]), "test.toml:24:6: codes.all.E1: is wrong");
    assert_eq!(place(&["gsma"]), "test.toml: gsma: is wrong");
}

#[test]
fn codes_and_status_words_mean_what_the_file_says() {
    let mapping = with(
        "[codes.all]\nE1 = { means = \"unknown\" }\n\
         E2 = { means = \"rejected\", reason = \"busy\", retry = \"new_reference\", text = \"no\" }\n\
         [codes.pay_out]\nE1 = { means = \"not_sent\" }\n\
         [statuses]\nDONE = { means = \"completed\" }\n\
         [statuses.reverse]\nDone = { means = \"pending\" }",
    );
    let codes = mapping.codes();
    let means = |operation, code| codes.meaning(operation, code).map(|line| line.means);
    assert_eq!(means(Operation::Collect, "E1"), Some(Meaning::Unknown));
    assert_eq!(means(Operation::PayOut, "E1"), Some(Meaning::NotSent));
    assert_eq!(means(Operation::PayOut, "E3"), None);
    let line = codes.meaning(Answered::Inquire, "E2").unwrap();
    let said = (line.reason, line.retry, line.text.as_deref());
    assert_eq!(said, (Some(Reason::Busy), Some(Retry::NewReference), Some("no")));
    let statuses = mapping.statuses();
    let means = |operation| statuses.meaning(operation, "done").map(|line| line.means);
    assert_eq!(means(Operation::Collect), Some(Meaning::Completed));
    assert_eq!(means(Operation::Reverse), Some(Meaning::Pending));
}

proptest! {
    #[test]
    fn no_text_panics(text in "(\\[\\[?[a-z.]{0,12}\\]?\\]|[a-z_]{1,8} = |[\"{}\\[\\],]|[0-9]{1,3}|\\PC|\n){0,60}") {
        let _ = Mapping::parse("test.toml", &text, &FAMILIES);
    }

    #[test]
    fn no_changed_character_panics(at in 0..SMALL.len(), by in "\\PC|\n") {
        let mut text = SMALL.to_owned();
        if text.is_char_boundary(at) && text.is_char_boundary(at + 1) {
            text.replace_range(at..=at, &by);
        }
        let _ = Mapping::parse("test.toml", &text, &FAMILIES);
    }

    #[test]
    fn any_typed_text_resolves_without_a_panic(typed in "\\PC{0,80}") {
        let _ = with(REFERENCES).resolve(&typed, None);
    }
}
