//! What a channel says of a call, and the note of it: genuine or refused, and why.

use crate::book::Logged;
use crate::clock;
use crate::switch::Switch;
use kill_inbound::{Channel, InboundText, Incoming, RawRequest, Refusal, Trust};

/// The text a call brings, if it is genuine and brings one.
pub(crate) fn text(
    switch: &Switch,
    channel: &Channel,
    raw: &RawRequest<'_>,
) -> Result<Option<InboundText>, Refusal> {
    let now = clock::now();
    let incoming = channel.verify(raw, now).inspect_err(|why| {
        // One word for the log; the caller learns nothing but that it was refused.
        if let Logged::Yes { left_out } = switch.book().refused(channel.name(), *why, now) {
            tracing::warn!(channel = channel.name(), %why, left_out, "Webhook refused.");
        }
    })?;
    if let Incoming::Text(text) = &incoming
        && switch.self_calls.end(&text.id)
    {
        return Ok(None);
    }
    switch.book().heard(channel.name(), &incoming, now);
    match incoming {
        Incoming::Text(text) => {
            known_sender(switch, &text);
            Ok(Some(text))
        }
        Incoming::Nothing => Ok(None),
        Incoming::Confirm { url } => {
            tracing::warn!(channel = channel.name(), %url, "Open this link once to confirm the channel.");
            Ok(None)
        }
    }
}

/// Notes a text that did not come by a call.
pub(crate) fn note(switch: &Switch, text: &InboundText) {
    let incoming = Incoming::Text(text.clone());
    switch.book().heard(&text.channel, &incoming, clock::now());
    known_sender(switch, text);
}

/// Where a registered sender can be told things from now on.
fn known_sender(switch: &Switch, text: &InboundText) {
    let Some(sender) = &text.sender else {
        return;
    };
    let registered = switch.core().people().sender(sender).is_some();
    if registered {
        let signed = text.trust != Trust::C;
        switch.book().wrote(&text.channel, sender, signed);
    }
}
