//! A broker in the house: buttons that cut, sensors that show, texts with codes; Home Assistant finds all of it by itself.
//!
//! To be in the house is the credential of a press, so it can only cut. Nothing here restores: a text that asks for it is
//! handed over as any text is, and the kill switch refuses it.

mod broker;
mod heard;
mod panel;

use crate::channel::{ChannelSettings, file, optional, required};
use crate::clock;
use crate::context::Context;
use crate::shown::Shown;
use broker::Identity;
use heard::Text;
pub(crate) use heard::{Heard, read};
use kill_inbound::Setting;
use kill_wire::Scope;
use panel::Panel;
use rumqttc::{
    AsyncClient, ConnectionError, Event, EventLoop, Incoming, LastWill, MqttOptions, Publish,
    PublishOptions, QoS,
};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

pub(crate) const KIND: &str = "mqtt";

pub(crate) const SETTINGS: &[Setting] = &[
    required("broker", "mqtt://host[:1883] or mqtts://host[:8883]"),
    optional(
        "instance",
        "name of this kill switch on the broker, such as `house`",
    ),
    optional(
        "buttons",
        "scopes with a button that cuts without a code, such as `ALL LLM`",
    ),
    optional(
        "user",
        "the broker's user; the channel's secret is its password",
    ),
    optional(
        "discovery_prefix",
        "where Home Assistant looks, `homeassistant` unless it was changed",
    ),
    file("ca_file", "PEM: who signs the broker's certificate"),
    file("client_certificate_file", "PEM: our own certificate"),
    file("client_key_file", "PEM: the key of our own certificate"),
];

/// Requests that may wait for the event loop.
const QUEUE: usize = 1024;
/// Texts that may wait for the kill switch at a time; a press is never refused.
const MOST_TEXTS: usize = 64;
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// How long saying good-bye may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// One broker.
pub(crate) struct Mqtt {
    options: Box<MqttOptions>,
    panel: Panel,
}

impl Mqtt {
    pub(crate) const KIND: &str = KIND;

    pub(crate) fn new(channel: &ChannelSettings) -> Result<Option<Self>, String> {
        let panel = panel(channel)?;
        let client = format!("portcullis-{}", panel.instance);
        let mut options = options(channel, client)?;
        let gone = LastWill::new(panel.availability(), "offline", QoS::AtLeastOnce, true);
        options.set_last_will(gone);
        Ok(Some(Self {
            options: Box::new(options),
            panel,
        }))
    }

    pub(crate) async fn run(&self, context: &Context) {
        let (client, events) = AsyncClient::builder(*self.options.clone())
            .capacity(QUEUE)
            .build();
        let (up, connections) = watch::channel(0_u64);
        let mut listener = Listener {
            panel: &self.panel,
            context,
            client: &client,
            events,
            up,
            started: clock::now().millis(),
            heard: 0,
            pressed: BTreeSet::new(),
            handing_over: JoinSet::new(),
        };
        tokio::select! {
            () = context.stop.cancelled() => {}
            () = listener.listen() => {}
            () = show(&self.panel, context.states(), connections, &client) => {}
        }
        listener.leave().await;
    }
}

/// What the settings say of topics and buttons.
pub(crate) fn panel(channel: &ChannelSettings) -> Result<Panel, String> {
    let instance = channel.get("instance").unwrap_or("house");
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-');
    if instance.len() > 32 || !instance.chars().all(plain) {
        return Err("instance: 1 to 32 of a-z, 0-9, `_`, `-`".into());
    }
    let discovery = channel.get("discovery_prefix").unwrap_or("homeassistant");
    if discovery.len() > 64 || discovery.contains(['#', '+', ' ']) {
        return Err("discovery_prefix: up to 64 characters without `#`, `+` and spaces".into());
    }
    let buttons = channel.get("buttons").unwrap_or_default();
    let buttons = buttons
        .split([' ', ','])
        .filter(|word| !word.is_empty())
        .map(|word| word.parse().map_err(|e| format!("buttons: {e}")))
        .collect::<Result<Vec<Scope>, String>>()?;
    Ok(Panel {
        instance: instance.to_owned(),
        discovery: discovery.to_owned(),
        buttons,
    })
}

/// The connection the settings ask for, and where on it replies are published.
pub(crate) fn reply(channel: &ChannelSettings) -> Result<(MqttOptions, String), String> {
    let panel = panel(channel)?;
    let client = format!("portcullis-{}-reply", panel.instance);
    Ok((options(channel, client)?, panel.reply()))
}

fn options(channel: &ChannelSettings, client: String) -> Result<MqttOptions, String> {
    let password = match channel.get("user") {
        Some(_) => channel.secret().ok(),
        None => None,
    };
    let identity = Identity {
        user: channel.get("user"),
        password: password.as_ref().map(|password| password.as_str()),
        ca: channel.get("ca_file"),
        certificate: channel.get("client_certificate_file"),
        key: channel.get("client_key_file"),
    };
    broker::options(channel.need("broker")?, client, &identity)
}

/// Hears what is published.
struct Listener<'a> {
    panel: &'a Panel,
    context: &'a Context,
    client: &'a AsyncClient,
    events: EventLoop,
    /// Counts connections, so that everything shown is shown again after each.
    up: watch::Sender<u64>,
    started: u64,
    heard: u64,
    /// Scopes whose press is being handed over: a second press adds nothing.
    pressed: BTreeSet<Scope>,
    handing_over: JoinSet<Option<Scope>>,
}

