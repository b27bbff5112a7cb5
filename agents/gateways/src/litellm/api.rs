//! LiteLLM's own interface, as far as it is used here. Read in and against LiteLLM 1.102.4; what needs its database was read
//! in its source alone.

use super::held::{Held, Key, Model};
use crate::GatewayError;
use crate::http::{Answer, Ask, Lane};
use http::{HeaderValue, Method, StatusCode, header};
use net_model::Secret;
use serde::Deserialize;
use serde_json::json;
use std::net::SocketAddr;
use std::time::Duration;

/// Keys of one page; LiteLLM gives no more at once.
const PAGE: usize = 100;
/// Most pages that are read: beyond, what is there is not known.
const PAGES: u64 = 20;
/// Connections for blocking: LiteLLM takes some 20 ms for a call, mostly waiting for its database.
const HANDS: usize = 4;

/// One LiteLLM.
#[derive(Debug)]
pub(super) struct Api {
    key: HeaderValue,
    looks: Lane,
    orders: [Lane; HANDS],
}

#[derive(Deserialize)]
struct Readiness {
    #[serde(default)]
    db: String,
}

#[derive(Deserialize)]
struct KeyPage {
    keys: Vec<Key>,
    #[serde(default)]
    total_pages: Option<u64>,
}

#[derive(Deserialize)]
struct Models {
    data: Vec<Model>,
}

impl Api {
    /// # Errors
    /// When the key cannot stand in a header field.
    pub(super) fn new(at: SocketAddr, key: &Secret) -> Result<Self, GatewayError> {
        let bearer = format!("Bearer {}", key.expose());
        let mut key = HeaderValue::try_from(bearer)
            .map_err(|_| GatewayError::Refused("the master key cannot be sent".to_owned()))?;
        key.set_sensitive(true);
        Ok(Self {
            key,
            looks: Lane::new(at),
            orders: std::array::from_fn(|_| Lane::new(at)),
        })
    }

    async fn get(&self, path: &str, limit: Duration) -> Result<Answer, GatewayError> {
        let ask = Ask::new(Method::GET, path).header(header::AUTHORIZATION, self.key.clone());
        Ok(self.looks.call(&ask, limit).await?)
    }

    /// Whether it runs at all.
    pub(super) async fn alive(&self, limit: Duration) -> Result<(), GatewayError> {
        good(&self.get("/health/liveliness", limit).await?)
    }

    /// Whether it has a database.
    async fn database(&self, limit: Duration) -> Result<bool, GatewayError> {
        let answer = self.get("/health/readiness", limit).await?;
        // Without one it says `Not connected`; an answer that is not 200 says that the one it has does not answer.
        good(&answer)?;
        Ok(answer.json::<Readiness>()?.db == "connected")
    }

    /// Everything that is needed to say what a cut closes here.
    pub(super) async fn held(&self, limit: Duration) -> Result<Held, GatewayError> {
        let database = self.database(limit).await?;
        let answer = self.get("/model/info", limit).await?;
        good(&answer)?;
        let models = answer.json::<Models>()?.data;
        let keys = if database {
            self.keys(limit).await?
        } else {
            Vec::new()
        };
        Ok(Held {
            keys,
            models,
            database,
        })
    }

    async fn keys(&self, limit: Duration) -> Result<Vec<Key>, GatewayError> {
        let mut keys = Vec::new();
        for page in 1..=PAGES {
            let path = format!("/key/list?return_full_object=true&page={page}&size={PAGE}");
            let answer = self.get(&path, limit).await?;
            good(&answer)?;
            let found: KeyPage = answer.json()?;
            let pages = found.total_pages.unwrap_or(1);
            keys.extend(found.keys);
            if page >= pages {
                return Ok(keys);
            }
        }
        let text = format!("it has more than {} keys", PAGES * PAGE as u64);
        Err(GatewayError::Garbled(text))
    }

    /// Blocks or unblocks all of these, a few at a time; the first failure is told, the others are tried all the same.
    pub(super) async fn set(
        &self,
        what: What,
        ids: &[&String],
        blocked: bool,
        limit: Duration,
    ) -> Result<(), GatewayError> {
        let hands = self.orders.iter().enumerate();
        let mut works = hands.map(|(at, lane)| {
            let mine = ids.iter().skip(at).step_by(HANDS);
            async move {
                let mut first = Ok(());
                for id in mine {
                    let done = self.set_one(lane, what, id, blocked, limit).await;
                    first = first.and(done);
                }
                first
            }
        });
        let (Some(a), Some(b), Some(c), Some(d)) =
            (works.next(), works.next(), works.next(), works.next())
        else {
            return Ok(());
        };
        let (a, b, c, d) = tokio::join!(a, b, c, d);
        a.and(b).and(c).and(d)
    }

    async fn set_one(
        &self,
        lane: &Lane,
        what: What,
        id: &str,
        blocked: bool,
        limit: Duration,
    ) -> Result<(), GatewayError> {
        let (path, body) = match (what, blocked) {
            (What::Key, true) => ("/key/block", json!({ "key": id })),
            (What::Key, false) => ("/key/unblock", json!({ "key": id })),
            (What::Model, true) => ("/model/block", json!({ "model_id": id })),
            (What::Model, false) => ("/model/unblock", json!({ "model_id": id })),
        };
        let ask = Ask::new(Method::POST, path)
            .header(header::AUTHORIZATION, self.key.clone())
            .json(&body);
        good(&lane.call(&ask, limit).await?)
    }
}

/// What is blocked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Key,
    Model,
}

/// What every refusal of LiteLLM may hold; which, depends on the path.
#[derive(Deserialize)]
struct Problem {
    #[serde(default)]
    error: serde_json::Value,
    #[serde(default)]
    detail: serde_json::Value,
}

/// An answer of 200, or a sentence that says why not. Of what LiteLLM says only known words are passed on: it quotes keys.
fn good(answer: &Answer) -> Result<(), GatewayError> {
    if answer.status == StatusCode::OK {
        return Ok(());
    }
    let said = serde_json::from_slice::<Problem>(&answer.body).map_or_else(
        |_| String::new(),
        |problem| format!("{} {}", problem.error, problem.detail).to_lowercase(),
    );
    let no_database = [
        "no connected db",
        "db not connected",
        "database not connected",
        "no_db_connection",
    ];
    let why = if no_database.iter().any(|words| said.contains(words)) {
        "it has no database, or the key is not its master key".to_owned()
    } else if said.contains("config-based model") {
        "a model that stands in its file cannot be blocked".to_owned()
    } else if matches!(answer.status.as_u16(), 401 | 403) {
        "the key is not its master key".to_owned()
    } else {
        format!("it answers {}", answer.status.as_u16())
    };
    Err(GatewayError::Refused(why))
}
