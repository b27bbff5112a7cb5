//! The few figures of a report that are kept as history.

use net_model::Gauges;
use net_model::report::{BootId, Net, Report};

/// A whole, in millionths.
const WHOLE: u128 = 1_000_000;
/// The loopback carries nothing to or from a host.
const LOOPBACK: &str = "lo";

/// Counters of the report before, to tell a rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counters {
    boot: BootId,
    up_ms: u64,
    rx: u64,
    tx: u64,
}

impl Counters {
    /// Of this report, if it speaks of its interfaces.
    pub(crate) fn of(report: &Report) -> Option<Self> {
        let nets = report.facts.nets.iter();
        let nets: Vec<_> = nets.filter(|net| net.name.as_str() != LOOPBACK).collect();
        let sum = |of: fn(&Net) -> u64| {
            nets.iter()
                .fold(0_u64, |sum, net| sum.saturating_add(of(net)))
        };
        (!nets.is_empty()).then(|| Self {
            boot: report.boot,
            up_ms: report.up_ms,
            rx: sum(|net| net.rx_bytes),
            tx: sum(|net| net.tx_bytes),
        })
    }

    /// Bytes a second since then, received and sent. None over a start of the machine, or when an interface has gone.
    fn rates(self, before: Option<Self>) -> Option<(u64, u64)> {
        let before = before.filter(|before| before.boot == self.boot)?;
        let span = self.up_ms.checked_sub(before.up_ms).filter(|ms| *ms > 0)?;
        let rate = |now: u64, then: u64| {
            let bytes = u128::from(now.checked_sub(then)?);
            u64::try_from(bytes * 1000 / u128::from(span)).ok()
        };
        Some((rate(self.rx, before.rx)?, rate(self.tx, before.tx)?))
    }
}

/// The figures of `report`; rates need the report before it.
pub(crate) fn gauges(report: &Report, before: Option<Counters>) -> Gauges {
    let facts = &report.facts;
    let disks = facts.disks.iter().filter(|disk| !disk.read_only);
    let disk = disks.filter_map(|disk| disk.size);
    let vram = facts.gpus.iter().filter_map(|gpu| {
        let (used, total) = (gpu.memory_used_bytes?, gpu.memory_total_bytes?);
        part(used, total)
    });
    let temps = facts.temps.iter().map(|temp| temp.temp_mc);
    let gpu_temps = facts.gpus.iter().filter_map(|gpu| gpu.temp_mc);
    let rates = Counters::of(report).and_then(|now| now.rates(before));
    let memory = facts.memory.and_then(|memory| {
        let used = memory.total_bytes.checked_sub(memory.available_bytes)?;
        part(used, memory.total_bytes)
    });
    Gauges {
        cpu_ppm: facts.cpu.map(|cpu| i64::from(cpu.busy_ppm.min(1_000_000))),
        memory_ppm: memory,
        disk_ppm: disk
            .filter_map(|size| {
                part(
                    size.total_bytes.checked_sub(size.free_bytes)?,
                    size.total_bytes,
                )
            })
            .max(),
        temp_mc: temps.chain(gpu_temps).max().map(i64::from),
        gpu_ppm: facts
            .gpus
            .iter()
            .filter_map(|gpu| gpu.busy_ppm)
            .max()
            .map(|busy| i64::from(busy.min(1_000_000))),
        vram_ppm: vram.max(),
        rx_bps: rates.and_then(|(rx, _)| i64::try_from(rx).ok()),
        tx_bps: rates.and_then(|(_, tx)| i64::try_from(tx).ok()),
    }
}

/// `used` of `total`, in millionths; none of nothing, and none where more is used than there is.
pub(crate) fn part(used: u64, total: u64) -> Option<i64> {
    if total == 0 || used > total {
        return None;
    }
    i64::try_from(u128::from(used) * WHOLE / u128::from(total)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(text: &str) -> Report {
        Report::parse(text.as_bytes()).unwrap()
    }

    fn with_nets(up_ms: u64, rx: u64) -> Report {
        report(&format!(
            r#"{{"v":1,"seq":1,"boot":"00000000000000aa","up_ms":{up_ms},"at_ms":1,"facts":{{"nets":[
            {{"name":"eth0","up":true,"rx_bytes":{rx},"tx_bytes":5,"rx_errors":0,"tx_errors":0,"rx_dropped":0,"tx_dropped":0}},
            {{"name":"lo","up":true,"rx_bytes":9000000,"tx_bytes":5,"rx_errors":0,"tx_errors":0,"rx_dropped":0,"tx_dropped":0}}]}}}}"#
        ))
    }

    #[test]
    fn rates_are_told_over_the_time_between_two_reports() {
        let before = Counters::of(&with_nets(1_000, 500));
        assert_eq!(
            gauges(&with_nets(11_000, 20_500), before).rx_bps,
            Some(2_000)
        );
        assert_eq!(gauges(&with_nets(11_000, 100), before).rx_bps, None);
        assert_eq!(gauges(&with_nets(11_000, 100), None).rx_bps, None);
    }

    #[test]
    fn shares_are_of_what_there_is_and_absurd_ones_are_unknown() {
        assert_eq!(part(1, 4), Some(250_000));
        assert_eq!(part(u64::MAX, u64::MAX), Some(1_000_000));
        assert_eq!(part(5, 0), None);
        assert_eq!(part(5, 4), None);
    }
}
