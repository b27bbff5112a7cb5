//! `/proc/meminfo` and `/proc/self/status`.

use super::kilobytes;
use net_model::report::Memory;

/// Reads `/proc/meminfo`.
#[must_use]
pub fn memory(meminfo: &str) -> Option<Memory> {
    let swap_total_bytes = kilobytes(meminfo, "SwapTotal").unwrap_or(0);
    let swap_free = kilobytes(meminfo, "SwapFree").unwrap_or(0);
    Some(Memory {
        total_bytes: kilobytes(meminfo, "MemTotal")?,
        available_bytes: kilobytes(meminfo, "MemAvailable")?,
        swap_total_bytes,
        swap_used_bytes: swap_total_bytes.saturating_sub(swap_free),
    })
}

/// A process's resident memory, of `/proc/PID/status`.
#[must_use]
pub fn resident_bytes(status: &str) -> Option<u64> {
    kilobytes(status, "VmRSS")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_in_bytes_and_nothing_is_made_up() {
        let text = "MemTotal:       16 kB\nMemFree: 2 kB\nMemAvailable:    8 kB\nSwapTotal: 4 kB\nSwapFree: 1 kB\n";
        let found = memory(text).unwrap();
        assert_eq!((found.total_bytes, found.available_bytes), (16_384, 8192));
        assert_eq!(
            (found.swap_total_bytes, found.swap_used_bytes),
            (4096, 3072)
        );
        assert_eq!(memory("MemTotal: 16 kB\n"), None);
        assert_eq!(memory("MemTotal: 99999999999999999999 kB\n"), None);
        assert_eq!(resident_bytes("VmHWM: 9 kB\nVmRSS:\t  5 kB\n"), Some(5120));
    }
}
