//! The forms, as a browser sends them: texts, read into what is asked for.

use crate::office::{ConsumerChange, ConsumerWish, OwnRules};
use serde::Deserialize;

/// What a consumer shall be.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wish {
    role: String,
    routes: String,
    local: String,
    cloud: String,
    requests_per_minute: String,
    tokens_per_minute: String,
    open: String,
    money: String,
    tokens: String,
    window: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Create {
    pub(super) name: String,
    #[serde(flatten)]
    pub(super) wish: Wish,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Edit {
    r#do: String,
    hours: String,
    confirm: String,
    #[serde(flatten)]
    wish: Wish,
}

fn number(text: &str, what: &str) -> Result<Option<u64>, String> {
    let bare: String = text
        .chars()
        .filter(|c| !matches!(c, ' ' | ',' | '_'))
        .collect();
    if bare.is_empty() {
        return Ok(None);
    }
    let number = bare.parse::<u64>().ok().filter(|number| *number > 0);
    number
        .map(Some)
        .ok_or_else(|| format!("{what}: write a whole number from 1, or leave it empty."))
}

fn text(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

impl Wish {
    pub(super) fn read(&self) -> Result<ConsumerWish, String> {
        let routes = self.routes.split([',', ' ']).filter_map(text);
        Ok(ConsumerWish {
            role: text(&self.role),
            routes: routes.collect(),
            local: !self.local.is_empty(),
            cloud: !self.cloud.is_empty(),
            own: OwnRules {
                requests_per_minute: number(&self.requests_per_minute, "Requests a minute")?,
                tokens_per_minute: number(&self.tokens_per_minute, "Tokens a minute")?,
                open: number(&self.open, "Open at once")?,
                money: text(&self.money),
                tokens: number(&self.tokens, "Tokens of the budget")?,
                window: text(&self.window),
            },
        })
    }
}

impl Edit {
    /// What is asked for, and what is said when it is done.
    pub(super) fn read(&self, name: &str) -> Result<(ConsumerChange, String), String> {
        let name = name.to_owned();
        match self.r#do.as_str() {
            "change" => {
                let said = format!("`{name}` is changed");
                let wish = self.wish.read()?;
                Ok((ConsumerChange::Change { name, wish }, said))
            }
            "rotate" => {
                let hours = if self.hours.trim() == "0" {
                    None
                } else {
                    number(&self.hours, "Hours")?
                };
                let overlap_ms = hours.unwrap_or(0).saturating_mul(3_600_000);
                let said = match hours {
                    None => format!("`{name}` has a new key; the old one is no key any more"),
                    Some(hours) => {
                        format!("`{name}` has a new key; the old one counts for {hours} h more")
                    }
                };
                Ok((ConsumerChange::Rotate { name, overlap_ms }, said))
            }
            "revoke" if self.confirm.trim() != name => {
                Err(format!("To confirm, type the name: {name}."))
            }
            "revoke" => {
                let said = format!("`{name}` may not ask any more");
                Ok((ConsumerChange::Revoke { name }, said))
            }
            _ => Err("It is not clear what is to be done.".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_empty_is_no_limit_and_what_is_no_number_is_named() {
        let mut wish = Wish {
            routes: "chat, code".to_owned(),
            local: "on".to_owned(),
            tokens_per_minute: "10,000".to_owned(),
            ..Wish::default()
        };
        let read = wish.read().unwrap();
        assert_eq!(read.routes, ["chat", "code"]);
        assert!(read.local && !read.cloud && read.own.open.is_none());
        assert_eq!(read.own.tokens_per_minute, Some(10_000));
        wish.open = "many".to_owned();
        assert!(wish.read().unwrap_err().starts_with("Open at once"));
    }

    #[test]
    fn nobody_is_revoked_by_a_slip() {
        let mut edit = Edit {
            r#do: "revoke".to_owned(),
            confirm: "adda".to_owned(),
            ..Edit::default()
        };
        assert!(edit.read("ada").is_err());
        edit.confirm = "ada".to_owned();
        assert!(matches!(
            edit.read("ada"),
            Ok((ConsumerChange::Revoke { .. }, _))
        ));
    }
}
