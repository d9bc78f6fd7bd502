//! The credentials of the API server and its clients: a CA, a serving certificate, the key that signs service account
//! tokens, and the administrator's token. Every start creates new ones.

use std::{fs::File, io::Read, path::Path};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::pki_types::CertificateDer;

use crate::{error::Error, files, plane::SERVICE_ADDRESS};

/// The certificate of the CA, which clients trust.
pub const CA_CERT: &str = "ca.crt";
/// The certificate of the API server, signed by the CA.
pub const SERVING_CERT: &str = "serving.crt";
/// The private key of the API server's certificate.
pub const SERVING_KEY: &str = "serving.key";
/// The private key that signs service account tokens.
pub const SERVICE_ACCOUNT_KEY: &str = "service-account.key";
/// The public key that verifies service account tokens. It needs a file of its own: the API server cannot read it from a
/// PKCS#8 EC private key.
pub const SERVICE_ACCOUNT_PUBLIC_KEY: &str = "service-account.pub";
/// The static token file of the API server.
pub const TOKENS: &str = "tokens.csv";

/// The credentials that the library hands out. The others are only in files.
pub struct Credentials {
    pub ca_pem: String,
    pub ca_der: CertificateDer<'static>,
    pub token: String,
}

impl Credentials {
    /// Creates all credentials and writes them to files in `dir`.
    pub fn create(dir: &Path) -> Result<Self, Error> {
        let ca_key = KeyPair::generate()?;
        let mut ca_params = params("control-plane-ca", &[])?;
        ca_params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        ca_params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let ca_cert = ca_params.self_signed(&ca_key)?;

        let serving_key = KeyPair::generate()?;
        let serving_cert =
            params("kube-apiserver", &["127.0.0.1", "localhost", SERVICE_ADDRESS, "kubernetes.default.svc"])?
                .signed_by(&serving_key, &Issuer::from_params(&ca_params, &ca_key))?;

        let service_account_key = KeyPair::generate()?;
        let token = random_token()?;

        files::write(&dir.join(CA_CERT), &ca_cert.pem())?;
        files::write(&dir.join(SERVING_CERT), &serving_cert.pem())?;
        files::write(&dir.join(SERVING_KEY), &serving_key.serialize_pem())?;
        files::write(&dir.join(SERVICE_ACCOUNT_KEY), &service_account_key.serialize_pem())?;
        files::write(&dir.join(SERVICE_ACCOUNT_PUBLIC_KEY), &service_account_key.public_key_pem())?;
        files::write(&dir.join(TOKENS), &format!("{token},admin,admin,\"system:masters\"\n"))?;
        Ok(Self { ca_pem: ca_cert.pem(), ca_der: ca_cert.der().clone(), token })
    }
}

fn params(common_name: &str, names: &[&str]) -> Result<CertificateParams, Error> {
    let mut params = CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    params.distinguished_name.push(DnType::CommonName, common_name);
    Ok(params)
}

fn random_token() -> Result<String, Error> {
    let mut bytes = [0_u8; 24];
    File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut bytes))
        .map_err(Error::io("cannot read /dev/urandom"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
