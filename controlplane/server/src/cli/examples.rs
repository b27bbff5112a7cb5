//! Examples at the end of every `--help`.

pub(crate) const ALL: &str = "\
Examples:
  portcullis up                      run everything here; shows how to try a cut
  portcullis status                  what is cut and what is open
  portcullis cut LLM --why 'runaway' stop every model call now
  portcullis restore LLM             open it again; asks for a RESTORE code

Exit status: 0 done, 1 refused or failed, 2 usage, 64 bad configuration.";

pub(crate) const UP: &str = "\
Examples:
  portcullis up
  portcullis up --data ~/portcullis --config portcullis.toml
  portcullis up --json | jq .gateway

Uses Ollama at 127.0.0.1:11434 if it answers, else a built-in demo model.
SIGHUP reads the configuration again; a cut is not touched. Ctrl-C drains for up to 10 s, a second one ends at once.";

pub(crate) const SERVE: &str = "\
Examples:
  portcullis serve --init --data /var/lib/portcullis --config /etc/portcullis.toml
  portcullis serve killswitch courier   the kill switch alone, and the courier for its replies
  portcullis serve gateway agent     a gateway host";

pub(crate) const STATUS: &str = "\
Examples:
  portcullis status
  portcullis status --json | jq '.killswitch.latches'

Exit status 0 also when something is cut; 1 when the kill switch cannot be asked.";

pub(crate) const CUT: &str = "\
Examples:
  portcullis cut ALL
  portcullis cut LLM --why 'agent runs in circles'
  portcullis cut openclaw            one consumer or one route

Works over a unix socket, also when dashboard and network are dead.";

pub(crate) const INIT: &str = "\
Examples:
  sudo portcullis init --data /var/lib/portcullis
  sudo chown -R portcullis-kill: /var/lib/portcullis/killswitch

What is there is never made anew. The keys of the first person: portcullis codes qr owner";

pub(crate) const DRILL: &str = "\
Examples:
  portcullis drill
  portcullis drill --json | jq .failed

Tries channels, agents and probes. It cannot cut. Exit status 1 when something did not hold.";

pub(crate) const CHECK_IN: &str = "\
Examples:
  portcullis check-in

From a phone: text OK and a code of the check-in key.";

pub(crate) const CHANNELS: &str = "\
Examples:
  portcullis channels
  portcullis channels --json | jq '.channels[] | select(.problem)'";

pub(crate) const RESTORE: &str = "\
Examples:
  portcullis restore LLM                        asks for the code without showing it
  portcullis restore ALL --code-file code.txt
  portcullis codes now --restore --next | portcullis restore ALL

Where two people must agree, the first is told until when the second may come, and the exit status is 1.
A code is never taken as an argument: other users could read it in the process list.";

pub(crate) const TEXT: &str = "\
Examples:
  portcullis text STATUS
  portcullis text \"KILL LLM 1234 5678\"
  portcullis text \"KILL $(portcullis codes now --kill)\"
  portcullis text --to http://10.0.1.2:7411/v1/inbound/local \"STATUS\"";

pub(crate) const CODES: &str = "\
Examples:
  portcullis codes now               every person's current codes
  portcullis codes now --kill        only the first person's KILL code, for a script
  portcullis codes add ada           a new person; shows QR codes and checks the app
  portcullis codes cards ada --count 20 --out cards.html
  portcullis codes revoke ada";

pub(crate) const INCIDENTS: &str = "\
Examples:
  portcullis incidents
  portcullis incidents --limit 100 --json";

pub(crate) const JOURNAL: &str = "\
Examples:
  portcullis journal verify
  portcullis journal verify --data /var/lib/portcullis --json";

pub(crate) const CONFIG: &str = "\
Examples:
  portcullis config check
  portcullis config check --config /etc/portcullis.toml --json
  portcullis config check --drivers
  portcullis --url https://house.lan --token-file admin.token config check
  portcullis config reload --json | jq '.mistakes[] | {file, line, field, fix}'

A running house takes a changed file over by itself, and at SIGHUP. What counts only from the next start is named.
With --url the house there looks at its own file; it needs an admin's token.";

pub(crate) const SIGN_IN: &str = "\
Examples:
  portcullis sign-in
  xdg-open \"$(portcullis sign-in)\"";

pub(crate) const SPEND: &str = "\
Examples:
  portcullis spend                        the last 24 hours, by consumer
  portcullis spend --since 30d --by model
  portcullis spend --by day --json | jq '.total.cost'

Amounts in JSON are whole millionths of a dollar. What has no known price is counted apart, never as nothing.";
