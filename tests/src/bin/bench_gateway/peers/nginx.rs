//! nginx as a plain reverse proxy: no keys, no metering, the least a hop can cost.

use super::{KEY, Place, Started, in_path};
use site_tests::bench::{configured::private, running::command};
use std::{path::Path, process::Stdio};

pub(super) fn start(place: &Place<'_>) -> anyhow::Result<Option<Started>> {
    // Debian keeps it where only root looks.
    let program = ["/usr/sbin/nginx", "nginx"].into_iter().map(Path::new);
    let Some(program) = program
        .into_iter()
        .find(|program| program.exists() || in_path(program))
    else {
        return Ok(None);
    };
    let (folder, at, upstream) = (place.folder, place.at, place.upstream);
    let files = folder.display();
    let config = private(
        folder,
        "nginx.conf",
        &format!(
            "daemon off; worker_processes 2; worker_rlimit_nofile 16384; pid {files}/nginx.pid; error_log {files}/error.log warn;\n\
             events {{ worker_connections 8192; }}\n\
             http {{ access_log off; client_body_temp_path {files}/body; proxy_temp_path {files}/proxy; fastcgi_temp_path {files}/f; uwsgi_temp_path {files}/u; scgi_temp_path {files}/s;\n\
             upstream up {{ server {upstream}; keepalive 64; keepalive_requests 1000000; }}\n\
             server {{ listen {at}; keepalive_requests 1000000; location / {{ proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection \"\"; proxy_buffering off; proxy_read_timeout 600s; }} }} }}\n"
        ),
    )?;
    let started = Started::by(
        command(program)
            .arg("-c")
            .arg(&config)
            .arg("-p")
            .arg(folder)
            .stderr(Stdio::null()),
        at,
        KEY,
    )?;
    Ok(Some(started))
}
