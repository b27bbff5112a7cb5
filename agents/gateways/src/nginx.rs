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
use crate::sever::Streams;
use crate::{Drift, Finding, Gateway, GatewayError, LIMIT, Mode, Probed, SLOW};
use crate::{Severed, Wanted};
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
    streams: Streams,
    /// To each port it serves at: for looks, and for proof after an order.
    looks: Vec<Lane>,
    orders: Vec<Lane>,
    known: Mutex<Known>,
}

/// What this process knows of it.
#[derive(Debug)]
struct Known {
    wanted: Wanted,
    /// Id of the file that says what is wanted.
    id: String,
    /// Id of the file by which nginx was last seen to serve at every port; none where that is not known.
    serves: Option<String>,
    /// The last that was heard.
    told: Option<Overlay>,
    /// How often something was put; what was asked for later counts.
    puts: u64,
    /// The beat up to which a lease was written.
    beat: u64,
}

impl Nginx {
    /// The nginx that these settings name; it need not run yet.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let lanes = || settings.data.iter().map(|at| Lane::new(*at)).collect();
        Self {
            shelf: Shelf::beside(&settings.overlay),
            streams: Streams::of(&settings.data, settings.sever),
            looks: lanes(),
            orders: lanes(),
            known: Mutex::new(Known {
                wanted: Wanted::default(),
                id: overlay::compile(
                    &Wanted::default(),
                    Shelf::beside(&settings.overlay).folder(),
                )
                .id,
                serves: None,
                told: None,
                puts: 0,
                beat: 0,
            }),
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
        let gates = self.ask(lanes).await;
        let mut known = self.known();
        known.serves = gates.as_deref().ok().and_then(same_file);
        drop(known);
        gates
    }

    async fn ask(&self, lanes: &[Lane]) -> Result<Vec<Gate>, GatewayError> {
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

    /// From here on this is the newest word, whatever becomes of it.
    fn hear(&self, overlay: &Overlay) -> Result<(), GatewayError> {
        let mut known = self.known();
        if let Some(told) = &known.told
            && overlay.seq < told.seq
        {
            let said = format!("overlay {} is older than {}", overlay.seq, told.seq);
            return Err(GatewayError::Refused(said));
        }
        known.told = Some(overlay.clone());
        Ok(())
    }

    /// Writes what stands open now by what was heard last, before anything is asked or ended. Nothing before the first
    /// word: then nothing is open.
    async fn put(&self) -> Result<(), GatewayError> {
        let (standing, turn) = {
            let mut known = self.known();
            let Some(standing) = known.standing() else {
                return Ok(());
            };
            known.puts += 1;
            (standing, known.puts)
        };
        self.at_shelf(move |shelf| shelf.put(&standing, turn)).await
    }

    fn observed(&self, gates: &[Gate], file: Option<&str>) -> Observed {
        let known = self.known();
        // By another file the same overlay may leave other things open.
        let name = known.standing().map(|standing| standing.name);
        let holds = |gate: &Gate| !gate.lapsed && Some(&gate.standing) == name.as_ref();
        let told = known.told.as_ref().filter(|_| gates.iter().all(holds));
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
        notices.extend(self.streams.notice());
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
        self.hear(overlay)?;
        let put = self.put().await;
        // In force with the next request: what is connected now is all there is to end. It ends also where nothing could
        // be written, since then everything is closed.
        let closing = Standing::of(overlay, &self.known().wanted).closing;
        let ended = self.streams.end(&closing).await;
        put?;
        let gates = self.leased(&self.orders).await?;
        let now = self.known().standing().unwrap_or_else(|| widest(overlay));
        // One that closes everything this overlay might is laid where nginx was not known to serve by the newest file.
        let holds = |gate: &&Gate| [&now.name, &widest(overlay).name].contains(&&gate.standing);
        match gates.iter().find(|gate| !holds(gate)) {
            Some(gate) => Err(GatewayError::Garbled(format!(
                "looks into `{}` instead of `{}`",
                gate.standing, now.name
            ))),
            None => Ok(ended),
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

impl Known {
    /// What stands open by what was heard last. Where nginx serves by another file than the one that says what is wanted,
    /// nobody knows what it takes a request for: then whatever is cut is everything.
    fn standing(&self) -> Option<Standing> {
        let told = self.told.as_ref()?;
        Some(if self.serves.as_ref() == Some(&self.id) {
            Standing::of(told, &self.wanted)
        } else {
            widest(told)
        })
    }
}

/// As if nothing were known of routes and consumers.
fn widest(overlay: &Overlay) -> Standing {
    Standing::of(overlay, &Wanted::default())
}

/// The file by which all of them stand, if it is one.
fn same_file(gates: &[Gate]) -> Option<String> {
    let (first, others) = gates.split_first()?;
    let same = others.iter().all(|gate| gate.file == first.file);
    same.then(|| first.file.clone())
}

fn unguarded(at: SocketAddr) -> GatewayError {
    GatewayError::Refused(format!(
        "what serves at {at} has not taken in our file: include it in the server block and reload nginx"
    ))
}
