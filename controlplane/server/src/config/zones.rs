//! The sections `[zones.NAME]`: the networks of the house and how far each is trusted.

use ipnet::IpNet;
use kill_config::{Problem, Problems, Section, listed};
use kill_wire::Name;
use net_model::{OnBreach, OnSilence, ProbeTarget, Tier, Zone, ZoneName};
use std::collections::BTreeMap;

/// Most zones; a VLAN tag has room for more, a house has not.
const MOST: usize = 64;
const NETS: &str = "a list of networks, such as [\"192.0.2.0/24\", \"2001:db8:30::/64\"]";
const TARGETS: &str =
    "a list of what to probe, such as [\"tcp://192.0.2.7:445\", \"dns://192.0.2.53\"]";

/// Reads every zone; notes what contradicts another zone, or `taken`: the names a scope may have.
pub(super) fn read(section: Option<Section<'_>>, taken: &[Name], problems: &Problems) -> Vec<Zone> {
    let Some(mut section) = section else {
        return Vec::new();
    };
    let mut zones = Vec::new();
    for (name, section) in section.named_sections() {
        let key = section.key("");
        let key = key.trim_end_matches('.').to_owned();
        zones.extend(zone(&name, section, problems).map(|zone| (key, zone)));
    }
    if zones.len() > MOST {
        let text = format!("{} zones are more than {MOST}", zones.len());
        problems.note(Problem::new("zones", text));
    }
    names(&zones, taken, problems);
    vlans(&zones, problems);
    nets(&zones, problems);
    zones.into_iter().map(|(_, zone)| zone).collect()
}

fn zone(name: &str, mut section: Section<'_>, problems: &Problems) -> Option<Zone> {
    let key = section.key("");
    let named = problems.take(key.trim_end_matches('.'), name.parse::<ZoneName>());
    let tier = tier(&mut section);
    let vlan = section.number("vlan", 1..=4094);
    let nets = networks(&mut section, problems);
    let on_silence = match section.text("on_silence", "`cut` or `hold`").as_deref() {
        None | Some("cut") => OnSilence::Cut,
        Some("hold") => OnSilence::Hold,
        Some(other) => {
            section.note(
                "on_silence",
                &format!("`{}` is not `cut` or `hold`", short(other)),
            );
            OnSilence::Cut
        }
    };
    let on_breach = match section
        .text("canary_on_breach", "`alert` or `cut`")
        .as_deref()
    {
        None | Some("alert") => OnBreach::Alert,
        Some("cut") => OnBreach::Cut,
        Some(other) => {
            let text = format!("`{}` is not `alert` or `cut`", short(other));
            section.note("canary_on_breach", &text);
            OnBreach::Alert
        }
    };
    let must = targets(&mut section, "must", problems);
    let must_not = targets(&mut section, "must_not", problems);
    if tier == Some(Tier::Contained) && on_silence == OnSilence::Hold {
        let text = "`hold` is not for a contained zone: silence would be permission; write `cut`";
        section.note("on_silence", text);
    }
    for both in must.iter().filter(|target| must_not.contains(target)) {
        section.note(
            "must_not",
            &format!("{both} stands in `must`, too; it cannot be both"),
        );
    }
    section.finish();
    Some(Zone {
        name: named?,
        tier: tier?,
        vlan: vlan.and_then(|tag| u16::try_from(tag).ok()),
        nets,
        on_silence,
        must,
        must_not,
        on_breach,
    })
}

fn tier(section: &mut Section<'_>) -> Option<Tier> {
    let words = Tier::ALL.map(Tier::as_str);
    let expected = format!("one of {}", listed(&words));
    let text = section.need("tier", &expected)?;
    let known = Tier::ALL.into_iter().find(|tier| tier.as_str() == text);
    if known.is_none() {
        section.note("tier", &format!("`{}` is not {expected}", short(&text)));
    }
    known
}

fn networks(section: &mut Section<'_>, problems: &Problems) -> Vec<IpNet> {
    let texts = section.texts("nets", NETS).unwrap_or_default();
    let mut nets = Vec::new();
    for (at, text) in texts.iter().enumerate() {
        let key = format!("{}[{at}]", section.key("nets"));
        match text.parse::<IpNet>() {
            Ok(net) if net.addr() == net.network() => nets.push(net),
            Ok(net) => {
                let text = format!(
                    "`{net}` is an address in a network; did you mean `{}`?",
                    net.trunc()
                );
                problems.note(Problem::new(key, text));
            }
            Err(_) => {
                let text = format!("`{}` is not a network, such as `192.0.2.0/24`", short(text));
                problems.note(Problem::new(key, text));
            }
        }
    }
    nets
}

fn targets(section: &mut Section<'_>, list: &'static str, problems: &Problems) -> Vec<ProbeTarget> {
    let texts = section.texts(list, TARGETS).unwrap_or_default();
    let key = section.key(list);
    let read = texts.iter().enumerate().filter_map(|(at, text)| {
        problems.take(&format!("{key}[{at}]"), text.parse::<ProbeTarget>())
    });
    let read: Vec<ProbeTarget> = read.collect();
    if read.len() > net_model::report::MAX_FEW {
        section.note(list, "more targets than one report has room for: 64");
    }
    read
}

