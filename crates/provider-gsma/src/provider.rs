//! The traits that the engine sees, carried out by the other modules.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::Method;
use kiungo_domain::{Finding, Money, Msisdn, Outcome, Reference};
use kiungo_provider::{
    Balance, CallbackContent, CallbackDecision, CallbackError, CallbackReply, Capabilities,
    HolderName, Notifier, PaymentFinding, PaymentNotice, PeriodQuery, Provider, RawCallback,
    ReadError, Reverse, ReverseOrder, Statement, StatementPage, WalletInquiry, WalletOrder,
};
use kiungo_transport::percent::segment;
use serde::Serialize;
use tracing::debug;

use crate::Gsma;
use crate::client::Creation;
use crate::config::{Answers, Options};
use crate::inquiry::callback_url;
use crate::map::order::{self, Way};
use crate::map::reading::Asked;

/// The capabilities that the options promise of their provider.
pub(crate) fn capabilities(options: &Options) -> Capabilities {
    Capabilities {
        resend_is_idempotent: options.rejects_duplicates,
        inquires_by_reference: options.responses,
        confirms_payments: options.payments.confirms,
        confirms_amounts: options.payments.confirms,
        signs_callbacks: false,
        validates_payments: options.payments.validates,
        indexing_window: Duration::from_secs(options.indexing_window_s),
        collect_timeout: options.collect_timeout(),
        pay_out_timeout: options.pay_out_timeout(),
    }
}

impl Gsma {
    async fn order(&self, order: &WalletOrder, way: Way) -> Outcome {
        let body = match order::transaction(order, way, &self.options, &self.reading.terms) {
            Ok(body) => body,
            Err(rejection) => return Outcome::Rejected(rejection),
        };
        let (path, timeout) = match way {
            Way::Collect => ("transactions/type/merchantpay", self.options.collect_timeout()),
            Way::PayOut => ("transactions/type/disbursement", self.options.pay_out_timeout()),
        };
        let creation = self.creation(path.to_owned(), order.reference, order.at, &body, timeout);
        self.create(creation, &Asked::of_order(order, way)).await
    }

    fn creation<T: Serialize>(
        &self,
        path: String,
        reference: Reference,
        at: kiungo_domain::Timestamp,
        body: &T,
        timeout: Duration,
    ) -> Option<Creation> {
        let base = self.reading.terms.callback_base.as_deref();
        let base = base.filter(|_| self.options.answers == Answers::Callback);
        let body = Bytes::from(serde_json::to_vec(body).ok()?);
        let callback_url = base.map(|base| callback_url(base, reference));
        Some(Creation { path, reference, callback_url, at, body, timeout })
    }

    /// Sends a creation once and reads its answer.
    async fn create(&self, creation: Option<Creation>, asked: &Asked<'_>) -> Outcome {
        let Some(creation) = creation else {
            return Outcome::not_sent("the request cannot be written as JSON");
        };
        match self.client.post(&creation).await {
            Ok(answer) => {
                debug!(method = %Method::POST, status = answer.status().as_u16(), "answered");
                self.reading.answer(asked, answer.status(), answer.body())
            }
            Err(error) if error.is_not_sent() => Outcome::not_sent(error.to_string()),
            Err(error) => Outcome::unknown(error.to_string()),
        }
    }
}

#[async_trait]
impl Provider for Gsma {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn collect(&self, order: &WalletOrder) -> Outcome {
        self.order(order, Way::Collect).await
    }

    async fn pay_out(&self, order: &WalletOrder) -> Outcome {
        self.order(order, Way::PayOut).await
    }

    async fn inquire(&self, inquiry: &WalletInquiry) -> Finding {
        self.find(inquiry).await
    }

    async fn confirm(&self, notice: &PaymentNotice) -> PaymentFinding {
        self.find_payment(notice).await
    }

    fn read_callback(&self, callback: &RawCallback) -> Result<CallbackContent, CallbackError> {
        self.content(callback)
    }

    fn reply(&self, callback: &RawCallback, decision: &CallbackDecision) -> CallbackReply {
        self.acknowledgement(callback, decision)
    }

    fn reverse(&self) -> Option<&dyn Reverse> {
        Some(self)
    }

    fn balance(&self) -> Option<&dyn Balance> {
        Some(self)
    }

    fn holder_name(&self) -> Option<&dyn HolderName> {
        Some(self)
    }

    fn statement(&self) -> Option<&dyn Statement> {
        Some(self)
    }

    fn notifier(&self) -> Option<&dyn Notifier> {
        Some(self)
    }

    async fn probe(&self) -> Result<String, ReadError> {
        self.check().await
    }
}

#[async_trait]
impl Reverse for Gsma {
    async fn reverse(&self, order: &ReverseOrder) -> Outcome {
        let path = format!("transactions/{}/reversals", segment(order.receipt.as_str()));
        let body = order::reversal(order);
        let timeout = self.options.pay_out_timeout();
        let creation = self.creation(path, order.reference, order.at, &body, timeout);
        self.create(creation, &Asked::of_reversal(order)).await
    }
}

#[async_trait]
impl Balance for Gsma {
    async fn balance(&self) -> Result<Money, ReadError> {
        self.read_balance().await
    }
}

#[async_trait]
impl HolderName for Gsma {
    async fn holder_name(&self, msisdn: &Msisdn) -> Result<Option<String>, ReadError> {
        self.read_holder_name(msisdn).await
    }
}

#[async_trait]
impl Statement for Gsma {
    async fn page(&self, query: &PeriodQuery) -> Result<StatementPage, ReadError> {
        self.statement_page(query).await
    }
}
