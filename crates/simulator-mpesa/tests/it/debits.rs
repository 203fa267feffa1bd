//! The four direct debit calls, and what is documented but not enabled.

use kiungo_simulator::testing::no_faults;
use kiungo_simulator_mpesa::options::{BooleanForm, Options};
use serde_json::{Value, json};

use super::{MSISDN, World, c2b, is, options, world};

const MANDATE: &str = "MANDATE000417";

fn debits() -> Options {
    Options { direct_debits: true, ..options() }
}

fn create(id: &str, msisdn: &str) -> Value {
    json!({
        "input_AgreedTC": "1",
        "input_Country": "TZN",
        "input_CustomerMSISDN": msisdn,
        "input_ServiceProviderCode": "000000",
        "input_ThirdPartyConversationID": id,
        "input_ThirdPartyReference": MANDATE,
        "input_Frequency": "04",
        "input_FirstPaymentDate": "20260401",
        "input_StartRangeOfDays": "01",
        "input_EndRangeOfDays": "05",
        "input_ExpiryDate": "20270401",
    })
}

fn pay(id: &str, reference: &str) -> Value {
    json!({
        "input_Amount": "125.50",
        "input_Country": "TZN",
        "input_Currency": "TZS",
        "input_CustomerMSISDN": MSISDN,
        "input_ServiceProviderCode": "000000",
        "input_ThirdPartyConversationID": id,
        "input_ThirdPartyReference": reference,
    })
}

fn cancel(id: &str, reference: &str) -> Value {
    let mut body = pay(id, reference);
    for name in ["input_Amount", "input_Currency"] {
        body.as_object_mut().unwrap().remove(name);
    }
    body
}

async fn ask_debit(world: &World, more: &str) -> kiungo_simulator::testing::Answer {
    let query = format!(
        "queryDirectDebit/?input_Country=TZN&input_Currency=TZS&input_ServiceProviderCode=000000\
         &input_ThirdPartyConversationID=QD1&{more}"
    );
    world.ask("GET", &query, &Value::Null).await
}

#[tokio::test(start_paused = true)]
async fn a_mandate_is_made_paid_under_asked_about_and_ended() {
    for (form, yes) in [(BooleanForm::Text, json!("True")), (BooleanForm::Boolean, json!(true))] {
        let options = Options { sufficient_balance: form, ..debits() };
        let world = world(options, no_faults()).await;
        let made = world.ask("POST", "directDebitCreation/", &create("A", MSISDN)).await;
        is(&made, 201, "INS-0");
        let token = made.json()["output_MsisdnToken"].clone();
        let paid = world.ask("POST", "directDebitPayment/", &pay("B", MANDATE)).await;
        is(&paid, 201, "INS-0");
        assert_eq!(paid.json()["output_MsisdnToken"], token);
        assert_eq!(world.moved(), 1);
        is(&world.ask("POST", "directDebitPayment/", &pay("B", MANDATE)).await, 409, "INS-10");
        let found = ask_debit(
            &world,
            &format!(
                "input_CustomerMSISDN={MSISDN}&input_ThirdPartyReference={MANDATE}\
                 &input_QueryBalanceAmount=True&input_BalanceAmount=125.50"
            ),
        )
        .await;
        is(&found, 200, "INS-0");
        assert_eq!(found.json()["output_SufficientBalance"], yes);
        assert_eq!(found.json()["output_MandateStatus"], "Active");
        is(&world.ask("PUT", "directDebitCancel/", &cancel("C", MANDATE)).await, 201, "INS-0");
        is(&world.ask("POST", "directDebitPayment/", &pay("D", MANDATE)).await, 400, "INS-58");
        is(&world.ask("PUT", "directDebitCancel/", &cancel("E", "NONE")).await, 401, "INS-6");
    }
}

