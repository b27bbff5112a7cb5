//! `people.json`: who holds which keys. A running kill switch is told when it changes.

use crate::out::aside;
use crate::paths::{Home, Part};
use crate::private;
use anyhow::{Context as _, bail};
use kill_core::{People, Person};
use kill_wire::{ErrorCode, LeverReply, LeverRequest};
use rustix::fs::{FlockOperation, flock};
use std::fs::File;
use std::time::Duration;
use zeroize::Zeroizing;

/// Reads `people.json`; when it was lost, nobody holds keys.
pub(crate) fn load_or_none(home: &Home) -> anyhow::Result<People> {
    if home.part(Part::Killswitch).is_dir() && !home.people().exists() {
        return Ok(People::default());
    }
    load(home)
}

/// Reads `people.json`.
pub(crate) fn load(home: &Home) -> anyhow::Result<People> {
    let path = home.people();
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => Zeroizing::new(text),
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => bail!(
            "{} holds no keys; run `portcullis up` first, or say where the state is: --data DIR",
            home.root().display()
        ),
        Err(why) => return Err(why).with_context(|| format!("cannot read {}", path.display())),
    };
    People::parse(&text).with_context(|| format!("{} cannot be used", path.display()))
}

/// The first person of the folder: whose keys first start made.
pub(crate) fn first(home: &Home) -> anyhow::Result<Person> {
    load(home)?
        .iter()
        .next()
        .cloned()
        .context("nobody holds keys")
}

/// The person of this name; the error lists who there is.
pub(crate) fn person<'p>(people: &'p People, name: &str) -> anyhow::Result<&'p Person> {
    people.get(name).with_context(|| {
        let names: Vec<&str> = people.iter().map(|person| person.name.as_str()).collect();
        format!(
            "there is no person of that name; there are: {}",
            names.join(", ")
        )
    })
}

/// Changes `people.json` under a lock, then tells a running kill switch.
pub(crate) fn change<T>(
    home: &Home,
    edit: impl FnOnce(People) -> anyhow::Result<(People, T)>,
) -> anyhow::Result<T> {
    let path = home.people();
    let folder = path.parent().context("the data folder has no parent")?;
    // The folder itself is the lock: `people.json` is replaced, so a lock on it would be lost.
    let lock = File::open(folder).with_context(|| format!("cannot open {}", folder.display()))?;
    flock(&lock, FlockOperation::LockExclusive)?;
    let (people, result) = edit(load_or_none(home)?)?;
    let text = Zeroizing::new(people.to_json());
    private::write(&path, &text)?;
    drop(lock);
    tell(home)?;
    Ok(result)
}

fn tell(home: &Home) -> anyhow::Result<()> {
    let lever = killctl::Lever::at(home.lever());
    match lever.ask(&LeverRequest::Reload, Duration::from_secs(3)) {
        Ok(LeverReply::Reloaded { .. }) => Ok(()),
        Ok(_) => bail!("written, but the kill switch answered something else; restart it"),
        Err(why) if why.code == ErrorCode::Unavailable => {
            aside("The kill switch does not run here; it reads this at its next start.");
            Ok(())
        }
        Err(why) => Err(why).context("written, but the kill switch did not take it"),
    }
}
