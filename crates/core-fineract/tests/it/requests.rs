use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kiungo_core_banking::{CoreRequest, CoreRequests as _, Listed, RequestId, RequestKind};
use kiungo_core_fineract::{DataTable, RequestOptions, Requests, WithdrawalTable};
use kiungo_domain::{AccountKind, CoreAccount, Timestamp};
use kiungo_simulator::faults::Fault;
use kiungo_simulator_fineract::{
    ClientSpec, LoanSpec, LoanStatus, Options, Simulator, TableOf, Version,
};
use serde_json::json;

use crate::world::{VERSIONS, World, money};

struct Asking {
    simulator: Simulator,
    requests: Requests,
    now: Timestamp,
    world_faults: Box<dyn Fn(bool)>,
}

fn table(of_client: bool, name: &str) -> DataTable {
    DataTable { of_client, name: name.to_owned() }
}

async fn asking(options: Options) -> Asking {
    let world = World::new(options, json!({})).await;
    let simulator = world.simulator.clone();
    simulator.register_table("mobile_money", TableOf::Loan, false);
    simulator.register_table("consent", TableOf::Client, false);
    simulator.register_table("mm_withdrawal", TableOf::Savings, true);
    let now = world.now();
    let faults = simulator.faults().clone();
    let World { core, .. } = world;
    let withdrawals = WithdrawalTable {
        name: "mm_withdrawal".to_owned(),
        amount: "amount".to_owned(),
        state: "state".to_owned(),
        open: "requested".to_owned(),
    };
    let options = RequestOptions {
        disbursements: true,
        withdrawals: Some(withdrawals),
        tables: BTreeSet::from([table(false, "mobile_money"), table(true, "consent")]),
        columns: BTreeSet::from([
            (table(false, "mobile_money"), "channel".to_owned()),
            (table(true, "consent"), "given".to_owned()),
        ]),
    };
    let world_faults = move |down: bool| {
        let rate = if down { 10_000 } else { 0 };
        let rates =
            BTreeMap::from([("*".to_owned(), BTreeMap::from([(Fault::ErrorBefore, rate)]))]);
        faults.set(kiungo_simulator::faults::Plan {
            rates,
            ..kiungo_simulator::faults::Plan::none(1)
        });
    };
    let requests = Requests::new(Arc::new(core), options);
    Asking { simulator, requests, now, world_faults: Box::new(world_faults) }
}

impl Asking {
    /// Reads all pages of the list; its entries and the number of pages.
    async fn list(&self) -> (Vec<Listed>, usize) {
        let (mut all, mut pages, mut mark) = (Vec::new(), 0, None);
        loop {
            let page = self.requests.list(mark.as_ref(), self.now).await.unwrap();
            all.extend(page.listed);
            pages += 1;
            mark = page.next;
            if mark.is_none() {
                return (all, pages);
            }
        }
    }

    async fn read(&self, id: &str) -> Option<CoreRequest> {
        self.requests.read(&RequestId::new(id).unwrap(), self.now).await.unwrap()
    }

    fn loan(&self, spec: LoanSpec) -> u64 {
        let spec = ClientSpec {
            name: "Juma Asha".to_owned(),
            mobile_no: String::new(),
            external_id: String::new(),
            closed: false,
            savings: Vec::new(),
            loans: vec![spec],
        };
        self.simulator.open_client(spec).unwrap().loans[0]
    }
}

fn names(listed: &[Listed]) -> Vec<&str> {
    listed.iter().map(|one| one.id.as_str()).collect()
}

fn of(version: Version) -> Options {
    Options { version, ..Options::default() }
}

/// Before 1.9 tables cannot be looked through.
const WITH_TABLES: [Version; 4] = [Version::V1_10, Version::V1_12, Version::V1_14, Version::V1_15];

