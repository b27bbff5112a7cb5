//! Telegram: `sendMessage` to the chat the text came from.

use crate::channel::ChannelSettings;
use crate::letter::{Again, Failure, Letter};
use crate::telegram::{Bot, KIND, wait};
use crate::web::{CALL_LIMIT, Web};

pub(crate) struct Telegram {
    bot: Bot,
}

impl Telegram {
    pub(crate) const KIND: &str = KIND;

    pub(crate) fn new(channel: &ChannelSettings) -> Result<Option<Self>, String> {
        let bot = Bot::new(channel)?;
        Ok(Some(Self { bot }))
    }

    pub(crate) async fn send(&self, web: &Web, letter: &Letter) -> Result<(), Failure> {
        let chat: i64 = letter
            .to
            .parse()
            .map_err(|_| Failure::never("its sender is no chat"))?;
        let body = serde_json::json!({ "chat_id": chat, "text": letter.text });
        let request = self.bot.request("sendMessage", &body);
        let request = request.map_err(Failure::never)?;
        let answer = web.call(request, CALL_LIMIT).await;
        let answer = answer.map_err(Failure::later)?;
        if answer.status.is_success() {
            return Ok(());
        }
        let mut failure = answer.failure();
        if let (Again::Later, Some(wait)) = (failure.again, wait(&answer)) {
            failure.again = Again::After(wait);
        }
        Err(failure)
    }
}
