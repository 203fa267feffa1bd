use std::collections::BTreeMap;

use kiungo_core_banking::{Facts, RequestId};
use kiungo_domain::{AccountKind, CoreAccount, Currency};
use proptest::prelude::*;

use super::*;

fn tzs(text: &str) -> Money {
    Money::parse(text, Currency::from_code("TZS").unwrap()).unwrap()
}

fn request() -> CoreRequest {
    let fields = [("mm.channel", "M-Pesa"), ("mm.number", "0712 345 678"), ("mm.type", "3")];
    CoreRequest {
        id: RequestId::new("loan-7").unwrap(),
        kind: RequestKind::Disbursement,
        account: CoreAccount { kind: AccountKind::Loan, id: 7 },
        account_no: "000000007".to_owned(),
        amount: tzs("1000"),
        facts: Facts {
            product: Some(2),
            office: Some(1),
            phone: Some("+255754000001".to_owned()),
            fields: fields.map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
            complete: true,
        },
        obstacle: None,
    }
}

fn payee(name: &str) -> Payee {
    Payee { provider: ProviderId::new(name).unwrap(), wallet: WalletSource::Owner }
}

fn market(code: &str) -> Market {
    Market::of(&[code]).unwrap()
}

fn markets<const N: usize>(providers: [&str; N], code: &str) -> BTreeMap<ProviderId, Market> {
    providers.map(|name| (ProviderId::new(name).unwrap(), market(code))).into()
}

fn rules(when: Conditions) -> RequestRules {
    RequestRules {
        rules: vec![Rule { when, action: Action::PayOut(payee("mpesa-tz")) }],
        payment_type_field: Some("mm.type".to_owned()),
        home: Some(market("255")),
        markets: markets(["mpesa-tz"], "255"),
    }
}

fn pays(when: Conditions) -> bool {
    let rules = rules(when);
    let evaluation = rules.evaluate(&request());
    assert_ne!(evaluation, Evaluation::Undecided, "all facts are known");
    evaluation != Evaluation::Decided(&Action::Ignore)
}

#[test]
fn without_a_rule_nothing_is_paid() {
    assert_eq!(RequestRules::default().evaluate(&request()), Evaluation::Decided(&Action::Ignore));
}

#[test]
fn every_condition_narrows_a_rule() {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let field = |value: &str| vec![("mm.channel".to_owned(), value.to_owned())];
    let all = Conditions::default;
    for (fits, when) in [
        (true, all()),
        (true, Conditions { kind: Some(RequestKind::Disbursement), ..all() }),
        (false, Conditions { kind: Some(RequestKind::Withdrawal), ..all() }),
        (true, Conditions { products: vec![1, 2], ..all() }),
        (false, Conditions { products: vec![3], ..all() }),
        (true, Conditions { offices: vec![1], ..all() }),
        (false, Conditions { offices: vec![2], ..all() }),
        (true, Conditions { payment_types: texts(&["1", "3"]), ..all() }),
        (false, Conditions { payment_types: texts(&["1"]), ..all() }),
        (true, Conditions { fields: field("M-Pesa"), ..all() }),
        (false, Conditions { fields: field("m-pesa"), ..all() }),
        (false, Conditions { fields: vec![("mm.none".to_owned(), "x".to_owned())], ..all() }),
        (true, Conditions { amount_max: Some(tzs("1000")), ..all() }),
        (false, Conditions { amount_max: Some(tzs("999.99")), ..all() }),
        (true, Conditions { prefixes: texts(&["25575", "25574"]), ..all() }),
        (false, Conditions { prefixes: texts(&["25571"]), ..all() }),
    ] {
        assert_eq!(pays(when.clone()), fits, "{when:?}");
    }
    let dollars = Money::parse("1000000", Currency::from_code("USD").unwrap()).unwrap();
    assert!(!pays(Conditions { amount_max: Some(dollars), ..all() }), "another currency");
}

#[test]
fn the_first_rule_that_applies_decides() {
    let mut rules = rules(Conditions { products: vec![9], ..Conditions::default() });
    let ask = Action::Ask(payee("gsma-sandbox"));
    for action in [ask.clone(), Action::Ignore] {
        rules.rules.push(Rule { when: Conditions::default(), action });
    }
    assert_eq!(rules.evaluate(&request()), Evaluation::Decided(&ask));
}

