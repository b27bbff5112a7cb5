//! What of an engine's words may leave the helper: where checks look, and nothing else. An environment holds secrets.

use serde_json::{Map, Value};

/// Of `inspect`: keys of the top, and of the tables below it.
const TOP: [&str; 7] = [
    "Name",
    "AppArmorProfile",
    "ProcessLabel",
    "OCIRuntime",
    "ImageName",
    "EffectiveCaps",
    "Mounts",
];
const BELOW: [(&str, &[&str]); 3] = [
    ("State", &["Status"]),
    ("Config", &["User", "Image"]),
    (
        "HostConfig",
        &[
            "Privileged",
            "CapAdd",
            "CapDrop",
            "ReadonlyRootfs",
            "SecurityOpt",
            "NetworkMode",
            "PidMode",
            "IpcMode",
            "UTSMode",
            "UsernsMode",
            "PidsLimit",
            "Memory",
            "NanoCpus",
            "CpuQuota",
            "Devices",
            "PortBindings",
            "Runtime",
            "RestartPolicy",
        ],
    ),
];
/// Of `info`.
const INFO: [&str; 2] = ["SecurityOptions", "CgroupVersion"];
const INFO_HOST: [&str; 2] = ["security", "cgroupVersion"];

/// What is left of one container's `inspect`.
#[must_use]
pub fn reduced(one: &Value) -> Value {
    let mut kept = only(one, &TOP);
    for (table, keys) in BELOW {
        if let Some(inner) = one.get(table) {
            kept.insert(table.to_owned(), Value::Object(only(inner, keys)));
        }
    }
    if let Some(mounts) = kept.get_mut("Mounts").and_then(Value::as_array_mut) {
        for mount in mounts {
            *mount = Value::Object(only(mount, &["Type", "Source"]));
        }
    }
    Value::Object(kept)
}

/// What is left of an engine's `info`.
#[must_use]
pub fn reduced_info(info: &Value) -> Value {
    let mut kept = only(info, &INFO);
    if let Some(host) = info.get("host") {
        kept.insert("host".to_owned(), Value::Object(only(host, &INFO_HOST)));
    }
    Value::Object(kept)
}

fn only(value: &Value, keys: &[&str]) -> Map<String, Value> {
    let kept = keys
        .iter()
        .filter_map(|key| Some(((*key).to_owned(), value.get(key)?.clone())));
    kept.collect()
}
