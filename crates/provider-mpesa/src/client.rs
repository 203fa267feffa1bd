//! The adapter: the only file that performs I/O, besides the session's opening.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::Method;
use kiungo_domain::outcome::{Reason, Rejection, Retry};
use kiungo_domain::{Finding, Msisdn, Outcome, Receipt, excerpt};
use kiungo_provider::order::WalletOperation;
use kiungo_provider::{
    CallbackContent, CallbackDecision, CallbackError, CallbackReply, Capabilities, HolderName,
    PaymentFinding, PaymentNotice, Provider, RawCallback, ReadError, Reverse, ReverseOrder, Terms,
    WalletInquiry, WalletOrder,
};
use kiungo_transport::{Failure, Transport};
use secrecy::ExposeSecret;
use serde::Serialize;

use crate::callback;
use crate::config::{Answers, Options, OptionsError, Secrets, TurnedAway};
use crate::ids::QueryIds;
use crate::limits::{LimitsHit, Sent, is_of_the_organisation};
use crate::map::query::Transaction;
use crate::map::{payment, query};
use crate::questions::Questions;
use crate::recent::Recent;
use crate::session::{Lease, Opener, SessionError, Sessions};
use crate::settings::{Settings, encrypter};
use crate::text::{label, sanitise};
use crate::wire::{
    self, Coded, Head, NameQuery, PaymentRequest, Reply, ReversalRequest, StatusQuery,
};

/// One M-Pesa market, through the OpenAPI.
pub struct Mpesa {
    pub(crate) settings: Settings,
    pub(crate) terms: Terms,
    capabilities: Capabilities,
    transport: Arc<dyn Transport>,
    pub(crate) sessions: Sessions,
    /// Held while a new session is being tried: single flight.
    pub(crate) trial: tokio::sync::Mutex<()>,
    /// Held while it is found out whether a refused session is gone; the last that was.
    pub(crate) gone: tokio::sync::Mutex<u64>,
    pub(crate) query_ids: QueryIds,
    pub(crate) questions: Questions,
    limits: LimitsHit,
    /// The code and text of an operation's answer that was unknown then: when a query says at last
    /// that it failed, its status word alone (`Cancelled`) says little.
    first_answers: Recent<String>,
    /// The claims of callbacks, for questions that are answered by callback.
    claims: Recent<Finding>,
}

impl Mpesa {
    /// Checks the options and sets the adapter up. Nothing is sent: the session is created with
    /// the first call.
    ///
    /// # Errors
    /// [`OptionsError`], with the key that is wrong.
    pub fn new(
        options: Options,
        secrets: Secrets,
        terms: Terms,
        transport: Arc<dyn Transport>,
    ) -> Result<Self, OptionsError> {
        let settings = Settings::check(options, &terms)?;
        if settings.options.query_answers == Answers::Asynchronous && terms.callback_base.is_none()
        {
            return Err(OptionsError::Key {
                key: "query_answers",
                what: "is asynchronous, and nothing can arrive: set callbacks.expected = true, \
                       server.public_url and the provider's callback secret"
                    .to_owned(),
            });
        }
        let encrypter = encrypter(&settings.options.public_key)?;
        if encrypter.bearer(secrets.api_key.expose_secret()).is_none() {
            return Err(OptionsError::ApiKey);
        }
        let questions = Questions::new(secrets.api_key.expose_secret());
        let opener = Opener {
            transport: Arc::clone(&transport),
            url: settings.url.clone(),
            origin: settings.origin.clone(),
            encrypter,
            api_key: secrets.api_key,
            timeout: settings.options.session_timeout,
        };
        Ok(Self {
            sessions: Sessions::new(opener, settings.timing()),
            capabilities: settings.capabilities(),
            settings,
            terms,
            transport,
            trial: tokio::sync::Mutex::default(),
            gone: tokio::sync::Mutex::default(),
            query_ids: QueryIds::default(),
            questions,
            limits: LimitsHit::default(),
            first_answers: Recent::default(),
            claims: Recent::default(),
        })
    }

