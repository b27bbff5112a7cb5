//! `/proc/self/mounts`: which filesystems hold data worth watching.

/// Most filesystems that are looked at.
const MOST: usize = 64;

/// One filesystem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Where.
    pub path: String,
    /// Its kind.
    pub filesystem: String,
    /// Mounted for reading only.
    pub read_only: bool,
    /// Served by another machine or a program: asking may hang for as long as that is away.
    pub may_hang: bool,
}

/// The filesystems on disks and on other machines, each once.
#[must_use]
pub fn mounts(text: &str) -> Vec<Mount> {
    let mut seen: Vec<(&str, &str)> = Vec::new();
    let mut found = Vec::new();
    for line in text.lines() {
        let mut fields = line.split(' ');
        let (Some(device), Some(path), Some(kind), Some(options)) =
            (fields.next(), fields.next(), fields.next(), fields.next())
        else {
            continue;
        };
        let may_hang = matches!(
            kind,
            "nfs" | "nfs4" | "cifs" | "smb3" | "ceph" | "9p" | "virtiofs"
        ) || kind.starts_with("fuse");
        let on_disk = device.starts_with("/dev/") && !matches!(kind, "squashfs" | "iso9660");
        let wanted = on_disk || may_hang || kind == "zfs";
        // A bind mount, as containers have many of, shows the same filesystem again.
        if !wanted || seen.contains(&(device, kind)) || found.len() >= MOST {
            continue;
        }
        seen.push((device, kind));
        found.push(Mount {
            path: unescaped(path),
            filesystem: kind.to_owned(),
            read_only: options.split(',').any(|option| option == "ro"),
            may_hang,
        });
    }
    found
}

/// Blank, tab, line's end and backslash stand as `\040` and so on.
fn unescaped(path: &str) -> String {
    let mut plain = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = after.get(..3).filter(|_| *first == b'\\');
        let byte = code
            .and_then(|digits| core::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        plain.push(byte.unwrap_or(*first));
        rest = if byte.is_some() {
            after.get(3..).unwrap_or_default()
        } else {
            after
        };
    }
    String::from_utf8_lossy(&plain).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disks_and_network_mounts_are_found_once_and_the_kernel_s_own_are_not() {
        let text = "proc /proc proc rw 0 0\n/dev/sda1 / ext4 rw,relatime 0 0\n/dev/sda1 /var/lib/x ext4 ro 0 0\n\
            tmpfs /run tmpfs rw 0 0\nnas:/data /mnt/my\\040nas nfs4 ro,hard 0 0\n/dev/loop3 /snap squashfs ro 0 0\nbroken\n";
        let found = mounts(text);
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(
            (
                found[0].path.as_str(),
                found[0].may_hang,
                found[0].read_only
            ),
            ("/", false, false)
        );
        assert_eq!(
            (
                found[1].path.as_str(),
                found[1].may_hang,
                found[1].read_only
            ),
            ("/mnt/my nas", true, true)
        );
    }

    #[test]
    fn broken_escapes_stay_as_they_are() {
        assert_eq!(unescaped("a\\04"), "a\\04");
        assert_eq!(unescaped("a\\999b\\"), "a\\999b\\");
        assert_eq!(unescaped("a\\134b"), "a\\b");
    }
}
