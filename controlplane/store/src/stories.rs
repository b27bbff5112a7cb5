//! What became of requests, for who asks why later: each told of once, found by the gateway's id and by those of
//! neighbours.

use crate::columns::{to_column, to_time};
use crate::error::{StoreError, Tried};
use crate::open::Store;
use kill_wire::{Class, Incident, Timestamp};
use net_model::{Alias, Api, Ended, Explanation, MicroDollars, Story, UsageRecord};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, Sqlite, Transaction};

/// Most stories that are kept, some 100 MB at worst.
pub const MOST_STORIES: u64 = 200_000;

/// Most that one id of a neighbour finds.
const MOST_FOUND: u32 = 20;

const TRIED: &str = "look for a request";

/// Behind which story a list goes on: what follows is older, or of the same instant with an id that sorts before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoryMark {
    /// When the story was told.
    pub at: Timestamp,
    /// Its id.
    pub id: String,
}

impl Store {
    /// What was told of a request: by its own id, else by what a neighbour calls it, newest first.
    pub async fn stories_of(&self, word: &Alias) -> Result<Vec<Story>, StoreError> {
        let own: Option<String> = sqlx::query_scalar("select story from stories where id = $1")
            .bind(word.as_str())
            .fetch_optional(&self.readers)
            .await
            .tried(TRIED)?;
        let rows = match own {
            Some(own) => vec![own],
            None => sqlx::query_scalar(
                "select story from stories where asked_as = $1 or trace = $1 or told_as = $1 order by at desc limit $2",
            )
            .bind(word.as_str())
            .bind(i64::from(MOST_FOUND))
            .fetch_all(&self.readers)
            .await
            .tried(TRIED)?,
        };
        let stories = rows.iter().map(|text| serde_json::from_str(text));
        stories
            .collect::<Result<_, _>>()
            .map_err(|_| StoreError::Row("story of a request"))
    }

    /// One request explained, asked for by any of its ids; of several with a neighbour's id the newest. `None`: nothing is
    /// known of it (any more, or yet).
    pub async fn explain(&self, word: &Alias) -> Result<Option<Explanation>, StoreError> {
        let mut stories = self.stories_of(word).await?.into_iter();
        let story = stories.next();
        let id = story.as_ref().map_or(word.as_str(), |story| &story.id);
        let usage = self.usage_of(id).await?;
        let explanation = Explanation::of(story, usage);
        Ok(explanation.map(|explanation| Explanation {
            others: stories.map(|story| story.id).collect(),
            ..explanation
        }))
    }

    /// The newest stories, newest first: those that stand behind `after`.
    pub async fn stories(
        &self,
        after: Option<&StoryMark>,
        limit: u32,
    ) -> Result<Vec<Story>, StoreError> {
        let (at, id) = after.map_or((i64::MAX, ""), |mark| {
            (to_column(mark.at.millis()), mark.id.as_str())
        });
        let rows: Vec<String> = sqlx::query_scalar(
            "select story from stories where at <= $1 and (at < $1 or id < $2)
             order by at desc, id desc limit $3",
        )
        .bind(at)
        .bind(id)
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await
        .tried("read what was told of requests")?;
        let stories = rows.iter().map(|text| serde_json::from_str(text));
        stories
            .collect::<Result<_, _>>()
            .map_err(|_| StoreError::Row("story of a request"))
    }

    /// What stands in the ledger under this id.
    pub async fn usage_of(&self, id: &str) -> Result<Option<UsageRecord>, StoreError> {
        let row = sqlx::query("select * from usage where id = $1")
            .bind(id)
            .fetch_optional(&self.readers)
            .await
            .tried(TRIED)?;
        row.map(|row| record(&row)).transpose()
    }

    /// Removes stories older than `before`, and of the rest the oldest beyond `most`; returns how many.
    pub async fn purge_stories(&self, before: Timestamp, most: u64) -> Result<u64, StoreError> {
        let old = sqlx::query("delete from stories where at < $1")
            .bind(to_column(before.millis()))
            .execute(&self.writer)
            .await
            .tried("remove old stories")?;
        let beyond = sqlx::query(
            "delete from stories where at <= (select at from stories order by at desc limit 1 offset $1)",
        )
        .bind(to_column(most))
        .execute(&self.writer)
        .await
        .tried("remove old stories")?;
        Ok(old.rows_affected() + beyond.rows_affected())
    }
}

/// Keeps a story; one whose id is known is left as it is.
pub(crate) async fn keep(
    tx: &mut Transaction<'_, Sqlite>,
    story: &Story,
) -> Result<(), StoreError> {
    // Texts and numbers: nothing in it can fail.
    let text = serde_json::to_string(story).unwrap_or_default();
    sqlx::query(
        "insert into stories (id, at, asked_as, trace, told_as, story) values ($1, $2, $3, $4, $5, $6)
         on conflict (id) do nothing",
    )
    .bind(&story.id)
    .bind(to_column(story.at.millis()))
    .bind(story.asked_as.as_ref().map(Alias::as_str))
    .bind(story.trace.as_ref().map(Alias::as_str))
    .bind(story.told_as.as_ref().map(Alias::as_str))
    .bind(text)
    .execute(&mut **tx)
    .await
    .tried("keep what was told of a request")?;
    Ok(())
}

fn record(row: &SqliteRow) -> Result<UsageRecord, StoreError> {
    let text = |column: &str| row.try_get::<String, _>(column).tried(TRIED);
    let figure = |column: &str| {
        let figure = row.try_get::<i64, _>(column).tried(TRIED)?;
        Ok::<_, StoreError>(figure.unsigned_abs())
    };
    let maybe = |column: &str| {
        let figure = row.try_get::<Option<i64>, _>(column).tried(TRIED)?;
        Ok::<_, StoreError>(figure.map(i64::unsigned_abs))
    };
    let name = |column: &str| {
        let name = text(column)?.parse();
        name.map_err(|_| StoreError::Row("name"))
    };
    let ended = text("ended")?;
    let api = text("api")?;
    let from: Option<String> = row.try_get("fell_back_from").tried(TRIED)?;
    let incident = maybe("incident")?.map(|number| number.to_string().parse::<Incident>());
    Ok(UsageRecord {
        id: text("id")?,
        at: to_time(row.try_get("at").tried(TRIED)?),
        consumer: name("consumer")?,
        route: name("route")?,
        target: name("target")?,
        class: match text("class")?.as_str() {
            "local" => Class::Local,
            _ => Class::Cloud,
        },
        model: text("model")?,
        stream: figure("stream")? != 0,
        status: u16::try_from(figure("status")?).unwrap_or(u16::MAX),
        prompt_tokens: figure("prompt_tokens")?,
        completion_tokens: figure("completion_tokens")?,
        estimated: figure("estimated")? != 0,
        took_ms: figure("took_ms")?,
        ended: Ended::ALL
            .into_iter()
            .find(|it| it.as_str() == ended)
            .ok_or(StoreError::Row("end of an exchange"))?,
        incident: incident
            .transpose()
            .map_err(|_| StoreError::Row("incident"))?,
        api: Api::ALL
            .into_iter()
            .find(|it| it.as_str() == api)
            .ok_or(StoreError::Row("API"))?,
        cached_tokens: figure("cached_tokens")?,
        reasoning_tokens: figure("reasoning_tokens")?,
        cost: maybe("cost")?.map(MicroDollars),
        fell_back_from: from
            .map(|from| from.parse())
            .transpose()
            .map_err(|_| StoreError::Row("name"))?,
        first_byte_ms: maybe("first_byte_ms")?,
    })
}
