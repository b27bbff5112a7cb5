//! Graphics processors: what `nvidia-smi` prints, and what the AMD driver says in `/sys/class/drm`.

use super::milli;
use net_model::report::{Few, Gpu, GpuMaker, GpuProcess, Printable};

const MIB: u64 = 1024 * 1024;

/// What is asked of `nvidia-smi` about processors, in this order.
pub const NVIDIA_GPUS: &str = "uuid,name,utilization.gpu,memory.used,memory.total,temperature.gpu,power.draw,ecc.errors.uncorrected.volatile.total,clocks_throttle_reasons.active";
/// What is asked of `nvidia-smi` about programs that compute, in this order.
pub const NVIDIA_PROCESSES: &str = "gpu_uuid,pid,used_memory,process_name";

/// Why a processor runs slower than it could (`nvml.h`, `nvmlClocksThrottleReason*`). Idle and a limit that somebody set are no reasons.
const REASONS: [(u64, &str); 5] = [
    (0x04, "power cap"),
    (0x08, "hardware slowdown"),
    (0x20, "temperature (driver)"),
    (0x40, "temperature (hardware)"),
    (0x80, "power brake"),
];

/// Reads `nvidia-smi --query-gpu=... --format=csv,noheader,nounits` and the same of `--query-compute-apps`.
#[must_use]
pub fn nvidia(gpus: &str, processes: &str) -> Vec<Gpu> {
    gpus.lines()
        .filter_map(|line| nvidia_gpu(line, processes))
        .collect()
}

fn nvidia_gpu(line: &str, processes: &str) -> Option<Gpu> {
    let fields: Vec<&str> = line.split(',').map(str::trim).collect();
    let [uuid, name, busy, used, total, temp, power, ecc, reasons] = fields[..] else {
        return None;
    };
    let whole = |text: &str| text.parse::<u64>().ok();
    let mask = reasons
        .strip_prefix("0x")
        .and_then(|hex| u64::from_str_radix(hex, 16).ok());
    let active = REASONS
        .iter()
        .filter(|(bit, _)| mask.is_some_and(|mask| mask & bit != 0));
    let held = processes
        .lines()
        .filter_map(|line| nvidia_process(line, uuid));
    Some(Gpu {
        maker: GpuMaker::Nvidia,
        name: Printable::clipped(name),
        busy_ppm: whole(busy).and_then(percent),
        memory_total_bytes: whole(total).and_then(|n| n.checked_mul(MIB)),
        memory_used_bytes: whole(used).and_then(|n| n.checked_mul(MIB)),
        temp_mc: temp.parse::<i32>().ok().and_then(|n| n.checked_mul(1000)),
        power_mw: milli(power),
        ecc_errors: whole(ecc),
        throttled: Few::first_of(active.map(|(_, why)| Printable::clipped(why))).0,
        processes: Few::first_of(held).0,
    })
}

fn nvidia_process(line: &str, uuid: &str) -> Option<GpuProcess> {
    let mut fields = line.splitn(4, ',').map(str::trim);
    if fields.next()? != uuid {
        return None;
    }
    let pid = fields.next()?.parse().ok()?;
    let memory: u64 = fields.next()?.parse().ok()?;
    let path = fields.next()?;
    Some(GpuProcess {
        pid,
        name: Printable::clipped(path.rsplit('/').next().unwrap_or(path)),
        memory_bytes: memory.checked_mul(MIB)?,
    })
}

/// A processor of the `amdgpu` driver; `file` gives the text of a file of its folder (`gpu_busy_percent`,
/// `mem_info_vram_total`, `hwmon/temp1_input` and so on), if there is one. None when it is of another maker.
#[must_use]
pub fn amd(name: &str, file: impl Fn(&str) -> Option<String>) -> Option<Gpu> {
    if file("vendor")?.trim() != "0x1002" {
        return None;
    }
    let whole = |path: &str| file(path)?.trim().parse::<u64>().ok();
    let product = file("product_name").filter(|text| !text.trim().is_empty());
    let power = whole("hwmon/power1_average").or_else(|| whole("hwmon/power1_input"));
    Some(Gpu {
        maker: GpuMaker::Amd,
        name: Printable::clipped(product.as_deref().unwrap_or(name).trim()),
        busy_ppm: whole("gpu_busy_percent").and_then(percent),
        memory_total_bytes: whole("mem_info_vram_total"),
        memory_used_bytes: whole("mem_info_vram_used"),
        temp_mc: file("hwmon/temp1_input").and_then(|text| text.trim().parse().ok()),
        // The driver says microwatts.
        power_mw: power.and_then(|uw| u32::try_from(uw / 1000).ok()),
        ecc_errors: None,
        throttled: Few::default(),
        processes: Few::default(),
    })
}

fn percent(share: u64) -> Option<u32> {
    u32::try_from(share.min(100) * 10_000).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_nvidia_card_is_read_and_what_it_does_not_tell_is_missing() {
        let gpus = "GPU-a, NVIDIA GeForce RTX 3090, 37, 10240, 24576, 71, 301.55, [N/A], 0x0000000000000024\n\
            GPU-b, Tesla P4, 0, 2, 7680, 38, [Not Supported], 0, 0x0000000000000001\nbroken, line\n";
        let processes = "GPU-a, 4711, 9000, /usr/local/bin/ollama, runner\nGPU-b, 12, [N/A], x\n";
        let found = nvidia(gpus, processes);
        assert_eq!(found.len(), 2);
        let (first, second) = (&found[0], &found[1]);
        assert_eq!(
            (first.busy_ppm, first.power_mw, first.ecc_errors),
            (Some(370_000), Some(301_550), None)
        );
        assert_eq!(first.memory_total_bytes, Some(24 << 30));
        let why: Vec<&str> = first.throttled.iter().map(Printable::as_str).collect();
        assert_eq!(why, ["power cap", "temperature (driver)"]);
        assert_eq!(
            (first.processes[0].pid, first.processes[0].name.as_str()),
            (4711, "ollama, runner")
        );
        assert!(second.throttled.is_empty() && second.processes.is_empty());
        assert_eq!((second.power_mw, second.temp_mc), (None, Some(38_000)));
    }

    #[test]
    fn an_amd_card_is_read_of_its_driver_s_files() {
        let file = |path: &str| {
            let text = match path {
                "vendor" => "0x1002\n",
                "gpu_busy_percent" => "12\n",
                "mem_info_vram_total" => "1000\n",
                "hwmon/temp1_input" => "45000\n",
                "hwmon/power1_average" => "30000000\n",
                _ => return None,
            };
            Some(text.to_owned())
        };
        let card = amd("card0", file).unwrap();
        assert_eq!(
            (card.name.as_str(), card.busy_ppm, card.temp_mc),
            ("card0", Some(120_000), Some(45_000))
        );
        assert_eq!(
            (card.power_mw, card.memory_used_bytes),
            (Some(30_000), None)
        );
        assert_eq!(amd("card1", |_| Some("0x8086".into())), None);
    }
}
