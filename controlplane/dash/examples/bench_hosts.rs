//! A thousand simulated agents in one process with the control plane: intake, database, tasks, pages. No network and no TLS.
//!
//! `cargo run --release -p dash --example bench_hosts`
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "it measures and prints"
)]

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use http_body_util::BodyExt as _;
use inventory::{Inventory, Sender};
use kill_wire::Timestamp;
use killctl::Lever;
use net_model::{Dial, HostRole, KeyHash, Observed};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use store::{CertificateRecord, Invitation, Store};
use tokio::task::JoinSet;
use tower::ServiceExt as _;

const HOSTS: u64 = 1_000;
const EVERY: Duration = Duration::from_secs(10);
/// Reports of each host in each part.
const BEATS: u64 = 3;
const HOSTILE: u64 = 10_000;

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap())
}

struct Idle;

impl tasks::Facts for Idle {
    async fn observed(&self) -> Result<Observed, String> {
        Err("no gateway here".to_owned())
    }
}

fn name(host: u64) -> String {
    format!("host{host}")
}

fn sender(host: u64) -> Sender {
    Sender {
        host: name(host).parse().unwrap(),
        zone: format!("zone{}", host % 8).parse().unwrap(),
        address: "127.0.0.1".parse().unwrap(),
        dial: Dial::Out,
        certificate_ends: None,
    }
}

/// About as much as a host with a few disks, interfaces, containers and listeners says.
fn report(seq: u64) -> String {
    let disk = |n: u64| {
        format!(
            r#"{{"mount":"/data{n}","filesystem":"ext4","read_only":false,"size":{{"total_bytes":1000000,"free_bytes":{},"files_total":0,"files_free":0}}}}"#,
            500_000 - seq
        )
    };
    let net = |n: u64| {
        format!(
            r#"{{"name":"eth{n}","up":true,"addresses":["198.18.{n}.2/24"],"rx_bytes":{},"tx_bytes":{seq},"rx_errors":0,"tx_errors":0,"rx_dropped":0,"tx_dropped":0}}"#,
            seq * 1000
        )
    };
    let container = |n: u64| {
        format!(
            r#"{{"name":"container{n}","engine":"podman","image":"registry.lan/image:{n}","state":"running","runtime":"crun","posture":{{"pass":18,"warn":2,"fail":0,"unknown":1}}}}"#
        )
    };
    let listener = |n: u64| {
        format!(
            r#"{{"protocol":"tcp","address":"127.0.0.1","port":{},"uid":0}}"#,
            8000 + n
        )
    };
    let list =
        |of: &dyn Fn(u64) -> String, count: u64| (0..count).map(of).collect::<Vec<_>>().join(",");
    format!(
        r#"{{"v":1,"seq":{seq},"boot":"00000000000000aa","up_ms":{},"at_ms":{},"facts":{{"cpu":{{"cores":4,"busy_ppm":{},"waiting_ppm":0,"load_1m_milli":10,"load_5m_milli":10}},"memory":{{"total_bytes":1000,"available_bytes":400,"swap_total_bytes":0,"swap_used_bytes":0}},"disks":[{}],"nets":[{}],"containers":[{}],"listeners":[{}],"agent":{{"version":"0.1.0","rss_bytes":5000000,"cpu_ppm":100,"waiting":0}}}}}}"#,
        seq * 10_000,
        now().millis(),
        seq * 7919 % 1_000_000,
        list(&disk, 3),
        list(&net, 3),
        list(&container, 6),
        list(&listener, 10)
    )
}

/// Every host sends its reports, spread over the span; how long each took until it was on disk.
async fn beats(inventory: &Inventory, from: u64) -> Vec<Duration> {
    let mut all = JoinSet::new();
    for host in 0..HOSTS {
        let inventory = inventory.clone();
        all.spawn(async move {
            let offset = EVERY * u32::try_from(host).unwrap() / u32::try_from(HOSTS).unwrap();
            let mut next = tokio::time::Instant::now() + offset;
            let mut took = Vec::new();
            for beat in 0..BEATS {
                tokio::time::sleep_until(next).await;
                next += EVERY;
                let seq = from + beat;
                let line = report(seq);
                let begun = Instant::now();
                let answer = inventory
                    .reports(&sender(host), line.as_bytes(), now())
                    .await;
                assert_eq!(answer.unwrap().through, seq);
                took.push(begun.elapsed());
            }
            took
        });
    }
    let mut took: Vec<Duration> = all.join_all().await.into_iter().flatten().collect();
    took.sort();
    took
}

