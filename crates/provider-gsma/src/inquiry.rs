//! Inquiries about an operation or of a payment. Moves nothing.

use http::StatusCode;
use kiungo_domain::{Finding, Reference};
use kiungo_provider::{Answered, Meaning, PaymentFinding, PaymentNotice, WalletInquiry};
use kiungo_transport::Response;
use kiungo_transport::percent::segment;

use crate::Gsma;
use crate::client::Routed;
use crate::map::codes::Refusal;
use crate::map::reading::{Asked, StateSays, TRANSACTION_HANDLE};
use crate::wire::{Body, Transaction, read_body};

impl Gsma {
    /// Asks by the handle, if there is one, and then by our correlation id (§4.5): a request state
    /// of a second sending can say less than the transaction of the first.
    pub(crate) async fn find(&self, inquiry: &WalletInquiry) -> Finding {
        let asked = Asked::of_inquiry(inquiry);
        let by_handle = match inquiry.handle.as_deref() {
            Some(handle) => Some(self.find_by_handle(&asked, handle).await),
            None => None,
        };
        if !self.options.responses {
            return by_handle.unwrap_or_else(|| {
                Finding::unclear("there is no handle, and the provider offers no /responses")
            });
        }
        match by_handle {
            Some(found @ (Finding::Executed(_) | Finding::Reversed(_))) => found,
            Some(found) => combine(found, self.find_by_reference(&asked).await),
            None => self.find_by_reference(&asked).await,
        }
    }

    async fn find_by_handle(&self, asked: &Asked<'_>, handle: &str) -> Finding {
        if let Some(reference) = handle.strip_prefix(TRANSACTION_HANDLE) {
            return self.find_transaction(asked, reference).await;
        }
        let path = format!("requeststates/{}", segment(handle));
        match self.read(&path, Routed::No).await {
            Ok(body) => match self.follow(asked, body).await {
                // The state need not repeat the id that it was asked with.
                Finding::InProgress(mut accepted) if accepted.handle.is_none() => {
                    accepted.handle = Some(handle.to_owned());
                    Finding::InProgress(accepted)
                }
                found => found,
            },
            Err(missing) => missing,
        }
    }

    async fn find_by_reference(&self, asked: &Asked<'_>) -> Finding {
        let path = format!("responses/{}", asked.reference.hyphenated());
        let link = match self.read(&path, Routed::No).await {
            Ok(Body::Link(link)) => link,
            // Some providers answer with the resource in place of its link.
            Ok(body @ Body::Transaction(_)) => return self.follow(asked, body).await,
            Ok(_) => return Finding::unclear("/responses answers without a link"),
            Err(missing) => return missing,
        };
        let url = match self.client.base.resolve(&link, self.options.links) {
            Ok(url) => url,
            Err(error) => return Finding::unclear(format!("/responses: {error}")),
        };
        match self.read_url(&url, Routed::ByInstitution).await {
            Ok(body) => self.follow(asked, body).await,
            // There is an answer to our id, so the operation is not absent, whatever its link says.
            Err(Finding::Absent) => Finding::unclear("the link of /responses leads nowhere"),
            Err(missing) => missing,
        }
    }

    /// The finding of a resource about the operation; a request state may lead to a transaction.
    async fn follow(&self, asked: &Asked<'_>, body: Body) -> Finding {
        match body {
            Body::Transaction(transaction) => self.reading.transaction(asked, &transaction),
            Body::Error(error) => {
                Refusal::of(&error).finding(&self.reading.terms.codes, asked.answered())
            }
            Body::RequestState(state) => match self.reading.request_state(asked, &state) {
                StateSays::Finding(finding) => finding,
                StateSays::Read(reference) => self.find_transaction(asked, &reference).await,
            },
            Body::Link(_) | Body::Updated => Finding::unclear("the answer is no transaction"),
        }
    }

    async fn find_transaction(&self, asked: &Asked<'_>, reference: &str) -> Finding {
        match self.transaction(reference).await {
            Ok(transaction) => self.reading.transaction(asked, &transaction),
            // A state names it, so it must exist; its index may lag.
            Err(Finding::Absent) => Finding::unclear("the transaction is not found yet"),
            Err(missing) => missing,
        }
    }

    async fn transaction(&self, reference: &str) -> Result<Box<Transaction>, Finding> {
        let path = format!("transactions/{}", segment(reference));
        match self.read(&path, Routed::ByInstitution).await? {
            Body::Transaction(transaction) => Ok(transaction),
            _ => Err(Finding::unclear("the answer is no transaction")),
        }
    }

