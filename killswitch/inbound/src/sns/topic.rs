//! The one topic that may text us, and the one host that belongs to it.

/// A topic: `arn:aws:sns:REGION:ACCOUNT:NAME`.
pub(super) struct Topic {
    pub(super) arn: String,
    host: String,
}

/// Longest link that is handed on, in bytes.
const MAX_LINK: usize = 1024;

impl Topic {
    pub(super) fn of(arn: &str) -> Option<Self> {
        let mut parts = arn.split(':');
        let head = (parts.next()?, parts.next()?, parts.next()?);
        let (region, account, name) = (parts.next()?, parts.next()?, parts.next()?);
        let end = match head {
            ("arn", "aws" | "aws-us-gov", "sns") => "",
            ("arn", "aws-cn", "sns") => ".cn",
            _ => return None,
        };
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let named = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        let region_ok = (1..=32).contains(&region.len()) && region.bytes().all(plain);
        let account_ok = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
        let name_ok = (1..=256).contains(&name.len()) && name.bytes().all(named);
        (region_ok && account_ok && name_ok && parts.next().is_none()).then(|| Self {
            arn: arn.to_owned(),
            host: format!("sns.{region}.amazonaws.com{end}"),
        })
    }

    /// Whether this is the address of a certificate at the topic's own host.
    pub(super) fn holds_certificate(&self, url: &str) -> bool {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        let name = self
            .path(url)
            .and_then(|path| path.strip_prefix('/')?.strip_suffix(".pem"));
        name.is_some_and(|name| (1..=128).contains(&name.len()) && name.bytes().all(plain))
    }

    /// Whether this is a link that confirms a subscription at the topic's own host.
    pub(super) fn confirms_at(&self, url: &str) -> bool {
        let plain =
            |b: u8| b.is_ascii_graphic() && !matches!(b, b'"' | b'\'' | b'<' | b'>' | b'\\');
        let asks = self
            .path(url)
            .is_some_and(|path| path.starts_with("/?Action=ConfirmSubscription&"));
        asks && url.len() <= MAX_LINK && url.bytes().all(plain)
    }

    /// What stands after the topic's host, from its first slash. Nothing may stand between: no name, no port.
    fn path<'a>(&self, url: &'a str) -> Option<&'a str> {
        let rest = url.strip_prefix("https://")?;
        let path = rest.strip_prefix(self.host.as_str())?;
        path.starts_with('/').then_some(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:sns:eu-west-1:123456789012:texts";

    #[test]
    fn a_topic_is_read_whole_or_not_at_all() {
        for (arn, host) in [
            (ARN, "sns.eu-west-1.amazonaws.com"),
            (
                "arn:aws-us-gov:sns:us-gov-west-1:123456789012:a",
                "sns.us-gov-west-1.amazonaws.com",
            ),
            (
                "arn:aws-cn:sns:cn-north-1:123456789012:a.fifo",
                "sns.cn-north-1.amazonaws.com.cn",
            ),
        ] {
            assert_eq!(Topic::of(arn).unwrap().host, host);
        }
        for arn in [
            "",
            "texts",
            "arn:aws:sqs:eu-west-1:123456789012:texts",
            "arn:evil:sns:eu-west-1:123456789012:texts",
            "arn:aws:sns:eu.west.1:123456789012:texts",
            "arn:aws:sns:evil.example/:123456789012:texts",
            "arn:aws:sns::123456789012:texts",
            "arn:aws:sns:eu-west-1:12345678901:texts",
            "arn:aws:sns:eu-west-1:123456789012:",
            "arn:aws:sns:eu-west-1:123456789012:texts:9f86d081",
        ] {
            assert!(Topic::of(arn).is_none(), "{arn}");
        }
    }

    #[test]
    fn a_link_to_confirm_leads_to_the_topics_host_only() {
        let topic = Topic::of(ARN).unwrap();
        let host = "https://sns.eu-west-1.amazonaws.com";
        assert!(topic.confirms_at(&format!(
            "{host}/?Action=ConfirmSubscription&TopicArn={ARN}&Token=2336"
        )));
        for url in [
            format!("{host}/?Action=Unsubscribe&SubscriptionArn={ARN}"),
            format!("{host}:443/?Action=ConfirmSubscription&Token=1"),
            format!("{host}.evil.example/?Action=ConfirmSubscription&Token=1"),
            format!("{host}@evil.example/?Action=ConfirmSubscription&Token=1"),
            format!("http://{}/?Action=ConfirmSubscription&Token=1", topic.host),
            format!("{host}/?Action=ConfirmSubscription&Token=1\nx"),
            format!("{host}/?Action=ConfirmSubscription&Token=<script>"),
            format!(
                "{host}/?Action=ConfirmSubscription&Token={}",
                "1".repeat(1024)
            ),
        ] {
            assert!(!topic.confirms_at(&url), "{url}");
        }
    }
}
