//! Reading a command's JSON body by the core's rules (`fineract.md` §2.1).

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde_json::value::RawValue;

use super::calendar;
use super::decimal::Decimal;
use super::json::Json;
use super::refusal::{Problem, Refusal};

/// A member of a body. A null or a blank text counts as not sent and is not kept at all.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Member {
    Text(String),
    Number(String),
    Other(String),
}

/// A parsed body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Body {
    members: BTreeMap<String, Option<Member>>,
    text: String,
}

impl Body {
    /// Reads a JSON object. No body at all is no body; anything else is an error.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Option<Self>, Refusal> {
        let text = std::str::from_utf8(bytes).map_err(|_| Refusal::NoJson)?;
        if text.trim().is_empty() {
            return Ok(None);
        }
        let raw: BTreeMap<String, &RawValue> = serde_json::from_str(text).map_err(|error| {
            if error.is_data() { Refusal::NoJson } else { broken(text, &error) }
        })?;
        let members = raw.into_iter().map(|(name, value)| (name, member(value.get()))).collect();
        Ok(Some(Self { members, text: text.to_owned() }))
    }

    /// The body as it was sent.
    pub(crate) fn raw(&self) -> &str {
        &self.text
    }

    /// Refuses every member that is not in `allowed`, all of them listed.
    pub(crate) fn only(&self, allowed: &[&[&str]]) -> Result<(), Refusal> {
        let known = |name: &str| allowed.iter().any(|names| names.contains(&name));
        let problems: Vec<Problem> = self
            .members
            .keys()
            .filter(|name| !known(name))
            .map(|name| {
                let message = format!("The parameter {name} is not supported.");
                Problem::new("error.msg.parameter.unsupported", message)
                    .of(name.as_str())
                    .arg(name.as_str())
            })
            .collect();
        if problems.is_empty() { Ok(()) } else { Err(Refusal::Invalid(problems)) }
    }

    /// A text member, or a number's digits; `None` if not sent or blank.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        match self.members.get(name)?.as_ref()? {
            Member::Text(text) | Member::Number(text) | Member::Other(text) => Some(text),
        }
    }

    /// The members that were sent, and whether each is a number.
    pub(crate) fn members(&self) -> impl Iterator<Item = (&str, &str, bool)> {
        self.members.iter().filter_map(|(name, member)| match member.as_ref()? {
            Member::Text(text) => Some((name.as_str(), text.as_str(), false)),
            Member::Number(text) => Some((name.as_str(), text.as_str(), true)),
            Member::Other(_) => None,
        })
    }

    fn is_number(&self, name: &str) -> bool {
        matches!(self.members.get(name), Some(Some(Member::Number(_))))
    }
}

/// The message of the core's reader about a text that is no JSON: the position at which it stopped,
/// in its own words.
fn broken(text: &str, error: &serde_json::Error) -> Refusal {
    let line = error.line().max(1);
    let at = format!("line {line} column {} path $.", error.column() + 1);
    Refusal::BrokenJson(if error.is_eof() {
        let column = text.lines().last().map_or(1, |line| line.chars().count() + 1);
        format!("java.io.EOFException: End of input at line {line} column {column} path $.")
    } else {
        format!("com.google.gson.stream.MalformedJsonException: Expected name at {at}")
    })
}

fn member(raw: &str) -> Option<Member> {
    let number = |first: u8| first == b'-' || first.is_ascii_digit();
    match raw.bytes().next()? {
        b'n' => None,
        b'"' => {
            let text: String = serde_json::from_str(raw).ok()?;
            (!text.trim().is_empty()).then_some(Member::Text(text))
        }
        first if number(first) => Some(Member::Number(raw.to_owned())),
        _ => Some(Member::Other(raw.to_owned())),
    }
}

/// Reads members one by one and collects what is wrong with them.
pub(crate) struct Fields<'a> {
    body: &'a Body,
    resource: &'static str,
    problems: Vec<Problem>,
}

