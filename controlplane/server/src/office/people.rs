//! People and codes, with the functions of `portcullis codes`.
//!
//! **Invariant:** nothing of `people.json` changes here before the kill switch itself has taken a RESTORE code of somebody who
//! holds one. A session that was stolen can therefore look, and nothing else: whoever could add a key could restore for ever.

use super::{Desk, failed, refused};
use crate::codes::add::{joined, shown_digits, take};
use crate::codes::{self, cards as printed};
use crate::enrol::{self, Fresh, Purpose};
use crate::paths::Home;
use crate::random::random;
use crate::{clock, config, people_file};
use dash::{
    Cards, Enrolled, KeyToScan, NewPerson, Pending, PersonView, Shown, Trouble, TroubleKind, Vouch,
};
use data_encoding::HEXLOWER;
use kill_core::{Digits, Person};
use kill_wire::{ErrorCode, LeverReply, LeverRequest, Timestamp};
use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::time::Duration;

/// How long fresh keys wait for their codes, in milliseconds.
const PATIENCE: u64 = 15 * 60_000;
/// Most people who are being added at once.
const MOST: usize = 8;
/// How long the kill switch may take to check a code and write that down.
const LIMIT: Duration = Duration::from_secs(10);

/// People who are being added.
pub(super) type Waiting = BTreeMap<String, Begun>;

/// Fresh keys on their way into an app. Nothing knows them.
pub(super) struct Begun {
    person: Person,
    keys: Vec<Fresh>,
    at: Timestamp,
}

impl std::fmt::Debug for Begun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Begun({})", self.person.name)
    }
}

pub(super) fn list(home: &Home) -> Result<Vec<PersonView>, Trouble> {
    let people = people_file::load_or_none(home).map_err(|why| failed(&why))?;
    let view = |person: &Person| PersonView {
        name: person.name.to_string(),
        kill_digits: usize::from(person.kill.digits().count()),
        restore_digits: usize::from(person.restore.digits().count()),
        check_in: person.check_in.is_some(),
        duress: person.duress.is_some(),
        cards: person.cards.len(),
        senders: person.senders.clone(),
    };
    Ok(people.iter().map(view).collect())
}

pub(super) fn begin(desk: &Desk, new: &NewPerson) -> Result<Pending, Trouble> {
    let people = people_file::load_or_none(&desk.home).map_err(|why| failed(&why))?;
    if people.get(&new.name).is_some() {
        let text = format!(
            "`{}` is there already; a key that is missing is added at the machine: portcullis codes add {0} --check-in",
            new.name
        );
        return Err(refused(text));
    }
    let person = enrol::person(&new.name, new.senders.clone());
    let person = person.map_err(|why| refused(format!("{why:#}")))?;
    joined(&people, &person, &rules(desk)?).map_err(|why| refused(format!("{why:#}")))?;
    let extra = new.check_in.then_some(Purpose::CheckIn);
    let keys = [Purpose::Kill, Purpose::Restore].into_iter().chain(extra);
    let keys: Vec<Fresh> = keys
        .map(Fresh::make)
        .collect::<Result<_, _>>()
        .map_err(|why| failed(&why))?;
    let mut shown = Vec::new();
    for fresh in &keys {
        let svg = enrol::svg(&new.name, fresh.purpose, &fresh.key(Digits::Eight));
        shown.push(KeyToScan {
            label: fresh.purpose.label(),
            what: fresh.purpose.what(),
            svg: svg.map_err(|why| failed(&why))?.to_string(),
        });
    }
    let id = HEXLOWER.encode(&*random::<16>().map_err(|why| failed(&why))?);
    let now = clock::now();
    let mut waiting = desk.waiting.lock().unwrap_or_else(PoisonError::into_inner);
    waiting.retain(|_, begun| now.since(begun.at) < PATIENCE);
    if waiting.len() >= MOST {
        return Err(refused(
            "too many people are being added at once; wait a quarter of an hour",
        ));
    }
    let name = person.name.to_string();
    waiting.insert(
        id.clone(),
        Begun {
            person,
            keys,
            at: now,
        },
    );
    Ok(Pending {
        id,
        name,
        keys: shown,
    })
}

