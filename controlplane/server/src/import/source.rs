//! Reads an existing set-up. **Invariant:** nothing but GET is ever sent.

use super::found::at;
use crate::http;
use crate::private;
use anyhow::{Context as _, bail, ensure};
use net_model::{BaseUrl, Secret};
use reqwest::StatusCode;
use serde_json::{Map, Value, json};
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

/// Longest file or answer in bytes.
const LONGEST: u64 = 16 * 1024 * 1024;
const LIMIT: Duration = Duration::from_secs(20);
/// Pages of keys that are read; each has a hundred.
const PAGES: u64 = 20;

/// A YAML or JSON file. What is wrong is said by its place: a line may hold a key.
pub(super) fn file(path: &Path) -> anyhow::Result<Value> {
    let shown = path.display();
    let mut text = String::new();
    let file = File::open(path).with_context(|| format!("cannot read {shown}"))?;
    file.take(LONGEST + 1)
        .read_to_string(&mut text)
        .with_context(|| format!("cannot read {shown}"))?;
    ensure!(
        text.len() as u64 <= LONGEST,
        "{shown} is longer than {LONGEST} bytes"
    );
    let options = serde_saphyr::options! { with_snippet: false };
    let value: Value = serde_saphyr::from_str_with_options(&text, options).map_err(|why| {
        let at = why
            .location()
            .map_or_else(String::new, |at| format!(", line {}", at.line()));
        anyhow::anyhow!("{shown} is no YAML of one document{at}")
    })?;
    ensure!(value.is_object(), "{shown} holds no configuration");
    Ok(value)
}

/// One server, asked with its key in the header field that it wants.
pub(super) struct Server<'a> {
    base: &'a BaseUrl,
    header: &'static str,
    value: String,
    client: reqwest::Client,
}

impl<'a> Server<'a> {
    fn new(base: &'a BaseUrl, header: &'static str, value: String) -> anyhow::Result<Self> {
        Ok(Self {
            base,
            header,
            value,
            client: http::client(LIMIT)?,
        })
    }

    async fn get(&self, path: &str) -> anyhow::Result<(StatusCode, Value)> {
        let url = self.base.join(path);
        let request = self.client.get(&url).header(self.header, &self.value);
        let mut answer = request
            .send()
            .await
            .with_context(|| format!("{url} does not answer"))?;
        let status = answer.status();
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            body.extend_from_slice(&chunk);
            ensure!(
                body.len() as u64 <= LONGEST,
                "{url}: the answer is longer than {LONGEST} bytes"
            );
        }
        let value = serde_json::from_slice(&body).unwrap_or(Value::Null);
        Ok((status, value))
    }

    async fn need(&self, path: &str) -> anyhow::Result<Value> {
        let (status, value) = self.get(path).await?;
        match status {
            StatusCode::OK => Ok(value),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                bail!("{} refuses the key", self.base)
            }
            other => bail!("{} answers {other} to GET {path}", self.base),
        }
    }
}

fn key(file: &Path) -> anyhow::Result<Secret> {
    private::secret(file)
}

/// A running LiteLLM: its models as its file would have them, and its keys where it has a database.
pub(super) async fn litellm(
    base: &BaseUrl,
    key_file: &Path,
) -> anyhow::Result<(Value, Vec<Value>)> {
    let bearer = format!("Bearer {}", key(key_file)?.expose());
    let server = Server::new(base, "authorization", bearer)?;
    let models = server.need("/model/info").await?;
    let mut keys = Vec::new();
    for page in 1..=PAGES {
        let path = format!("/key/list?return_full_object=true&page={page}&size=100");
        let (status, found) = server.get(&path).await?;
        // Without a database it answers 500.
        if status != StatusCode::OK {
            break;
        }
        keys.extend(at(&found, "/keys").as_array().cloned().unwrap_or_default());
        if page >= at(&found, "/total_pages").as_u64().unwrap_or(1) {
            break;
        }
    }
    Ok((json!({ "model_list": at(&models, "/data") }), keys))
}

/// A running APISIX, by its admin API: object by object, or the whole document of a standalone one.
pub(super) async fn apisix(
    admin: &BaseUrl,
    key_file: &Path,
    kinds: &[&str],
) -> anyhow::Result<Value> {
    let server = Server::new(admin, "x-api-key", key(key_file)?.expose().to_owned())?;
    let (status, routes) = server.get("/apisix/admin/routes").await?;
    if status == StatusCode::UNAUTHORIZED || status == StatusCode::FORBIDDEN {
        bail!("{admin} refuses the key");
    }
    if status != StatusCode::OK {
        return server.need("/apisix/admin/configs").await;
    }
    let mut all = Map::new();
    all.insert("routes".to_owned(), objects(&routes));
    for kind in kinds.iter().filter(|kind| **kind != "routes") {
        let (status, listed) = server.get(&format!("/apisix/admin/{kind}")).await?;
        // Some are there only where they are switched on.
        if status == StatusCode::OK {
            all.insert((*kind).to_owned(), objects(&listed));
        }
    }
    let consumers = all.get_mut("consumers").and_then(Value::as_array_mut);
    for consumer in consumers.into_iter().flatten() {
        let name = consumer["username"].as_str().unwrap_or_default().to_owned();
        let (status, listed) = server
            .get(&format!("/apisix/admin/consumers/{name}/credentials"))
            .await?;
        if status == StatusCode::OK {
            consumer["credentials"] = objects(&listed);
        }
    }
    Ok(Value::Object(all))
}

/// The admin API wraps each object: `{"list": [{"value": {...}}]}`. A list that is empty may be an empty object.
fn objects(listed: &Value) -> Value {
    let list = listed["list"].as_array().into_iter().flatten();
    let values = list.map(|it| it["value"].clone()).filter(Value::is_object);
    Value::Array(values.collect())
}
