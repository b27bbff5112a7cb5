use super::*;
use kill_config::table;

fn parse(text: &str, folder: &Path) -> Result<Config, Vec<Problem>> {
    checked(table(text).map_err(|problem| vec![problem])?, folder)
}

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

fn problems(text: &str) -> Vec<String> {
    match parse(text, Path::new("/nonexistent")) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.iter().map(ToString::to_string).collect(),
    }
}

fn fallback() -> Fallback {
    Fallback {
        target: net_model::Target::new(
            "demo".parse().unwrap(),
            kill_wire::Class::Local,
            "http://127.0.0.1:9/v1".parse().unwrap(),
        ),
        key: net_model::KeyHash::of(b"unused"),
    }
}

#[test]
fn nothing_written_means_the_built_in_values() {
    let config = parse("", Path::new("")).unwrap();
    assert_eq!(config.killswitch.listen.to_string(), "127.0.0.1:7411");
    assert_eq!(config.gateway.listen.to_string(), "127.0.0.1:7412");
    assert_eq!(config.agent.listen.to_string(), "127.0.0.1:7413");
    assert_eq!(config.controlplane.to_string(), "127.0.0.1:7410");
    assert!(!config.agent.holds && config.agent.hold.is_empty());
    assert!(!config.gateway.has_targets() && config.named.is_empty());
}

macro_rules! target {
    () => {
        "[[gateway.targets]]\nname = \"a\"\nclass = \"local\"\nbase_url = \"http://127.0.0.1:1/v1\"\n"
    };
}

/// A file, and what is said of it.
const CASES: &[(&str, &str)] = &[
    ("x = 1", "x: unknown key; expected one of `controlplane`"),
    ("[gatway]", "gatway: unknown key; did you mean `gateway`?"),
    (
        "[gateway]\nlistn = \"a\"",
        "gateway.listn: unknown key; did you mean `listen`?",
    ),
    (
        "[gateway]\nlisten = 7412",
        "gateway.listen: `7412` is not a literal address and port",
    ),
    (
        "[gateway]\nlisten = \"localhost:1\"",
        "gateway.listen: `localhost:1` is not a literal address",
    ),
    (
        "[controlplane]\nhosts = [\"a:1\"]",
        "controlplane.hosts[0]: `a:1` is not a host name without port",
    ),
    (
        "gateway = 3",
        "gateway: `3` is not a table; write it as [gateway]",
    ),
    (
        "[gateway.tls]\ncertificate_file = \"c.pem\"\nkey_file = \"k.pem\"",
        "gateway.tls.certificate_file: cannot read /nonexistent/c.pem",
    ),
    (
        "[gateway.tls]\ncertificate_file = \"c.pem\"",
        "gateway.tls.key_file: missing",
    ),
    (
        "[gateway]\ntrusted_proxies = [\"10.0.0.1\", \"proxy.lan\"]",
        "gateway.trusted_proxies[1]: `proxy.lan` is no address or network",
    ),
    (
        "[gateway]\ntargets = \"a\"",
        "gateway.targets: `a` is not a list of tables; write each as [[gateway.targets]]",
    ),
    (
        "[agent]\non_silence = \"open\"",
        "agent.on_silence: `open` is not `cut` or `hold`",
    ),
    (
        "[killswitch]\nagents = [\"nas.lan:7413\"]",
        "killswitch.agents[0]: `nas.lan:7413` is not a literal address and port, such as `127.0.0.1:7411`; the kill switch asks no DNS",
    ),
    (
        "[killswitch]\nagents = [\"10.0.0.1:0\"]",
        "killswitch.agents[0]: `10.0.0.1:0` has no port",
    ),
    (
        "[killswitch]\nagents = [1]",
        "killswitch.agents: this list is not a list of literal addresses",
    ),
    (
        "[[killswitch.vantages]]\ngateway = \"gw:1\"",
        "killswitch.vantages[0].gateway: `gw:1` is not",
    ),
    (
        "[[killswitch.vantages]]\ngateway = \"gw:1\"",
        "killswitch.vantages[0].probe_key_file: missing",
    ),
    (
        "[[killswitch.channels]]\nkind = \"twilio\"",
        "killswitch.channels[0].name: missing",
    ),
    (
        "[[killswitch.channels]]\nname = \"t\"\nkind = \"twillio\"",
        "killswitch.channels[0].kind: `twillio` is no kind of channel; did you mean `twilio`?",
    ),
    (
        "[[killswitch.channels]]\nname = \"t\"\nsecret_file = \"t\"",
        "killswitch.channels[0].secret_file: `/nonexistent/t` cannot be read",
    ),
    (
        "[[gateway.targets]]\nname = \"all\"",
        "gateway.targets[0].name: `all` is not a name",
    ),
    (
        "[[gateway.targets]]\nclass = \"lan\"",
        "gateway.targets[0].class: `lan` is not `local` or `cloud`",
    ),
    (
        "[[gateway.targets]]\nbase_url = \"127.0.0.1:1\"",
        "gateway.targets[0].base_url: `127.0.0.1:1` is not a base URL",
    ),
    (
        "[[gateway.routes]]\nname = \"chat\"",
        "gateway.routes[0].targets: missing",
    ),
    (
        "[[gateway.routes]]\nname = \"chat\"\ntargets = [\"a\"]",
        "gateway.targets: missing; the routes need targets",
    ),
    (
        "[[gateway.consumers]]\nname = \"a\"\nroutes = [\"chat\"]",
        "gateway.consumers[0].key_file: missing",
    ),
    (
        "[[gateway.consumers]]\nname = \"a\"\nkey_sha256 = \"0\"",
        "gateway.consumers[0].key_sha256: expected 64 hexadecimal digits",
    ),
    (
        "[[gateway.consumers]]\nname = \"a\"\nkey_sha256 = \"0\"\nkey_file = \"x\"",
        "give key_file or key_sha256, not both",
    ),
    (
        concat!(
            target!(),
            "[[gateway.routes]]\nname = \"chat\"\ntargets = [\"b\"]"
        ),
        "gateway.routes[0].targets: `b` does not exist; did you mean `a`?",
    ),
    (
        concat!(
            target!(),
            "[[gateway.routes]]\nname = \"chat\"\nkind = \"x\"\ntargets = [\"a\"]"
        ),
        "gateway.routes[0].kind: `x` is not `llm`, `agent` or `tool`",
    ),
    (
        concat!(
            target!(),
            "[[gateway.routes]]\nname = \"chat\"\nmodels = [\"a*b\"]\ntargets = [\"a\"]"
        ),
        "gateway.routes[0].models: `a*b` is not a model pattern",
    ),
    ("[gateway\n", "line 1: "),
];

