//! `[[account_reference]]`: reads the text that a payer typed as candidates for the account that
//! was meant.

use kiungo_domain::numbering::Market;
use kiungo_domain::party::AccountKey;
use kiungo_domain::typed::Reading;
use kiungo_domain::{AccountKind, AccountRef, Msisdn};
use kiungo_settings::{Item, Table};

use crate::pattern::{Joining, Pattern, Style};
use crate::readings;

/// The rules of a provider, in the order in which their candidates are tried.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct References {
    rules: Vec<Rule>,
    /// The last candidate: the account of the payer's own number.
    payer_phone: Option<PayerPhone>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    pattern: Pattern,
    kind: WantedKind,
    key: Key,
    /// The provider's numbers, as one of which a phone number is read.
    numbers: Option<Market>,
    case: Case,
    /// Zeros are put in front up to this length; 0 for none.
    pad: usize,
    /// The texts before and after the kept characters; both for a rule that keeps none.
    before: String,
    after: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct PayerPhone {
    kind: WantedKind,
}

/// The kind of account that is looked for; `None` for any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct WantedKind(Option<AccountKind>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    AccountNo,
    ExternalId,
    Id,
    Phone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Case {
    Keep,
    Upper,
    Lower,
}

impl References {
    /// The accounts that may be meant, the likeliest first, none twice.
    pub(crate) fn resolve(&self, typed: &str, payer: Option<&Msisdn>) -> Vec<AccountRef> {
        let by_rule = self.by_rules(typed);
        let by_phone = self.payer_phone.zip(payer).map(|(rule, payer)| AccountRef {
            kind: rule.kind.0,
            key: AccountKey::Phone(payer.clone()),
        });
        let mut candidates = Vec::new();
        for candidate in by_rule.into_iter().chain(by_phone) {
            if !candidates.contains(&candidate) {
                candidates.push(candidate);
            }
        }
        candidates
    }

    /// The accounts that a person may be shown for the text, each with the way of reading it.
    pub(crate) fn readings(&self, typed: &str) -> Vec<Reading> {
        readings::of(typed, &|text| self.by_rules(text))
    }

    fn by_rules(&self, typed: &str) -> Vec<AccountRef> {
        self.rules.iter().filter_map(|rule| rule.resolve(typed)).collect()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rules.is_empty() && self.payer_phone.is_none()
    }

    pub(crate) fn read(root: &mut Table<'_>, numbers: Option<&Market>) -> Self {
        let mut references = Self::default();
        let mut patterns: Vec<(String, Item<'_>)> = Vec::new();
        let items = root.get("account_reference").and_then(|item| item.list());
        for item in items.unwrap_or_default() {
            let Some(mut table) = item.table() else { continue };
            if references.payer_phone.is_some() {
                item.problem("stands behind payer_phone, which must be the last");
            }
            match table.get("payer_phone").map(|item| item.boolean()) {
                Some(Some(true)) => {
                    let kind = kind(&mut table);
                    references.payer_phone = kind.map(|kind| PayerPhone { kind });
                    table.finish();
                }
                Some(Some(false)) => item.problem("payer_phone = false says nothing; remove it"),
                Some(None) => {}
                None => references.rule(table, numbers, &mut patterns),
            }
        }
        references
    }

    /// Reads one rule and compares it with those in front of it.
    fn rule<'a>(
        &mut self,
        mut table: Table<'a>,
        numbers: Option<&Market>,
        patterns: &mut Vec<(String, Item<'a>)>,
    ) {
        let overlaps = table.get("overlaps").and_then(|item| item.boolean()).unwrap_or(false);
        let rule = Rule::read(&mut table, numbers);
        let place = table.get("pattern");
        table.finish();
        let (Some(rule), Some(place)) = (rule, place) else { return };
        for (earlier, (text, _)) in self.rules.iter().zip(patterns.iter()) {
            if *earlier == rule {
                place.problem(format!("adds nothing to `{text}` in front of it; remove one"));
                return;
            }
            if let Some(both) = earlier.pattern.overlap(&rule.pattern).filter(|_| !overlaps) {
                place.problem(format!(
                    "overlaps with `{text}` in front of it: both match `{both}`, and a payment \
                     could reach the wrong account; make one narrower, or say overlaps = true if \
                     the first account that exists is right"
                ));
            }
        }
        patterns.push((place.text().unwrap_or_default().to_owned(), place));
        self.rules.push(rule);
    }
}

impl Rule {
    fn resolve(&self, typed: &str) -> Option<AccountRef> {
        let kept = self.pattern.matches(typed)?;
        let kept = match self.case {
            Case::Keep => kept,
            Case::Upper => kept.to_uppercase(),
            Case::Lower => kept.to_lowercase(),
        };
        let zeros = self.pad.saturating_sub(kept.chars().count());
        let name = format!("{}{}{kept}{}", self.before, "0".repeat(zeros), self.after);
        let key = match self.key {
            Key::AccountNo => AccountKey::AccountNo(name),
            Key::ExternalId => AccountKey::ExternalId(name),
            Key::Id => AccountKey::Id(name.parse().ok().filter(|id| *id > 0)?),
            Key::Phone => AccountKey::Phone(self.numbers.as_ref()?.read(&name).ok()?),
        };
        Some(AccountRef { kind: self.kind.0, key })
    }

