//! What is known of every channel: when it was heard, what was refused, how its provider is, who writes by it.

use kill_inbound::{Incoming, Refusal};
use kill_wire::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Refusals logged a minute, all channels together; the rest are counted.
const LOGGED_A_MINUTE: u32 = 5;

/// All channels by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Book {
    pages: BTreeMap<String, Page>,
    #[serde(skip)]
    minute: u64,
    #[serde(skip)]
    logged: u32,
    #[serde(skip)]
    left_out: u64,
}

/// One channel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Page {
    /// When a message of it was last accepted as genuine.
    pub(crate) heard: Option<Timestamp>,
    /// When a drill last came by it.
    pub(crate) drilled: Option<Timestamp>,
    /// The registered senders who wrote by it. Others are not kept.
    #[serde(default)]
    senders: Vec<String>,
    /// What the courier says is wrong with its provider.
    #[serde(skip)]
    provider: Option<String>,
    /// Where the owner must go once to make the provider send.
    #[serde(skip)]
    confirm: Option<String>,
    /// Why the newest reply could not be sent.
    #[serde(skip)]
    unsent: Option<String>,
    /// When a call of our own last came through, and why the newest did not.
    #[serde(skip)]
    pub(crate) own: Option<Timestamp>,
    #[serde(skip)]
    own_failed: Option<String>,
    /// Calls whose signature does not fit, since the last good one.
    #[serde(skip)]
    forged: u64,
}

/// Whether a refusal goes into the log, and how many were left out before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Logged {
    No,
    Yes { left_out: u64 },
}

impl Book {
    fn page(&mut self, channel: &str) -> &mut Page {
        self.pages.entry(channel.to_owned()).or_default()
    }

    pub(crate) fn of(&self, channel: &str) -> Page {
        self.pages.get(channel).cloned().unwrap_or_default()
    }

    /// A signed call came; its signature holds.
    pub(crate) fn heard(&mut self, channel: &str, incoming: &Incoming, now: Timestamp) {
        let page = self.page(channel);
        page.forged = 0;
        match incoming {
            Incoming::Text(_) => {
                page.heard = Some(now);
                page.confirm = None;
            }
            Incoming::Nothing => {}
            Incoming::Confirm { url } => page.confirm = Some(url.clone()),
        }
    }

    /// A drill came by it.
    pub(crate) fn drilled(&mut self, channel: &str, now: Timestamp) {
        self.page(channel).drilled = Some(now);
    }

    /// A signed call of our own came through, or did not.
    pub(crate) fn self_called(&mut self, channel: &str, problem: Option<String>, now: Timestamp) {
        let page = self.page(channel);
        if problem.is_none() {
            page.own = Some(now);
        }
        page.own_failed = problem;
    }

    /// A call was refused. A flood of them is counted, not logged.
    pub(crate) fn refused(&mut self, channel: &str, why: Refusal, now: Timestamp) -> Logged {
        if matches!(
            why,
            Refusal::Signature | Refusal::Address | Refusal::Certificate
        ) {
            let page = self.page(channel);
            page.forged = page.forged.saturating_add(1);
        }
        let minute = now.secs() / 60;
        if self.minute != minute {
            self.minute = minute;
            self.logged = 0;
        }
        if self.logged >= LOGGED_A_MINUTE {
            self.left_out = self.left_out.saturating_add(1);
            return Logged::No;
        }
        self.logged += 1;
        Logged::Yes {
            left_out: std::mem::take(&mut self.left_out),
        }
    }

    /// The courier says how a channel is; gives whether that changed.
    pub(crate) fn provider(&mut self, channel: &str, problem: Option<String>) -> bool {
        let page = self.page(channel);
        let changed = page.provider != problem;
        page.provider = problem;
        changed
    }

    /// A reply was sent by it, or not.
    pub(crate) fn sent(&mut self, channel: &str, problem: Option<String>) {
        self.page(channel).unsent = problem;
    }

    /// A registered sender wrote by it: there they can be told. Where the body is not signed anybody can write in their
    /// name, so such a channel takes the place of no other.
    pub(crate) fn wrote(&mut self, channel: &str, sender: &str, signed: bool) {
        if !signed && self.ways().any(|(_, known)| known == sender) {
            return;
        }
        for (name, page) in &mut self.pages {
            if name != channel {
                page.senders.retain(|known| known != sender);
            }
        }
        let page = self.page(channel);
        if !page.senders.iter().any(|known| known == sender) {
            page.senders.push(sender.to_owned());
        }
    }