#[test]
fn each_problem_names_its_key_and_what_was_expected() {
    for (text, expected) in CASES {
        let found = problems(text);
        assert!(
            found.iter().any(|problem| problem.contains(expected)),
            "{text}\nexpected: {expected}\nfound: {found:#?}"
        );
    }
}

#[test]
fn all_problems_are_reported_at_once() {
    let found = problems(
        "colour = 1\n[controlplane]\nlisten = \"x\"\n[killswitch]\nagents = [\"a:1\", \"b:2\"]\n[agent]\non_silence = \"x\"\n[[gateway.targets]]\nname = \"Bad Name\"\n",
    );
    assert_eq!(found.len(), 8, "{found:#?}");
}

#[test]
fn two_names_that_read_alike_in_a_text_message_are_refused() {
    let key = "0".repeat(64);
    let text = format!(
        "[[gateway.consumers]]\nname = \"chat\"\nkey_sha256 = \"{key}\"\nroutes = [\"chat\"]"
    );
    let found = problems(&text);
    assert!(
        found[0].starts_with("gateway.consumers[0].name"),
        "{found:?}"
    );
}

#[test]
fn a_secret_is_never_shown_and_a_readable_file_is_warned_of() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("key");
    fs::write(&file, "pck_very-secret\n").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let text = "[[gateway.consumers]]\nname = \"claw\"\nkey_file = \"key\"\nroutes = [\"chat\"]";
    let config = parse(text, dir.path()).unwrap();
    assert_eq!(config.warnings.len(), 1);
    assert!(config.warnings[0].text.contains("chmod 600"));
    assert!(!format!("{config:?}").contains("very-secret"));
    fs::write(&file, "two words\n").unwrap();
    let problems = parse(text, dir.path()).unwrap_err();
    assert!(!format!("{problems:?}").contains("two words"));
}

#[test]
fn a_file_without_targets_keeps_the_built_in_ones_and_its_own_consumers() {
    let key = "a".repeat(64);
    let text = format!(
        "[gateway]\nlisten = \"127.0.0.1:0\"\n[[gateway.consumers]]\nname = \"claw\"\nkey_sha256 = \"{key}\"\nroutes = [\"chat\"]"
    );
    let config = parse(&text, Path::new("")).unwrap();
    let table = config.gateway.table(&fallback()).unwrap();
    assert_eq!(table.targets()[0].name.as_str(), "demo");
    assert_eq!(table.routes()[0].name.as_str(), "chat");
    assert_eq!(table.consumers()[0].name.as_str(), "claw");
    assert_eq!(table.consumers().len(), 1);
}

