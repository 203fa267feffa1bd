//! Error objects, and their meaning by the mapping (`gsma-mobile-money-api.md` §6).

use kiungo_domain::outcome::{Acceptance, Awaiting, Reason, Rejection, Retry};
use kiungo_domain::{Finding, Outcome, excerpt};
use kiungo_provider::{Answered, CodeLine, CodeTables, Meaning};

use crate::wire::{ErrorObject, Text};

/// A code as it is looked up: lower case, without blanks (§6.2).
pub(crate) fn normal(code: &str) -> String {
    code.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect()
}

/// True if a normal code says that the correlation id is known already: evidence about the first
/// sending, never a failure (§4.4).
pub(crate) fn is_duplicate(normal: &str) -> bool {
    normal.rsplit('/').next() == Some("duplicaterequest")
}

/// An error as the provider wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// `category/code`, shortened to what a code can be.
    pub(crate) code: String,
    text: Option<String>,
    /// The fields at fault with what they violate, and the provider's own words (§6.1).
    details: Option<String>,
}

impl Refusal {
    /// Reads the code of a GSMA Error object.
    pub(crate) fn of(error: &ErrorObject) -> Self {
        let part = |text: Option<&Text>| {
            Text::given(text).map(|text| text.chars().take(64).collect()).unwrap_or_default()
        };
        let (category, code): (String, String) =
            (part(error.error_category.as_ref()), part(error.error_code.as_ref()));
        let text = Text::given(error.error_description.as_ref())
            .or_else(|| Text::given(error.errordescription.as_ref()));
        let details: Vec<_> =
            error.parameters().map(|(name, value)| format!("{name}: {value}")).collect();
        Self {
            code: excerpt(&format!("{category}/{code}")),
            text: text.map(excerpt),
            details: (!details.is_empty()).then(|| excerpt(&details.join("; "))),
        }
    }

    /// The code of a gateway's own answer, which has a status and nothing else that counts.
    pub(crate) fn of_gateway(status: http::StatusCode) -> Self {
        Self { code: format!("gateway/{}", status.as_u16()), text: None, details: None }
    }

    fn line<'a>(&self, codes: &'a CodeTables, answered: Answered) -> Option<&'a CodeLine> {
        codes.meaning(answered, &normal(&self.code))
    }

    /// The meaning of this code by the mapping; `None` if it is not listed.
    pub(crate) fn meaning(&self, codes: &CodeTables, answered: Answered) -> Option<Meaning> {
        self.line(codes, answered).map(|line| line.means)
    }

    /// True if the error says that our own authentication failed (§6.3).
    pub(crate) fn is_about_the_client(&self) -> bool {
        normal(&self.code) == "authorisation/clientauthorisationerror"
    }

    /// The reason that the mapping gives for this code.
    pub(crate) fn reason(&self, codes: &CodeTables, answered: Answered) -> Option<Reason> {
        self.line(codes, answered).and_then(|line| line.reason)
    }

    /// The outcome of an attempt that is answered directly by this error.
    pub(crate) fn outcome(&self, codes: &CodeTables, answered: Answered) -> Outcome {
        let Some(line) = self.line(codes, answered) else {
            return Outcome::unknown(format!("{} is not in the code table", self.described()));
        };
        match line.means {
            _ if is_duplicate(&normal(&self.code)) => Outcome::unknown(self.explained(line)),
            Meaning::Rejected => Outcome::Rejected(self.rejection(line)),
            Meaning::NotSent => Outcome::not_recorded(self.explained(line)),
            Meaning::Pending => Outcome::Pending(accepted()),
            Meaning::Completed | Meaning::Reversed | Meaning::Absent | Meaning::Unknown => {
                Outcome::unknown(self.explained(line))
            }
        }
    }

    /// The finding about an operation that gets this error later, as its result.
    pub(crate) fn finding(&self, codes: &CodeTables, answered: Answered) -> Finding {
        let Some(line) = self.line(codes, answered) else {
            return Finding::unclear(format!("{} is not in the code table", self.described()));
        };
        match line.means {
            _ if is_duplicate(&normal(&self.code)) => Finding::unclear(self.explained(line)),
            Meaning::Rejected => Finding::Rejected(self.rejection(line)),
            // Recorded as the result of this reference, so the reference is used up.
            Meaning::NotSent => Finding::Rejected(Rejection {
                reason: line.reason.unwrap_or(Reason::Busy),
                retry: line.retry.unwrap_or(Retry::NewReference),
                ..self.rejection(line)
            }),
            Meaning::Pending => Finding::InProgress(accepted()),
            Meaning::Completed | Meaning::Reversed | Meaning::Absent | Meaning::Unknown => {
                Finding::unclear(self.explained(line))
            }
        }
    }

    /// The code with the provider's text, for people.
    pub(crate) fn described(&self) -> String {
        let text = self.text.as_ref().map(|text| format!(" ({text})"));
        format!("{}{}{}", self.code, text.unwrap_or_default(), self.detailed())
    }

    fn detailed(&self) -> String {
        self.details.as_ref().map(|details| format!(" [{details}]")).unwrap_or_default()
    }

    fn explained(&self, line: &CodeLine) -> String {
        match &line.text {
            Some(text) => format!("{}: {text}{}", self.code, self.detailed()),
            None => self.described(),
        }
    }

    fn rejection(&self, line: &CodeLine) -> Rejection {
        let text = self.text.as_deref().unwrap_or("refused by the provider");
        let mut rejection = line.rejection(&self.code, text);
        rejection.message.push_str(&self.detailed());
        rejection
    }
}

fn accepted() -> Acceptance {
    Acceptance { handle: None, awaiting: Awaiting::Processing }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Body, read_body};

    #[test]
    fn codes_are_compared_without_case_and_blanks() {
        assert_eq!(normal("Service Unavailable/GenericError"), "serviceunavailable/genericerror");
        assert!(is_duplicate(&normal("BusinessRule/Duplicate Request")));
        assert!(!is_duplicate("businessrule/insufficientfunds"));
    }

    #[test]
    fn the_fields_at_fault_are_named_and_numbers_in_them_masked() {
        let body = br#"{"errorCategory":"validation","errorCode":"formatError","errorParameters":[
            {"key":"amount","value":"^[0-9]+$"},{"key":"debitParty","value":"+266 57000001"}]}"#;
        let Some(Body::Error(error)) = read_body(body) else { panic!() };
        let refusal = Refusal::of(&error);
        let details = "[amount: ^[0-9]+$; debitParty: +****]";
        assert_eq!(refusal.described(), format!("validation/formatError {details}"));
        let line = CodeLine {
            means: Meaning::Rejected,
            reason: None,
            retry: None,
            text: Some("a value has a wrong format".to_owned()),
        };
        let message = refusal.rejection(&line).message;
        assert_eq!(message, format!("a value has a wrong format {details}"));
    }
}
