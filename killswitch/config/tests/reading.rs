//! What each program takes of one file, and what it says of mistakes.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use kill_config::{CourierWish, Knows, Reader, Small, read_small};
use kill_core::{Restorable, Then};
use kill_inbound::Setting;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// A courier that knows one kind.
const KNOWS: Knows = Knows {
    settings: |kind| match kind {
        "telegram" => &[Setting {
            name: "chats",
            expect: "chat ids, such as \"1 2\"",
            required: true,
            file: false,
        }],
        "standard-webhooks" => &[Setting {
            name: "reply_token_file",
            expect: "the path of a file with a token",
            required: false,
            file: true,
        }],
        _ => &[],
    },
    check: |wish| match wish.values.get("chats").map(String::as_str) {
        Some("nobody") => Err("chats: nobody is no chat".to_owned()),
        _ => Ok(()),
    },
};

const KILL_SWITCH: Reader = Reader {
    channels: true,
    courier: None,
};
const COURIER: Reader = Reader {
    channels: false,
    courier: Some(KNOWS),
};
const BOTH: Reader = Reader {
    channels: true,
    courier: Some(KNOWS),
};

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        folder.put("hook", secret, 0o600);
        folder.put("token", "a-token", 0o600);
        folder.put(
            "key.pub",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            0o644,
        );
        folder
    }

    fn put(&self, name: &str, text: &str, mode: u32) {
        let path = self.0.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn read(&self, text: &str, reader: Reader) -> Result<Small, Vec<String>> {
        self.put("portcullis.toml", text, 0o644);
        let read = read_small(&self.path().join("portcullis.toml"), reader);
        read.map_err(|bad| bad.problems.iter().map(ToString::to_string).collect())
    }
}

const CHANNELS: &str = r#"
[[killswitch.channels]]
name = "hook"
kind = "standard-webhooks"
secret_file = "hook"
reply_token_file = "token"

[[killswitch.channels]]
name = "chat"
kind = "telegram"
secret_file = "token"
chats = 17
"#;

fn courier<'s>(small: &'s Small, name: &str) -> &'s CourierWish {
    let mut wishes = small.killswitch.channels.iter().map(|wish| &wish.courier);
    wishes.find(|wish| wish.name == name).unwrap()
}

#[test]
fn the_kill_switch_reads_what_it_verifies_with_and_leaves_the_courier_its_own() {
    let folder = Folder::new();
    fs::remove_file(folder.path().join("token")).unwrap();
    let small = folder.read(CHANNELS, KILL_SWITCH).unwrap();
    let made = small.killswitch.channels.iter();
    let kinds: Vec<_> = made
        .map(|wish| wish.channel.as_ref().unwrap().kind())
        .collect();
    assert_eq!(kinds, ["standard-webhooks", "telegram"]);
    assert!(courier(&small, "chat").values.is_empty());
    assert!(small.warnings.is_empty(), "{:?}", small.warnings);
}

#[test]
fn the_courier_reads_its_own_and_does_without_what_is_closed_to_it() {
    let folder = Folder::new();
    fs::remove_file(folder.path().join("hook")).unwrap();
    let small = folder.read(CHANNELS, COURIER).unwrap();
    assert!(
        small
            .killswitch
            .channels
            .iter()
            .all(|wish| wish.channel.is_none())
    );
    let hook = courier(&small, "hook");
    assert_eq!(hook.values["reply_token_file"], "a-token");
    assert!(hook.secrets.is_empty() && !hook.fetched);
    let chat = courier(&small, "chat");
    assert_eq!(chat.values["chats"], "17");
    assert_eq!(chat.secrets[0].expose(), "a-token");
    assert!(chat.fetched);
    assert!(!format!("{small:?}").contains("a-token"));
}

#[test]
fn a_mistyped_key_is_a_mistake_where_every_key_is_known_and_a_warning_where_it_is_not() {
    let folder = Folder::new();
    let typo = CHANNELS.replace("reply_token_file", "next_secret_fille");
    let problems = folder.read(&typo, BOTH).unwrap_err();
    let expected =
        "killswitch.channels[0].next_secret_fille: unknown key; did you mean `next_secret_file`?";
    assert_eq!(problems, [expected]);
    let small = folder.read(&typo, KILL_SWITCH).unwrap();
    assert_eq!(small.warnings.len(), 1);
    assert!(small.warnings[0].text.contains("`next_secret_file`"));
}

#[test]
fn what_other_programs_read_is_none_of_a_small_ones_business() {
    let folder = Folder::new();
    let text = "[gateway]\nlisten = \"127.0.0.1:9\"\ntargets = 3\n[agent]\nnonsense = true\n[controlplane]\nx = 1\n";
    let small = folder.read(text, KILL_SWITCH).unwrap();
    assert_eq!(small.gateway.port(), 9);
    assert_eq!(small.agent.port(), 7413);
}

