//! A database that can be taken down, or made to hang.

use std::sync::atomic::{AtomicBool, Ordering};

use kiungo_store::StoreError;
use kiungo_store::intercept::{Call, Interceptor};

/// The switch of a database.
#[derive(Default)]
pub struct Switch {
    pub down: AtomicBool,
    pub hangs: AtomicBool,
}

impl Interceptor for Switch {
    type Kept = ();

    async fn before(&self, _call: &Call<'_>) -> Result<(), StoreError> {
        if self.hangs.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        if self.down.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable("the disk at /var/lib/secret is full".to_owned()));
        }
        Ok(())
    }
}
