//! Examples at the end of every `--help` of `portcullis hosts`.

pub(crate) const HOSTS: &str = "\
Examples:
  portcullis hosts invite gpu1 --zone inference --role inference
  portcullis hosts invite claw1 --zone red --role red-zone --dial in --at 192.0.2.66:7415
  portcullis hosts list
  portcullis hosts revoke claw1";

pub(crate) const INVITE: &str = "\
Examples:
  portcullis hosts invite gpu1 --zone inference --role inference
  portcullis hosts invite claw1 --zone red --role red-zone --dial in --at 192.0.2.66:7415
  portcullis hosts invite gw1 --zone dmz --role gateway --json | jq -r .token | ssh gw1 sudo node-agent join -
  portcullis --url https://house.lan --token-file admin.token hosts invite gpu1 --zone inference --role inference

The token is good once, for 15 minutes by this machine's clock, for this name alone. Of it only a hash is kept.";

pub(crate) const LIST: &str = "\
Examples:
  portcullis hosts list
  portcullis hosts list --json | jq '.hosts[] | select(.state == \"joined\") | .name'";

pub(crate) const SHOW: &str = "\
Examples:
  portcullis hosts show claw1
  portcullis hosts show claw1 --json | jq '.compared[] | select(.agrees == false)'";

pub(crate) const CANARY: &str = "\
Examples:
  portcullis hosts canary claw1
  portcullis hosts canary claw1 | ssh claw1 sudo tee -a /etc/portcullis/node-agent.toml";

pub(crate) const REINVITE: &str = "\
Examples:
  portcullis hosts reinvite gpu1
  portcullis hosts reinvite gpu1 --json | jq -r .token

Until the host has joined by the new token, its certificate counts as before; after that only the new one does.";

pub(crate) const REVOKE: &str = "\
Examples:
  portcullis hosts revoke claw1
  portcullis --url https://house.lan --token-file admin.token hosts revoke claw1

Counts from the host's next question on, also over a connection that is open. It cuts nothing: portcullis cut SCOPE does.";

pub(crate) const RENAME: &str = "\
Examples:
  portcullis hosts rename gpu1 gpu-attic";

pub(crate) const BINARY: &str = "\
Examples:
  portcullis hosts agent-binary add target/agent/node-agent
  portcullis hosts agent-binary add node-agent-arm --target aarch64-linux --agent-version 0.1.0";
