//! Reading: amounts, dates, omissions, paging shapes, lookups.

use kiungo_simulator_fineract::{Clients, OpenError, Options, SavingsSpec, Version};
use serde_json::json;

use super::{World, posting, with};

#[tokio::test(start_paused = true)]
async fn amounts_have_six_decimals_and_dates_are_arrays_on_one_line() {
    let world = World::of(Version::V1_12);
    let account = world.get("v1/savingsaccounts/1").await;
    assert_eq!(account.text.lines().count(), 1);
    assert!(account.text.contains("\"accountBalance\":5000.000000"));
    assert!(account.text.contains("\"activatedOnDate\":[2025,9,1]"));
    assert!(!account.text.contains("totalWithdrawals"), "omitted while zero");
    assert!(!account.text.contains("savingsAmountOnHold"), "omitted while null");
    assert_eq!(account.content_type, "application/json");
}

#[tokio::test(start_paused = true)]
async fn fields_removes_known_names_at_every_depth_and_refuses_unknown_ones() {
    let world = World::of(Version::V1_12);
    let account = world.get("v1/savingsaccounts/1?fields=status,summary").await.json();
    assert!(account["status"]["id"].is_null(), "id goes everywhere");
    assert!(account["summary"]["currency"].is_null());
    assert!(account["summary"]["accountBalance"].is_number());
    assert!(account["subStatus"].is_object(), "outside the list: always printed");
    for path in ["v1/savingsaccounts/1?fields=subStatus", "v1/loans/1?fields=id,clientName"] {
        let reply = world.get(path).await;
        assert_eq!((reply.status, reply.code().as_str()), (400, "error.msg.parameter.unsupported"));
    }
    let loan = world.get("v1/loans/2?fields=id,accountNo,status,summary,currency,totalOverpaid,clientId,timeline").await;
    assert_eq!(loan.json()["status"]["id"], 300);
}

#[tokio::test(start_paused = true)]
async fn the_search_pages_by_index_and_prints_fields_instead_of_getters() {
    let world = World::of(Version::V1_12);
    for amount in ["1.00", "2.00", "3.00"] {
        world.deposit("", amount).await;
    }
    world.withdraw("", "4.00").await;
    let path = "v1/savingsaccounts/1/transactions/search?fromDate=2026-09-01&toDate=2026-09-01&locale=en&dateFormat=yyyy-MM-dd";
    let page = world.get(&format!("{path}&types=1,2&offset=1&limit=3")).await.json();
    assert_eq!(page["total"], 4);
    assert!(page["totalElements"].is_null() && page["last"].is_null());
    let content = page["content"].as_array().unwrap();
    assert_eq!(content.len(), 1, "the second page of three");
    assert_eq!(content[0]["amount"].to_string(), "1.0", "newest first: the oldest is last");
    assert_eq!(content[0]["date"], json!([2026, 9, 1]));
    assert_eq!(content[0]["paymentDetailData"]["checkNumber"], "", "never sent: an empty text");
    let debits = world.get(&format!("{path}&debit=true")).await.json();
    assert_eq!(debits["total"], 1);
    let amounts = world.get(&format!("{path}&fromAmount=2&toAmount=3")).await.json();
    assert_eq!(amounts["total"], 2);
    let nobody = world.get(&path.replace("/1/", "/99/")).await;
    assert_eq!((nobody.status, nobody.json()["total"].as_u64()), (200, Some(0)));
    let alone = world.get(&format!("{path}&orderBy=amount")).await;
    assert_eq!(alone.status, 500);
    let ascending = world.get(&format!("{path}&orderBy=amount&sortOrder=ASC")).await.json();
    assert_eq!(ascending["content"][0]["amount"].to_string(), "1.0");
}

#[tokio::test(start_paused = true)]
async fn undone_rows_stay_in_the_search_and_say_so() {
    let world = World::of(Version::V1_12);
    let row = world.deposit("", "1.00").await.number("resourceId");
    world
        .post(&format!("v1/savingsaccounts/1/transactions/{row}?command=undo"), "", json!({}))
        .await;
    let page =
        world.get("v1/savingsaccounts/1/transactions/search?fromDate=2026-09-01").await.json();
    assert_eq!(
        (page["total"].as_u64(), page["content"][0]["reversed"].as_bool()),
        (Some(1), Some(true))
    );
}

