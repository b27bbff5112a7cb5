//! The kernel's release and start, and the settings that keep programs apart.

use net_model::report::{BootId, Few, KernelFacts, Posture, Printable};

/// Texts of the files named beside them; none where the kernel has no such file.
#[derive(Clone, Debug, Default)]
pub struct Limits {
    /// `/proc/sys/kernel/osrelease`.
    pub release: Option<String>,
    /// `/sys/kernel/security/lsm`.
    pub lsm: Option<String>,
    /// `/proc/sys/user/max_user_namespaces`.
    pub max_user_namespaces: Option<String>,
    /// `/proc/sys/kernel/unprivileged_userns_clone` (Debian).
    pub userns_clone: Option<String>,
    /// `/proc/sys/kernel/apparmor_restrict_unprivileged_userns` (Ubuntu).
    pub userns_restricted: Option<String>,
    /// `/proc/sys/net/ipv4/ip_forward`.
    pub forward_v4: Option<String>,
    /// `/proc/sys/net/ipv6/conf/all/forwarding`.
    pub forward_v6: Option<String>,
}

/// What the kernel is and allows; its posture is counted elsewhere.
#[must_use]
pub fn kernel(limits: &Limits) -> KernelFacts {
    let number = |text: &Option<String>| text.as_ref().and_then(|t| t.trim().parse::<u64>().ok());
    let flag = |text: &Option<String>| number(text).map(|n| n != 0);
    let lsm = limits.lsm.as_ref().map(|text| {
        let names = text.trim().split(',').filter(|name| !name.is_empty());
        Few::first_of(names.map(Printable::clipped)).0
    });
    // Any of the three forbids; allowed is only said when the first, which every kernel has, could be read.
    let forbidden = number(&limits.max_user_namespaces) == Some(0)
        || flag(&limits.userns_clone) == Some(false)
        || flag(&limits.userns_restricted) == Some(true);
    let known = number(&limits.max_user_namespaces).is_some();
    KernelFacts {
        release: Printable::clipped(limits.release.as_deref().unwrap_or("").trim()),
        lsm,
        user_namespaces: (forbidden || known).then_some(!forbidden),
        forwards_v4: flag(&limits.forward_v4),
        forwards_v6: flag(&limits.forward_v6),
        posture: Posture::default(),
    }
}

/// The first 64 bits of `/proc/sys/kernel/random/boot_id`.
#[must_use]
pub fn boot_id(text: &str) -> Option<BootId> {
    let digits: String = text.trim().chars().filter(|c| *c != '-').collect();
    let first = digits.get(..16)?;
    u64::from_str_radix(first, 16).ok().map(BootId::new)
}

/// `/proc/uptime` in milliseconds.
#[must_use]
pub fn uptime_ms(text: &str) -> Option<u64> {
    let (seconds, hundredths) = text.split_whitespace().next()?.split_once('.')?;
    let seconds: u64 = seconds.parse().ok()?;
    let hundredths: u64 = hundredths.get(..2)?.parse().ok()?;
    seconds.checked_mul(1000)?.checked_add(hundredths * 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_is_allowed_only_where_nothing_forbids_it() {
        let with = |most: Option<&str>, clone: Option<&str>, restricted: Option<&str>| {
            kernel(&Limits {
                max_user_namespaces: most.map(str::to_owned),
                userns_clone: clone.map(str::to_owned),
                userns_restricted: restricted.map(str::to_owned),
                ..Limits::default()
            })
            .user_namespaces
        };
        assert_eq!(with(Some("31000\n"), None, None), Some(true));
        assert_eq!(with(Some("0\n"), None, None), Some(false));
        assert_eq!(with(Some("31000"), Some("0\n"), None), Some(false));
        assert_eq!(with(Some("31000"), Some("1"), Some("1")), Some(false));
        assert_eq!(with(None, Some("1"), None), None);
    }

    #[test]
    fn modules_are_named_in_their_order_and_silence_is_not_none_of_them() {
        let facts = kernel(&Limits {
            lsm: Some("lockdown,yama,apparmor\n".into()),
            ..Limits::default()
        });
        assert_eq!(facts.lsm.unwrap().len(), 3);
        assert_eq!(kernel(&Limits::default()).lsm, None);
    }

    #[test]
    fn the_start_and_the_time_since_it_are_read() {
        let boot = boot_id("01234567-89ab-cdef-0123-456789abcdef\n").unwrap();
        assert_eq!(boot.to_string(), "0123456789abcdef");
        assert_eq!(boot_id("0123"), None);
        assert_eq!(uptime_ms("12.34 99.1\n"), Some(12_340));
        assert_eq!(uptime_ms("12"), None);
    }
}
