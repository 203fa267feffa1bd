//! Questions that M-Pesa answers by callback (`query_answers = "asynchronous"`).
//!
//! The answer is not signed, and its documented fields do not state the outcome of the payment. Two
//! things make evidence of it:
//!
//! * the question's id proves that the answer is one: it ends in a code that only the holder of the
//!   API key can make, and every process of an installation holds it;
//! * what the operation's own result has claimed stands in the id: an answer that names the very
//!   receipt of a claimed success, not reversed, confirms it. One that names no receipt confirms a
//!   claimed failure of a collection: nothing has left, so nothing is given back because of it.
//!
//! The rest is unclear, and for a person. The question is asked by our own id, not by the claimed
//! receipt: a true receipt of another payment is not confirmed then.

use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac::{self, HMAC_SHA256};
use kiungo_domain::outcome::{Acceptance, Confirmation, Stated};
use kiungo_domain::{Finding, Receipt, Reference};
use kiungo_provider::order::WalletOperation;
use kiungo_provider::{Meaning, Terms};

use crate::ids::{base36, read_base36};
use crate::map::query::{Transaction, about};

const REFERENCE_DIGITS: usize = 25;
const CLAIM_DIGITS: usize = 4;
const FRESH_DIGITS: usize = 4;
/// 31 bits: who guesses has to do it online, behind the secret of the callback's path.
const PROOF_DIGITS: usize = 6;
const LENGTH: usize = 1 + REFERENCE_DIGITS + CLAIM_DIGITS + FRESH_DIGITS + PROOF_DIGITS;

/// Makes the ids of questions, and recognises them.
pub(crate) struct Questions {
    key: hmac::Key,
    count: AtomicU64,
}

/// A question of ours, read back from its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Question {
    pub(crate) reference: Reference,
    claim: Claim,
}

/// The claim of the operation's own result when the question was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Claim {
    /// No claim that could be checked.
    Nothing,
    /// Success; a check of the receipt.
    Success(u128),
    /// Failure; the number of its `INS-` code.
    Failure(u128),
}

impl Questions {
    /// `secret`: the API key.
    pub(crate) fn new(secret: &str) -> Self {
        let root = hmac::Key::new(HMAC_SHA256, secret.as_bytes());
        let key = hmac::sign(&root, b"kiungo: questions of the M-Pesa adapter");
        Self { key: hmac::Key::new(HMAC_SHA256, key.as_ref()), count: AtomicU64::new(0) }
    }

    /// The id of a question about `reference`, with what a callback has claimed about it. `context`
    /// (the time of asking) makes it fresh.
    pub(crate) fn ask(
        &self,
        reference: Reference,
        claim: Option<&Finding>,
        context: &[u8],
    ) -> String {
        let (kind, claimed) = match claim {
            Some(Finding::Executed(confirmation)) => ('E', self.check_of(&confirmation.receipt)),
            Some(Finding::Rejected(rejection)) => match ins_number(&rejection.code) {
                Some(number) => ('F', number),
                None => ('A', 0),
            },
            _ => ('A', 0),
        };
        let count = self.count.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let fresh = number(digest(&SHA256, &[&count, context].concat()).as_ref());
        let number = u128::from_str_radix(&reference.compact(), 16).unwrap_or(0);
        let named = format!(
            "{kind}{}{}{}",
            base36(number, REFERENCE_DIGITS),
            base36(claimed, CLAIM_DIGITS),
            base36(fresh, FRESH_DIGITS)
        );
        let proof = self.proof_of(&named);
        format!("{named}{proof}")
    }

    /// The id of a question about an operation that cannot exist: its first 32 characters are
    /// unused.
    pub(crate) fn about_nothing(&self, context: &[u8]) -> String {
        let count = self.count.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let fresh = number(digest(&SHA256, &[&count, context].concat()).as_ref());
        let digits = REFERENCE_DIGITS + CLAIM_DIGITS + FRESH_DIGITS;
        let named = format!("N{:0>digits$}", base36(fresh, REFERENCE_DIGITS));
        let proof = self.proof_of(&named);
        format!("{named}{proof}")
    }

