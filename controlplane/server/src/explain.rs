//! `portcullis explain`: why one request fared as it did, out of what the gateway told of it.

use crate::{
    http,
    out::{Out, Paint},
    paths::Home,
    remote::{Remote, escaped},
};
use anyhow::{Context as _, bail};
use clap::Args;
use net_model::{Alias, Explanation, Step, Verdict};
use std::process::ExitCode;
use std::time::Duration;
use store::Store;

pub(crate) const EXAMPLES: &str = "\
Examples:
  portcullis explain 5f3a9c01-42             the gateway's id: the answer's header x-portcullis-request-id
  portcullis explain req_8812                what the client or the target calls it: x-request-id
  portcullis explain 4bf92f3577b34da6a3ce929d0e0e4736     its trace
  portcullis explain 5f3a9c01-42 --json | jq -r .summary
  portcullis --url https://house.lan --token-file look.token explain req_8812";

/// How long is waited for what the gateway has only just written down.
const PATIENCE: Duration = Duration::from_secs(3);
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// Which request.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The gateway's id, or what the client, the target or the trace calls it
    #[arg(value_name = "REQUEST_ID")]
    pub(crate) id: Alias,
}

/// Prints the timeline.
pub(crate) fn print(home: &Home, args: &ExplainArgs, json: bool) -> anyhow::Result<ExitCode> {
    let path = home.database();
    if !path.exists() {
        bail!(
            "there is no ledger at {}; the control plane makes it",
            path.display()
        );
    }
    let found = http::block_on(async {
        let store = Store::open(&path).await?;
        let found = look(&store, &args.id).await;
        store.close().await;
        found
    })?;
    let explanation = found.with_context(|| unknown(&args.id))?;
    tell(&explanation, json)
}

/// The same of a house that runs elsewhere.
pub(crate) fn print_elsewhere(
    remote: &Remote,
    args: &ExplainArgs,
    json: bool,
) -> anyhow::Result<ExitCode> {
    let path = format!("/api/v1/explain/{}", escaped(args.id.as_str()));
    let mut left = PATIENCE;
    loop {
        if let Some(explanation) = remote.find(&path)? {
            return tell(&explanation, json);
        }
        left = left
            .checked_sub(LOOK_AGAIN)
            .with_context(|| unknown(&args.id))?;
        std::thread::sleep(LOOK_AGAIN);
    }
}

fn unknown(id: &Alias) -> String {
    format!(
        "nothing is known of `{id}`: explanations are kept for 14 days, of a flood of refusals only a part, and of a request \
         that is still under way there is none yet"
    )
}

fn tell(explanation: &Explanation, json: bool) -> anyhow::Result<ExitCode> {
    let mut out = Out::stdout();
    if json {
        out.json(explanation)?;
    } else {
        show(&mut out, explanation)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The control plane takes in each second what the gateway writes down.
async fn look(store: &Store, id: &Alias) -> anyhow::Result<Option<Explanation>> {
    let waiting = tokio::time::timeout(PATIENCE, async {
        loop {
            if let Some(found) = store.explain(id).await? {
                return Ok(found);
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    });
    waiting.await.ok().transpose()
}

fn show(out: &mut Out, it: &Explanation) -> std::io::Result<()> {
    let who = it
        .consumer
        .as_ref()
        .map_or_else(|| "nobody known".to_owned(), ToString::to_string);
    let model = it.model.as_deref().unwrap_or("no model");
    let head = format!("{}  {}  {who}  {model}  status {}", it.id, it.at, it.status);
    out.line(out.paint(Paint::Bold, &head))?;
    for (what, alias) in [
        ("called by its client", &it.asked_as),
        ("called by its target", &it.told_as),
        ("in the trace", &it.trace),
    ] {
        if let Some(alias) = alias {
            out.line(out.paint(Paint::Dim, &format!("  {what} {alias}")))?;
        }
    }
    out.line(&it.summary)?;
    out.gap()?;
    for step in &it.steps {
        line(out, step)?;
    }
    if !it.others.is_empty() {
        out.gap()?;
        out.line(format_args!(
            "Others are called the same: {}",
            it.others.join(", ")
        ))?;
    }
    Ok(())
}

fn line(out: &mut Out, step: &Step) -> std::io::Result<()> {
    let (paint, word) = match step.verdict {
        Verdict::Passed => (Paint::Green, "passed"),
        Verdict::PassedOver => (Paint::Yellow, "passed over"),
        Verdict::Refused => (Paint::Red, "refused"),
        Verdict::CutOff => (Paint::Red, "cut off"),
        Verdict::NotReached => (Paint::Dim, "-"),
    };
    let word = out.paint(paint, &format!("{word:<11}"));
    let rule = step
        .rule
        .as_ref()
        .map_or_else(String::new, |rule| format!(" [{rule}]"));
    out.line(format_args!(
        "{:>8} ms  {:<8}  {word}  {}{}",
        step.after_ms,
        step.stage.as_str(),
        step.text,
        out.paint(Paint::Dim, &rule)
    ))
}
