//! What is asked and said of people. No secret of anybody who counts; keys and cards on the way to their owner, once.

use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// Who holds keys.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PersonView {
    /// Their name.
    pub name: String,
    /// Digits of a KILL code; one of six needs two in a row.
    pub kill_digits: usize,
    /// Digits of a RESTORE code.
    pub restore_digits: usize,
    /// Has a check-in key.
    pub check_in: bool,
    /// Has a duress key.
    pub duress: bool,
    /// Cards that are registered, used or not.
    pub cards: usize,
    /// Numbers and names of senders.
    pub senders: Vec<String>,
}

/// A person to be.
#[derive(Clone, Debug, Default)]
pub struct NewPerson {
    /// 1 to 24 of a-z, 0-9, `.`, `-`, `_`.
    pub name: String,
    /// Numbers that get replies.
    pub senders: Vec<String>,
    /// Also a check-in key.
    pub check_in: bool,
}

/// Fresh keys that nothing knows yet.
#[derive(Debug)]
pub struct Pending {
    /// By which they are found again.
    pub id: String,
    /// For whom.
    pub name: String,
    /// The keys.
    pub keys: Vec<KeyToScan>,
}

/// One key as an app scans it.
pub struct KeyToScan {
    /// What it is, such as `KILL`.
    pub label: &'static str,
    /// What it does, for people.
    pub what: &'static str,
    /// The QR code as an SVG element. It holds the secret.
    pub svg: String,
}

impl fmt::Debug for KeyToScan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyToScan({})", self.label)
    }
}

/// What the app shows now, by the key's label.
#[derive(Clone, Default)]
pub struct Shown(pub BTreeMap<String, String>);

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// A person who was added.
#[derive(Clone, Debug, Default)]
pub struct Enrolled {
    /// Their name.
    pub name: String,
    /// Who agreed.
    pub vouched: String,
    /// What to know about keys with few digits.
    pub notes: Vec<String>,
}

/// Cards to print.
pub struct Cards {
    /// Whose.
    pub person: String,
    /// When they were made, as a date.
    pub date: String,
    /// The codes; each cuts once.
    pub codes: Vec<String>,
}

impl fmt::Debug for Cards {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cards({} of {})", self.codes.len(), self.person)
    }
}
