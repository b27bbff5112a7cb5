//! `portcullis text`: a text message through the generic channel, signed as any webhook is.

use crate::out::{Out, aside};
use crate::paths::{Home, Part};
use crate::random::random;
use crate::{http, run_file};
use anyhow::{Context as _, bail};
use clap::Args;
use data_encoding::BASE32_NOPAD;
use kill_inbound::standard_webhooks;
use net_model::Secret;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

/// A cut answers after its proof.
const LIMIT: Duration = Duration::from_secs(20);

/// What to send.
#[derive(Debug, Args)]
pub(crate) struct TextArgs {
    /// The message, as one argument
    text: String,
    /// Another kill switch's generic channel [default: the one of this data folder]
    #[arg(long, value_name = "URL")]
    to: Option<String>,
    /// Who sends; replies go to registered senders only
    #[arg(long, value_name = "SENDER", default_value = "local")]
    from: String,
    /// Send under this message id, to repeat one [default: a random one]
    #[arg(long, value_name = "ID")]
    id: Option<String>,
}

/// Signs, sends, prints the reply.
pub(crate) fn send(
    home: &Home,
    file: Option<&Path>,
    args: &TextArgs,
    json: bool,
) -> anyhow::Result<()> {
    let path = home.local_secret();
    let secret = std::fs::read_to_string(&path)
        .map(zeroize::Zeroizing::new)
        .with_context(|| {
            format!(
                "cannot read {}; run `portcullis up` first, or give --data DIR",
                path.display()
            )
        })?;
    let secret = Secret::new(&secret).with_context(|| path.display().to_string())?;
    let url = match &args.to {
        Some(url) => url.clone(),
        None => {
            let address = run_file::address(home, file, Part::Killswitch)?;
            format!("http://{address}/v1/inbound/local")
        }
    };
    if !url.starts_with("http://") {
        bail!(
            "`{url}` does not begin with http://; give the kill switch's own address, TLS belongs to the proxy in front of it"
        );
    }
    let id = match &args.id {
        Some(id) => id.clone(),
        None => format!("msg_{}", BASE32_NOPAD.encode(&*random::<15>()?)),
    };
    let body = standard_webhooks::body(&args.text, Some(&args.from));
    let (status, answer) = http::block_on(post(&url, &secret, &id, body))?;
    let reply = reply(status, &answer)?;
    let mut out = Out::stdout();
    if json {
        out.json(&json!({ "id": id, "reply": reply }))?;
    } else if let Some(reply) = reply {
        out.line(reply)?;
    } else {
        aside("Taken without a reply: no valid code, and the sender is not registered.");
    }
    Ok(())
}

async fn post(
    url: &str,
    secret: &Secret,
    id: &str,
    body: String,
) -> anyhow::Result<(u16, Vec<u8>)> {
    let now = crate::clock::now();
    let signature = standard_webhooks::sign(secret.expose(), id, now, body.as_bytes())?;
    let sent = http::client(LIMIT)?
        .post(url)
        .header("content-type", "application/json")
        .header(standard_webhooks::ID, id)
        .header(standard_webhooks::TIMESTAMP, now.secs())
        .header(standard_webhooks::SIGNATURE, signature)
        .body(body)
        .send()
        .await;
    let answer = match sent {
        Err(why) if why.is_connect() => bail!(
            "no kill switch answers at {url}; is `portcullis up` running with this data folder?"
        ),
        Err(why) if why.is_timeout() => {
            bail!("{url} did not answer in time; run `portcullis status`")
        }
        other => other?,
    };
    let status = answer.status().as_u16();
    Ok((status, http::body(answer).await?))
}

/// The text that comes back; `None` when the kill switch keeps silent.
fn reply(status: u16, answer: &[u8]) -> anyhow::Result<Option<String>> {
    match status {
        200..=299 => {}
        401 | 403 => bail!(
            "the kill switch did not take the signature (HTTP {status}); is this its data folder?"
        ),
        other => bail!("the kill switch answered HTTP {other}"),
    }
    let parsed: Value =
        serde_json::from_slice(answer).context("the kill switch's answer is not JSON")?;
    match parsed.get("reply") {
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(Value::Null) | None => Ok(None),
        Some(_) => bail!("the kill switch's answer has no reply in it"),
    }
}
