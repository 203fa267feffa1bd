//! A process that shares the work, as `kiungo serve` and `kiungo worker` are.

use std::sync::Arc;
use std::time::Duration;

use kiungo_engine::{Engine, Sharing, SharingOptions};
use kiungo_queue::WorkQueue;
use kiungo_queue_rabbit::RabbitQueue;
use kiungo_store::intercept::{Intercepted, Interceptor};
use kiungo_store_sql::PostgresStore;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::test_bed::TestBed;
use crate::BenchError;
use crate::counterparties::Addresses;
use crate::product::{self, Wiring};

/// The facts that a member needs to know.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Membership {
    pub(crate) test_bed: TestBed,
    pub(crate) addresses: Addresses,
    pub(crate) in_flight: u32,
}

/// A member at work.
pub(crate) struct Member {
    pub(crate) engine: Engine,
    pub(crate) store: Arc<PostgresStore>,
    pub(crate) queue: RabbitQueue,
    pub(crate) name: String,
}

impl Member {
    /// Starts one, with its own connections to everything. `observer` looks on at its store.
    pub(crate) async fn start<I: Interceptor>(
        of: &Membership,
        works: bool,
        observer: &Arc<I>,
    ) -> Result<Self, BenchError> {
        let store = Arc::new(of.test_bed.store().await?);
        let queue = of.test_bed.queue().await?;
        let watched = Intercepted::over(store.clone(), observer);
        let Membership { addresses, in_flight, .. } = of;
        let wiring =
            Wiring { addresses, in_flight: *in_flight, carrier: &product::plain, notify: None };
        let mut setup = wiring.setup(watched, wiring.engine_options()).await?;
        let name = Uuid::now_v7().to_string();
        setup.sharing = Some(Sharing {
            queue: Arc::new(queue.clone()) as Arc<dyn WorkQueue>,
            works,
            name: name.clone(),
            options: SharingOptions::default(),
        });
        let engine = Engine::new(setup);
        engine.start().await.map_err(|e| product::setup(&e))?;
        Ok(Self { engine, store, queue, name })
    }

    /// Stops as the program does.
    pub(crate) async fn stop(self) {
        self.engine.stop(Duration::from_secs(10)).await;
        self.queue.close().await;
        self.store.close().await;
    }
}
