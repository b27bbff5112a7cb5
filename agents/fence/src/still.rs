//! What follows on the host itself once its fence is closed: processes stop, connections end, evidence is kept.
//!
//! **Invariant:** a step that fails keeps no other from happening, and each is bounded: in how much it touches, or in time.

use crate::destroy;
use crate::freeze;
use crate::plan::Way;
use crate::snapshot;
use std::path::PathBuf;

/// What is done to a host that is cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Still {
    /// Control groups (version 2) of the agent's containers or units, by their folders.
    pub cgroups: Vec<PathBuf>,
    /// Whether TCP connections and connected UDP sockets are ended, so that whoever holds them learns of it.
    pub destroy: bool,
    /// Where evidence is kept; none: nowhere.
    pub evidence: Option<PathBuf>,
    /// What a restore does to frozen processes.
    pub release: Release,
}

/// What a restore does to frozen processes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Release {
    /// They go on where they stood.
    #[default]
    Thaw,
    /// They are killed; whatever manages them may start them anew.
    Stop,
}

/// What was done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stilled {
    /// Control groups that stand still.
    pub frozen: u32,
    /// Connections that were ended.
    pub destroyed: u32,
    /// What did not work, in a sentence each.
    pub failed: Vec<String>,
    /// What was ended, for the evidence.
    pub ended: Vec<String>,
}

impl Still {
    /// Freezes, then ends connections: in this order nothing can open another one in between.
    #[must_use]
    pub fn stop(&self, way: &Way) -> Stilled {
        let mut done = Stilled::default();
        for folder in &self.cgroups {
            match freeze::freeze(folder) {
                Ok(()) => done.frozen += 1,
                Err(why) => done
                    .failed
                    .push(format!("freeze {}: {why}", folder.display())),
            }
        }
        if self.destroy {
            let ended = destroy::connections(way);
            done.destroyed = u32::try_from(ended.ended.len()).unwrap_or(u32::MAX);
            done.ended = ended.ended;
            done.failed
                .extend(ended.failed.map(|why| format!("connections: {why}")));
        }
        done
    }

    /// Writes down what was running and connected. May take as long as the disk takes: whoever waits for a cut does not
    /// wait for this.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn keep_evidence(&self, incident: u32, done: &Stilled) -> std::io::Result<Option<PathBuf>> {
        let Some(folder) = &self.evidence else {
            return Ok(None);
        };
        snapshot::write(folder, incident, &self.cgroups, &done.ended).map(Some)
    }

    /// Lets what was frozen go on, or ends it. Gives what did not work.
    #[must_use]
    pub fn go_on(&self) -> Vec<String> {
        let mut failed = Vec::new();
        for folder in &self.cgroups {
            let done = match self.release {
                Release::Thaw => freeze::thaw(folder),
                Release::Stop => freeze::kill(folder).and_then(|()| freeze::thaw(folder)),
            };
            failed.extend(
                done.err()
                    .map(|why| format!("thaw {}: {why}", folder.display())),
            );
        }
        failed
    }
}
