//! The kill switch's end of `courier.sock`, as `kill_wire` describes it.

use kill_courier::{ChannelSettings, Courier, Settings};
use kill_wire::{FromCourier, ToCourier};
use std::io::{BufRead, BufReader, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// How long anything is waited for: only a failing test waits that long.
pub(crate) const LIMIT: Duration = Duration::from_secs(40);

#[derive(Default)]
struct Seen {
    heard: Vec<FromCourier>,
    /// Connections so far.
    connections: usize,
    deaf: bool,
    courier: Option<UnixStream>,
}

/// Listens until the test ends.
#[derive(Clone)]
pub(crate) struct Switch(Arc<(Mutex<Seen>, Condvar)>);

impl Switch {
    /// Takes whatever comes.
    pub(crate) fn listen(folder: &Path) -> Self {
        let listener = UnixListener::bind(folder.join("courier.sock")).unwrap();
        let switch = Self(Arc::default());
        let serving = switch.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                let reader = BufReader::new(stream.try_clone().unwrap());
                let mut seen = serving.0.0.lock().unwrap();
                seen.courier = Some(stream);
                seen.connections += 1;
                drop(seen);
                serving.0.1.notify_all();
                let serving = serving.clone();
                std::thread::spawn(move || {
                    for line in reader.lines().map_while(Result::ok) {
                        serving.hear(serde_json::from_str(&line).unwrap());
                    }
                });
            }
        });
        switch
    }

    fn hear(&self, message: FromCourier) {
        let mut seen = self.0.0.lock().unwrap();
        let deaf = seen.deaf;
        let taken = match &message {
            FromCourier::Text { channel, id, .. }
            | FromCourier::Webhook { channel, id, .. }
            | FromCourier::Button { channel, id, .. } => Some((channel.clone(), id.clone())),
            FromCourier::Sent { .. } | FromCourier::NotSent { .. } | FromCourier::Health { .. } => {
                None
            }
        };
        seen.heard.push(message);
        drop(seen);
        self.0.1.notify_all();
        if let Some((channel, id)) = taken.filter(|_| !deaf) {
            self.say(&ToCourier::Taken { channel, id });
        }
    }

    /// From now on nothing is taken, or everything is again.
    pub(crate) fn deaf(&self, deaf: bool) {
        self.0.0.lock().unwrap().deaf = deaf;
    }

    pub(crate) fn say(&self, message: &ToCourier) {
        let mut line = serde_json::to_vec(message).unwrap();
        line.push(b'\n');
        self.say_raw(&line);
    }

    /// The courier may just be hanging up.
    pub(crate) fn say_raw(&self, line: &[u8]) {
        let seen = self.connected(1);
        drop(seen.courier.as_ref().unwrap().write_all(line));
    }

    /// Ends the connection and waits for the next one.
    pub(crate) fn hang_up(&self) {
        let seen = self.connected(1);
        let next = seen.connections + 1;
        drop(seen.courier.as_ref().unwrap().shutdown(Shutdown::Both));
        drop(seen);
        drop(self.connected(next));
    }

    /// Waits for so many connections.
    fn connected(&self, count: usize) -> std::sync::MutexGuard<'_, Seen> {
        let mut seen = self.0.0.lock().unwrap();
        while seen.connections < count {
            let (next, waited) = self.0.1.wait_timeout(seen, LIMIT).unwrap();
            seen = next;
            assert!(!waited.timed_out(), "no connection");
        }
        seen
    }

    pub(crate) fn reply(&self, number: u64, to: &str, text: &str) {
        self.say(&ToCourier::Reply {
            number,
            channel: "phone".to_owned(),
            to: to.to_owned(),
            text: text.to_owned(),
        });
    }

    /// Waits until `wanted` finds something in what was heard.
    pub(crate) fn wait<T>(&self, wanted: impl Fn(&[FromCourier]) -> Option<T>) -> T {
        let mut seen = self.0.0.lock().unwrap();
        loop {
            if let Some(found) = wanted(&seen.heard) {
                return found;
            }
            let (next, waited) = self.0.1.wait_timeout(seen, LIMIT).unwrap();
            seen = next;
            assert!(!waited.timed_out(), "heard only {:?}", seen.heard);
        }
    }

    /// Waits until messages of these ids were heard; gives id, sender and text of each text in the order they came.
    pub(crate) fn texts(&self, ids: &[&str]) -> Vec<(String, String, String)> {
        self.wait(|heard| {
            let texts = texts(heard);
            let there = |id: &&str| texts.iter().any(|(known, _, _)| known == id);
            ids.iter().all(there).then_some(texts)
        })
    }

    /// Texts heard so far.
    pub(crate) fn all_texts(&self) -> Vec<(String, String, String)> {
        texts(&self.0.0.lock().unwrap().heard)
    }

    /// Waits for the end of that reply: nothing, or why it was not sent.
    pub(crate) fn end(&self, wanted: u64) -> Option<String> {
        self.wait(|heard| heard.iter().find_map(|message| ended(message, wanted)))
    }

    /// Waits until the end of that reply was heard so often.
    pub(crate) fn ended_times(&self, wanted: u64, times: usize) {
        self.wait(|heard| {
            let ends = heard.iter().filter_map(|message| ended(message, wanted));
            (ends.count() >= times).then_some(())
        });
    }

    /// How often the end of that reply was heard.
    pub(crate) fn ends(&self, wanted: u64) -> usize {
        let heard = &self.0.0.lock().unwrap().heard;
        heard.iter().filter_map(|m| ended(m, wanted)).count()
    }

    /// Waits until the newest health holds `part`; with an empty one, until nothing is wrong.
    pub(crate) fn problem(&self, part: &str) -> String {
        self.wait(|heard| {
            let newest = heard.iter().rev().find_map(|message| match message {
                FromCourier::Health { problem, .. } => Some(problem.clone().unwrap_or_default()),
                _ => None,
            })?;
            (newest.contains(part) && newest.is_empty() == part.is_empty()).then_some(newest)
        })
    }

    /// Everything that was ever said of health and failed replies, to look for what must not stand there.
    pub(crate) fn told(&self) -> String {
        let heard = &self.0.0.lock().unwrap().heard;
        let told = heard.iter().filter_map(|message| match message {
            FromCourier::Health { problem, .. } => problem.clone(),
            FromCourier::NotSent { why, .. } => Some(why.clone()),
            _ => None,
        });
        told.collect::<Vec<_>>().join("\n")
    }
}

