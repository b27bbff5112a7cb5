//! Sessions that were seen to be valid, so that a cut needs no database. Only a cut relies on it alone.
//!
//! **Invariant:** a session that was ended by this process is not remembered again, however late an answer of the database
//! comes.

use kill_wire::Timestamp;
use net_model::KeyHash;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use store::Session;

/// Most sessions remembered.
const MOST: usize = 1024;

/// Remembered sessions.
#[derive(Debug, Default)]
pub(crate) struct Memory(Mutex<BTreeMap<KeyHash, Kept>>);

#[derive(Debug)]
struct Kept {
    session: Session,
    ended: bool,
}

impl Memory {
    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<KeyHash, Kept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A session that was valid when it was last looked up, and is not over by `now`.
    pub(crate) fn find(&self, token: KeyHash, now: Timestamp) -> Option<Session> {
        let all = self.lock();
        let kept = all.get(&token)?;
        (!kept.ended && now < kept.session.expires).then(|| kept.session.clone())
    }

    /// Remembers one that the database has just called valid. One that was ended meanwhile stays ended.
    pub(crate) fn keep(&self, session: Session, now: Timestamp) {
        let mut all = self.lock();
        if let Some(kept) = all.get_mut(&session.token) {
            kept.session = session;
            return;
        }
        if all.len() >= MOST {
            all.retain(|_, kept| now < kept.session.expires);
        }
        if all.len() >= MOST {
            let oldest = all.iter().min_by_key(|(_, kept)| kept.session.created);
            let oldest = oldest.map(|(token, _)| *token);
            oldest.and_then(|token| all.remove(&token));
        }
        let ended = false;
        all.insert(session.token, Kept { session, ended });
    }

    /// Lets it in no more.
    pub(crate) fn end(&self, token: KeyHash) {
        if let Some(kept) = self.lock().get_mut(&token) {
            kept.ended = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::NewSession;

    fn session(n: u32, expires: u64) -> Session {
        let new = NewSession::by_link(
            Timestamp::from_millis(n.into()),
            Timestamp::from_millis(expires),
        );
        Session {
            token: KeyHash::of(&n.to_be_bytes()),
            created: new.created,
            expires: new.expires,
            role: new.role,
            how: new.how,
            who: new.who,
            from: new.from,
            renew_at: None,
            subject: new.passkey.as_ref().and_then(|it| it.subject.clone()),
            passkey: new.passkey.map(|it| it.id),
        }
    }

    #[test]
    fn what_was_ended_stays_ended_and_what_is_over_is_over() {
        let (memory, now) = (Memory::default(), Timestamp::from_millis(10));
        let one = session(1, 20);
        memory.keep(one.clone(), now);
        assert_eq!(memory.find(one.token, now), Some(one.clone()));
        assert_eq!(memory.find(one.token, Timestamp::from_millis(20)), None);
        memory.end(one.token);
        memory.keep(one.clone(), now);
        assert_eq!(memory.find(one.token, now), None);
    }

    #[test]
    fn it_does_not_grow_for_ever() {
        let (memory, now) = (Memory::default(), Timestamp::from_millis(0));
        for n in 0..5000 {
            memory.keep(session(n, 99_999), now);
        }
        assert_eq!(memory.lock().len(), MOST);
        let newest = session(4999, 99_999);
        assert_eq!(memory.find(newest.token, now), Some(newest));
        assert_eq!(memory.find(session(0, 0).token, now), None);
    }
}
