#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]
//! The engine between a scripted provider and a scripted core, over a store in memory.
//!
//! * `world`: the two, and an engine between them
//! * `answers`: inquiries that are answered by callback
//! * `asking`: questions of clients and persons, beside the work
//! * `candidates`: which of the accounts that were typed is meant, and what else may be
//! * `actions`, `approvals`: what persons do, with a second person, and who gets ahead of them
//! * `claims`: payments that persons bring in
//! * `holding`: operations that are held
//! * `faulty`: the faults of a store whose answers are lost or late
//! * `limits`: what a wallet and the organisation may move in a day
//! * `duplicates`: one key, many times
//! * `requests`: what a core asks to be paid out
//! * `turns`: which of several processes looks for it
//! * `keyed`: what is asked under a key
//! * `notices`: repeated notices of one payment
//! * `evidence`: what is heard about operations of ours
//! * `transit`: money between the two sides
//! * `persons`: what persons decide
//! * `schedule`: when what is due is taken up
//! * `offers`: payments that are checked before they are taken
//! * `fees`: what providers state, beside what is expected
//! * `floors`: what the parts of the engine may know of each other

mod actions;
mod answers;
mod approvals;
mod asking;
mod candidates;
mod claims;
mod duplicates;
mod evidence;
mod faulty;
mod fees;
mod floors;
mod holding;
mod keyed;
mod limits;
mod notices;
mod offers;
mod persons;
mod requests;
mod schedule;
mod transit;
mod turns;
mod wallets;
mod world;
