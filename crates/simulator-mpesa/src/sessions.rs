//! Sessions and what is moved in them, as data (`mpesa-openapi.md` §3).

use std::collections::HashMap;
use std::time::Duration;

use kiungo_domain::Timestamp;
use kiungo_simulator::faults::hash;

use super::codes::Code;
use super::options::Options;

/// Sessions, and the bearers decrypted so far.
#[derive(Default)]
pub(super) struct Sessions {
    given: u64,
    by_id: HashMap<String, Session>,
    pub(super) decrypted: HashMap<String, String>,
}

/// A session and what was moved in it, by product.
pub(super) struct Session {
    active_at: Timestamp,
    expires_at: Timestamp,
    pub(super) tallies: HashMap<&'static str, Tally>,
}

/// The sum and count that one product has moved in a session.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) count: u32,
    pub(super) value_minor: i64,
    /// The limit that was hit: nothing passes any more (§2).
    pub(super) closed: Option<Code>,
}

impl Sessions {
    /// The living session with this id.
    pub(super) fn live(&mut self, id: &str, now: Timestamp) -> Option<&mut Session> {
        let session = self.by_id.get_mut(id)?;
        (now >= session.active_at && now < session.expires_at).then_some(session)
    }

    /// Opens a session; its id.
    pub(super) fn open(
        &mut self,
        options: &Options,
        seed: u64,
        began: Timestamp,
        now: Timestamp,
    ) -> String {
        if options.sessions_overlap {
            self.by_id.retain(|_, session| now < session.expires_at);
        } else {
            self.by_id.clear();
        }
        self.given += 1;
        // After a restart it is another one: the ids of the former must not come to life again.
        let began = began.as_micros().to_le_bytes();
        let number = self.given.to_le_bytes();
        let half = |name: &[u8]| hash(seed, &[b"session", name, &began, &number]);
        let id = format!("{:016x}{:016x}", half(b"high"), half(b"low"));
        let conduct = &options.conduct;
        let late = half(b"late") % 10_000 < u64::from(conduct.activated_late);
        let delay = if late { conduct.activated_late_ms } else { options.session_activation_ms };
        let session = Session {
            active_at: now.after(Duration::from_millis(delay)),
            expires_at: now.after(Duration::from_millis(options.session_lifetime_ms)),
            tallies: HashMap::new(),
        };
        self.by_id.insert(id.clone(), session);
        id
    }
}
