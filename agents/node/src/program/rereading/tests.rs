//! A file that changes under a running agent.

use super::*;
use std::fs;

const FILE: &str = r#"
[agent]
name = "gw"
killswitch_keys = []
[[agent.drivers]]
kind = "nginx"
overlay = "ours/overlay.conf"
program = "/usr/sbin/nginx"
conf = "nginx.conf"
pid = "nginx.pid"
data = ["127.0.0.1:8081"]
manage = true
[gateway]
[[gateway.targets]]
name = "ollama"
class = "local"
base_url = "http://10.0.20.5:11434/v1"
[[gateway.routes]]
name = "chat"
targets = ["ollama"]
[[gateway.consumers]]
name = "claw"
key_file = "claw.key"
routes = ["chat"]
"#;

struct Host {
    folder: tempfile::TempDir,
    rereading: Rereading,
}

impl Host {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("claw.key"), "claw-key-0123456789").unwrap();
        let path = folder.path().join("node-agent.toml");
        fs::write(&path, FILE).unwrap();
        Self {
            rereading: Rereading::of(&path),
            folder,
        }
    }

    fn write(&self, text: &str) {
        fs::write(self.folder.path().join("node-agent.toml"), text).unwrap();
    }

    /// Twice: what still changes is not read.
    fn news(&mut self) -> News {
        let first = self.rereading.news(false);
        assert!(matches!(first, News::None), "{first:?}");
        self.rereading.news(false)
    }

    fn routes(&mut self) -> Vec<String> {
        let News::Good(config, later) = self.news() else {
            panic!("not taken")
        };
        assert_eq!(later, Vec::<String>::new());
        let table = config.wanted.unwrap().table;
        let routes = table.routes().iter();
        routes.map(|route| route.name.to_string()).collect()
    }
}

#[test]
fn a_changed_file_is_taken_once_and_one_that_is_as_before_never() {
    let mut host = Host::new();
    assert!(matches!(host.news(), News::None));
    host.write(&FILE.replace("\"chat\"", "\"talk\""));
    assert_eq!(host.routes(), ["talk"]);
    assert!(matches!(host.news(), News::None));
    // The same text again is no change.
    host.write(&FILE.replace("\"chat\"", "\"talk\""));
    assert!(matches!(host.news(), News::None));
    // Whoever asks is answered.
    assert!(matches!(host.rereading.news(true), News::Good(..)));
}

#[test]
fn a_key_that_changes_in_its_file_is_news() {
    let mut host = Host::new();
    fs::write(host.folder.path().join("claw.key"), "claw-key-9876543210").unwrap();
    let News::Good(config, _) = host.news() else {
        panic!("not taken")
    };
    let keys = config.wanted.unwrap().keys;
    let key = keys.values().next().unwrap();
    assert_eq!(key.expose(), "claw-key-9876543210");
}

#[test]
fn every_mistake_is_said_and_the_next_good_file_is_taken() {
    let mut host = Host::new();
    let text = FILE
        .replace("class = \"local\"", "class = \"locl\"")
        .replace("claw.key", "absent.key")
        .replace("[gateway]", "[gateway]\ncolour = 1");
    host.write(&text);
    let News::Bad(bad) = host.news() else {
        panic!("taken")
    };
    let said = bad.to_string();
    for part in ["locl", "absent.key", "gateway.colour: unknown key"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    host.write("[gateway");
    assert!(matches!(host.news(), News::Bad(_)));
    host.write(FILE);
    assert_eq!(host.routes(), ["chat"]);
}

#[test]
fn what_counts_only_from_the_next_start_is_named() {
    let mut host = Host::new();
    host.write(&FILE.replace("name = \"gw\"", "name = \"gw2\""));
    let News::Good(_, later) = host.news() else {
        panic!("not taken")
    };
    assert_eq!(later, ["agent"]);
}
