//! The assignment of work: to this process or another, to one task, on one core account at a time.
//!
//! * `dispatcher`: assigns transfers to tasks and processes, and accounts to transfers
//! * `distribution`: this process does all of the work, or a broker delivers it
//! * `announcements`: shared work on its way to the queue
//! * `deliveries`: shared work as it comes, acknowledged once it rests
//! * `account_locks`: one operation at a time per core account (rule 11)
//! * `backlog`: the work that nobody has begun

pub(crate) mod account_locks;
pub(crate) mod announcements;
pub(crate) mod backlog;
pub(crate) mod deliveries;
pub(crate) mod dispatcher;
pub(crate) mod distribution;
