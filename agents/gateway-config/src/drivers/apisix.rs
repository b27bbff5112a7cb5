//! `kind = "apisix"`.

use super::{at, data, maybe_at, secret};
use crate::one_of_or;
use gateways::apisix::{Besides, UsageTo};
use gateways::apisix::{Keeps, Settings};
use kill_config::{Reading, Section};
use kill_wire::Name;
use net_model::BaseUrl;

const MODES: [(&str, Keeps); 2] = [("etcd", Keeps::Etcd), ("standalone", Keeps::Standalone)];

pub(super) fn read(
    section: &mut Section<'_>,
    name: Option<&Name>,
    reading: &mut Reading<'_>,
) -> Option<Settings> {
    let admin = at(section, "admin");
    let admin_key = secret(
        section,
        "admin_key_file",
        "the key of the admin API",
        reading,
    );
    let control = maybe_at(section, "control");
    let metrics = maybe_at(section, "metrics");
    let data = data(section);
    let mode = one_of_or(section, "mode", &MODES, Keeps::Etcd);
    let manage = section.flag("manage").unwrap_or(false);
    let sever = section.flag("sever").unwrap_or(true);
    let ai_proxy = section.flag("ai_proxy").unwrap_or(false);
    let usage = usage(section, reading);
    for (key, asked) in [
        ("ai_proxy", ai_proxy),
        ("usage_to", !matches!(usage, Some(None))),
    ] {
        if asked && !manage {
            section.note(key, "it is written to routes that are kept from here: write `manage = true` as well, or leave it out");
        }
    }
    Some(Settings {
        name: name?.clone(),
        admin: admin?,
        admin_key: admin_key?,
        control: control?,
        metrics: metrics?,
        data: data?,
        keeps: mode?,
        manage,
        sever,
        besides: Besides {
            ai_proxy,
            usage: usage?,
        },
    })
}

/// Where `http-logger` posts; `Some(None)` where it shall not.
fn usage(section: &mut Section<'_>, reading: &mut Reading<'_>) -> Option<Option<UsageTo>> {
    const EXPECTED: &str =
        "the address of a usage source, such as `http://10.0.10.2:7410/api/v1/usage/edge`";
    if !section.has("usage_to") && !section.has("usage_token_file") {
        return Some(None);
    }
    let uri = section.need_parsed::<BaseUrl>("usage_to", EXPECTED);
    let token = secret(
        section,
        "usage_token_file",
        "the token of that usage source",
        reading,
    );
    let uri = uri?;
    if !uri.prefix().starts_with("/api/v1/usage/") {
        section.note("usage_to", &format!("`{uri}` is not {EXPECTED}"));
    }
    Some(Some(UsageTo {
        uri: uri.to_string(),
        token: token?,
    }))
}
