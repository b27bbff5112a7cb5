//! Figures and instants as SQLite keeps them: signed 64-bit integers.

use kill_wire::Timestamp;

/// Columns are signed; what does not fit stays at the most there is.
pub(crate) fn to_column(figure: u64) -> i64 {
    i64::try_from(figure).unwrap_or(i64::MAX)
}

pub(crate) fn to_time(column: i64) -> Timestamp {
    Timestamp::from_millis(column.unsigned_abs())
}
