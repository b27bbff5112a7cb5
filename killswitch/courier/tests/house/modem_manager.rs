//! A bus of the test's own, and on it what ModemManager 1.20 shows of one modem: written from its interface description
//! (`org.freedesktop.ModemManager1.Modem.Messaging`, `.Sms`), with the slips of real modems at hand.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use tokio::sync::mpsc;
use zbus::object_server::{ObjectServer, SignalEmitter};
use zbus::zvariant::{ObjectPath, OwnedObjectPath, OwnedValue};
use zbus::{Connection, fdo, interface};

const MODEM: &str = "/org/freedesktop/ModemManager1/Modem/0";

/// A bus that ends with the test.
pub(crate) struct Bus {
    daemon: Child,
    pub(crate) address: String,
}

impl Bus {
    #[expect(
        clippy::disallowed_methods,
        reason = "the test runs a real D-Bus daemon"
    )]
    pub(crate) fn start(folder: &Path) -> Self {
        let address = format!("unix:path={}/bus", folder.display());
        let config = folder.join("bus.conf");
        let policy = "<allow send_destination=\"*\" eavesdrop=\"true\"/><allow eavesdrop=\"true\"/><allow own=\"*\"/>";
        let text = format!(
            "<busconfig><listen>{address}</listen><auth>EXTERNAL</auth>\
             <policy context=\"default\">{policy}</policy></busconfig>"
        );
        std::fs::write(&config, text).unwrap();
        let daemon = Command::new("dbus-daemon")
            .arg(format!("--config-file={}", config.display()))
            .args(["--nofork", "--nopidfile"])
            .spawn()
            .unwrap_or_else(|e| panic!("dbus-daemon: {e} (Debian: apt-get install dbus-daemon)"));
        let socket = folder.join("bus");
        crate::kill_switch::until("the bus listens", || {
            std::os::unix::net::UnixStream::connect(&socket).is_ok()
        });
        Self { daemon, address }
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        self.daemon.kill().unwrap();
        self.daemon.wait().unwrap();
    }
}

/// What the modem holds and what was done to it.
#[derive(Default)]
struct Modem {
    texts: BTreeMap<String, Received>,
    next: u32,
    deleted: Vec<String>,
    sent: Vec<(String, String)>,
    /// The modem does not delete, as some do not.
    stuck: bool,
}

#[derive(Clone, Default)]
struct Received {
    state: u32,
    number: String,
    text: String,
    stamp: String,
}

type Shared = Arc<Mutex<Modem>>;

struct Messaging(Shared);

#[interface(name = "org.freedesktop.ModemManager1.Modem.Messaging")]
impl Messaging {
    fn list(&self) -> Vec<OwnedObjectPath> {
        let modem = self.0.lock().unwrap();
        modem.texts.keys().map(|path| owned(path)).collect()
    }

    async fn create(
        &self,
        properties: HashMap<String, OwnedValue>,
        #[zbus(object_server)] server: &ObjectServer,
    ) -> fdo::Result<OwnedObjectPath> {
        let get = |name: &str| -> String { properties[name].downcast_ref().unwrap() };
        let path = put(
            &self.0,
            Received {
                number: get("number"),
                text: get("text"),
                ..Received::default()
            },
        );
        serve(server, &self.0, &path).await;
        Ok(owned(&path))
    }

    async fn delete(
        &self,
        path: ObjectPath<'_>,
        #[zbus(object_server)] server: &ObjectServer,
    ) -> fdo::Result<()> {
        let (path, shared) = (path.to_string(), Arc::clone(&self.0));
        if shared.lock().unwrap().stuck {
            return Err(fdo::Error::Failed("cannot delete".into()));
        }
        {
            let mut modem = shared.lock().unwrap();
            modem.texts.remove(&path);
            modem.deleted.push(path.clone());
        }
        server.remove::<Sms, _>(path.as_str()).await?;
        Ok(())
    }

    #[zbus(signal)]
    async fn added(
        emitter: &SignalEmitter<'_>,
        path: ObjectPath<'_>,
        received: bool,
    ) -> zbus::Result<()>;
}

struct Sms {
    modem: Shared,
    path: String,
}

impl Sms {
    fn read<T>(&self, of: impl Fn(&Received) -> T) -> T {
        of(&self.modem.lock().unwrap().texts[&self.path])
    }
}

#[interface(name = "org.freedesktop.ModemManager1.Sms")]
impl Sms {
    fn send(&self) {
        let sent = self.read(|text| (text.number.clone(), text.text.clone()));
        self.modem.lock().unwrap().sent.push(sent);
    }
    #[zbus(property)]
    fn state(&self) -> u32 {
        self.read(|text| text.state)
    }
    #[zbus(property)]
    fn pdu_type(&self) -> u32 {
        1
    }
    #[zbus(property)]
    fn text(&self) -> String {
        self.read(|text| text.text.clone())
    }
    #[zbus(property)]
    fn number(&self) -> String {
        self.read(|text| text.number.clone())
    }
    #[zbus(property, name = "SMSC")]
    fn smsc(&self) -> String {
        "+15550000".into()
    }
    #[zbus(property)]
    fn timestamp(&self) -> String {
        self.read(|text| text.stamp.clone())
    }
}