    /// Sends a collection or a payout.
    async fn pay(&self, operation: WalletOperation, order: &WalletOrder) -> Outcome {
        if let Some(refusal) = self.refuses(order) {
            return refusal;
        }
        let conversation_id = order.reference.compact();
        let Some(amount) = order.amount.to_decimal_of(self.terms.decimals) else {
            return unsendable(Reason::AmountNotAllowed, "the amount has too many decimals");
        };
        let label = or_else(label(&order.label), &conversation_id, 20);
        let description = or_else(sanitise(&order.description, 256), &label, 256);
        let is_collection = operation == WalletOperation::Collect;
        let options = &self.settings.options;
        let (path, timeout) = if is_collection {
            ("c2bPayment/singleStage/", options.collect_timeout)
        } else {
            ("b2cPayment/", options.pay_out_timeout)
        };
        let body = PaymentRequest {
            head: self.head(&conversation_id),
            amount: &amount,
            currency: &self.settings.market.currency,
            msisdn: order.msisdn.digits(),
            label: &label,
            purchased_items: is_collection.then_some(description.as_str()),
            payment_items: (!is_collection).then_some(description.as_str()),
        };
        let (reference, at, amount) = (order.reference, order.at, order.amount);
        let sent = Sent { operation, reference, at, amount };
        self.operate(sent, Method::POST, path, &body, timeout).await
    }

    pub(crate) fn head<'a>(&'a self, conversation_id: &'a str) -> Head<'a> {
        Head {
            country: &self.settings.market.country,
            service_provider_code: &self.settings.options.service_provider_code,
            conversation_id,
        }
    }

    /// A refusal before anything is sent.
    fn refuses(&self, order: &WalletOrder) -> Option<Outcome> {
        if order.amount.is_zero() {
            return Some(unsendable(Reason::AmountNotAllowed, "the amount is zero"));
        }
        if let Some(why) = self.terms.refuses(order.amount) {
            return Some(unsendable(Reason::AmountNotAllowed, &why));
        }
        let numbers = &self.settings.numbers;
        (!numbers.has(&order.msisdn))
            .then(|| unsendable(Reason::AccountNotFound, &numbers.elsewhere().to_string()))
    }

    async fn operate(
        &self,
        sent: Sent,
        method: Method,
        path: &str,
        body: &(impl Serialize + Sync),
        timeout: Duration,
    ) -> Outcome {
        let body = match serde_json::to_vec(body) {
            Ok(body) => Bytes::from(body),
            Err(error) => return Outcome::not_sent(error.to_string()),
        };
        let url = format!("{}{path}", self.settings.url);
        let exchange = async {
            let lease = match sent.operation {
                WalletOperation::Collect => self.sessions.lease().await?,
                WalletOperation::PayOut | WalletOperation::Reverse => self.proven_lease().await?,
            };
            let reply = self.exchange(&lease, method, &url, body, timeout).await?;
            Ok((lease, reply))
        };
        match exchange.await {
            Ok((lease, reply)) => self.conclude(sent, &lease, &reply),
            Err(NoReply::Session(error)) => Outcome::not_sent(error.to_string()),
            Err(NoReply::NotSent(why)) => Outcome::not_sent(why),
            Err(NoReply::NoAnswer(why)) => Outcome::unknown(why),
        }
    }

    /// The outcome of an answer, with what is known beside it.
    fn conclude(&self, sent: Sent, lease: &Lease, reply: &Reply) -> Outcome {
        let leaves = sent.operation != WalletOperation::Collect;
        let trusted = self.settings.options.payout_turned_away == TurnedAway::NotSent;
        if let Reply::SessionRefused { status, gone: true } = reply
            && leaves
            && trusted
        {
            let status = status.as_u16();
            return Outcome::not_recorded(format!(
                "the session was refused with HTTP {status}, for a mere question as well"
            ));
        }
        let outcome = payment::outcome(&self.terms, sent.operation, sent.reference, reply);
        let outcome = self.limits.interpret(lease.serial, sent, outcome);
        if let (Outcome::Unknown { .. }, Reply::Coded(coded)) = (&outcome, reply) {
            self.first_answers.keep(sent.reference, in_short(coded));
        }
        self.tell_operator(&outcome);
        outcome
    }

    /// One call, and its evidence about the session.
    async fn exchange(
        &self,
        lease: &Lease,
        method: Method,
        url: &str,
        body: Bytes,
        timeout: Duration,
    ) -> Result<Reply, NoReply> {
        let mut reply = self.send_in(lease, method, url, body, timeout).await?;
        match &mut reply {
            Reply::Coded(_) => self.sessions.accepted(lease),
            Reply::SessionRefused { gone, .. } => *gone = self.is_refused(lease).await,
            Reply::TooMany | Reply::NotThere | Reply::Opaque { .. } => {}
        }
        Ok(reply)
    }