    /// True if this is the id of a question of ours about nothing.
    pub(crate) fn is_about_nothing(&self, id: &str) -> bool {
        let id = id.to_ascii_uppercase();
        let parts = id.split_at_checked(LENGTH - PROOF_DIGITS);
        parts.is_some_and(|(named, proof)| named.starts_with('N') && self.proof_of(named) == proof)
    }

    /// The question whose id this is; `None` if it is none of ours.
    pub(crate) fn recognise(&self, id: &str) -> Option<Question> {
        let id = id.to_ascii_uppercase();
        if id.len() != LENGTH || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return None;
        }
        let (named, proof) = id.split_at_checked(LENGTH - PROOF_DIGITS)?;
        if self.proof_of(named) != proof {
            return None;
        }
        let (kind, rest) = named.split_at_checked(1)?;
        let (reference, rest) = rest.split_at_checked(REFERENCE_DIGITS)?;
        let claimed = read_base36(rest.get(..CLAIM_DIGITS)?)?;
        let claim = match kind {
            "A" => Claim::Nothing,
            "E" => Claim::Success(claimed),
            "F" => Claim::Failure(claimed),
            _ => return None,
        };
        let number = read_base36(reference)?;
        Some(Question { reference: Reference::parse(&format!("{number:032x}")).ok()?, claim })
    }

    /// Interprets an answer to a question of ours.
    pub(crate) fn interpret(
        &self,
        terms: &Terms,
        question: Question,
        transaction: Transaction,
    ) -> Finding {
        let asked = WalletOperation::of_step(question.reference.step());
        let Transaction::Found { receipt, reversed } = transaction else {
            return about(asked, None, None, transaction);
        };
        match (receipt, question.claim) {
            (receipt, _) if reversed => about(asked, None, None, Transaction::Reversed(receipt)),
            (Some(receipt), Claim::Success(check)) if self.check_of(&receipt) == check => {
                let stated = Stated { reference: Some(question.reference), ..Stated::default() };
                Finding::Executed(Confirmation { receipt, fee: None, stated })
            }
            (Some(receipt), Claim::Success(_)) => Finding::unclear(format!(
                "M-Pesa's result named another receipt than its query, which names {receipt}"
            )),
            (Some(receipt), Claim::Failure(_)) => Finding::unclear(format!(
                "M-Pesa's result said that it failed, and its query names receipt {receipt}"
            )),
            (Some(receipt), Claim::Nothing) => Finding::unclear(format!(
                "M-Pesa's query names receipt {receipt} and does not say whether it is completed; \
                 its result has not arrived"
            )),
            (None, Claim::Success(_)) => Finding::unclear(
                "M-Pesa's result named a receipt, and its query knows of none: the result is late \
                 or forged",
            ),
            (None, Claim::Failure(number)) if asked == WalletOperation::Collect => {
                let code = format!("INS-{number}");
                match terms.codes.meaning(asked, &code) {
                    Some(line) if line.means == Meaning::Rejected => {
                        Finding::Rejected(line.rejection(&code, "failed at M-Pesa"))
                    }
                    _ => Finding::unclear(format!("failed with {code}, which says nothing")),
                }
            }
            // For money that leaves, the absence of a receipt is not enough.
            (None, Claim::Failure(number)) => Finding::unclear(format!(
                "M-Pesa's result said that it failed (INS-{number}); its query names no receipt, \
                 which does not prove it"
            )),
            (None, Claim::Nothing) => {
                Finding::InProgress(Acceptance { handle: None, awaiting: asked.awaiting() })
            }
        }
    }

    fn proof_of(&self, named: &str) -> String {
        base36(number(hmac::sign(&self.key, named.as_bytes()).as_ref()), PROOF_DIGITS)
    }

    /// 20 bits of a receipt: it only has to tell the receipt that was claimed from another that the
    /// same answer proves to be the operation's.
    fn check_of(&self, receipt: &Receipt) -> u128 {
        let text = format!("receipt {}", receipt.as_str());
        number(hmac::sign(&self.key, text.as_bytes()).as_ref()) % 36_u128.pow(4)
    }
}

