//! An Apache Fineract core as it behaves: the routes a mobile money connector uses, with the traps
//! of `fineract.md` and its releases told apart.
//!
//! * [`Options`]: release, tenants, users, calendar, database
//! * [`Simulator`]: the core; [`Simulator::router`] is what a client talks to
//! * [`FineractFamily`]: the family as a program offers it
//! * [`ClientSpec`]: the contents of the core before a story begins
//!
//! From below to the top:
//!
//! * `options`, `calendar`, `decimal`, `json`, `currency`: settings, dates, amounts, and how the core
//!   prints them
//! * `answer`, `refusal`, `result`, `body`, `query`, `payment`: the parts of answers and requests
//! * `route`, `path`, `call`: the subject of a request, found by its path; a request as received
//! * `savings::records`, `loans::records`, `data_table`, `commands`, `hooks`: what a tenant has, each
//!   as data; `by_id` finds rows
//! * `bank`: all of a tenant's state, behind one lock; `books` is what an audit sees of it
//! * `opening`: the contents of the core before a story begins
//! * `simulator`: the core as a whole; `hook_delivery` sends its webhooks ([`Simulator::register_hooks`])
//! * `command_context`, `savings`, `loans`: the handlers of commands, and the views of accounts
//! * `lookups`, `tables`: the rest of what is read; data tables ([`Simulator::register_table`])
//! * `fault_draw`: the faults of a request
//! * `reads`, `execute`: all reads; a command (permission, command table, handler)
//! * `requests`: from a request to an answer (tenant, login, faults, then `reads` or `execute`)
//! * `control`, `router`: what is asked and done under `/_sim`; all routes put together
//! * `family`: the names of the family, and a core that is ready to be served
//!
//! Not here, since nothing in Kiungo asks for it: interoperation, batches, external events,
//! journal entries and reports, account transfers, charges, groups, products other than one kind of
//! savings and of loan, two-factor login, and the authorization server of bearer tokens.
//!
//! # Books
//! A savings account's balance is its ledger balance (holds not deducted); a loan's is what is
//! owed, negative when overpaid. Opening balance and movements explain it:
//!
//! | operation | savings | loan |
//! | --- | --- | --- |
//! | `deposit` | + | |
//! | `withdraw`, `fee` | − | |
//! | `disburse`, `interest`, `refund` | | + |
//! | `repay` | | − |
//! | `undo` | the opposite of the movement in `takes_back` | likewise |
//!
//! A receipt is the transaction id as it came over the wire; an undo, which gets no id of its own,
//! is `{id}-undo`. Savings and loans count their transactions separately, so a receipt is unique
//! only together with its party. What was there at the start has rows in the history and is in
//! `opening`, but not among the movements. A row that Fineract replayed keeps its first receipt.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod answer;
mod bank;
mod body;
mod books;
mod by_id;
mod calendar;
mod call;
mod command_context;
mod commands;
mod control;
mod currency;
mod data_table;
mod decimal;
mod execute;
mod family;
mod fault_draw;
mod hook_delivery;
mod hooks;
mod json;
mod loans;
mod lookups;
mod opening;
mod options;
mod path;
mod payment;
mod query;
mod reads;
mod refusal;
mod requests;
mod result;
mod route;
mod router;
mod savings;
mod simulator;
mod tables;

pub use data_table::TableOf;
pub use family::FineractFamily;
pub use hooks::HookSpec;
pub use opening::{ClientIds, ClientSpec, LoanSpec, LoanStatus, OpenError, SavingsSpec};
pub use options::{Auth, Clients, Database, Options, PaymentType, User, Version, Zone};
pub use simulator::Simulator;
