//! Turns bytes into answers and callbacks. Made so that a mutation stays an answer, that the two
//! halves of two inputs make a third, and that a person can write and read one.
//!
//! Records stand between [`SEPARATOR`]s. The first holds the choices of the target, a byte each.
//! The first byte of an answer's record is its status by [`REACTIONS`] (`a` is the first), the
//! second its headers by bits (`@` for none), the rest its body.

use bytes::Bytes;
use http::StatusCode;
use kiungo_provider::RawCallback;

/// Between records: ASCII's own record separator, which no text of others holds.
const SEPARATOR: u8 = 0x1e;
/// More answers than this are not kept.
const ANSWERS_MAX: usize = 16;
/// The bit that makes an answer HTML.
const HTML: u8 = 1;
/// The bit that makes an answer one that was stored before, in Fineract's words.
const STORED: u8 = 2;

/// The reaction of the other side to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reaction {
    /// The peer answers with this status.
    Status(u16),
    /// The request was not written.
    NotSent,
    /// Bytes of the request were written, and no answer came back.
    NoAnswer,
}

/// Every reaction that an input can name.
pub(super) const REACTIONS: [Reaction; 24] = [
    Reaction::Status(200),
    Reaction::Status(201),
    Reaction::Status(202),
    Reaction::Status(204),
    Reaction::Status(301),
    Reaction::Status(400),
    Reaction::Status(401),
    Reaction::Status(403),
    Reaction::Status(404),
    Reaction::Status(405),
    Reaction::Status(409),
    Reaction::Status(422),
    Reaction::Status(425),
    Reaction::Status(429),
    Reaction::Status(500),
    Reaction::Status(502),
    Reaction::Status(503),
    Reaction::Status(504),
    Reaction::NotSent,
    Reaction::NoAnswer,
    Reaction::Status(100),
    Reaction::Status(302),
    Reaction::Status(408),
    Reaction::Status(599),
];

/// The answer of the other side to one request.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) reaction: Reaction,
    pub(super) html: bool,
    pub(super) stored: bool,
    pub(super) body: Bytes,
}

impl Answer {
    fn read(record: &[u8]) -> Self {
        let (head, body) = record.split_at(record.len().min(2));
        let index = head.first().copied().unwrap_or(b'a').wrapping_sub(b'a');
        let reaction = REACTIONS.get(usize::from(index) % REACTIONS.len());
        let bits = head.get(1).copied().unwrap_or_default();
        Self {
            reaction: reaction.copied().unwrap_or(Reaction::NoAnswer),
            html: bits & HTML != 0,
            stored: bits & STORED != 0,
            body: Bytes::copy_from_slice(body),
        }
    }

    /// Its HTTP status; `None` if there is none.
    pub(super) fn status(&self) -> Option<StatusCode> {
        match self.reaction {
            Reaction::Status(status) => StatusCode::from_u16(status).ok(),
            Reaction::NotSent | Reaction::NoAnswer => None,
        }
    }
}

/// An input of answers.
#[derive(Debug)]
pub(super) struct Input<'a> {
    choices: &'a [u8],
    pub(super) answers: Vec<Answer>,
}

impl<'a> Input<'a> {
    pub(super) fn read(data: &'a [u8]) -> Self {
        let mut records = data.split(|byte| *byte == SEPARATOR);
        let choices = records.next().unwrap_or_default();
        Self { choices, answers: records.take(ANSWERS_MAX).map(Answer::read).collect() }
    }

    /// A choice of the target's, as its number; 0 if the input makes none.
    pub(super) fn choice(&self, index: usize) -> usize {
        usize::from(self.choices.get(index).copied().unwrap_or_default())
    }

    /// One of these, by a choice of the target's.
    pub(super) fn pick<T: Copy>(&self, index: usize, among: &[T]) -> T {
        // The letters `a`, `b`, `c` pick the first, the second, the third.
        let choice = self.choice(index).wrapping_sub(usize::from(b'a')) & 0xff;
        among[choice % among.len()]
    }
}

/// An input that is a callback: the choice of the method and the path, the headers as lines
/// `name: value`, the body. The server lets only printable ASCII into a path and a header.
pub(super) fn callback(data: &[u8]) -> RawCallback {
    let mut records = data.splitn(3, |byte| *byte == SEPARATOR);
    let mut text = || {
        let record = records.next().unwrap_or_default();
        let legal = |byte: &u8| byte.is_ascii_graphic() || matches!(byte, b' ' | b'\n');
        record.iter().copied().filter(legal).map(char::from).collect::<String>()
    };
    let (target, headers) = (text(), text());
    let method = match target.bytes().next() {
        Some(b'b') => "PUT",
        Some(b'c') => "GET",
        Some(b'd') => "DELETE",
        _ => "POST",
    };
    let header = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.trim().to_ascii_lowercase(), value.trim().to_owned()))
    };
    RawCallback {
        method: method.to_owned(),
        path: target.chars().skip(1).filter(char::is_ascii_graphic).collect(),
        headers: headers.lines().filter_map(header).collect(),
        body: Bytes::copy_from_slice(records.next().unwrap_or_default()),
    }
}

/// Returns the path and the body of a callback: all that the other side says with it.
pub(super) fn printed(callback: &RawCallback) -> Vec<u8> {
    [callback.path.as_bytes(), b" ", &callback.body].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_choices_and_answers() {
        let input = Input::read(b"cb\x1ea@{}\x1eqA<html>\x1es");
        assert_eq!((input.pick(0, &[7, 8, 9]), input.pick(1, &[7, 8]), input.choice(2)), (9, 8, 0));
        let seen: Vec<_> =
            input.answers.iter().map(|a| (a.reaction, a.html, a.stored, a.body.len())).collect();
        let expected = [
            (Reaction::Status(200), false, false, 2),
            (Reaction::Status(503), true, false, 6),
            (Reaction::NotSent, false, false, 0),
        ];
        assert_eq!(seen, expected);
        assert!(Input::read(b"").answers.is_empty());
    }

    #[test]
    fn a_callback_has_a_path_headers_and_a_body() {
        let read = callback(b"bresults/x\x1eX-CorrelationID: y\n\x1e{\x1e}");
        assert_eq!((read.method.as_str(), read.path.as_str()), ("PUT", "results/x"));
        assert_eq!((read.header("x-correlationid"), &read.body[..]), (Some("y"), &b"{\x1e}"[..]));
        assert_eq!(callback(b"").method, "POST");
    }
}
