use super::*;

const DUMP: &str = r#"# configuration file /etc/nginx/nginx.conf:
events { worker_connections 16; }
http {
    map $uri $x { default "a;b{"; ~^/\{ '}'; }
    upstream model { server 127.0.0.1:1; }
    include /etc/nginx/sites/*;
}
stream { log_format l "${remote_addr} # no comment"; }
# configuration file /etc/nginx/sites/one:
server {
    include /etc/nginx/portcullis/overlay.conf;
    location / { proxy_pass http://model; proxy_ignore_client_abort on; }
}
server {
    # include /etc/nginx/portcullis/overlay.conf;
    location / { include /etc/nginx/portcullis/overlay.conf; }
}
# configuration file /etc/nginx/sites/two:

server { include portcullis/overlay.conf; return 200 "it's ${uri}"; }
"#;

#[test]
fn a_server_block_without_our_file_and_a_call_that_goes_on_are_found_where_they_stand() {
    let found = leaks(DUMP, Path::new("/etc/nginx/portcullis/overlay.conf"));
    assert_eq!(
        found,
        [
            Leak::IgnoresAbort("/etc/nginx/sites/one:3".to_owned()),
            Leak::Unguarded("/etc/nginx/sites/one:5".to_owned()),
        ]
    );
}

#[test]
fn whatever_is_printed_is_read_to_its_end() {
    for end in 0..DUMP.len() {
        let found = leaks(&DUMP[..end], Path::new("/overlay.conf"));
        assert!(found.len() <= 4, "{end}");
    }
    for odd in ["\"", "'\\", "}}}}", "server { server {", "${", "; ; {"] {
        leaks(odd, Path::new("/overlay.conf"));
    }
}
