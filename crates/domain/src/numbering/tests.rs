use proptest::prelude::*;

use super::*;

fn market(codes: &[&str]) -> Market {
    Market::of(codes).unwrap()
}

fn read(codes: &[&str], text: &str) -> Option<String> {
    market(codes).read(text).ok().map(|number| number.digits().to_owned())
}

fn number(digits: &str) -> Msisdn {
    Msisdn::parse(digits).unwrap()
}

#[test]
fn every_notation_of_a_tanzanian_number_is_one_number() {
    for text in [
        "255712345678",
        "+255712345678",
        "00255712345678",
        "2550712345678",
        "+255 (0) 712 345 678",
        "255 712 345 678",
        "+255-712-345-678",
        "+255\u{a0}712\u{2011}345\u{2013}678",
        "0712345678",
        "712345678",
        "(0712) 345.678",
        "tel:+255-712-345-678",
        "TEL:0712345678",
    ] {
        assert_eq!(read(&["255"], text).as_deref(), Some("255712345678"), "{text}");
        assert!(number("255712345678").is_written(text), "{text}");
    }
}

#[test]
fn a_leading_zero_is_kept_or_dropped_as_the_country_has_it() {
    for (code, text, expected) in [
        // Ten digits that begin with 0, since 2024 and 2021.
        ("229", "0197123456", "2290197123456"),
        ("229", "+229 01 97 12 34 56", "2290197123456"),
        ("225", "0707123456", "2250707123456"),
        ("225", "002250707123456", "2250707123456"),
        ("242", "066123456", "242066123456"),
        // No trunk prefix.
        ("258", "841234567", "258841234567"),
        ("266", "58123456", "26658123456"),
        ("237", "677123456", "237677123456"),
        // A trunk prefix of 0, of 8, of 06, of 1.
        ("254", "0112345678", "254112345678"),
        ("254", "0712345678", "254712345678"),
        ("233", "0241234567", "233241234567"),
        ("243", "0812345678", "243812345678"),
        ("241", "074123456", "24174123456"),
        ("7", "89161234567", "79161234567"),
        ("36", "06201234567", "36201234567"),
        ("1", "12025550123", "12025550123"),
        ("1", "2025550123", "12025550123"),
        ("39", "3121234567", "393121234567"),
    ] {
        assert_eq!(read(&[code], text).as_deref(), Some(expected), "+{code} {text}");
        assert!(number(expected).is_written(text), "{text}");
    }
}

#[test]
fn a_number_of_another_market_is_refused_and_never_guessed() {
    for (code, text) in [
        // Numbers of Mozambique and Lesotho in national form.
        ("255", "841234567"),
        ("255", "0841234567"),
        ("255", "58123456"),
        ("255", "+254712345678"),
        ("255", "254712345678"),
        ("255", "00254712345678"),
        // A land line, too short, too long, no country code behind the +.
        ("255", "255222123456"),
        ("255", "25571234567"),
        ("255", "2557123456789"),
        ("255", "+0712345678"),
        ("255", "+712345678"),
        ("255", "000000000001"),
        // The trunk zero that these countries lack, and their numbers of before the renumbering.
        ("258", "0841234567"),
        ("266", "058123456"),
        ("229", "97123456"),
        ("229", "+22997123456"),
        ("229", "+229197123456"),
        ("225", "+22507123456"),
        ("225", "707123456"),
    ] {
        let refused = market(&[code]).read(text);
        assert!(
            matches!(refused, Err(NumberError::Elsewhere { .. })),
            "+{code} {text} {refused:?}"
        );
    }
}

#[test]
fn a_text_that_is_no_phone_number_is_reported_as_none() {
    for text in [
        "",
        "+",
        "12345",
        "07x2345678",
        "++255712345678",
        "-255712345678",
        "255+712345678",
        "2557****5678",
        "0712345678 or 0754000001",
        "0712345678/0754000001",
        "\u{202a}+255712345678\u{202c}",
        "1234567890123456",
        &" 7".repeat(40),
    ] {
        assert_eq!(market(&["255"]).read(text), Err(NumberError::Unreadable), "{text}");
        assert!(!number("255712345678").is_written(text), "{text}");
    }
}

