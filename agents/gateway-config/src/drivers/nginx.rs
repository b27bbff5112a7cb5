//! `kind = "nginx"`.

use super::{data, path};
use gateways::NginxSettings;
use kill_config::{Reading, Section};

pub(super) fn read(section: &mut Section<'_>, reading: &Reading<'_>) -> Option<NginxSettings> {
    let overlay = path(
        section,
        "overlay",
        "the path of a file of ours that the server blocks include",
        reading.folder,
    );
    let mut own = |key, what| path(section, key, what, reading.folder);
    let program = own("program", "the path of the program `nginx`");
    let conf = own("conf", "the path of its configuration");
    let pid = own("pid", "the path of the file with its process id");
    let data = data(section);
    let manage = section.flag("manage").unwrap_or(false);
    let sever = section.flag("sever").unwrap_or(true);
    Some(NginxSettings {
        overlay: overlay?,
        program: program?,
        conf: conf?,
        pid: pid?,
        data: data?,
        manage,
        sever,
    })
}
