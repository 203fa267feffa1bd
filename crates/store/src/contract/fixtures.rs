//! Transfers for the contract: single ones, and random scenarios that a seed draws.

use std::time::Duration;

use kiungo_domain::outcome::{
    Acceptance, Awaiting, Confirmation, Finding, Outcome, Reason, Rejection, Retry, Stated,
};
use kiungo_domain::party::AccountKey;
use kiungo_domain::policy::{OnCoreRejection, Policy, SidePolicy, WhenAbsent};
use kiungo_domain::transfer::{ByOperation, Instruction, Kind, Origin, StepName, TransferUpdate};
use kiungo_domain::{
    AccountRef, CoreAccount, CoreId, Currency, Money, Msisdn, ProviderId, Receipt, Timestamp,
    Transfer, TransferId,
};

use crate::{Change, IdempotencyKey, NewArrival, Store};

pub fn at(second: i64) -> Timestamp {
    Timestamp::from_micros(1_700_000_000_000_000 + second * 1_000_000)
}

pub fn id(n: u32) -> TransferId {
    TransferId::parse(&format!("01900000-0000-7000-8000-{n:010x}00")).unwrap()
}

pub fn provider(name: &str) -> ProviderId {
    ProviderId::new(name).unwrap()
}

pub fn receipt(text: &str) -> Receipt {
    Receipt::new(text).unwrap()
}

pub fn money(minor: i64) -> Money {
    Money::from_minor(minor, Currency::from_code("TZS").unwrap()).unwrap()
}

/// A deposit of 125.50, number `n`, asked for through the API.
pub fn instruction(n: u32) -> Instruction {
    Instruction {
        id: id(n),
        kind: Kind::Deposit,
        provider: provider("mpesa-tz"),
        core: CoreId::new("main").unwrap(),
        msisdn: Some(Msisdn::parse(&format!("2557{:08}", n % 10)).unwrap()),
        accounts: vec![AccountRef { kind: None, key: AccountKey::Id(7) }],
        amount: money(12_550),
        client_reference: Some(format!("order-{n}")),
        note: Some("a \"note\"\n\\ with \u{1F4B0}".to_owned()),
        origin: Origin::Api { client: "shop".to_owned() },
    }
}

/// The same, paid at the wallet already.
pub fn wallet_instruction(n: u32, text: &str) -> Instruction {
    let account_reference = "7".to_owned();
    let origin = Origin::Wallet { receipt: receipt(text), account_reference };
    Instruction { origin, client_reference: None, note: None, ..instruction(n) }
}

pub fn change_of(update: TransferUpdate) -> Option<Change> {
    let decision = update.finish()?;
    Some(Change { decision, due: None, key: None, handles: None, allowance: None })
}

pub fn received(instruction: Instruction, at: Timestamp) -> Change {
    change_of(TransferUpdate::receive(instruction, at)).expect("a new transfer has an event")
}

/// The change that `tell` makes to a transfer.
pub fn then(transfer: &Transfer, at: Timestamp, tell: impl FnOnce(&mut TransferUpdate)) -> Change {
    let mut update = TransferUpdate::resume(transfer.clone(), at);
    tell(&mut update);
    change_of(update).expect("something happens")
}

pub fn keyed(change: Change, key: &str, digest: &str) -> Change {
    let [client, key, digest] = ["shop", key, digest].map(str::to_owned);
    Change { key: Some(IdempotencyKey { client, key, digest }), ..change }
}

pub fn due(change: Change, due: Timestamp) -> Change {
    Change { due: Some(due), ..change }
}

pub fn arrival(digest: &str, at: Timestamp) -> NewArrival {
    NewArrival {
        provider: provider("mpesa-tz"),
        digest: digest.to_owned(),
        head: r#"{"method":"POST"}"#.to_owned(),
        body: vec![0, 1, 0xfe, 0xff, b'"', b'\n'],
        at,
    }
}

/// Commits a change, which is not refused, and gives the transfer back.
pub async fn commit(store: &dyn Store, change: Change) -> Transfer {
    let transfer = change.decision.transfer.clone();
    store.commit(change).await.expect("the change is not refused");
    transfer
}

/// Finds an account that no other transfer has.
pub fn clear(update: &mut TransferUpdate) {
    let [.., a, b, c, d, _] = *update.transfer().id().as_uuid().as_bytes();
    clear_at(update, 1_000 + u64::from(u32::from_be_bytes([a, b, c, d])));
}

/// Finds this account.
pub fn clear_at(update: &mut TransferUpdate, id: u64) {
    let kind = update.transfer().kind().account_kind();
    update.cleared(CoreAccount { kind, id }, format!("{id:09}"));
}

pub fn complete(update: &mut TransferUpdate, step: StepName, text: &str) {
    update.start(step, &policy()).expect("the step is ready");
    let confirmation = Confirmation::bare(receipt(text));
    update.conclude(step, Outcome::Executed(confirmation), &policy());
}

pub fn rejection() -> Rejection {
    let (code, message) = ("X1".to_owned(), "no".to_owned());
    Rejection { code, reason: Reason::Other, message, retry: Retry::Never }
}

