//! The small pattern language for account references.
//!
//! | written | matches |
//! | --- | --- |
//! | `LN` | these characters |
//! | `{digits:4-9}` | four to nine digits, which are kept: they name the account |
//! | `<digits:2>` | two digits, which are thrown away |
//! | `[SV]` | these characters, or nothing |
//! | `\{` | the character itself, where it would mean something else |
//!
//! Classes are `digits`, `letters`, `alnum` and `any`; counts are `:n`, `:n-m`, or absent for 1 to
//! 32. A pattern always matches the whole text. As people type references by hand, a pattern is
//! *loose* unless it is *exact*: upper and lower case are the same, typographic characters are read
//! as their plain siblings ([`kiungo_domain::typed`]), and separators are dropped from the text
//! first.
//!
//! A dropped separator never makes one number of two: if the kept digits stood apart (`12/3`), the
//! text names an account only where the rule allows it ([`Joining`]). Nor does it choose between two
//! ways to match: the way is that of the text without separators, and counts or does not.
//!
//! A pattern is compiled into a row of slots of one character each, so that matching takes time
//! in proportion to text times pattern, and so that two patterns can be compared: `overlap` finds a
//! text that both match.

mod char_set;
mod overlap;

use std::collections::BTreeSet;

use kiungo_domain::typed::{Character, characters, is_separator, plain};
use thiserror::Error;

use char_set::CharSet;

/// The longest text that is looked at, in characters.
pub(crate) const TEXT_MAX: usize = 64;

/// The way in which a pattern takes a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// Every character as it is.
    Exact,
    /// As people type.
    Loose(Joining),
}

/// The condition under which kept digits that stood apart are one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Joining {
    Never,
    /// One number if this many characters are kept: a whole number, written in groups.
    AtLength(usize),
    Always,
}

/// The reason that a pattern cannot be compiled.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum PatternError {
    #[error("is empty, or matches an empty text; make one part of it required")]
    Empty,
    #[error("has `{0}` without its closing `{1}`")]
    Unclosed(char, char),
    #[error("has a `{0}` that closes nothing; write `\\{0}` for the character itself")]
    Unopened(char),
    #[error("ends in a backslash")]
    Backslash,
    #[error("has `{0}`, which is no class; write digits, letters, alnum or any")]
    Class(String),
    #[error("has the count `{0}`; write `:n` or `:n-m` with 1 to 64")]
    Count(String),
    #[error("has empty brackets `[]`")]
    EmptyOption,
    #[error(
        "has `{0}`, which is dropped from the text before it is compared; leave it out, or set \
         exact = true"
    )]
    Dropped(char),
    #[error("can never match: a reference has 64 characters at most")]
    TooLong,
}

/// A compiled pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    slots: Vec<Slot>,
    style: Style,
}

/// One character of a match.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Slot {
    set: CharSet,
    /// True if the character names the account.
    kept: bool,
    /// The place where the match may go on instead, without a character.
    skip_to: Option<usize>,
}

impl Pattern {
    pub(crate) fn compile(text: &str, style: Style) -> Result<Self, PatternError> {
        let mut pattern = Self { slots: Vec::new(), style };
        let mut rest = text.chars();
        while let Some(c) = rest.next() {
            match c {
                '{' => pattern.class(&upto(&mut rest, '{', '}')?, true)?,
                '<' => pattern.class(&upto(&mut rest, '<', '>')?, false)?,
                '[' => pattern.option(&upto(&mut rest, '[', ']')?)?,
                '}' | '>' | ']' => return Err(PatternError::Unopened(c)),
                '\\' => pattern.literal(rest.next().ok_or(PatternError::Backslash)?)?,
                c => pattern.literal(c)?,
            }
            if pattern.slots.len() > 4 * TEXT_MAX {
                return Err(PatternError::TooLong);
            }
        }
        match pattern.shortest() {
            0 => Err(PatternError::Empty),
            1..=TEXT_MAX => Ok(pattern),
            _ => Err(PatternError::TooLong),
        }
    }

    /// True if a match keeps anything.
    pub(crate) fn keeps(&self) -> bool {
        self.slots.iter().any(|slot| slot.kept)
    }

