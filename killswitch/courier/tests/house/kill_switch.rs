//! The kill switch's end of `courier.sock`, as `kill_wire` describes it: takes what it is told to take.

use kill_courier::{ChannelSettings, Courier, Settings};
use kill_wire::{FromCourier, ToCourier};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// How long anything is waited for: only a failing test waits that long.
const LIMIT: Duration = Duration::from_secs(30);

#[derive(Default)]
struct Seen {
    messages: Vec<FromCourier>,
    /// Whether texts are taken.
    taking: bool,
    to_courier: Option<UnixStream>,
}

/// Listens until dropped with its folder.
#[derive(Clone)]
pub(crate) struct KillSwitch(Arc<(Mutex<Seen>, Condvar)>);

/// A text as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) id: String,
    pub(crate) sender: String,
    pub(crate) text: String,
    pub(crate) sent: Option<String>,
}

impl KillSwitch {
    pub(crate) fn listen(folder: &Path) -> Self {
        let listener = UnixListener::bind(folder.join("courier.sock")).unwrap();
        let switch = Self(Arc::default());
        switch.0.0.lock().unwrap().taking = true;
        let serving = switch.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                let reader = BufReader::new(stream.try_clone().unwrap());
                serving.0.0.lock().unwrap().to_courier = Some(stream);
                for line in reader.lines().map_while(Result::ok) {
                    serving.hear(serde_json::from_str(&line).unwrap());
                }
            }
        });
        switch
    }

    fn hear(&self, message: FromCourier) {
        let mut seen = self.0.0.lock().unwrap();
        if seen.taking
            && let FromCourier::Text { channel, id, .. } = &message
        {
            let (channel, id) = (channel.clone(), id.clone());
            say(&mut seen, &ToCourier::Taken { channel, id });
        }
        seen.messages.push(message);
        drop(seen);
        self.0.1.notify_all();
    }

    /// From now on texts are heard but not taken, or taken again.
    pub(crate) fn take(&self, taking: bool) {
        self.0.0.lock().unwrap().taking = taking;
    }

    pub(crate) fn say(&self, message: &ToCourier) {
        say(&mut self.0.0.lock().unwrap(), message);
    }

    /// Waits until `wanted` finds something in what was heard.
    pub(crate) fn wait<T>(&self, wanted: impl Fn(&[FromCourier]) -> Option<T>) -> T {
        let mut seen = self.0.0.lock().unwrap();
        loop {
            if let Some(found) = wanted(&seen.messages) {
                return found;
            }
            let (next, waited) = self.0.1.wait_timeout(seen, LIMIT).unwrap();
            seen = next;
            assert!(!waited.timed_out(), "heard only {:?}", seen.messages);
        }
    }

    /// Every text heard so far, the same one as often as it came.
    pub(crate) fn texts(&self) -> Vec<Text> {
        texts(&self.0.0.lock().unwrap().messages)
    }

    /// Waits for a text that holds `part`.
    pub(crate) fn text(&self, part: &str) -> Text {
        self.wait(|heard| {
            texts(heard)
                .into_iter()
                .find(|text| text.text.contains(part))
        })
    }

    /// Waits until the newest health of the channel holds `part`; with an empty one, until nothing is wrong.
    pub(crate) fn problem(&self, part: &str) {
        self.wait(|heard| {
            let newest = heard.iter().rev().find_map(|message| {
                if let FromCourier::Health { problem, .. } = message {
                    return Some(problem.clone());
                }
                None
            });
            match newest? {
                None => part.is_empty().then_some(()),
                Some(problem) => (!part.is_empty() && problem.contains(part)).then_some(()),
            }
        });
    }
}

fn say(seen: &mut Seen, message: &ToCourier) {
    let mut line = serde_json::to_vec(message).unwrap();
    line.push(b'\n');
    if let Some(stream) = &mut seen.to_courier {
        stream.write_all(&line).unwrap();
    }
}

fn texts(heard: &[FromCourier]) -> Vec<Text> {
    let text = |message: &FromCourier| {
        if let FromCourier::Text {
            id,
            sender,
            text,
            sent,
            ..
        } = message
        {
            return Some(Text {
                id: id.clone(),
                sender: sender.clone().unwrap_or_default(),
                text: text.clone(),
                sent: sent.map(|sent| sent.to_string()),
            });
        }
        None
    };
    heard.iter().filter_map(text).collect()
}

/// A courier with one channel, stopped when dropped.
pub(crate) struct Running(Option<Courier>);

impl Running {
    pub(crate) fn start(folder: &Path, kind: &str, values: &[(&str, String)]) -> Self {
        let channel = ChannelSettings {
            name: "modem".into(),
            kind: kind.into(),
            values: values
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone()))
                .collect(),
            secrets: Vec::new(),
        };
        let settings = Settings {
            socket: folder.join("courier.sock"),
            channels: vec![channel],
        };
        Self(Some(Courier::start(settings).unwrap()))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(courier) = self.0.take() {
            courier.stop(Duration::from_secs(10));
        }
    }
}

/// Waits until `done`.
pub(crate) fn until(what: &str, done: impl Fn() -> bool) {
    let pause = Duration::from_millis(10);
    let tries = LIMIT.as_millis() / pause.as_millis();
    for _ in 0..tries {
        if done() {
            return;
        }
        std::thread::sleep(pause);
    }
    panic!("not within {LIMIT:?}: {what}");
}
