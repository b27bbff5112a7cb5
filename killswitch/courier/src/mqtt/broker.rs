//! Where the broker is, and how it knows us.

use rumqttc::{ConnectAuth, MqttOptions, SessionMode, TlsConfiguration, Transport};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;

/// Longest message taken, either way, in bytes.
const MOST_BYTES: usize = 64 * 1024;
/// Seconds of silence after which either side asks; the broker says `offline` for us after one and a half.
const KEEP_ALIVE: u16 = 10;

/// How the broker knows us.
#[derive(Default)]
pub(super) struct Identity<'a> {
    pub(super) user: Option<&'a str>,
    pub(super) password: Option<&'a str>,
    /// PEM, for `mqtts`: who signs the broker's certificate.
    pub(super) ca: Option<&'a str>,
    /// PEM: our own certificate, and its key.
    pub(super) certificate: Option<&'a str>,
    pub(super) key: Option<&'a str>,
}

/// `mqtt://host[:1883]` or `mqtts://host[:8883]`.
#[derive(Debug, PartialEq, Eq)]
struct Address<'a> {
    tls: bool,
    host: &'a str,
    port: u16,
}

impl<'a> Address<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let (scheme, place) = text.trim_end_matches('/').split_once("://")?;
        let (tls, usual) = match scheme {
            "mqtt" => (false, 1883),
            "mqtts" => (true, 8883),
            _ => return None,
        };
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
            _ => (place, usual),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let fits = !host.is_empty() && !host.contains(['/', '@', ' ']);
        fits.then_some(Self { tls, host, port })
    }
}

/// The connection as it is to be: a clean session, so that the broker keeps no press for later.
///
/// # Errors
/// In words, with nothing secret in it.
pub(super) fn options(
    broker: &str,
    client: String,
    identity: &Identity<'_>,
) -> Result<MqttOptions, String> {
    let address = Address::read(broker)
        .ok_or("broker: expected mqtt://host[:port] or mqtts://host[:port]")?;
    let mut options = MqttOptions::new(client, (address.host, address.port));
    options
        .set_keep_alive(KEEP_ALIVE)
        .set_session_mode(SessionMode::Clean)
        .set_max_packet_size(MOST_BYTES, MOST_BYTES);
    match (identity.user, identity.password) {
        (Some(user), Some(password)) => {
            options.set_credentials(user, password.to_owned());
        }
        (Some(user), None) => {
            options.set_auth(ConnectAuth::Username {
                username: user.to_owned(),
            });
        }
        (None, Some(_)) => return Err("a password needs a user".into()),
        (None, None) => {}
    }
    if address.tls {
        let config = TlsConfiguration::Rustls(Arc::new(tls(identity)?));
        options.set_transport(Transport::tls_with_config(config));
    }
    Ok(options)
}

fn tls(identity: &Identity<'_>) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    let ca = identity.ca.ok_or("mqtts needs ca_file")?;
    for certificate in certificates(ca).map_err(|()| "ca_file is not PEM")? {
        roots
            .add(certificate)
            .map_err(|e| format!("ca_file: {e}"))?;
    }
    if roots.is_empty() {
        return Err("ca_file holds no certificate".into());
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| format!("TLS: {e}"))?
        .with_root_certificates(roots);
    match (identity.certificate, identity.key) {
        (Some(certificate), Some(key)) => {
            let chain =
                certificates(certificate).map_err(|()| "client_certificate_file is not PEM")?;
            let key = PrivateKeyDer::from_pem_slice(key.as_bytes())
                .map_err(|_| "client_key_file holds no private key in PEM")?;
            config
                .with_client_auth_cert(chain, key)
                .map_err(|e| format!("client_certificate_file: {e}"))
        }
        (None, None) => Ok(config.with_no_client_auth()),
        _ => Err("client_certificate_file and client_key_file go together".into()),
    }
}

fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, ()> {
    CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_scheme_and_a_host() {
        let read = |text| Address::read(text).map(|a| (a.tls, a.host, a.port));
        assert_eq!(read("mqtt://broker.lan"), Some((false, "broker.lan", 1883)));
        assert_eq!(
            read("mqtts://10.0.0.2:8884/"),
            Some((true, "10.0.0.2", 8884))
        );
        assert_eq!(read("mqtt://[::1]:1884"), Some((false, "::1", 1884)));
        assert_eq!(read("mqtt://[::1]"), Some((false, "::1", 1883)));
        for text in [
            "",
            "broker.lan:1883",
            "http://x",
            "mqtt://",
            "mqtt://a:b",
            "mqtt://u:p@h",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn half_an_identity_is_refused() {
        let refused = |broker: &str, identity: Identity<'_>| {
            options(broker, "c".into(), &identity)
                .map(|_| ())
                .unwrap_err()
        };
        let lone = Identity {
            password: Some("p"),
            ..Identity::default()
        };
        assert!(refused("mqtt://h", lone).contains("user"));
        assert!(refused("mqtts://h", Identity::default()).contains("ca_file"));
        let garbled = Identity {
            ca: Some("not a certificate"),
            ..Identity::default()
        };
        assert!(refused("mqtts://h", garbled).contains("no certificate"));
    }
}
