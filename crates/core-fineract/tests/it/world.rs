//! A simulated core, and the adapter connected to it.

use std::collections::BTreeMap;
use std::sync::Arc;

use kiungo_core_banking::{Booking, CoreOrder, UndoOrder};
use kiungo_core_fineract::{Fineract, Secrets};
use kiungo_domain::transfer::StepName;
use kiungo_domain::{
    AccountKind, CoreAccount, Currency, Finding, Money, Msisdn, Outcome, Receipt, Reference,
    Timestamp, TransferId,
};
use kiungo_simulator::clock::Clock;
use kiungo_simulator::faults::{Fault, Faults, Plan, ResetConnection};
use kiungo_simulator_fineract::{
    ClientSpec, LoanSpec, LoanStatus, Options, SavingsSpec, Simulator, Version,
};
use kiungo_transport::testing::InProcess;
use serde_json::{Value, json};
use uuid::Uuid;

pub(crate) const VERSIONS: [Version; 5] =
    [Version::V1_8, Version::V1_10, Version::V1_12, Version::V1_14, Version::V1_15];
pub(crate) const BOOKINGS: [Booking; 4] =
    [Booking::Deposit, Booking::Withdraw, Booking::Repay, Booking::Disburse];

/// 2026-09-01T09:00:00Z.
const MORNING: Timestamp = Timestamp::from_micros(1_788_253_200_000_000);
pub(crate) const PHONE: &str = "255700000001";

/// A core with one client: a savings account with 5,000.00, an approved loan and an active one of
/// 1,000.00.
pub(crate) struct World {
    pub(crate) simulator: Simulator,
    pub(crate) core: Fineract,
    began: tokio::time::Instant,
}

impl World {
    pub(crate) async fn of(version: Version) -> Self {
        let options = Options { version, ..Options::default() };
        Self::new(options, json!({})).await
    }

    pub(crate) async fn new(options: Options, changed: Value) -> Self {
        let began = tokio::time::Instant::now();
        let clock = Clock::Virtual { epoch: MORNING, origin: began };
        let zone = String::from(options.time_zone.clone());
        let simulator = Simulator::new(options, clock, Faults::new(Plan::none(1)));
        simulator.open_client(client()).unwrap();
        let mut own = json!({
            "base_url": "http://core.test/fineract-provider",
            "auth": {"type": "basic", "username": "mifos"},
            "time_zone": zone,
            "payment_type": 3,
        });
        own.as_object_mut().unwrap().extend(changed.as_object().unwrap().clone());
        let secrets = Secrets { password: Some("password".into()), client_secret: None };
        let wire = Arc::new(InProcess::new::<ResetConnection>(simulator.router()));
        let core = Fineract::new(serde_json::from_value(own).unwrap(), secrets, wire).unwrap();
        core.connect().await.unwrap();
        Self { simulator, core, began }
    }

    pub(crate) fn now(&self) -> Timestamp {
        let elapsed = i64::try_from(self.began.elapsed().as_micros()).unwrap();
        Timestamp::from_micros(MORNING.as_micros() + elapsed)
    }

    pub(crate) fn order(&self, booking: Booking) -> CoreOrder {
        let inbound = matches!(booking, Booking::Deposit | Booking::Repay);
        let step = if inbound { StepName::Second } else { StepName::First };
        let (kind, id) = match booking {
            Booking::Deposit | Booking::Withdraw => (AccountKind::Savings, 1),
            Booking::Disburse => (AccountKind::Loan, 1),
            Booking::Repay => (AccountKind::Loan, 2),
        };
        CoreOrder {
            reference: Reference::new(transfer(), step, 0),
            booking,
            account: CoreAccount { kind, id },
            amount: money("100.00"),
            msisdn: Some(Msisdn::parse(PHONE).unwrap()),
            receipt: inbound.then(|| Receipt::new("MM7Q2K9").unwrap()),
            payment_type: None,
            value_at: self.now(),
            at: self.now(),
        }
    }

    pub(crate) fn undo(&self, original: CoreOrder, transaction: Receipt) -> UndoOrder {
        let reference = Reference::new(transfer(), StepName::UndoFirst, 0);
        UndoOrder { reference, original, transaction, at: self.now() }
    }

    /// Makes this fault happen to every call of that operation from now on.
    pub(crate) fn suffer(&self, operation: &str, fault: Fault, slow_ms: u64) {
        let rates = BTreeMap::from([(operation.to_owned(), BTreeMap::from([(fault, 10_000)]))]);
        self.simulator.faults().set(Plan { rates, slow_ms, ..Plan::none(1) });
    }

    pub(crate) fn recover(&self) {
        self.simulator.faults().set(Plan::none(1));
    }

    /// The number of bookings, reversals not counted.
    pub(crate) fn booked(&self) -> usize {
        let movements = self.simulator.books().movements;
        movements.iter().filter(|movement| movement.operation != "undo").count()
    }
}

fn transfer() -> TransferId {
    TransferId::new(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_1200))
}

fn client() -> ClientSpec {
    let loan = |status, name: &str| LoanSpec {
        external_id: name.to_owned(),
        ..LoanSpec::new(status, "TZS", 100_000)
    };
    ClientSpec {
        name: "Asha Juma".to_owned(),
        mobile_no: "0700000001".to_owned(),
        external_id: "C-1".to_owned(),
        closed: false,
        savings: vec![SavingsSpec {
            external_id: "SV-1".to_owned(),
            ..SavingsSpec::active("TZS", 500_000)
        }],
        loans: vec![loan(LoanStatus::Approved, "LN-1"), loan(LoanStatus::Active, "LN-2")],
    }
}

pub(crate) fn money(text: &str) -> Money {
    Money::parse(text, Currency::from_code("TZS").unwrap()).unwrap()
}

/// The receipt of the booking.
pub(crate) fn receipt(outcome: Outcome) -> Receipt {
    match outcome {
        Outcome::Executed(confirmation) => confirmation.receipt,
        other => panic!("not booked: {other:?}"),
    }
}

pub(crate) fn operation(booking: Booking) -> &'static str {
    match booking {
        Booking::Deposit => "deposit",
        Booking::Withdraw => "withdraw",
        Booking::Repay => "repay",
        Booking::Disburse => "disburse",
    }
}

pub(crate) fn is_unclear(finding: &Finding) -> bool {
    matches!(finding, Finding::Unclear { .. })
}
