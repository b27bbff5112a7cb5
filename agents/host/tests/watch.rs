//! Looks at this machine, at services that lie on loopback, and at containers through the helper.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use host_facts::{
    Besides, Buffer, EngineSettings, Helper, HelperServer, HelperSettings, Reporter, Settings,
    Surroundings, WatchedGateway, Watcher,
};
use net_model::report::{Engine, Facts, GatewayKind, Liveness, Report};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Answers each path as `serve` says until the test ends.
fn service(serve: impl Fn(&str, &mut TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut line = String::new();
            BufReader::new(stream.try_clone().unwrap())
                .read_line(&mut line)
                .unwrap();
            let path = line.split(' ').nth(1).unwrap_or("").to_owned();
            serve(&path, &mut stream);
        }
    });
    address
}

fn say(stream: &mut TcpStream, status: &str, body: &str) {
    let answer = format!("HTTP/1.0 {status}\r\ncontent-type: application/json\r\n\r\n{body}");
    drop(stream.write_all(answer.as_bytes()));
}

fn look(settings: Settings) -> Facts {
    let report = Watcher::new(settings, "0.1.0").look(1, 5, Besides::default());
    // What is made can be read by whoever takes it.
    assert_eq!(Report::parse(report.line().as_bytes()).unwrap(), report);
    report.facts
}

#[test]
fn this_machine_is_seen_as_it_is() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let facts = look(Settings::default());
    let cores = std::thread::available_parallelism().unwrap().get();
    assert!(usize::from(facts.cpu.unwrap().cores) >= cores.min(1));
    let memory = facts.memory.unwrap();
    assert!(memory.available_bytes > 0 && memory.available_bytes < memory.total_bytes);
    let agent = facts.agent.unwrap();
    assert!(agent.rss_bytes > 1 << 20, "{agent:?}");
    assert_eq!(agent.version.as_str(), "0.1.0");
    let kernel = facts.kernel.unwrap();
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    assert_eq!(kernel.release.as_str(), release.trim());
    let posture = &kernel.posture;
    assert_eq!(
        posture.pass + posture.warn + posture.fail + posture.unknown,
        5
    );
    // Only the list's own bound may have pushed it out.
    let seen = facts.listeners.iter().any(|listener| listener.port == port);
    assert!(
        seen || facts.listeners.len() == 64,
        "{port} is not in {:?}",
        facts.listeners
    );
    assert!(facts.gpus.is_empty() && facts.ollama.is_none());
}

