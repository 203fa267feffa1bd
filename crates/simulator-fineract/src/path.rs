//! From a method and a path to the route.

use super::route::{Action, Key, NoRoute, Order, Read, Route, TableRead};

/// Finds the route of `path` (behind `/fineract-provider/api/`). `new_paths`: from 1.9 on;
/// `savings_external`: from 1.15 on.
pub(crate) fn find(
    is_post: bool,
    path: &str,
    command: &str,
    (new_paths, newest_paths, paged_loans): (bool, bool, bool),
) -> Result<Route, NoRoute> {
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    let ["v1", rest @ ..] = segments.as_slice() else {
        return match segments.as_slice() {
            ["v2", "clients", "search"] if new_paths && is_post => {
                Ok(Route::Read(Read::ClientSearch))
            }
            ["v2", "clients", "search"] if new_paths => Err(NoRoute::WrongMethod),
            _ => Err(NoRoute::NotFound),
        };
    };
    let (head, rest) = rest.split_first().ok_or(NoRoute::NotFound)?;
    match *head {
        "savingsaccounts" => savings(is_post, rest, command, new_paths, newest_paths),
        "loans" => loans(is_post, rest, command, new_paths, paged_loans),
        "datatables" => TableRead::of(is_post, rest, new_paths)
            .map(|read| Route::Read(Read::Table(read)))
            .ok_or(NoRoute::NotFound),
        _ if is_post => lookup_post(head, rest),
        _ => lookup(head, rest, new_paths).map(Route::Read).ok_or(NoRoute::NotFound),
    }
}

fn lookup_post(head: &str, rest: &[&str]) -> Result<Route, NoRoute> {
    match (head, rest) {
        ("authentication", []) => Ok(Route::Authentication),
        ("makercheckers", [id]) => id.parse().map(Route::Decide).map_err(|_| NoRoute::NotFound),
        _ => Err(NoRoute::NotFound),
    }
}

fn lookup(head: &str, rest: &[&str], new_paths: bool) -> Option<Read> {
    Some(match (head, rest) {
        ("clients", []) => Read::ClientList,
        ("clients", rest) => {
            let (key, rest) = key(rest, new_paths)?;
            match rest {
                [] => Read::Client(key),
                ["accounts"] => Read::ClientAccounts(key),
                _ => return None,
            }
        }
        ("search", []) => Read::Search,
        ("paymenttypes", []) => Read::PaymentTypes,
        ("offices", []) => Read::Offices,
        ("currencies", []) => Read::Currencies,
        ("configurations", []) => Read::Configurations,
        ("configurations", ["name", name]) => Read::Configuration(decode(name)),
        ("businessdate", []) => Read::BusinessDates,
        ("businessdate", [name]) => Read::BusinessDate(decode(name)),
        ("glclosures", []) => Read::GlClosures,
        ("holidays", []) => Read::Holidays,
        ("workingdays", []) => Read::WorkingDays,
        ("externalevents", ["configuration"]) if new_paths => Read::ExternalEvents,
        ("audits", []) => Read::Audits,
        ("makercheckers", []) => Read::WaitingCommands,
        _ => return None,
    })
}

fn savings(
    is_post: bool,
    rest: &[&str],
    command: &str,
    new_paths: bool,
    newest_paths: bool,
) -> Result<Route, NoRoute> {
    if rest.is_empty() {
        return if is_post { Err(NoRoute::NotFound) } else { Ok(Route::Read(Read::SavingsList)) };
    }
    let (account, rest) = key(rest, new_paths).ok_or(NoRoute::NotFound)?;
    let external_account = matches!(account, Key::External(_));
    match rest {
        [] if is_post => Ok(Route::UnknownCommand(&["reject", "withdrawnByApplicant", "approve"])),
        [] => Ok(Route::Read(Read::Savings(account))),
        ["transactions", ..] if external_account && !newest_paths => Err(NoRoute::NotFound),
        ["transactions"] if is_post => Ok(savings_command(command, account, None)),
        ["transactions"] => Err(NoRoute::WrongMethod),
        ["transactions", "search"] if new_paths && !is_post => {
            Ok(Route::Read(Read::SavingsSearch(account)))
        }
        ["transactions", rest @ ..] => {
            let (transaction, rest) = key(rest, newest_paths).ok_or(NoRoute::NotFound)?;
            match rest {
                [] if is_post => Ok(savings_command(command, account, Some(transaction))),
                [] => Ok(Route::Read(Read::SavingsTransaction(account, transaction))),
                _ => Err(NoRoute::NotFound),
            }
        }
        _ => Err(NoRoute::NotFound),
    }
}

fn savings_command(command: &str, account: Key, transaction: Option<Key>) -> Route {
    let action = match (command.to_ascii_lowercase().as_str(), transaction.is_some()) {
        ("deposit", false) => Action::Deposit,
        ("withdrawal", false) => Action::Withdraw,
        ("holdamount", false) => Action::Hold,
        ("releaseamount", true) => Action::Release,
        ("undo", true) => Action::Undo,
        ("reverse", true) => Action::Reverse,
        (_, false) => return Route::UnknownCommand(&["deposit", "withdrawal", "holdAmount"]),
        (_, true) => {
            return Route::UnknownCommand(&["undo", "reverse", "modify", "releaseAmount"]);
        }
    };
    Route::Command(Order { action, account, transaction })
}

