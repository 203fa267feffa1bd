//! The terms that a mapping file sets for every adapter alike: money format, code tables, callback
//! address.

use std::collections::BTreeMap;

use kiungo_domain::numbering::Market;
use kiungo_domain::outcome::{Reason, Rejection, Retry};
use kiungo_domain::{Currency, Money};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::Details;

/// The terms under which an adapter talks to its provider.
#[derive(Debug, Clone)]
pub struct Terms {
    /// The one currency of this provider.
    pub currency: Currency,
    /// The phone numbers of its wallets.
    pub numbers: Market,
    /// The number of decimals that the provider takes; at most the currency's. Tanzanian shillings
    /// have two by ISO and are used whole.
    pub decimals: u8,
    /// The meanings of the provider's codes.
    pub codes: CodeTables,
    /// The meanings of the provider's words for the state of an operation.
    pub statuses: StatusTables,
    /// The address at which the provider calls back, with the secret and a trailing slash; `None`
    /// if it cannot.
    pub callback_base: Option<String>,
    /// The reader of details that are left out if they cannot be read.
    pub details: Details,
}

impl Terms {
    /// The reason that the provider cannot take exactly this amount; `None` if it can.
    pub fn refuses(&self, amount: Money) -> Option<String> {
        if amount.currency() != self.currency {
            return Some(format!(
                "the provider works in {}, not {}",
                self.currency,
                amount.currency()
            ));
        }
        let dropped = self.currency.exponent().saturating_sub(self.decimals);
        let unit = 10_i64.checked_pow(u32::from(dropped)).unwrap_or(i64::MAX);
        (amount.minor() % unit != 0)
            .then(|| format!("the provider takes {} decimals, {amount} has more", self.decimals))
    }

    /// The meaning of a status word for every operation, whatever its case; `None` if it is not
    /// listed.
    pub fn status(&self, word: &str) -> Option<&CodeLine> {
        self.statuses.all.get(&word.to_ascii_lowercase())
    }

    /// The meaning of a status word for the operation that was asked about, whatever its case;
    /// `None` if it is not listed.
    pub fn status_of(&self, operation: Answered, word: &str) -> Option<&CodeLine> {
        self.statuses.meaning(operation, &word.to_ascii_lowercase())
    }
}

/// The provider's status words by operation. A word that is in no table has no meaning.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StatusTables {
    /// For every operation that does not list the word itself; words in lower case.
    pub all: BTreeMap<String, CodeLine>,
    /// For collections.
    pub collect: BTreeMap<String, CodeLine>,
    /// For payouts.
    pub pay_out: BTreeMap<String, CodeLine>,
    /// For reversals.
    pub reverse: BTreeMap<String, CodeLine>,
}

impl StatusTables {
    fn meaning(&self, operation: Answered, word: &str) -> Option<&CodeLine> {
        let own = match operation {
            Answered::Collect => self.collect.get(word),
            Answered::PayOut => self.pay_out.get(word),
            Answered::Reverse => self.reverse.get(word),
            Answered::Inquire => None,
        };
        own.or_else(|| self.all.get(word))
    }

    /// Every line, whatever it belongs to.
    pub fn lines(&self) -> impl Iterator<Item = (&String, &CodeLine)> {
        let tables = [&self.all, &self.collect, &self.pay_out, &self.reverse];
        tables.into_iter().flatten()
    }
}

/// The section as it is written: the words of `all` stand directly below `[statuses]`, the others in
/// `[statuses.collect]`, `[statuses.pay_out]`, `[statuses.reverse]`. By hand, because errors keep
/// their place in the file then.
impl<'de> Deserialize<'de> for StatusTables {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Written;

        impl<'de> Visitor<'de> for Written {
            type Value = StatusTables;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("status words, and tables of them by operation")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<StatusTables, A::Error> {
                let mut tables = StatusTables::default();
                while let Some(word) = map.next_key::<String>()? {
                    let own = match word.as_str() {
                        "collect" => &mut tables.collect,
                        "pay_out" => &mut tables.pay_out,
                        "reverse" => &mut tables.reverse,
                        _ => {
                            tables.all.insert(word.to_ascii_lowercase(), map.next_value()?);
                            continue;
                        }
                    };
                    let written: BTreeMap<String, CodeLine> = map.next_value()?;
                    let lower =
                        |(word, line): (String, CodeLine)| (word.to_ascii_lowercase(), line);
                    *own = written.into_iter().map(lower).collect();
                }
                Ok(tables)
            }
        }

        deserializer.deserialize_map(Written)
    }
}

/// The provider's codes by operation. A code that is in no table has no meaning: the outcome is
/// unknown (rule 2).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CodeTables {
    /// For every operation that does not list the code itself.
    pub all: BTreeMap<String, CodeLine>,
    /// For collections.
    pub collect: BTreeMap<String, CodeLine>,
    /// For payouts.
    pub pay_out: BTreeMap<String, CodeLine>,
    /// For reversals.
    pub reverse: BTreeMap<String, CodeLine>,
    /// For inquiries: about the inquiry itself.
    pub inquire: BTreeMap<String, CodeLine>,
}

