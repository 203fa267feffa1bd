//! The adapter itself.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use kiungo_core_banking::{
    AccountCheck, CheckAnswer, Comparison, Core, CoreCapabilities, CoreOrder, Observation,
    ProbeError, Sought, Suggestions, UndoCheck, UndoOrder,
};
use kiungo_domain::outcome::{Reason, Rejection, Retry};
use kiungo_domain::{Finding, Outcome, Receipt};
use kiungo_transport::Transport;

use crate::answer::{self, Booked};
use crate::auth::Authenticator;
use crate::calendar::CalendarCache;
use crate::client::{Client, ReadError};
use crate::config::{ClosedPeriods, Options, OptionsError, Secrets, Settings};
use crate::version::Profile;
use crate::{booking, check, hold, inquiry, probe, suggest, undo};

/// A Fineract tenant as a core.
///
/// Until [`Fineract::connect`] has asked the core for its abilities, the least is assumed: the
/// routes of 1.8 and no idempotency. Nothing is proven absent until then: the consequence of an
/// absence (sending again, under the same reference or a new one) depends on those abilities.
pub struct Fineract {
    client: Client,
    profile: RwLock<Profile>,
    calendar: CalendarCache,
}

impl Fineract {
    /// Checks the options; sends nothing.
    pub fn new(
        options: Options,
        secrets: Secrets,
        transport: Arc<dyn Transport>,
    ) -> Result<Self, OptionsError> {
        let settings = Settings::new(options)?;
        let authenticator = Authenticator::new(&settings.options.auth, secrets)?;
        let options = &settings.options;
        let profile = RwLock::new(Profile::assumed(
            settings.version,
            options.business_date.known(None),
            options.maker_checker.known(None),
        ));
        let client = Client::new(settings, authenticator, transport);
        Ok(Self { client, profile, calendar: CalendarCache::default() })
    }

    /// Logs in, and asks for the version, the tenant's switches, and whether a repeated
    /// idempotency key is recognised; from then on [`Core::capabilities`] says so. Moves nothing:
    /// its one command is refused by every core. On an error nothing changes.
    pub async fn connect(&self) -> Result<(), ProbeError> {
        let seen = probe::inspect(&self.client).await?;
        self.learn(seen.profile).await;
        Ok(())
    }

    /// Reserves the amount of a later withdrawal. `order.booking` is not looked at. The receipt
    /// is the hold's id, which [`Fineract::release`] takes. One sending, no retry.
    pub async fn hold(&self, order: &CoreOrder) -> Outcome {
        let date = match self.value_date(order).await {
            Ok(date) => date,
            Err(outcome) => return outcome,
        };
        let profile = self.profile();
        let outcome = hold::hold(&self.client, &profile, order, date).await;
        self.mind_the_calendar(order, date, outcome).await
    }

    /// Gives a hold back, whole. One sending, no retry; the hold is read first, because Fineract
    /// would "release" any transaction whose number it is given.
    pub async fn release(&self, order: &UndoOrder) -> Outcome {
        hold::release(&self.client, &self.profile(), order).await
    }

    /// Asks for the outcome of a hold, by our reference. Moves nothing. A hold that was released
    /// cannot be told from one that never was: it loses our reference.
    pub async fn inquire_hold(&self, order: &CoreOrder) -> Finding {
        let profile = self.profile();
        proven(inquiry::hold(&self.client, &profile, order).await, &profile)
    }

    /// Looks at the payment type under which orders are booked. Moves nothing.
    pub async fn payment_type(&self, id: u64) -> Result<Observation, ProbeError> {
        Ok(probe::check_payment_type(id, &probe::payment_types(&self.client).await?))
    }

    #[cfg(test)]
    pub(crate) fn asked(mut self) -> Self {
        self.profile.get_mut().unwrap_or_else(PoisonError::into_inner).asked = true;
        self
    }

    /// For what asks besides bookings.
    pub(crate) const fn client(&self) -> &Client {
        &self.client
    }

    /// The tenant's own date, if it keeps one.
    pub(crate) async fn business_date(&self) -> Result<Option<jiff::civil::Date>, ReadError> {
        let calendar = self.calendar.get(&self.client, &self.profile()).await?;
        Ok(calendar.business_date)
    }

    fn profile(&self) -> Profile {
        *self.profile.read().unwrap_or_else(PoisonError::into_inner)
    }

    async fn learn(&self, profile: Profile) {
        *self.profile.write().unwrap_or_else(PoisonError::into_inner) = profile;
        self.calendar.forget().await;
    }

    /// The day on which `order` would be booked now.
    async fn value_date(&self, order: &CoreOrder) -> Result<jiff::civil::Date, Outcome> {
        let settings = &self.client.settings;
        let calendar = self.calendar.get(&self.client, &self.profile()).await.map_err(|error| {
            let why = |error: ReadError| format!("the calendar cannot be read: {}", error.why());
            match error {
                // Not worth asking again until a person has given the permission.
                ReadError::Repair { ref code, .. } => {
                    Outcome::Rejected(booking::repair(&code.clone(), &why(error)))
                }
                error => Outcome::not_sent(why(error)),
            }
        })?;
        calendar.value_date(order, &settings.zone, settings.options.closed_periods).map_err(
            |closed| match closed.until {
                Some(day) => Outcome::not_sent(format!("closed for booking until {day}")),
                None => Outcome::not_sent("closed for booking for a year or longer"),
            },
        )
    }