#[test]
fn a_result_that_depends_on_unknown_facts_is_not_decided() {
    let field = ("mm.other".to_owned(), "x".to_owned());
    let unknown = Conditions { fields: vec![field], ..Conditions::default() };
    let mut light = request();
    light.facts.complete = false;
    assert_eq!(rules(unknown.clone()).evaluate(&light), Evaluation::Undecided);
    let elsewhere = Conditions { products: vec![9], ..unknown };
    assert_eq!(rules(elsewhere).evaluate(&light), Evaluation::Decided(&Action::Ignore));
}

/// The wallet of the owner whose number the core keeps so.
fn wallet_of(kept: &str, provider_code: &str, home: Option<&str>) -> Result<String, NoWallet> {
    let rules = RequestRules {
        home: home.map(market),
        markets: markets(["mpesa-tz"], provider_code),
        ..RequestRules::default()
    };
    let mut request = request();
    request.facts.phone = Some(kept.to_owned());
    rules.wallet(&payee("mpesa-tz"), &request).map(|number| number.digits().to_owned())
}

#[test]
fn a_wallet_is_read_in_every_sure_form() {
    for (kept, code, home, expected) in [
        ("+255 712 345 678", "255", None, "255712345678"),
        ("00255712345678", "255", None, "255712345678"),
        ("255712345678", "255", None, "255712345678"),
        ("2550712345678", "255", None, "255712345678"),
        ("(0712) 345-678", "255", Some("255"), "255712345678"),
        ("712345678", "255", Some("255"), "255712345678"),
        ("255712345678", "255", Some("255"), "255712345678"),
        // Ten digits, of which the leading 0 is one.
        ("0197123456", "229", Some("229"), "2290197123456"),
        ("0707123456", "225", Some("225"), "2250707123456"),
        // No trunk prefix.
        ("841234567", "258", Some("258"), "258841234567"),
        ("58123456", "266", Some("266"), "26658123456"),
        // A client from abroad, paid there.
        ("254712345678", "254", Some("255"), "254712345678"),
    ] {
        let read = wallet_of(kept, code, home);
        assert_eq!(read.as_deref(), Ok(expected), "{kept} {code} {home:?}");
    }
}

#[test]
fn a_number_that_is_not_surely_one_of_the_provider_waits_for_a_person() {
    for (kept, code, home) in [
        // In national form, and nothing says of which country.
        ("0712345678", "255", None),
        ("712345678", "255", None),
        ("841234567", "258", None),
        ("58123456", "266", None),
        ("841234567", "255", None),
        // In the form of another country than the core's, or of another one than the provider's.
        ("841234567", "258", Some("255")),
        ("841234567", "255", Some("255")),
        ("0712345678", "254", Some("255")),
        ("+254712345678", "255", Some("255")),
        ("254712345678", "255", Some("255")),
        ("+0712345678", "255", Some("255")),
    ] {
        let read = wallet_of(kept, code, home);
        assert!(matches!(read, Err(NoWallet::Elsewhere { .. })), "{kept} {code} {home:?} {read:?}");
    }
    for kept in ["0712345678 or 0754000001", "12345", "07x2345678"] {
        let read = wallet_of(kept, "255", Some("255"));
        assert!(matches!(read, Err(NoWallet::Unreadable(_))), "{kept} {read:?}");
    }
}

#[test]
fn a_wallet_is_read_where_the_rule_says_that_it_stands() {
    let rules = rules(Conditions::default());
    let by_field =
        |field: &str| Payee { wallet: WalletSource::Field(field.to_owned()), ..payee("mpesa-tz") };
    let number = rules.wallet(&by_field("mm.number"), &request());
    assert_eq!(number.unwrap().digits(), "255712345678");
    let missing = rules.wallet(&by_field("mm.none"), &request());
    assert_eq!(missing, Err(NoWallet::Missing("mm.none".to_owned())));
    let unreadable = rules.wallet(&by_field("mm.channel"), &request()).unwrap_err();
    assert!(!unreadable.to_string().contains("M-Pesa"), "what stands there is not repeated");
    let nobody = rules.wallet(&payee("nobody"), &request());
    assert_eq!(nobody, Err(NoWallet::NoProvider(ProviderId::new("nobody").unwrap())));
}

