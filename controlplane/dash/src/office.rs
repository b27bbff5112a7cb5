//! What only the program that runs the house can do for a page: the files with consumers, people and settings, the authority that
//! lets hosts join, and a word to the gateway.
//!
//! `dash` knows what is asked and what is shown; whoever starts it does it, with the functions its command line uses. A desk
//! blocks, and so each question waits on a thread of its own.

mod consumers;
mod guests;
mod people;
mod settings;

pub use consumers::{ConsumerBook, ConsumerChange, ConsumerView, ConsumerWish, OwnRules};
pub use guests::{NewHost, Ticket};
pub use people::{Cards, Enrolled, KeyToScan, NewPerson, Pending, PersonView, Shown};
pub use settings::{Edit, Field, SettingsView};

use crate::answer::problem;
use crate::site::Site;
use crate::view::Outcome;
use axum::http::StatusCode;
use axum::response::Response;
use kill_wire::Name;
use net_model::{HostName, Mistake, ReloadReport, TargetTest};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// How long a desk may take.
const LIMIT: Duration = Duration::from_secs(25);

/// Whoever keeps the house's files.
pub trait Office: fmt::Debug + Send + Sync {
    /// Who may ask, as the files have it now.
    ///
    /// # Errors
    /// When they cannot be read, or hold mistakes.
    fn consumers(&self) -> Result<ConsumerBook, Trouble>;

    /// Changes a consumer that the control plane keeps, and has it taken over; a new key where one was made.
    ///
    /// # Errors
    /// When nothing was changed, with every reason.
    fn change_consumer(&self, change: &ConsumerChange) -> Result<Option<String>, Trouble>;

    /// Who holds which keys; no secret of them.
    ///
    /// # Errors
    /// When it cannot be read here.
    fn people(&self) -> Result<Vec<PersonView>, Trouble>;

    /// Makes keys for a person whom nothing knows yet, to be scanned; they are forgotten after a quarter of an hour.
    ///
    /// # Errors
    /// When the name cannot be used.
    fn begin_person(&self, new: &NewPerson) -> Result<Pending, Trouble>;

    /// Adds that person, once the app has shown a right code of every key and somebody who may restore agrees.
    ///
    /// # Errors
    /// When nobody was added.
    fn finish_person(&self, id: &str, shown: &Shown, vouch: &Vouch) -> Result<Enrolled, Trouble>;

    /// Makes single-use KILL cards, once somebody who may restore agrees.
    ///
    /// # Errors
    /// When none counts.
    fn cards(&self, name: &str, count: u8, digits: bool, vouch: &Vouch) -> Result<Cards, Trouble>;

    /// Takes a person's cards away, and the keys too unless `only_cards`, once somebody who may restore agrees.
    ///
    /// # Errors
    /// When everything is as it was.
    fn revoke(&self, name: &str, only_cards: bool, vouch: &Vouch) -> Result<String, Trouble>;

    /// The configuration as it stands, each value with where it comes from.
    ///
    /// # Errors
    /// When the file cannot be read.
    fn settings(&self) -> Result<SettingsView, Trouble>;

    /// What this text would change, and everything that is wrong with it. Changes nothing.
    ///
    /// # Errors
    /// When it cannot be compared with anything.
    fn check_settings(&self, text: &str) -> Result<Edit, Trouble>;

    /// Puts this text in the file's place and has it taken over; `over` is what was identified as [`SettingsView::version`].
    ///
    /// # Errors
    /// When the file is as it was.
    fn apply_settings(&self, text: &str, over: &str) -> Result<ReloadReport, Trouble>;

    /// Has the gateway ask a target once whether it is there, by a question that costs nothing.
    ///
    /// # Errors
    /// When the gateway cannot be asked, or has no such target.
    fn test_target(&self, target: &Name) -> Result<TargetTest, Trouble>;

    /// Makes a token by which a host that nothing knows yet may join, once and soon.
    ///
    /// # Errors
    /// When it is known already, or stands in no zone of the house.
    fn invite(&self, host: &NewHost) -> Result<Ticket, Trouble>;