    async fn read(&self, path: &str, routed: Routed) -> Result<Body, Finding> {
        self.read_url(&self.client.base.join(path), routed).await
    }

    /// A readable body that was answered with 200; else what follows for an inquiry.
    async fn read_url(&self, url: &str, routed: Routed) -> Result<Body, Finding> {
        let unclear = |error| Finding::unclear(format!("asking failed: {error}"));
        let answer = self.client.get_url(url, routed).await.map_err(unclear)?;
        if answer.status() == StatusCode::OK {
            return read_body(answer.body())
                .ok_or_else(|| Finding::unclear("the answer cannot be read"));
        }
        Err(self.not_found(&answer))
    }

    /// The finding of an answer to an inquiry other than 200: only a listed error object can say
    /// that the provider does not know something, never a gateway's 404.
    fn not_found(&self, answer: &Response) -> Finding {
        let status = answer.status();
        let Some(Body::Error(error)) = read_body(answer.body()) else {
            return Finding::unclear(format!("asking was answered with {}", status.as_u16()));
        };
        let refusal = Refusal::of(&error);
        let means = refusal.meaning(&self.reading.terms.codes, Answered::Inquire);
        if status == StatusCode::NOT_FOUND && means == Some(Meaning::Absent) {
            Finding::Absent
        } else {
            Finding::unclear(format!(
                "asking was answered with {}: {}",
                status.as_u16(),
                refusal.described()
            ))
        }
    }

    /// Asks for a payment by its receipt, and takes the provider's word for what it states.
    pub(crate) async fn find_payment(&self, notice: &PaymentNotice) -> PaymentFinding {
        let Some(receipt) = &notice.receipt else {
            return PaymentFinding::Unclear { why: "the payment has no receipt".to_owned() };
        };
        match self.transaction(receipt.as_str()).await {
            Ok(transaction) => self.payment(notice, receipt, &transaction),
            Err(Finding::Absent) => PaymentFinding::Absent,
            Err(Finding::Unclear { why }) => PaymentFinding::Unclear { why },
            Err(_) => PaymentFinding::Unclear { why: "the answer says nothing".to_owned() },
        }
    }
}

/// The callback URL of one request: its own, because a failure callback names nothing (§4.2).
pub(crate) fn callback_url(base: &str, reference: Reference) -> String {
    format!("{base}results/{}", reference.hyphenated())
}

/// Combines the findings by the handle and by our correlation id. The transaction to which the
/// correlation id leads is the first sending's own result and wins wherever it says something.
fn combine(by_handle: Finding, by_reference: Finding) -> Finding {
    let says_more = match &by_reference {
        Finding::Executed(_) | Finding::Reversed(_) | Finding::Rejected(_) => true,
        Finding::InProgress(_) => !matches!(by_handle, Finding::InProgress(_)),
        Finding::Absent | Finding::Unclear { .. } => by_handle == Finding::Absent,
    };
    if says_more { by_reference } else { by_handle }
}

#[cfg(test)]
mod tests {
    use kiungo_domain::Receipt;
    use kiungo_domain::outcome::{Acceptance, Awaiting, Confirmation, Reason, Rejection, Retry};

    use super::*;

    #[test]
    fn the_answer_about_the_correlation_id_wins_over_a_request_state() {
        let executed = Finding::Executed(Confirmation::bare(Receipt::new("REF-1").unwrap()));
        let refused = Finding::Rejected(Rejection {
            code: "x".to_owned(),
            reason: Reason::Other,
            message: String::new(),
            retry: Retry::Never,
        });
        let handle = |handle: Option<&str>| {
            Finding::InProgress(Acceptance {
                handle: handle.map(str::to_owned),
                awaiting: Awaiting::Processing,
            })
        };
        let (pending, unclear) = (handle(Some("h")), Finding::unclear("?"));
        for (by_handle, by_reference, expected) in [
            (&refused, &executed, &executed),
            (&pending, &executed, &executed),
            (&pending, &refused, &refused),
            (&refused, &pending, &pending),
            (&pending, &handle(None), &pending),
            (&refused, &Finding::Absent, &refused),
            (&refused, &unclear, &refused),
            (&pending, &Finding::Absent, &pending),
            (&unclear, &Finding::Absent, &unclear),
            (&unclear, &executed, &executed),
            (&Finding::Absent, &Finding::Absent, &Finding::Absent),
            (&Finding::Absent, &unclear, &unclear),
        ] {
            assert_eq!(&combine(by_handle.clone(), by_reference.clone()), expected);
        }
    }
}
