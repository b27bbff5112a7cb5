//! Follows the mesh service: one JSON line for each change.

use super::LocalError;
use super::call::{self, Wire};
use http_body_util::BodyExt as _;
use hyper::body::{Bytes, Incoming};
use std::path::Path;

/// Peers that change (1 << 12) and parts of them (1 << 15) as they come, without the map of the network (1 << 13).
const QUESTION: &str = "watch-ipn-bus?mask=45056";
/// Longest line that is passed over, in bytes. One that is longer ends the stream.
const MAX_LINE: usize = 8 * 1024 * 1024;

/// A stream of changes. What a change says is not kept: that there was one is a reason to ask again.
#[derive(Debug)]
pub struct Bus {
    body: Incoming,
    wire: Option<Wire>,
    lines: Lines,
}

/// Counts the lines of a stream without keeping them.
#[derive(Debug, Default)]
struct Lines {
    open: usize,
}

impl Bus {
    pub(super) async fn open(socket: &Path) -> Result<Self, LocalError> {
        let (answer, wire) = call::begin(socket, QUESTION).await?;
        Ok(Self {
            body: answer.into_body(),
            wire: Some(wire),
            lines: Lines::default(),
        })
    }

    /// Waits for the next change; how many there were at once. `None` when the service has gone.
    ///
    /// # Errors
    /// The stream broke off, or holds a line without an end.
    pub async fn changed(&mut self) -> Result<Option<usize>, LocalError> {
        loop {
            let Some(piece) = self.piece().await? else {
                return Ok(None);
            };
            match self.lines.take(&piece) {
                Some(0) => {}
                Some(lines) => return Ok(Some(lines)),
                None => return Err(LocalError::TooLong),
            }
        }
    }

    async fn piece(&mut self) -> Result<Option<Bytes>, LocalError> {
        loop {
            let frame = match &mut self.wire {
                None => self.body.frame().await,
                Some(wire) => tokio::select! {
                    biased;
                    frame = self.body.frame() => frame,
                    _ = wire => {
                        // What was read before the connection ended is still to be had.
                        self.wire = None;
                        continue;
                    }
                },
            };
            match frame {
                None => return Ok(None),
                Some(Err(why)) => return Err(LocalError::Broken(why)),
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        return Ok(Some(data));
                    }
                }
            }
        }
    }
}

impl Lines {
    /// How many lines end in this piece; `None` when one is too long.
    fn take(&mut self, piece: &[u8]) -> Option<usize> {
        let mut lines = 0;
        for part in piece.split_inclusive(|byte| *byte == b'\n') {
            self.open += part.len();
            if self.open > MAX_LINE {
                return None;
            }
            if part.ends_with(b"\n") {
                lines += usize::from(self.open > 1);
                self.open = 0;
            }
        }
        Some(lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_however_they_are_cut_and_an_endless_one_is_refused() {
        let text = b"{\"a\":1}\n\n{\"b\":2}\n{";
        for size in 1..text.len() {
            let mut lines = Lines::default();
            let all: usize = text.chunks(size).map(|it| lines.take(it).unwrap()).sum();
            assert_eq!(all, 2, "{size}");
        }
        let mut lines = Lines::default();
        let piece = vec![b'x'; MAX_LINE / 2];
        assert_eq!(lines.take(&piece), Some(0));
        assert_eq!(lines.take(&piece), Some(0));
        assert_eq!(lines.take(b"x"), None);
    }
}