    /// The same for a host that is known, as it is known; every older token of it is void.
    ///
    /// # Errors
    /// When nobody is called so.
    fn reinvite(&self, name: &HostName) -> Result<Ticket, Trouble>;
}

/// A RESTORE code of somebody who agrees, for the kill switch to check.
#[derive(Clone)]
pub struct Vouch {
    /// As typed.
    pub code: String,
    /// Who asks, as the journal names it.
    pub by: String,
}

impl fmt::Debug for Vouch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vouch")
            .field("by", &self.by)
            .finish_non_exhaustive()
    }
}

/// Why nothing was done, for people and for programs.
#[derive(Clone, Debug)]
pub struct Trouble {
    /// What kind of.
    pub kind: TroubleKind,
    /// In words that name the fix.
    pub text: String,
    /// Each mistake, where there are several.
    pub mistakes: Vec<Mistake>,
}

/// Kinds of trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TroubleKind {
    /// What was asked for cannot be.
    Refused,
    /// There is no such thing.
    Unknown,
    /// The code was not accepted.
    BadCode,
    /// Somebody else changed it meanwhile.
    Changed,
    /// It does not work now.
    Unavailable,
}

impl Trouble {
    /// Without mistakes to list.
    #[must_use]
    pub fn new(kind: TroubleKind, text: impl Into<String>) -> Self {
        Self {
            kind,
            text: text.into(),
            mistakes: Vec::new(),
        }
    }
}

impl Trouble {
    pub(crate) const fn status(&self) -> StatusCode {
        match self.kind {
            TroubleKind::Refused => StatusCode::UNPROCESSABLE_ENTITY,
            TroubleKind::Unknown => StatusCode::NOT_FOUND,
            TroubleKind::BadCode => StatusCode::FORBIDDEN,
            TroubleKind::Changed => StatusCode::CONFLICT,
            TroubleKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    const fn word(&self) -> &'static str {
        match self.kind {
            TroubleKind::Refused => "refused",
            TroubleKind::Unknown => "unknown",
            TroubleKind::BadCode => "bad_code",
            TroubleKind::Changed => "changed",
            TroubleKind::Unavailable => "unavailable",
        }
    }

    /// For a page.
    pub(crate) fn outcome(&self, title: &str) -> Outcome {
        let mut outcome = Outcome::refused(title, self.text.clone());
        outcome.lines.extend(self.mistakes.iter().map(in_a_line));
        outcome
    }

    /// For a program.
    pub(crate) fn problem(&self) -> Response {
        let mut text = self.text.clone();
        for mistake in &self.mistakes {
            text.push(' ');
            text.push_str(&in_a_line(mistake));
            text.push('.');
        }
        problem(self.status(), self.word(), &text)
    }
}

/// `FILE line 7: field: problem; fix`.
pub(crate) fn in_a_line(it: &Mistake) -> String {
    let mut text = String::new();
    if let Some(line) = it.line {
        text.push_str(&format!("line {line}: "));
    }
    if !it.field.is_empty() {
        text.push_str(&format!("{}: ", it.field));
    }
    text.push_str(&it.problem);
    if let Some(fix) = &it.fix {
        text.push_str(&format!("; {fix}"));
    }
    text
}

/// Asks the office without holding up other requests.
pub(crate) async fn ask<T: Send + 'static>(
    site: &Site,
    question: impl FnOnce(&dyn Office) -> Result<T, Trouble> + Send + 'static,
) -> Result<T, Trouble> {
    let office = Arc::clone(&site.app.office);
    let asked = tokio::task::spawn_blocking(move || question(office.as_ref()));
    match tokio::time::timeout(LIMIT, asked).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(broke)) => {
            let text = format!("it broke off: {broke}");
            Err(Trouble::new(TroubleKind::Unavailable, text))
        }
        Err(_) => {
            let text =
                format!("nobody said within {LIMIT:?} how it went; look before you try again");
            Err(Trouble::new(TroubleKind::Unavailable, text))
        }
    }
}
