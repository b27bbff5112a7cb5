//! TwiML: what makes Twilio text back, or not.

use super::Twilio;
use crate::refusal::Answer;
use crate::xml::escaped;

impl Twilio {
    pub(crate) fn answer(reply: Option<&str>) -> Answer {
        let body = reply.map_or_else(
            || "<Response/>".to_owned(),
            |text| format!("<Response><Message>{}</Message></Response>", escaped(text)),
        );
        Answer {
            status: 200,
            content_type: "text/xml; charset=utf-8",
            body,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_cannot_break_out_of_the_answer() {
        assert_eq!(
            Twilio::answer(Some("a</Message><Redirect>&")).body,
            "<Response><Message>a&lt;/Message&gt;&lt;Redirect&gt;&amp;</Message></Response>"
        );
        assert_eq!(Twilio::answer(None).body, "<Response/>");
    }
}
