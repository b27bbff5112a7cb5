//! Which keys machines of a house may have: real connections, with certificates made here.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use kill_wire::Timestamp;
use net_link::{CONTROL_NAME, Credentials, HOST_NAME, Talk, Trust, serve, text};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, SignatureAlgorithm,
};
use std::time::Duration;
use tokio::net::TcpListener;

const LIMIT: Duration = Duration::from_secs(20);

fn now() -> Timestamp {
    Timestamp::from_millis(1_795_248_120_000)
}

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn machine(authority: &Authority, name: &str, kind: &'static SignatureAlgorithm) -> Credentials {
    let key = KeyPair::generate_for(kind).unwrap();
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::ClientAuth,
    ];
    let certificate = params.signed_by(&key, authority).unwrap();
    Credentials::from_pem(&certificate.pem(), &key.serialize_pem()).unwrap()
}

/// Whether a host with a key of this kind is heard by the control plane, and the other way round.
async fn talk(kind: &'static SignatureAlgorithm) -> Result<String, String> {
    let authority = authority();
    let trust = Trust::new(authority.der(), now, now()).map_err(|why| why.to_string())?;
    let control = machine(&authority, CONTROL_NAME, &PKCS_ECDSA_P256_SHA256);
    let host = machine(&authority, HOST_NAME, kind);
    let server = trust.server(&control, false).unwrap();
    let client = trust.client(Some(&host)).map_err(|why| why.to_string())?;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let serving = async {
        let (tcp, _) = listener.accept().await.unwrap();
        serve(tcp, server, |shown| {
            let shown = shown.is_some();
            move |_| async move { text(hyper::StatusCode::OK, "text/plain", shown.to_string()) }
        })
        .await
        .map_err(|why| why.to_string())
    };
    let asking = async {
        let mut talk = Talk::open(at, &client, CONTROL_NAME, LIMIT).await?;
        talk.ask(hyper::Method::GET, "/", Default::default(), 100, LIMIT)
            .await
    };
    let (served, answer) = tokio::join!(serving, asking);
    let answer = answer.map_err(|why| format!("{why}; {served:?}"))?;
    Ok(String::from_utf8_lossy(&answer.body).into_owned())
}

#[tokio::test]
async fn keys_that_a_house_gives_certificates_for_are_spoken_and_no_others() {
    for kind in [&PKCS_ECDSA_P256_SHA256, &PKCS_ED25519] {
        assert_eq!(talk(kind).await.unwrap(), "true");
    }
    let refused = talk(&PKCS_ECDSA_P384_SHA384).await;
    assert!(refused.is_err(), "{refused:?}");
}