#[test]
fn a_number_that_two_countries_read_differently_is_ambiguous_unless_it_names_its_own() {
    let both = market(&["255", "254"]);
    assert_eq!(both.read("0712345678"), Err(NumberError::Ambiguous));
    assert_eq!(both.read("0612345678"), Ok(number("255612345678")), "Kenya has no such numbers");
    assert_eq!(both.read("254712345678"), Ok(number("254712345678")));
    // Gabon had seven digits before it had eight.
    assert_eq!(market(&["241"]).read("07123456"), Err(NumberError::Ambiguous));
}

#[test]
fn a_national_form_is_of_where_it_was_written() {
    let (tanzania, kenya) = (market(&["255"]), market(&["254"]));
    let elsewhere = tanzania.read_from("0712345678", Some(&kenya));
    assert!(matches!(elsewhere, Err(NumberError::Elsewhere { .. })), "{elsewhere:?}");
    let homeless = tanzania.read_from("0712345678", None);
    assert!(matches!(homeless, Err(NumberError::Elsewhere { .. })), "{homeless:?}");
    for home in [None, Some(&kenya)] {
        assert_eq!(tanzania.read_from("255712345678", home), Ok(number("255712345678")));
    }
}

#[test]
fn a_country_outside_the_table_can_be_configured() {
    let benin = market(&["229"]).with_lengths(&[8, 10]).unwrap().with_first_digits("069").unwrap();
    assert_eq!(benin.read("97123456"), Ok(number("22997123456")));
    assert_eq!(benin.read("0197123456"), Ok(number("2290197123456")));
    assert_eq!(
        benin.to_string(),
        "+229 and 8 digits that begin with 0 or 6 or 9, +229 and 10 digits that begin with 0 or 6 \
         or 9"
    );
    let sandbox = market(&["255"]).with_test_numbers(vec![number("000000000001")]);
    for text in ["000000000001", "0000 0000 0001"] {
        assert_eq!(sandbox.read(text), Ok(number("000000000001")), "{text}");
    }
    assert!(sandbox.has(&number("000000000001")) && !sandbox.has(&number("000000000002")));
    assert!(sandbox.has(&number("255712345678")), "and its country's");

    assert_eq!(Market::of(&[]), Err(MarketError::NoCountry));
    for code in ["", "0", "25", "+255", "999", "800"] {
        assert_eq!(Market::of(&[code]), Err(MarketError::UnknownCode(code.to_owned())));
    }
    for lengths in [&[][..], &[3], &[13], &[9, 16]] {
        let refused = market(&["255"]).with_lengths(lengths);
        assert!(matches!(refused, Err(MarketError::Length { .. })), "{lengths:?}");
    }
    for digits in ["", "6-7", "a"] {
        let refused = market(&["255"]).with_first_digits(digits);
        assert_eq!(refused, Err(MarketError::FirstDigits), "{digits}");
    }
}

#[test]
fn a_stated_number_is_one_of_anywhere_or_says_nothing() {
    let tanzania = market(&["255"]);
    for (text, expected) in [
        ("0712345678", Some("255712345678")),
        ("tel:+255712345678", Some("255712345678")),
        ("+254712345678", Some("254712345678")),
        ("254712345678", Some("254712345678")),
        ("2540712345678", Some("254712345678")),
        // A full number though no plan has it.
        ("+255222123456", Some("255222123456")),
        ("2557****0001", None),
        ("2557xxxx0001", None),
        ("5678", None),
        ("255222123456", None),
        ("8f14e45fceea167a5a36dedd4bea2543", None),
        ("", None),
    ] {
        let stated = tanzania.stated(text);
        assert_eq!(stated.as_ref().map(Msisdn::digits), expected, "{text}");
    }
}

