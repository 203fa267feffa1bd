//! The list of all statements. Each database writes all of them, in one file; the compiler sees
//! that none is missing, and a test has each database describe every one against the migrated
//! schema.

/// Names the statements, and lists them for the tests.
macro_rules! statements {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// Every statement of a database.
        ///
        /// Those of a batch take rows of several columns, which their descriptions name first, all
        /// of them at once or one at a time, as the database likes it, and may answer with rows. Queries take single values, numbered from 1. Times are
        /// microseconds, amounts minor units, truths 0 or 1 where rows go in and come out.
        #[derive(Debug)]
        pub struct Statements {
            $($(#[doc = $doc])+ pub $name: &'static str,)+
            /// Into the archive, by `transfer_id`: to be run in this order. The first answers with
            /// how many transfers it copied.
            pub archive: [&'static str; 7],
            /// The way back, by `transfer_id`.
            pub restore: [&'static str; 7],
        }

        #[cfg(test)]
        impl Statements {
            /// All of them by name.
            pub(crate) fn all(&self) -> Vec<(&'static str, &'static str)> {
                let mut all = vec![$((stringify!($name), self.$name)),+];
                all.extend(self.archive.map(|statement| ("archive", statement)));
                all.extend(self.restore.map(|statement| ("restore", statement)));
                all
            }
        }
    };
}

statements! {
    // The reads of the rows that a batch is validated against. The rows that are found are locked
    // until the end of the transaction, by ascending name, where several processes write.

    /// `transfer_id` → `transfer_id, version, kind, provider, status, has_case,
    /// holds_account`.
    facts_transfers,
    /// `core, kind, account` → `core, kind, account, transfer_id`.
    facts_account_locks,
    /// `provider, receipt` → `provider, receipt, transfer_id`.
    facts_receipts,
    /// `client, key` → `client, key, digest, transfer_id`.
    facts_keys,
    /// `inbox_id` → `inbox_id, handled, has_case`.
    facts_items,
    /// `provider, digest` → `provider, digest, inbox_id`.
    facts_arrivals,
    /// `transfer_id` → `transfer_id, day_us, wallet, organisation`.
    facts_uses,
    /// `day_us, provider, operation, currency, wallet` → the same, and `minor, count`.
    facts_totals,
    /// The ordinals, from 1, of arrivals that are not stored → an unused `inbox_id` for each,
    /// ascending.
    inbox_numbers,

    // The writes of a batch. Each statement writes every row that it is given; where several
    // processes write, it leaves out those that another one wrote meanwhile: the number of rows
    // tells.

    /// `transfer_id, seq, at_us, event`.
    put_events,
    /// `transfer_id, msisdn, client_reference, received_us, facts` of transfers that begin.
    new_transfers,
    /// `transfer_id, version, kind, provider, status, is_open, has_case, holds_account, unknown_us,
    /// core_receipt, updated_us, due_us, slot, collecting, collecting_label, state` of those.
    new_states,
    /// The same of transfers that are stored, each at an earlier version.
    put_states,
    /// `transfer_id` of those that let go of their account, if they have it.
    release_account_locks,
    /// `core, kind, account, transfer_id`.
    put_account_locks,
    /// `transfer_id, due_us`.
    put_postponed,
    /// `kind, provider, status, change`.
    put_counts,
    /// `transfer_id, account, currency, minor`.
    put_ledger,
    /// `account, currency, change`.
    put_balances,
    /// `receipt, provider, transfer_id, operation`.
    put_receipts,
    /// `client, key, digest, transfer_id`.
    put_keys,
    /// `term, received_us, transfer_id`; those that are stored are left out.
    put_terms,
    /// `transfer_id` of those that count nowhere any more.
    leave_uses,
    /// `transfer_id, day_us, wallet, organisation`.
    put_uses,
    /// `day_us, provider, operation, currency, wallet, minor, count` of those that have no row yet.
    new_totals,
    /// The same of those that have one.
    put_totals,
    /// Day before, how many at most: removes what counts on days that are over, the oldest first.
    clear_uses,
    /// Day before, how many at most: removes the totals of days that are over, the oldest first.
    clear_totals,
    /// `transfer_id, at_us, news, state`, in the order in which they are numbered.
    put_outbox,
    /// `inbox_id, provider, digest, head, body, at_us`.
    put_arrivals,
    /// `inbox_id, change`.
    put_seen,
    /// `inbox_id, state, due_us, note, postponements`.
    put_inbox,
    /// `subject`.
    close_cases,
    /// `transfer_id`: all cases of these transfers.
    close_transfer_cases,
    /// `subject, transfer_id, kind, step, detail, provider, opened_us`.
    open_cases,
    /// `subject, inbox_id, kind, detail`; provider and time are the item's.
    open_inbox_cases,

    /// `received_us` before which, how many at most → `transfer_id` of settled transfers, the
    /// oldest first. Settled: final, no case, nothing due, no account held.
    archivable,

    // Work between two batches; all but `put_inbox_due` and `mark_published` take a single row, as
    // `archivable` does.

    /// Until, how many at most → `transfer_id, slot`, the longest due first; without those that
    /// another process holds.
    due_for_taking,
    /// Until, how many at most → `inbox_id`, in the same way.
    inbox_due_for_taking,
    /// `inbox_id, due_us`.
    put_inbox_due,
    /// `name, holder, now_us, until_us`: writes one row if the lease is free or the holder's.
    take_lease,
    /// Ended before: removes such leases.
    clear_leases,
    /// `name, holder`.
    release_lease,
    /// `no`.
    mark_published,
    /// An action that is not stored, at version 1; nothing if it is: `id, version, at_us, done_by,
    /// what, subject, why, state, content, judgement, detail, updated_us`.
    new_action,
    /// One that is stored at this version, at the next; nothing if it is at another.
    put_action,
    /// `now_us`: no transfer is due later than that.
    pull_due,
    /// `now_us`: no waiting inbox item is due later than that.
    pull_inbox_due,
    /// `us`: no lease lasts longer than that.
    pull_leases,
    /// `now_us`: no hold is probed later than that, or began later.
    pull_holds,
    /// `provider, operation, condition, detail, held_by, since_us, probe_us`; what is held already
    /// keeps its `since_us`.
    put_hold,
    /// `provider, operation, condition`.
    release_hold,
    /// `subject, kind, operation, detail, provider, opened_us`; a case that is open keeps its
    /// `opened_us`.
    open_hold_case,
    /// `subject, provider, operation`: the case ends unless a hold that is a case is left.
    close_hold_case,

    // Queries.

    /// A transfer, archived or not → `seq, at_us, event` in order. Where a database reads several
    /// journals in one query, it is given their transfers, and answers with `transfer_id` too.
    journal,
    /// A transfer, archived or not → `account, currency, minor` in order.
    postings,
    /// A transfer, archived or not → `facts, state`, the two parts of its summary.
    summary,

    // A search goes in by one of several ways, the narrowest that the query allows, and filters the
    // rest. 1 is what the way looks for, 2 to 5 and 10 to 15 the filters (statuses, kind, provider,
    // msisdn, client reference, cores, providers, kinds, and the terms of account and amount), 6 and 7 the bounds in time, both included, 7 and 8 the position to
    // go on from, 9 the page. All answer with `no, received_us, facts, state`, newest first.

    /// By nothing.
    search_all,
    /// By provider, kind and status, of which any is given; the first parameter is none.
    search_standing,
    /// By wallet.
    search_msisdn,
    /// By the client's reference.
    search_client_reference,
    /// By a term.
    search_term,
    /// By receipt, of a provider or of a core; archived or not.
    search_receipt,

    /// Until, how many → `transfer_id, due_us`, the longest due first.
    due,
    /// → `due_us`.
    next_due,
    /// → `facts, state` of each, in the order of first commits.
    holding_accounts,
    /// `provider, collecting, msisdn, collecting_label`, the last two if they matter → `id`.
    collections,
    /// Receipt, provider → `transfer_id`.
    by_receipt,
    /// Client, key → `transfer_id, digest`.
    key_holder,
    /// Provider, digest → the columns of `inbox_item`.
    arrived,
    /// Until, how many → `inbox_id, provider, head, body, at_us, arrivals, attempts, state, due_us,
    /// note`, the longest due first.
    inbox_due,
    /// An item → the same columns.
    inbox_item,
    /// Opened at or before, subject before which at that very time or none, how many → `subject,
    /// transfer_id, inbox_id, kind, step, detail, provider, opened_us, operation`, newest first.
    cases,
    /// → `account, currency, minor`.
    ledger,
    /// → `kind, provider, status, count`, those above zero.
    counts,
    /// Until → how many.
    due_count,
    /// Statuses → `received_us`.
    oldest_open,
    /// → `unknown_us`.
    oldest_unknown,
    /// → `account, currency, minor` of the suspense accounts that are not empty.
    suspense,
    /// → how many.
    inbox_waiting_count,
    /// → how many.
    quarantined_count,
    /// Prefix, now, how many → `name, holder, until_us` of those that have not ended, by name.
    leases,
    /// The largest number of rows → `no, at_us, news, facts, state`, in order.
    outbox,
    /// An action → its columns, and its number.
    action,
    /// Asked for at or before, number before which at that very time, how many → the same of each,
    /// newest first.
    actions_all,
    /// The same of those that can still be approved or declined.
    actions_open,
    /// → `provider, operation, condition, detail, held_by, since_us, probe_us`, in order.
    holds,
    /// → a number.
    ping,

    // The requests of cores. A row goes in alone, in a transaction of its own: `core, request,
    // version, state, generation, transfer_id, content, detail, decisions, heard_us, updated_us`.

    /// One that is not stored, at version 1; nothing if it is.
    new_core_request,
    /// One that is stored at this version, at the next; nothing if it is at another.
    put_core_request,

    // All answer with the columns of a row.

    /// Core, names with commas between → those that are stored.
    core_requests_known,
    /// Core, how many → those accepted, the longest unchanged first.
    core_requests_accepted,
    /// Core or any, heard at or before, number before which at that very time, how many → those
    /// that wait for a person, and their number, newest first.
    core_requests_waiting,
    /// The same of all.
    core_requests_all,
}
