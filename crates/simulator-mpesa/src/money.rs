//! Requests for operations that move money (`mpesa-openapi.md` §6–§6).

use std::time::Duration;

use axum::http::StatusCode;
use axum::response::Response;
use kiungo_domain::Money;
use kiungo_simulator::response_faults::{Subject, perform};

use super::answer::{self, Ids};
use super::call::Call;
use super::fields::Fields;
use super::order::{Kind, Order};
use super::simulator::Simulator;
use super::state::Status;
use super::stated_receipt::stated_receipt;
use super::{admission, afterwards, callback, codes, limits};

/// Answers a money operation, with all that can go wrong.
pub(super) async fn take(simulator: &Simulator, call: &Call, kind: Kind) -> Response {
    let session = match admission::admit(simulator, call, kind.product()) {
        Ok(session) => session,
        Err(refusal) => return *refusal,
    };
    let options = simulator.options();
    let fields = match Fields::from_json(&call.body, options.strict) {
        Ok(fields) => fields,
        Err(code) => return answer::early_refusal(code),
    };
    let order = match Order::read(kind, &fields, options) {
        Ok(order) => order,
        Err(code) => {
            let conversation = simulator.state().new_conversation();
            let ids = Ids { conversation, third_party: fields.third_party() };
            return answer::refusal(code, &ids);
        }
    };
    let key = key_of(simulator, &order);
    let delay = Duration::from_millis(options.delay_ms);
    let wait = if options.asynchronous { Duration::ZERO } else { delay };
    let subject = Subject { operation: kind.operation(), key: &key, delay: wait };
    let (worker, work_key) = (simulator.clone(), key.clone());
    perform(simulator.faults(), subject, answer::own_error, move || async move {
        worker.work(order, work_key, &session, delay).await
    })
    .await
}

/// A reversal is about what it takes back.
fn key_of(simulator: &Simulator, order: &Order) -> String {
    if order.kind == Kind::Reversal
        && let Some((_, original)) = simulator.state().by_receipt(&order.original)
    {
        return original.key.clone();
    }
    order.key()
}

impl Simulator {
    pub(super) async fn work(
        &self,
        order: Order,
        key: String,
        session: &str,
        delay: Duration,
    ) -> Response {
        let operation = order.kind.operation();
        let (position, ids) = match self.accept(order, key.clone(), session) {
            Ok(accepted) => accepted,
            Err(refusal) => return *refusal,
        };
        if !self.options().asynchronous {
            let status = self.carry_out(position);
            afterwards::follow(self, position);
            return match status {
                Some(Status::Completed { receipt }) => {
                    let stated = stated_receipt(self, &key, receipt);
                    answer::success(StatusCode::CREATED, &ids, &[("TransactionID", &stated)])
                }
                Some(Status::Refused(code)) => answer::refusal(code, &ids),
                _ => answer::refusal(codes::INTERNAL, &ids),
            };
        }
        let early = self.inner.courier.is_early(operation, &key);
        let simulator = self.clone();
        let rest = tokio::spawn(async move {
            if !early {
                tokio::time::sleep(delay).await;
            }
            simulator.carry_out(position);
            afterwards::follow(&simulator, position);
            callback::result(&simulator, position).await;
        });
        if early {
            // The result has been delivered before the acceptance leaves.
            let _ = rest.await;
        }
        answer::success(StatusCode::CREATED, &ids, &[])
    }

    /// Remembers an order, not carried out yet.
    fn accept(
        &self,
        order: Order,
        key: String,
        session: &str,
    ) -> Result<(usize, Ids), Box<Response>> {
        let now = self.now();
        let day = admission::local_seconds(self.options(), now).div_euclid(86_400);
        let mut guard = self.state();
        let state = &mut *guard;
        let conversation = state.new_conversation();
        let ids = Ids { conversation, third_party: order.third_party.clone() };
        if self.options().conduct.deduplicates && state.is_duplicate(&order.third_party) {
            return Err(Box::new(answer::refusal(codes::DUPLICATE, &ids)));
        }
        if order.kind != Kind::Reversal
            && let Some(session) = state.sessions.live(session, now)
        {
            let asked = limits::Asked {
                party: &order.party,
                minor: order.amount.map_or(0, Money::minor),
                day,
                single_value_closes: self.options().single_value_closes,
            };
            let product = order.kind.product();
            let tally = session.tallies.entry(product).or_default();
            limits::count(self.options().limits(product), tally, &mut state.customers, &asked)
                .map_err(|code| Box::new(answer::refusal(code, &ids)))?;
        }
        let lag = self.lag(&key);
        Ok((state.add(order, ids.conversation.clone(), key, now, lag), ids))
    }
}
