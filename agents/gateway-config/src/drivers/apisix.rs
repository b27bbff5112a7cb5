//! `kind = "apisix"`.

use super::{at, data, maybe_at, secret};
use crate::one_of_or;
use gateways::apisix::{Keeps, Settings};
use kill_config::{Reading, Section};
use kill_wire::Name;

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
    })
}
