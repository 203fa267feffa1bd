//! The organisation's statement as the portal exports it (`mobile-money-files.md` §1), made from the
//! books: reconciling by file and by API can be tested against one truth.

use std::collections::BTreeMap;

use jiff::civil::{Date, DateTime};
use kiungo_domain::{Currency, Money, Timestamp};
use kiungo_simulator::books::{Books, Movement};
use kiungo_simulator::control::Provider as _;
use kiungo_simulator::ledger::FLOAT;
use kiungo_simulator::people::name_of;

use super::book_lines::CHARGES;
use super::options::MsisdnForm;
use super::{Simulator, admission};

const COLUMNS: [&str; 13] = [
    "Receipt No.",
    "Completion Time",
    "Initiation Time",
    "Details",
    "Transaction Status",
    "Paid In",
    "Withdrawn",
    "Balance",
    "Balance Confirmed",
    "Reason Type",
    "Other Party Info",
    "Linked Transaction ID",
    "A/C No.",
];

/// A movement as it concerns the organisation's account.
struct Row<'a> {
    movement: &'a Movement,
    times: (Timestamp, Timestamp),
    began: DateTime,
    ended: DateTime,
    /// Minor units; negative if withdrawn.
    signed: i64,
    /// Minor units, afterwards.
    balance: i64,
}

impl Simulator {
    /// The organisation's statement for these local days, both included, as the portal exports it
    /// in CSV (`mobile-money-files.md` §1). From the first movement, and to the last, if `None`.
    pub fn statement(&self, from: Option<Date>, to: Option<Date>) -> String {
        export(self, from, to)
    }
}

/// The CSV of the days from `from` to `to`, both included.
fn export(simulator: &Simulator, from: Option<Date>, to: Option<Date>) -> String {
    let books = simulator.books();
    let rows = rows(simulator, &books);
    let today = admission::local_time(simulator.options(), simulator.now()).date();
    let from = from.or_else(|| rows.first().map(|row| row.ended.date())).unwrap_or(today);
    let to = to.unwrap_or(today);
    let before = rows.iter().take_while(|row| row.ended.date() < from).last();
    let float = books.opening.get(FLOAT).copied().unwrap_or_default();
    let opening = before.map_or(float, |row| row.balance);
    let period: Vec<&Row<'_>> =
        rows.iter().filter(|row| (from..=to).contains(&row.ended.date())).collect();
    let mut csv = preamble(simulator, (from, to), opening, &period);
    // The newest comes first.
    for row in period.iter().rev() {
        csv += &line(&cells(simulator, row));
    }
    csv
}

fn rows<'a>(simulator: &Simulator, books: &'a Books) -> Vec<Row<'a>> {
    let options = simulator.options();
    let mut balance = books.opening.get(FLOAT).copied().unwrap_or_default();
    let originals: BTreeMap<&str, &Movement> =
        books.movements.iter().map(|movement| (movement.receipt.as_str(), movement)).collect();
    let state = simulator.state();
    let mut rows: Vec<Row<'_>> = Vec::with_capacity(books.movements.len());
    for movement in &books.movements {
        let times = match state.by_receipt(&movement.receipt) {
            Some((_, operation)) => (operation.accepted_at, operation.ended_at),
            // A charge is nobody's operation: it stands beside what it is charged for.
            None => match rows.last() {
                Some(Row { times, .. }) => *times,
                None => continue,
            },
        };
        let original = originals.get(movement.takes_back.as_str());
        let incoming = original.map_or_else(|| is_incoming(movement), |first| !is_incoming(first));
        let signed = if incoming { movement.amount_minor } else { -movement.amount_minor };
        balance = balance.saturating_add(signed);
        let began = admission::local_time(options, times.0);
        let ended = admission::local_time(options, times.1);
        rows.push(Row { movement, times, began, ended, signed, balance });
    }
    rows
}

fn is_incoming(movement: &Movement) -> bool {
    matches!(movement.operation.as_str(), "collect" | "payment")
}

