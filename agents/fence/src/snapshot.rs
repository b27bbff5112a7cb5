//! Evidence of a cut: what ran and what was connected, in a bounded text file for this host's root alone.
//!
//! Command lines and environments are not in it: they hold keys.

use std::fs::OpenOptions;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// Longest file, in bytes.
const MOST_BYTES: usize = 1024 * 1024;
/// Most that is taken of one file of the kernel, in bytes.
const MOST_OF_ONE: u64 = 128 * 1024;
/// Most processes that are listed.
const MOST_PROCESSES: usize = 4096;
/// Older ones are deleted.
const MOST_FILES: usize = 32;

/// Writes it and gives where.
pub(crate) fn write(
    folder: &Path,
    incident: u32,
    cgroups: &[PathBuf],
    ended: &[String],
) -> io::Result<PathBuf> {
    let mut text = String::new();
    section(&mut text, "connections that were ended", &ended.join("\n"));
    for cgroup in cgroups {
        let name = format!("processes of {}", cgroup.display());
        section(&mut text, &name, &head(&cgroup.join("cgroup.procs")));
    }
    section(
        &mut text,
        "processes: pid parent user name group",
        &processes(),
    );
    for file in [
        "/proc/net/tcp",
        "/proc/net/tcp6",
        "/proc/net/udp",
        "/proc/net/udp6",
        "/proc/net/route",
        "/proc/sys/net/netfilter/nf_conntrack_count",
        "/proc/net/stat/nf_conntrack",
        "/proc/uptime",
    ] {
        section(&mut text, file, &head(Path::new(file)));
    }
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    prune(folder)?;
    let (path, mut file) = make(folder, incident)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(path)
}

fn section(text: &mut String, title: &str, content: &str) {
    let room = MOST_BYTES.saturating_sub(text.len() + title.len() + 16);
    let end = content.floor_char_boundary(room.min(content.len()));
    text.push_str(&format!("== {title}\n"));
    text.push_str(content.get(..end).unwrap_or_default());
    text.push('\n');
}

/// The beginning of a file; nothing when it cannot be read.
fn head(path: &Path) -> String {
    let mut bytes = Vec::new();
    let read =
        std::fs::File::open(path).and_then(|file| file.take(MOST_OF_ONE).read_to_end(&mut bytes));
    match read {
        Ok(_) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(why) => format!("cannot be read: {why}"),
    }
}

fn processes() -> String {
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return String::new();
    };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let pids = names.filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()));
    let lines: Vec<String> = pids.take(MOST_PROCESSES).map(|pid| process(&pid)).collect();
    lines.join("\n")
}

fn process(pid: &str) -> String {
    let folder = Path::new("/proc").join(pid);
    let status = head(&folder.join("status"));
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|rest| rest.split_whitespace().next())
            .unwrap_or("?")
    };
    let group = head(&folder.join("cgroup"));
    let group = group.lines().last().unwrap_or("?");
    let (parent, user, name) = (field("PPid:"), field("Uid:"), field("Name:"));
    format!("{pid} {parent} {user} {name} {group}")
}

/// Takes away the oldest so that one more has room.
fn prune(folder: &Path) -> io::Result<()> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("incident-") {
            files.push((entry.metadata()?.modified()?, entry.path()));
        }
    }
    files.sort();
    let many = files.len().saturating_sub(MOST_FILES - 1);
    files
        .iter()
        .take(many)
        .try_for_each(|(_, path)| std::fs::remove_file(path))
}

fn make(folder: &Path, incident: u32) -> io::Result<(PathBuf, std::fs::File)> {
    let mut last = io::Error::from(io::ErrorKind::AlreadyExists);
    for again in 0..MOST_FILES {
        let path = folder.join(format!("incident-{incident}-{again}.txt"));
        let made = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path);
        match made {
            Ok(file) => return Ok((path, file)),
            Err(why) => last = why,
        }
    }
    Err(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn evidence_is_bounded_private_and_the_oldest_goes() {
        let folder = tempfile::tempdir().unwrap();
        let long = vec!["x".repeat(1000); 3000];
        for incident in 0..40 {
            let path = write(folder.path(), incident, &[], &long).unwrap();
            let about = std::fs::metadata(&path).unwrap();
            assert!(about.len() <= 1024 * 1024 + 1024, "{}", about.len());
            assert_eq!(about.permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(
            std::fs::read_dir(folder.path()).unwrap().count(),
            MOST_FILES
        );
    }

    #[test]
    fn it_names_the_processes_and_no_command_line() {
        let all = processes();
        let own = std::process::id().to_string();
        assert!(all.lines().any(|line| line.starts_with(&format!("{own} "))));
    }
}