    fn read(table: &mut Table<'_>, numbers: Option<&Market>) -> Option<Self> {
        let pad = table.get("pad").map_or(Some(0), |item| item.integer(1..=32));
        let pad = pad.and_then(|pad| usize::try_from(pad).ok());
        let kind = kind(table);
        let keys = [
            ("account_no", Key::AccountNo),
            ("external_id", Key::ExternalId),
            ("id", Key::Id),
            ("phone", Key::Phone),
        ];
        let key = table
            .required("key", "\"account_no\", \"external_id\", \"id\" or \"phone\"")
            .and_then(|item| item.choice(&keys));
        // People write phone numbers in groups: their digits belong together.
        let joins = matches!(key, Some(Key::Phone));
        let style = style(table, pad.unwrap_or_default(), joins);
        let pattern = table.required("pattern", "a pattern, for example \"LN{digits:1-9}\"");
        let pattern = pattern.and_then(|item| {
            let text = item.text()?;
            Pattern::compile(text, style)
                .map_err(|error| item.problem(format!("`{text}` {error}")))
                .ok()
        });
        let cases = [("keep", Case::Keep), ("upper", Case::Upper), ("lower", Case::Lower)];
        let case = table.get("case").map_or(Some(Case::Keep), |item| item.choice(&cases));
        let value = table.get("value");
        let (pattern, pad) = (pattern?, pad?);
        let (before, after) = match &value {
            Some(item) => template(item, pattern.keeps())?,
            None if pattern.keeps() => (String::new(), String::new()),
            None => {
                table.problem("keeps nothing: put a class in braces, or name the account in value");
                return None;
            }
        };
        let (kind, key, case, numbers) = (kind?, key?, case?, numbers.cloned());
        Some(Self { pattern, kind, key, numbers, case, pad, before, after })
    }
}

/// Reads the way in which the text is taken. `join_digits`: digits that were typed apart are one
/// number; without it only if together they are a whole one, which `pad` tells.
fn style(table: &mut Table<'_>, pad: usize, joins_by_default: bool) -> Style {
    let exact = table.get("exact").and_then(|item| item.boolean()).unwrap_or(false);
    let join = table.get("join_digits");
    let joins = join.as_ref().and_then(Item::boolean).unwrap_or(joins_by_default);
    match (exact, join) {
        (true, Some(item)) => {
            item.problem("says nothing: an exact pattern takes separators as they are; remove one");
            Style::Exact
        }
        (true, None) => Style::Exact,
        (false, _) if joins => Style::Loose(Joining::Always),
        (false, _) if pad > 0 => Style::Loose(Joining::AtLength(pad)),
        (false, _) => Style::Loose(Joining::Never),
    }
}

/// The texts before and after the one `{}` of a template; without kept characters, no `{}` at all.
fn template(item: &Item<'_>, keeps: bool) -> Option<(String, String)> {
    let text = item.text()?;
    let mut parts = text.split("{}");
    match (parts.next(), parts.next(), parts.next(), keeps) {
        (Some(before), Some(after), None, true) => Some((before.to_owned(), after.to_owned())),
        (Some(whole), None, None, false) if !whole.is_empty() => {
            Some((whole.to_owned(), String::new()))
        }
        (.., true) => {
            item.problem("must have {} once, where the kept characters go");
            None
        }
        (.., false) => {
            item.problem("must name the account, without {}: the pattern keeps nothing");
            None
        }
    }
}

fn kind(table: &mut Table<'_>) -> Option<WantedKind> {
    let kinds = [
        ("savings", WantedKind(Some(AccountKind::Savings))),
        ("loan", WantedKind(Some(AccountKind::Loan))),
        ("any", WantedKind(None)),
    ];
    table.required("kind", "\"savings\", \"loan\" or \"any\"")?.choice(&kinds)
}
