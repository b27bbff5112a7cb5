//! ModemManager's side of the bus
//! (<https://www.freedesktop.org/software/ModemManager/doc/latest/ModemManager/ref-dbus.html>).

use crate::stamp;
use kill_wire::Timestamp;
use std::collections::HashMap;
use std::time::Duration;
use zbus::fdo::{ObjectManagerProxy, PropertiesProxy};
use zbus::names::InterfaceName;
use zbus::zvariant::{ObjectPath, OwnedObjectPath, OwnedValue, Value};
use zbus::{Connection, DBusError as _, MatchRule, MessageStream, message};

const SERVICE: &str = "org.freedesktop.ModemManager1";
const ROOT: &str = "/org/freedesktop/ModemManager1";
const MESSAGING: &str = "org.freedesktop.ModemManager1.Modem.Messaging";
const SMS: &str = "org.freedesktop.ModemManager1.Sms";

/// `MM_SMS_STATE_RECEIVED`: every part is there.
const RECEIVED: u32 = 3;
/// `MM_SMS_PDU_TYPE_UNKNOWN`, `_DELIVER` and `_CDMA_DELIVER`: someone's text, not a report and not ours.
const DELIVERED: [u32; 3] = [0, 1, 32];
/// How long one answer of the bus is waited for.
const PATIENCE: Duration = Duration::from_secs(20);
/// Signals kept while we are busy; more of them only say again what a look will see.
const SIGNALS: usize = 64;

#[zbus::proxy(
    interface = "org.freedesktop.ModemManager1.Modem.Messaging",
    default_service = "org.freedesktop.ModemManager1",
    gen_blocking = false
)]
trait Messaging {
    fn list(&self) -> zbus::Result<Vec<OwnedObjectPath>>;
    fn create(&self, properties: HashMap<&str, Value<'_>>) -> zbus::Result<OwnedObjectPath>;
    fn delete(&self, path: &ObjectPath<'_>) -> zbus::Result<()>;
}

#[zbus::proxy(
    interface = "org.freedesktop.ModemManager1.Sms",
    default_service = "org.freedesktop.ModemManager1",
    gen_blocking = false
)]
trait Sms {
    fn send(&self) -> zbus::Result<()>;
}

/// A connection to the bus.
#[derive(Clone)]
pub(crate) struct Bus(Connection);

/// A text as ModemManager shows it.
pub(crate) struct Received {
    pub(crate) sender: String,
    pub(crate) text: String,
    pub(super) centre: String,
    /// As written, with its offset from UTC.
    pub(super) stamp: String,
}

impl Received {
    /// Of the properties of a text: none unless all of it was received.
    pub(crate) fn read(all: &HashMap<String, OwnedValue>) -> Option<Self> {
        let whole = number(all, "State") == Some(RECEIVED);
        let delivered = number(all, "PduType").is_none_or(|kind| DELIVERED.contains(&kind));
        (whole && delivered).then(|| Self {
            sender: text(all, "Number"),
            text: text(all, "Text"),
            centre: text(all, "SMSC"),
            stamp: text(all, "Timestamp"),
        })
    }

    pub(crate) fn sent(&self) -> Option<Timestamp> {
        stamp::read_iso_8601(&self.stamp)
    }
}

impl Bus {
    /// Connects to the system's bus, or to `address` in D-Bus form.
    pub(crate) async fn connect(address: Option<&str>) -> zbus::Result<Self> {
        let builder = match address {
            Some(address) => zbus::connection::Builder::address(address)?,
            None => zbus::connection::Builder::system()?,
        };
        let connection = builder.method_timeout(PATIENCE).build().await?;
        Ok(Self(connection))
    }

