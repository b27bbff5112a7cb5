//! Who may cut and restore: the file `people.json`.

use crate::{cards::CardHash, key::Digits, key::Key};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Name of a person: 1 to 24 of `a-z 0-9 . - _`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PersonName(String);

impl PersonName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Up to three letters for a text message: `anna-karin` is `AK`, `owner` is `OW`.
    #[must_use]
    pub fn initials(&self) -> String {
        initials(&self.0)
    }
}

/// Up to three letters or digits of any name.
pub(crate) fn initials(name: &str) -> String {
    let mut parts = name
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|part| !part.is_empty());
    let first = parts.next().unwrap_or("?");
    let rest: String = parts
        .filter_map(|part| part.chars().next())
        .take(2)
        .collect();
    let own = if rest.is_empty() { 2 } else { 1 };
    first
        .chars()
        .take(own)
        .chain(rest.chars())
        .collect::<String>()
        .to_ascii_uppercase()
}

impl std::str::FromStr for PersonName {
    type Err = PeopleError;

    fn from_str(text: &str) -> Result<Self, PeopleError> {
        let ok = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '.' | '-' | '_');
        if !text.is_empty() && text.len() <= 24 && text.chars().all(ok) {
            Ok(Self(text.to_owned()))
        } else {
            Err(PeopleError::Name)
        }
    }
}

impl TryFrom<String> for PersonName {
    type Error = PeopleError;
    fn try_from(text: String) -> Result<Self, PeopleError> {
        text.parse()
    }
}

impl From<PersonName> for String {
    fn from(name: PersonName) -> Self {
        name.0
    }
}

impl fmt::Display for PersonName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One person. The KILL key can only cut, the RESTORE key can only restore.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// Their name.
    pub name: PersonName,
    /// Makes their KILL codes.
    pub kill: Key,
    /// Makes their RESTORE codes; always of eight digits.
    pub restore: Key,
    /// Makes their check-in codes: `OK`, `DRILL` and `STATUS` from any phone. Neither cuts nor restores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check_in: Option<Key>,
    /// Makes codes that only pretend to restore; of eight digits, as those they pretend to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duress: Option<Key>,
    /// Their printed cards; each cuts once.
    #[serde(default)]
    pub cards: Vec<CardHash>,
    /// Senders that may ask for STATUS and get a reply: numbers, or names of a generic channel.
    #[serde(default)]
    pub senders: Vec<String>,
}

impl Person {
    fn keys(&self) -> impl Iterator<Item = &Key> {
        let more = self.check_in.iter().chain(&self.duress);
        [&self.kill, &self.restore].into_iter().chain(more)
    }
}

/// Why people were not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PeopleError {
    /// Not a name.
    #[error("a person's name is 1 to 24 of a-z, 0-9, `.`, `-`, `_`")]
    Name,
    /// Not the file's form; holds what the parser said, without any secret.
    #[error("people.json is not in the form of version 1 (line {line}, column {column})")]
    Form {
        /// Line of the file, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// Two people of one name.
    #[error("`{0}` is there already")]
    Twice(PersonName),
    /// Nobody of that name.
    #[error("there is no person of that name")]
    Nobody,
    /// Past a bound.
    #[error(
        "at most {} people, {} cards in all, {} senders each of at most 64 characters",
        People::MAX,
        People::MAX_CARDS,
        People::MAX_SENDERS
    )]
    TooMany,
    /// One secret for two keys: a KILL code could then restore.
    #[error("`{0}` has a key that is used elsewhere; every key needs its own secret")]
    SameKey(PersonName),
    /// Six digits are too few to restore with.
    #[error("the RESTORE key of `{0}`, and a duress key, must have 8 digits")]
    ShortRestore(PersonName),
}

/// Everybody with keys, checked: names differ, secrets differ, bounds hold.
#[derive(Clone, Debug, Default)]
pub struct People(Vec<Person>);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    people: Vec<Person>,
}

impl People {
    /// Most people.
    pub const MAX: usize = 16;
    /// Most cards of all people together.
    pub const MAX_CARDS: usize = 400;
    /// Most senders of one person.
    pub const MAX_SENDERS: usize = 8;

    /// Reads `people.json`. The error names a place, never what stands there.
    pub fn parse(json: &str) -> Result<Self, PeopleError> {
        let form = |e: &serde_json::Error| PeopleError::Form {
            line: e.line(),
            column: e.column(),
        };
        let file: File = serde_json::from_str(json).map_err(|e| form(&e))?;
        if file.version != 1 {
            return Err(PeopleError::Form { line: 1, column: 1 });
        }
        let mut people = Self::default();
        for person in file.people {
            people.add(person)?;
        }
        Ok(people)
    }

