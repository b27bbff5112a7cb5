//! What a simulated host says.

use crate::bench::clock::wall_ms;
use std::fmt::Write as _;

/// About as much as a host with a few disks, interfaces, containers and listeners says; the figures differ by host and time.
#[must_use]
pub fn report(host: u32, seq: u64) -> String {
    let turn = (u64::from(host) * 7919 + seq * 104_729) % 1_000_000;
    let busy = turn % 900_000;
    let mut text = format!(
        r#"{{"v":1,"seq":{seq},"boot":"{:016x}","up_ms":{},"at_ms":{},"facts":{{"cpu":{{"cores":4,"busy_ppm":{busy},"waiting_ppm":{},"load_1m_milli":{},"load_5m_milli":120}},"memory":{{"total_bytes":8254390272,"available_bytes":{},"swap_total_bytes":0,"swap_used_bytes":0}},"#,
        u64::from(host) + 1,
        seq * 10_000,
        wall_ms(),
        busy / 90,
        busy / 300,
        6_000_000_000 - turn * 4096,
    );
    list(&mut text, "disks", 3, |n| {
        format!(
            r#"{{"mount":"/data{n}","filesystem":"ext4","read_only":false,"size":{{"total_bytes":512110190592,"free_bytes":{},"files_total":31260672,"files_free":{}}}}}"#,
            300_000_000_000 - turn * 4096,
            30_000_000 - turn
        )
    });
    list(&mut text, "nets", 3, |n| {
        format!(
            r#"{{"name":"eth{n}","up":true,"addresses":["198.18.{n}.2/24"],"rx_bytes":{},"tx_bytes":{},"rx_errors":0,"tx_errors":0,"rx_dropped":0,"tx_dropped":0}}"#,
            seq * 1_000_000 + busy,
            seq * 300_000 + busy / 3
        )
    });
    list(&mut text, "containers", 6, |n| {
        format!(
            r#"{{"name":"container{n}","engine":"podman","image":"registry.lan/image:{n}","state":"running","runtime":"crun","posture":{{"pass":18,"warn":2,"fail":0,"unknown":{}}}}}"#,
            turn % 2
        )
    });
    list(&mut text, "listeners", 10, |n| {
        format!(
            r#"{{"protocol":"tcp","address":"127.0.0.1","port":{},"uid":0}}"#,
            8000 + n
        )
    });
    text.push_str(r#""agent":{"version":"0.1.0","rss_bytes":5242880,"cpu_ppm":300,"waiting":0}}}"#);
    text
}

fn list(text: &mut String, what: &str, count: u64, of: impl Fn(u64) -> String) {
    let all: Vec<String> = (0..count).map(of).collect();
    // Writing to a String cannot fail.
    let _infallible = write!(text, r#""{what}":[{}],"#, all.join(","));
}

/// The n-th of a flood: names another host, is nested too deep, is too long, is a number again, or is a batch of nothing.
#[must_use]
pub fn hostile(host: u32, n: u32) -> String {
    match n % 5 {
        0 => format!(r#"{{"v":1,"seq":{n},"host":"host1","facts":{{}}}}"#),
        1 => "[".repeat(8_000),
        2 => "x".repeat(20_000),
        3 => report(host, 1),
        _ => format!("{{\"v\":1,\"seq\":{n},\"zone\":\"zone1\"}}\n").repeat(256),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_simulated_hosts_say_is_taken_as_reports() {
        for (host, seq) in [(0, 1), (999, 1), (4000, 1000)] {
            let line = report(host, seq);
            let parsed = net_model::report::Report::parse(line.as_bytes());
            assert_eq!(parsed.unwrap().seq, seq);
            assert!((2_500..3_500).contains(&line.len()), "{}", line.len());
        }
    }
}