    /// The kept characters, if the whole text matches and they may be taken together.
    pub(crate) fn matches(&self, text: &str) -> Option<String> {
        let text: Vec<Character> = match self.style {
            Style::Exact => {
                text.trim().chars().map(|c| Character { plain: c, apart: false }).collect()
            }
            Style::Loose(_) => characters(text),
        };
        if text.is_empty() || text.len() > TEXT_MAX {
            return None;
        }
        let mut search = Search { pattern: self, text: &text, dead: BTreeSet::new() };
        let mut kept = Vec::new();
        if !search.run(0, 0, &mut kept) || !self.may_join(&text, &kept) {
            return None;
        }
        Some(kept.into_iter().filter_map(|at| text.get(at)).map(|c| c.plain).collect())
    }

    /// False if kept digits stood apart and are not to be read as one number.
    fn may_join(&self, text: &[Character], kept: &[usize]) -> bool {
        let apart = |pair: &[usize]| match pair {
            [one, other] => {
                one + 1 == *other && text.get(*other).is_some_and(|character| character.apart)
            }
            _ => false,
        };
        match self.style {
            Style::Exact | Style::Loose(Joining::Always) => true,
            Style::Loose(Joining::AtLength(length)) if kept.len() == length => true,
            Style::Loose(_) => !kept.windows(2).any(apart),
        }
    }

    const fn is_loose(&self) -> bool {
        matches!(self.style, Style::Loose(_))
    }

    fn literal(&mut self, c: char) -> Result<(), PatternError> {
        if self.is_loose() && is_separator(plain(c)) {
            return Err(PatternError::Dropped(c));
        }
        let set = CharSet::one(c, self.is_loose());
        self.slots.push(Slot { set, kept: false, skip_to: None });
        Ok(())
    }

    fn option(&mut self, text: &str) -> Result<(), PatternError> {
        let first = self.slots.len();
        text.chars().try_for_each(|c| self.literal(c))?;
        let end = self.slots.len();
        self.slots.get_mut(first).ok_or(PatternError::EmptyOption)?.skip_to = Some(end);
        Ok(())
    }

    fn class(&mut self, text: &str, kept: bool) -> Result<(), PatternError> {
        let (name, count) = text.split_once(':').map_or((text, None), |(n, c)| (n, Some(c)));
        let set = CharSet::class(name, self.is_loose())
            .ok_or_else(|| PatternError::Class(name.chars().take(20).collect()))?;
        let (least, most) = count.map_or(Ok((1, 32)), counts)?;
        let end = self.slots.len() + most;
        for index in 0..most {
            let skip_to = (index >= least).then_some(end);
            self.slots.push(Slot { set, kept, skip_to });
        }
        Ok(())
    }

    /// The number of characters in the shortest match.
    fn shortest(&self) -> usize {
        let (mut index, mut count) = (0, 0);
        while let Some(slot) = self.slots.get(index) {
            if let Some(next) = slot.skip_to {
                index = next;
            } else {
                (index, count) = (index + 1, count + 1);
            }
        }
        count
    }

    /// The slots that can take the next character at this one.
    fn open(&self, index: usize) -> Vec<usize> {
        let mut open = vec![index];
        while let Some(slot) = open.last().and_then(|last| self.slots.get(*last)) {
            match slot.skip_to {
                Some(next) => open.push(next),
                None => break,
            }
        }
        open
    }

    fn can_end(&self, index: usize) -> bool {
        self.open(index).contains(&self.slots.len())
    }
}

/// A match in the making. A way that is known to fail is not tried twice, so that no pattern and no
/// text take more than their product.
struct Search<'p> {
    pattern: &'p Pattern,
    text: &'p [Character],
    dead: BTreeSet<(usize, usize)>,
}

impl Search<'_> {
    /// Tries to match from this slot and character on, the longest way first; `kept` are the places
    /// of the characters that are kept.
    fn run(&mut self, slot: usize, at: usize, kept: &mut Vec<usize>) -> bool {
        if slot == self.pattern.slots.len() {
            return at == self.text.len();
        }
        if self.dead.contains(&(slot, at)) {
            return false;
        }
        let Some(this) = self.pattern.slots.get(slot) else { return false };
        if self.text.get(at).is_some_and(|character| this.set.has(character.plain)) {
            let before = kept.len();
            if this.kept {
                kept.push(at);
            }
            if self.run(slot + 1, at + 1, kept) {
                return true;
            }
            kept.truncate(before);
        }
        if let Some(next) = this.skip_to
            && self.run(next, at, kept)
        {
            return true;
        }
        self.dead.insert((slot, at));
        false
    }
}

