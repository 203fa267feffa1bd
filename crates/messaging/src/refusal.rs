//! The refusals of commands that can never be carried out, and the places in them that are wrong.
//!
//! A place is a JSON Pointer (RFC 6901) from the root of the `CloudEvent`: `/data/amount`, `/id`.

use kiungo_api::problem::{Code, MemberError, Problem};
use kiungo_domain::excerpt::masked;

/// Characters of a reason: a dead letter carries it in a header, and people read it.
const REASON_CHARS_MAX: usize = 1_000;
/// The largest number of characters of one fault's detail and of its path: the maker of a longer
/// name knows it.
const FAULT_CHARS_MAX: usize = 200;
/// Faults that are told: a body of nothing but faults must not make a larger event.
const FAULTS_MAX: usize = 20;

/// The reason that a command can never be carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// A stable word for programs, from the same list as the API's problems.
    pub code: Code,
    /// The fault, and a remedy.
    pub reason: String,
    /// All faults in the content, each with its place.
    pub faults: Vec<Fault>,
    /// The provider's rule that refused a transfer, in one word.
    pub rule: Option<String>,
    /// The transfer that it is about.
    pub transfer: Option<String>,
}

/// The fault in one part of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The place: a JSON Pointer from the root of the `CloudEvent`, empty for the whole.
    pub path: String,
    /// The fault.
    pub detail: String,
}

impl Refusal {
    /// A refusal that is not about a part of the content.
    pub fn new(code: Code, reason: &str) -> Self {
        let reason = reason.to_owned();
        Self { code, reason, faults: Vec::new(), rule: None, transfer: None }
    }

    /// A problem with what stands at `root` of the command, seen from the command's own root.
    pub fn at(root: &str, problem: &Problem) -> Self {
        let unread = matches!(problem.code(), Code::InvalidRequest | Code::MalformedRequest);
        // A member that cannot be read is quoted by its reader; a refusal for another reason names
        // transfers, whose ids may hold many digits in a row.
        let shown = |text: &str, chars: usize| {
            let text = if unread { masked(text) } else { text.to_owned() };
            text.chars().take(chars).collect::<String>()
        };
        let fault = |error: &MemberError| {
            let pointer = error.pointer.as_deref()?.trim_start_matches('#');
            let path = shown(&format!("{root}{pointer}"), FAULT_CHARS_MAX);
            Some(Fault { path, detail: shown(&error.detail, FAULT_CHARS_MAX) })
        };
        Self {
            code: problem.code(),
            reason: shown(problem.detail(), REASON_CHARS_MAX),
            faults: problem.errors().iter().filter_map(fault).take(FAULTS_MAX).collect(),
            rule: problem.rule().map(str::to_owned),
            transfer: problem.about().map(str::to_owned),
        }
    }

    /// The place of the first fault.
    pub fn path(&self) -> Option<&str> {
        self.faults.first().map(|fault| fault.path.as_str())
    }
}

#[cfg(test)]
mod tests {
    use kiungo_domain::outcome::{Reason, Rejection, Retry};
    use kiungo_engine::SubmitError;

    use super::*;

    #[test]
    fn a_number_in_the_wrong_place_is_not_repeated() {
        let error = MemberError::member("/255712345678", "unknown field `255712345678` in line 12");
        let refusal = Refusal::at("/data", &Problem::invalid(vec![error]));
        assert_eq!(refusal.path(), Some("/data/****"));
        assert_eq!(refusal.reason, "unknown field `****` in line 12");
    }

    #[test]
    fn a_secret_in_the_wrong_place_is_not_repeated() {
        let error = MemberError::member("/amount", "invalid type: string \"password=Canary-1\"");
        let refusal = Refusal::at("/data", &Problem::invalid(vec![error]));
        assert!(!format!("{refusal:?}").contains("Canary"), "{refusal:?}");
    }

    #[test]
    fn a_transfer_is_named_in_full() {
        let text = "there is no transfer 019354a0-5c1e-7d3a-9d3c-123456789000";
        let refusal = Refusal::at("", &Problem::new(Code::TransferNotFound, text));
        assert_eq!((refusal.reason.as_str(), refusal.path()), (text, None));
    }

    #[test]
    fn the_rule_that_refused_is_told() {
        let rejection = Rejection {
            code: "count_above_daily_maximum".to_owned(),
            reason: Reason::LimitExceeded,
            message: "one more would be too many".to_owned(),
            retry: Retry::Never,
        };
        let refusal = Refusal::at("/data", &Problem::from(SubmitError::Rejected(rejection)));
        assert_eq!(refusal.rule.as_deref(), Some("count_above_daily_maximum"));
    }
}