/// An Ollama server with one model, half of it in graphics memory; tells which paths it was asked for.
fn small_ollama(asked: Sender<String>) -> SocketAddr {
    service(move |path, stream| {
        asked.send(path.to_owned()).unwrap();
        let model = r#""name":"qwen3:8b","digest":"500a1f067a9f","size":6000"#;
        let body = match path {
            "/api/version" => r#"{"version":"0.12.6"}"#.to_owned(),
            "/api/tags" => format!(r#"{{"models":[{{{model}}}]}}"#),
            _ => format!(r#"{{"models":[{{{model},"size_vram":2000}}]}}"#),
        };
        say(stream, "200 OK", &body);
    })
}

fn gateway(name: &str, kind: GatewayKind, address: SocketAddr) -> WatchedGateway {
    let name = name.to_owned();
    WatchedGateway {
        name,
        kind,
        address,
    }
}

#[test]
fn an_ollama_server_and_gateways_are_asked_only_what_costs_nothing() {
    let (asked, paths) = channel();
    let ollama = small_ollama(asked.clone());
    let litellm = service(move |path, stream| {
        asked.send(path.to_owned()).unwrap();
        match path {
            "/health/liveliness" => say(stream, "200 OK", "\"I'm alive!\""),
            _ => say(stream, "503 Service Unavailable", "{}"),
        }
    });
    let gone = {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.local_addr().unwrap()
    };
    let facts = look(Settings {
        ollama: Some(ollama),
        gateways: vec![
            gateway("litellm", GatewayKind::Litellm, litellm),
            gateway("own", GatewayKind::Own, gone),
        ],
        ..Settings::default()
    });
    let found = facts.ollama.unwrap();
    assert_eq!(
        (found.live, found.loaded[0].spilled_bytes),
        (Liveness::Up, 4000)
    );
    assert_eq!(found.models[0].name.as_str(), "qwen3:8b");
    let [litellm, own] = &facts.gateways[..] else {
        panic!("{:?}", facts.gateways);
    };
    assert_eq!(
        (litellm.live, litellm.ready),
        (Liveness::Up, Liveness::Down)
    );
    assert_eq!((own.live, own.ready), (Liveness::Down, Liveness::Down));
    let mut paths: Vec<String> = paths.try_iter().collect();
    paths.sort_unstable();
    let free = [
        "/api/ps",
        "/api/tags",
        "/api/version",
        "/health/liveliness",
        "/health/readiness",
    ];
    assert_eq!(paths, free);
}

#[test]
fn who_hangs_who_floods_and_who_redirects_is_unknown_and_delays_nobody() {
    let hangs = service(|_, stream| drop(stream.read(&mut [0; 64])));
    let floods = service(|_, stream| {
        say(stream, "200 OK", "");
        while stream.write_all(&[b'x'; 65536]).is_ok() {}
    });
    let redirects = service(|_, stream| {
        let answer = "HTTP/1.0 302 Found\r\nlocation: http://127.0.0.1:9/paid\r\n\r\n";
        drop(stream.write_all(answer.as_bytes()));
    });
    let gateway = |name, address| gateway(name, GatewayKind::Own, address);
    let settings = Settings {
        ollama: Some(hangs),
        gateways: vec![
            gateway("hangs", hangs),
            gateway("floods", floods),
            gateway("redirects", redirects),
        ],
        ..Settings::default()
    };
    let mut watcher = Watcher::new(settings, "0.1.0");
    let facts = watcher.look(1, 5, Besides::default()).facts;
    for fact in &facts.gateways {
        assert_eq!(fact.live, Liveness::Unknown, "{fact:?}");
    }
    assert!(facts.memory.is_some() && facts.agent.is_some());
    let facts = watcher.look(2, 6, Besides::default()).facts;
    assert!(facts.memory.is_some());
    assert_ne!(facts.ollama.map(|found| found.live), Some(Liveness::Up));
}

/// A container engine that knows one container, and writes down what it was asked for.
fn engine(folder: &Path) -> PathBuf {
    let sample = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../host-core/tests/posture/docker-privileged.json"
    ))
    .unwrap();
    let sample: serde_json::Value = serde_json::from_str(&sample).unwrap();
    let write = |name: &str, key: &str| {
        std::fs::write(folder.join(name), sample.get(key).unwrap().to_string()).unwrap();
    };
    write("inspect.json", "inspect");
    write("info.json", "info");
    let script = format!(
        "#!/bin/sh\ncd {}\necho \"$@\" >> asked\n\
         case \"$1\" in\ncontainer) cat inspect.json; exit 1;;\ninfo) cat info.json;;\npause) exit 0;;\nunpause) exit 5;;\nstop) exec sleep 60;;\nesac\n",
        folder.display()
    );
    let program = folder.join("docker");
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    program
}

fn helper(folder: &Path, containers: &[&str]) -> PathBuf {
    let socket = folder.join("runtime.sock");
    let settings = HelperSettings {
        socket: socket.clone(),
        uid: rustix::process::geteuid().as_raw(),
        engine: EngineSettings {
            engine: Engine::Docker,
            program: engine(folder),
            host: None,
            containers: containers.iter().map(|name| (*name).to_owned()).collect(),
        },
    };
    let server = HelperServer::bind(settings).unwrap();
    std::thread::spawn(move || server.serve());
    socket
}

