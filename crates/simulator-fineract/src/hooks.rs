//! The registered webhooks, as data.

use std::sync::{Arc, Mutex};

use kiungo_simulator::delivery::Delivery;

/// A hook that an administrator has registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookSpec {
    /// The address to which it is sent; ends with `/`.
    pub payload_url: String,
    /// Entity and action of each event, for example `LOAN` and `APPROVE`.
    pub events: Vec<(String, String)>,
}

/// The registered hooks, and how they travel.
#[derive(Default)]
pub(crate) struct Hooks(pub(crate) Mutex<Option<Registered>>);

type Registered = (Vec<HookSpec>, Arc<dyn Delivery>);

impl std::fmt::Debug for Hooks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hooks")
    }
}
