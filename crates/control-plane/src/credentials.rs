//! What the API server and its clients prove themselves with: a CA, a serving certificate, the key that signs
//! service account tokens, and the administrator's token. All are new at every start.

use std::{fs::File, io::Read, path::Path};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::pki_types::CertificateDer;

use crate::{Error, files};

/// The CA's certificate; clients trust it.
pub const CA_CERT: &str = "ca.crt";
/// The API server's certificate.
pub const SERVING_CERT: &str = "serving.crt";
/// The API server's private key.
pub const SERVING_KEY: &str = "serving.key";
/// Signs service account tokens.
pub const SERVICE_ACCOUNT_KEY: &str = "service-account.key";
/// Verifies service account tokens: the API server does not read a public key out of a PKCS#8 EC private key.
pub const SERVICE_ACCOUNT_PUBLIC_KEY: &str = "service-account.pub";
/// The API server's static token file.
pub const TOKENS: &str = "tokens.csv";

/// What the starter keeps of the credentials; the rest lies in files.
pub struct Credentials {
    pub ca_pem: String,
    pub ca_der: CertificateDer<'static>,
    pub token: String,
}

impl Credentials {
    /// Makes all credentials and writes them to the directory.
    pub fn create(dir: &Path) -> Result<Self, Error> {
        let ca_key = KeyPair::generate()?;
        let mut ca_params = params("control-plane-ca", &[])?;
        ca_params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        ca_params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let ca_cert = ca_params.self_signed(&ca_key)?;

        let serving_key = KeyPair::generate()?;
        let serving_cert = params("kube-apiserver", &["127.0.0.1", "localhost"])?
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
