//! Configuration files, each for the kill switch alone, for the courier alone and for a program that is both: every mistake
//! names its key on a line of its own and no secret; what reads is within its bounds, and fine for both is fine for each.
#![no_main]

use kill_config::{
    Problem, Problems, Reader, Reading, Section, Small, VantageWish, read_agent, read_small,
    read_table,
};
use kill_core::{People, Rules, RulesError};
use libfuzzer_sys::fuzz_target;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Stands in every secret there is, in the form a secret of a channel has.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// One who can be in a kill switch; more of them make guessing easier.
const PEOPLE: &str = include_str!("../seeds/state/people");

/// The folder of the configuration, with the files that seeds name.
fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = std::env::temp_dir().join(format!("fuzz-settings-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let key = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
        std::fs::write(folder.join("key.pub"), key).unwrap();
        std::fs::write(folder.join("secret"), SECRET).unwrap();
        std::fs::write(folder.join("token"), format!("123456:{SECRET}")).unwrap();
        folder
    })
}

fn said(problems: &[Problem], file: &str) {
    let lines = file.split('\n').count();
    for Problem { key, text } in problems {
        assert!(!key.is_empty() && !text.is_empty());
        let shown = format!("{key}: {text}");
        assert!(!shown.contains(char::is_control), "more than a line: {shown:?}");
        assert!(file.contains(SECRET) || !shown.contains(SECRET), "a secret: {shown}");
        if let Some(line) = key.strip_prefix("line ").and_then(|line| line.parse::<usize>().ok()) {
            assert!((1..=lines).contains(&line), "{shown}, of {lines}");
        }
    }
}

/// What reads is what the kill switch starts with.
fn bounded(small: &Small) {
    let wanted = &small.killswitch;
    let guesses = [wanted.rules.guesses_per_day, wanted.rules.restore_guesses_per_day];
    assert!(guesses.iter().all(|n| (1..=Rules::MAX_GUESSES).contains(n)));
    match wanted.rules.check(&People::parse(PEOPLE).unwrap()) {
        Ok(bound) => assert!(bound.kill < 0.01 && bound.restore < 0.01, "{bound:?}"),
        Err(why) => assert!(matches!(why, RulesError::TwoOfOne(_) | RulesError::TooGuessable(_)), "{why}"),
    }
    assert!(wanted.instance.is_none_or(|n| n < 4));
    assert!(wanted.peers.is_empty() || wanted.instance.is_some());
    assert!(wanted.agents.iter().all(|agent| agent.port() != 0));
    let counts = [wanted.agents.len(), wanted.channels.len(), wanted.vantages.len(), wanted.peers.len(), wanted.direct.len()];
    assert!(counts.iter().all(|count| *count <= 64), "{counts:?}");
    let names: BTreeSet<&str> = wanted.channels.iter().map(|wish| wish.courier.name.as_str()).collect();
    assert!(names.len() == wanted.channels.len() && !names.contains("local"));
    for span in [wanted.drill_every_ms, wanted.silent_after_ms].into_iter().flatten() {
        assert!(span >= 3_600_000);
    }
    for socket in [&wanted.sockets.courier, &wanted.sockets.lever].into_iter().flatten() {
        assert!(socket.is_absolute() && socket.as_os_str().len() < 108);
    }
}

fn channels_and_keys(small: &Small) -> (usize, usize) {
    let made = small.killswitch.channels.iter().filter(|wish| wish.channel.is_some());
    let known = |wish: &&VantageWish| wish.key.is_some();
    (made.count(), small.killswitch.vantages.iter().filter(known).count())
}

/// Vantages of our own gateways: each has a key.
fn own(small: &Small) -> usize {
    let vantages = small.killswitch.vantages.iter();
    vantages.filter(|wish| wish.points.is_empty()).count()
}

fuzz_target!(|data: &[u8]| {
    let path = folder().join("portcullis.toml");
    std::fs::write(&path, data).unwrap();
    let file = String::from_utf8_lossy(data);
    let courier = Some(kill_courier::KNOWS);
    let readers = [(true, courier), (true, None), (false, courier)];
    let read = readers.map(|(channels, courier)| read_small(&path, Reader { channels, courier }));
    for read in &read {
        match read {
            Err(bad) => {
                assert!(!bad.problems.is_empty() && bad.file.as_ref() == Some(&path));
                said(&bad.problems, &file);
            }
            Ok(small) => {
                said(&small.warnings, &file);
                bounded(small);
                assert!(file.contains(SECRET) || !format!("{small:?}").contains(SECRET));
            }
        }
    }
    if let [Ok(both), killswitch, courier] = &read {
        let killswitch = killswitch.as_ref().expect("fine for both is fine for the kill switch");
        let courier = courier.as_ref().expect("fine for both is fine for the courier");
        assert_eq!(killswitch.killswitch.rules, both.killswitch.rules);
        let all = (both.killswitch.channels.len(), own(both));
        assert_eq!([channels_and_keys(both), channels_and_keys(killswitch)], [all, all]);
        assert_eq!(channels_and_keys(courier), (0, 0), "what the courier has no use for");
    }

    let Ok(table) = read_table(&path) else { return };
    let problems = Problems::default();
    let mut warnings = Vec::new();
    let mut reading = Reading {
        reader: Reader { channels: true, courier: None },
        folder: folder(),
        problems: &problems,
        warnings: &mut warnings,
    };
    let section = Section::root(table, &problems).section("agent");
    let agent = read_agent(section, &mut reading);
    assert!(agent.direct.len() <= 64 && agent.direct.iter().all(|address| address.port() != 0));
    said(&warnings, &file);
    said(&problems.into_sorted(), &file);
});
