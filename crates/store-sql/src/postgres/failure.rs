//! The meaning of a failure for the batch that met it.

use kiungo_store::StoreError;

use crate::batch::BackendError;
use crate::sql::read;

/// `feature_not_supported`: "cached plan must not change result type". No statement of ours is of a
/// kind that the server does not know.
const PLANS: &str = "0A000";

/// `idle_in_transaction_session_timeout`: this process was frozen, or cut off.
const IDLE: &str = "25P03";

/// True if the connection holds plans of another schema: another process has changed the schema. The
/// connection is of no use any more, and nothing was applied.
pub(super) fn is_of_the_plans(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.as_deref() == Some(PLANS)
}

/// Before the commit was asked for: nothing was applied.
pub(super) fn before_commit(error: &sqlx::Error) -> BackendError {
    let told = read::unavailable(error);
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    match code.as_deref() {
        Some(code) if is_of_a_row(code) => BackendError::Row(told),
        Some(code) if is_passing(code) => BackendError::Again(told),
        None if is_of_the_connection(error) => BackendError::Again(told),
        _ => BackendError::Store(told),
    }
}

/// At the commit: only if the server refused it, or had ended the transaction before, nothing was applied
/// for sure.
pub(super) fn at_commit(error: &sqlx::Error) -> BackendError {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    match code.as_deref() {
        Some(code) if code.starts_with("40") || code == IDLE => before_commit(error),
        _ => BackendError::Store(read::unavailable(error)),
    }
}

/// The server did not answer in time; it is not known whether it carried out the last statement.
pub(super) fn silent() -> StoreError {
    StoreError::Unavailable("the database does not answer".to_owned())
}

/// Data exceptions, constraints, and values that are too large for an index.
fn is_of_a_row(code: &str) -> bool {
    code.starts_with("22") || code.starts_with("23") || code.starts_with("54")
}

/// Lost races, and a server that is going down or coming up.
fn is_passing(code: &str) -> bool {
    const PASSING: [&str; 10] = [
        "40001", // serialization_failure
        "40P01", // deadlock_detected
        "55P03", // lock_not_available: waited too long for one
        IDLE, PLANS, "53300", // too_many_connections
        "57P01", // admin_shutdown
        "57P02", // crash_shutdown
        "57P03", // cannot_connect_now
        "57P05", // idle_session_timeout
    ];
    PASSING.contains(&code) || code.starts_with("08")
}

fn is_of_the_connection(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_connection_is_tried_again_before_the_commit_only() {
        let broken = sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into());
        assert!(matches!(before_commit(&broken), BackendError::Again(_)));
        assert!(matches!(at_commit(&broken), BackendError::Store(_)));
        assert!(matches!(before_commit(&sqlx::Error::RowNotFound), BackendError::Store(_)));
    }

    /// A server that is down, going down or coming up is never taken for what a request holds.
    #[test]
    fn a_server_that_is_not_there_is_tried_again() {
        let refused = sqlx::Error::Io(std::io::ErrorKind::ConnectionRefused.into());
        let gone = sqlx::Error::Protocol("unexpected end".to_owned());
        for error in [refused, gone] {
            let again = before_commit(&error);
            assert!(matches!(again, BackendError::Again(StoreError::Unavailable(_))), "{again:?}");
        }
        let timed_out = before_commit(&sqlx::Error::PoolTimedOut).into_store();
        assert!(matches!(timed_out, StoreError::Unavailable(_)));
    }

    #[test]
    fn codes_of_rows_and_of_passing_states_are_told_apart() {
        for code in ["23505", "22003", "22021", "54000"] {
            assert!(is_of_a_row(code) && !is_passing(code), "{code}");
        }
        for code in ["40001", "40P01", "25P03", "57P01", "57P02", "57P03", "08006"] {
            assert!(is_passing(code) && !is_of_a_row(code), "{code}");
        }
        for code in ["42P01", "53100", "58030", "57014"] {
            assert!(!is_passing(code) && !is_of_a_row(code), "{code}");
        }
    }
}