fn hostile(n: u64) -> String {
    match n % 4 {
        0 => format!(r#"{{"v":1,"seq":{n},"host":"host1","facts":{{}}}}"#),
        1 => "[".repeat(8_000),
        2 => "x".repeat(20_000),
        _ => report(1),
    }
}

fn at(sorted: &[Duration], percent: usize) -> Duration {
    sorted[(sorted.len() * percent / 100).min(sorted.len() - 1)]
}

/// Processor time of this process so far.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}

fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    line.split_whitespace()
        .nth(1)
        .unwrap()
        .parse::<u64>()
        .unwrap()
        / 1024
}

async fn joined(store: &Store) {
    for host in 0..HOSTS {
        let it = Invitation {
            name: name(host).parse().unwrap(),
            zone: format!("zone{}", host % 8).parse().unwrap(),
            roles: [HostRole::Other].into(),
            dial: Dial::Out,
            address: None,
            token: KeyHash::of(name(host).as_bytes()),
            expires: now().plus_millis(600_000),
        };
        assert!(store.invite_host(&it, false, now()).await.unwrap());
        let certificate = CertificateRecord {
            name: it.name.clone(),
            sha256: it.token,
            issued: now(),
            not_after: now().plus_millis(86_400_000),
        };
        assert!(store.host_joined(it.token, &certificate).await.unwrap());
    }
}

/// How long a page takes, a hundred times.
async fn page(router: &Router, of: impl Fn(u64) -> String) -> Vec<Duration> {
    let mut took = Vec::new();
    for n in 0..100 {
        let request = Request::get(of(n))
            .header(header::HOST, "localhost")
            .header(header::COOKIE, "portcullis_session=bench")
            .body(Body::empty())
            .unwrap();
        let begun = Instant::now();
        let answer = router.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        answer.into_body().collect().await.unwrap();
        took.push(begun.elapsed());
    }
    took.sort();
    took
}

/// The control plane without its ports.
struct Plane {
    store: Store,
    inventory: Inventory,
    tasks: tasks::Tasks,
    router: Router,
    _asked: tokio::sync::mpsc::Receiver<dash::ConfigAsk>,
}

async fn plane(folder: &Path) -> Plane {
    let store = Store::open(&folder.join("db")).await.unwrap();
    joined(&store).await;
    let inventory = Inventory::open(store.clone(), Default::default(), now()).await;
    let inventory = inventory.unwrap();
    let lever = Lever::at(folder.join("nobody.sock"));
    let tasks = tasks::start(tasks::Settings {
        store: store.clone(),
        spool_dir: folder.join("spool"),
        inventory: inventory.clone(),
        drill: None,
        lever: lever.clone(),
        facts: Idle,
        demo: false,
        clock: now,
    });
    let (config, asked) = tokio::sync::mpsc::channel(1);
    let router = dash::router(dash::App {
        store: store.clone(),
        snapshots: tasks.snapshots(),
        inventory: inventory.clone(),
        mesh: None,
        jobs: tasks.jobs(),
        lever,
        sign_in_dir: Path::new("/nonexistent").to_owned(),
        hosts: Vec::new(),
        config,
        clock: now,
    });
    let token = KeyHash::of(b"bench");
    let kept = store.create_session(token, now(), now().plus_millis(3_600_000));
    kept.await.unwrap();
    Plane {
        store,
        inventory,
        tasks,
        router,
        _asked: asked,
    }
}

fn say(what: &str, sorted: &[Duration]) {
    let (p50, p95, p99) = (at(sorted, 50), at(sorted, 95), at(sorted, 99));
    println!("{what}: p50 {p50:?} p95 {p95:?} p99 {p99:?}");
}

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().unwrap();
    let plane = plane(folder.path()).await;
    println!(
        "{HOSTS} hosts, a report of {} bytes each 10 s",
        report(1).len()
    );
    let (used, begun) = (cpu(), Instant::now());
    let calm = beats(&plane.inventory, 1).await;
    let share = (cpu() - used).as_secs_f64() / begun.elapsed().as_secs_f64() * 100.0;
    println!("processor: {share:.1} % of a core (its simulated agents included)");
    println!("resident at most: {} MiB", resident_mib());
    say("report until on disk", &calm);

    let liar = plane.inventory.clone();
    let mut flood = JoinSet::new();
    flood.spawn(async move {
        for n in 0..HOSTILE {
            liar.take(&sender(HOSTS), hostile(n).as_bytes(), now());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    });
    let flooded = beats(&plane.inventory, 1 + BEATS).await;
    flood.join_all().await;
    say(
        "the same while one host sends 10,000 hostile reports",
        &flooded,
    );
    let list = page(&plane.router, |n| format!("/hosts?page={}", n % 10)).await;
    say("page of 100 hosts", &list);
    let one = page(&plane.router, |n| format!("/hosts/host{n}")).await;
    say("page of one host", &one);
    println!("resident at most in all: {} MiB", resident_mib());
    plane.tasks.stop(Duration::from_secs(5)).await;
    plane.store.close().await;
}