pub fn policy() -> Policy {
    let side = SidePolicy {
        resend_is_idempotent: true,
        inquiry_schedule: vec![Duration::from_secs(30)],
        absent_after: Duration::from_secs(60),
        absent_times: 2,
        when_absent: WhenAbsent::Resend,
        when_payout_absent: WhenAbsent::Case,
        retry_first: Duration::from_secs(1),
        retry_max: Duration::from_secs(60),
        refused_max: Duration::from_hours(2),
        retries_before_case: 2,
        case_after: Duration::from_secs(600),
    };
    Policy {
        wallet: side.clone(),
        core: side,
        on_core_rejection: OnCoreRejection::Suspense,
        give_up_after: Duration::from_secs(86_400),
        fee_payers: ByOperation::default(),
    }
}

/// Chance, repeatable from its seed (`SplitMix64`).
#[derive(Debug, Clone)]
pub struct Dice(pub u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 below `bound`.
    pub fn below(&mut self, bound: u32) -> u32 {
        u32::try_from(self.roll() % u64::from(bound.max(1))).unwrap()
    }

    pub fn instruction(&mut self, n: u32) -> Instruction {
        let kind = Kind::ALL[self.below(4) as usize];
        let base = match self.below(3) {
            0 if kind.is_inbound() => wallet_instruction(n, &format!("W{}", self.below(40))),
            _ => instruction(n),
        };
        let name = ["mpesa-tz", "gsma-sandbox"][self.below(2) as usize];
        let amount = money(i64::from(self.below(1_000)) + 1);
        Instruction { kind, provider: provider(name), amount, ..base }
    }

    fn confirmation(&mut self, transfer: &Transfer) -> Confirmation {
        // Mostly receipts of its own, at times one that another may have.
        let text = match self.below(5) {
            0 => format!("W{}", self.below(40)),
            _ => format!("R{}-{}", transfer.version(), transfer.id().to_string().replace('-', "")),
        };
        let amount = (self.below(8) == 0).then(|| money(1));
        let fee = (self.below(3) == 0).then(|| money(3));
        let stated = Stated { amount, ..Stated::default() };
        Confirmation { receipt: receipt(&text), fee, stated }
    }

    fn outcome(&mut self, transfer: &Transfer) -> Outcome {
        match self.below(8) {
            0..4 => Outcome::Executed(self.confirmation(transfer)),
            4 | 5 => Outcome::Rejected(rejection()),
            6 => Outcome::unknown("time-out"),
            _ => Outcome::Pending(Acceptance { handle: None, awaiting: Awaiting::Customer }),
        }
    }

    fn finding(&mut self, transfer: &Transfer) -> Finding {
        match self.below(6) {
            0..3 => Finding::Executed(self.confirmation(transfer)),
            3 => Finding::Rejected(rejection()),
            4 => Finding::Absent,
            _ => Finding::Reversed(self.confirmation(transfer)),
        }
    }

    /// Draws what happens to a transfer next, and applies it to the update.
    pub fn happening(&mut self, update: &mut TransferUpdate) {
        let policy = policy();
        let open = update.transfer().open_step();
        let step = open.unwrap_or(StepName::ALL[self.below(4) as usize]);
        match self.below(12) {
            0 | 1 => clear_at(update, u64::from(self.below(12))),
            2 if self.below(3) == 0 => update.refused(rejection()),
            2..6 => drop(update.start(step, &policy)),
            6..8 => {
                let outcome = self.outcome(&update.transfer().clone());
                update.conclude(step, outcome, &policy);
            }
            8 | 9 => {
                let finding = self.finding(&update.transfer().clone());
                update.apply_finding(step, finding, &policy);
            }
            10 => drop(update.request_reversal("operator", "asked")),
            _ => {
                let account = AccountRef { kind: None, key: AccountKey::Id(9) };
                let _ = update.assign(account, "operator");
            }
        }
    }

    /// A change in the life of `transfer`: several things may happen at once.
    pub fn change(&mut self, transfer: &Transfer, at: Timestamp) -> Option<Change> {
        let mut update = TransferUpdate::resume(transfer.clone(), at);
        for _ in 0..=self.below(3) {
            self.happening(&mut update);
        }
        let mut change = change_of(update)?;
        let wait = Duration::from_secs(u64::from(self.below(90)));
        change.due = (self.below(3) > 0).then(|| at.after(wait));
        Some(change)
    }
}

/// Lets `transfers` live through `turns` changes in all, as `seed` draws them. Changes that the
/// store refuses are given up, as a caller would that cannot do better.
pub async fn live(store: &dyn Store, seed: u64, transfers: u32, turns: u32) -> Vec<Transfer> {
    let mut dice = Dice(seed);
    let mut alive: Vec<Transfer> = Vec::new();
    for n in 0..transfers {
        let change = received(dice.instruction(n), at(i64::from(dice.below(20))));
        let transfer = change.decision.transfer.clone();
        if store.commit(change).await.is_ok() {
            alive.push(transfer);
        }
    }
    for turn in 0..turns {
        let index = dice.below(u32::try_from(alive.len()).unwrap()) as usize;
        let Some(change) = dice.change(&alive[index], at(100 + 61 * i64::from(turn))) else {
            continue;
        };
        let transfer = change.decision.transfer.clone();
        if store.commit(change).await.is_ok() {
            alive[index] = transfer;
        }
    }
    alive
}
