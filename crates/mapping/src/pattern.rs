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
//! *loose* unless it is *exact*: upper and lower case are the same, and blanks and `-`, `/`, `.`,
//! `_` are dropped from the text first.
//!
//! A pattern is compiled into a row of slots of one character each, so that matching takes time
//! in proportion to text times pattern, and so that two patterns can be compared: [`Pattern::overlap`]
//! finds a text that both match.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use thiserror::Error;

/// The longest text that is looked at, in characters.
pub(crate) const TEXT_MAX: usize = 64;

/// What a loose pattern drops from a text.
const DROPPED: [char; 6] = [' ', '-', '/', '.', '_', '\t'];

/// Why a pattern cannot be compiled.
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
    loose: bool,
}

/// One character of a match.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Slot {
    set: CharSet,
    /// Whether the character names the account.
    kept: bool,
    /// Where the match may go on instead, without a character.
    skip_to: Option<usize>,
}

/// A set of characters: each ASCII character by itself, all others together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct CharSet {
    ascii: u128,
    others: bool,
    /// The one other character that a literal stands for.
    other: Option<char>,
}

impl CharSet {
    const EMPTY: Self = Self { ascii: 0, others: false, other: None };

    fn one(c: char, loose: bool) -> Self {
        if !c.is_ascii() {
            return Self { other: Some(c), ..Self::EMPTY };
        }
        let cases = if loose { [c.to_ascii_lowercase(), c.to_ascii_uppercase()] } else { [c, c] };
        Self::of(|ascii| cases.contains(&ascii))
    }

    fn of(holds: impl Fn(char) -> bool) -> Self {
        let ascii = (0..128_u8)
            .filter(|byte| holds(char::from(*byte)))
            .fold(0, |set, byte| set | (1_u128 << byte));
        Self { ascii, ..Self::EMPTY }
    }

    fn class(name: &str, loose: bool) -> Option<Self> {
        match name {
            "digits" => Some(Self::of(|c| c.is_ascii_digit())),
            "letters" => Some(Self::of(|c| c.is_ascii_alphabetic())),
            "alnum" => Some(Self::of(|c| c.is_ascii_alphanumeric())),
            "any" => {
                let printable = Self::of(|c| {
                    (c.is_ascii_graphic() || c == ' ') && !(loose && DROPPED.contains(&c))
                });
                Some(Self { others: true, ..printable })
            }
            _ => None,
        }
    }

    fn has(self, c: char) -> bool {
        if c.is_ascii() {
            self.ascii & (1 << u32::from(c)) != 0
        } else {
            self.others || self.other == Some(c)
        }
    }

    /// Some character of both sets, letters and digits first.
    fn meet(self, other: Self) -> Option<char> {
        let both = self.ascii & other.ascii;
        let holds = |byte: &u8| both & (1 << *byte) != 0;
        let ascii = (b'0'..=b'9').chain(b'A'..=b'Z').chain(0..128).find(holds).map(char::from);
        let named = [self.other, other.other].into_iter().flatten();
        let mut named = named.filter(|c| self.has(*c) && other.has(*c));
        ascii.or_else(|| named.next()).or((self.others && other.others).then_some('é'))
    }
}

impl Pattern {
    pub(crate) fn compile(text: &str, loose: bool) -> Result<Self, PatternError> {
        let mut pattern = Self { slots: Vec::new(), loose };
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

    /// Whether a match keeps anything.
    pub(crate) fn keeps(&self) -> bool {
        self.slots.iter().any(|slot| slot.kept)
    }

    /// The kept characters, if the whole text matches.
    pub(crate) fn matches(&self, text: &str) -> Option<String> {
        let dropped = |c: &char| self.loose && DROPPED.contains(c);
        let text: Vec<char> = text.trim().chars().filter(|c| !dropped(c)).collect();
        if text.is_empty() || text.len() > TEXT_MAX {
            return None;
        }
        let mut search = Search { pattern: self, text: &text, dead: BTreeSet::new() };
        let mut kept = Vec::new();
        search.run(0, 0, &mut kept).then(|| kept.into_iter().collect())
    }

    /// A text that both patterns match, if there is one.
    pub(crate) fn overlap(&self, other: &Self) -> Option<String> {
        let mut came_from = BTreeMap::from([((0, 0), None)]);
        let mut queue = VecDeque::from([(0, 0)]);
        while let Some((mine, theirs)) = queue.pop_front() {
            if self.can_end(mine) && other.can_end(theirs) {
                return Some(trace(&came_from, (mine, theirs)));
            }
            for (set, next) in self.moves(mine) {
                for (other_set, other_next) in other.moves(theirs) {
                    let Some(c) = set.meet(other_set) else { continue };
                    let state = (next, other_next);
                    came_from.entry(state).or_insert_with(|| {
                        queue.push_back(state);
                        Some(((mine, theirs), c))
                    });
                }
            }
        }
        None
    }

    fn literal(&mut self, c: char) -> Result<(), PatternError> {
        if self.loose && DROPPED.contains(&c) {
            return Err(PatternError::Dropped(c));
        }
        let set = CharSet::one(c, self.loose);
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
        let set = CharSet::class(name, self.loose)
            .ok_or_else(|| PatternError::Class(name.chars().take(20).collect()))?;
        let (least, most) = count.map_or(Ok((1, 32)), counts)?;
        let end = self.slots.len() + most;
        for index in 0..most {
            let skip_to = (index >= least).then_some(end);
            self.slots.push(Slot { set, kept, skip_to });
        }
        Ok(())
    }

    /// How many characters the shortest match has.
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

    /// Which characters lead where.
    fn moves(&self, index: usize) -> Vec<(CharSet, usize)> {
        let slots = self.open(index).into_iter();
        let mut moves: Vec<_> =
            slots.filter_map(|at| Some((self.slots.get(at)?.set, at + 1))).collect();
        if self.loose {
            moves.push((CharSet::of(|c| DROPPED.contains(&c)), index));
        }
        moves
    }
}

/// A match in the making. What is known to fail is not tried twice, so that no pattern and no text
/// take more than their product.
struct Search<'p> {
    pattern: &'p Pattern,
    text: &'p [char],
    dead: BTreeSet<(usize, usize)>,
}