/// The operation that a code answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answered {
    /// A collection.
    Collect,
    /// A payout.
    PayOut,
    /// A reversal.
    Reverse,
    /// An inquiry.
    Inquire,
}

impl CodeTables {
    /// The meaning of `code` as an answer to this operation; `None` if it is not listed.
    pub fn meaning(&self, answered: Answered, code: &str) -> Option<&CodeLine> {
        let own = match answered {
            Answered::Collect => &self.collect,
            Answered::PayOut => &self.pay_out,
            Answered::Reverse => &self.reverse,
            Answered::Inquire => &self.inquire,
        };
        own.get(code).or_else(|| self.all.get(code))
    }
}

/// The meaning of one code or status word.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodeLine {
    /// The consequence.
    pub means: Meaning,
    /// The reason of the refusal; for `rejected` only, `other` if absent.
    #[serde(default)]
    pub reason: Option<Reason>,
    /// States whether trying again can help; for `rejected` only, `never` if absent.
    #[serde(default)]
    pub retry: Option<Retry>,
    /// Our text for it, for people.
    #[serde(default)]
    pub text: Option<String>,
}

impl CodeLine {
    /// The rejection that this line stands for; `message` is used where the line has no text.
    pub fn rejection(&self, code: &str, message: &str) -> Rejection {
        Rejection {
            code: code.to_owned(),
            reason: self.reason.unwrap_or(Reason::Other),
            message: self.text.clone().unwrap_or_else(|| message.to_owned()),
            retry: self.retry.unwrap_or(Retry::Never),
        }
    }
}

/// The consequence of a code or a status word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Meaning {
    /// It was executed.
    Completed,
    /// It was accepted and is being worked on.
    Pending,
    /// It was refused for good: nothing moved.
    Rejected,
    /// It was turned away before it was recorded: it may be sent again under the same reference.
    NotSent,
    /// It was executed and later reversed.
    Reversed,
    /// The other side does not know it.
    Absent,
    /// One cannot tell: ask.
    Unknown,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(decimals: u8) -> Terms {
        Terms {
            currency: Currency::from_code("TZS").unwrap(),
            numbers: Market::of(&["255"]).unwrap(),
            decimals,
            codes: CodeTables::default(),
            statuses: StatusTables::default(),
            callback_base: None,
            details: Details::default(),
        }
    }

    #[test]
    fn an_amount_finer_than_the_provider_takes_is_refused() {
        let amount = |text| Money::parse(text, Currency::from_code("TZS").unwrap()).unwrap();
        assert_eq!(terms(0).refuses(amount("125")), None);
        assert!(terms(0).refuses(amount("125.50")).is_some());
        assert_eq!(terms(2).refuses(amount("125.50")), None);
        let ugx = Money::parse("5", Currency::from_code("UGX").unwrap()).unwrap();
        assert!(terms(0).refuses(ugx).is_some());
    }

    #[test]
    fn a_status_word_may_mean_another_thing_for_one_operation() {
        let line = |text: &str| CodeLine {
            means: Meaning::Rejected,
            reason: None,
            retry: None,
            text: Some(text.to_owned()),
        };
        let mut terms = terms(0);
        terms.statuses.all.insert("cancelled".to_owned(), line("by the provider"));
        terms.statuses.collect.insert("cancelled".to_owned(), line("by the customer"));
        let text = |operation| terms.status_of(operation, "Cancelled")?.text.clone();
        assert_eq!(text(Answered::Collect).as_deref(), Some("by the customer"));
        assert_eq!(text(Answered::PayOut).as_deref(), Some("by the provider"));
        assert_eq!(text(Answered::Reverse).as_deref(), Some("by the provider"));
        assert_eq!(terms.status_of(Answered::Collect, "lost"), None);
        assert_eq!(terms.statuses.lines().count(), 2);
    }

    #[test]
    fn an_operations_own_line_wins_over_the_common_one() {
        let line = |means| CodeLine { means, reason: None, retry: None, text: None };
        let tables = CodeTables {
            all: BTreeMap::from([("INS-6".to_owned(), line(Meaning::Rejected))]),
            pay_out: BTreeMap::from([("INS-6".to_owned(), line(Meaning::Unknown))]),
            ..CodeTables::default()
        };
        let means = |answered| tables.meaning(answered, "INS-6").map(|line| line.means);
        assert_eq!(means(Answered::Collect), Some(Meaning::Rejected));
        assert_eq!(means(Answered::PayOut), Some(Meaning::Unknown));
        assert_eq!(tables.meaning(Answered::Collect, "INS-7"), None);
    }
}
