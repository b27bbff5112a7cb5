//! What a walk stands on: which ways there are, a kept connection, and the folder that nginx looks into.

use gateways::{Gateway as _, Mode, Nginx, NginxSettings, Wanted};
use kill_wire::{Class, RouteKind};
use net_model::{Consumer, ModelPattern, Route, RouteTable, Secret, Target};
use site_tests::driven::{Answer, Client, Door};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

const KEYS: [&str; 2] = ["sk-claw-0123456789abcdef", "sk-paw-0123456789abcdef"];

/// Which routes and consumers there shall be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Want {
    /// Both.
    All,
    /// One route, which is then every path, for one consumer.
    One,
    /// Both, and the consumers' keys exchanged.
    Swapped,
}

/// One way through.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way {
    pub(super) consumer: &'static str,
    pub(super) key: &'static str,
    pub(super) route: &'static str,
}

impl Way {
    pub(super) fn path(&self) -> String {
        format!("/{}/v1/chat/completions", self.route)
    }
}

pub(super) fn ways(want: Want) -> Vec<Way> {
    let way = |consumer, key, route| Way {
        consumer,
        key,
        route,
    };
    match want {
        Want::All => vec![way("claw", KEYS[0], "chat"), way("paw", KEYS[1], "side")],
        Want::One => vec![way("claw", KEYS[0], "chat")],
        Want::Swapped => vec![way("claw", KEYS[1], "chat"), way("paw", KEYS[0], "side")],
    }
}

impl Want {
    pub(super) fn of(self, base: &str) -> Wanted {
        let ways = ways(self);
        let target = Target::new("box".parse().unwrap(), Class::Local, base.parse().unwrap());
        let route = |way: &Way| Route {
            name: way.route.parse().unwrap(),
            kind: RouteKind::Llm,
            models: ModelPattern::new("*").into_iter().collect(),
            targets: vec![0],
        };
        let secret = |way: &Way| Secret::new(way.key).unwrap();
        let consumer = |(at, way): (usize, &Way)| {
            Consumer::new(way.consumer.parse().unwrap(), secret(way).hash(), vec![at])
        };
        let routes = ways.iter().map(route).collect();
        let consumers = ways.iter().enumerate().map(consumer).collect();
        let keys = ways
            .iter()
            .map(|way| (way.consumer.parse().unwrap(), secret(way)));
        Wanted {
            table: Arc::new(RouteTable::new(vec![target], routes, consumers).unwrap()),
            keys: keys.collect(),
            leads: vec![Some(0); ways.len()],
            ..Wanted::default()
        }
    }
}

/// A connection that is kept for as long as it lives.
#[derive(Debug, Default)]
pub(super) struct Line(Option<Client>);

impl Line {
    pub(super) async fn ask(&mut self, door: &Door) -> Answer {
        for _ in 0..2 {
            if self.0.is_none() {
                self.0 = door.client().await.ok();
            }
            let Some(client) = &mut self.0 else {
                return Answer::Ended;
            };
            let answer = client.ask().await;
            if answer != Answer::Ended {
                return answer;
            }
            self.0 = None;
        }
        Answer::Ended
    }
}

/// The folder with our file.
#[derive(Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn of(overlay: &Path) -> Self {
        Self(overlay.parent().unwrap().to_owned())
    }

    pub(super) fn overlay(&self) -> PathBuf {
        self.0.join("overlay.conf")
    }

    pub(super) fn now(&self) -> PathBuf {
        self.0.join("now")
    }

    pub(super) fn lease(&self) -> PathBuf {
        self.0.join("lease")
    }

    /// To a state of before, if there is one.
    pub(super) fn lead_now_elsewhere(&self) -> io::Result<()> {
        let mut states = fs::read_dir(self.0.join("states"))?;
        let state = states.next().ok_or(io::ErrorKind::NotFound)??;
        fs::remove_file(self.now())?;
        std::os::unix::fs::symlink(Path::new("states").join(state.file_name()), self.now())
    }

    /// Nothing can be renamed to where a folder stands, and nobody removes one with something in it.
    pub(super) fn put_a_folder_for_now(&self) -> io::Result<()> {
        fs::remove_file(self.now())?;
        fs::create_dir_all(self.now().join("something"))
    }

    /// As a disk that is full, or that may not be written.
    pub(super) fn no_room_for_states(&self) -> io::Result<()> {
        fs::rename(self.0.join("states"), self.0.join("states-away"))?;
        fs::write(self.0.join("states"), [])
    }

    /// Whatever stands where something of ours must, goes.
    pub(super) fn mend(&self) {
        if self.0.join("states-away").exists() {
            fs::remove_file(self.0.join("states")).unwrap();
            fs::rename(self.0.join("states-away"), self.0.join("states")).unwrap();
        }
        let now = fs::symlink_metadata(self.now());
        if now.is_ok_and(|it| it.is_dir()) {
            fs::remove_dir_all(self.now()).unwrap();
        }
    }

    pub(super) async fn put_ours_if_missing(&self, want: Want, base: &str) {
        if !self.overlay().exists() {
            fs::write(self.overlay(), self.file_for(want, base).await).unwrap();
        }
    }

    /// Our file for `want`, as a driver of ours writes it into a folder like this.
    pub(super) async fn file_for(&self, want: Want, base: &str) -> String {
        let aside = tempfile::tempdir().unwrap();
        let nginx = Nginx::new(NginxSettings {
            overlay: aside.path().join("overlay.conf"),
            // Says that every configuration is one.
            program: "/bin/true".into(),
            conf: aside.path().join("nginx.conf"),
            pid: aside.path().join("nginx.pid"),
            data: Vec::new(),
            manage: true,
            sever: false,
        });
        nginx.reconcile(&want.of(base), Mode::Repair).await.unwrap();
        let text = fs::read_to_string(aside.path().join("overlay.conf")).unwrap();
        text.replace(
            &aside.path().display().to_string(),
            &self.0.display().to_string(),
        )
    }
}
