//! The requests of a core for payouts, over the real program: hooks lost, doubled, late and forged,
//! a poller, a death in between, and the decisions of persons.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use kiungo_domain::TransferId;
use kiungo_domain::transfer::{Kind, Status};
use kiungo_simulator::audit::Claim;
use kiungo_simulator::delivery::HttpDelivery;
use kiungo_simulator::faults::{Fault, Plan};
use kiungo_simulator_fineract::{ClientSpec, HookSpec, LoanSpec, LoanStatus, SavingsSpec, TableOf};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use crate::cli::run;
use crate::kiungo::{Installation, Serving, status};
use crate::world::World;

const SECRET: &str = "a-secret-of-the-hook-address";
const ENVIRONMENT: [(&str, &str); 1] = [("KIUNGO__CORES__MAIN__REQUESTS__HOOK_SECRET", SECRET)];
const PATIENCE: Duration = Duration::from_secs(60);

/// Loans of product 2 are paid by themselves, of product 3 wait for a person; withdrawals by M-Pesa.
const RULES: &str = r#"
[cores.requests]
poll_interval = "1s"
country_code = "255"
[cores.requests.withdrawals]
table = "mm_withdrawal"
amount = "amount"
state = "state"
open = "requested"
[[cores.requests.rules]]
kind = "disbursement"
products = [2]
amount_max = "5000"
currency = "TZS"
prefixes = ["2557"]
action = "pay_out"
provider = "gsma-sandbox"
wallet = "owner"
[[cores.requests.rules]]
kind = "disbursement"
products = [3]
action = "ask"
provider = "gsma-sandbox"
wallet = "owner"
[[cores.requests.rules]]
kind = "withdrawal"
fields = ["mm_withdrawal.channel=M-Pesa"]
action = "pay_out"
provider = "mpesa-tz"
wallet = "mm_withdrawal.number"
"#;

struct Branch {
    world: World,
    installation: Installation,
    teller: reqwest::Client,
}

/// A loan that is still to be approved, and whose it is.
struct Pending {
    loan: u64,
    savings: u64,
    msisdn: String,
}

impl Branch {
    async fn open() -> Self {
        let world = World::start().await;
        let installation = Installation::new(&world);
        let path = installation.path().join("kiungo.toml");
        let mut file = std::fs::File::options().append(true).open(path).unwrap();
        file.write_all(RULES.as_bytes()).unwrap();
        world.core().register_table("mm_withdrawal", TableOf::Savings, true);
        let event = |entity: &str, action: &str| (entity.to_owned(), action.to_owned());
        let hook = HookSpec {
            payload_url: format!("{}/hooks/fineract/main/{SECRET}/", installation.url()),
            events: vec![event("LOAN", "APPROVE"), event("mm_withdrawal", "CREATE")],
        };
        world.core().register_hooks(vec![hook], Arc::new(HttpDelivery::default()));
        Self { world, installation, teller: reqwest::Client::new() }
    }

    fn client(&self, number: u64, product: u64) -> Pending {
        // As tellers type them.
        let mobile_no = format!("07{number:08}");
        let loan = LoanSpec { product, ..LoanSpec::new(LoanStatus::Pending, "TZS", 500_000) };
        let spec = ClientSpec {
            name: format!("Borrower {number}"),
            mobile_no,
            external_id: format!("borrower-{number}"),
            closed: false,
            savings: vec![SavingsSpec::active("TZS", 1_000_000)],
            loans: vec![loan],
        };
        let ids = self.world.core().open_client(spec).unwrap();
        let msisdn = format!("2557{number:08}");
        Pending { loan: ids.loans[0], savings: ids.savings[0], msisdn }
    }

    async fn approve(&self, pending: &Pending) {
        let yesterday = jiff::Zoned::now().date().yesterday().unwrap();
        let at = &self.world.core_at;
        let url = format!("{at}/fineract-provider/api/v1/loans/{}?command=approve", pending.loan);
        let body = json!({"approvedOnDate": yesterday, "locale": "en", "dateFormat": "yyyy-MM-dd"});
        let request = self
            .teller
            .post(url)
            .basic_auth("mifos", Some("password"))
            .header("Fineract-Platform-TenantId", "default")
            .header("content-type", "application/json")
            .body(body.to_string());
        assert_eq!(request.send().await.unwrap().status().as_u16(), 200);
    }

    /// Calls the hook's address as a stranger, or the core, would; returns the HTTP status.
    async fn forge(&self, secret: &str, loan: u64) -> u16 {
        let url = format!("{}/hooks/fineract/main/{secret}/", self.installation.url());
        let body = json!({"response": {"resourceId": loan, "loanId": loan}});
        let request = self
            .teller
            .post(url)
            .header("X-Fineract-Entity", "LOAN")
            .header("X-Fineract-Action", "APPROVE")
            .body(body.to_string());
        request.send().await.unwrap().status().as_u16()
    }
}

/// The requests by name, once this many have become transfers.
async fn submitted(serving: &Serving, count: usize) -> BTreeMap<String, Value> {
    let all = async {
        loop {
            let page = serving.get("/v1/core-requests?state=all&limit=500").await;
            let rows = page.and_then(|page| page["requests"].as_array().cloned());
            let rows = rows.unwrap_or_default();
            if rows.iter().filter(|row| row["state"] == "submitted").count() >= count {
                let named = |row: Value| (row["request"].as_str().unwrap().to_owned(), row);
                return rows.into_iter().map(named).collect();
            }
            sleep(Duration::from_millis(200)).await;
        }
    };
    timeout(PATIENCE, all).await.expect("not all were taken up")
}

