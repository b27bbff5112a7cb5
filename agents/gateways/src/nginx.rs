//! Closes an nginx: a file of ours in its server blocks looks at each request for what stands open, in a folder of ours.
//!
//! A cut is one symbolic link replaced, and in force with the next request on every connection, in every worker: nothing is
//! read anew, no name is looked up, and no mistake elsewhere in the configuration can be in its way. What an nginx has
//! begun it goes on with: those connections are ended in the kernel.

mod check;
mod conf;
mod keep;
mod look;
mod overlay;
mod program;
mod shelf;
mod standing;

use crate::http::Lane;
use crate::seen;
use crate::{Closing, Drift, Finding, Gateway, GatewayError, LIMIT, Mode, Probed, SLOW};
use crate::{Sever, Severed, Wanted};
use look::{Found, Gate, look};
use net_model::{Observed, Overlay};
use shelf::Shelf;
use standing::Standing;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// For one question to nginx on the way of a cut; it answers within a millisecond.
const SOON: Duration = Duration::from_millis(300);

/// Where an nginx stands.
#[derive(Clone, Debug)]
pub struct Settings {
    /// File of ours that its server blocks include; nothing else lies in its folder.
    pub overlay: PathBuf,
    /// The program.
    pub program: PathBuf,
    /// Its configuration.
    pub conf: PathBuf,
    /// Where it writes its process id.
    pub pid: PathBuf,
    /// Where it serves on this host. At least one of these without TLS: there it is asked how its gate stands.
    pub data: Vec<SocketAddr>,
    /// Whether it is told which routes and consumers there are. If not, whatever is cut is everything.
    pub manage: bool,
    /// Whether a cut ends the connections to these ports.
    pub sever: bool,
}

/// An nginx of this host.
#[derive(Debug)]
pub struct Nginx {
    settings: Settings,
    shelf: Shelf,
    sever: Option<Sever>,
    /// To each port it serves at: for looks, and for proof after an order.
    looks: Vec<Lane>,
    orders: Vec<Lane>,
    known: Mutex<Known>,
}

/// What this process knows of it.
#[derive(Debug, Default)]
struct Known {
    wanted: Wanted,
    /// The last that was put in force.
    told: Option<Overlay>,
    /// What is closed, and whose streams have ended.
    ended: Closing,
    /// The beat up to which a lease was written.
    beat: u64,
    /// Why streams go on, since the last order.
    goes_on: Option<String>,
}

impl Nginx {
    /// The nginx that these settings name; it need not run yet.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let lanes = || settings.data.iter().map(|at| Lane::new(*at)).collect();
        Self {
            shelf: Shelf::beside(&settings.overlay),
            sever: settings.sever.then(|| Sever::at(&settings.data)),
            looks: lanes(),
            orders: lanes(),
            known: Mutex::default(),
            settings,
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with the folder, where a disk that hangs holds nobody up.
    async fn at_shelf<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shelf) -> io::Result<T> + Send + 'static,
    ) -> Result<T, GatewayError> {
        let shelf = self.shelf.clone();
        let done = tokio::task::spawn_blocking(move || work(&shelf)).await;
        let done = done.unwrap_or_else(|panic| Err(io::Error::other(panic)));
        done.map_err(|why| {
            let folder = self.shelf.folder().display();
            GatewayError::Refused(format!("{folder}: {why}"))
        })
    }

    /// How the gate stands at every port that says so; one that cannot be asked is an error.
    async fn gates(&self, lanes: &[Lane]) -> Result<Vec<Gate>, GatewayError> {
        let mut gates = Vec::new();
        for lane in lanes {
            match look(lane, "/", None, SOON).await? {
                Found::Gate(gate) => gates.push(gate),
                Found::Tls => {}
                Found::Nobody => return Err(unguarded(lane.at())),
            }
        }
        if gates.is_empty() {
            let why = "no data port without TLS, where it could be asked how its gate stands";
            return Err(GatewayError::Refused(why.to_owned()));
        }
        Ok(gates)
    }

    /// The same, with a lease that runs.
    async fn leased(&self, lanes: &[Lane]) -> Result<Vec<Gate>, GatewayError> {
        let gates = self.gates(lanes).await?;
        let lapsed = gates.iter().any(|gate| gate.lapsed);
        let beat = gates.iter().map(|gate| gate.beat).max().unwrap_or(0);
        if !lapsed && self.known().beat == beat {
            return Ok(gates);
        }
        self.at_shelf(move |shelf| shelf.renew(beat)).await?;
        self.known().beat = beat;
        if lapsed {
            self.gates(lanes).await
        } else {
            Ok(gates)
        }
    }

    /// Writes what stands open under this overlay, before anything is asked or ended.
    async fn put(&self, overlay: &Overlay) -> Result<Standing, GatewayError> {
        let standing = {
            let known = self.known();
            if let Some(force) = &known.told
                && overlay.seq < force.seq
            {
                return Err(GatewayError::Refused(format!(
                    "overlay {} is older than {} in force",
                    overlay.seq, force.seq
                )));
            }
            Standing::of(overlay, &known.wanted)
        };
        let put = standing.clone();
        self.at_shelf(move |shelf| shelf.put(&put)).await?;
        self.known().told = Some(overlay.clone());
        Ok(standing)
    }

    async fn end_streams(&self, closing: &Closing) -> Result<Severed, GatewayError> {
        let more = closing.closes_more_than(&self.known().ended);
        let ended = match &self.sever {
            Some(sever) if more => sever.now().await,
            None if more => Err(sever_off()),
            _ => Ok(Severed::default()),
        };
        let mut known = self.known();
        known.goes_on = match &ended {
            Ok(severed) if severed.lingering == 0 => None,
            Ok(severed) => Some(format!(
                "{} streams go on until they end",
                severed.lingering
            )),
            Err(why) => Some(why.to_string()),
        };
        if known.goes_on.is_none() {
            known.ended = closing.clone();
        }
        ended
    }

    fn observed(&self, gates: &[Gate], file: Option<&str>) -> Observed {
        let known = self.known();
        // With other routes or consumers the same overlay may leave other things open.
        let told = known.told.as_ref().filter(|overlay| {
            let name = Standing::of(overlay, &known.wanted).name;
            let holds = |gate: &Gate| !gate.lapsed && gate.standing == name;
            gates.iter().all(holds)
        });
        let mut notices = Vec::new();
        if gates.iter().any(|gate| Some(gate.file.as_str()) != file) {
            let overlay = self.settings.overlay.display();
            notices.push(format!(
                "nginx serves by an older {overlay}; it must be reloaded"
            ));
        }
        if gates.iter().any(|gate| gate.lapsed) {
            notices.push("everything is closed: the lease does not reach nginx".to_owned());
        }
        notices.extend(known.goes_on.clone());
        Observed {
            points: known.wanted.points(),
            notices,
            ..seen::observed("nginx", told, &known.wanted.table)
        }
    }
}

