//! Webhooks (`fineract.md` §14): sent after the command, once, unsigned, in no order; lost on any
//! error of the receiver. Under the operation `hook` they are lost, doubled, late and forged.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use kiungo_simulator::callback_sender::{Courier, Letter};
use kiungo_simulator::delivery::Delivery;
use kiungo_simulator::faults::hash;
use serde_json::{Value, json};

use super::Simulator;
use super::body::Body;
use super::hooks::HookSpec;
use super::options::Version;

impl Simulator {
    /// Registers hooks in the place of those before. A real core first asks each address once with
    /// a GET; here that is left out.
    pub fn register_hooks(&self, hooks: Vec<HookSpec>, delivery: Arc<dyn Delivery>) {
        let mut known = self.hooks().0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *known = Some((hooks, delivery));
    }

    /// Tells those hooks of it that want to know, by and by. `response` is missing where the
    /// command failed or waits for a second person; up to 1.8 nothing is told of those.
    pub(crate) fn tell(
        &self,
        tenant: &str,
        (entity, action): (&str, &str),
        request: &str,
        response: Option<&Value>,
    ) {
        let known = self.hooks().0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let Some((hooks, delivery)) = known.as_ref() else { return };
        if response.is_none() && self.options().version == Version::V1_8 {
            return;
        }
        let key = format!("{entity}|{action}|{}", resource(response));
        for hook in hooks {
            if !hook.events.iter().any(|(e, a)| e == entity && a == action) {
                continue;
            }
            let write = |response: Option<&Value>| {
                let body = body(self, (entity, action), request, response);
                letter(&hook.payload_url, tenant, (entity, action), body)
            };
            let (Some(letter), forged) = (write(response), write(Some(&self.forgery(&key)))) else {
                continue;
            };
            let courier = Courier {
                delivery: Arc::clone(delivery),
                faults: self.faults().clone(),
                attempts: 1,
                retry_after: Duration::ZERO,
            };
            let key = key.clone();
            tokio::spawn(async move {
                courier.send("hook", &key, letter, || forged).await;
            });
        }
    }

    /// Claims something of a loan that is not so: one that nobody approved, or that never was.
    fn forgery(&self, key: &str) -> Value {
        let banks = self.lock();
        let loans = banks.get(self.first_tenant()).map(|bank| bank.loans.as_slice());
        let pending: Vec<u64> = loans
            .unwrap_or_default()
            .iter()
            .filter(|loan| loan.status == 100)
            .map(|loan| loan.id)
            .collect();
        let drawn = usize::try_from(hash(0, &[b"forged", key.as_bytes()])).unwrap_or(0);
        let loan = pending.get(drawn.checked_rem(pending.len()).unwrap_or(0));
        let loan = loan.copied().unwrap_or(999_999);
        json!({ "officeId": 1, "clientId": 1, "loanId": loan, "resourceId": loan, "changes": {} })
    }
}

fn resource(response: Option<&Value>) -> String {
    response
        .and_then(|response| response.get("resourceId"))
        .map_or_else(String::new, Value::to_string)
}

fn body(
    simulator: &Simulator,
    (entity, action): (&str, &str),
    request: &str,
    response: Option<&Value>,
) -> String {
    let at = simulator.clock().now().as_micros();
    let at = jiff::Timestamp::from_microsecond(at).map(|at| at.to_string()).unwrap_or_default();
    let text = |text: &str| Value::from(text).to_string();
    let mut members = vec![("createdByName", text("teller1")), ("request", request.to_owned())];
    let mut office = None;
    if let Some(Value::Object(response)) = response {
        if let Some(client) = response.get("clientId") {
            members.push(("clientId", client.to_string()));
        }
        office = response.get("officeId").map(Value::to_string);
    }
    members.push(("createdBy", "3".to_owned()));
    members.extend(office.map(|office| ("officeId", office)));
    members.push(("entityName", text(entity)));
    if let Some(Value::Object(response)) = response {
        let mut response = response.clone();
        // The office is only at the top.
        response.remove("officeId");
        members.push(("response", Value::Object(response).to_string()));
    }
    members.push(("createdByFullName", text("T One")));
    members.push(("actionName", text(action)));
    members.push(("timestamp", text(&at)));
    // In the core's order; numbers of the request come back as doubles, which is why it is a text
    // here and no value.
    let members = members.iter().map(|(name, value)| format!("\"{name}\":{value}"));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

/// The request's members as a hook repeats them.
pub(crate) fn repeated(body: &Body) -> String {
    let members = body.members().map(|(name, text, is_number)| {
        let value = if is_number && !text.contains('.') {
            format!("{text}.0")
        } else if is_number {
            text.to_owned()
        } else {
            Value::from(text).to_string()
        };
        format!("{}:{value}", Value::from(name))
    });
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

fn letter(url: &str, tenant: &str, (entity, action): (&str, &str), body: String) -> Option<Letter> {
    http::Request::builder()
        .method("POST")
        .uri(url)
        .header("content-type", "application/json")
        .header("X-Fineract-Entity", entity)
        .header("X-Fineract-Action", action)
        .header("Fineract-Platform-TenantId", tenant)
        .header("User-Agent", "okhttp/4.12.0")
        .header("X-Fineract-Endpoint", "https://localhost:8443/fineract-provider/api/v1")
        .body(Bytes::from(body))
        .ok()
}
