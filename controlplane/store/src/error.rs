//! What can go wrong with the database.

use std::path::PathBuf;

/// What was tried; the source says why it failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file cannot be made or its permissions set.
    #[error("the database file {path} cannot be prepared")]
    File {
        /// The database file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is no database of ours, damaged, or cannot be read.
    #[error(
        "the database {path} cannot be opened; it holds only usage figures and sign-ins, and no cut depends on it: \
         move {path}, {path}-wal and {path}-shm aside and start again"
    )]
    Open {
        /// The database file.
        path: PathBuf,
        /// Why.
        source: sqlx::Error,
    },
    /// The tables could not be brought up to date.
    #[error(
        "the tables of {path} cannot be brought up to this version; was it written by a newer one? It holds only usage \
         figures and sign-ins: move {path}, {path}-wal and {path}-shm aside and start again"
    )]
    Migrate {
        /// The database file.
        path: PathBuf,
        /// Why.
        source: sqlx::migrate::MigrateError,
    },
    /// A query failed.
    #[error("the database could not {tried}")]
    Query {
        /// What was asked of it, such as `take in usage`.
        tried: &'static str,
        /// Why.
        source: sqlx::Error,
    },
    /// A row that this version cannot have written.
    #[error("the database holds a {0} that this version does not understand")]
    Row(&'static str),
}

/// Names what a query was for.
pub(crate) trait Tried<T> {
    fn tried(self, what: &'static str) -> Result<T, StoreError>;
}

impl<T> Tried<T> for Result<T, sqlx::Error> {
    fn tried(self, what: &'static str) -> Result<T, StoreError> {
        self.map_err(|source| StoreError::Query {
            tried: what,
            source,
        })
    }
}
