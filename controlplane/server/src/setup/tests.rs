use super::*;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

fn home(dir: &tempfile::TempDir) -> Home {
    Home::find(Some(&dir.path().join("p"))).unwrap()
}

fn first_start(home: &Home) -> State {
    root(home, true).unwrap();
    ensure(home, &Part::ALL, true).unwrap()
}

fn files(path: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push((path.clone(), fs::read(&path).unwrap()));
        }
    }
    found.sort();
    found
}

/// State as a crash leaves it after the marker and `moved` of the four moves.
fn crashed_after(home: &Home, moved: usize) {
    let building = home.below(BUILDING);
    fs::create_dir(building.root()).unwrap();
    for part in &Part::ALL[moved..] {
        fs::rename(home.part(*part), building.part(*part)).unwrap();
    }
    fs::write(building.root().join(MARKER), "").unwrap();
}

#[test]
fn a_second_start_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let home = home(&dir);
    assert_eq!(first_start(&home), State::New);
    shown(&home).unwrap();
    let before = files(home.root());
    assert_eq!(first_start(&home), State::Kept);
    assert!(files(home.root()) == before);
}

#[test]
fn only_the_owner_may_read_any_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let home = home(&dir);
    first_start(&home);
    fn check(path: &Path) {
        let mode = fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let wanted = if path.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode, wanted, "{}", path.display());
        if path.is_dir() {
            for entry in fs::read_dir(path).unwrap() {
                check(&entry.unwrap().path());
            }
        }
    }
    check(home.root());
}

#[test]
fn a_crash_before_the_marker_begins_anew() {
    let dir = tempfile::tempdir().unwrap();
    let home = home(&dir);
    root(&home, true).unwrap();
    make::everything(&home.below(BUILDING)).unwrap();
    fs::remove_dir_all(home.below(BUILDING).part(Part::Gateway)).unwrap();
    let half = fs::read(home.below(BUILDING).people()).unwrap();
    assert_eq!(first_start(&home), State::New);
    assert!(fs::read(home.people()).unwrap() != half);
    shown(&home).unwrap();
    assert!(!home.root().join(BUILDING).exists());
}

#[test]
fn a_crash_between_the_moves_is_finished_with_the_same_keys() {
    for moved in 0..=Part::ALL.len() {
        let dir = tempfile::tempdir().unwrap();
        let home = home(&dir);
        first_start(&home);
        shown(&home).unwrap();
        let before = files(home.root());
        crashed_after(&home, moved);
        assert_eq!(first_start(&home), State::New, "after {moved} moves");
        shown(&home).unwrap();
        assert!(files(home.root()) == before, "after {moved} moves");
    }
}

#[test]
fn lost_state_is_never_made_anew_beside_what_is_left() {
    for part in Part::ALL {
        let dir = tempfile::tempdir().unwrap();
        let home = home(&dir);
        first_start(&home);
        if part != Part::Agent {
            // Lost before or after the keys were shown makes no difference.
            shown(&home).unwrap();
        }
        fs::remove_dir_all(home.part(part)).unwrap();
        let why = ensure(&home, &Part::ALL, true).unwrap_err().to_string();
        assert!(why.contains(&format!("has lost {}", part.name())), "{why}");
        assert!(!home.part(part).exists());
    }
}

#[test]
fn a_service_makes_no_keys_unless_told() {
    let dir = tempfile::tempdir().unwrap();
    let home = home(&dir);
    let why = root(&home, false).unwrap_err().to_string();
    assert!(why.contains("serve --init"), "{why}");
    assert!(!home.root().exists());
}

#[test]
fn a_path_too_long_for_a_socket_is_refused_before_anything_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let deep = dir.path().join("d".repeat(100));
    let home = Home::find(Some(&deep)).unwrap();
    let why = root(&home, true).unwrap_err().to_string();
    assert!(why.contains("too long"), "{why}");
    assert!(!deep.exists());
}

#[test]
fn a_start_is_the_first_until_its_keys_were_shown() {
    let dir = tempfile::tempdir().unwrap();
    let home = home(&dir);
    assert_eq!(first_start(&home), State::New);
    let before = fs::read(home.people()).unwrap();
    assert_eq!(first_start(&home), State::New);
    assert!(fs::read(home.people()).unwrap() == before);
    shown(&home).unwrap();
    assert_eq!(first_start(&home), State::Kept);
}