pub(super) fn finish(
    desk: &Desk,
    id: &str,
    shown: &Shown,
    vouch: &Vouch,
) -> Result<Enrolled, Trouble> {
    let now = clock::now();
    let mut waiting = desk.waiting.lock().unwrap_or_else(PoisonError::into_inner);
    waiting.retain(|_, begun| now.since(begun.at) < PATIENCE);
    let begun = waiting.get(id).ok_or_else(|| {
        Trouble::new(
            TroubleKind::Unknown,
            "these keys are forgotten: they wait a quarter of an hour. Begin again",
        )
    })?;
    let mut person = begun.person.clone();
    let mut notes = Vec::new();
    for fresh in &begun.keys {
        let label = fresh.purpose.label();
        let typed = shown.0.get(label).map(String::as_str).unwrap_or_default();
        let Some(digits) = shown_digits(&fresh.secret, typed, now) else {
            let text = format!(
                "that is not the {label} code that this key shows now; look at the app and the phone's clock. Nobody was added"
            );
            return Err(Trouble::new(TroubleKind::BadCode, text));
        };
        notes.extend(take(&mut person, fresh, digits).map(str::to_owned));
    }
    let rules = rules(desk)?;
    let people = people_file::load_or_none(&desk.home).map_err(|why| failed(&why))?;
    joined(&people, &person, &rules).map_err(|why| refused(format!("{why:#}")))?;
    let vouched = vouched(&desk.home, vouch, &format!("{} is added", person.name))?;
    let added = people_file::change(&desk.home, |people| {
        Ok((joined(&people, &person, &rules)?, ()))
    });
    added.map_err(|why| failed(&why))?;
    waiting.remove(id);
    Ok(Enrolled {
        name: person.name.to_string(),
        vouched,
        notes,
    })
}

pub(super) fn cards(
    home: &Home,
    name: &str,
    count: u8,
    digits: bool,
    vouch: &Vouch,
) -> Result<Cards, Trouble> {
    if !(1..=50).contains(&count) {
        return Err(refused("1 to 50 cards at once"));
    }
    known(home, name)?;
    let made = printed::make(count, digits).map_err(|why| failed(&why))?;
    vouched(home, vouch, &format!("{name} gets {count} KILL cards"))?;
    printed::count(home, name, &made).map_err(|why| failed(&why))?;
    let date = clock::now().to_string();
    Ok(Cards {
        person: name.to_owned(),
        date: date.split('T').next().unwrap_or_default().to_owned(),
        codes: made.iter().map(kill_core::Card::printed).collect(),
    })
}

pub(super) fn revoke(
    home: &Home,
    name: &str,
    only_cards: bool,
    vouch: &Vouch,
) -> Result<String, Trouble> {
    let people = known(home, name)?;
    if !only_cards && people == 1 {
        let text = format!(
            "`{name}` is the last person with keys; add another one first, or nobody could restore"
        );
        return Err(refused(text));
    }
    let what = if only_cards {
        "loses all cards"
    } else {
        "loses all keys and cards"
    };
    let by = vouched(home, vouch, &format!("{name} {what}"))?;
    let cards = codes::take_away(home, name, only_cards).map_err(|why| failed(&why))?;
    Ok(if only_cards {
        format!("{cards} cards of {name} do nothing any more; {by} agreed.")
    } else {
        format!("The keys and {cards} cards of {name} do nothing any more; {by} agreed.")
    })
}

/// How many people there are, if this is one of them.
fn known(home: &Home, name: &str) -> Result<usize, Trouble> {
    let people = people_file::load_or_none(home).map_err(|why| failed(&why))?;
    let found = people_file::person(&people, name);
    found.map_err(|why| Trouble::new(TroubleKind::Unknown, format!("{why:#}")))?;
    Ok(people.len())
}

fn rules(desk: &Desk) -> Result<kill_core::Rules, Trouble> {
    let read = config::read(desk.file.as_deref());
    Ok(read.map_err(|bad| desk.mistaken(&bad))?.killswitch.rules)
}

/// Has the kill switch check and spend the code; gives whose it was.
fn vouched(home: &Home, vouch: &Vouch, what: &str) -> Result<String, Trouble> {
    let request = LeverRequest::Vouch {
        code: vouch.code.clone(),
        by: vouch.by.clone(),
        what: what.to_owned(),
    };
    match killctl::Lever::at(home.lever()).ask(&request, LIMIT) {
        Ok(LeverReply::Vouched { person }) => Ok(person),
        Ok(_) => Err(refused(
            "the kill switch answered something that was not asked for; nothing was changed",
        )),
        Err(why) => {
            let kind = match why.code {
                ErrorCode::BadCode | ErrorCode::Locked => TroubleKind::BadCode,
                ErrorCode::BadRequest | ErrorCode::NotCut => TroubleKind::Refused,
                ErrorCode::NotRecorded | ErrorCode::Unavailable => TroubleKind::Unavailable,
            };
            Err(Trouble::new(
                kind,
                format!(
                    "{}. Nothing was changed.",
                    why.message.trim_end_matches('.')
                ),
            ))
        }
    }
}
