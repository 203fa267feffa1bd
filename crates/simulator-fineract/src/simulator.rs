//! The core as a whole: its state, and what can be done with it from outside.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kiungo_domain::Timestamp;
use kiungo_simulator::books::Books;
use kiungo_simulator::clock::Clock;
use kiungo_simulator::faults::Faults;

use super::bank::Bank;
use super::calendar;
use super::hooks::Hooks;
use super::opening::{ClientIds, ClientSpec, OpenError};
use super::options::{Auth, Options, User};
use super::refusal::Refusal;

/// A simulated core; cheap to clone, all clones are the same core.
#[derive(Debug, Clone)]
pub struct Simulator {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) options: Options,
    pub(crate) clock: Clock,
    pub(crate) began: Timestamp,
    pub(crate) faults: Faults,
    /// The users' positions by the `Authorization` header that they send.
    pub(crate) logins: BTreeMap<String, usize>,
    pub(crate) responses: AtomicU32,
    pub(crate) banks: Mutex<BTreeMap<String, Bank>>,
    pub(crate) hooks: Hooks,
}

impl Simulator {
    /// A core with empty tenants.
    pub fn new(options: Options, clock: Clock, faults: Faults) -> Self {
        let banks = options.tenants.iter().map(|tenant| (tenant.clone(), Bank::default()));
        let banks = Mutex::new(banks.collect());
        let users = options.users.iter().enumerate();
        let logins = users.filter_map(|(index, user)| Some((login(options.auth, user)?, index)));
        let logins = logins.collect();
        let responses = AtomicU32::new(0);
        Self {
            inner: Arc::new(Inner {
                options,
                began: clock.now(),
                clock,
                faults,
                logins,
                responses,
                banks,
                hooks: Hooks::default(),
            }),
        }
    }

    /// The first tenant's books. See the module for what they mean.
    pub fn books(&self) -> Books {
        let tenant = self.options().tenants.first().map_or("", String::as_str);
        self.books_of(tenant).unwrap_or_default()
    }

    /// A tenant's books, if it is one.
    pub fn books_of(&self, tenant: &str) -> Option<Books> {
        self.lock().get(tenant).map(Bank::books)
    }

    /// Opens a client with accounts in the first tenant.
    ///
    /// # Errors
    /// If a name is taken or an amount makes no sense; then nothing is opened.
    #[allow(clippy::needless_pass_by_value)]
    pub fn open_client(&self, spec: ClientSpec) -> Result<ClientIds, OpenError> {
        let tenant = self.options().tenants.first().map_or("", String::as_str);
        self.open_client_of(tenant, &spec)
    }

    /// Opens the clients of the options in the first tenant: there is somebody to pay to.
    ///
    /// # Errors
    /// If a name is taken or a currency is none; then some may be open.
    pub fn furnish(&self) -> Result<Vec<(ClientSpec, ClientIds)>, OpenError> {
        let clients = self.options().clients.clone();
        let open = |spec: ClientSpec| Ok((spec.clone(), self.open_client(spec)?));
        clients.specs().map(open).collect()
    }

    /// Opens a client with accounts in that tenant.
    ///
    /// # Errors
    /// Like [`Simulator::open_client`], and if there is no such tenant.
    pub fn open_client_of(&self, tenant: &str, spec: &ClientSpec) -> Result<ClientIds, OpenError> {
        let today = calendar::business_date(self.options(), self.inner.clock.now());
        let mut banks = self.lock();
        let bank = banks.get_mut(tenant).ok_or_else(|| OpenError::Tenant(tenant.to_owned()))?;
        bank.open_client(spec, today)
    }

    /// The idempotency keys of commands whose core died before it booked anything: repeated, they
    /// are answered 425 for ever.
    pub fn stuck_keys(&self) -> Vec<String> {
        self.lock().values().flat_map(|bank| bank.commands.stuck_keys()).collect()
    }

    /// Does the work of a core's administrator after a crash: makes the stuck keys usable again.
    pub fn free_stuck_keys(&self) {
        for bank in self.lock().values_mut() {
            bank.commands.free_stuck_keys();
        }
    }

    /// Tidies the command table, as an administrator may: the results of commands that ended well
    /// are emptied, and a repeated key is answered with 200 and no body.
    pub fn clear_results(&self) {
        for bank in self.lock().values_mut() {
            bank.commands.clear_results();
        }
    }

    /// The faults and their rates.
    pub fn faults(&self) -> &Faults {
        &self.inner.faults
    }

    /// Undoes, as a branch may, the approval of a loan of the first tenant and gives it anew for
    /// another amount.
    pub fn approve_anew(&self, loan: u64, amount_minor: i64) {
        let mut banks = self.lock();
        let bank = banks.get_mut(self.first_tenant());
        if let Some(loan) = bank.and_then(|bank| bank.loan_mut(loan).ok())
            && loan.status == 200
        {
            loan.approved = amount_minor;
        }
    }

    /// True if a role lacks its permissions now, by the options.
    pub(crate) fn is_forbidden_now(&self) -> bool {
        let Some((from, to)) = self.options().forbidden_ms else { return false };
        let since = self.clock().now().since(self.inner.began).as_millis();
        (from..to).contains(&u64::try_from(since).unwrap_or(u64::MAX))
    }

    pub(crate) fn hooks(&self) -> &Hooks {
        &self.inner.hooks
    }

    pub(crate) fn first_tenant(&self) -> &str {
        self.options().tenants.first().map_or("", String::as_str)
    }

    pub(crate) fn options(&self) -> &Options {
        &self.inner.options
    }

    pub(crate) fn clock(&self) -> Clock {
        self.inner.clock
    }

    pub(crate) fn has_tenant(&self, tenant: &str) -> bool {
        self.options().tenants.iter().any(|known| known == tenant)
    }

    pub(crate) fn user(&self, authorization: &str) -> Option<&User> {
        let index = self.inner.logins.get(authorization)?;
        self.options().users.get(*index)
    }

    /// Works on a tenant's state, alone.
    pub(crate) fn with_bank<T>(
        &self,
        tenant: &str,
        work: impl FnOnce(&mut Bank) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let mut banks = self.lock();
        work(banks.get_mut(tenant).ok_or(Refusal::Container(400))?)
    }

    /// Counts a response; whether it is one that closes its connection.
    pub(crate) fn count_response(&self) -> bool {
        let limit = self.options().keep_alive_limit;
        let count = self.inner.responses.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        limit > 0 && count.is_multiple_of(limit)
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Bank>> {
        self.inner.banks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The `Authorization` header that a user sends; `None` if there is no way in.
fn login(auth: Auth, user: &User) -> Option<String> {
    match auth {
        Auth::Basic => Some(format!("Basic {}", basic_key(user))),
        Auth::Bearer => (!user.token.is_empty()).then(|| format!("Bearer {}", user.token)),
    }
}

pub(crate) fn basic_key(user: &User) -> String {
    STANDARD.encode(format!("{}:{}", user.name, user.password))
}