impl<'a> Fields<'a> {
    /// Reads from `body`; `resource` is the middle of the validation codes.
    pub(crate) const fn of(body: &'a Body, resource: &'static str) -> Self {
        Self { body, resource, problems: Vec::new() }
    }

    /// A text of at most `length_max` characters.
    pub(crate) fn text(&mut self, name: &'static str, length_max: usize) -> Option<&'a str> {
        let text = self.body.text(name)?;
        if text.chars().count() > length_max {
            let message = format!("The parameter `{name}` exceeds max length of {length_max}.");
            let args = [Json::from(length_max), Json::from(text)];
            self.problem(name, "exceeds.max.length", message, &args);
        }
        Some(text)
    }

    /// A text that must be there.
    pub(crate) fn required_text(
        &mut self,
        name: &'static str,
        length_max: usize,
    ) -> Option<&'a str> {
        let text = self.text(name, length_max);
        if text.is_none() {
            self.blank(name);
        }
        text
    }

    /// A date that must be there. A date that cannot be read ends the reading at once.
    pub(crate) fn date(&mut self, name: &'static str) -> Result<Option<Date>, Refusal> {
        let Some(text) = self.body.text(name) else {
            self.blank(name);
            return Ok(None);
        };
        self.locale(name)?;
        let Some(pattern) = self.body.text("dateFormat") else {
            let message = "The parameter `dateFormat` is mandatory.";
            let code = "validation.msg.missing.dateFormat.parameter";
            return Err(Refusal::invalid(Problem::new(code, message).of("dateFormat")));
        };
        if let Some(date) = calendar::parse(text, pattern) {
            return Ok(Some(date));
        }
        let message = format!(
            "The parameter `{name}` is invalid based on the dateFormat: `{pattern}` and locale: `en` provided:"
        );
        let code = "validation.msg.invalid.dateFormat.format";
        Err(Refusal::invalid(Problem::new(code, message).of(name).unreadable(text)))
    }

    /// An amount; `None` if not sent.
    pub(crate) fn amount(&mut self, name: &'static str) -> Result<Option<Decimal>, Refusal> {
        let Some(text) = self.body.text(name) else { return Ok(None) };
        if !self.body.is_number(name) {
            self.locale(name)?;
        }
        if let Some(decimal) = Decimal::parse(text) {
            return Ok(Some(decimal));
        }
        let code = "validation.msg.invalid.decimal.format";
        let message = format!(
            "The parameter `{name}` has value: {text} which is invalid decimal value for provided locale of [en]."
        );
        Err(Refusal::invalid(Problem::new(code, message).of(name).unreadable(text).arg("en")))
    }

    /// An amount that must be there and more than zero.
    pub(crate) fn positive_amount(
        &mut self,
        name: &'static str,
    ) -> Result<Option<Decimal>, Refusal> {
        let amount = self.amount(name)?;
        match &amount {
            None => self.blank(name),
            Some(amount) if !amount.is_positive() => {
                let message = format!("The parameter `{name}` must be greater than 0.");
                let args = [Json::Decimal(amount.written()), Json::Integer(0)];
                self.problem(name, "not.greater.than.zero", message, &args);
            }
            Some(_) => {}
        }
        Ok(amount)
    }

    /// An amount that must be there and not negative.
    pub(crate) fn amount_from_zero(
        &mut self,
        name: &'static str,
    ) -> Result<Option<Decimal>, Refusal> {
        let amount = self.amount(name)?;
        match &amount {
            None => self.blank(name),
            Some(amount) if amount.is_negative() => {
                let message = format!("The parameter `{name}` must be greater than or equal to 0.");
                let args = [Json::Decimal(amount.written()), Json::Integer(0)];
                self.problem(name, "not.zero.or.greater", message, &args);
            }
            Some(_) => {}
        }
        Ok(amount)
    }