impl Search<'_> {
    /// Tries to match from this slot and character on, the longest way first.
    fn run(&mut self, slot: usize, at: usize, kept: &mut Vec<char>) -> bool {
        if slot == self.pattern.slots.len() {
            return at == self.text.len();
        }
        if self.dead.contains(&(slot, at)) {
            return false;
        }
        let Some(this) = self.pattern.slots.get(slot) else { return false };
        if let Some(c) = self.text.get(at).copied()
            && this.set.has(c)
        {
            let before = kept.len();
            if this.kept {
                kept.push(c);
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

/// How each pair of places was first reached: from which pair, by which character.
type Origins = BTreeMap<(usize, usize), Option<((usize, usize), char)>>;

/// The characters on the way to a pair of places.
fn trace(came_from: &Origins, mut state: (usize, usize)) -> String {
    let mut text = Vec::new();
    while let Some(Some((before, c))) = came_from.get(&state) {
        text.push(*c);
        state = *before;
    }
    text.into_iter().rev().collect()
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

    fn kept(pattern: &str, text: &str) -> Option<String> {
        Pattern::compile(pattern, true).unwrap().matches(text)
    }

    fn overlap(a: &str, b: &str) -> Option<String> {
        Pattern::compile(a, true).unwrap().overlap(&Pattern::compile(b, true).unwrap())
    }

    #[test]
    fn what_people_type_is_read_loosely() {
        for text in ["LN00417", "ln00417", "LN-00417", " ln 00417 ", "l.n/004_17"] {
            assert_eq!(kept("LN{digits:1-9}", text).as_deref(), Some("00417"), "{text}");
        }
        for text in ["LN", "LN12345678901", "XLN1", "LN1X", "", "LN٣"] {
            assert_eq!(kept("LN{digits:1-9}", text), None, "{text}");
        }
    }

    #[test]
    fn an_exact_pattern_takes_every_character_as_it_is() {
        let pattern = Pattern::compile("SV-{any:1-40}", false).unwrap();
        assert_eq!(pattern.matches("SV-a-B").as_deref(), Some("a-B"));
        assert_eq!(pattern.matches("sv-a"), None);
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
        let error = |text| Pattern::compile(text, true).unwrap_err();
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
        assert_eq!(error("{digits:40}{digits:40}"), PatternError::TooLong);
    }

    #[test]
    fn patterns_that_can_match_the_same_text_are_found() {
        assert_eq!(overlap("{digits:9}", "{digits:1-12}").as_deref(), Some("000000000"));
        assert_eq!(overlap("LN{digits:3}", "{alnum:5}").as_deref(), Some("LN000"));
        assert_eq!(overlap("LN{digits}", "SV{digits}"), None);
        assert_eq!(overlap("{digits:9}", "{digits:10-12}"), None);
        assert_eq!(overlap("[LN]{digits:3}", "{digits:3}").as_deref(), Some("000"));
        let exact = Pattern::compile("1-2", false).unwrap();
        let loose = Pattern::compile("{digits:2}", true).unwrap();
        assert_eq!(exact.overlap(&loose).as_deref(), Some("1-2"));
    }

    proptest! {
        #[test]
        fn no_pattern_and_no_text_panics(pattern in ".{0,40}", text in ".{0,80}", loose: bool) {
            if let Ok(compiled) = Pattern::compile(&pattern, loose) {
                let _ = compiled.matches(&text);
            }
        }

        #[test]
        fn an_overlap_is_matched_by_both(
            a in "(\\{(digits|any|alnum|letters)(:[1-4]-[4-9])?\\}|[a-c0-2]|\\[ab\\]){1,4}",
            b in "(\\{(digits|any|alnum|letters)(:[1-4]-[4-9])?\\}|[a-c0-2]|\\[ab\\]){1,4}",
            text in "[a-c0-2]{1,6}",
        ) {
            let compiled = Pattern::compile(&a, true).ok().zip(Pattern::compile(&b, true).ok());
            let Some((a, b)) = compiled else { return Ok(()) };
            match a.overlap(&b) {
                Some(both) => {
                    prop_assert!(a.matches(&both).is_some(), "{}", both);
                    prop_assert!(b.matches(&both).is_some(), "{}", both);
                }
                None => prop_assert!(a.matches(&text).is_none() || b.matches(&text).is_none()),
            }
        }
    }
}
