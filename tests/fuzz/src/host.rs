//! What hosts say and what is said to them: nothing panics, nothing grows, and nothing unknown passes for well.
#![no_main]

use host_core::buffer::{Frame, Header, PREFIX_BYTES, inflated, thin, with_gap};
use host_core::kernel;
use host_core::posture::{checks, inspected, reduced, reduced_info};
use host_core::services::{Answer, ollama};
use libfuzzer_sys::fuzz_target;
use net_model::report::{Engine, MAX_REPORT_BYTES, NotAReport, Report};

fuzz_target!(|data: &[u8]| {
    let Some((kind, rest)) = data.split_first() else { return };
    match kind % 5 {
        0 => report(rest),
        1 => texts(&String::from_utf8_lossy(rest)),
        2 => engine(rest),
        3 => services(rest),
        _ => buffer(rest),
    }
});

/// That nothing panics on the way here is all that is asked of it.
fn seen<T>(_: T) {}

fn report(line: &[u8]) {
    match Report::parse(line) {
        Ok(report) => {
            let again = Report::parse(report.line().as_bytes());
            // Short forms of the same may grow a little when they are written out: `1e3`, an address.
            assert!(again.as_ref() == Ok(&report) || matches!(again, Err(NotAReport::Long(_))));
            let small = host_core::fit::fitted(report);
            assert!(small.line().len() <= MAX_REPORT_BYTES);
        }
        Err(why) => assert!(why.to_string().len() < 700),
    }
}

fn texts(text: &str) {
    if let (Some(a), Some(b)) = (kernel::CpuTimes::read(text), text.get(1..).and_then(kernel::CpuTimes::read)) {
        for cpu in [kernel::cpu(a, b, text), kernel::cpu(b, a, "1 2")].into_iter().flatten() {
            assert!(cpu.busy_ppm <= 1_000_000 && cpu.waiting_ppm <= 1_000_000);
        }
    }
    seen(kernel::memory(text));
    seen(kernel::resident_bytes(text));
    assert!(kernel::mounts(text).len() <= 64);
    seen(kernel::nets(text));
    let routes = [kernel::routes_v4(text), kernel::routes_v6(text)].concat();
    seen(kernel::addresses_v4(text, &routes));
    seen(kernel::addresses_v6(text));
    for table in kernel::Table::ALL {
        let found = text.lines().filter_map(|line| kernel::socket(table, line));
        seen(kernel::listeners(found.collect()));
    }
    seen(kernel::boot_id(text));
    seen(kernel::uptime_ms(text));
    seen(kernel::nvidia(text, text));
    seen(kernel::amd("card0", |_| Some(text.to_owned())));
}

fn engine(text: &[u8]) {
    for engine in [Engine::Docker, Engine::Podman] {
        for one in inspected(engine, text, text).unwrap_or_default() {
            let posture = &one.container.posture;
            assert_eq!(usize::from(posture.fail), posture.failing.len());
            for check in checks() {
                let _judged = check.outcome(&one.document);
            }
        }
    }
    if let Ok(value) = serde_json::from_slice::<serde_json::Value>(text) {
        let (small, info) = (reduced(&value), reduced_info(&value));
        assert_eq!(reduced(&small), small);
        assert_eq!(reduced_info(&info), info);
        for check in checks() {
            let _judged = check.outcome(&value);
        }
    }
}

fn services(text: &[u8]) {
    let answer = Answer::Body { status: 200, body: text.to_vec(), took_ms: 1 };
    let (found, _) = ollama(&answer, &answer, &answer);
    let written = serde_json::to_string(&found).unwrap();
    assert_eq!(serde_json::from_str::<net_model::report::Ollama>(&written).unwrap(), found);
}

fn buffer(bytes: &[u8]) {
    seen(Header::read(bytes));
    if let Some(prefix) = bytes.first_chunk::<PREFIX_BYTES>() {
        for generation in [0, 1] {
            if let Ok(frame) = Frame::prefix(prefix, generation) {
                assert!(frame.first <= frame.last);
            }
        }
    }
    if let Some(lines) = inflated(bytes, 1 << 16) {
        assert!(lines.len() <= 1 << 16);
    }
    let mut kept = Vec::new();
    assert!(thin(bytes, 3, 9, &mut kept) >= 3);
    seen(with_gap(bytes, 3));
}
