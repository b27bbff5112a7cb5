//! The buffer written anew: without what is done with, and thinned when it would be too large all the same.

mod carry;

use super::{Buffer, locked};
use carry::{Carrier, live};
use host_core::buffer::{HEADER_BYTES, Header};
use net_model::report::MAX_REPORT_BYTES;
use std::fs::{File, OpenOptions};
use std::io::{self, Seek as _, SeekFrom};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};

/// What no frame needs any more may take so much before the file is written anew.
const DEAD_BYTES: u64 = 256 * 1024;

/// Room for what comes before the file is looked at again.
const fn head_room(buffer: &Buffer) -> u64 {
    buffer.max_bytes / 8 + 2 * MAX_REPORT_BYTES as u64
}

pub(super) fn is_due(buffer: &Buffer) -> bool {
    let live = live(&buffer.frames);
    let dead = buffer.end - HEADER_BYTES - live.min(buffer.end - HEADER_BYTES);
    // A batch is written beside the reports it is made of: there must be room for both.
    dead > DEAD_BYTES.min(buffer.max_bytes / 4)
        || buffer.end + 2 * MAX_REPORT_BYTES as u64 > buffer.max_bytes
}

/// Writes what is still wanted into a new file and puts it in the place of the old one. Where thinning everything is
/// not enough, it does so again to throw the oldest away: how small batches become is known when they are written.
pub(super) fn rewrite(buffer: &mut Buffer) -> io::Result<()> {
    let most = buffer.max_bytes - head_room(buffer) - HEADER_BYTES;
    loop {
        replace(buffer, most)?;
        // Each turn leaves no batch whole or throws one frame at least away.
        if live(&buffer.frames) <= most || buffer.frames.len() <= 1 {
            return Ok(());
        }
    }
}

fn replace(buffer: &mut Buffer, most: u64) -> io::Result<()> {
    let mut name = buffer.path.clone().into_os_string();
    name.push(".new");
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&name)?;
    locked(&file)?;
    let header = Header {
        written: buffer.header.written.saturating_add(1),
        next: buffer.next_seq(),
        ..buffer.header
    };
    let written = write_all(buffer, &file, header, most).and_then(|new| {
        std::fs::rename(&name, &buffer.path)?;
        Ok(new)
    });
    let (frames, end) = match written {
        Ok(new) => new,
        Err(error) => {
            // Best effort: it is overwritten by the next attempt.
            drop(std::fs::remove_file(&name));
            return Err(error);
        }
    };
    (buffer.file, buffer.frames, buffer.end, buffer.header) = (file, frames, end, header);
    buffer.unsure = false;
    kill_files::sync_folder(&buffer.path)
}

fn write_all(
    buffer: &Buffer,
    mut file: &File,
    header: Header,
    most: u64,
) -> io::Result<carry::Carried> {
    file.write_all_at(&[0; 1024], 0)?;
    file.write_all_at(&header.slot(), header.offset())?;
    file.seek(SeekFrom::Start(HEADER_BYTES))?;
    let carried = Carrier::new(&buffer.file, file, &header).carry(&buffer.frames, most)?;
    file.sync_all()?;
    Ok(carried)
}