#[tokio::test(start_paused = true)]
async fn an_approved_loan_is_listed_and_read_with_its_facts_in_every_version() {
    for version in VERSIONS {
        let asking = asking(of(version)).await;
        asking.simulator.add_row("mobile_money", 1, json!({"channel": "M-Pesa", "type": 3}));
        asking.simulator.add_row("consent", 1, json!({"given": true, "on": [2026, 9, 1]}));
        let page = asking.requests.list(None, asking.now).await.unwrap();
        // Loan 2 is active, whatever the core filters by.
        assert_eq!(names(&page.listed), ["loan-1"], "{version:?}");
        let light = page.listed[0].request.clone().unwrap();
        assert!(!light.facts.complete && light.facts.fields.is_empty());
        let full = asking.read("loan-1").await.unwrap();
        assert_eq!(full.account, CoreAccount { kind: AccountKind::Loan, id: 1 });
        assert_eq!((full.kind, full.amount), (RequestKind::Disbursement, money("1000.00")));
        assert_eq!((full.facts.product, full.facts.office), (Some(2), Some(1)));
        assert_eq!(full.facts.phone.as_deref(), Some("0700000001"));
        let field = |name: &str| full.facts.fields.get(name).map(String::as_str);
        assert_eq!(field("mobile_money.channel"), Some("M-Pesa"));
        assert_eq!(field("mobile_money.type"), Some("3"));
        assert_eq!(field("client/consent.given"), Some("true"));
        assert_eq!(field("client/consent.on"), None);
        assert_eq!((full.obstacle.clone(), light.amount), (None, full.amount));
        for id in ["loan-2", "loan-99", "withdrawal-1-1", "other-1"] {
            if version != Version::V1_8 || !id.starts_with("withdrawal") {
                assert_eq!(asking.read(id).await, None, "{id} {version:?}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn four_hundred_loans_are_listed_once_each_page_by_page() {
    for version in [Version::V1_8, Version::V1_12] {
        let asking = asking(of(version)).await;
        for number in 0..450_u64 {
            let status = if number % 9 == 0 { LoanStatus::Pending } else { LoanStatus::Approved };
            asking.loan(LoanSpec::new(status, "TZS", 100_000));
        }
        let mut loans = Vec::new();
        let mut mark = None;
        for _ in 0..3 {
            let page = asking.requests.list(mark.as_ref(), asking.now).await.unwrap();
            loans.extend(page.listed);
            mark = page.next;
        }
        let distinct: BTreeSet<_> = names(&loans).into_iter().map(str::to_owned).collect();
        assert_eq!((loans.len(), distinct.len()), (401, 401), "{version:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_the_wallet_would_not_get_whole_today_is_not_payable() {
    let asking = asking(of(Version::V1_12)).await;
    let approved = || LoanSpec::new(LoanStatus::Approved, "TZS", 100_000);
    let tranches = asking.loan(LoanSpec { tranches: true, ..approved() });
    let charged = asking.loan(LoanSpec { kept_back_minor: 5_000, ..approved() });
    let tomorrow = Some(jiff::civil::date(2026, 9, 2));
    let planned = asking.loan(LoanSpec { expected_on: tomorrow, ..approved() });
    let today = Some(jiff::civil::date(2026, 9, 1));
    let due = asking.loan(LoanSpec { expected_on: today, ..approved() });
    let obstacle = |request: Option<CoreRequest>| request.unwrap().obstacle.unwrap_or_default();
    let why = obstacle(asking.read(&format!("loan-{tranches}")).await);
    assert!(why.contains("tranches"), "{why}");
    let why = obstacle(asking.read(&format!("loan-{charged}")).await);
    assert!(why.contains("950.00 of 1000.00"), "{why}");
    assert_eq!(asking.read(&format!("loan-{planned}")).await, None);
    assert_eq!(obstacle(asking.read(&format!("loan-{due}")).await), "");
    let (listed, _) = asking.list().await;
    let open = ["loan-1", "loan-3", "loan-4", "loan-6"];
    assert_eq!(names(&listed), open, "{planned} is not open yet");
}

#[tokio::test(start_paused = true)]
async fn a_row_of_the_table_is_a_requested_withdrawal_while_it_is_open() {
    for version in WITH_TABLES {
        let asking = asking(of(version)).await;
        let requested = |amount: serde_json::Value| json!({"amount": amount, "state": "requested"});
        let row = |amount| asking.simulator.add_row("mm_withdrawal", 1, requested(amount)).unwrap();
        let (first, second) = (row(json!("250.50")), row(json!("much")));
        asking.simulator.add_row("mm_withdrawal", 1, json!({"amount": 7, "state": "draft"}));
        let (listed, pages) = asking.list().await;
        // They take turns: many loans keep no withdrawal waiting.
        assert_eq!(names(&listed), ["withdrawal-1-2", "loan-1", "withdrawal-1-1"]);
        assert_eq!(pages, 1);
        let request = asking.read(&format!("withdrawal-1-{first}")).await.unwrap();
        assert_eq!((request.kind, request.amount), (RequestKind::Withdrawal, money("250.50")));
        assert_eq!(request.account, CoreAccount { kind: AccountKind::Savings, id: 1 });
        assert_eq!(request.facts.phone.as_deref(), Some("0700000001"));
        assert_eq!(request.facts.fields["mm_withdrawal.state"], "requested");
        let unreadable = asking.read(&format!("withdrawal-1-{second}")).await.unwrap();
        assert!(unreadable.obstacle.unwrap().contains("no amount"));
        assert_eq!(asking.read("withdrawal-1-3").await, None);
        assert_eq!(asking.read("withdrawal-2-1").await, None);
        asking.simulator.set_field("mm_withdrawal", first, "state", json!("cancelled"));
        assert_eq!(asking.read(&format!("withdrawal-1-{first}")).await, None);
        let (listed, _) = asking.list().await;
        assert_eq!(names(&listed), ["withdrawal-1-2", "loan-1"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_core_that_does_not_answer_says_nothing_about_what_is_open() {
    let asking = asking(of(Version::V1_12)).await;
    (asking.world_faults)(true);
    let loan = RequestId::new("loan-1").unwrap();
    assert!(asking.requests.list(None, asking.now).await.is_err());
    assert!(asking.requests.read(&loan, asking.now).await.is_err());
    (asking.world_faults)(false);
    assert!(asking.requests.read(&loan, asking.now).await.unwrap().is_some());
}

/// A missing table once led to an empty list, and only a log line said so.
#[tokio::test(start_paused = true)]
async fn tables_and_columns_that_rules_name_are_looked_for_in_every_version() {
    for version in VERSIONS {
        let asking = asking(of(version)).await;
        let found = async || {
            let observations = asking.requests.examine().await;
            let warnings = observations.into_iter().filter(|one| one.remedy.is_some());
            warnings.map(|one| format!("{}: {}", one.name, one.text)).collect::<Vec<_>>()
        };
        assert_eq!(
            found().await,
            [
                "data_column_missing: data table mm_withdrawal lacks columns that the rules name: \
                 amount, state",
                "data_column_missing: data table mobile_money lacks columns that the rules name: \
                 channel",
                "data_column_missing: data table consent lacks columns that the rules name: given",
            ]
        );
        asking.simulator.add_columns("mm_withdrawal", &["amount", "state"]);
        asking.simulator.add_columns("mobile_money", &["channel"]);
        asking.simulator.add_columns("consent", &["given"]);
        assert_eq!(found().await, [""; 0]);
        asking.simulator.register_table("mobile_money", TableOf::Savings, false);
        asking.simulator.register_table("mm_withdrawal", TableOf::Savings, false);
        asking.simulator.add_columns("mm_withdrawal", &["amount", "state"]);
        assert_eq!(
            found().await,
            [
                "data_column_missing: data table mm_withdrawal has one row for an account, and \
                 withdrawals need many",
                "data_table_of_others: the rules read data table mobile_money of loans, and it \
                 belongs to m_savings_account",
            ]
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_table_that_is_not_there_is_named() {
    let world = World::new(Options::default(), json!({})).await;
    let options = RequestOptions {
        tables: BTreeSet::from([table(false, "mobile_money")]),
        ..RequestOptions::default()
    };
    let observations = Requests::new(Arc::new(world.core), options).examine().await;
    let [missing] = &observations[..] else { panic!("{observations:?}") };
    assert_eq!(missing.name, "data_table_missing");
    assert!(missing.text.contains("mobile_money"), "{missing:?}");
}
