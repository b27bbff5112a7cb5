//! gammu-smsd: a file in the folder it sends from.

use crate::channel::ChannelSettings;
use crate::gammu::{KIND, outbox};
use crate::letter::{Failure, Letter};
use crate::web::Web;
use std::path::PathBuf;

pub(crate) struct Gammu {
    folder: PathBuf,
}

impl Gammu {
    pub(crate) const KIND: &str = KIND;

    pub(crate) fn new(channel: &ChannelSettings) -> Result<Option<Self>, String> {
        let folder = channel.get("outbox").map(PathBuf::from);
        Ok(folder.map(|folder| Self { folder }))
    }

    pub(crate) async fn send(&self, _web: &Web, letter: &Letter) -> Result<(), Failure> {
        let (folder, letter) = (self.folder.clone(), letter.clone());
        let put = move || outbox::put(&folder, letter.number, &letter.to, &letter.text);
        match tokio::task::spawn_blocking(put).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(outbox::Unsendable::NoNumber)) => {
                Err(Failure::never("its sender is no number one can answer"))
            }
            Ok(Err(outbox::Unsendable::Folder(why))) => {
                Err(Failure::later(format!("outbox folder: {why}")))
            }
            Err(_) => Err(Failure::later("writing it into the outbox folder failed")),
        }
    }
}
