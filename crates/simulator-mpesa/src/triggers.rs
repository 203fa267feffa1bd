//! The sandbox's magic numbers (`mpesa-openapi.md` §10).

use super::codes::{self, Code};
use super::options::Options;
use super::order::{Kind, Order};

/// The effect of a magic number on an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trigger {
    Succeeds,
    Fails(Code),
}

/// The effect of a magic number on a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum QueryTrigger {
    Completed { reversed: bool },
    Fails(Code),
}

fn act(options: &Options) -> bool {
    options.triggers && options.short_code == "000000"
}

/// The number that `text` is, if it has exactly this many digits and is below 10.
fn magic(text: &str, digits: usize) -> Option<u8> {
    let (zeros, last) = text.split_at_checked(digits.checked_sub(1)?)?;
    let fits = text.len() == digits && zeros.bytes().all(|byte| byte == b'0');
    if fits { last.parse().ok().filter(|number| *number > 0) } else { None }
}

fn unavailable(options: &Options) -> Code {
    if options.unavailable_as_503 { codes::UNAVAILABLE } else { codes::INTERNAL }
}

/// The effect of the operation's magic number, if it carries one.
pub(super) fn of(order: &Order, options: &Options) -> Option<Trigger> {
    if !act(options) {
        return None;
    }
    let code = match order.kind {
        Kind::Payment => return None,
        Kind::C2b => match magic(&order.party, 12)? {
            1 => return Some(Trigger::Succeeds),
            2 | 3 => codes::TIMEOUT,
            4 | 6 => codes::FAILED,
            5 => codes::INTERNAL,
            7 => codes::AMOUNT,
            8 => codes::INSUFFICIENT,
            _ => unavailable(options),
        },
        Kind::B2c | Kind::B2b => {
            let number = match order.party.strip_prefix("org:") {
                Some(code) => magic(code, 6)?,
                None => magic(&order.party, 12)?,
            };
            match number {
                1 => return Some(Trigger::Succeeds),
                2 => codes::INTERNAL,
                3 => codes::FAILED,
                4 => codes::TIMEOUT,
                5 => codes::AMOUNT,
                6 => codes::INSUFFICIENT,
                7 => unavailable(options),
                _ => codes::USE_CASE,
            }
        }
        Kind::Reversal => match magic(&order.original, 13)? {
            1 => return Some(Trigger::Succeeds),
            2 => codes::INTERNAL,
            3 => codes::FAILED,
            4 => codes::AMOUNT,
            5 => codes::INSUFFICIENT,
            6 => codes::NOT_YOURS,
            7 => unavailable(options),
            _ => codes::USE_CASE,
        },
    };
    Some(Trigger::Fails(code))
}

/// The same for a query by `reference`: 12 digits, or 21.
pub(super) fn of_query(reference: &str, options: &Options) -> Option<QueryTrigger> {
    if !act(options) {
        return None;
    }
    let completed = |reversed| Some(QueryTrigger::Completed { reversed });
    let code = if let Some(number) = magic(reference, 12) {
        match number {
            1 => return completed(false),
            2 => codes::INTERNAL,
            3 => codes::FAILED,
            7 => unavailable(options),
            _ => codes::USE_CASE,
        }
    } else {
        match magic(reference, 21)? {
            1 => return completed(true),
            2 => codes::NOT_FOUND,
            3 => codes::INTERNAL,
            4 => codes::FAILED,
            5 => unavailable(options),
            _ => codes::USE_CASE,
        }
    };
    Some(QueryTrigger::Fails(code))
}

/// A direct debit call, as its magic numbers tell them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Debit {
    Create,
    Pay,
    Query,
    Cancel,
}

/// The effect of the magic number of a direct debit call: 12 digits in the number for a creation,
/// 20 digits in the mandate's reference for the others, and for a payment 20 digits in the number
/// too (its own pattern forbids them).
pub(super) fn of_debit(
    call: Debit,
    number: &str,
    reference: &str,
    options: &Options,
) -> Option<Trigger> {
    if !act(options) {
        return None;
    }
    if call != Debit::Create && reference == "99999999999999999999" {
        return Some(Trigger::Fails(codes::USE_CASE));
    }
    let digit = match call {
        Debit::Create => magic(number, 12),
        Debit::Pay => magic(number, 20).or_else(|| magic(reference, 20)),
        Debit::Query | Debit::Cancel => magic(reference, 20),
    }?;
    let code = match (call, digit) {
        (_, 1) => return Some(Trigger::Succeeds),
        (_, 2) | (Debit::Query, 5) => codes::INTERNAL,
        (Debit::Cancel, 3) => codes::NO_MANDATE,
        (_, 3) => codes::FAILED,
        (_, 4) => codes::TIMEOUT,
        (_, 5) => unavailable(options),
        _ => codes::USE_CASE,
    };
    Some(Trigger::Fails(code))
}

/// The states of account and mandate that a direct debit query's magic numbers stand for.
pub(super) fn states_of_debit(
    number: &str,
    mandate: &str,
    options: &Options,
) -> (Option<&'static str>, Option<&'static str>) {
    if !act(options) {
        return (None, None);
    }
    let account = magic(number, 12).and_then(|digit| match digit {
        1 => Some("Active"),
        2 => Some("Pending Approval"),
        3 => Some("Locked"),
        4 => Some("Inactive"),
        _ => None,
    });
    let mandate = magic(mandate, 6).and_then(|digit| match digit {
        1 => Some("Active"),
        2 => Some("Pending Approval"),
        3 => Some("Cancelled"),
        4 => Some("Expired"),
        _ => None,
    });
    (account, mandate)
}

/// True if a direct debit query's magic amount is there; `None` if magic numbers do not act.
pub(super) fn is_sufficient(minor: i64, options: &Options) -> Option<bool> {
    act(options).then(|| minor <= 500 * 10_i64.pow(u32::from(options.currency().exponent())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn magic_numbers_are_matched_exactly() {
        assert_eq!(magic("000000000003", 12), Some(3));
        for text in ["000000000000", "000000000010", "00000000003", "0000000000003", "x"] {
            assert_eq!(magic(text, 12), None, "{text}");
        }
    }
}