#[test]
fn rules_are_as_shipped_unless_the_file_says_otherwise() {
    let folder = Folder::new();
    let shipped = folder.read("", KILL_SWITCH).unwrap().killswitch;
    assert_eq!(shipped.rules, kill_core::Rules::default());
    assert_eq!((shipped.drill_every_ms, shipped.instance), (None, None));
    let text = r#"
[killswitch]
two_person = true
duress = true
text_restorable = ["LLM", "chat"]
guesses_per_day = 7
restore_guesses_per_day = 3
drill_every = "7 d"
silent_after = "12h"
instance = 2
certificates = ["kill.pem"]
lever_socket = "/run/portcullis/lever/lever.sock"
lever_group = true
[killswitch.check_in]
every = "24 h"
warn = "30 min"
then = "cut AGENTS"
[[killswitch.peers]]
name = "attic"
address = "10.0.0.3:7411"
key_file = "key.pub"
[[killswitch.direct]]
name = "openai-v6"
scope = "CLOUD"
via = "10.0.0.4:7413"
address = "[2001:db8::1]:443"
"#;
    let house = folder.read(text, KILL_SWITCH).unwrap().killswitch;
    let rules = &house.rules;
    assert!(rules.two_person && rules.duress);
    assert_eq!(
        (rules.guesses_per_day, rules.restore_guesses_per_day),
        (7, 3)
    );
    let scopes = ["LLM", "chat"].map(|scope| scope.parse().unwrap());
    assert_eq!(rules.text_restorable, Restorable::Listed(scopes.into()));
    let check_in = rules.check_in.as_ref().unwrap();
    assert_eq!(
        (check_in.every_ms, check_in.warn_ms),
        (86_400_000, 1_800_000)
    );
    assert_eq!(check_in.then, Then::Cut("AGENTS".parse().unwrap()));
    assert_eq!(house.drill_every_ms, Some(604_800_000));
    assert_eq!(house.silent_after_ms, Some(43_200_000));
    assert_eq!(house.instance, Some(2));
    assert_eq!(house.certificates, [folder.path().join("kill.pem")]);
    assert!(house.sockets.lever_group && !house.sockets.courier_group);
    assert_eq!(house.peers[0].name, "attic");
    assert_eq!(house.direct[0].address.port(), 443);
}

/// A file, and what is said of it.
const MISTAKES: &[(&str, &str)] = &[
    (
        "[killswitch]\ntwo_person = \"yes\"",
        "killswitch.two_person: `yes` is not `true` or `false`",
    ),
    (
        "[killswitch]\nguesses_per_day = 99",
        "killswitch.guesses_per_day: `99` is not a number from 1 to ",
    ),
    (
        "[killswitch]\ndrill_every = \"weekly\"",
        "killswitch.drill_every: `weekly` is not a time such as",
    ),
    ("[killswitch]\ndrill_every = \"1 min\"", "from 1 h to 366 d"),
    (
        "[killswitch]\ntext_restorable = [\"a b\"]",
        "killswitch.text_restorable: one of these is no scope",
    ),
    (
        "[killswitch]\ninstance = 4",
        "killswitch.instance: `4` is not a number from 0 to 3",
    ),
    (
        "[killswitch]\nlever_socket = \"lever\"",
        "killswitch.lever_socket: `lever` is not an absolute path",
    ),
    (
        "[killswitch.check_in]\nwarn = \"1 h\"",
        "killswitch.check_in.every: missing",
    ),
    (
        "[killswitch.check_in]\nevery = \"1 h\"\nthen = \"cut\"",
        "killswitch.check_in.then: `cut` is not `warn`",
    ),
    (
        "[[killswitch.peers]]\nname = \"a\"\naddress = \"10.0.0.3:1\"\nkey_file = \"token\"",
        "killswitch.peers[0].key_file:",
    ),
    (
        "[[killswitch.peers]]\nname = \"a\"\naddress = \"10.0.0.3:1\"\nkey_file = \"key.pub\"",
        "killswitch.instance: missing",
    ),
    (
        "[[killswitch.direct]]\nname = \"A B\"\nscope = \"ALL\"\nvia = \"x:1\"\naddress = \"1.2.3.4:5\"",
        "killswitch.direct[0].via: `x:1` is not",
    ),
    (
        "[[killswitch.channels]]\nname = \"t\"\nkind = \"standard-webhooks\"",
        "killswitch.channels[0].secret_file: missing",
    ),
    (
        "[[killswitch.channels]]\nname = \"t\"\nkind = \"telegram\"\nsecret_file = \"token\"",
        "killswitch.channels[0].chats: missing; expected chat ids",
    ),
    (
        "[[killswitch.channels]]\nname = \"t\"\nkind = \"telegram\"\nsecret_file = \"token\"\nchats = \"nobody\"",
        "killswitch.channels[0].name: chats: nobody is no chat",
    ),
    (
        "[[killswitch.channels]]\nname = \"local\"\nkind = \"gammu\"",
        "killswitch.channels[0].name: a channel `local` is there already",
    ),
];

#[test]
fn each_mistake_names_its_key_and_what_was_expected() {
    let folder = Folder::new();
    for (text, expected) in MISTAKES {
        let found = folder.read(text, BOTH).map(drop).unwrap_err();
        assert!(
            found.iter().any(|problem| problem.contains(expected)),
            "{text}\nexpected: {expected}\nfound: {found:#?}"
        );
    }
}

#[test]
fn a_channel_of_any_kind_may_stand_there_twice_with_two_secrets_each() {
    let folder = Folder::new();
    let one = |name: &str| {
        format!(
            "[[killswitch.channels]]\nname = \"{name}\"\nkind = \"standard-webhooks\"\nsecret_file = \"hook\"\nnext_secret_file = \"hook\"\n"
        )
    };
    let small = folder.read(&(one("a") + &one("b")), BOTH).unwrap();
    assert_eq!(courier(&small, "a").secrets.len(), 2);
    assert_eq!(courier(&small, "b").secrets.len(), 2);
    let twice = folder.read(&(one("a") + &one("a")), BOTH).unwrap_err();
    assert!(twice[0].contains("`a` is there already"), "{twice:?}");
}
