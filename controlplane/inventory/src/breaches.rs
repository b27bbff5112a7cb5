//! Hosts that reached what they must never reach, in zones that are cut for it.
//!
//! **A host speaks for itself alone:** whose report it is and which zone that is, its certificate says. A host that lies
//! has its own zone cut, once, until a person restores it and it says again that it does not hold; nothing else.

use crate::Sender;
use net_model::report::Report;
use net_model::{CanaryFact, HostName, OnBreach, Zone, ZoneName};
use std::collections::BTreeMap;

/// A zone to cut, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// The zone of the host's certificate.
    pub zone: ZoneName,
    /// The host.
    pub host: HostName,
    /// What it reached, in words.
    pub why: String,
}

/// What this host reached that it must not, in words, by two tries that agree.
pub(crate) fn reached(from: &Sender, report: &Report) -> Option<String> {
    let mut reached = report.facts.canary.iter().filter(|it| it.is_breach());
    let CanaryFact { target, .. } = reached.next()?;
    let more = match reached.count() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let host = &from.host;
    Some(format!("{host} reached {target}{more}, which it must not"))
}

/// Every host whose newest report says so.
#[derive(Debug, Default)]
pub(crate) struct Breaches(BTreeMap<HostName, (Breach, bool)>);

impl Breaches {
    /// Takes in what [`reached`] says of a report that was accepted.
    pub(crate) fn take(&mut self, from: &Sender, reached: Option<String>, zones: &[Zone]) {
        let cuts = |zone: &Zone| zone.name == from.zone && zone.on_breach == OnBreach::Cut;
        let Some(why) = reached.filter(|_| zones.iter().any(cuts)) else {
            self.0.remove(&from.host);
            return;
        };
        let breach = Breach {
            zone: from.zone.clone(),
            host: from.host.clone(),
            why,
        };
        let known = self.0.entry(from.host.clone());
        known.or_insert((breach, false));
    }

    /// What nobody has cut for yet.
    pub(crate) fn open(&self) -> Vec<Breach> {
        let open = self.0.values().filter(|(_, cut)| !cut);
        open.map(|(breach, _)| breach.clone()).collect()
    }

    /// The zone was cut: no more cuts for those of its hosts that have breached, until they hold again.
    pub(crate) fn cut(&mut self, zone: &ZoneName) {
        for (breach, cut) in self.0.values_mut() {
            *cut |= breach.zone == *zone;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use net_model::{Dial, OnSilence, Tier};

    fn zone(name: &str, on_breach: OnBreach) -> Zone {
        Zone {
            name: name.parse().unwrap(),
            tier: Tier::Contained,
            vlan: None,
            nets: Vec::new(),
            on_silence: OnSilence::Cut,
            must: Vec::new(),
            must_not: Vec::new(),
            on_breach,
        }
    }

    fn from(host: &str, zone: &str) -> Sender {
        Sender {
            host: host.parse().unwrap(),
            zone: zone.parse().unwrap(),
            address: "198.18.30.2".parse().unwrap(),
            dial: Dial::In,
            certificate_ends: None,
        }
    }

    fn take(breaches: &mut Breaches, from: &Sender, report: &Report, zones: &[Zone]) {
        breaches.take(from, reached(from, report), zones);
    }

    fn report(found: &str, agreed: u32) -> Report {
        let line = format!(
            r#"{{"v":1,"seq":1,"boot":"00000000000000aa","up_ms":1,"at_ms":1,"facts":{{"canary":[{{"target":"tcp://198.18.10.5:445","must":false,"found":"{found}","agreed":{agreed},"age_ms":0}}]}}}}"#
        );
        Report::parse(line.as_bytes()).unwrap()
    }

    #[test]
    fn a_host_can_have_its_own_zone_cut_and_only_once_until_it_holds_again() {
        let zones = [zone("red", OnBreach::Cut), zone("lan", OnBreach::Cut)];
        let mut breaches = Breaches::default();
        let liar = from("claw1", "red");
        for _ in 0..100 {
            take(&mut breaches, &liar, &report("open", 2), &zones);
        }
        let open = breaches.open();
        assert_eq!(open.len(), 1);
        assert_eq!(open[0].zone.as_str(), "red");
        assert!(open[0].why.contains("tcp://198.18.10.5:445"), "{open:?}");
        breaches.cut(&open[0].zone);
        take(&mut breaches, &liar, &report("open", 9), &zones);
        assert_eq!(breaches.open(), []);
        take(&mut breaches, &liar, &report("silent", 2), &zones);
        take(&mut breaches, &liar, &report("open", 2), &zones);
        assert_eq!(breaches.open().len(), 1);
    }

    #[test]
    fn one_try_alone_and_zones_that_only_tell_cut_nothing() {
        let zones = [zone("red", OnBreach::Cut), zone("lan", OnBreach::Alert)];
        let mut breaches = Breaches::default();
        take(
            &mut breaches,
            &from("claw1", "red"),
            &report("open", 1),
            &zones,
        );
        take(
            &mut breaches,
            &from("nas", "lan"),
            &report("open", 5),
            &zones,
        );
        take(
            &mut breaches,
            &from("stray", "gone"),
            &report("open", 5),
            &zones,
        );
        assert_eq!(breaches.open(), []);
    }
}
