//! nginx as a plain reverse proxy: no keys, no metering, the least a hop can cost.

use super::{Started, in_path, write};
use site_tests::bench::{
    clock::{mark, ms},
    running::{Running, await_answer, command},
};
use std::{net::SocketAddr, path::Path, process::Stdio};

pub(super) fn start(
    folder: &Path,
    at: SocketAddr,
    upstream: SocketAddr,
) -> anyhow::Result<Option<Started>> {
    // Debian keeps it where only root looks.
    let program = ["/usr/sbin/nginx", "nginx"].into_iter().map(Path::new);
    let Some(program) = program
        .into_iter()
        .find(|program| program.exists() || in_path(program))
    else {
        return Ok(None);
    };
    let place = folder.display();
    let config = write(
        folder,
        "nginx.conf",
        &format!(
            "daemon off; worker_processes 2; worker_rlimit_nofile 8192; pid {place}/nginx.pid; error_log {place}/error.log warn;\n\
             events {{ worker_connections 4096; }}\n\
             http {{ access_log off; client_body_temp_path {place}/body; proxy_temp_path {place}/proxy; fastcgi_temp_path {place}/f; uwsgi_temp_path {place}/u; scgi_temp_path {place}/s;\n\
             upstream up {{ server {upstream}; keepalive 64; }}\n\
             server {{ listen {at}; keepalive_requests 1000000; location / {{ proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection \"\"; proxy_buffering off; proxy_read_timeout 600s; }} }} }}\n"
        ),
    )?;
    let began = mark();
    let program = Running::start(
        command(program)
            .arg("-c")
            .arg(&config)
            .arg("-p")
            .arg(folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null()),
    )?;
    await_answer(at, "/v1/models")?;
    Ok(Some(Started {
        key: "none".to_owned(),
        start_ms: ms(began, mark()),
        program,
        beside: Vec::new(),
    }))
}
