//! How a reply reaches its provider. One file each; none of them tries again by itself, `queue.rs` does.
//!
//! To add one: a file in `replies/` with a type that has `KIND`, `new` (`Ok(None)` when the configuration names no way to
//! reply) and `send`; its line below; its settings in `settings.rs`.

pub(crate) mod queue;
mod telegram;

use crate::settings::ChannelSettings;
use crate::web::Web;
use std::time::Duration;

/// One text to somebody.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Letter {
    /// Its number: the same when it is sent again.
    pub(crate) number: u64,
    /// To whom: the sender of the text it answers.
    pub(crate) to: String,
    /// One GSM-7 segment.
    pub(crate) text: String,
}

/// Shows neither the text nor the number.
impl std::fmt::Debug for Letter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Letter({})", self.number)
    }
}

/// Why one attempt failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// For people; no secret, number or text in it.
    pub(crate) why: String,
    /// Whether another attempt may help.
    pub(crate) again: Again,
}

/// Whether another attempt may help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    /// The provider refused this one for good.
    Never,
    /// The provider will refuse every one until someone mends the channel.
    Broken,
    /// Later.
    Later,
    /// Not before the time the provider named.
    After(Duration),
}

impl Failure {
    /// It may help to try again.
    pub(crate) fn later(why: impl Into<String>) -> Self {
        let why = why.into();
        let again = Again::Later;
        Self { why, again }
    }

    /// It will not help to try again.
    pub(crate) fn never(why: impl Into<String>) -> Self {
        let why = why.into();
        let again = Again::Never;
        Self { why, again }
    }
}

macro_rules! ways {
    ($($module:ident => $kind:ident),+ $(,)?) => {
        /// How one channel's replies go out.
        pub(crate) enum Way { $($kind($module::$kind)),+ }

        impl Way {
            /// The way these settings ask for, or what is wrong with them.
            pub(crate) fn of(channel: &ChannelSettings) -> Result<Option<Self>, String> {
                $(if channel.kind == $module::$kind::KIND {
                    return $module::$kind::new(channel).map(|made| made.map(Self::$kind));
                })+
                Ok(None)
            }

            /// Tries once.
            pub(crate) async fn send(&self, web: &Web, letter: &Letter) -> Result<(), Failure> {
                match self { $(Self::$kind(way) => way.send(web, letter).await),+ }
            }
        }
    };
}

ways! {
    telegram => Telegram,
}
