use super::*;
use rcgen::{CertificateParams, KeyPair};

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

fn house() -> Authority {
    Authority::make(&"house".parse().unwrap(), NOW, [9; 16])
        .unwrap()
        .0
}

fn claw() -> HostIdentity {
    "portcullis://house/red/claw1".parse().unwrap()
}

fn parsed<T>(
    pem: &str,
    look: impl FnOnce(&x509_parser::certificate::X509Certificate<'_>) -> T,
) -> T {
    let (_, pem) = x509_parser::pem::parse_x509_pem(pem.as_bytes()).unwrap();
    look(&pem.parse_x509().unwrap())
}

#[test]
fn of_a_request_only_the_key_is_taken() {
    let key = KeyPair::generate().unwrap();
    let mut greedy = CertificateParams::new(vec!["portcullis-control".to_owned()]).unwrap();
    greedy.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    greedy.subject_alt_names.push(SanType::URI(
        "portcullis://house/control".to_owned().try_into().unwrap(),
    ));
    greedy.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    greedy
        .distinguished_name
        .push(DnType::CommonName, "control");
    let request = greedy.serialize_request(&key).unwrap().pem().unwrap();

    let life = Life::from_millis(3_600_000);
    let issued = house()
        .sign(&request, &claw(), (NOW, life), [1; 16])
        .unwrap();

    assert_eq!(issued.not_after, NOW.plus_millis(3_600_000));
    parsed(&issued.pem, |it| {
        assert!(!it.is_ca());
        let names = it.subject_alternative_name().unwrap().unwrap();
        let names = format!("{:?}", names.value.general_names);
        assert!(names.contains("portcullis://house/red/claw1"), "{names}");
        assert!(!names.contains("control"), "{names}");
        assert!(!it.key_usage().unwrap().unwrap().value.key_cert_sign());
    });
}

#[test]
fn a_request_that_its_own_key_did_not_sign_is_refused() {
    let request = |key: &KeyPair| {
        let params = CertificateParams::default();
        params.serialize_request(key).unwrap()
    };
    let good = request(&KeyPair::generate().unwrap());
    let mut der = good.der().to_vec();
    *der.last_mut().unwrap() ^= 1;
    let broken = format!(
        "-----BEGIN CERTIFICATE REQUEST-----\n{}\n-----END CERTIFICATE REQUEST-----\n",
        data_encoding::BASE64.encode(&der)
    );
    let weak = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
    let life = Life::from_millis(1000);
    for request in [
        broken,
        request(&weak).pem().unwrap(),
        "x".to_owned(),
        String::new(),
    ] {
        let refused = house().sign(&request, &claw(), (NOW, life), [1; 16]);
        assert!(matches!(refused, Err(PkiError::BadRequest)), "{request}");
    }
}

#[test]
fn an_authority_reads_back_and_a_foreign_key_is_noticed() {
    let (house, own) = Authority::make(&"house".parse().unwrap(), NOW, [9; 16]).unwrap();
    let (_, other) = Authority::make(&"house".parse().unwrap(), NOW, [9; 16]).unwrap();
    assert_eq!(house.site().as_str(), "house");
    assert!(house.made() < NOW);
    assert!(Authority::read(&own.certificate, &own.key).is_ok());
    assert!(matches!(
        Authority::read(&own.certificate, &other.key),
        Err(PkiError::NotAnAuthority(_))
    ));
    assert!(!format!("{house:?} {own:?}").contains("PRIVATE"));
}
