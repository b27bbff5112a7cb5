//! What engines say, laid out so that one place answers one check.

use net_model::report::{
    Container, ContainerState, Engine, KernelFacts, Listener, Posture, Printable, Protocol,
};
use serde_json::{Map, Value, json};

/// Ports that container engines listen on for commands, without and with TLS.
const ENGINE_PORTS: [u16; 3] = [2375, 2376, 2377];

/// What a privileged container has without anybody writing it down.
const OPEN: [&str; 3] = ["seccomp=unconfined", "apparmor=unconfined", "label=disable"];

/// Mounted everywhere to tell the time of day; nothing can be done with them.
const HARMLESS: [&str; 2] = ["/etc/localtime", "/etc/timezone"];

/// One container and what is known of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Inspected {
    /// For the report.
    pub container: Container,
    /// For the checks.
    pub document: Value,
}

/// Reads what `inspect` printed (a list) with what `info` printed. None when it is no such list.
#[must_use]
pub fn inspected(engine: Engine, inspect: &[u8], info: &[u8]) -> Option<Vec<Inspected>> {
    let list: Vec<Value> = serde_json::from_slice(inspect).ok()?;
    let info: Value = serde_json::from_slice(info).unwrap_or(Value::Null);
    Some(
        list.into_iter()
            .map(|one| of_one(engine, one, &info))
            .collect(),
    )
}

fn of_one(engine: Engine, one: Value, info: &Value) -> Inspected {
    let text = |path: &[&str]| {
        let found = path.iter().try_fold(&one, |value, key| value.get(key));
        found.and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let either = |first: String, second: String| if first.is_empty() { second } else { first };
    let state = match text(&["State", "Status"]).as_str() {
        "running" => ContainerState::Running,
        "paused" => ContainerState::Paused,
        "exited" | "created" | "dead" | "stopped" | "configured" => ContainerState::Stopped,
        _ => ContainerState::Unknown,
    };
    let runtime = either(text(&["OCIRuntime"]), text(&["HostConfig", "Runtime"]));
    let image = either(text(&["ImageName"]), text(&["Config", "Image"]));
    let name = text(&["Name"]);
    let mut document = Map::new();
    for (key, value) in [
        ("mounted", mounted(&one)),
        ("published", published(&one)),
        ("processor", cpu_limit(&one)),
        ("confined_by", confined_by(&one)),
        ("options", with_privileges(&one, "SecurityOpt", &OPEN)),
        ("capabilities", with_privileges(&one, "CapAdd", &["ALL"])),
        ("devices", with_privileges(&one, "Devices", &["/dev/mem"])),
        ("engine", (!info.is_null()).then(|| info.clone())),
        ("container", Some(one)),
    ] {
        if let Some(value) = value {
            document.insert(key.to_owned(), value);
        }
    }
    let document = Value::Object(document);
    let container = Container {
        name: Printable::clipped(name.trim_start_matches('/')),
        engine,
        image: Printable::clipped(&image),
        state,
        runtime: Printable::clipped(&runtime),
        posture: super::posture(super::About::Container, &document),
    };
    Inspected {
        container,
        document,
    }
}

/// Where the mounts come from. The root of the host begins every path, so it has a name of its own here.
fn mounted(one: &Value) -> Option<Value> {
    let mounts = one.get("Mounts")?;
    if mounts.is_null() {
        return Some(json!([]));
    }
    let bound = mounts.as_array()?.iter().filter(|mount| {
        // A volume lies in a folder of the engine; that is what it is for.
        mount.get("Type").and_then(Value::as_str) != Some("volume")
    });
    let sources: Option<Vec<Value>> = bound
        .map(
            |mount| match mount.get("Source")?.as_str()?.trim_end_matches('/') {
                // A temporary filesystem has no source.
                "" if mount.get("Type").and_then(Value::as_str) == Some("tmpfs") => {
                    Some(json!("tmpfs"))
                }
                "" => Some(json!("the-root-of-the-host")),
                source if HARMLESS.contains(&source) => Some(json!("the time of day")),
                source => Some(json!(format!("{source}/"))),
            },
        )
        .collect();
    sources.map(Value::Array)
}

/// A list of the container's configuration, with what a privileged one has besides. None when either is not told.
fn with_privileges(one: &Value, key: &str, besides: &[&str]) -> Option<Value> {
    let config = one.get("HostConfig")?;
    let privileged = config.get("Privileged")?.as_bool()?;
    let list = config.get(key)?;
    let mut all = if list.is_null() {
        Vec::new()
    } else {
        list.as_array()?.clone()
    };
    if privileged {
        all.extend(besides.iter().map(|name| json!(name)));
    }
    Some(Value::Array(all))
}

/// Published ports, with `everywhere` for those that are open on every address.
fn published(one: &Value) -> Option<Value> {
    let bindings = one.get("HostConfig")?.get("PortBindings")?;
    if bindings.is_null() {
        return Some(json!([]));
    }
    let mut found = Vec::new();
    for entry in bindings.as_object()?.values() {
        for binding in entry.as_array().into_iter().flatten() {
            let ip = binding.get("HostIp").and_then(Value::as_str)?;
            let everywhere = matches!(ip, "" | "0.0.0.0" | "::" | "*");
            found.push(json!(if everywhere { "everywhere" } else { ip }));
        }
    }
    Some(Value::Array(found))
}

/// Any of the ways to limit the processor; 0 when none is set.
fn cpu_limit(one: &Value) -> Option<Value> {
    let config = one.get("HostConfig")?;
    let limits: Vec<i64> = ["NanoCpus", "CpuQuota"]
        .iter()
        .filter_map(|key| config.get(key)?.as_i64())
        .collect();
    limits.into_iter().max().map(|most| json!(most))
}

/// The AppArmor profile, or the SELinux label of the process; empty when the engine says that there is neither.
fn confined_by(one: &Value) -> Option<Value> {
    let text = |key: &str| one.get(key).and_then(Value::as_str);
    let label = text("ProcessLabel").filter(|label| !label.is_empty());
    let profile = text("AppArmorProfile");
    label.or(profile).map(|name| json!(name))
}

/// The host for the checks that are about it. Listeners are given where they could be read.
#[must_use]
pub fn host_document(kernel: &KernelFacts, listeners: Option<&[Listener]>) -> Value {
    let bare = KernelFacts {
        posture: Posture::default(),
        ..kernel.clone()
    };
    let mut host = serde_json::to_value(bare).unwrap_or(Value::Null);
    if let (Some(host), Some(listeners)) = (host.as_object_mut(), listeners) {
        let open = listeners.iter().filter(|listener| {
            listener.protocol == Protocol::Tcp && ENGINE_PORTS.contains(&listener.port)
        });
        let ports: Vec<Value> = open.map(|listener| json!(listener.port)).collect();
        host.insert("engine_ports".to_owned(), Value::Array(ports));
    }
    json!({ "host": host })
}
