//! The database file: made, opened, closed.

use crate::error::StoreError;
use crate::migrations;
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use std::fs::{OpenOptions, Permissions};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

/// How long a statement waits for another process that holds the database.
const BUSY: Duration = Duration::from_secs(5);

/// How often two processes that bring the tables up together may meet.
const MEETINGS: u32 = 8;

/// How long the first of them is waited for; each time as much longer.
const MEETING: Duration = Duration::from_millis(10);

/// How long a caller waits for a free connection.
const QUEUE: Duration = Duration::from_secs(5);

/// An open database; clones share its connections.
#[derive(Clone, Debug)]
pub struct Store {
    /// Exactly one connection: writers queue here instead of meeting `SQLITE_BUSY`.
    pub(crate) writer: SqlitePool,
    pub(crate) readers: SqlitePool,
}

impl Store {
    /// Opens the database at `path`, makes it when it is not there, and brings its tables up to date.
    /// The file is readable by its owner alone; SQLite gives its log files the same mode.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        make_private(path).map_err(|source| StoreError::File {
            path: path.to_owned(),
            source,
        })?;
        let failed = |source| StoreError::Open {
            path: path.to_owned(),
            source,
        };
        // FULL, not NORMAL: a spool file is removed once its rows are committed, so the commit must be on disk.
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY)
            .pragma("cache_size", "-1024")
            .optimize_on_close(true, None);
        let writer = connected(pool(1, None), &options).await.map_err(failed)?;
        // Another process may bring them up in the same moment: where both met, the next attempt finds its step done.
        let mut migrated = migrations::all().run(&writer).await;
        for _ in 0..MEETINGS {
            if migrated.is_ok() {
                break;
            }
            migrated = migrations::all().run(&writer).await;
        }
        if let Err(source) = migrated {
            writer.close().await;
            return Err(StoreError::Migrate {
                path: path.to_owned(),
                source,
            });
        }
        let readers = options
            .pragma("query_only", "on")
            .optimize_on_close(false, None);
        let idle = Some(Duration::from_secs(60));
        let readers = connected(pool(3, idle), &readers).await.map_err(failed)?;
        Ok(Self { writer, readers })
    }

    /// Closes every connection and folds the write-ahead log into the database file.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// Opens the connections. While another process switches a new file to its log, SQLite says at once that the file is
/// locked, however long a statement would wait.
async fn connected(
    pool: SqlitePoolOptions,
    options: &SqliteConnectOptions,
) -> sqlx::Result<SqlitePool> {
    for meeting in 1..=MEETINGS {
        match pool.clone().connect_with(options.clone()).await {
            Err(why) if is_locked(&why) => tokio::time::sleep(MEETING * meeting).await,
            connected => return connected,
        }
    }
    pool.connect_with(options.clone()).await
}

/// `SQLITE_BUSY`.
fn is_locked(why: &sqlx::Error) -> bool {
    let database = why.as_database_error();
    database.and_then(|why| why.code()).as_deref() == Some("5")
}

fn pool(connections: u32, idle: Option<Duration>) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(QUEUE)
        .idle_timeout(idle)
        .max_lifetime(None)
}

fn make_private(path: &Path) -> std::io::Result<()> {
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)?;
    file.set_permissions(Permissions::from_mode(0o600))
}
