//! The provider's record of movements: `GET …/transactions` of our own account, page by page
//! (`gsma-mobile-money-api.md` §5).

use http::{HeaderMap, StatusCode};
use kiungo_domain::excerpt;
use kiungo_provider::{Answered, Meaning, PeriodQuery, ReadError, StatementLine, StatementPage};

use crate::Gsma;
use crate::account::read_error;
use crate::client::Routed;
use crate::map::codes::Refusal;
use crate::map::party::{self, Direction};
use crate::map::reading::receipt;
use crate::map::{amount, date};
use crate::paths;
use crate::payment::{echoed, recorded_at};
use crate::wire::{Body, Text, Transaction, read_body, read_list};

impl Gsma {
    pub(crate) async fn statement_page(
        &self,
        query: &PeriodQuery,
    ) -> Result<StatementPage, ReadError> {
        let path = self.statement_path(query)?;
        let answer = self.client.get(&path, Routed::ByInstitution).await.map_err(read_error)?;
        if answer.status() != StatusCode::OK {
            if self.is_past_the_end(answer.body()) {
                return Ok(StatementPage { lines: Vec::new(), available: None });
            }
            return Err(self.refused(&answer));
        }
        let transactions: Vec<Transaction> = read_list(answer.body())
            .ok_or_else(|| unavailable("the page of transactions cannot be read"))?;
        let returned = count(answer.headers(), "x-records-returned-count")?;
        if returned.is_some_and(|returned| usize::try_from(returned) != Ok(transactions.len())) {
            return Err(unavailable("the page has another number of records than it states"));
        }
        let lines = transactions.iter().map(|transaction| self.line(transaction)).collect();
        Ok(StatementPage {
            lines: Result::<_, ReadError>::from_iter::<Vec<_>>(lines)?,
            available: count(answer.headers(), "x-records-available-count")?,
        })
    }

    fn statement_path(&self, query: &PeriodQuery) -> Result<String, ReadError> {
        let outside = || ReadError::Repair("the period lies outside the calendar".to_owned());
        let account = &self.options.account;
        let pairs = [
            ("offset", query.offset.to_string()),
            ("limit", query.limit.to_string()),
            ("fromDateTime", date::write(query.from).ok_or_else(outside)?),
            ("toDateTime", date::write_up(query.to).ok_or_else(outside)?),
        ];
        let resource = paths::account(&account.kind, &account.id, "transactions");
        let pairs = serde_urlencoded::to_string(pairs).map_err(|_| outside())?;
        Ok(format!("{resource}?{pairs}"))
    }

    /// True if the answer is the code by which some providers reject an offset past the end (§5).
    fn is_past_the_end(&self, body: &[u8]) -> bool {
        let Some(Body::Error(error)) = read_body(body) else {
            return false;
        };
        let refusal = Refusal::of(&error);
        refusal.code.to_ascii_lowercase().ends_with("/invalidoffset")
            && refusal.meaning(&self.reading.terms.codes, Answered::Inquire)
                == Some(Meaning::Absent)
    }

    /// Reads a line. An unreadable line fails its whole page, because a line left out is money
    /// lost.
    fn line(&self, transaction: &Transaction) -> Result<StatementLine, ReadError> {
        let receipt = receipt(transaction)
            .ok_or_else(|| unavailable("a transaction of the page has no usable reference"))?;
        let failed = |why: &str| unavailable(&format!("transaction {receipt}: {why}"));
        let direction = self.reading.own.direction(transaction);
        let (incoming, other) = match direction {
            Direction::Incoming => (true, transaction.debit_party.as_deref()),
            Direction::Outgoing => (false, transaction.credit_party.as_deref()),
            Direction::Untold => {
                return Err(failed(
                    "neither party is our account alone; list its other names in \
                     gsma.account_aliases",
                ));
            }
        };
        let stated = amount::read(
            transaction.amount.as_ref(),
            transaction.currency.as_ref(),
            self.reading.terms.currency,
        );
        let amount = stated.map_err(|_| failed("its amount or currency cannot be read"))?;
        let status = Text::given(transaction.transaction_status.as_ref()).unwrap_or_default();
        Ok(StatementLine {
            reference: echoed(transaction),
            incoming,
            amount: amount.ok_or_else(|| failed("it has no amount"))?,
            msisdn: party::msisdn(other, &self.reading.own, &self.reading.terms.numbers, None),
            at: recorded_at(transaction),
            status: excerpt(status),
            receipt,
        })
    }
}

/// A record count of the answer's headers; an unreadable one means that the page cannot be trusted.
fn count(headers: &HeaderMap, name: &str) -> Result<Option<u64>, ReadError> {
    let Some(value) = headers.get(name) else {
        return Ok(None);
    };
    let number = value.to_str().ok().and_then(|text| text.trim().parse().ok());
    number.map(Some).ok_or_else(|| unavailable(&format!("the header {name} is no number")))
}

fn unavailable(why: &str) -> ReadError {
    ReadError::Unavailable(why.to_owned())
}
