//! The configuration on a page: as it stands, what a text would change, and that text in the file's place.

use super::{Desk, failed, refused};
use crate::config::{self, Config, flat, mistakes, web_edit};
use crate::paths::Part;
use anyhow::Context as _;
use dash::{Edit, Field, SettingsView, Trouble, TroubleKind};
use gateway_config::KEPT;
use kill_config::{Lines, Problem};
use net_model::{KeyHash, Mistake, ReloadReport};
use std::os::unix::fs::PermissionsExt as _;
use std::sync::PoisonError;
use toml::Table;

pub(super) fn view(desk: &Desk) -> Result<SettingsView, Trouble> {
    let config = desk.read()?;
    let text = text(desk)?;
    let name = desk
        .file
        .as_deref()
        .and_then(|it| Some(it.file_name()?.to_string_lossy().into_owned()));
    let lines = Lines::of(&text);
    let source = |key: &str| {
        let file = name.as_deref().unwrap_or("default");
        let line = lines.line(key);
        line.map_or_else(|| file.to_owned(), |line| format!("{file} line {line}"))
    };
    let named = flat::flat(&config.raw);
    let mut fields: Vec<Field> = named
        .iter()
        .map(|(key, value)| Field {
            key: key.clone(),
            value: short_hash(key, value),
            source: source(key),
        })
        .collect();
    let built_in = built_in(&config).into_iter();
    let left_out = built_in.filter(|(key, _)| !named.contains_key(*key));
    fields.extend(left_out.map(|(key, value)| Field {
        key: key.to_owned(),
        value,
        source: "default".to_owned(),
    }));
    fields.extend(kept(desk));
    fields.sort_by(|a, b| a.key.cmp(&b.key));
    fields.extend(of_the_folder(desk));
    Ok(SettingsView {
        file: desk.file.as_deref().map(|it| it.display().to_string()),
        data: desk.home.root().display().to_string(),
        fields,
        version: version(&text),
        warnings: mistakes::listed(
            desk.file.as_deref(),
            &desk.home.consumers(),
            &config.warnings,
        ),
        text,
    })
}

fn text(desk: &Desk) -> Result<String, Trouble> {
    let read = desk
        .file
        .as_deref()
        .map_or_else(|| Ok(String::new()), kill_config::text);
    read.map_err(|why| Trouble::new(TroubleKind::Unavailable, why))
}

fn version(text: &str) -> String {
    KeyHash::of(text.as_bytes()).to_hex()
}

fn short_hash(key: &str, value: &str) -> String {
    if key.ends_with("_sha256") {
        return value.chars().take(8).chain(['…']).collect();
    }
    value.to_owned()
}

/// What holds where the file says nothing.
fn built_in(config: &Config) -> Vec<(&'static str, String)> {
    let rules = &config.killswitch.rules;
    let yes = |flag: bool| flag.to_string();
    vec![
        ("agent.listen", config.agent.listen.to_string()),
        ("controlplane.listen", config.controlplane.to_string()),
        ("gateway.listen", config.gateway.listen.to_string()),
        (
            "gateway.time_zone",
            config
                .gateway
                .rules()
                .time_zone
                .clone()
                .unwrap_or_else(|| "UTC".to_owned()),
        ),
        ("killswitch.listen", config.killswitch.listen.to_string()),
        ("killswitch.two_person", yes(rules.two_person)),
        ("killswitch.duress", yes(rules.duress)),
        (
            "killswitch.guesses_per_day",
            rules.guesses_per_day.to_string(),
        ),
        (
            "killswitch.restore_guesses_per_day",
            rules.restore_guesses_per_day.to_string(),
        ),
    ]
}

/// Consumers that the control plane keeps.
fn kept(desk: &Desk) -> Vec<Field> {
    let path = desk.home.consumers();
    let text = kill_config::text(&path).unwrap_or_default();
    let table: Table = text.parse().unwrap_or_default();
    let lines = Lines::of(&text);
    let all = flat::flat(&table).into_iter();
    all.map(|(key, value)| Field {
        source: lines
            .line(&key)
            .map_or_else(|| KEPT.to_owned(), |line| format!("{KEPT} line {line}")),
        value: short_hash(&key, &value),
        key: format!("gateway.{key}"),
    })
    .collect()
}

