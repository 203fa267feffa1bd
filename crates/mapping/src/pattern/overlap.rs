//! Comparing two patterns: a text that both match.

use std::collections::{BTreeMap, VecDeque};

use kiungo_domain::typed::{SEPARATORS, plain};

use super::{CharSet, Joining, Pattern, Style};

/// The progress of one pattern in a text that both are to match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    slot: usize,
    /// The number of characters that are kept, as far as it matters for joining.
    kept: usize,
    last: Last,
    /// Kept digits stood apart.
    joined: bool,
}

/// The last character that was read, as far as it matters for joining.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Last {
    Other,
    /// A digit that is kept.
    Digit,
    /// Separators behind such a digit.
    Separator,
}

const START: Place = Place { slot: 0, kept: 0, last: Last::Other, joined: false };

/// The first way to each pair of places: the pair before it, and the character between them.
type Origins = BTreeMap<(Place, Place), Option<((Place, Place), char)>>;

impl Pattern {
    /// A text that both patterns match, if there is one. A pattern that can match one text in several
    /// ways counts as matching by each of them.
    pub(crate) fn overlap(&self, other: &Self) -> Option<String> {
        // Two loose patterns that match a text with separators also match it without.
        let separators = self.is_loose() != other.is_loose();
        let mut came_from = Origins::from([((START, START), None)]);
        let mut queue = VecDeque::from([(START, START)]);
        while let Some((mine, theirs)) = queue.pop_front() {
            if self.ends(mine) && other.ends(theirs) {
                return Some(trace(&came_from, (mine, theirs)));
            }
            let their_moves = other.moves(theirs, separators);
            for (set, next) in self.moves(mine, separators) {
                for (other_set, other_next) in &their_moves {
                    let Some(c) = set.meet(*other_set) else { continue };
                    let state = (next, *other_next);
                    came_from.entry(state).or_insert_with(|| {
                        queue.push_back(state);
                        Some(((mine, theirs), c))
                    });
                }
            }
        }
        None
    }

    fn ends(&self, place: Place) -> bool {
        let joins = match self.style {
            Style::Loose(Joining::AtLength(length)) => !place.joined || place.kept == length,
            Style::Exact | Style::Loose(_) => true,
        };
        joins && self.can_end(place.slot)
    }

    /// The characters that lead on from a place, and where they lead; `separators`: the other
    /// pattern takes every character as it is.
    fn moves(&self, from: Place, separators: bool) -> Vec<(CharSet, Place)> {
        let Style::Loose(joining) = self.style else { return self.exact_moves(from, separators) };
        let mut moves = Vec::new();
        for at in self.open(from.slot) {
            let Some(slot) = self.slots.get(at) else { continue };
            for (set, digit) in slot.set.by_digits() {
                let next = Place { slot: at + 1, ..from };
                let next =
                    if separators { next.after(slot.kept, digit, joining) } else { Some(next) };
                moves.extend(next.map(|next| (set, next)));
            }
        }
        if separators {
            let last = if from.last == Last::Other { Last::Other } else { Last::Separator };
            moves.push((CharSet::of(|c| SEPARATORS.contains(&c)), Place { last, ..from }));
        }
        moves
    }

    fn exact_moves(&self, from: Place, read_loosely: bool) -> Vec<(CharSet, Place)> {
        let to = |at: usize| {
            let mut set = self.slots.get(at)?.set;
            // The loose pattern reads a typographic character as its plain sibling.
            if let Some(c) = set.other.filter(|_| read_loosely) {
                set = CharSet::one(plain(c), false);
            }
            Some((set, Place { slot: at + 1, ..from }))
        };
        self.open(from.slot).into_iter().filter_map(to).collect()
    }
}

impl Place {
    /// The place after a character was read there; `None` if it cannot become a match.
    fn after(self, kept: bool, digit: bool, joining: Joining) -> Option<Self> {
        let joined = self.joined || (kept && digit && self.last == Last::Separator);
        let last = if kept && digit { Last::Digit } else { Last::Other };
        match joining {
            Joining::Always => Some(self),
            Joining::Never if joined => None,
            Joining::Never => Some(Self { last, ..self }),
            Joining::AtLength(length) => {
                let kept = (self.kept + usize::from(kept)).min(length + 1);
                (!joined || kept <= length).then_some(Self { kept, last, joined, ..self })
            }
        }
    }
}

/// The characters on the way to a pair of places.
fn trace(came_from: &Origins, mut state: (Place, Place)) -> String {
    let mut text = Vec::new();
    while let Some(Some((before, c))) = came_from.get(&state) {
        text.push(*c);
        state = *before;
    }
    text.into_iter().rev().collect()
}