impl Listener<'_> {
    async fn listen(&mut self) {
        let mut pause = FIRST_PAUSE;
        loop {
            match self.events.poll().await {
                Ok(Event::Incoming(Incoming::ConnAck(_))) => {
                    pause = FIRST_PAUSE;
                    self.connected();
                }
                Ok(Event::Incoming(Incoming::Publish(publish))) => self.hear(&publish),
                Ok(_) => {}
                Err(error) => {
                    self.context.health(Some(problem(&error)));
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    fn connected(&self) {
        let topics = [format!("{}+", self.panel.cut()), self.panel.text()];
        let asked: Result<(), _> = topics
            .into_iter()
            .try_for_each(|topic| self.client.try_subscribe(topic, QoS::AtLeastOnce));
        self.context
            .health(asked.err().map(|e| format!("could not listen: {e}")));
        self.up.send_modify(|connections| *connections += 1);
    }

    fn hear(&mut self, publish: &Publish) {
        while let Some(done) = self.handing_over.try_join_next() {
            if let Ok(Some(scope)) = done {
                self.pressed.remove(&scope);
            }
        }
        let topic = String::from_utf8_lossy(&publish.topic);
        match read(self.panel, &topic, &publish.payload, publish.retain) {
            Heard::Press(scope) => self.press(scope),
            Heard::Text(text) => self.text(text),
            Heard::Nothing(why) => {
                tracing::warn!(
                    channel = self.context.channel(),
                    why,
                    "Left a message alone."
                );
            }
        }
    }

    /// Each press has an id of its own: what was cut, restored and pressed again is cut again.
    fn press(&mut self, scope: Scope) {
        if !self.pressed.insert(scope.clone()) {
            return;
        }
        let id = self.next_id();
        let context = self.context.clone();
        self.handing_over.spawn(async move {
            if context.button(&id, scope.clone()).await.is_err() {
                tracing::warn!(channel = context.channel(), %scope, "A press was not taken.");
            }
            Some(scope)
        });
    }

    fn text(&mut self, text: Text) {
        if self.handing_over.len() >= MOST_TEXTS {
            tracing::warn!(
                channel = self.context.channel(),
                "Too many texts: left one alone."
            );
            return;
        }
        let id = text.id().unwrap_or_else(|| self.next_id());
        let context = self.context.clone();
        self.handing_over.spawn(async move {
            let taken = context.text(&id, Some(text.sender()), text.text(), None);
            if taken.await.is_err() {
                tracing::warn!(channel = context.channel(), "A text was not taken.");
            }
            None
        });
    }

    fn next_id(&mut self) -> String {
        self.heard += 1;
        format!("{}-{}", self.started, self.heard)
    }

    /// Says `offline` and disconnects, as far as the broker still listens.
    async fn leave(&mut self) {
        let retained = PublishOptions::new(QoS::AtLeastOnce).retained();
        let gone = self
            .client
            .try_publish(self.panel.availability(), "offline", retained);
        if gone.is_err() || self.client.try_disconnect().is_err() {
            return;
        }
        let last = async { while self.events.poll().await.is_ok() {} };
        // A broker that does not listen any more says `offline` for us by itself.
        tokio::time::timeout(PATIENCE, last).await.ok();
    }
}

/// Keeps on the broker what is shown: all of it after each connection, what changed after each change.
async fn show(
    panel: &Panel,
    mut states: watch::Receiver<Option<Shown>>,
    mut connections: watch::Receiver<u64>,
    client: &AsyncClient,
) {
    let mut shown = BTreeMap::new();
    let mut last = None;
    loop {
        let changed = tokio::select! {
            changed = connections.changed() => {
                shown.clear();
                changed
            }
            changed = states.changed() => changed,
        };
        if changed.is_err() {
            return std::future::pending().await;
        }
        if *connections.borrow() == 0 {
            continue;
        }
        let state = states.borrow_and_update().clone();
        let online = state.is_some();
        last = state.or(last);
        let wanted = wanted(panel, last.as_ref(), online);
        for (topic, content) in difference(&shown, &wanted) {
            let options = PublishOptions::new(QoS::AtLeastOnce).retained();
            // Only fails when the event loop has ended, and then we have as well.
            client.publish(topic, content, options).await.ok();
        }
        shown = wanted;
    }
}

/// Everything retained. It stays while the kill switch is away, marked as `offline`: a press would not be heard then.
fn wanted(panel: &Panel, last: Option<&Shown>, online: bool) -> BTreeMap<String, String> {
    let mut wanted = panel.retained(last);
    let word = if online { "online" } else { "offline" };
    wanted.insert(panel.availability(), word.to_owned());
    wanted
}

/// What is new, changed, or gone; the empty content takes a retained message off the broker.
fn difference(
    shown: &BTreeMap<String, String>,
    wanted: &BTreeMap<String, String>,
) -> Vec<(String, String)> {
    let new = wanted
        .iter()
        .filter(|(topic, content)| shown.get(*topic) != Some(*content))
        .map(|(topic, content)| (topic.clone(), content.clone()));
    let gone = shown
        .keys()
        .filter(|topic| !wanted.contains_key(*topic))
        .map(|topic| (topic.clone(), String::new()));
    new.chain(gone).collect()
}

/// For people; a broker's words hold no secret of ours.
pub(crate) fn problem(error: &ConnectionError) -> String {
    format!("broker: {error}")
}