/// What lies in the data folder, and where that itself comes from.
fn of_the_folder(desk: &Desk) -> Vec<Field> {
    let home = &desk.home;
    let lies = |key: &str, path: std::path::PathBuf| Field {
        key: key.to_owned(),
        value: path.display().to_string(),
        source: if path.exists() {
            "data folder"
        } else {
            "data folder, not there"
        }
        .to_owned(),
    };
    let from = ["STATE_DIRECTORY", "XDG_STATE_HOME", "HOME"];
    let from = from
        .into_iter()
        .find(|name| std::env::var_os(name).is_some());
    vec![
        Field {
            key: "data folder".to_owned(),
            value: home.root().display().to_string(),
            source: match from.filter(|_| home.is_default()) {
                Some(name) => format!("environment {name}"),
                None => "--data".to_owned(),
            },
        },
        lies("people and keys", home.people()),
        lies("key of the built-in consumer", home.agent_key()),
        lies("consumers that are kept", home.consumers()),
        lies("prices of the house", home.prices()),
        lies("database", home.database()),
        lies("authority of the house", home.authority()),
        lies("lever of the kill switch", home.lever()),
        lies("journal", home.journal()),
        lies("state of the agent", home.part(Part::Agent)),
    ]
}

pub(super) fn check(desk: &Desk, text: &str) -> Result<Edit, Trouble> {
    let file = desk.file.as_deref();
    let before = config::raw(file).map_err(|bad| desk.mistaken(&bad))?;
    let in_text = |problems: &[Problem]| -> Vec<Mistake> {
        problems
            .iter()
            .map(|it| mistakes::mistake(it, text))
            .collect()
    };
    let after = match kill_config::table(text) {
        Ok(after) => after,
        Err(why) => {
            return Ok(Edit {
                mistakes: in_text(&[why]),
                ..Edit::default()
            });
        }
    };
    let kept = config::kept::table(&desk.home.consumers()).unwrap_or_default();
    let mut problems = web_edit::refused(&before, &after);
    let mut warnings = Vec::new();
    // A text that may not be applied is not read any further: reading it opens the files that it names.
    if problems.is_empty() {
        match desk.checked(after.clone(), kept) {
            Ok(config) => warnings = config.warnings,
            Err(found) => problems = found,
        }
    }
    Ok(Edit {
        mistakes: in_text(&problems),
        warnings: in_text(&warnings),
        changes: flat::changes(&before, &after),
        needs_restart: config::needs_restart(&before, &after),
    })
}

pub(super) fn apply(desk: &Desk, new: &str, over: &str) -> Result<ReloadReport, Trouble> {
    let _one = desk.one.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(file) = desk.file.as_deref() else {
        return Err(refused(
            "there is no configuration file; start with --config FILE, or write portcullis.toml beside where it is started",
        ));
    };
    let before = text(desk)?;
    if version(&before) != over {
        let text = "the file has changed since you looked; look again, nothing was written";
        return Err(Trouble::new(TroubleKind::Changed, text));
    }
    let edit = check(desk, new)?;
    if !edit.mistakes.is_empty() {
        return Err(Trouble {
            mistakes: edit.mistakes,
            ..refused("The text has mistakes. Nothing was written.")
        });
    }
    // A link stays a link: what it leads to is written.
    let real =
        std::fs::canonicalize(file).with_context(|| format!("cannot find {}", file.display()));
    let real = real.map_err(|why| failed(&why))?;
    let mode = std::fs::metadata(&real).map_or(0o600, |it| it.permissions().mode() & 0o777);
    let write = |text: &str| {
        let written = kill_files::write_atomic(&real, text.as_bytes(), mode);
        written.with_context(|| format!("cannot write {}", real.display()))
    };
    write(new).map_err(|why| failed(&why))?;
    match desk.reload() {
        Ok(report) if report.good => Ok(report),
        other => {
            write(&before).map_err(|why| failed(&why))?;
            drop(desk.reload());
            Err(match other {
                Ok(report) => Trouble {
                    mistakes: report.mistakes,
                    ..refused("It was not taken over; the file is as it was.")
                },
                Err(trouble) => trouble,
            })
        }
    }
}
