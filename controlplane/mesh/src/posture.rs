//! What is wrong with a node, from what the mesh says of it and whose it is.

use crate::matching::Whose;
use kill_wire::Timestamp;
use net_model::{KeyEnd, MeshFinding, MeshNode, Tier};

/// A key that ends within this is worth a word, in milliseconds.
const SOON: u64 = 7 * 86_400_000;

/// Everything that is wrong with it at `now`, worst first.
#[must_use]
pub fn findings(node: &MeshNode, whose: Whose<'_>, now: Timestamp) -> Vec<MeshFinding> {
    let mut found = Vec::new();
    let tier = match whose {
        Whose::Host(host) => Some(host.tier),
        // Who names itself like a contained host is looked at as one.
        Whose::NameOnly(host) => {
            found.push(MeshFinding::NameOnly);
            Some(host.tier)
        }
        Whose::Ambiguous => {
            found.push(MeshFinding::Ambiguous);
            None
        }
        Whose::Unknown => {
            found.push(MeshFinding::UnknownNode);
            None
        }
    };
    let routes = !node.routes.is_empty();
    if tier == Some(Tier::Contained) {
        found.push(MeshFinding::ContainedOnMesh);
        let held = [
            (routes, MeshFinding::ContainedRoutes),
            (
                node.accepts_routes == Some(true),
                MeshFinding::ContainedAcceptsRoutes,
            ),
            (node.exit_node, MeshFinding::ContainedExitNode),
            (node.ssh, MeshFinding::ContainedSsh),
        ];
        found.extend(held.into_iter().filter(|it| it.0).map(|it| it.1));
    } else {
        let held = [
            (routes, MeshFinding::Routes),
            (node.exit_node, MeshFinding::ExitNode),
            (node.ssh, MeshFinding::Ssh),
        ];
        found.extend(held.into_iter().filter(|it| it.0).map(|it| it.1));
    }
    found.extend(key(node, tier, now));
    found.sort();
    found
}

fn key(node: &MeshNode, tier: Option<Tier>, now: Timestamp) -> Option<MeshFinding> {
    let trusted = matches!(tier, Some(Tier::Control | Tier::Trusted | Tier::Service));
    match node.key {
        KeyEnd::Ended => Some(MeshFinding::KeyEnded),
        KeyEnd::At(at) if at <= now => Some(MeshFinding::KeyEnded),
        KeyEnd::At(at) if at.since(now) < SOON => Some(MeshFinding::KeyEndsSoon),
        KeyEnd::Never if !trusted => Some(MeshFinding::KeyNeverEnds),
        KeyEnd::At(_) | KeyEnd::Never | KeyEnd::Unknown => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matching::KnownHost;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000_000_000);

    fn host(tier: Tier) -> KnownHost {
        KnownHost {
            name: "h1".parse().unwrap(),
            zone: "z1".parse().unwrap(),
            tier,
            addresses: Vec::new(),
            stable_id: None,
        }
    }

    fn open() -> MeshNode {
        MeshNode {
            routes: vec!["10.0.0.0/8".parse().unwrap()],
            exit_node: true,
            ssh: true,
            accepts_routes: Some(true),
            key: KeyEnd::Never,
            ..MeshNode::default()
        }
    }

    #[test]
    fn what_others_may_do_is_wrong_in_a_contained_zone() {
        let contained = host(Tier::Contained);
        let found = findings(&open(), Whose::Host(&contained), NOW);
        assert_eq!(
            found,
            [
                MeshFinding::ContainedOnMesh,
                MeshFinding::ContainedRoutes,
                MeshFinding::ContainedAcceptsRoutes,
                MeshFinding::ContainedExitNode,
                MeshFinding::ContainedSsh,
                MeshFinding::KeyNeverEnds,
            ]
        );
        let service = host(Tier::Service);
        let found = findings(&open(), Whose::Host(&service), NOW);
        assert!(found.iter().all(|it| !it.is_wrong()), "{found:?}");
    }

    #[test]
    fn who_calls_itself_like_a_contained_host_is_looked_at_as_one() {
        let contained = host(Tier::Contained);
        let found = findings(&open(), Whose::NameOnly(&contained), NOW);
        assert_eq!(found.first(), Some(&MeshFinding::NameOnly));
        assert!(found.contains(&MeshFinding::ContainedOnMesh));
    }

    #[test]
    fn keys_are_told_before_and_after_their_end() {
        let with = |key| MeshNode {
            key,
            ..MeshNode::default()
        };
        let service = host(Tier::Service);
        let found = |key| findings(&with(key), Whose::Host(&service), NOW);
        assert_eq!(found(KeyEnd::At(NOW)), [MeshFinding::KeyEnded]);
        assert_eq!(
            found(KeyEnd::At(NOW.plus_millis(SOON - 1))),
            [MeshFinding::KeyEndsSoon]
        );
        assert_eq!(found(KeyEnd::At(NOW.plus_millis(SOON))), []);
        assert_eq!(found(KeyEnd::Ended), [MeshFinding::KeyEnded]);
        assert_eq!(found(KeyEnd::Unknown), []);
    }

    #[test]
    fn a_stranger_is_flagged_whatever_it_does() {
        let found = findings(&MeshNode::default(), Whose::Unknown, NOW);
        assert_eq!(found, [MeshFinding::UnknownNode]);
    }
}
