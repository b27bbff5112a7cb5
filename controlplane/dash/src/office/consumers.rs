//! What is asked and said of consumers.

use kill_wire::Timestamp;
use serde::{Deserialize, Serialize};

/// Everybody who may ask, and what a consumer can be given.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ConsumerBook {
    /// In the order of the files.
    pub consumers: Vec<ConsumerView>,
    /// Names of routes.
    pub routes: Vec<String>,
    /// Roles that somebody has, or a rule is about.
    pub roles: Vec<String>,
    /// The file of those that the control plane keeps.
    pub kept_in: String,
}

/// One consumer.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ConsumerView {
    /// Its name.
    pub name: String,
    /// What limits and budgets of several know it by.
    pub role: Option<String>,
    /// Routes it may take.
    pub routes: Vec<String>,
    /// The first eight hexadecimal digits of its key's SHA-256.
    pub key: String,
    /// Until when the key it had before counts.
    pub old_key_until: Option<Timestamp>,
    /// When targets inside the house may serve it.
    pub local: String,
    /// When targets outside the house may.
    pub cloud: String,
    /// Budgets and limits about it, in words.
    pub rules: Vec<String>,
    /// Where it stands: a file and its line.
    pub source: String,
    /// Whether the control plane keeps it, and so a page can change it.
    pub kept: bool,
    /// Whether it is the built-in one, whose key alone a page can change.
    pub built_in: bool,
    /// The rules that the control plane keeps of it.
    pub own: OwnRules,
}

/// Rules that hold for one consumer alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OwnRules {
    /// Requests a minute.
    pub requests_per_minute: Option<u64>,
    /// Tokens a minute.
    pub tokens_per_minute: Option<u64>,
    /// Exchanges that may be open at once.
    pub open: Option<u64>,
    /// Dollars of the budget, such as `2.50`.
    pub money: Option<String>,
    /// Tokens of the budget.
    pub tokens: Option<u64>,
    /// Window of the budget, such as `day`; without one, `day`.
    pub window: Option<String>,
}

/// What a consumer shall be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConsumerWish {
    /// What limits and budgets of several know it by.
    pub role: Option<String>,
    /// Routes it may take.
    pub routes: Vec<String>,
    /// Whether targets inside the house may serve it.
    pub local: bool,
    /// Whether targets outside the house may.
    pub cloud: bool,
    /// Rules that hold for it alone.
    pub own: OwnRules,
}

/// What is to be done with one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConsumerChange {
    /// A new one, with a new key.
    Create {
        /// Its name.
        name: String,
        /// What it shall be.
        wish: ConsumerWish,
    },
    /// Another role, other routes, other rules.
    Change {
        /// Its name.
        name: String,
        /// What it shall be.
        wish: ConsumerWish,
    },
    /// A new key.
    Rotate {
        /// Its name.
        name: String,
        /// How long the old key goes on counting, in milliseconds; 0 ends it now.
        overlap_ms: u64,
    },
    /// Away with it: its key opens nothing any more.
    Revoke {
        /// Its name.
        name: String,
    },
}