/// The characters up to the closing one.
fn upto(rest: &mut std::str::Chars<'_>, open: char, close: char) -> Result<String, PatternError> {
    let mut inside = String::new();
    for c in rest {
        if c == close {
            return Ok(inside);
        }
        inside.push(c);
    }
    Err(PatternError::Unclosed(open, close))
}

/// Reads `n` or `n-m`.
fn counts(text: &str) -> Result<(usize, usize), PatternError> {
    let bad = || PatternError::Count(text.chars().take(20).collect());
    let (least, most) = text.split_once('-').unwrap_or((text, text));
    let number = |text: &str| {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let number = digits.then(|| text.parse::<usize>().ok()).flatten().ok_or_else(bad)?;
        if number <= TEXT_MAX { Ok(number) } else { Err(bad()) }
    };
    let (least, most) = (number(least)?, number(most)?);
    if most >= least && most > 0 { Ok((least, most)) } else { Err(bad()) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LOOSE: Style = Style::Loose(Joining::Never);

    fn compiled(pattern: &str, style: Style) -> Pattern {
        Pattern::compile(pattern, style).unwrap()
    }

    fn kept(pattern: &str, text: &str) -> Option<String> {
        compiled(pattern, LOOSE).matches(text)
    }

    fn overlap(a: &str, b: &str) -> Option<String> {
        compiled(a, LOOSE).overlap(&compiled(b, LOOSE))
    }

    #[test]
    fn typed_text_is_read_loosely() {
        for text in
            ["LN00417", "ln00417", "LN-00417", " ln 00417 ", "l.n/_00417.", "LN–00417", "LN٠٠۴١٧"]
        {
            assert_eq!(kept("LN{digits:1-9}", text).as_deref(), Some("00417"), "{text}");
        }
        for text in ["LN", "LN12345678901", "XLN1", "LN1X", "", "LNl", "LN1O"] {
            assert_eq!(kept("LN{digits:1-9}", text), None, "{text}");
        }
    }

    #[test]
    fn separators_between_digits_do_not_join_them_into_another_account() {
        for text in
            ["1-1", "1/1", "1.1", "1 1", "1,1", "1#1", "1–1", "1\u{a0}1", "1\u{200b}1", "١/١"]
        {
            assert_eq!(kept("{digits:1-9}", text), None, "{text:?}");
        }
        for text in ["12/3", "100.00", "004 17", "1,000"] {
            assert_eq!(kept("{digits:1-9}", text), None, "{text}");
            assert_eq!(kept("LN{digits:1-9}", &format!("LN{text}")), None, "{text}");
        }
        for text in ["-11", "11.", "(11)", "#11", "1 1-"] {
            let read = kept("[(]{digits:1-9}[)]", text);
            assert_eq!(read.as_deref(), (text != "1 1-").then_some("11"), "{text}");
        }
    }

    #[test]
    fn digits_that_stood_apart_are_one_number_at_full_length_or_where_the_rule_says_so() {
        let padded = compiled("[SV]{digits:1-9}", Style::Loose(Joining::AtLength(9)));
        for text in ["000 000 042", "000-000-042", "sv 000/000.042", "000000042"] {
            assert_eq!(padded.matches(text).as_deref(), Some("000000042"), "{text}");
        }
        for text in ["000 000 42", "12/3", "SV 0000 0042"] {
            assert_eq!(padded.matches(text), None, "{text}");
        }
        let phone = compiled("0{digits:9}", Style::Loose(Joining::Always));
        assert_eq!(phone.matches("0712 345 678").as_deref(), Some("712345678"));
    }

    #[test]
    fn dropped_characters_do_not_join_the_kept_ones() {
        // Typed in the very parts that the rule names.
        assert_eq!(kept("{digits:2}<digits:2>", "12/34").as_deref(), Some("12"));
        assert_eq!(kept("{digits:2}<digits:1>{digits:2}", "12-3-45").as_deref(), Some("1245"));
        assert_eq!(kept("7{digits:4}", "7 1234").as_deref(), Some("1234"));
        assert_eq!(kept("{digits:2}<digits:2>", "1/234"), None);
        // The separator does not decide which digits are dropped.
        assert_eq!(kept("{digits:1-9}<digits:0-2>", "1234/56"), None);
    }

    #[test]
    fn an_exact_pattern_takes_every_character_as_it_is() {
        let pattern = compiled("SV-{any:1-40}", Style::Exact);
        assert_eq!(pattern.matches("SV-a-B").as_deref(), Some("a-B"));
        assert_eq!(pattern.matches("sv-a"), None);
        assert_eq!(pattern.matches("SV–a"), None);
        let parts = compiled("{digits:1-9}/<digits:1-2>", Style::Exact);
        assert_eq!(parts.matches("12/3").as_deref(), Some("12"));
    }

    #[test]
    fn options_and_thrown_away_parts_do_not_name_the_account() {
        assert_eq!(kept("[ACC]{digits:3}<digits:2>", "acc12345").as_deref(), Some("123"));
        assert_eq!(kept("[ACC]{digits:3}<digits:2>", "12345").as_deref(), Some("123"));
        assert_eq!(kept("[ACC]{digits:3}", "A123"), None);
        assert_eq!(kept("{letters:2}{digits}", "ab7"), Some("ab7".into()));
        assert_eq!(kept("\\{{digits}\\}", "{7}").as_deref(), Some("7"));
    }

    #[test]
    fn the_longest_way_that_fits_is_taken() {
        assert_eq!(kept("{digits:1-9}<digits:0-2>", "1234").as_deref(), Some("1234"));
        assert_eq!(kept("{digits:1-9}<digits:2>", "1234").as_deref(), Some("12"));
    }

    #[test]
    fn mistakes_are_named() {
        let error = |text| Pattern::compile(text, LOOSE).unwrap_err();
        assert_eq!(error(""), PatternError::Empty);
        assert_eq!(error("{digits"), PatternError::Unclosed('{', '}'));
        assert_eq!(error("a]"), PatternError::Unopened(']'));
        assert_eq!(error("a\\"), PatternError::Backslash);
        assert_eq!(error("{digit}"), PatternError::Class("digit".into()));
        assert_eq!(error("{digits:9-4}"), PatternError::Count("9-4".into()));
        assert_eq!(error("{digits:0}"), PatternError::Count("0".into()));
        assert_eq!(error("[]1"), PatternError::EmptyOption);
        assert_eq!(error("[A]{digits:0-3}"), PatternError::Empty);
        assert_eq!(error("LN-{digits}"), PatternError::Dropped('-'));
        assert_eq!(error("LN–{digits}"), PatternError::Dropped('–'));
        assert_eq!(error("A#{digits}"), PatternError::Dropped('#'));
        assert_eq!(error("{digits:40}{digits:40}"), PatternError::TooLong);
    }

    #[test]
    fn patterns_that_can_match_the_same_text_are_found() {
        assert_eq!(overlap("{digits:9}", "{digits:1-12}").as_deref(), Some("000000000"));
        assert_eq!(overlap("LN{digits:3}", "{alnum:5}").as_deref(), Some("LN000"));
        assert_eq!(overlap("LN{digits}", "SV{digits}"), None);
        assert_eq!(overlap("{digits:9}", "{digits:10-12}"), None);
        assert_eq!(overlap("[LN]{digits:3}", "{digits:3}").as_deref(), Some("000"));
    }

    #[test]
    fn an_exact_and_a_loose_pattern_overlap_only_where_the_loose_one_may_join() {
        let meet = |exact, loose, joining| {
            let (exact, loose) =
                (compiled(exact, Style::Exact), compiled(loose, Style::Loose(joining)));
            let found = exact.overlap(&loose);
            assert_eq!(found.is_some(), loose.overlap(&exact).is_some(), "it is mutual");
            found
        };
        assert_eq!(meet("1-2", "{digits:2}", Joining::Always).as_deref(), Some("1-2"));
        assert_eq!(meet("1-2", "{digits:2}", Joining::AtLength(2)).as_deref(), Some("1-2"));
        assert_eq!(meet("1-2", "{digits:2}", Joining::AtLength(9)), None);
        assert_eq!(meet("1-2", "{digits:2}", Joining::Never), None);
        assert_eq!(meet("S-2", "S{digits}", Joining::Never).as_deref(), Some("S-2"));
        // Member and instalment, beside the account's number alone.
        let parts = "{digits:1-9}/<digits:1-2>";
        assert_eq!(meet(parts, "{digits:1-7}", Joining::AtLength(9)), None);
        let grouped = meet(parts, "{digits:1-9}", Joining::AtLength(9));
        assert_eq!(grouped.map(|text| text.len()), Some(10), "nine digits in two groups");
        assert_eq!(meet("1–2", "{digits:2}", Joining::Always).as_deref(), Some("1-2"));
        assert_eq!(meet("٣", "{digits}", Joining::Never).as_deref(), Some("3"));
    }

    fn styles() -> impl Strategy<Value = Style> {
        prop_oneof![
            Just(Style::Exact),
            Just(Style::Loose(Joining::Never)),
            Just(Style::Loose(Joining::Always)),
            (1..=9_usize).prop_map(|length| Style::Loose(Joining::AtLength(length))),
        ]
    }

    const PATTERNS: &str =
        "(\\{(digits|any|alnum|letters)(:[1-4]-[4-9])?\\}|[a-c0-2]|\\[ab\\]){1,4}";

    proptest! {
        #[test]
        fn no_pattern_and_no_text_panics(pattern in ".{0,40}", text in ".{0,80}", style in styles()) {
            if let Ok(compiled) = Pattern::compile(&pattern, style) {
                let _ = compiled.matches(&text);
            }
        }

        #[test]
        fn digits_that_are_kept_were_typed_contiguously(
            pattern in "([A-C]|\\[A\\])?\\{(digits|alnum|any)(:[1-4]-[4-9])?\\}(<(digits|any):0-2>)?",
            text in "([A-C0-2]|[0-2][-–/. ,#\u{a0}\u{200b}][0-2]|[٠-٩۰-۹]){1,6}",
            length in 0..=9_usize,
        ) {
            let joining = if length == 0 { Joining::Never } else { Joining::AtLength(length) };
            let kept = Pattern::compile(&pattern, Style::Loose(joining)).unwrap().matches(&text);
            // Each part of digits, as it stands in the text.
            let typed: Vec<String> = text
                .chars()
                .map(plain)
                .collect::<String>()
                .split(|c: char| !c.is_ascii_digit())
                .map(str::to_owned)
                .collect();
            for kept in kept.iter().filter(|kept| kept.len() != length) {
                for digits in kept.split(|c: char| !c.is_ascii_digit()) {
                    prop_assert!(typed.iter().any(|part| part.contains(digits)), "{} of {}", kept, text);
                }
            }
        }

        #[test]
        fn an_overlap_is_matched_by_both(a in PATTERNS, b in PATTERNS, text in "[a-c0-2]{1,6}") {
            let both = Pattern::compile(&a, LOOSE).ok().zip(Pattern::compile(&b, LOOSE).ok());
            let Some((a, b)) = both else { return Ok(()) };
            match a.overlap(&b) {
                Some(both) => {
                    prop_assert!(a.matches(&both).is_some(), "{}", both);
                    prop_assert!(b.matches(&both).is_some(), "{}", both);
                }
                None => prop_assert!(a.matches(&text).is_none() || b.matches(&text).is_none()),
            }
        }

        #[test]
        fn no_text_that_two_patterns_match_is_overlooked(
            a in PATTERNS,
            b in PATTERNS,
            styles in (styles(), styles()),
            text in "[a-c0-2/ –]{1,6}",
        ) {
            let both = Pattern::compile(&a, styles.0).ok().zip(Pattern::compile(&b, styles.1).ok());
            let Some((a, b)) = both else { return Ok(()) };
            if a.matches(&text).is_some() && b.matches(&text).is_some() {
                prop_assert!(a.overlap(&b).is_some(), "{}", text);
            }
        }
    }
}
