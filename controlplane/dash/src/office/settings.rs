//! What is said of the configuration.

use net_model::Mistake;
use serde::Serialize;

/// The configuration as it stands.
#[derive(Clone, Debug, Default, Serialize)]
pub struct SettingsView {
    /// The file, where there is one.
    pub file: Option<String>,
    /// The data folder.
    pub data: String,
    /// Every value, by its key.
    pub fields: Vec<Field>,
    /// The file's text; secrets stand in files of their own.
    #[serde(skip)]
    pub text: String,
    /// Identifies this text.
    pub version: String,
    /// What works but should be looked at.
    pub warnings: Vec<Mistake>,
}

/// One value.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Field {
    /// Such as `gateway.targets[0].class`.
    pub key: String,
    /// As people read it; of a secret only where it lies.
    pub value: String,
    /// A file and its line, `default`, `environment` or `data folder`.
    pub source: String,
}

/// What a text would change.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Edit {
    /// Everything that is wrong; with any, it is not applied.
    pub mistakes: Vec<Mistake>,
    /// What works but should be looked at.
    pub warnings: Vec<Mistake>,
    /// Key, value of before, value of after; a dash where there is none.
    pub changes: Vec<(String, String, String)>,
    /// Fields that count only from the next start.
    pub needs_restart: Vec<String>,
}