    /// The registered senders who wrote, each with the channel by which they last did.
    pub(crate) fn ways(&self) -> impl Iterator<Item = (&str, &str)> {
        let pages = self.pages.iter();
        pages.flat_map(|(channel, page)| {
            let senders = page.senders.iter();
            senders.map(move |sender| (channel.as_str(), sender.as_str()))
        })
    }

    /// Forgets senders who are no longer registered.
    pub(crate) fn keep_only(&mut self, registered: impl Fn(&str) -> bool) {
        for page in self.pages.values_mut() {
            page.senders.retain(|sender| registered(sender));
        }
    }
}

impl Page {
    /// What is wrong with it, in words.
    pub(crate) fn problem(&self) -> Option<String> {
        let mut all = Vec::new();
        all.extend(
            self.confirm
                .as_ref()
                .map(|url| format!("open this link once to confirm it: {url}")),
        );
        all.extend(self.provider.clone());
        if self.forged > 0 {
            let ask = if self.heard.is_some() {
                "was its secret changed at the provider, or the address at the proxy?"
            } else {
                "none was ever good: check its secret and its public_url"
            };
            let calls = if self.forged == 1 { "call" } else { "calls" };
            all.push(format!(
                "{} {calls} with a wrong signature since the last good one: {ask}",
                self.forged
            ));
        }
        let own = self.own_failed.as_ref();
        all.extend(own.map(|why| format!("our own signed call did not come through: {why}")));
        let unsent = self.unsent.as_ref();
        all.extend(unsent.map(|why| format!("a reply could not be sent: {why}")));
        (!all.is_empty()).then(|| all.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kill_inbound::{InboundText, Trust};

    fn text() -> Incoming {
        Incoming::Text(InboundText::new("sms", "1", None, "hello", Trust::A))
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    #[test]
    fn the_first_bad_signature_after_good_ones_is_a_problem_until_the_next_good_one() {
        let mut book = Book::default();
        book.heard("sms", &text(), at(1));
        assert_eq!(book.of("sms").problem(), None);
        book.refused("sms", Refusal::Signature, at(2));
        let problem = book.of("sms").problem().unwrap();
        assert!(problem.contains("changed at the provider"), "{problem}");
        book.heard("sms", &Incoming::Nothing, at(3));
        assert_eq!(book.of("sms").problem(), None);
    }

    #[test]
    fn calls_without_any_signature_are_no_problem_of_the_channel() {
        let mut book = Book::default();
        book.refused("sms", Refusal::Header, at(2));
        assert_eq!(book.of("sms").problem(), None);
    }

    #[test]
    fn a_flood_of_refusals_is_logged_a_few_times_a_minute_and_counted() {
        let mut book = Book::default();
        let mut all = (0..1_000).map(|_| book.refused("sms", Refusal::Signature, at(60)));
        let written = all.by_ref().filter(|logged| *logged != Logged::No).count();
        assert_eq!(written, LOGGED_A_MINUTE as usize);
        assert_eq!(
            book.refused("sms", Refusal::Signature, at(120)),
            Logged::Yes { left_out: 995 }
        );
    }

    #[test]
    fn a_link_to_confirm_is_shown_until_the_first_text() {
        let mut book = Book::default();
        let url = "https://sns.eu-north-1.amazonaws.com/?Token=1".to_owned();
        book.heard("sns", &Incoming::Confirm { url: url.clone() }, at(1));
        assert!(book.of("sns").problem().unwrap().contains(&url));
        book.heard("sns", &text(), at(2));
        assert_eq!(book.of("sns").problem(), None);
    }

    #[test]
    fn a_sender_is_told_by_the_channel_they_last_wrote_by() {
        let mut book = Book::default();
        book.wrote("sms", "+47", true);
        book.wrote("telegram", "+47", true);
        book.wrote("ntfy", "+47", false);
        assert!(book.ways().eq([("telegram", "+47")]));
        book.keep_only(|_| false);
        assert_eq!(book.ways().count(), 0);
    }
}