#[tokio::test(start_paused = true)]
async fn lists_filter_by_what_they_know_and_page_in_fineracts_own_shape() {
    let world = World::of(Version::V1_12);
    world.open(SavingsSpec::active("KES", 0));
    for (path, total) in [
        ("v1/savingsaccounts?externalId=SV-0", 1),
        ("v1/savingsaccounts?externalId=nobody", 0),
        ("v1/savingsaccounts", 2),
        ("v1/loans?accountNo=000000002", 1),
        ("v1/loans?externalId=LN-0-active", 1),
        ("v1/loans?externalId=LN-0-active&accountNo=000000001", 0),
        ("v1/loans?status=300", 2),
        ("v1/clients?externalId=C-0", 1),
        ("v1/clients?displayName=asha", 2),
        ("v1/clients?externalId=C-0&displayName=nobody", 0),
    ] {
        let page = world.get(path).await.json();
        assert_eq!(page["totalFilteredRecords"], total, "{path}");
        assert_eq!(page["pageItems"].as_array().unwrap().len(), total, "{path}");
    }
    let page = world.get("v1/loans?offset=1&limit=2").await.json();
    assert_eq!(
        (page["totalFilteredRecords"].as_u64(), page["pageItems"][0]["id"].as_u64()),
        (Some(6), Some(2))
    );
}

#[tokio::test(start_paused = true)]
async fn clients_are_found_by_number_and_show_their_accounts() {
    let world = World::of(Version::V1_12);
    let search = json!({"request": {"text": "255700000000"}, "page": 0, "size": 50});
    let page = world.post("v2/clients/search", "", search).await;
    assert!(page.text.lines().count() > 1, "typed: indented");
    assert_eq!(
        (page.number("totalElements"), page.json()["content"][0]["mobileNo"].as_str()),
        (1, Some("255700000000"))
    );
    assert_eq!(page.json()["content"][0]["activationDate"], "2025-09-01");
    let accounts = world.get("v1/clients/1/accounts").await;
    assert!(accounts.text.contains("\"loanBalance\":1000.000000"));
    assert!(accounts.text.contains("\"accountBalance\":5000.000000"));
    let accounts =
        world.get("v1/clients/external-id/C-0/accounts?fields=savingsAccounts").await.json();
    assert!(accounts["loanAccounts"].is_null());
    let empty = world.open(SavingsSpec::active("TZS", 0));
    let accounts = world.get("v1/clients/2/accounts").await.json();
    assert_eq!(accounts["savingsAccounts"][0]["id"].as_u64(), Some(empty));
    assert!(accounts["savingsAccounts"][0]["accountBalance"].is_null(), "omitted while zero");
    assert_eq!(world.get("v1/clients/9").await.code(), "error.msg.client.not.found.with.client.id");
}

#[tokio::test(start_paused = true)]
async fn the_search_of_version_1_goes_from_a_typed_number_to_an_entity() {
    let world = World::of(Version::V1_14);
    world.open(SavingsSpec {
        account_no: Some("77001".to_owned()),
        ..SavingsSpec::active("TZS", 0)
    });
    let hits = world
        .get("v1/search?query=77001&resource=clients,loans,savings&exactMatch=true")
        .await
        .json();
    assert_eq!(hits.as_array().unwrap().len(), 1);
    assert_eq!(
        (hits[0]["entityType"].as_str(), hits[0]["entityId"].as_u64()),
        (Some("SAVING"), Some(2))
    );
    assert_eq!(
        (hits[0]["entityName"].as_str(), hits[0]["entityStatus"]["id"].as_u64()),
        (Some("Wallet"), Some(0))
    );
    let count = async |query: &str| {
        let hits = world.get(&format!("v1/search?{query}")).await.json();
        hits.as_array().unwrap().len()
    };
    assert_eq!(count("query=7700&resource=savings&exactMatch=true").await, 0);
    assert_eq!(count("query=7700&resource=savings&exactMatch=false").await, 1);
    assert_eq!(count("query=7700_&resource=savings&exactMatch=true").await, 1, "SQL's LIKE");
    assert_eq!(count("query=255700000000&resource=clients&exactMatch=true").await, 1);
    assert_eq!(count("query=LN-0-active&resource=clients,loans,savings&exactMatch=true").await, 1);
    assert_eq!(count("query=asha&resource=savings").await, 0);
}

