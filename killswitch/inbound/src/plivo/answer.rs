//! Plivo's XML: what makes it text back, or not. It wants to be told from which number and to which.

use super::{Plivo, config};
use crate::refusal::Answer;
use crate::xml::escaped;

impl Plivo {
    /// The answer that sends nothing.
    pub(crate) fn answer(_reply: Option<&str>) -> Answer {
        response("")
    }

    /// The answer that sends `reply` to whom it came from, where both numbers are known.
    pub(crate) fn answer_to(&self, reply: Option<&str>, to: Option<&str>) -> Answer {
        let to = to.and_then(|to| config::digits(to).ok());
        let (Some(reply), Some(from), Some(to)) = (reply, &self.number, to) else {
            return Self::answer(None);
        };
        let text = escaped(reply);
        response(&format!(
            r#"<Message src="{from}" dst="{to}">{text}</Message>"#
        ))
    }
}

fn response(message: &str) -> Answer {
    Answer {
        status: 200,
        content_type: "text/xml; charset=utf-8",
        body: format!("<Response>{message}</Response>"),
    }
}
