//! `portcullis capture`: bodies of one consumer's exchanges, for a while. It goes over the gateway's control socket, which
//! only its owner can open.

use crate::control::ask;
use crate::lever::whoami;
use crate::out::Out;
use crate::paths::Home;
use anyhow::bail;
use clap::{Args, Subcommand};
use kill_wire::Name;
use net_model::{CaptureAsk, CaptureView, ControlReply, ControlRequest};
use serde_json::json;

pub(crate) const EXAMPLES: &str = "\
Examples:
  portcullis capture start --consumer claw --for 10m
  portcullis capture start --consumer claw --model smollm2 --for 1h --max 200MB
  portcullis capture status
  portcullis capture stop

Writes what the consumer asks and what it is answered, which may be private. It ends by itself, is shown on the dashboard while it runs, and does not outlive the gateway.";

#[derive(Debug, Subcommand)]
pub(crate) enum CaptureCommand {
    /// Begin; one at a time
    #[command(after_long_help = EXAMPLES)]
    Start(StartArgs),
    /// End what runs
    #[command(after_long_help = EXAMPLES)]
    Stop,
    /// What runs
    #[command(after_long_help = EXAMPLES)]
    Status,
}

#[derive(Debug, Args)]
pub(crate) struct StartArgs {
    /// Whose exchanges
    #[arg(long)]
    consumer: Name,
    /// Only those that ask for this model
    #[arg(long)]
    model: Option<String>,
    /// For how long: seconds, minutes or hours, such as `90s`, `10m`, `1h`; at most 24h
    #[arg(long = "for", value_parser = seconds)]
    seconds: u64,
    /// At most so many bytes of bodies, such as `50MB`; at most 1GB
    #[arg(long, default_value = "50MB", value_parser = bytes)]
    max: u64,
}

/// A number and its unit, the longest unit first.
fn measured(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let (unit, factor) = units.iter().find(|(unit, _)| text.ends_with(unit))?;
    let number: u64 = text.strip_suffix(unit)?.trim().parse().ok()?;
    number.checked_mul(*factor).filter(|it| *it > 0)
}

fn seconds(text: &str) -> Result<u64, String> {
    let found = measured(text, &[("s", 1), ("m", 60), ("h", 3600)]);
    found.ok_or_else(|| "expected a number and s, m or h, such as 10m".to_owned())
}

fn bytes(text: &str) -> Result<u64, String> {
    let units = [("KB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000)];
    measured(text, &units)
        .ok_or_else(|| "expected a number and KB, MB or GB, such as 50MB".to_owned())
}

/// Does it, and prints what runs.
pub(crate) fn run(home: &Home, command: &CaptureCommand, json: bool) -> anyhow::Result<()> {
    let (request, said) = match command {
        CaptureCommand::Start(args) => {
            let ask = CaptureAsk {
                consumer: args.consumer.clone(),
                model: args.model.clone(),
                seconds: args.seconds,
                max_bytes: args.max,
                by: whoami(),
            };
            (ControlRequest::Capture(ask), "Captured")
        }
        CaptureCommand::Stop => (ControlRequest::StopCapture, "Ended"),
        CaptureCommand::Status => (ControlRequest::CaptureStatus, "Captured"),
    };
    let view = match ask(home, &request)? {
        ControlReply::Capture { capture } => capture,
        ControlReply::Refused { message } => bail!("{message}"),
        ControlReply::Applied { .. } | ControlReply::Observed(_) | ControlReply::Tested(_) => {
            bail!("the gateway answered something that was not asked for")
        }
    };
    let mut out = Out::stdout();
    if json {
        out.json(&json!({ "capture": view }))?;
        return Ok(());
    }
    match view {
        None => out.line("Nothing is captured.")?,
        Some(view) => print(&mut out, said, &view)?,
    }
    Ok(())
}

fn print(out: &mut Out, said: &str, view: &CaptureView) -> std::io::Result<()> {
    let CaptureView {
        consumer,
        by,
        until,
        path,
        exchanges,
        bytes_left,
        ..
    } = view;
    out.line(format_args!(
        "{said}: bodies of {consumer}, as {by} asked, until {until} at the latest."
    ))?;
    out.line(format_args!(
        "  {path}: {exchanges} exchanges, room for {bytes_left} more bytes"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes_are_read_as_people_write_them() {
        assert_eq!(seconds("90s"), Ok(90));
        assert_eq!(seconds("10m"), Ok(600));
        assert_eq!(seconds("1h"), Ok(3600));
        assert_eq!(bytes("50MB"), Ok(50_000_000));
        assert_eq!(bytes("1GB"), Ok(1_000_000_000));
        for wrong in ["", "10", "-1m", "0s", "m", "99999999999999999999h"] {
            assert!(seconds(wrong).is_err() && bytes(wrong).is_err(), "{wrong}");
        }
    }
}