#[tokio::test(start_paused = true)]
async fn a_mandate_is_refused_with_the_code_of_what_is_wrong() {
    let world = world(debits(), no_faults()).await;
    for (field, value, expected) in [
        ("input_AgreedTC", "0", "INS-36"),
        ("input_FirstPaymentDate", "1 April", "INS-39"),
        ("input_Frequency", "99", "INS-40"),
        ("input_StartRangeOfDays", "1", "INS-41"),
        ("input_EndRangeOfDays", "5", "INS-42"),
        ("input_ExpiryDate", "never", "INS-43"),
        ("input_ThirdPartyReference", "A-1", "INS-19"),
    ] {
        let mut body = create("A", MSISDN);
        body[field] = json!(value);
        is(&world.ask("POST", "directDebitCreation/", &body).await, 400, expected);
    }
    world.ask("POST", "directDebitCreation/", &create("A", MSISDN)).await;
    let mut other = pay("B", MANDATE);
    other["input_CustomerMSISDN"] = json!("255700000002");
    is(&world.ask("POST", "directDebitPayment/", &other).await, 400, "INS-50");
    other["input_MandateID"] = json!("1");
    is(&world.ask("POST", "directDebitPayment/", &other).await, 400, "INS-52");
    let nobody = format!("input_ThirdPartyReference={MANDATE}");
    is(&ask_debit(&world, &nobody).await, 500, "INS-57");
    let amountless =
        format!("{nobody}&input_CustomerMSISDN={MSISDN}&input_QueryBalanceAmount=True");
    is(&ask_debit(&world, &amountless).await, 401, "INS-55");
}

#[tokio::test(start_paused = true)]
async fn the_magic_numbers_of_direct_debits_act() {
    let world = world(Options { triggers: true, ..debits() }, no_faults()).await;
    for (number, status, expected) in
        [(1, 201, "INS-0"), (2, 400, "INS-1"), (3, 401, "INS-6"), (4, 408, "INS-9"), (5, 503, "")]
    {
        let body = create(&format!("A{number}"), &format!("00000000000{number}"));
        is(&world.ask("POST", "directDebitCreation/", &body).await, status, expected);
        let magic = format!("0000000000000000000{number}");
        let body = pay(&format!("B{number}"), &magic);
        is(&world.ask("POST", "directDebitPayment/", &body).await, status, expected);
        // In the number, too, although its own pattern forbids twenty digits.
        let mut body = pay(&format!("C{number}"), MANDATE);
        body["input_CustomerMSISDN"] = json!(magic);
        is(&world.ask("POST", "directDebitPayment/", &body).await, status, expected);
        let body = cancel(&format!("D{number}"), &magic);
        is(&world.ask("PUT", "directDebitCancel/", &body).await, status, expected);
    }
    let one = "input_ThirdPartyReference=00000000000000000001";
    for (more, field, value) in [
        ("input_CustomerMSISDN=000000000003", "output_AccountStatus", "Locked"),
        (
            "input_CustomerMSISDN=000000000001&input_MandateID=000004",
            "output_MandateStatus",
            "Expired",
        ),
        (
            "input_QueryBalanceAmount=True&input_BalanceAmount=500.01",
            "output_SufficientBalance",
            "False",
        ),
    ] {
        assert_eq!(ask_debit(&world, &format!("{one}&{more}")).await.json()[field], value);
    }
    let nines = "input_ThirdPartyReference=99999999999999999999";
    is(&ask_debit(&world, nines).await, 400, "INS-999");
}

#[tokio::test(start_paused = true)]
async fn a_documented_call_that_is_not_enabled_answers_as_such_and_an_invented_one_is_not_found() {
    let world = world(options(), no_faults()).await;
    for (method, path) in [
        ("POST", "c2bPayment/multiStage/"),
        ("PUT", "updateTransactionStatus/"),
        ("POST", "directDebitCreation/"),
        ("POST", "directDebitPayment/"),
        ("GET", "queryDirectDebit/"),
        ("PUT", "directDebitCancel/"),
    ] {
        is(&world.ask(method, path, &c2b("A", MSISDN, "5")).await, 400, "INS-997");
        let bare = path.trim_end_matches('/');
        assert_eq!(world.ask(method, bare, &c2b("A", MSISDN, "5")).await.status, 404, "{path}");
    }
}