    /// For people: the error's name, since its words may quote a number.
    pub(crate) fn problem(error: &zbus::Error) -> String {
        let name = if let zbus::Error::MethodError(name, _, _) = error {
            name.to_string()
        } else if let zbus::Error::FDO(error) = error {
            error.name().to_string()
        } else {
            return format!("bus: {error}");
        };
        match name.as_str() {
            "org.freedesktop.DBus.Error.ServiceUnknown"
            | "org.freedesktop.DBus.Error.NameHasNoOwner" => "ModemManager is not running".into(),
            "org.freedesktop.DBus.Error.AccessDenied" => {
                "the bus does not let us speak to ModemManager".into()
            }
            other => format!("ModemManager: {other}"),
        }
    }

    /// Whatever ModemManager signals.
    pub(super) async fn signals(&self) -> zbus::Result<MessageStream> {
        let rule = MatchRule::builder()
            .msg_type(message::Type::Signal)
            .sender(SERVICE)?
            .path_namespace(ROOT)?
            .build();
        MessageStream::for_match_rule(rule, &self.0, Some(SIGNALS)).await
    }

    /// Every modem that takes texts; of these the one whose path ends in `/wanted`, where one is wanted.
    pub(crate) async fn modems(&self, wanted: Option<&str>) -> zbus::Result<Vec<OwnedObjectPath>> {
        let manager = ObjectManagerProxy::builder(&self.0)
            .destination(SERVICE)?
            .path(ROOT)?
            .build()
            .await?;
        let named = |path: &OwnedObjectPath| {
            wanted.is_none_or(|wanted| path.as_str().rsplit('/').next() == Some(wanted))
        };
        let mut modems: Vec<OwnedObjectPath> = manager
            .get_managed_objects()
            .await?
            .into_iter()
            .filter(|(path, interfaces)| {
                named(path) && interfaces.keys().any(|name| name.as_str() == MESSAGING)
            })
            .map(|(path, _)| path)
            .collect();
        modems.sort_by(|one, other| one.as_str().cmp(other.as_str()));
        Ok(modems)
    }

    /// Every text the modem holds, also those that are still coming in and those it sent.
    pub(super) async fn list(&self, modem: &OwnedObjectPath) -> zbus::Result<Vec<OwnedObjectPath>> {
        self.messaging(modem).await?.list().await
    }

    /// The text, if all of it was received.
    pub(super) async fn received(&self, path: &OwnedObjectPath) -> zbus::Result<Option<Received>> {
        let properties = PropertiesProxy::builder(&self.0)
            .destination(SERVICE)?
            .path(path)?
            .build()
            .await?;
        let all = properties.get_all(InterfaceName::try_from(SMS)?).await?;
        Ok(Received::read(&all))
    }

    /// Takes a text out of the modem, whose storage is small.
    pub(super) async fn delete(
        &self,
        modem: &OwnedObjectPath,
        path: &OwnedObjectPath,
    ) -> zbus::Result<()> {
        self.messaging(modem).await?.delete(path).await
    }

    /// Sends a text and takes it out of the modem again.
    pub(crate) async fn send(
        &self,
        modem: &OwnedObjectPath,
        to: &str,
        text: &str,
    ) -> zbus::Result<()> {
        let messaging = self.messaging(modem).await?;
        let properties = HashMap::from([("number", Value::from(to)), ("text", Value::from(text))]);
        let path = messaging.create(properties).await?;
        let sms = SmsProxy::builder(&self.0).path(&path)?.build().await?;
        let sent = sms.send().await;
        let deleted = messaging.delete(&path).await;
        sent.and(deleted)
    }

    async fn messaging(&self, modem: &OwnedObjectPath) -> zbus::Result<MessagingProxy<'_>> {
        MessagingProxy::builder(&self.0)
            .path(modem.clone())?
            .build()
            .await
    }
}

fn number(all: &HashMap<String, OwnedValue>, name: &str) -> Option<u32> {
    all.get(name).and_then(|value| value.downcast_ref().ok())
}

fn text(all: &HashMap<String, OwnedValue>, name: &str) -> String {
    all.get(name)
        .and_then(|value| value.downcast_ref().ok())
        .unwrap_or_default()
}
