//! The content of a message that announces work: `{"work":["<transfer>",17]}`. A text is a
//! transfer, a number an item of the inbox; the order is theirs.

use kiungo_domain::TransferId;
use kiungo_queue::Work;
use serde::{Deserialize, Serialize};

/// Works in a message at most: one message for a burst, and little that is done again if its worker
/// dies.
pub(super) const WORKS_MAX: usize = 64;

/// Sixty-four of the longest make a tenth of it.
const BYTES_MAX: usize = 32_768;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    work: Vec<Item>,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Item {
    Transfer(String),
    Arrival(i64),
}

/// The body of a message.
pub(super) fn encode(work: &[Work]) -> Vec<u8> {
    let item = |work: &Work| match work {
        Work::Transfer(id) => Item::Transfer(id.to_string()),
        Work::Arrival(number) => Item::Arrival(*number),
    };
    let message = Message { work: work.iter().map(item).collect() };
    serde_json::to_vec(&message).unwrap_or_default()
}

/// Reads the work from a message, or says what is wrong with it, without repeating it.
pub(super) fn decode(body: &[u8]) -> Result<Vec<Work>, String> {
    if body.len() > BYTES_MAX {
        return Err(format!("longer than {BYTES_MAX} bytes"));
    }
    let message: Message = serde_json::from_slice(body).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        format!("not a message about work: {:?} error at {line}:{column}", error.classify())
    })?;
    if message.work.is_empty() || message.work.len() > WORKS_MAX {
        return Err(format!("{} works, not 1 to {WORKS_MAX}", message.work.len()));
    }
    let work = |(place, item): (usize, Item)| match item {
        Item::Transfer(id) => TransferId::parse(&id)
            .map(Work::Transfer)
            .map_err(|_| format!("work[{place}] is not a transfer's id")),
        Item::Arrival(number) if number > 0 => Ok(Work::Arrival(number)),
        Item::Arrival(_) => Err(format!("work[{place}] is not an item's number")),
    };
    message.work.into_iter().enumerate().map(work).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_read_as_it_was_written() {
        let id = TransferId::parse("0197a000-0000-7000-8000-000000000100").unwrap();
        let work = [Work::Transfer(id), Work::Arrival(17), Work::Transfer(id)];
        let body = encode(&work);
        let text = "{\"work\":[\"0197a000-0000-7000-8000-000000000100\",17,\
                    \"0197a000-0000-7000-8000-000000000100\"]}";
        assert_eq!(std::str::from_utf8(&body).unwrap(), text);
        assert_eq!(decode(&body).unwrap(), work);
        let many = vec![Work::Arrival(i64::MAX); WORKS_MAX];
        assert_eq!(decode(&encode(&many)).unwrap(), many);
    }

    #[test]
    fn anything_else_is_refused() {
        for body in POISON {
            assert!(decode(body).is_err(), "{}", String::from_utf8_lossy(body));
        }
        assert!(decode(&encode(&[])).is_err());
        assert!(decode(&encode(&vec![Work::Arrival(1); WORKS_MAX + 1])).is_err());
        assert!(decode(&vec![b' '; BYTES_MAX + 1]).is_err_and(|why| why.contains("longer")));
    }

    const POISON: &[&[u8]] = &[
        b"",
        b"null",
        b"[1]",
        b"{}",
        br#"{"work":{}}"#,
        br#"{"work":[null]}"#,
        br#"{"work":[1.5]}"#,
        br#"{"work":[0]}"#,
        br#"{"work":[1],"more":1}"#,
        br#"{"work":[1],"work":[2]}"#,
        br#"{"work":["0197a000-0000-7000-8000-000000000101"]}"#,
        br#"{"work":[1]} x"#,
        b"\xff\xfe{\0}\0",
    ];
}
