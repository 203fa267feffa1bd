//! One snapshot per kind of mistake: what an integrator reads.

use insta::assert_snapshot;
use kiungo_mapping::Mapping;
use serde::Deserialize;

use crate::{FAMILIES, SMALL};

/// The message for the small file followed by `more`.
fn message(more: &str) -> String {
    Mapping::parse("test.toml", &format!("{SMALL}{more}"), &FAMILIES).unwrap_err().to_string()
}

/// The message for the small file with one piece of text changed.
fn changed(from: &str, to: &str) -> String {
    assert!(SMALL.contains(from), "{from}");
    Mapping::parse("test.toml", &SMALL.replacen(from, to, 1), &FAMILIES).unwrap_err().to_string()
}

macro_rules! mistakes {
    ($($name:ident: $message:expr;)*) => {$(
        #[test]
        fn $name() {
            assert_snapshot!(stringify!($name), $message);
        }
    )*};
}

mistakes! {
    an_empty_file: Mapping::parse("test.toml", "", &FAMILIES).unwrap_err();
    not_toml: changed("id = \"mpesa-tz\"", "id = mpesa-tz");
    a_duplicate_key: changed("decimals = 0", "decimals = 0\ndecimals = 2");
    an_unknown_section: message("[limts]\n");
    an_unknown_key: changed("decimals = 0", "decimals = 0\ncurency = \"TZS\"");
    a_wrong_type: changed("decimals = 0", "decimals = \"0\"");
    an_amount_without_quotes: changed("min = \"500\"", "min = 500.0");
    not_an_amount: changed("min = \"500\"", "min = \"500,00\"");
    an_unknown_currency: changed("\"TZS\"", "\"TSH\"");
    more_decimals_than_the_currency: changed("decimals = 0", "decimals = 3");
    a_limit_finer_than_the_provider: changed("min = \"500\"", "min = \"500.50\"");
    limits_the_wrong_way_round: changed("max = \"3000000\"", "max = \"300\"");
    a_day_smaller_than_a_transaction: changed("\"10000000\"", "\"1000\"");
    a_wallets_day_larger_than_all: changed(
        "daily_max = \"10000000\"",
        "daily_max = \"10000000\"\norganisation_daily_max = \"9000000\"\n\
         daily_count = 9\norganisation_daily_count = 8",
    );
    a_day_of_nothing: changed("daily_max = \"10000000\"", "organisation_daily_count = 0");
    an_unknown_family: changed("family = \"mpesa\"", "family = \"m-pesa\"");
    no_section_of_the_family: changed("[mpesa]\nmarket = \"tanzania\"", "");
    one_setting_for_two_directions: message("[core]\nholder_must_match = false");
    a_direction_that_is_none: message("[core]\nholder_must_match = { payout = true }");
    an_unknown_time_zone: changed("Africa/Dar_es_Salaam", "Africa/Dodoma");
    no_numbers: changed("numbers = { dial_codes = [\"255\"] }", "");
    no_country_of_numbers: changed("[\"255\"]", "[]");
    a_country_code_that_is_none: changed("[\"255\"]", "[\"+255\"]");
    a_number_of_no_such_length: changed("[\"255\"]", "[\"255\"], lengths = [9, 13]");
    first_digits_that_are_none: changed("[\"255\"]", "[\"255\"], first_digits = \"6-7\"");
    a_test_number_that_is_none: changed("[\"255\"]", "[\"255\"], test_numbers = [\"+255 7\"]");
    a_name_that_is_none: changed("id = \"mpesa-tz\"", "id = \"M-Pesa TZ\"");
    openings_out_of_order: message("[hours]\nmonday = [\"12:00-18:00\", \"08:00-13:00\"]");
    an_opening_over_midnight: message("[hours]\nmonday = [\"22:00-02:00\"]");
    not_an_opening: message("[hours]\nmonday = [\"8-17\"]");
    never_open: message("[hours]\nevery_day = []");
    an_empty_ladder: message("[inquiry]\nladder = []");
    a_ladder_that_descends: message("[inquiry]\nladder = [\"30s\", \"2m\", \"1m\"]");
    not_a_duration: message("[inquiry]\nladder = [\"30\"]");
    an_insane_duration: message("[inquiry]\ncase_after = \"400d\"");
    absent_never: message("[inquiry]\nabsent_times = 0");
    retries_the_wrong_way_round: message("[inquiry]\nretry_first = \"10m\"\nretry_max = \"1m\"");
    new_reference_is_no_choice: message("[inquiry]\nwhen_absent = \"new_reference\"");
    a_core_that_is_no_name: message("[core.payment_types]\n\"Main Office\" = 3");
    payments_without_rules: message("[callbacks]\nexpected = true\npayments = true");
    payments_without_callbacks: message(
        "[callbacks]\npayments = true\n[[account_reference]]\npayer_phone = true\nkind = \"any\""
    );
    a_breaker_that_never_cools: message("[traffic.breaker]\ncool_down = \"0s\"");
    a_band_that_is_never_reached: message(
        "[fees.collect]\npaid_by = \"customer\"\nbands = [{ flat = \"1\" }, { up_to = \"9\", flat = \"2\" }]"
    );
    bands_out_of_order: message(
        "[fees.pay_out]\npaid_by = \"organisation\"\nbands = [{ up_to = \"90\", flat = \"1\" }, { up_to = \"9\", flat = \"2\" }]"
    );
    a_pattern_that_is_none: message(
        "[[account_reference]]\npattern = \"LN{digit:1-9}\"\nkind = \"loan\"\nkey = \"account_no\""
    );
    a_pattern_with_dropped_characters: message(
        "[[account_reference]]\npattern = \"LN-{digits:1-9}\"\nkind = \"loan\"\nkey = \"account_no\""
    );
    an_exact_pattern_that_joins: message(
        "[[account_reference]]\npattern = \"LN-{digits:9}\"\nexact = true\njoin_digits = true\nkind = \"loan\"\nkey = \"account_no\""
    );
    a_pattern_that_keeps_nothing: message(
        "[[account_reference]]\npattern = \"FEES\"\nkind = \"savings\"\nkey = \"account_no\""
    );
    a_template_without_a_place: message(
        "[[account_reference]]\npattern = \"{digits:9}\"\nkind = \"savings\"\nkey = \"account_no\"\nvalue = \"255\""
    );
    patterns_that_overlap: message(
        "[[account_reference]]\npattern = \"{digits:9}\"\nkind = \"savings\"\nkey = \"account_no\"\n\
         [[account_reference]]\npattern = \"{digits:1-12}\"\nkind = \"loan\"\nkey = \"account_no\""
    );
    a_pattern_that_adds_nothing: message(
        "[[account_reference]]\npattern = \"{digits:9}\"\nkind = \"savings\"\nkey = \"account_no\"\n\
         [[account_reference]]\npattern = \"{digits:9}\"\nkind = \"savings\"\nkey = \"account_no\"\noverlaps = true"
    );
    a_rule_behind_the_payers_phone: message(
        "[[account_reference]]\npayer_phone = true\nkind = \"any\"\n\
         [[account_reference]]\npattern = \"{digits:9}\"\nkind = \"savings\"\nkey = \"account_no\""
    );
    bands_that_end_below_the_limits: message(
        "[fees.collect]\npaid_by = \"customer\"\nbands = [{ up_to = \"1000\", flat = \"1\" }, { up_to = \"2999999\", flat = \"2\" }]"
    );
    a_currency_without_decimals: changed("\"TZS\"\ndecimals = 0", "\"RWF\"\ndecimals = 2");
    an_amount_finer_than_its_currency: Mapping::parse(
        "test.toml",
        &SMALL.replacen("TZS", "RWF", 1).replacen("min = \"500\"", "min = \"500.50\"", 1),
        &FAMILIES,
    )
    .unwrap_err();
    a_code_without_a_meaning: message("[codes.all]\nE1 = { text = \"no\" }");
    a_code_that_is_no_table: message("[codes.all]\nE1 = \"rejected\"");
    an_unknown_meaning: message("[codes.pay_out]\nE1 = { means = \"reject\" }");
    a_rejection_without_a_reason: message("[codes.collect]\nE1 = { means = \"rejected\" }");
    a_reason_that_only_kiungo_gives: message(
        "[codes.all]\nE1 = { means = \"rejected\", reason = \"never_arrived\" }"
    );
    an_unknown_key_of_a_code: message("[codes.all]\nE1 = { means = \"unknown\", txt = \"?\" }");
    codes_of_no_operation: message("[codes.collections]\nE1 = { means = \"unknown\" }");
    status_words_that_are_wrong: message(
        "[statuses]\nfailed = { means = \"rejected\" }\nDone = { means = \"completed\" }\n\
         done = { means = \"completed\" }\n[statuses.collect]\nlost = { means = \"gone\" }"
    );
    several_at_once: message("[hours]\nmonday = [\"8-17\"]\n[inquiry]\nladder = []\n[tariff]\na = 1");
}