    /// One call.
    async fn send_in(
        &self,
        lease: &Lease,
        method: Method,
        url: &str,
        body: Bytes,
        timeout: Duration,
    ) -> Result<Reply, NoReply> {
        let authorization = lease.authorization.clone();
        let request = wire::request(method, url, &self.settings.origin, authorization, body)
            .map_err(|error| NoReply::NotSent(error.to_string()))?;
        let response =
            self.transport.send(request, timeout).await.map_err(|failure| match failure {
                Failure::NotSent { why } => NoReply::NotSent(why),
                Failure::NoAnswer { why } => NoReply::NoAnswer(why),
            })?;
        Ok(Reply::read(&response))
    }

    /// A query.
    async fn query(
        &self,
        lease: &Lease,
        path: &str,
        parameters: impl Serialize + Send,
    ) -> Result<Reply, NoReply> {
        let url = self.query_url(path, parameters)?;
        let timeout = self.settings.options.query_timeout;
        self.exchange(lease, Method::GET, &url, Bytes::new(), timeout).await
    }

    /// A query whose answer says nothing about the session to anybody else.
    pub(crate) async fn query_apart(
        &self,
        lease: &Lease,
        path: &str,
        parameters: impl Serialize + Send,
    ) -> Result<Reply, NoReply> {
        let url = self.query_url(path, parameters)?;
        let timeout = self.settings.options.query_timeout;
        self.send_in(lease, Method::GET, &url, Bytes::new(), timeout).await
    }

    /// The parameters of a query stand in the URL.
    fn query_url(&self, path: &str, parameters: impl Serialize) -> Result<String, NoReply> {
        let query = serde_urlencoded::to_string(parameters)
            .map_err(|error| NoReply::NotSent(error.to_string()))?;
        Ok(format!("{}{path}?{query}", self.settings.url))
    }

    /// Asks about a transaction by `query_reference`; `id` makes the query's own id.
    async fn transaction(
        &self,
        operation: WalletOperation,
        query_reference: &str,
        id: impl FnOnce(&[u8]) -> String + Send,
    ) -> Transaction {
        let exchange = async {
            let lease = self.sessions.lease().await?;
            let id = id(&lease.seed);
            let parameters = StatusQuery { head: self.head(&id), query_reference };
            let reply = self.query(&lease, "queryTransactionStatus/", &parameters).await?;
            let ids = [id.as_str(), query_reference];
            Ok::<_, NoReply>(query::transaction(&self.terms, operation, &reply, &ids))
        };
        exchange.await.unwrap_or_else(|no_reply| Transaction::Unclear(no_reply.to_string()))
    }

    /// Asks about an operation of ours; `claim` is what a callback says of it.
    async fn question(&self, inquiry: &WalletInquiry, claim: Option<&Finding>) -> Transaction {
        let at = inquiry.at.as_micros().to_be_bytes();
        let reference = inquiry.reference;
        let by_callback = self.inquires_by_callback();
        let id = |seed: &[u8]| {
            if by_callback {
                self.questions.ask(reference, claim, &[seed, &at].concat())
            } else {
                self.query_ids.about(reference, seed, &at)
            }
        };
        self.transaction(inquiry.operation, &reference.compact(), id).await
    }

    /// Tells the operator what the outcome alone does not show: a wrong setting, here or in the
    /// portal, and a limit that the organisation has set on purpose, which is not got around by
    /// another session (`mpesa-openapi.md` §2).
    fn tell_operator(&self, outcome: &Outcome) {
        let synchronous = self.settings.options.answers == Answers::Synchronous;
        match outcome {
            // It is handled all the same.
            Outcome::Pending(_) if synchronous => {
                tracing::warn!(
                    "M-Pesa accepts and does not answer: `answers` is asynchronous here"
                );
            }
            Outcome::Rejected(refusal) if is_of_the_organisation(refusal) => {
                let code = &refusal.code;
                tracing::warn!(%code, "a limit of the organisation at M-Pesa is hit: nothing passes until the portal allows it");
            }
            _ => {}
        }
    }
}

impl std::fmt::Debug for Mpesa {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mpesa").field("url", &self.settings.url).finish_non_exhaustive()
    }
}

/// The reason that a call failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoReply {
    #[error("{0}")]
    Session(#[from] SessionError),
    #[error("not sent: {0}")]
    NotSent(String),
    #[error("no answer: {0}")]
    NoAnswer(String),
}

#[async_trait]
impl Provider for Mpesa {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn collect(&self, order: &WalletOrder) -> Outcome {
        self.pay(WalletOperation::Collect, order).await
    }

    async fn pay_out(&self, order: &WalletOrder) -> Outcome {
        self.pay(WalletOperation::PayOut, order).await
    }