    /// An integer, which is read by the locale.
    pub(crate) fn integer(&mut self, name: &'static str) -> Result<Option<u64>, Refusal> {
        let Some(text) = self.body.text(name) else { return Ok(None) };
        self.locale(name)?;
        if let Ok(number) = text.parse() {
            return Ok(Some(number));
        }
        let code = "validation.msg.invalid.integer.format";
        let message = format!(
            "The parameter `{name}` has value: {text} which is invalid integer value for provided locale of [en]."
        );
        Err(Refusal::invalid(Problem::new(code, message).of(name).unreadable(text).arg("en")))
    }

    /// Says that `name` is mandatory.
    pub(crate) fn blank(&mut self, name: &'static str) {
        self.problem(name, "cannot.be.blank", format!("The parameter `{name}` is mandatory."), &[]);
    }

    /// Refuses the request with all problems that were found, if any.
    pub(crate) fn finish(self) -> Result<(), Refusal> {
        if self.problems.is_empty() { Ok(()) } else { Err(Refusal::Invalid(self.problems)) }
    }

    fn problem(&mut self, name: &str, rule: &str, message: String, args: &[Json]) {
        let code = format!("validation.msg.{}.{name}.{rule}", self.resource);
        let problem = Problem::new(code, message).of(name);
        self.problems.push(if args.is_empty() {
            problem.null_arg()
        } else {
            args.iter().cloned().fold(problem, Problem::arg)
        });
    }

    fn locale(&self, name: &str) -> Result<(), Refusal> {
        match self.body.text("locale") {
            None => {
                let code = "validation.msg.missing.locale.parameter";
                let message = format!(
                    "The parameter `{name}` requires a `locale` parameter to be passed with it."
                );
                Err(Refusal::invalid(Problem::new(code, message).of("locale")))
            }
            Some(locale) if plausible_locale(locale) => Ok(()),
            Some(locale) => {
                let code = "validation.msg.invalid.locale.format";
                let message =
                    format!("The parameter `locale` has an invalid language value {locale}.");
                Err(Refusal::invalid(Problem::new(code, message).of("locale").arg(locale)))
            }
        }
    }
}

fn plausible_locale(locale: &str) -> bool {
    let language = locale.split(['_', '-']).next().unwrap_or("");
    (2..=3).contains(&language.len()) && language.bytes().all(|byte| byte.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(text: &str) -> Body {
        Body::parse(text.as_bytes()).expect("JSON").expect("a body")
    }

    #[test]
    fn blanks_and_nulls_are_not_sent() {
        let body = body(r#"{"a":" ","b":null,"c":"x","d":0,"e":1.50}"#);
        assert_eq!(body.text("a"), None);
        assert_eq!(body.text("b"), None);
        assert_eq!(body.text("c"), Some("x"));
        assert_eq!(body.text("d"), Some("0"));
        assert_eq!(body.text("e"), Some("1.50"), "digits are kept as they are");
    }

    #[test]
    fn broken_json_is_told_from_no_json() {
        assert_eq!(Body::parse(b""), Ok(None));
        for other in [b"[]".as_slice(), b"7", b"\xff"] {
            assert_eq!(Body::parse(other), Err(Refusal::NoJson));
        }
        assert!(matches!(Body::parse(b"{"), Err(Refusal::BrokenJson(_))));
    }

    #[test]
    fn every_unknown_member_is_listed() {
        let refusal = body(r#"{"a":1,"b":2,"c":3}"#).only(&[&["b"]]).expect_err("unknown members");
        assert!(matches!(refusal, Refusal::Invalid(problems) if problems.len() == 2));
    }

    #[test]
    fn an_amount_in_text_needs_the_locale_and_a_number_does_not() {
        let text = body(r#"{"amount":"5"}"#);
        assert!(Fields::of(&text, "x").amount("amount").is_err());
        let number = body(r#"{"amount":5}"#);
        assert!(Fields::of(&number, "x").amount("amount").is_ok_and(|amount| amount.is_some()));
    }
}
