//! Processor, memory, disks, thermometers, graphics processors, and what the kernel allows.

use super::{silent, unread};
use crate::child;
use crate::patient::Patient;
use crate::texts::{names, text};
use host_core::kernel::{self as read, CpuTimes, Limits, Mount};
use host_core::posture::{About, host_document, posture};
use net_model::report::{Disk, DiskSize, Facts, Few, Gpu, Printable, Temp, Unknown};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long `nvidia-smi` may take.
const NVIDIA: Duration = Duration::from_secs(5);
/// Filesystems that may hang are each asked on a thread: at most so many.
const MAY_HANG: usize = 16;

/// What is asked of the machine, with what it said last.
#[derive(Debug)]
pub(super) struct Machine {
    before: CpuTimes,
    nvidia_smi: Option<PathBuf>,
    disks: Vec<Mount>,
    local: Patient<Vec<Option<DiskSize>>>,
    distant: BTreeMap<String, Patient<Option<DiskSize>>>,
    temps: Patient<Vec<Temp>>,
    gpus: Patient<Vec<Gpu>>,
    gpus_last: Few<Gpu>,
    gpus_asked: bool,
}

impl Machine {
    pub(super) fn new(nvidia_smi: Option<PathBuf>) -> Self {
        Self {
            before: CpuTimes::default(),
            nvidia_smi,
            disks: Vec::new(),
            local: Patient::default(),
            distant: BTreeMap::new(),
            temps: Patient::default(),
            gpus: Patient::default(),
            gpus_last: Few::default(),
            gpus_asked: false,
        }
    }

    /// Begins what may take long.
    pub(super) fn ask(&mut self, seldom: bool) {
        self.disks = read::mounts(&text("/proc/self/mounts").unwrap_or_default());
        let here = self.disks.iter().filter(|disk| !disk.may_hang);
        let here: Vec<String> = here.map(|disk| disk.path.clone()).collect();
        self.local
            .ask(move || here.iter().map(|path| size(path)).collect());
        self.distant
            .retain(|path, _| self.disks.iter().any(|disk| disk.path == *path));
        for disk in self
            .disks
            .iter()
            .filter(|disk| disk.may_hang)
            .take(MAY_HANG)
        {
            let path = disk.path.clone();
            let asked = self.distant.entry(path.clone()).or_default();
            asked.ask(move || size(&path));
        }
        self.temps.ask(temps);
        self.gpus_asked = seldom || self.gpus_asked;
        if seldom {
            let program = self.nvidia_smi.clone();
            self.gpus.ask(move || gpus(program.as_deref()));
        }
    }

    /// Takes what has come.
    pub(super) fn answers(&mut self, facts: &mut Facts, unknown: &mut Vec<Unknown>, until: u64) {
        self.processor(facts);
        facts.memory = text("/proc/meminfo").and_then(|text| read::memory(&text));
        if facts.memory.is_none() {
            unknown.push(unread("memory"));
        }
        self.disks(facts, unknown, until);
        match self.temps.answer(until) {
            Some(temps) => facts.temps = Few::first_of(temps).0,
            None => unknown.push(silent("temps")),
        }
        if self.gpus_asked {
            match self.gpus.answer(until) {
                Some(gpus) => {
                    self.gpus_last = Few::first_of(gpus).0;
                    self.gpus_asked = false;
                }
                None => {
                    self.gpus_last = Few::default();
                    unknown.push(silent("gpus"));
                }
            }
        }
        facts.gpus = self.gpus_last.clone();
    }

    fn processor(&mut self, facts: &mut Facts) {
        let now = text("/proc/stat").and_then(|text| CpuTimes::read(&text));
        let load = text("/proc/loadavg").unwrap_or_default();
        facts.cpu = now.and_then(|now| read::cpu(self.before, now, &load));
        self.before = now.unwrap_or(self.before);
    }