fn owned(path: &str) -> OwnedObjectPath {
    OwnedObjectPath::try_from(path).unwrap()
}

fn put(shared: &Shared, text: Received) -> String {
    let mut modem = shared.lock().unwrap();
    let path = format!("/org/freedesktop/ModemManager1/SMS/{}", modem.next);
    modem.next += 1;
    modem.texts.insert(path.clone(), text);
    path
}

async fn serve(server: &ObjectServer, shared: &Shared, path: &str) {
    let sms = Sms {
        modem: Arc::clone(shared),
        path: path.to_owned(),
    };
    server.at(path, sms).await.unwrap();
}

enum Change {
    /// A text is in the modem; whether a signal says so.
    Come(String, bool),
    /// All of a text's parts are there; a signal says so.
    Whole(String),
}

/// ModemManager with one modem.
pub(crate) struct ModemManager {
    modem: Shared,
    changes: Option<mpsc::UnboundedSender<Change>>,
    thread: Option<JoinHandle<()>>,
}

impl ModemManager {
    pub(crate) fn start(bus: &Bus) -> Self {
        let modem = Shared::default();
        let (changes, wanted) = mpsc::unbounded_channel();
        let (address, shared) = (bus.address.clone(), Arc::clone(&modem));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let connection = runtime.block_on(connect(&address, &shared));
        let thread = std::thread::spawn(move || runtime.block_on(work(connection, shared, wanted)));
        Self {
            modem,
            changes: Some(changes),
            thread: Some(thread),
        }
    }

    fn change(&self, change: Change) {
        self.changes.as_ref().unwrap().send(change).ok().unwrap();
    }

    /// A text of which all parts are there.
    pub(crate) fn receive(&self, text: &str, signal: bool) -> String {
        self.come(3, text, signal)
    }

    /// A text of which parts are missing: the signal comes before them.
    pub(crate) fn receive_a_part(&self) -> String {
        self.come(2, "", true)
    }

    fn come(&self, state: u32, text: &str, signal: bool) -> String {
        let received = Received {
            state,
            number: "+15550001".into(),
            text: text.into(),
            stamp: "2026-11-21T11:45:00+01:00".into(),
        };
        let path = put(&self.modem, received);
        self.change(Change::Come(path.clone(), signal));
        path
    }

    /// The missing parts come.
    pub(crate) fn complete(&self, path: &str, text: &str) {
        {
            let mut modem = self.modem.lock().unwrap();
            let received = modem.texts.get_mut(path).unwrap();
            received.state = 3;
            received.text = text.into();
        }
        self.change(Change::Whole(path.to_owned()));
    }

    pub(crate) fn holds(&self) -> usize {
        self.modem.lock().unwrap().texts.len()
    }

    pub(crate) fn stick(&self, stuck: bool) {
        self.modem.lock().unwrap().stuck = stuck;
    }

    pub(crate) fn sent(&self) -> Vec<(String, String)> {
        self.modem.lock().unwrap().sent.clone()
    }
}

impl Drop for ModemManager {
    fn drop(&mut self) {
        self.changes = None;
        self.thread.take().unwrap().join().unwrap();
    }
}

async fn connect(address: &str, shared: &Shared) -> Connection {
    let connection = zbus::connection::Builder::address(address)
        .unwrap()
        .serve_at("/org/freedesktop/ModemManager1", fdo::ObjectManager)
        .unwrap()
        .serve_at(MODEM, Messaging(Arc::clone(shared)))
        .unwrap()
        .name("org.freedesktop.ModemManager1")
        .unwrap();
    connection.build().await.unwrap()
}

async fn work(connection: Connection, shared: Shared, mut wanted: mpsc::UnboundedReceiver<Change>) {
    let server = connection.object_server();
    while let Some(change) = wanted.recv().await {
        match change {
            Change::Come(path, signal) => {
                serve(server, &shared, &path).await;
                if signal {
                    let emitter = SignalEmitter::new(&connection, MODEM).unwrap();
                    let path = ObjectPath::try_from(path.as_str()).unwrap();
                    Messaging::added(&emitter, path, true).await.unwrap();
                }
            }
            Change::Whole(path) => {
                let sms = server.interface::<_, Sms>(path.as_str()).await.unwrap();
                let emitter = sms.signal_emitter();
                sms.get().await.state_changed(emitter).await.unwrap();
            }
        }
    }
}