    /// The text of `people.json`. Holds secrets: mode 0600.
    #[must_use]
    pub fn to_json(&self) -> String {
        let file = File {
            version: 1,
            people: self.0.clone(),
        };
        // Strings and numbers only: there is nothing in it that JSON cannot say.
        serde_json::to_string_pretty(&file).unwrap_or_default()
    }

    /// Everybody, in the order of the file.
    pub fn iter(&self) -> std::slice::Iter<'_, Person> {
        self.0.iter()
    }

    /// The person of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Person> {
        self.0.iter().find(|person| person.name.as_str() == name)
    }

    /// The person this sender belongs to; spaces, hyphens, brackets and dots do not matter.
    #[must_use]
    pub fn sender(&self, sender: &str) -> Option<&Person> {
        let plain = |s: &str| -> String {
            s.chars()
                .filter(|c| !c.is_whitespace() && !matches!(c, '-' | '(' | ')' | '.' | '/'))
                .collect()
        };
        let wanted = plain(sender);
        self.0
            .iter()
            .find(|person| !wanted.is_empty() && person.senders.iter().any(|s| plain(s) == wanted))
    }

    /// Whose card this is.
    pub(crate) fn holder(&self, card: &CardHash) -> Option<&Person> {
        self.0.iter().find(|person| person.cards.contains(card))
    }

    /// Adds a person.
    pub fn add(&mut self, person: Person) -> Result<(), PeopleError> {
        if self.get(person.name.as_str()).is_some() {
            return Err(PeopleError::Twice(person.name));
        }
        let short = |key: &Key| key.digits() == Digits::Six;
        if short(&person.restore) || person.duress.as_ref().is_some_and(short) {
            return Err(PeopleError::ShortRestore(person.name));
        }
        // Every key of the house differs from every other: what one verb's code proves, no other's does.
        let own: Vec<&Key> = person.keys().collect();
        let twice = (1..own.len()).any(|at| {
            let (before, rest) = own.split_at(at);
            let key = rest.first();
            key.is_some_and(|key| before.iter().any(|other| other.same_secret(key)))
        });
        let others = || self.0.iter().flat_map(Person::keys);
        if twice
            || own
                .iter()
                .any(|key| others().any(|other| other.same_secret(key)))
        {
            return Err(PeopleError::SameKey(person.name));
        }
        let senders_ok = person.senders.len() <= Self::MAX_SENDERS
            && person.senders.iter().all(|sender| sender.len() <= 64);
        if self.0.len() >= Self::MAX
            || self.cards() + person.cards.len() > Self::MAX_CARDS
            || !senders_ok
        {
            return Err(PeopleError::TooMany);
        }
        self.0.push(person);
        Ok(())
    }

    /// Takes a person out; their codes and cards do nothing from now on.
    pub fn revoke(&mut self, name: &str) -> Result<Person, PeopleError> {
        let at = self.0.iter().position(|p| p.name.as_str() == name);
        at.map(|at| self.0.remove(at)).ok_or(PeopleError::Nobody)
    }

    /// Gives a person more cards.
    pub fn add_cards(&mut self, name: &str, cards: Vec<CardHash>) -> Result<(), PeopleError> {
        if self.cards() + cards.len() > Self::MAX_CARDS {
            return Err(PeopleError::TooMany);
        }
        let person = self.0.iter_mut().find(|p| p.name.as_str() == name);
        person.ok_or(PeopleError::Nobody)?.cards.extend(cards);
        Ok(())
    }

    /// Takes all cards of a person away, as when the list is lost; their codes go on. Gives how many there were.
    pub fn revoke_cards(&mut self, name: &str) -> Result<usize, PeopleError> {
        let person = self.0.iter_mut().find(|p| p.name.as_str() == name);
        let cards = &mut person.ok_or(PeopleError::Nobody)?.cards;
        Ok(std::mem::take(cards).len())
    }

    /// How many people there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is nobody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn cards(&self) -> usize {
        self.0.iter().map(|person| person.cards.len()).sum()
    }
}

impl<'a> IntoIterator for &'a People {
    type Item = &'a Person;
    type IntoIter = std::slice::Iter<'a, Person>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
