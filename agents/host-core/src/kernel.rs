//! What the kernel says of itself in `/proc` and `/sys` (proc(5), and `Documentation/` of the kernel where named).

mod addresses;
mod cpu;
mod gpu;
mod limits;
mod memory;
mod mounts;
mod nets;
mod routes;
mod sockets;

pub use addresses::{addresses_v4, addresses_v6};
pub use cpu::{CpuTimes, cpu};
pub use gpu::{NVIDIA_GPUS, NVIDIA_PROCESSES, amd, nvidia};
pub use limits::{Limits, boot_id, kernel, uptime_ms};
pub use memory::{memory, resident_bytes};
pub use mounts::{Mount, mounts};
pub use nets::nets;
pub use routes::{routes_v4, routes_v6};
pub use sockets::{Table, listeners, socket};

/// The number after `key` in lines such as `MemTotal:  16384 kB`, in bytes.
fn kilobytes(text: &str, key: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    let number: u64 = line
        .strip_prefix(':')?
        .split_whitespace()
        .next()?
        .parse()
        .ok()?;
    number.checked_mul(1024)
}

/// A number such as `1.07` in thousandths.
fn milli(text: &str) -> Option<u32> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let part: String = part.chars().chain("000".chars()).take(3).collect();
    let whole: u32 = whole.parse().ok()?;
    whole.checked_mul(1000)?.checked_add(part.parse().ok()?)
}

/// An IPv4 address as `/proc/net` writes it: the bytes of the address as one number of this machine.
fn v4(hex: &str) -> Option<core::net::Ipv4Addr> {
    let number = (hex.len() == 8).then(|| u32::from_str_radix(hex, 16).ok())??;
    Some(number.to_ne_bytes().into())
}

/// An IPv6 address as 32 hexadecimal digits in their order.
fn v6(hex: &str) -> Option<core::net::Ipv6Addr> {
    let number = (hex.len() == 32).then(|| u128::from_str_radix(hex, 16).ok())??;
    Some(number.into())
}