#[test]
fn a_number_without_its_country_code_is_part_of_every_way_to_write_it() {
    for (digits, rest) in [
        ("255712345678", "712345678"),
        ("2250707123456", "0707123456"),
        ("26658123456", "58123456"),
        ("919812345678", "9812345678"),
        ("12025550123", "2025550123"),
        ("000000000001", "000000000001"),
    ] {
        assert_eq!(number(digits).national(), rest);
    }
    let tanzanian = number("255712345678");
    for text in ["1255712345678", "2557123456780", "0712345679", "+712345678", "254712345678"] {
        assert!(!tanzanian.is_written(text), "{text}");
    }
    assert!(number("000000000001").is_written("000000000001"));
}

#[test]
fn the_table_is_sorted_and_no_code_begins_another() {
    for pair in table::PLANS.windows(2) {
        let [one, next] = pair else { unreachable!() };
        assert!(one.code < next.code, "{} {}", one.code, next.code);
        assert!(!next.code.starts_with(one.code), "{} {}", one.code, next.code);
    }
    for plan in table::PLANS {
        assert!((1..=3).contains(&plan.code.len()) && !plan.mobiles.is_empty());
        for (length, firsts) in plan.mobiles {
            assert!(plan.code.len() + length <= 15 && !firsts.is_empty(), "+{}", plan.code);
        }
    }
}

#[test]
fn an_international_number_is_read_without_a_market() {
    for (text, expected) in [
        ("+254 712 345 678", Some("254712345678")),
        ("00254712345678", Some("254712345678")),
        ("254712345678", Some("254712345678")),
        ("0712345678", None),
        ("+0712345678", None),
        ("000000000001", None),
        ("x", None),
    ] {
        let read = Msisdn::international(text);
        assert_eq!(read.as_ref().map(Msisdn::digits), expected, "{text}");
    }
}

fn any_number() -> impl Strategy<Value = (&'static Plan, String)> {
    let plan = (0..table::PLANS.len()).prop_map(|index| &table::PLANS[index]);
    (plan, any::<prop::sample::Index>(), any::<prop::sample::Index>(), "[0-9]{14}").prop_map(
        |(plan, mobile, first, rest)| {
            let (length, firsts) = mobile.get(plan.mobiles);
            let first = firsts.chars().nth(first.index(firsts.len())).unwrap();
            (plan, format!("{first}{}", &rest[..length - 1]))
        },
    )
}

proptest! {
    /// Reading is never wrong: a number comes back from each of its notations, or is ambiguous.
    #[test]
    fn a_number_comes_back_from_each_of_its_notations((plan, national) in any_number()) {
        let market = Market::of_plan(plan);
        let code = plan.code;
        let Ok(whole) = Msisdn::parse(&format!("{code}{national}")) else { return Ok(()) };
        prop_assert!(market.has(&whole));
        for text in [
            format!("+{code}{national}"),
            format!("00{code}{national}"),
            format!("{code}{national}"),
            format!("{}{national}", plan.trunk),
            national.clone(),
        ] {
            // No country has national numbers that begin with 00, which stands for the +.
            if text.starts_with("00") && !text.starts_with(&format!("00{code}")) {
                continue;
            }
            match market.read(&text) {
                Ok(read) => prop_assert_eq!(read, whole.clone(), "{}", text),
                Err(NumberError::Ambiguous) => {}
                // Too short to be told from a short code.
                Err(NumberError::Unreadable) => prop_assert!(text.len() < 6, "{}", text),
                Err(other) => prop_assert!(false, "{} {}", text, other),
            }
        }
    }

    #[test]
    fn no_text_makes_reading_panic(text in "\\PC*") {
        let market = market(&["255", "1"]);
        let _ = (market.read(&text), market.stated(&text), number("255712345678").is_written(&text));
    }
}
