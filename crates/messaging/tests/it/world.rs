//! The service behind the messages, and transfers to tell of.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use kiungo_api::testing::{FakeService, START, wallet_deposit};
use kiungo_api::{Role, Scope, Service};
use kiungo_domain::party::AccountKey;
use kiungo_domain::transfer::{Instruction, Origin, Status, TransferUpdate};
use kiungo_domain::{AccountKind, AccountRef, Timestamp, TransferId};
use kiungo_messaging::{Client, MessagingOptions};
use kiungo_store::intercept::Intercepted;
use kiungo_store::{MemoryStore, OutboxEvent, OutboxRow, Summary};
use tokio::time::Instant;

use crate::books::Books;

pub struct World {
    pub books: Arc<Books>,
    pub fake: Arc<FakeService>,
    rows: AtomicU64,
    /// The microseconds by which the time of day went on while this process was suspended.
    pub suspended: Arc<AtomicI64>,
}

pub fn options() -> MessagingOptions {
    let client = |user: &str, name: &str, roles: &[Role]| Client {
        user: user.to_owned(),
        name: name.to_owned(),
        roles: roles.iter().copied().collect::<BTreeSet<_>>(),
        scope: Scope::default(),
    };
    let clients = vec![
        client("amqp-erp", "erp", &[Role::Write]),
        client("amqp-desk", "desk", &[Role::Operate]),
    ];
    MessagingOptions { clients, ..MessagingOptions::default() }
}

impl World {
    pub fn new() -> Self {
        let books = Arc::new(Books::default());
        let store = Intercepted::over(Arc::new(MemoryStore::audited()), &books);
        let suspended = Arc::new(AtomicI64::new(0));
        let (began, in_all) = (Instant::now(), Arc::clone(&suspended));
        let clock = move || {
            let suspended = in_all.load(Ordering::SeqCst);
            Timestamp::from_micros(START + suspended).after(began.elapsed())
        };
        let fake = Arc::new(FakeService::over(store, clock));
        Self { books, fake, rows: AtomicU64::new(1), suspended }
    }

    pub fn service(&self) -> Arc<dyn Service> {
        Arc::clone(&self.fake) as Arc<dyn Service>
    }

    fn payment(&self) -> Instruction {
        let id = self.fake.next_id();
        let key = AccountKey::AccountNo("000000042".to_owned());
        let account = AccountRef { kind: Some(AccountKind::Savings), key };
        wallet_deposit(id, &id.to_string(), "42", vec![account])
    }

    /// Money in suspense.
    pub async fn suspended(&self) -> TransferId {
        self.fake.suspend(self.payment()).await
    }

    /// The projection of a transfer that has just been received.
    pub fn summary(&self) -> Summary {
        let origin = Origin::Api { client: "erp".to_owned() };
        let instruction = Instruction { origin, ..self.payment() };
        Summary::of(TransferUpdate::receive(instruction, self.fake.clock_now()).transfer())
    }

    /// Puts a row into the outbox.
    pub fn becomes(&self, transfer: &Summary, version: u64, status: Status) {
        self.publish(Summary { version, status, ..transfer.clone() }, OutboxEvent::Status);
    }

    pub fn publish(&self, transfer: Summary, event: OutboxEvent) {
        let mut rows = self.books.rows.lock().unwrap();
        let no = i64::try_from(self.rows.fetch_add(1, Ordering::SeqCst)).unwrap();
        rows.push(OutboxRow { no, at: self.fake.clock_now(), event, transfer });
    }
}