#[test]
fn what_is_no_amount_of_the_provider_is_refused_by_key() {
    for text in [
        "0",
        "0.00",
        "-500",
        "+500",
        "5e2",
        "0x1F4",
        "500,00",
        "500.",
        ".5",
        " 500",
        "٥٠٠",
        "NaN",
        "",
        "500.005",
        "92233720368547758.08",
        "99999999999999999999999999",
    ] {
        let message = changed("min = \"500\"", &format!("min = \"{text}\""));
        assert!(message.contains("limits.collect.min"), "{text}: {message}");
    }
}

#[test]
fn what_is_no_number_of_a_key_is_refused_by_key() {
    for number in [
        "0",
        "-1",
        "100001",
        "9223372036854775808",
        "99999999999999999999",
        "1.5",
        "1e3",
        "nan",
        "inf",
        "true",
        "1979-05-27",
        "[1]",
        "{ a = 1 }",
    ] {
        let message = self::message(&format!("[traffic]\nper_second_max = {number}\n"));
        assert!(message.contains("per_second_max"), "{number}: {message}");
    }
}

#[test]
fn deep_nesting_is_refused() {
    for (open, close) in [("[", "]"), ("{ a = ", " }")] {
        let deep = format!("[hours]\nmonday = {}1{}", open.repeat(20_000), close.repeat(20_000));
        let unclosed = format!("[hours]\nmonday = {}", open.repeat(20_000));
        for text in [deep, unclosed] {
            assert!(message(&text).contains("test.toml:"));
        }
    }
    let keys = format!("[{}a]\n", "a.".repeat(20_000));
    assert!(message(&keys).starts_with("test.toml:"));
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only the errors are looked at")]
struct Options {
    market: String,
    timeout_s: u64,
    #[serde(default)]
    lines: std::collections::BTreeMap<String, u8>,
}

fn section(of_mpesa: &str) -> String {
    let text = SMALL.replacen("market = \"tanzania\"", of_mpesa, 1);
    let mapping = Mapping::parse("test.toml", &text, &FAMILIES).unwrap();
    mapping.section::<Options>("mpesa").unwrap_err().to_string()
}

mistakes! {
    an_adapters_unknown_key: section("market = \"tanzania\"\ntimeout_s = 3\ntimeout_ms = 5");
    an_adapters_missing_key: section("market = \"tanzania\"");
    an_adapters_wrong_type: section("market = \"tanzania\"\ntimeout_s = \"3\"");
    an_adapters_inner_table: section(
        "market = \"tanzania\"\ntimeout_s = 3\n[mpesa.lines]\n\"INS-0\" = 900"
    );
}