#[tokio::test(start_paused = true)]
async fn reference_data_can_be_read() {
    let options = Options {
        gl_closed_until: Some(jiff::civil::date(2026, 8, 1)),
        non_working_weekdays: vec![7],
        business_date_lag_days: Some(0),
        ..Options::default()
    };
    let world = World::new(options);
    assert_eq!(world.get("v1/paymenttypes").await.json()[2]["name"], "Mobile money");
    assert_eq!(world.get("v1/offices").await.json()[0]["name"], "Head Office");
    assert_eq!(
        world.get("v1/glclosures?officeId=1").await.json()[0]["closingDate"],
        json!([2026, 8, 1])
    );
    let week = world.get("v1/workingdays").await.json();
    assert_eq!(week["recurrence"], "FREQ=WEEKLY;INTERVAL=1;BYDAY=MO,TU,WE,TH,FR,SA");
    let currencies = world.get("v1/currencies").await.json();
    let codes: Vec<&str> = currencies["selectedCurrencyOptions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|currency| currency["code"].as_str().unwrap())
        .collect();
    assert!(codes.contains(&"TZS"));
    assert_eq!(world.get("v1/configurations/name/maker-checker").await.json()["enabled"], false);
    assert_eq!(world.get("v1/configurations/name/nothing").await.status, 404);
    assert_eq!(world.get("v1/externalevents/configuration").await.status, 200);
    assert_eq!(world.get("v1/businessdate").await.json()[1]["date"], json!([2026, 8, 31]));
}

#[tokio::test(start_paused = true)]
async fn templates_tell_the_pay_off_amount_in_the_currencys_scale() {
    let world = World::of(Version::V1_12);
    world.repay("", "100.50").await;
    let template = world.get("v1/loans/2/transactions/template?command=prepayLoan").await;
    assert!(template.text.contains("\"amount\":899.50,"), "{}", template.text);
    let disburse = world.get("v1/loans/1/transactions/template?command=disburse").await;
    assert!(disburse.json()["currency"].is_null());
    assert_eq!(world.get("v1/loans/1/transactions/template?command=gift").await.status, 400);
}

#[tokio::test(start_paused = true)]
async fn a_loan_shows_its_summary_only_once_it_was_paid_out() {
    let world = World::of(Version::V1_12);
    assert!(world.get("v1/loans/1").await.json()["summary"].is_null());
    let body = with(posting("1000.00"), "externalId", "x");
    world.post("v1/loans/2/transactions?command=repayment", "", body).await;
    let closed = world.get("v1/loans/2").await;
    assert!(closed.text.contains("\"totalRepayment\":1000.000000"));
    assert!(closed.json()["totalOverpaid"].is_null());
}

#[tokio::test(start_paused = true)]
async fn a_furnished_core_has_clients_with_accounts_in_each_currency() {
    let clients = Clients {
        count: 3,
        currencies: vec!["TZS".to_owned(), "LSL".to_owned()],
        numbers: vec![255_700_000_000, 26_657_000_000],
    };
    let world = World::new(Options { clients, ..Options::default() });
    let opened = world.simulator.furnish().unwrap();
    let numbers: Vec<_> = opened.iter().map(|(client, _)| client.mobile_no.as_str()).collect();
    assert_eq!(numbers, ["255700000001", "26657000002", "255700000003"]);
    let (_, ids) = &opened[1];
    assert_eq!((ids.savings.len(), ids.loans.len()), (2, 4));
    for (id, currency) in ids.savings.iter().zip(["TZS", "LSL"]) {
        let account = world.get(&format!("v1/savingsaccounts/{id}")).await.json();
        assert_eq!(account["currency"]["code"], currency);
        assert_eq!(account["clientName"], "Client 2");
    }
    for (id, (currency, status)) in
        ids.loans.iter().zip([("TZS", 300), ("TZS", 200), ("LSL", 300), ("LSL", 200)])
    {
        let loan = world.get(&format!("v1/loans/{id}")).await.json();
        assert_eq!(
            (&loan["currency"]["code"], &loan["status"]["id"]),
            (&json!(currency), &json!(status))
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_core_is_not_furnished_in_a_currency_that_is_none() {
    let clients = Clients { currencies: vec!["SHILLING".to_owned()], ..Clients::default() };
    let world = World::new(Options { clients, ..Options::default() });
    assert_eq!(world.simulator.furnish(), Err(OpenError::Currency("SHILLING".to_owned())));
}