impl Gateway for Nginx {
    async fn observe(&self) -> Result<Observed, GatewayError> {
        let there = match self.at_shelf(|shelf| shelf.read()).await? {
            Some(there) => there,
            // Without it nginx would not even start.
            None => {
                let text = overlay::compile(&self.known().wanted, self.shelf.folder()).text;
                let put = text.clone();
                self.at_shelf(move |shelf| shelf.replace(&put)).await?;
                text
            }
        };
        let gates = self.leased(&self.looks).await?;
        Ok(self.observed(&gates, overlay::id_of(&there)))
    }

    async fn apply(&self, overlay: &Overlay) -> Result<Severed, GatewayError> {
        let standing = self.put(overlay).await?;
        // In force with the next request: what is connected now is all there is to end.
        let ended = self.end_streams(&standing.closing).await;
        let gates = self.leased(&self.orders).await?;
        match gates.iter().find(|gate| gate.standing != standing.name) {
            Some(gate) => Err(GatewayError::Garbled(format!(
                "looks into `{}` instead of `{}`",
                gate.standing, standing.name
            ))),
            None => ended,
        }
    }

    async fn reconcile(&self, wanted: &Wanted, mode: Mode) -> Result<Drift, GatewayError> {
        keep::keep(self, wanted, mode).await
    }

    async fn probe(&self) -> Result<Vec<Probed>, GatewayError> {
        let (points, keys) = {
            let known = self.known();
            (known.wanted.points().points, known.wanted.keys.clone())
        };
        let mut seen = Vec::new();
        for way in points {
            for at in &self.settings.data {
                let path = format!("/{}/", way.route);
                let found = look(&Lane::new(*at), &path, keys.get(&way.consumer), LIMIT).await?;
                let (way, gate) = match found {
                    Found::Gate(gate) => (way.clone(), gate),
                    Found::Tls => continue,
                    Found::Nobody => return Err(unguarded(*at)),
                };
                let passage = gate.passage;
                seen.push(Probed { way, seen: passage });
            }
        }
        Ok(seen)
    }

    async fn check(&self) -> Result<Vec<Finding>, GatewayError> {
        check::check(self).await
    }
}

fn unguarded(at: SocketAddr) -> GatewayError {
    GatewayError::Refused(format!(
        "what serves at {at} has not taken in our file: include it in the server block and reload nginx"
    ))
}

fn sever_off() -> GatewayError {
    GatewayError::Refused("streams that were open go on until they end: `sever = false`".to_owned())
}
