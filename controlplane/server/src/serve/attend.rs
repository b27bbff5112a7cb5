//! What a running site attends to: signals, and whoever wants the configuration read.

use super::file_watch::FileWatch;
use super::plan::Plan;
use super::reload;
use super::site::Site;
use dash::ConfigAsk;
use kill_program::Signals;
use std::path::PathBuf;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};

/// Questions that wait; more are turned away.
pub(super) const WAITING: usize = 8;

/// Attends to them until a signal ends it.
pub(super) async fn attend(
    site: &mut Site,
    signals: &mut Signals,
    asked: &mut mpsc::Receiver<ConfigAsk>,
) {
    loop {
        tokio::select! {
            ended = signals.ended_or_reload() => {
                if ended {
                    return;
                }
                reload::reload(site, "SIGHUP");
                if let Some(gateway) = &site.gateway {
                    gateway.reopen_logs();
                }
            }
            Some(ask) = asked.recv() => {
                let report = if ask.only_check {
                    reload::check(site, ask.by)
                } else {
                    reload::reload(site, ask.by)
                };
                // Who asked may have gone.
                let _gone = ask.reply.send(report);
            }
        }
    }
}

/// Has the configuration read again whenever its file changes; without a file there is nothing to watch.
pub(super) fn watch(plan: &Plan, asks: &mpsc::Sender<ConfigAsk>) -> Option<FileWatch> {
    let file: PathBuf = plan.file.clone()?;
    let changed = {
        let asks = asks.clone();
        // A question that waits already reads the newest content.
        move || !matches!(asks.try_send(by_file()), Err(TrySendError::Closed(_)))
    };
    let beside = vec![plan.home.prices(), plan.home.consumers()];
    let watch = FileWatch::start(file.clone(), beside, changed);
    // Between the first reading and the first look, it may have changed already.
    let now = kill_config::read_table(&file).ok();
    if now.as_ref() != Some(&plan.config.raw) && asks.try_send(by_file()).is_err() {
        tracing::warn!("The configuration has changed since it was read; SIGHUP takes it over.");
    }
    watch
        .inspect_err(|error| {
            tracing::warn!(%error, "Changes of the configuration file are taken over at SIGHUP only.");
        })
        .ok()
}

fn by_file() -> ConfigAsk {
    let (reply, _nobody_waits) = oneshot::channel();
    ConfigAsk {
        only_check: false,
        by: "file",
        reply,
    }
}