    async fn inquire(&self, inquiry: &WalletInquiry) -> Finding {
        let claim = self.claims.of(inquiry.reference);
        let mut finding = query::finding(inquiry, self.question(inquiry, claim.as_ref()).await);
        if let Finding::Rejected(rejection) = &mut finding
            && let Some(first) = self.first_answers.of(inquiry.reference)
        {
            rejection.message = format!("{} (first answer: {first})", rejection.message);
        }
        finding
    }

    fn inquires_by_callback(&self) -> bool {
        self.settings.options.query_answers == Answers::Asynchronous
    }

    async fn ask_about(&self, inquiry: &WalletInquiry, claim: &Finding) -> Result<(), ReadError> {
        self.claims.keep(inquiry.reference, claim.clone());
        match self.question(inquiry, Some(claim)).await {
            Transaction::Unclear(why) => Err(ReadError::Unavailable(why)),
            _ => Ok(()),
        }
    }

    async fn confirm(&self, notice: &PaymentNotice) -> PaymentFinding {
        let Some(receipt) = notice.receipt.as_ref().map(Receipt::as_str) else {
            return PaymentFinding::Unclear { why: "there is no receipt to ask with".to_owned() };
        };
        // `input_QueryReference` takes nothing else (`mpesa-openapi.md` §5).
        if receipt.len() > 32 || !receipt.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return PaymentFinding::Unclear { why: "its receipt cannot be asked with".to_owned() };
        }
        let id = |seed: &[u8]| self.query_ids.other(seed, receipt.as_bytes());
        let transaction = self.transaction(WalletOperation::Collect, receipt, id).await;
        query::payment(notice, transaction)
    }

    fn read_callback(&self, callback: &RawCallback) -> Result<CallbackContent, CallbackError> {
        callback::read(&self.settings, &self.terms, &self.questions, callback)
    }

    fn reply(&self, callback: &RawCallback, decision: &CallbackDecision) -> CallbackReply {
        callback::reply(&self.settings, callback, decision)
    }

    fn reverse(&self) -> Option<&dyn Reverse> {
        Some(self)
    }

    fn holder_name(&self) -> Option<&dyn HolderName> {
        // A name that is answered by callback comes too late for the caller.
        (self.settings.market.holder_name && !self.inquires_by_callback()).then_some(self)
    }

    async fn probe(&self) -> Result<String, ReadError> {
        self.examine().await
    }
}

#[async_trait]
impl Reverse for Mpesa {
    async fn reverse(&self, order: &ReverseOrder) -> Outcome {
        let receipt = order.receipt.as_str();
        // `input_TransactionID` takes nothing else (`mpesa-openapi.md` §5).
        if receipt.len() > 20 || !receipt.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return unsendable(Reason::Other, "M-Pesa takes no such receipt");
        }
        let conversation_id = order.reference.compact();
        let body = ReversalRequest { head: self.head(&conversation_id), receipt };
        let timeout = self.settings.options.pay_out_timeout;
        let sent = Sent {
            operation: WalletOperation::Reverse,
            reference: order.reference,
            at: order.at,
            amount: order.amount,
        };
        self.operate(sent, Method::PUT, "reversal/", &body, timeout).await
    }
}

#[async_trait]
impl HolderName for Mpesa {
    async fn holder_name(&self, msisdn: &Msisdn) -> Result<Option<String>, ReadError> {
        if !self.settings.numbers.has(msisdn) {
            return Ok(None);
        }
        let unavailable = |no_reply: NoReply| ReadError::Unavailable(no_reply.to_string());
        let lease = self.sessions.lease().await.map_err(|e| unavailable(e.into()))?;
        let id = self.query_ids.other(&lease.seed, msisdn.digits().as_bytes());
        let parameters =
            NameQuery { head: self.head(&id), msisdn: msisdn.digits(), kyc_query_type: "Name" };
        let reply =
            self.query(&lease, "queryBeneficiaryName/", &parameters).await.map_err(unavailable)?;
        query::holder_name(&self.terms, &reply, &id)
    }
}

/// An answer's code and text.
fn in_short(coded: &Coded) -> String {
    let text = excerpt(coded.answer.description.get().unwrap_or_default());
    format!("{} {text}", excerpt(&coded.code)).trim_end().to_owned()
}

/// A refusal of our own, before anything is sent: final, and nothing moved.
fn unsendable(reason: Reason, why: &str) -> Outcome {
    Outcome::Rejected(Rejection {
        code: "unsendable".to_owned(),
        reason,
        message: excerpt(why),
        retry: Retry::Never,
    })
}

/// All fields are mandatory: an empty text is replaced.
fn or_else(text: String, instead: &str, length: usize) -> String {
    if text.is_empty() { instead.chars().take(length).collect() } else { text }
}
