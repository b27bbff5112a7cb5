//! Examples at the end of every `--help` below `portcullis codes`.

pub(crate) const NOW: &str = "\
Examples:
  portcullis codes now
  portcullis codes now --kill --person ada
  portcullis codes now --restore --next   right after a kill
  portcullis codes now --json

Each code works once. A RESTORE code must be newer than the code of the last KILL.";

pub(crate) const LIST: &str = "\
Examples:
  portcullis codes list
  portcullis codes list --json";

pub(crate) const ADD: &str = "\
Examples:
  portcullis codes add ada
  portcullis codes add ada --sender +4915112345678
  portcullis codes add ada --check-in      also a key for OK, DRILL and STATUS; also for somebody who is there
  portcullis codes add ada --no-check      for scripts: do not ask for a code of the app";

pub(crate) const QR: &str = "\
Examples:
  portcullis codes qr ada            show both keys again, for a new phone";

pub(crate) const CARDS: &str = "\
Examples:
  portcullis codes cards ada --count 20 --out cards.html   then print, cut, fold
  portcullis codes cards ada --digits --out cards.html     20 digits a code, for a phone with number keys";

pub(crate) const UNLOCK: &str = "\
Examples:
  portcullis codes unlock            then restore with a good code";

pub(crate) const REVOKE: &str = "\
Examples:
  portcullis codes revoke ada            keys and cards
  portcullis codes revoke ada --cards    only the printed cards";
