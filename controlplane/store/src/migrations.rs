//! The dated steps from an empty file to today's tables. They run at open and nowhere else.

use sqlx::SqlSafeStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

/// Date and number, name, text. A step that has been released is never edited; a change is a new step.
const STEPS: &[(i64, &str, &str)] = &[
    (
        20_261_121_000_001,
        "usage",
        include_str!("../../../migrations/sqlite/20261121000001_usage.sql"),
    ),
    (
        20_261_121_000_002,
        "sessions",
        include_str!("../../../migrations/sqlite/20261121000002_sessions.sql"),
    ),
    (
        20_261_121_000_003,
        "money",
        include_str!("../../../migrations/sqlite/20261121000003_money.sql"),
    ),
    (
        20_261_121_000_004,
        "remarks",
        include_str!("../../../migrations/sqlite/20261121000004_remarks.sql"),
    ),
    (
        20_261_121_000_005,
        "hosts",
        include_str!("../../../migrations/sqlite/20261121000005_hosts.sql"),
    ),
    (
        20_261_121_000_006,
        "inventory",
        include_str!("../../../migrations/sqlite/20261121000006_inventory.sql"),
    ),
    (
        20_261_122_000_001,
        "zones",
        include_str!("../../../migrations/sqlite/20261122000001_zones.sql"),
    ),
    (
        20_261_122_000_002,
        "sources",
        include_str!("../../../migrations/sqlite/20261122000002_sources.sql"),
    ),
    (
        20_261_122_000_011,
        "roles",
        include_str!("../../../migrations/sqlite/20261122000011_roles.sql"),
    ),
    (
        20_261_122_000_012,
        "changes",
        include_str!("../../../migrations/sqlite/20261122000012_changes.sql"),
    ),
    (
        20_261_122_000_013,
        "provider",
        include_str!("../../../migrations/sqlite/20261122000013_provider.sql"),
    ),
    (
        20_261_122_000_021,
        "stories",
        include_str!("../../../migrations/sqlite/20261122000021_stories.sql"),
    ),
    (
        20_261_122_000_022,
        "tokens",
        include_str!("../../../migrations/sqlite/20261122000022_tokens.sql"),
    ),
    (
        20_261_122_000_031,
        "usage_days",
        include_str!("../../../migrations/sqlite/20261122000031_usage_days.sql"),
    ),
    (
        20_261_122_000_040,
        "consumers",
        include_str!("../../../migrations/sqlite/20261122000040_consumers.sql"),
    ),
    (
        20_261_122_000_091,
        "counted",
        include_str!("../../../migrations/sqlite/20261122000091_counted.sql"),
    ),
    (
        20_261_122_100_021,
        "passkeys",
        include_str!("../../../migrations/sqlite/20261122100021_passkeys.sql"),
    ),
    (
        20_261_122_100_030,
        "usage_sides",
        include_str!("../../../migrations/sqlite/20261122100030_usage_sides.sql"),
    ),
    (
        20_261_122_100_031,
        "alerts_firing",
        include_str!("../../../migrations/sqlite/20261122100031_alerts_firing.sql"),
    ),
    (
        20_261_122_130_001,
        "drives",
        include_str!("../../../migrations/sqlite/20261122130001_drives.sql"),
    ),
];

/// The first `count` steps; all of them outside tests.
fn first(count: usize) -> Migrator {
    let steps = STEPS.iter().take(count).map(|(version, name, sql)| {
        let kind = MigrationType::Simple;
        Migration::new(*version, (*name).into(), kind, sql.into_sql_str(), false)
    });
    Migrator::with_migrations(steps.collect())
}

/// Every step.
pub(crate) fn all() -> Migrator {
    first(STEPS.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NewSession, Store};
    use kill_wire::Timestamp;
    use net_model::{KeyHash, MicroDollars};
    use sqlx::SqlitePool;
    use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
    use std::path::Path;

    #[test]
    fn every_file_of_the_folder_is_a_step() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations/sqlite");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        let steps: Vec<String> = STEPS
            .iter()
            .map(|(version, name, _)| format!("{version}_{name}.sql"))
            .collect();
        assert_eq!(files, steps);
    }

    /// A database as it was after so many steps.
    async fn of_steps(path: &Path, steps: usize) -> SqlitePool {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true);
        let old = SqlitePoolOptions::new()
            .connect_with(options)
            .await
            .unwrap();
        first(steps).run(&old).await.unwrap();
        old
    }

    #[tokio::test]
    async fn an_old_database_is_brought_up_and_keeps_its_rows() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("portcullis.db");
        let old = of_steps(&path, 1).await;
        sqlx::query(
            "insert into usage values ('a-1', 5000, 'claw', 'chat', 'ollama', 'local', 'm', 1, 200, 3, 4, 0, 10, 'complete', null),
              ('a-2', 5000, 'claw', 'chat', 'far', 'cloud', 'm', 1, 200, 0, 0, 0, 10, 'complete', null)",
        )
        .execute(&old)
        .await
        .unwrap();
        old.close().await;

        let store = Store::open(&path).await.unwrap();

        let totals = store.usage_since(Timestamp::default()).await.unwrap();
        assert_eq!(totals.completion_tokens, 4);
        // What ran in the house cost nothing; of what ran elsewhere nobody knows any more.
        assert_eq!((totals.cost, totals.unknown_price), (MicroDollars::ZERO, 1));
        let now = Timestamp::from_millis(1);
        let hash = KeyHash::of(b"token");
        store
            .create_session(hash, &NewSession::by_link(now, now.plus_millis(10)))
            .await
            .unwrap();
        assert!(store.find_session(hash, now).await.unwrap().is_some());
        store.close().await;
        Store::open(&path).await.unwrap().close().await;
    }

    #[tokio::test]
    async fn who_said_before_that_he_drives_gateways_is_known_to() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("portcullis.db");
        let before = STEPS.iter().position(|(_, name, _)| *name == "drives");
        let old = of_steps(&path, before.unwrap()).await;
        for (host, facts) in [
            ("gw1", r#"{"driven":[{"name":"edge"}]}"#),
            ("claw1", r#"{"agent":{"version":"\"driven\":[{"}}"#),
        ] {
            sqlx::query(
                "insert into host_latest (host, at, seq, boot, up_ms, claimed_at, lost, refused, facts, address, dial)
                 values ($1, 5, 1, 'aa', 1, 1, 0, 0, $2, '198.18.30.2', 'out')",
            )
            .bind(host)
            .bind(facts)
            .execute(&old)
            .await
            .unwrap();
        }
        old.close().await;

        let store = Store::open(&path).await.unwrap();
        let [one] = &store.hosts_that_drive(9).await.unwrap()[..] else {
            panic!("what only sounds like it is not it")
        };
        assert_eq!((one.host.as_str(), &one.zone), ("gw1", &None));
    }

    #[tokio::test]
    async fn several_that_open_a_new_database_in_the_same_moment_all_come_through() {
        for _ in 0..5 {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("portcullis.db");
            let open = async || Store::open(&path).await.map(drop);
            let (a, b, c, d) = tokio::join!(open(), open(), open(), open());
            for opened in [a, b, c, d] {
                opened.unwrap();
            }
        }
    }
}