async fn claim(
    serving: &Serving,
    row: &Value,
    (kind, provider): (Kind, &str),
    (msisdn, account): (&str, String),
) -> Claim {
    let transfer = serving.until_final(row["transfer"].as_str().unwrap()).await;
    assert_eq!(status(&transfer), Status::Completed, "{transfer}");
    Claim {
        carried_by: None,
        id: TransferId::parse(transfer["id"].as_str().unwrap()).unwrap(),
        kind,
        provider: provider.to_owned(),
        msisdn: Some(msisdn.to_owned()),
        accounts: vec![account],
        amount_minor: 500_000,
        payment: None,
        status: status(&transfer),
    }
}

#[tokio::test]
async fn a_hundred_approved_loans_are_paid_once_each_whatever_becomes_of_their_hooks() {
    let branch = Branch::open().await;
    let faults = [
        (Fault::CallbackLost, 3_000),
        (Fault::CallbackTwice, 3_000),
        (Fault::CallbackLate, 3_000),
        (Fault::CallbackForged, 3_000),
    ];
    let rates = BTreeMap::from([("hook".to_owned(), BTreeMap::from(faults))]);
    branch.world.core().faults().set(Plan { rates, slow_ms: 700, ..Plan::none(7) });
    let pending: Vec<_> = (0..110).map(|number| branch.client(number, 2)).collect();
    let (approved, never) = pending.split_at(100);
    let serving = branch.installation.serve(&ENVIRONMENT).await;
    for loan in &approved[..50] {
        branch.approve(loan).await;
    }
    serving.kill().await;
    let serving = branch.installation.serve(&ENVIRONMENT).await;
    for loan in &approved[50..] {
        branch.approve(loan).await;
    }
    submitted(&serving, 100).await;
    assert_eq!(branch.forge(SECRET, never[0].loan).await, 200, "a hint that leads to nothing");
    assert_eq!(branch.forge("another-secret-of-it", approved[0].loan).await, 404);
    let rows = submitted(&serving, 100).await;
    assert_eq!(rows.len(), 100, "a loan that nobody approved was taken up");
    let mut claims = Vec::new();
    for loan in approved {
        let row = &rows[&format!("loan-{}", loan.loan)];
        let account = format!("loan:{}", loan.loan);
        let by = (Kind::Disbursement, "gsma-sandbox");
        claims.push(claim(&serving, row, by, (&loan.msisdn, account)).await);
    }
    let transfers = serving.get("/v1/transfers?limit=500").await.unwrap();
    assert_eq!(transfers["transfers"].as_array().unwrap().len(), 100);
    let audit = branch.world.audit(&claims);
    assert!(audit.is_clean(), "{audit:?}");
    assert!(serving.stop().await.success(), "{}", branch.installation.log());
}

#[tokio::test]
async fn a_person_decides_what_waits_and_a_requested_withdrawal_is_paid() {
    let branch = Branch::open().await;
    let serving = branch.installation.serve(&ENVIRONMENT).await;
    let (first, second) = (branch.client(1, 3), branch.client(2, 3));
    branch.approve(&first).await;
    branch.approve(&second).await;
    let row = json!({
        "amount": "5000.00", "state": "requested", "channel": "M-Pesa",
        "number": format!("+{}", first.msisdn),
    });
    let row = branch.world.core().add_row("mm_withdrawal", first.savings, row).unwrap();
    let withdrawal = format!("withdrawal-{}-{row}", first.savings);
    let rows = submitted(&serving, 1).await;
    let by = (Kind::Withdrawal, "mpesa-tz");
    let account = format!("savings:{}", first.savings);
    let mut claims = vec![claim(&serving, &rows[&withdrawal], by, (&first.msisdn, account)).await];
    let waiting = async {
        while serving.get("/v1/core-requests").await.unwrap()["requests"]
            .as_array()
            .is_none_or(|rows| rows.len() < 2)
        {
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(PATIENCE, waiting).await.expect("two wait for a person");
    let path = |loan: u64, what: &str| format!("/v1/core-requests/main/loan-{loan}/{what}");
    let reason = json!({"reason": "the customer was called"});
    let (code, _) = serving.post(&path(first.loan, "approvals"), &reason).await;
    assert_eq!(code, 422, "an approval names the version that was shown");
    let shown = format!("/v1/core-requests/main/loan-{}", first.loan);
    let version = serving.get(&shown).await.unwrap()["version"].clone();
    let approval = json!({"reason": "the customer was called", "version": version});
    let decide = async |verb: &str, request: String, more: &[&str]| {
        let line = ["--json", "core-request", verb, "main", &request];
        let reason = ["--reason", "the customer was called"];
        run(&branch.installation, &[&line[..], &reason[..], more].concat()).await
    };
    let named = format!("loan-{}", first.loan);
    let (code, _, said) = decide("approve", named.clone(), &[]).await;
    assert!(code == 2 && said.contains("--seen"), "{said}");
    let (code, out, said) = decide("approve", named, &["--seen", &version.to_string()]).await;
    assert_eq!(code, 0, "{out}{said}");
    let row: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(row["state"], "submitted", "{row}");
    assert_eq!(row["decisions"][0]["by"], "tests");
    let account = format!("loan:{}", first.loan);
    let by = (Kind::Disbursement, "gsma-sandbox");
    claims.push(claim(&serving, &row, by, (&first.msisdn, account)).await);
    let (code, problem) = serving.post(&path(first.loan, "approvals"), &approval).await;
    assert_eq!((code, problem["code"].as_str()), (409, Some("core_request_conflict")));
    let (code, out, said) = decide("decline", format!("loan-{}", second.loan), &[]).await;
    let row: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, row["state"].as_str()), (0, Some("declined")), "{out}{said}");
    let audit = branch.world.audit(&claims);
    assert!(audit.is_clean(), "{audit:?}");
    assert!(serving.stop().await.success(), "{}", branch.installation.log());
}