fn loans(
    is_post: bool,
    rest: &[&str],
    command: &str,
    new_paths: bool,
    paged: bool,
) -> Result<Route, NoRoute> {
    if rest.is_empty() {
        return if is_post { Err(NoRoute::NotFound) } else { Ok(Route::Read(Read::LoanList)) };
    }
    let (account, rest) = key(rest, new_paths).ok_or(NoRoute::NotFound)?;
    match rest {
        [] if is_post => Ok(loan_command(command, account, false)),
        [] => Ok(Route::Read(Read::Loan(account))),
        ["transactions"] if is_post => Ok(loan_command(command, account, true)),
        ["transactions"] if paged => Ok(Route::Read(Read::LoanTransactions(account))),
        ["transactions"] => Err(NoRoute::WrongMethod),
        ["transactions", "template"] if !is_post => Ok(Route::Read(Read::LoanTemplate(account))),
        ["transactions", rest @ ..] => {
            let (transaction, rest) = key(rest, new_paths).ok_or(NoRoute::NotFound)?;
            match rest {
                // The word is ignored: the amount decides whether it undoes or replaces.
                [] if is_post => {
                    let (action, transaction) = (Action::Adjust, Some(transaction));
                    Ok(Route::Command(Order { action, account, transaction }))
                }
                [] => Ok(Route::Read(Read::LoanTransaction(account, transaction))),
                _ => Err(NoRoute::NotFound),
            }
        }
        _ => Err(NoRoute::NotFound),
    }
}

fn loan_command(command: &str, account: Key, on_transactions: bool) -> Route {
    let action = match (command.to_ascii_lowercase().as_str(), on_transactions) {
        ("approve", false) => Action::Approve,
        ("disburse", false) => Action::Disburse,
        ("undodisbursal", false) => Action::UndoDisbursal,
        ("repayment", true) => Action::Repay,
        ("creditbalancerefund", true) => Action::Refund,
        (_, false) => return Route::UnknownCommand(&["approve", "disburse", "undodisbursal"]),
        (_, true) => return Route::UnknownCommand(&["repayment", "creditBalanceRefund"]),
    };
    Route::Command(Order { action, account, transaction: None })
}

/// Takes an id, or `external-id/{x}` where it is known, off the front.
fn key<'a, 'b>(segments: &'a [&'b str], external: bool) -> Option<(Key, &'a [&'b str])> {
    match segments {
        ["external-id", name, rest @ ..] if external => Some((Key::External(decode(name)), rest)),
        [id, rest @ ..] => Some((Key::Id(id.parse().ok()?), rest)),
        [] => None,
    }
}

/// Undoes percent encoding of a path segment; a plus sign stays.
fn decode(segment: &str) -> String {
    let plain = segment.replace('+', "%2B");
    let pairs: Vec<(String, String)> =
        serde_urlencoded::from_str(&format!("x={plain}")).unwrap_or_default();
    pairs.into_iter().next().map_or_else(|| segment.to_owned(), |(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEWEST: (bool, bool, bool) = (true, true, true);

    #[test]
    fn a_command_word_is_compared_ignoring_case() {
        let route = find(true, "v1/savingsaccounts/34/transactions", "DEPOSIT", NEWEST);
        let order = Order { action: Action::Deposit, account: Key::Id(34), transaction: None };
        assert_eq!(route, Ok(Route::Command(order)));
        let route = find(true, "v1/savingsaccounts/34/transactions", "gift", NEWEST);
        assert!(matches!(route, Ok(Route::UnknownCommand(known)) if known.contains(&"deposit")));
    }

    #[test]
    fn external_ids_are_routes_only_where_the_release_has_them() {
        let path = "v1/loans/external-id/LN%2F3/transactions/external-id/a+b";
        let expected = Read::LoanTransaction(
            Key::External("LN/3".to_owned()),
            Key::External("a+b".to_owned()),
        );
        assert_eq!(find(false, path, "", NEWEST), Ok(Route::Read(expected)));
        assert_eq!(find(false, path, "", (false, false, false)), Err(NoRoute::NotFound));
        let savings = "v1/savingsaccounts/1/transactions/external-id/x";
        assert_eq!(find(false, savings, "", (true, false, true)), Err(NoRoute::NotFound));
        assert!(find(false, savings, "", NEWEST).is_ok());
    }

    #[test]
    fn loans_list_their_rows_only_from_1_12_on() {
        let path = "v1/loans/3/transactions";
        assert_eq!(find(false, path, "", (true, false, false)), Err(NoRoute::WrongMethod));
        let expected = Route::Read(Read::LoanTransactions(Key::Id(3)));
        assert_eq!(find(false, path, "", NEWEST), Ok(expected));
    }

    #[test]
    fn nonsense_has_no_route() {
        for path in
            ["", "v1", "v3/loans", "v1/loans/x", "v1/loans/1/transactions/1/2", "v1//", "v1/é"]
        {
            assert_eq!(find(false, path, "", NEWEST), Err(NoRoute::NotFound), "{path}");
        }
    }
}
