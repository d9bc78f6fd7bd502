//! TLS against a server with a private authority.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio_rustls::rustls::{ServerConfig, pki_types::PrivateKeyDer};

use super::{
    stub::{Reply, Stub},
    tests::{call, options},
    *,
};
use crate::Class;

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a certificate")
}

/// A server whose certificate is for this name.
async fn server(authority: &Authority, name: &str) -> Stub {
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
    let certificate = params.signed_by(&key, authority).expect("a certificate");
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .expect("a server");
    Stub::start_tls(config, |_, _| Reply::json(200, serde_json::json!({}))).await
}

fn trusting(stub: &Stub, ca: Option<&Authority>) -> Http {
    let ca = ca.map(|ca| ca.pem().into_bytes());
    Http::new(Options { ca, ..options(&stub.url) }).expect("a stack")
}

#[tokio::test]
async fn a_private_authority_is_trusted_only_if_the_spec_has_it() {
    let authority = authority();
    let stub = server(&authority, "127.0.0.1").await;
    call(&trusting(&stub, Some(&authority)), Method::GET).await.expect("a success");
    for ca in [None, Some(&self::authority())] {
        let error = call(&trusting(&stub, ca), Method::POST).await.expect_err("no trust");
        assert_eq!(error.class, Class::Transient, "nothing was sent: {}", error.message);
        assert!(error.message.contains("certificate"), "{}", error.message);
    }
    assert_eq!(stub.calls(), ["GET /v2/things"], "an untrusted server receives no request and no credential");
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let authority = authority();
    let stub = server(&authority, "other.example.com").await;
    let error = call(&trusting(&stub, Some(&authority)), Method::GET).await.expect_err("another name");
    assert!(error.message.contains("certificate"), "{}", error.message);
    assert!(stub.calls().is_empty());
}
