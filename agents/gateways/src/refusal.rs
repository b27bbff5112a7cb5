//! What a client is told where a gateway that is not ours refuses for us: one answer, whatever the gateway.

use crate::Closing;
use kill_wire::{INCIDENT_HEADER, Incident};

/// An answer to put into a gateway's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// Header fields: name, value.
    pub headers: Vec<(&'static str, String)>,
    /// JSON, in one line, in the shape OpenAI's and Anthropic's clients both read.
    pub body: String,
}

/// How a refusal reads while `closing` is in force. It names one incident, or none where everything is only paused.
#[must_use]
pub fn refusal(closing: &Closing) -> Refusal {
    let incident = closing.incident();
    let mut headers = vec![
        ("content-type", "application/json".to_owned()),
        ("retry-after", "30".to_owned()),
    ];
    if let Some(incident) = incident {
        headers.push((INCIDENT_HEADER, incident.get().to_string()));
    }
    Refusal {
        status: 503,
        headers,
        body: body(incident),
    }
}

fn body(incident: Option<Incident>) -> String {
    let mut error = match incident {
        Some(incident) => serde_json::json!({
            "type": "portcullis_cut",
            "code": "cut",
            "message": format!(
                "Cut by the kill switch: incident {incident}. It stays cut until someone restores it."
            ),
        }),
        None => serde_json::json!({
            "type": "portcullis_paused",
            "code": "paused",
            "message": "Closed: no word from the kill switch.",
        }),
    };
    if let Some(fields) = error.as_object_mut() {
        fields.insert("param".to_owned(), serde_json::Value::Null);
        if let Some(incident) = incident {
            fields.insert("incident".to_owned(), incident.get().into());
        }
    }
    serde_json::json!({ "type": "error", "error": error }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(all: Option<Option<Incident>>) -> Refusal {
        refusal(&Closing {
            all,
            ..Closing::default()
        })
    }

    #[test]
    fn a_cut_names_its_incident_in_header_and_body() {
        let seven: Incident = 7.try_into().unwrap();
        let cut = of(Some(Some(seven)));
        assert_eq!(cut.status, 503);
        assert!(cut.headers.contains(&(INCIDENT_HEADER, "7".to_owned())));
        let body: serde_json::Value = serde_json::from_str(&cut.body).unwrap();
        assert_eq!(body["type"], "error");
        assert_eq!(body["error"]["type"], "portcullis_cut");
        assert_eq!(body["error"]["incident"], 7);
        assert_eq!(body["error"]["param"], serde_json::Value::Null);
        assert_eq!(
            body["error"]["message"],
            "Cut by the kill switch: incident #7. It stays cut until someone restores it."
        );
    }

    #[test]
    fn a_pause_names_none() {
        let paused = of(Some(None));
        assert!(
            paused
                .headers
                .iter()
                .all(|(name, _)| *name != INCIDENT_HEADER)
        );
        let body: serde_json::Value = serde_json::from_str(&paused.body).unwrap();
        assert_eq!(body["error"]["code"], "paused");
        assert!(body["error"].get("incident").is_none());
    }
}