/// A text message cannot tell `red-zone` from `redzone`, and a zone may be a scope.
fn names(zones: &[(String, Zone)], taken: &[Name], problems: &Problems) {
    let mut known: BTreeMap<String, String> = taken
        .iter()
        .map(|name| (name.squashed(), format!("the route or consumer `{name}`")))
        .collect();
    for (key, zone) in zones {
        let squashed = zone.name.name().squashed();
        match known.get(&squashed) {
            Some(other) => {
                let text = format!(
                    "its name is that of {other}: a cut could not tell them apart; choose another"
                );
                problems.note(Problem::new(key, text));
            }
            None => {
                known.insert(squashed, format!("zone `{}`", zone.name));
            }
        }
    }
}

fn vlans(zones: &[(String, Zone)], problems: &Problems) {
    let mut known: BTreeMap<u16, &ZoneName> = BTreeMap::new();
    for (key, zone) in zones {
        let Some(vlan) = zone.vlan else { continue };
        match known.get(&vlan) {
            Some(other) => {
                let text = format!("`{vlan}` is the tag of zone `{other}`, too");
                problems.note(Problem::new(format!("{key}.vlan"), text));
            }
            None => {
                known.insert(vlan, &zone.name);
            }
        }
    }
}

fn nets(zones: &[(String, Zone)], problems: &Problems) {
    let mut known: Vec<(IpNet, &ZoneName)> = Vec::new();
    for (key, zone) in zones {
        for (at, net) in zone.nets.iter().enumerate() {
            let overlaps =
                |other: &&(IpNet, &ZoneName)| other.0.contains(net) || net.contains(&other.0);
            if let Some((other, of)) = known.iter().find(overlaps) {
                let text = format!("`{net}` overlaps `{other}` of zone `{of}`");
                problems.note(Problem::new(format!("{key}.nets[{at}]"), text));
            }
            known.push((*net, &zone.name));
        }
    }
}

fn short(text: &str) -> String {
    text.chars().take(48).collect()
}

#[cfg(test)]
mod tests {
    use super::super::checked;
    use std::path::Path;

    fn found(text: &str) -> Vec<String> {
        match checked(text.parse().unwrap(), Path::new("/nonexistent")) {
            Ok(_) => Vec::new(),
            Err(problems) => problems.iter().map(ToString::to_string).collect(),
        }
    }

    const GOOD: &str = "[zones.red]\ntier = 'contained'\nvlan = 30\nnets = ['198.18.30.0/24', '2001:db8:30::/64']\n\
        must = ['tcp://198.18.20.1:443']\nmust_not = ['tcp://198.18.99.1:445']\n\
        [zones.lan]\ntier = 'trusted'\nvlan = 20\nnets = ['198.18.20.0/24']\non_silence = 'hold'\n";

    #[test]
    fn a_house_with_two_zones_is_read() {
        let config = checked(GOOD.parse().unwrap(), Path::new("/nonexistent")).unwrap();
        let red = config
            .zones
            .iter()
            .find(|zone| zone.name.as_str() == "red")
            .unwrap();
        assert_eq!(
            (red.vlan, red.nets.len(), red.must_not.len()),
            (Some(30), 2, 1)
        );
        assert!(red.holds("198.18.30.7".parse().unwrap()));
    }

    #[test]
    fn every_mistake_is_named_at_its_key() {
        let wrong = "[zones.a]\ntier = 'red'\nvlan = 4095\n[zones.b]\ntier = 'contained'\non_silence = 'hold'\nvlan = 7\n\
            nets = ['198.18.0.1/24', '198.18.1.0/24', 'x']\n[zones.c]\ntier = 'service'\nvlan = 7\nnets = ['198.18.1.128/25']\n\
            must = ['tcp://198.18.9.9:1']\nmust_not = ['tcp://198.18.9.9:1', 'nas']\n[zones.chat]\ntier = 'service'\n\
            [zones.re-d]\ntier = 'service'\n[zones.red]\ntier = 'service'\nwall = 1\n";
        let found = found(wrong);
        for part in [
            "zones.a.tier: `red` is not one of",
            "zones.a.vlan: ",
            "zones.b.on_silence: `hold` is not for a contained zone",
            "zones.b.nets[0]: `198.18.0.1/24` is an address in a network; did you mean `198.18.0.0/24`?",
            "zones.b.nets[2]: `x` is not a network",
            "zones.c.vlan: `7` is the tag of zone `b`, too",
            "zones.c.nets[0]: `198.18.1.128/25` overlaps `198.18.1.0/24` of zone `b`",
            "zones.c.must_not: tcp://198.18.9.9:1 stands in `must`, too",
            "zones.c.must_not[1]: ",
            "zones.chat: its name is that of the route or consumer `chat`",
            "zones.red: its name is that of zone `re-d`",
            "zones.red.wall: unknown key",
        ] {
            assert!(
                found.iter().any(|it| it.starts_with(part)),
                "{part}: {found:#?}"
            );
        }
    }
}