    /// A day refused by the core may have been open by a calendar that has changed since. If
    /// the fresh one says another day, a new attempt can succeed.
    async fn mind_the_calendar(
        &self,
        order: &CoreOrder,
        date: jiff::civil::Date,
        outcome: Outcome,
    ) -> Outcome {
        let Outcome::Rejected(mut rejection) = outcome else { return outcome };
        if rejection.reason == Reason::DateNotAllowed {
            self.calendar.forget().await;
            let moves = self.client.settings.options.closed_periods == ClosedPeriods::NextOpenDay;
            if moves && self.value_date(order).await != Ok(date) {
                rejection.retry = Retry::NewReference;
            }
        }
        Outcome::Rejected(rejection)
    }

    async fn book(&self, order: &CoreOrder, date: jiff::civil::Date) -> Outcome {
        let profile = self.profile();
        let payment_type = self.client.settings.options.payment_type;
        let command = match booking::command(order, payment_type, &profile, date) {
            Ok(command) => command,
            Err(rejection) => return Outcome::Rejected(rejection),
        };
        let key = order.reference.hyphenated();
        let answer = match self.client.command(&command.path, &key, command.body).await {
            Ok(answer) => answer,
            Err(error) => return error.outcome(),
        };
        tracing::debug!(
            reference = %order.reference, status = answer.status, cached = answer.cached,
            "the core answered a booking"
        );
        match answer::booking(&answer, order, &profile) {
            Booked::Outcome(outcome) => outcome,
            Booked::Failed(rejection) => unless_found(rejection, self.inquire(order).await),
            Booked::Unnamed => match inquiry::loan(&self.client, &profile, order).await {
                Finding::Executed(confirmation) => Outcome::Executed(confirmation),
                _ => Outcome::unknown("disbursed, but the transaction was not found yet"),
            },
        }
    }
}

#[async_trait]
impl Core for Fineract {
    fn capabilities(&self) -> CoreCapabilities {
        CoreCapabilities {
            resend_is_idempotent: self.profile().idempotent,
            indexing_window: Duration::from_secs(self.client.settings.options.indexing_window_s),
        }
    }

    async fn check(&self, check: &AccountCheck) -> CheckAnswer {
        check::check(&self.client, &self.profile(), check).await
    }

    async fn suggest(&self, sought: &Sought) -> Suggestions {
        suggest::suggest(&self.client, &self.profile(), sought).await
    }

    async fn post(&self, order: &CoreOrder) -> Outcome {
        let date = match self.value_date(order).await {
            Ok(date) => date,
            Err(outcome) => return outcome,
        };
        let outcome = self.book(order, date).await;
        self.mind_the_calendar(order, date, outcome).await
    }

    async fn compare(&self, order: &CoreOrder, transaction: &Receipt) -> Comparison {
        inquiry::compare(&self.client, order, transaction).await
    }

    async fn can_undo(&self, order: &UndoOrder) -> UndoCheck {
        let profile = self.profile();
        let calendar = match self.calendar.get(&self.client, &profile).await {
            Ok(calendar) => calendar,
            Err(error) => {
                let why = format!("the calendar cannot be read: {}", error.why());
                return UndoCheck::Unclear { why };
            }
        };
        undo::check(&self.client, &profile, order, calendar.closed_until).await
    }

    async fn undo(&self, order: &UndoOrder) -> Outcome {
        let booked = match undo::undo(&self.client, &self.profile(), order).await {
            Ok(booked) => booked,
            Err(outcome) => return outcome,
        };
        match booked {
            Booked::Outcome(outcome) => outcome,
            Booked::Failed(rejection) => unless_found(rejection, self.inquire_undo(order).await),
            Booked::Unnamed => Outcome::unknown("the answer does not name the transaction"),
        }
    }

    async fn inquire(&self, order: &CoreOrder) -> Finding {
        let profile = self.profile();
        proven(inquiry::booking(&self.client, &profile, order).await, &profile)
    }

    async fn inquire_undo(&self, order: &UndoOrder) -> Finding {
        let profile = self.profile();
        proven(undo::inquire(&self.client, &profile, order).await, &profile)
    }

    async fn probe(&self) -> Result<Vec<Observation>, ProbeError> {
        let mut seen = probe::inspect(&self.client).await?;
        self.learn(seen.profile).await;
        seen.lines.extend(probe::permissions(&self.client, &seen.profile).await?);
        let calendar = self.calendar.get(&self.client, &seen.profile).await;
        seen.lines.extend(probe::calendar(&self.client, &seen.profile, calendar)?);
        Ok(seen.lines)
    }
}

/// Turns "absent" into "unclear" for a core that could not be asked yet: it proves no absence.
fn proven(finding: Finding, profile: &Profile) -> Finding {
    match finding {
        Finding::Absent if !profile.asked => {
            Finding::unclear("not found, but the core could not yet be asked what it can do")
        }
        finding => finding,
    }
}

/// A command that failed is refused, if nothing of it is to be found.
fn unless_found(rejection: Rejection, finding: Finding) -> Outcome {
    match finding {
        Finding::Absent => Outcome::Rejected(rejection),
        Finding::Executed(confirmation) => Outcome::Executed(confirmation),
        _ => Outcome::unknown(format!("{}: {}", rejection.code, rejection.message)),
    }
}
