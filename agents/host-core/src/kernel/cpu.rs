//! `/proc/stat` and `/proc/loadavg`.

use super::milli;
use net_model::report::Cpu;

/// Time spent since the machine started, in ticks of all processors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CpuTimes {
    total: u64,
    idle: u64,
    waiting: u64,
    cores: u16,
}

impl CpuTimes {
    /// Reads `/proc/stat`.
    #[must_use]
    pub fn read(stat: &str) -> Option<Self> {
        let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
        // user nice system idle iowait irq softirq steal; guest time is in user time already.
        let ticks: Vec<u64> = line
            .split_whitespace()
            .take(8)
            .map(str::parse)
            .collect::<Result<_, _>>()
            .ok()?;
        let numbered = |line: &&str| {
            line.strip_prefix("cpu")
                .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        };
        Some(Self {
            total: ticks.iter().try_fold(0_u64, |sum, n| sum.checked_add(*n))?,
            idle: *ticks.get(3)?,
            waiting: *ticks.get(4)?,
            cores: u16::try_from(stat.lines().filter(numbered).count()).ok()?,
        })
    }
}

/// How busy the processors were between two readings of `/proc/stat`; `loadavg` is `/proc/loadavg`.
#[must_use]
pub fn cpu(before: CpuTimes, now: CpuTimes, loadavg: &str) -> Option<Cpu> {
    let total = now.total.checked_sub(before.total).filter(|n| *n > 0)?;
    let idle = now.idle.saturating_sub(before.idle);
    // The kernel says that this figure may go down.
    let waiting = now.waiting.saturating_sub(before.waiting);
    let ppm = |ticks: u64| {
        let share = u128::from(ticks.min(total)) * 1_000_000 / u128::from(total);
        u32::try_from(share).unwrap_or(1_000_000)
    };
    let mut loads = loadavg.split_whitespace().map(milli);
    Some(Cpu {
        cores: now.cores,
        busy_ppm: ppm(total.saturating_sub(idle.saturating_add(waiting))),
        waiting_ppm: ppm(waiting),
        load_1m_milli: loads.next()??,
        load_5m_milli: loads.next()??,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str =
        "cpu  100 0 100 700 100 0 0 0 50 0\ncpu0 1 1\ncpu1 1 1\nintr 5 6\nctxt 9\n";
    const NOW: &str = "cpu  200 0 150 1300 150 0 0 0 90 0\ncpu0 1 1\ncpu1 1 1\nintr 5 6\n";

    #[test]
    fn time_between_two_readings_is_shared_out() {
        let read = |text| CpuTimes::read(text).unwrap();
        let cpu = cpu(read(BEFORE), read(NOW), "0.75 1.5 2.001 3/456 789\n").unwrap();
        assert_eq!(
            (cpu.cores, cpu.busy_ppm, cpu.waiting_ppm),
            (2, 187_500, 62_500)
        );
        assert_eq!((cpu.load_1m_milli, cpu.load_5m_milli), (750, 1500));
    }

    #[test]
    fn no_time_and_no_figures_are_unknown() {
        let read = CpuTimes::read(BEFORE).unwrap();
        assert_eq!(cpu(read, read, "0 0"), None);
        assert_eq!(CpuTimes::read("cpu  1 2 three"), None);
        assert_eq!(CpuTimes::read(""), None);
        assert_eq!(cpu(read, CpuTimes::read(NOW).unwrap(), "nan"), None);
    }
}
