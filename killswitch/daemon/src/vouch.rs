//! A RESTORE code that agrees to a change of people: spent and written down before anybody is told that it was good.
//!
//! It opens nothing. Everybody who can be reached is told, so that a change nobody wanted is known at once on other phones
//! than the one that asked.

use crate::clock;
use crate::event::Event;
use crate::lever::{kind, refused};
use crate::recorder::First;
use crate::restore;
use crate::switch::Switch;
use crate::tell;
use kill_core::NotVouched;
use kill_wire::{ErrorCode, LeverReply};

/// Most characters of who asks, and of what is to change.
const LONGEST: usize = 80;

pub(crate) async fn answer(switch: &Switch, code: &str, by: &str, what: &str) -> LeverReply {
    let now = clock::now();
    let (by, what) = (plain(by), plain(what));
    let decided = switch.core().vouch(code, now);
    let person = match decided {
        Ok(person) => person,
        Err(why) => {
            switch.note_refusal("lever", &format!("change of people by {by}: {why}"));
            // A wrong code has led towards the lock: that outlives a restart.
            drop(switch.record(Vec::new(), First::Latch));
            let kind = match &why {
                NotVouched::AtTheMachine => ErrorCode::BadRequest,
                NotVouched::Refused(why) => kind(why),
            };
            return refused(kind, why.to_string());
        }
    };
    let event = Event::Vouched {
        by: person.to_string(),
        via: format!("lever ({by})"),
        what: what.clone(),
    };
    if let Err(why) = restore::written(switch.record(vec![event], First::Journal)).await {
        let text = format!("it could not be recorded, so nobody may change: {why}");
        return refused(ErrorCode::NotRecorded, text);
    }
    tracing::warn!(%person, by, what, "People change, by a RESTORE code.");
    let said = kill_core::people_change(&what, person.as_str(), now);
    tell::everyone(switch, said.as_str());
    LeverReply::Vouched {
        person: person.to_string(),
    }
}

fn plain(text: &str) -> String {
    let clean = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    clean.take(LONGEST).collect()
}
