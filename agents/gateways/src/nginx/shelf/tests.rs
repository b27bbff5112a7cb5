use super::*;
use crate::Wanted;
use net_model::Overlay;

fn shelf() -> (tempfile::TempDir, Shelf) {
    let dir = tempfile::tempdir().unwrap();
    let shelf = Shelf::beside(&dir.path().join("overlay.conf"));
    shelf.replace("text").unwrap();
    (dir, shelf)
}

fn standing(seq: u64) -> Standing {
    let overlay = Overlay {
        seq,
        ..Overlay::default()
    };
    Standing::of(&overlay, &Wanted::default())
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn what_was_put_last_is_where_now_leads_and_older_ones_are_forgotten() {
    let (dir, shelf) = shelf();
    for seq in 1..=9 {
        shelf.put(&standing(seq), seq).unwrap();
        shelf.put(&standing(seq), seq).unwrap();
    }
    let now = fs::read_link(dir.path().join("now")).unwrap();
    assert_eq!(now, Path::new("states").join(standing(9).name));
    assert!(dir.path().join("now/all").is_file());
    shelf.tidy().unwrap();
    assert_eq!(names(&dir.path().join("states")).len(), 1 + KEPT);
    assert!(dir.path().join("now/all").is_file());
}

#[test]
fn what_was_asked_for_earlier_and_comes_late_changes_nothing() {
    let (dir, shelf) = shelf();
    shelf.put(&standing(2), 2).unwrap();
    shelf.clone().put(&standing(1), 1).unwrap();
    let now = fs::read_link(dir.path().join("now")).unwrap();
    assert_eq!(now, Path::new("states").join(standing(2).name));
}

#[test]
fn where_nothing_can_be_written_nothing_is_open() {
    let (dir, shelf) = shelf();
    shelf.put(&standing(1), 1).unwrap();
    // As a disk without room: the folder of states takes nothing.
    fs::remove_dir_all(dir.path().join("states")).unwrap();
    fs::write(dir.path().join("states"), []).unwrap();
    assert!(shelf.put(&standing(2), 2).is_err());
    assert!(fs::symlink_metadata(dir.path().join("now")).is_err());
}

#[test]
fn a_lease_is_for_the_beat_that_runs_and_three_more() {
    let (dir, shelf) = shelf();
    shelf.renew(98).unwrap();
    shelf.renew(100).unwrap();
    assert_eq!(
        names(&dir.path().join("lease")),
        ["100", "101", "102", "103"]
    );
    // A clock that was put back.
    shelf.renew(7).unwrap();
    assert_eq!(names(&dir.path().join("lease")), ["10", "7", "8", "9"]);
}

#[test]
fn the_file_holds_keys_and_is_read_by_nobody_else() {
    let (dir, shelf) = shelf();
    shelf.replace("text of ours").unwrap();
    let mode = fs::metadata(&shelf.overlay).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(shelf.read().unwrap().as_deref(), Some("text of ours"));
    fs::remove_file(dir.path().join("overlay.conf")).unwrap();
    assert_eq!(shelf.read().unwrap(), None);
}