const RULED: &str = r#"
[gateway]
time_zone = "Europe/Berlin"
[[gateway.targets]]
name = "home"
class = "local"
base_url = "http://127.0.0.1:11434/v1"
kind = "ollama"
models = ["gpt-4o=qwen2.5:14b"]
max_open = 4
first_byte_timeout = "2 min"
health_every = "10 s"
[gateway.targets.breaker]
failures = 3
within = "30 s"
slow_first_token = "20 s"
[[gateway.routes]]
name = "chat"
targets = ["home"]
[[gateway.consumers]]
name = "claw"
key_sha256 = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
routes = ["chat"]
role = "coder"
[gateway.consumers.cloud]
hours = ["mon-fri 08:00-18:00"]
unknown_price = false
[[gateway.budgets]]
name = "claw-day"
consumer = "claw"
window = "day"
money = "2.50"
at_end = "trip"
[[gateway.limits]]
name = "coders"
role = "coder"
open = 8
[gateway.runaway]
repeats = "throttle"
"#;

#[test]
fn what_governs_spending_is_read() {
    let config = parse(RULED, Path::new("")).unwrap();
    let rules = config.gateway.rules();
    assert_eq!(rules.time_zone.as_deref(), Some("Europe/Berlin"));
    let budget = &rules.budgets[0];
    assert_eq!(budget.money, Some("2.50".parse().unwrap()));
    let claw = kill_wire::Scope::Named("claw".parse().unwrap());
    assert_eq!(budget.at_end, net_model::AtEnd::Trip(claw));
    assert_eq!(rules.limits[0].open, Some(8));
    assert_eq!(rules.runaway.repeats, net_model::Reaction::Throttle);
    assert_eq!(rules.runaway.spike, net_model::Reaction::Alert);
    let table = config.gateway.table(&fallback()).unwrap();
    let (home, claw) = (&table.targets()[0], &table.consumers()[0]);
    assert_eq!(home.model("gpt-4o"), "qwen2.5:14b");
    assert_eq!(home.breaker.failures, 3);
    assert!(claw.policy.local.when.allows(6, 0) && !claw.policy.cloud.when.allows(6, 0));
    assert!(!claw.policy.cloud.unknown_price);
}

/// What stands there, what is written instead, and the key under which that is a problem.
const MISTYPED: [(&str, &str, &str); 12] = [
    (
        "window = \"day\"",
        "window = \"week\"",
        "gateway.budgets[0].window",
    ),
    (
        "money = \"2.50\"",
        "money = \"a lot\"",
        "gateway.budgets[0].money",
    ),
    (
        "kind = \"ollama\"",
        "kind = \"olama\"",
        "gateway.targets[0].kind",
    ),
    (
        "failures = 3",
        "failures = 0",
        "gateway.targets[0].breaker.failures",
    ),
    (
        "08:00-18:00\"]",
        "8-18\"]",
        "gateway.consumers[0].cloud.hours[0]",
    ),
    ("open = 8", "opne = 8", "gateway.limits[0].opne"),
    (
        "consumer = \"claw\"",
        "consumer = \"clew\"",
        "gateway.budgets[0].consumer",
    ),
    (
        "[[gateway.limits]]\nname = \"coders\"\nrole = \"coder\"",
        "[[gateway.limits]]\nname = \"coders\"\nrole = \"codre\"",
        "gateway.limits[0].role",
    ),
    (
        "at_end = \"trip\"",
        "at_end = \"trip\"\nscope = \"paw\"",
        "gateway.budgets[0].scope",
    ),
    ("Europe/Berlin", "Europe/Berlim", "gateway.time_zone"),
    (
        "repeats = \"throttle\"",
        "repeats = \"stop\"",
        "gateway.runaway.repeats",
    ),
    (
        "models = [\"gpt-4o=",
        "models = [\"gpt-4o:",
        "gateway.targets[0].models",
    ),
];

#[test]
fn a_mistyped_rule_is_found_by_its_key() {
    for (right, wrong, key) in MISTYPED {
        let text = RULED.replacen(right, wrong, 1);
        assert_ne!(text, RULED, "{right}");
        let found = problems(&text);
        assert!(
            found.iter().any(|problem| problem.contains(key)),
            "{wrong}: {found:?}"
        );
    }
}
