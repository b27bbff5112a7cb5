//! A report that is too long loses the ends of its longest lists, and says so.

use net_model::report::{Facts, Few, MAX_REPORT_BYTES, Printable, Report, Unknown};

/// Longest line that a host makes: the count of a gap may still have to find its place in it.
const MOST: usize = MAX_REPORT_BYTES - 64;

/// Takes entries off the ends of lists until the report fits; says in `unknown` how many of which went.
#[must_use]
pub fn fitted(mut report: Report) -> Report {
    let mut gone: Vec<(&'static str, usize)> = Vec::new();
    let before = report.facts.unknown.clone();
    // Each round halves the list that takes most: after so many rounds all of them are empty.
    for _ in 0..64 {
        if report.line().len() <= MOST {
            break;
        }
        let Some((name, count)) = halve_longest(&mut report.facts) else {
            break;
        };
        match gone.iter_mut().find(|(other, _)| *other == name) {
            Some((_, sum)) => *sum += count,
            None => gone.push((name, count)),
        }
        let told = gone.iter().map(|(name, count)| Unknown {
            what: Printable::clipped(name),
            why: Printable::clipped(&format!("no room in the report for {count} of them")),
        });
        report.facts.unknown = Few::first_of(told.chain(before.iter().cloned())).0;
    }
    if report.line().len() > MOST {
        report.facts = bare(&report.facts);
    }
    report
}

/// What always fits: what is long stands in no list that may lose its end.
fn bare(facts: &Facts) -> Facts {
    let all = Unknown {
        what: Printable::clipped("everything else"),
        why: Printable::clipped("no room in the report"),
    };
    Facts {
        cpu: facts.cpu,
        memory: facts.memory,
        agent: facts.agent.clone(),
        unknown: Few::first_of([all]).0,
        ..Facts::default()
    }
}

/// How many bytes a list takes.
fn size<T: serde::Serialize + Clone>(list: &Few<T>) -> usize {
    serde_json::to_string(list).map_or(0, |text| text.len())
}

fn halve_longest(facts: &mut Facts) -> Option<(&'static str, usize)> {
    let empty = Few::default();
    let models = facts.ollama.as_ref().map_or(0, |o| size(&o.models));
    let processes = facts.gpus.iter().map(|gpu| size(&gpu.processes)).max();
    let sizes = [
        ("routes", size(&facts.routes)),
        ("listeners", size(&facts.listeners)),
        ("containers", size(&facts.containers)),
        ("nets", size(&facts.nets)),
        ("disks", size(&facts.disks)),
        ("temps", size(&facts.temps)),
        ("ollama.models", models),
        (
            "gpus.processes",
            processes.unwrap_or_else(|| size::<()>(&empty)),
        ),
        ("canary", size(&facts.canary)),
        ("driven", size(&facts.driven)),
    ];
    let (name, _) = sizes.into_iter().max_by_key(|(_, bytes)| *bytes)?;
    let count = match name {
        "routes" => halve(&mut facts.routes),
        "listeners" => halve(&mut facts.listeners),
        "containers" => halve(&mut facts.containers),
        "nets" => halve(&mut facts.nets),
        "disks" => halve(&mut facts.disks),
        "temps" => halve(&mut facts.temps),
        "ollama.models" => facts.ollama.as_mut().map_or(0, |o| halve(&mut o.models)),
        "canary" => halve(&mut facts.canary),
        "driven" => halve(&mut facts.driven),
        _ => halve_processes(facts),
    };
    (count > 0).then_some((name, count))
}

fn halve<T>(list: &mut Few<T>) -> usize {
    list.keep_first(list.len() / 2)
}

fn halve_processes(facts: &mut Facts) -> usize {
    let gpus = std::mem::take(&mut facts.gpus);
    let mut gone = 0;
    let (smaller, _) = Few::first_of(gpus.into_iter().map(|mut gpu| {
        gone += halve(&mut gpu.processes);
        gpu
    }));
    facts.gpus = smaller;
    gone
}

#[cfg(test)]
mod tests {
    use super::*;
    use net_model::report::{BootId, Disk, HostRoute, MeshFacts, Version};

    fn report(facts: Facts) -> Report {
        Report {
            v: Version::default(),
            seq: 1,
            boot: BootId::new(1),
            up_ms: 1,
            at_ms: 1,
            gap: 0,
            facts,
        }
    }

    #[test]
    fn what_fits_is_left_as_it_is() {
        let small = report(Facts::default());
        assert_eq!(fitted(small.clone()), small);
    }

    #[test]
    fn what_cannot_be_shortened_goes_whole_and_says_so() {
        let mesh = MeshFacts {
            tags: Few::first_of(vec![Printable::clipped(&"€".repeat(96)); 64]).0,
            ..MeshFacts::default()
        };
        let full = report(Facts {
            mesh: Some(mesh),
            ..Facts::default()
        });
        let small = fitted(full);
        assert!(Report::parse(small.line().as_bytes()).is_ok());
        assert_eq!(small.facts.unknown[0].what.as_str(), "everything else");
    }

    #[test]
    fn what_is_too_long_loses_the_ends_of_its_longest_lists_and_says_how_many() {
        let route = HostRoute {
            to: "2001:db8:1111:2222:3333:4444:5555:0/112".parse().unwrap(),
            via: Some("2001:db8:1111:2222:3333:4444:5555:6666".parse().unwrap()),
            interface: Printable::clipped(&"é".repeat(96)),
            metric: 4_294_967_295,
        };
        let disk = Disk {
            mount: Printable::clipped(&"€".repeat(96)),
            filesystem: Printable::clipped("ext4"),
            read_only: false,
            size: None,
        };
        let full = report(Facts {
            routes: Few::first_of(vec![route; 64]).0,
            disks: Few::first_of(vec![disk; 64]).0,
            ..Facts::default()
        });
        assert!(Report::parse(full.line().as_bytes()).is_err());
        let small = fitted(full);
        let read = Report::parse(small.line().as_bytes()).unwrap();
        let missing = 128 - read.facts.routes.len() - read.facts.disks.len();
        let told: usize = read
            .facts
            .unknown
            .iter()
            .map(|u| {
                u.why
                    .as_str()
                    .split(' ')
                    .nth(6)
                    .unwrap()
                    .parse::<usize>()
                    .unwrap()
            })
            .sum();
        assert_eq!(told, missing);
        assert!(missing > 0 && missing < 128);
    }
}
