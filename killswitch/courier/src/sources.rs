//! Where texts are fetched. One file each.
//!
//! To add one: a file with a type that has `KIND`, `new` (what is wrong with its settings, for people; `Ok(None)` when
//! the configuration asks for nothing to fetch) and `run` (until [`Context::stop`]); its line below; its settings in
//! `settings.rs`; and, where it can answer, a way in `replies.rs`.

use crate::channel::ChannelSettings;
use crate::context::Context;

macro_rules! sources {
    ($($(#[$only:meta])? $module:ident => $kind:ident),+ $(,)?) => {
        $($(#[$only])? use crate::$module::$kind;)+

        /// Where one channel's texts are fetched.
        pub(crate) enum Source { $($(#[$only])? $kind($kind)),+ }

        impl Source {
            /// The source these settings ask for, or what is wrong with them.
            pub(crate) fn of(channel: &ChannelSettings) -> Result<Option<Self>, String> {
                $($(#[$only])? if channel.kind == $kind::KIND {
                    return $kind::new(channel).map(|made| made.map(Self::$kind));
                })+
                Ok(None)
            }

            /// Fetches until shutdown.
            pub(crate) async fn run(&self, context: &Context) {
                match self { $($(#[$only])? Self::$kind(source) => source.run(context).await),+ }
            }
        }
    };
}

sources! {
    telegram => Telegram,
    ntfy => Ntfy,
    sqs => Sqs,
    gammu => Gammu,
    #[cfg(feature = "modem-manager")] modem_manager => ModemManager,
    #[cfg(feature = "mqtt")] mqtt => Mqtt,
}
