//! What a running site attends to: signals, and whoever wants the configuration read.

use super::file_watch::FileWatch;
use super::reload;
use super::site::Site;
use dash::ConfigAsk;
use kill_program::Signals;
use std::path::PathBuf;
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
pub(super) fn watch(site: &Site, asks: mpsc::Sender<ConfigAsk>) -> Option<FileWatch> {
    let file: PathBuf = site.plan.file.clone()?;
    let changed = move || {
        let (reply, _nobody_waits) = oneshot::channel();
        let ask = ConfigAsk {
            only_check: false,
            by: "file",
            reply,
        };
        asks.blocking_send(ask).is_ok()
    };
    FileWatch::start(file, site.plan.home.prices(), changed)
        .inspect_err(|error| {
            tracing::warn!(%error, "Changes of the configuration file are taken over at SIGHUP only.");
        })
        .ok()
}
