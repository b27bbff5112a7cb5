use super::*;
use tempfile::TempDir;

const OLD: &[u8] = b"the one before";
const NEW: &[u8] = b"the new one";

struct Host {
    _folder: TempDir,
    place: Place,
}

impl Host {
    fn updated() -> Self {
        let (folder, place) = place();
        std::fs::write(&place.program, OLD).unwrap();
        place.begin(NEW).unwrap();
        Self {
            _folder: folder,
            place,
        }
    }

    fn settle(&self) -> Settled {
        self.place.settle().unwrap()
    }

    fn holds(&self) -> Vec<u8> {
        std::fs::read(&self.place.program).unwrap()
    }
}

fn place() -> (TempDir, Place) {
    let folder = tempfile::tempdir().unwrap();
    let place = Place {
        program: folder.path().join("node-agent"),
        proven: folder.path().join("proven"),
    };
    (folder, place)
}

#[test]
fn an_agent_that_never_works_is_put_back_and_stays_away() {
    let host = Host::updated();
    assert_eq!(host.holds(), NEW);
    for start in 1..=MOST_STARTS {
        assert_eq!(host.settle(), Settled::Tried(start));
        assert_eq!(host.holds(), NEW);
    }
    assert_eq!(host.settle(), Settled::PutBack);
    assert_eq!(host.holds(), OLD);
    assert_eq!(host.settle(), Settled::None);
    assert_eq!(host.place.on_trial().unwrap(), None);
}

#[test]
fn an_agent_that_has_shown_that_it_works_stays() {
    let host = Host::updated();
    assert_eq!(host.settle(), Settled::Tried(1));
    let own = host.place.on_trial().unwrap().unwrap();
    host.place.prove(&own).unwrap();
    assert_eq!(host.settle(), Settled::Proven);
    for _ in 0..=MOST_STARTS {
        assert_eq!(host.settle(), Settled::None);
    }
    assert_eq!(host.holds(), NEW);
}

#[test]
fn what_another_agent_proved_counts_for_nothing() {
    let host = Host::updated();
    host.place.prove(&hash(OLD)).unwrap();
    for _ in 0..MOST_STARTS {
        assert!(matches!(host.settle(), Settled::Tried(_)));
    }
    assert_eq!(host.settle(), Settled::PutBack);
}

#[test]
fn a_second_update_during_a_trial_begins_another_one() {
    let host = Host::updated();
    assert_eq!(host.settle(), Settled::Tried(1));
    host.place.begin(b"a third").unwrap();
    for start in 1..=MOST_STARTS {
        assert_eq!(host.settle(), Settled::Tried(start));
    }
    assert_eq!(host.settle(), Settled::PutBack);
    assert_eq!(
        host.holds(),
        OLD,
        "what never worked is nothing to go back to"
    );
}

#[test]
fn an_update_of_one_that_works_goes_back_to_that_one() {
    let host = Host::updated();
    let own = host.place.on_trial().unwrap().unwrap();
    host.place.prove(&own).unwrap();
    host.place.begin(b"a third").unwrap();
    for start in 1..=MOST_STARTS {
        assert_eq!(host.settle(), Settled::Tried(start));
    }
    assert_eq!(host.settle(), Settled::PutBack);
    assert_eq!(host.holds(), NEW);
}

#[test]
fn one_that_was_put_there_by_hand_is_on_no_trial() {
    let host = Host::updated();
    std::fs::write(&host.place.program, b"by hand").unwrap();
    assert_eq!(host.settle(), Settled::None);
    assert_eq!(host.holds(), b"by hand");
}

#[test]
fn a_first_installation_and_marks_that_say_nothing_are_no_trial() {
    let (_folder, place) = place();
    place.begin(NEW).unwrap();
    assert_eq!(place.settle().unwrap(), Settled::None);
    for nonsense in [&b""[..], b"x", b"x y", b"\xff\xff", &[b'a'; 9999]] {
        std::fs::write(beside(&place.program, ".trial"), nonsense).unwrap();
        assert_eq!(place.settle().unwrap(), Settled::None);
    }
}

#[test]
fn without_the_one_before_nothing_is_put_back_and_that_is_said() {
    let host = Host::updated();
    std::fs::remove_file(host.place.former()).unwrap();
    for _ in 0..MOST_STARTS {
        host.settle();
    }
    assert!(host.place.settle().is_err());
    assert_eq!(host.holds(), NEW);
}

#[test]
fn a_proof_that_is_no_plain_file_is_none() {
    let host = Host::updated();
    std::fs::create_dir(&host.place.proven).unwrap();
    assert_eq!(host.settle(), Settled::Tried(1));
}