#[test]
fn containers_are_seen_through_the_helper_and_their_environment_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let socket = helper(dir.path(), &["claw", "web"]);
    let facts = look(Settings {
        runtime_helpers: vec![socket.clone()],
        ..Settings::default()
    });
    let claw = &facts.containers[0];
    assert_eq!((claw.name.as_str(), claw.engine), ("claw", Engine::Docker));
    assert!(
        claw.posture
            .failing
            .iter()
            .any(|id| id.as_str() == "privileged"),
        "{claw:?}"
    );
    assert!(
        facts
            .unknown
            .iter()
            .all(|unknown| !unknown.what.as_str().starts_with("containers")),
        "{:?}",
        facts.unknown
    );
    let mut stream = UnixStream::connect(&socket).unwrap();
    stream.write_all(b"{\"verb\":\"inspect\"}\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(
        answer.contains("Privileged") && !answer.contains("PATH="),
        "{answer}"
    );
}

#[test]
fn a_helper_does_four_things_with_the_containers_it_was_started_with_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let helper = Helper::at(helper(dir.path(), &["claw"]));
    helper.freeze("claw").unwrap();
    assert!(
        helper
            .thaw("claw")
            .unwrap_err()
            .to_string()
            .contains("refused")
    );
    for other in ["other", "-claw", "--help", "", "claw;reboot"] {
        let why = helper.freeze(other).unwrap_err().to_string();
        assert!(why.contains("none of those"), "{why}");
    }
    let asked = std::fs::read_to_string(dir.path().join("asked")).unwrap();
    assert_eq!(asked, "pause claw\nunpause claw\n");
    for line in [
        "",
        "{}",
        "{\"verb\":\"exec\"}",
        "{\"verb\":\"inspect\",\"x\":1}",
        "[]",
    ] {
        let mut stream = UnixStream::connect(dir.path().join("runtime.sock")).unwrap();
        stream.write_all(line.as_bytes()).unwrap();
        stream.write_all(b"\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert_eq!(answer, "{\"refused\":\"not a request\"}\n", "{line}");
    }
}

#[test]
fn an_engine_that_hangs_is_given_up_and_freezing_goes_on_beside_it() {
    let dir = tempfile::tempdir().unwrap();
    let helper = Helper::at(helper(dir.path(), &["claw"]));
    let other = helper.clone();
    let stopping = std::thread::spawn(move || other.stop("claw").unwrap_err().to_string());
    helper.freeze("claw").unwrap();
    assert!(!stopping.is_finished());
    assert!(stopping.join().unwrap().contains("in time"));
}

#[test]
fn a_name_that_could_be_an_option_starts_no_helper() {
    let dir = tempfile::tempdir().unwrap();
    let settings = HelperSettings {
        socket: dir.path().join("runtime.sock"),
        uid: 1,
        engine: EngineSettings {
            engine: Engine::Podman,
            program: PathBuf::from("/usr/bin/podman"),
            host: None,
            containers: vec!["--privileged".to_owned()],
        },
    };
    assert!(HelperServer::bind(settings).is_err());
}

#[test]
fn the_reporter_keeps_what_it_sees_until_it_is_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let shelf = Buffer::open(dir.path().join("reports"), 2_000_000).unwrap();
    let shelf = Arc::new(Mutex::new(shelf));
    let (kept, told) = channel();
    let around = Surroundings {
        every: host_facts::EVERY,
        shelf: shelf.clone(),
        now_ms: Box::new(|| 1_700_000_000_000),
        besides: Box::new(Besides::default),
        kept: Box::new(move |result| kept.send(result).unwrap()),
    };
    let reporter = Reporter::start(Watcher::new(Settings::default(), "0.1.0"), around).unwrap();
    assert_eq!(
        told.recv_timeout(Duration::from_secs(60)).unwrap().unwrap(),
        1
    );
    assert!(reporter.stop(Duration::from_secs(60)));
    let lines = shelf.lock().unwrap().after(0, 1 << 20).unwrap();
    let first = lines.split(|b| *b == b'\n').next().unwrap();
    assert_eq!(Report::parse(first).unwrap().at_ms, 1_700_000_000_000);
}