/// Six rows and the header (§1.2).
fn preamble(
    simulator: &Simulator,
    (from, to): (Date, Date),
    opening: i64,
    period: &[&Row<'_>],
) -> String {
    let options = simulator.options();
    let currency = options.currency();
    let closing = money(period.last().map_or(opening, |row| row.balance), currency);
    let sum = |incoming: bool| {
        let signed = period.iter().map(|row| row.signed).filter(|minor| (*minor > 0) == incoming);
        money(signed.fold(0, i64::saturating_add), currency)
    };
    let day = |date: Date| date.strftime("%d-%m-%Y").to_string();
    let now = time(admission::local_time(options, simulator.now()));
    let text = |text: &str| text.to_owned();
    [
        line(&[text("Organization Name:"), text("SIMULATED ORGANISATION")]),
        line(&[text("Short Code:"), options.short_code.clone()]),
        line(&[text("Account:"), text("Utility Account")]),
        line(&[
            text("Time Period:"),
            String::new(),
            format!("From {} 00:00:00", day(from)),
            String::new(),
            format!("To {} 23:59:59", day(to)),
        ]),
        line(&[
            text("Operator:"),
            text("simulator"),
            String::new(),
            String::new(),
            text("Date of Report:"),
            now,
        ]),
        line(&[
            text("Opening Balance:"),
            money(opening, currency),
            text("Closing Balance:"),
            closing.clone(),
            text("Available Balance:"),
            closing,
            text("Total Paid In:"),
            sum(true),
            text("Total Withdrawn:"),
            sum(false),
        ]),
        line(&COLUMNS.map(str::to_owned)),
    ]
    .concat()
}

fn cells(simulator: &Simulator, row: &Row<'_>) -> [String; 13] {
    let movement = row.movement;
    let currency = simulator.options().currency();
    let party = other_party(simulator, &movement.party);
    let paid_in = if row.signed > 0 { money(row.signed, currency) } else { String::new() };
    let withdrawn = if row.signed < 0 { money(row.signed, currency) } else { String::new() };
    let (reason, details) = match movement.operation.as_str() {
        "collect" => ("Pay Bill Online", format!("Pay Bill from {party} Acc. {}", movement.label)),
        "payment" => ("Pay Utility", format!("Pay Bill from {party} Acc. {}", movement.label)),
        "pay_out" => {
            ("Business Payment to Customer", format!("Business Payment to Customer to {party}"))
        }
        "b2b" => ("Business Pay Bill", format!("Business Pay Bill to {party}")),
        "fee" => ("Pay Utility Charge", "Pay Utility Charge".to_owned()),
        _ => ("Transaction Reversal", format!("Reversal of {}", movement.takes_back)),
    };
    [
        movement.receipt.clone(),
        time(row.ended),
        time(row.began),
        details,
        "Completed".to_owned(),
        paid_in,
        withdrawn,
        money(row.balance, currency),
        "true".to_owned(),
        reason.to_owned(),
        party,
        movement.takes_back.clone(),
        movement.label.clone(),
    ]
}

/// `255712345678 - JUMA MUSHI`, `2557****5678 - JUMA MUSHI`, or an organisation's short code.
fn other_party(simulator: &Simulator, party: &str) -> String {
    if let Some(code) = party.strip_prefix("org:") {
        return format!("{code} - AN ORGANISATION");
    }
    if party == CHARGES {
        return "M-PESA".to_owned();
    }
    let (first, last) = name_of(party);
    let name = format!("{first} {last}").to_uppercase();
    if simulator.options().paybill.msisdn == MsisdnForm::Plain {
        return format!("{party} - {name}");
    }
    let head = party.get(..4).unwrap_or_default();
    let tail = party.get(party.len().saturating_sub(4)..).unwrap_or_default();
    format!("{head}****{tail} - {name}")
}

fn time(at: DateTime) -> String {
    at.strftime("%d-%m-%Y %H:%M:%S").to_string()
}

/// `-12,345.50`.
fn money(minor: i64, currency: Currency) -> String {
    let size = i64::try_from(minor.unsigned_abs()).unwrap_or(i64::MAX);
    let text = Money::from_minor(size, currency).map(Money::to_decimal).unwrap_or_default();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let mut grouped = String::from(if minor < 0 { "-" } else { "" });
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if fraction.is_empty() { grouped } else { format!("{grouped}.{fraction}") }
}

/// One line of as many cells as there are columns.
fn line(cells: &[String]) -> String {
    let cells = cells.iter().map(String::as_str).chain(std::iter::repeat(""));
    let quoted: Vec<String> = cells
        .take(COLUMNS.len())
        .map(|cell| {
            if cell.contains([',', '"', '\n', '\r']) {
                format!("\"{}\"", cell.replace('"', "\"\""))
            } else {
                cell.to_owned()
            }
        })
        .collect();
    quoted.join(",") + "\r\n"
}