    fn disks(&mut self, facts: &mut Facts, unknown: &mut Vec<Unknown>, until: u64) {
        let answered = self.local.answer(until);
        if answered.is_none() {
            unknown.push(silent("disks"));
        }
        let mut sizes = answered.unwrap_or_default().into_iter();
        let mut found = Vec::with_capacity(self.disks.len());
        for disk in &self.disks {
            let size = if disk.may_hang {
                let asked = self.distant.get_mut(&disk.path);
                asked
                    .and_then(|asked| asked.answer(until))
                    .unwrap_or_else(|| {
                        unknown.push(silent(&format!("disks {}", disk.path)));
                        None
                    })
            } else {
                sizes.next().flatten()
            };
            found.push(Disk {
                mount: Printable::clipped(&disk.path),
                filesystem: Printable::clipped(&disk.filesystem),
                read_only: disk.read_only,
                size,
            });
        }
        facts.disks = Few::first_of(found).0;
    }
}

fn size(path: &str) -> Option<DiskSize> {
    let found = rustix::fs::statvfs(path).ok()?;
    Some(DiskSize {
        total_bytes: found.f_blocks.checked_mul(found.f_frsize)?,
        free_bytes: found.f_bavail.checked_mul(found.f_frsize)?,
        files_total: found.f_files,
        files_free: found.f_favail,
    })
}

/// Every thermometer of `/sys/class/hwmon` (`Documentation/hwmon/sysfs-interface`).
fn temps() -> Vec<Temp> {
    let mut found = Vec::new();
    for chip in names("/sys/class/hwmon") {
        let folder = Path::new("/sys/class/hwmon").join(chip);
        let name = text(folder.join("name")).unwrap_or_default();
        for file in names(&folder) {
            let Some(sensor) = file
                .strip_prefix("temp")
                .and_then(|f| f.strip_suffix("_input"))
            else {
                continue;
            };
            let label = text(folder.join(format!("temp{sensor}_label")));
            let label = label.unwrap_or_else(|| sensor.to_owned());
            let value = text(folder.join(&file)).and_then(|text| text.trim().parse().ok());
            found.extend(value.map(|temp_mc| Temp {
                name: Printable::clipped(&format!("{} {}", name.trim(), label.trim())),
                temp_mc,
            }));
        }
    }
    found
}

fn gpus(nvidia_smi: Option<&Path>) -> Vec<Gpu> {
    let mut found = Vec::new();
    if let Some(program) = nvidia_smi {
        let ask = |what: &str| {
            let ran = child::run(
                program,
                &[what, "--format=csv,noheader,nounits"],
                &[],
                NVIDIA,
            )?;
            ran.well
                .then(|| String::from_utf8_lossy(&ran.output).into_owned())
        };
        let gpus = ask(&format!("--query-gpu={}", read::NVIDIA_GPUS));
        let processes = ask(&format!("--query-compute-apps={}", read::NVIDIA_PROCESSES));
        found.extend(read::nvidia(
            &gpus.unwrap_or_default(),
            &processes.unwrap_or_default(),
        ));
    }
    let cards = names("/sys/class/drm");
    // `card0` is a card, `card0-HDMI-A-1` one of its sockets.
    for card in cards
        .iter()
        .filter(|name| name.starts_with("card") && !name.contains('-'))
    {
        let folder = Path::new("/sys/class/drm").join(card).join("device");
        let hwmon = names(folder.join("hwmon"))
            .into_iter()
            .next()
            .unwrap_or_default();
        let file = |path: &str| match path.strip_prefix("hwmon/") {
            Some(path) => text(folder.join("hwmon").join(&hwmon).join(path)),
            None => text(folder.join(path)),
        };
        found.extend(read::amd(card, file));
    }
    found
}

/// What the kernel is and allows, with what the checks of the host came to.
pub(super) fn kernel(facts: &mut Facts) {
    let limits = Limits {
        release: text("/proc/sys/kernel/osrelease"),
        lsm: text("/sys/kernel/security/lsm"),
        max_user_namespaces: text("/proc/sys/user/max_user_namespaces"),
        userns_clone: text("/proc/sys/kernel/unprivileged_userns_clone"),
        userns_restricted: text("/proc/sys/kernel/apparmor_restrict_unprivileged_userns"),
        forward_v4: text("/proc/sys/net/ipv4/ip_forward"),
        forward_v6: text("/proc/sys/net/ipv6/conf/all/forwarding"),
    };
    let mut found = read::kernel(&limits);
    let document = host_document(&found, Some(&facts.listeners));
    found.posture = posture(About::Host, &document);
    facts.kernel = Some(found);
}
