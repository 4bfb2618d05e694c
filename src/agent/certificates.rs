//! Certificates for mutual TLS between an engine and its jobs.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, SanType};

use super::{AgentError, ServiceConfig};

/// Where the engine's own are, which its jobs do not see.
const SERVER_FOLDER: &str = "/run/certificates";
const FILES: [&str; 3] = ["ca.pem", "cert.pem", "key.pem"];

/// Makes an authority, and of it a certificate for the engine and one for its clients. Those of an earlier life of this
/// container are kept, so that its jobs' certificates stay good.
pub(super) fn provide(name: &str, clients: &Path) -> Result<(), AgentError> {
    let server = Path::new(SERVER_FOLDER);
    if server.exists() {
        return Ok(());
    }
    let made = make(name).map_err(|error| AgentError::new("make the engine's certificates", error))?;
    write(server, &made.authority, &made.server)?;
    write(clients, &made.authority, &made.client)
}

/// The engine's options for a port. Without TLS it must be told that this is meant: it would wait, and warn, otherwise.
pub(super) fn options(service: &ServiceConfig) -> Vec<String> {
    if service.tls.is_none() {
        return vec!["--tls=false".to_owned()];
    }
    let [ca, cert, key] = FILES.map(|file| format!("{SERVER_FOLDER}/{file}"));
    vec!["--tlsverify".to_owned(), format!("--tlscacert={ca}"), format!("--tlscert={cert}"), format!("--tlskey={key}")]
}

/// In PEM.
struct Made {
    authority: String,
    server: Pair,
    client: Pair,
}

struct Pair {
    certificate: String,
    key: String,
}

fn make(name: &str) -> Result<Made, rcgen::Error> {
    let mut params = named("dindbench")?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
    let signed = |name: &str| {
        let (mut params, key) = (named(name)?, KeyPair::generate()?);
        params.subject_alt_names.push(SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)));
        Ok::<_, rcgen::Error>(Pair { certificate: params.signed_by(&key, &authority)?.pem(), key: key.serialize_pem() })
    };
    Ok(Made { authority: authority.pem(), server: signed(name)?, client: signed("client")? })
}

/// An authority and what it signs must not have the same name.
fn named(name: &str) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new([name.to_owned()])?;
    params.distinguished_name.push(DnType::CommonName, name);
    Ok(params)
}

fn write(folder: &Path, authority: &str, pair: &Pair) -> Result<(), AgentError> {
    std::fs::create_dir_all(folder).map_err(|error| AgentError::new(format!("make {}", folder.display()), error))?;
    for (file, text) in FILES.into_iter().zip([authority, &pair.certificate, &pair.key]) {
        let path = folder.join(file);
        std::fs::write(&path, text).map_err(|error| AgentError::new(format!("write {}", path.display()), error))?;
    }
    Ok(())
}