fn conditions() -> impl Strategy<Value = Conditions> {
    let ids = || prop::collection::vec(1_u64..4, 0..3);
    let words = || prop::collection::vec("[a-c]", 0..2);
    let fields = prop::collection::vec(("t\\.[a-c]", "[a-c]"), 0..3);
    let kinds = prop::option::of(prop_oneof![
        Just(RequestKind::Disbursement),
        Just(RequestKind::Withdrawal)
    ]);
    let prefixes = prop::collection::vec("2557[1-3]", 0..2);
    (kinds, ids(), ids(), words(), fields, prop::option::of(1_i64..5), prefixes).prop_map(
        |(kind, products, offices, payment_types, fields, max, prefixes)| Conditions {
            kind,
            products,
            offices,
            payment_types,
            fields,
            amount_max: max.map(|whole| tzs(&whole.to_string())),
            prefixes,
        },
    )
}

fn any_rules() -> impl Strategy<Value = RequestRules> {
    let action = prop_oneof![
        Just(Action::Ignore),
        Just(Action::Ask(payee("a"))),
        Just(Action::PayOut(payee("b"))),
        Just(Action::PayOut(Payee { wallet: WalletSource::Field("t.c".to_owned()), ..payee("c") })),
    ];
    let rule = (conditions(), action).prop_map(|(when, action)| Rule { when, action });
    let field = prop::option::of(Just("t.a".to_owned()));
    (prop::collection::vec(rule, 0..5), field).prop_map(|(rules, payment_type_field)| {
        let (home, markets) = (Some(market("255")), markets(["a", "b", "c"], "255"));
        RequestRules { rules, payment_type_field, home, markets }
    })
}

fn any_request() -> impl Strategy<Value = CoreRequest> {
    let value = prop_oneof!["[a-c]", "2557[1-3]1234567", "071[1-3]234567"];
    let fields = prop::collection::btree_map("t\\.[a-c]", value, 0..4);
    let phone = prop::option::of("(\\+2557|07)[1-3]1234567");
    let ids = || prop::option::of(1_u64..4);
    (ids(), ids(), phone, fields, 1_i64..6, any::<bool>()).prop_map(
        |(product, office, phone, fields, amount, is_loan)| {
            let kind = if is_loan { RequestKind::Disbursement } else { RequestKind::Withdrawal };
            let facts = Facts { product, office, phone, fields, complete: true };
            CoreRequest { kind, amount: tzs(&amount.to_string()), facts, ..request() }
        },
    )
}

proptest! {
    /// An evaluation that is decided with few facts stays so with all of them: the poller may leave
    /// a request alone that it has not read.
    #[test]
    fn more_facts_never_turn_a_decided_evaluation_round(
        rules in any_rules(), full in any_request(), kept in any::<[bool; 4]>(),
    ) {
        let mut light = full.clone();
        light.facts.complete = false;
        light.facts.product = light.facts.product.filter(|_| kept[0]);
        light.facts.office = light.facts.office.filter(|_| kept[1]);
        light.facts.phone = light.facts.phone.filter(|_| kept[2]);
        if !kept[3] {
            light.facts.fields = BTreeMap::new();
        }
        let settled = rules.evaluate(&full);
        prop_assert_ne!(&settled, &Evaluation::Undecided);
        let early = rules.evaluate(&light);
        prop_assert!(early == Evaluation::Undecided || early == settled, "{early:?} {settled:?}");
    }

    /// A rule that can never apply changes nothing, wherever it stands.
    #[test]
    fn only_a_rule_that_applies_matters(rules in any_rules(), request in any_request()) {
        let before = rules.evaluate(&request);
        let mut padded = rules.clone();
        let never = Conditions { products: vec![99], ..Conditions::default() };
        padded.rules.insert(0, Rule { when: never, action: Action::PayOut(payee("never")) });
        prop_assert_eq!(before, padded.evaluate(&request));
    }
}