/// The number of a code of the family `INS-4711`, if it fits into the digits that are there for it.
fn ins_number(code: &str) -> Option<u128> {
    let number: u128 = code.strip_prefix("INS-")?.parse().ok()?;
    // As it will be written back: `INS-06` is not `INS-6`.
    (number < 36_u128.pow(4) && code == format!("INS-{number}")).then_some(number)
}

fn number(bytes: &[u8]) -> u128 {
    bytes.iter().take(16).fold(0, |number, byte| (number << 8) | u128::from(*byte))
}

#[cfg(test)]
mod tests {
    use kiungo_domain::TransferId;
    use kiungo_domain::outcome::{Reason, Rejection, Retry};
    use kiungo_domain::transfer::StepName;
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn executed(receipt: &str) -> Finding {
        Finding::Executed(Confirmation::bare(Receipt::new(receipt).unwrap()))
    }

    fn refused(code: &str) -> Finding {
        Finding::Rejected(Rejection {
            code: code.to_owned(),
            reason: Reason::Other,
            message: String::new(),
            retry: Retry::Never,
        })
    }

    #[test]
    fn a_question_about_nothing_is_recognised_and_names_what_nobody_has_used() {
        let ours = Questions::new("key");
        let [one, other] = [ours.about_nothing(b"seed"), ours.about_nothing(b"seed")];
        assert_eq!((one.len(), other.len()), (LENGTH, LENGTH));
        assert_ne!(one[..32], other[..32]);
        assert!(Questions::new("key").is_about_nothing(&one));
        assert!(!Questions::new("another").is_about_nothing(&one));
        assert!(ours.recognise(&one).is_none() && Reference::parse(&one[..32]).is_err());
        for text in ["", "N", "é", &"N".repeat(LENGTH)] {
            assert!(!ours.is_about_nothing(text));
        }
    }

    proptest! {
        #[test]
        fn a_question_is_recognised_by_every_process_with_the_key_and_by_nobody_else(
            id in any::<u128>(),
            step in 0_u8..4,
        ) {
            let transfer = TransferId::new(Uuid::from_u128(id));
            let reference = Reference::new(transfer, StepName::from_index(step), 3);
            let ours = Questions::new("key");
            for (claim, expected) in [
                (None, Claim::Nothing),
                (Some(refused("INS-2006")), Claim::Failure(2006)),
                (Some(refused("what")), Claim::Nothing),
                (
                    Some(executed("7KX21QD40B")),
                    Claim::Success(ours.check_of(&Receipt::new("7KX21QD40B").unwrap())),
                ),
            ] {
                let id = ours.ask(reference, claim.as_ref(), b"1");
                prop_assert!(id.len() <= 40 && id.bytes().all(|b| b.is_ascii_alphanumeric()));
                prop_assert!(Reference::parse(&id).is_err());
                prop_assert_ne!(&id, &ours.ask(reference, claim.as_ref(), b"2"));
                let other_process = Questions::new("key");
                let question = Question { reference, claim: expected };
                prop_assert_eq!(other_process.recognise(&id), Some(question));
                prop_assert_eq!(other_process.recognise(&id.to_ascii_lowercase()), Some(question));
                prop_assert_eq!(Questions::new("another").recognise(&id), None);
                let forged = id.replacen(id.chars().next().unwrap(), "E", 1);
                if forged != id {
                    prop_assert_eq!(ours.recognise(&forged), None);
                }
            }
        }

        #[test]
        fn no_text_panics(text in "\\PC*", digits in "[AEF][0-9A-Z]{39}") {
            let _ = Questions::new("key").recognise(&text);
            let _ = Questions::new("key").recognise(&digits);
        }
    }
}