fn ended(message: &FromCourier, wanted: u64) -> Option<Option<String>> {
    match message {
        FromCourier::Sent { number } if *number == wanted => Some(None),
        FromCourier::NotSent { number, why } if *number == wanted => Some(Some(why.clone())),
        _ => None,
    }
}

fn texts(heard: &[FromCourier]) -> Vec<(String, String, String)> {
    let texts = heard.iter().filter_map(|message| match message {
        FromCourier::Text {
            id, sender, text, ..
        } => Some((id.clone(), sender.clone().unwrap_or_default(), text.clone())),
        _ => None,
    });
    texts.collect()
}

/// A courier with one channel, `phone`; stopped when dropped.
pub(crate) struct Running(Option<Courier>);

impl Running {
    pub(crate) fn start(folder: &Path, kind: &str, secret: &str, values: &[(&str, &str)]) -> Self {
        let channel = channel(kind, secret, values);
        let settings = Settings {
            socket: folder.join("courier.sock"),
            channels: vec![channel],
        };
        Self(Some(Courier::start(settings).unwrap()))
    }
}

/// A channel `phone`.
pub(crate) fn channel(kind: &str, secret: &str, values: &[(&str, &str)]) -> ChannelSettings {
    let value = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    ChannelSettings {
        name: "phone".to_owned(),
        kind: kind.to_owned(),
        values: values.iter().map(value).collect(),
        secrets: vec![secret.to_owned().into()],
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(courier) = self.0.take() {
            courier.stop(Duration::from_secs(10));
        }
    }
}
