//! Where an engine answers, found in the same places and in the same order as the docker command does.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::units::hex;

const DEFAULT_SOCKET: &str = "/var/run/docker.sock";

/// An address at which an engine answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    Unix(PathBuf),
    /// `host:port`, without authentication.
    Tcp(String),
    /// `host:port` with mutual TLS.
    Tls {
        address: String,
        certificates: Certificates,
    },
}

/// The three PEM files of a TLS client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificates {
    pub ca: PathBuf,
    pub cert: PathBuf,
    pub key: PathBuf,
}

/// An endpoint with the setting that it comes from, for messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub endpoint: Endpoint,
    pub origin: String,
}

/// The settings name no usable endpoint.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    #[error("{origin} says `{url}`: {reason}")]
    Url { origin: String, url: String, reason: &'static str },
    #[error("{origin} names the docker context `{context}`, and {} {reason}", path.display())]
    Context { origin: String, context: String, path: PathBuf, reason: String },
    #[error("{} is not a docker configuration: {reason}", path.display())]
    Config { path: PathBuf, reason: String },
}

/// The variables and files that decide, gathered so that the decision is a pure function.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    pub docker_host: Option<String>,
    pub docker_context: Option<String>,
    pub tls_verify: bool,
    pub cert_path: Option<PathBuf>,
    /// The folder of the docker command's configuration.
    pub config: PathBuf,
}

impl Settings {
    pub fn from_environment() -> Self {
        let value = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let home = std::env::var_os("HOME").map_or_else(|| PathBuf::from("/"), PathBuf::from);
        Self {
            docker_host: value("DOCKER_HOST"),
            docker_context: value("DOCKER_CONTEXT"),
            tls_verify: value("DOCKER_TLS_VERIFY").is_some(),
            cert_path: value("DOCKER_CERT_PATH").map(PathBuf::from),
            config: value("DOCKER_CONFIG").map_or_else(|| home.join(".docker"), PathBuf::from),
        }
    }

    /// The endpoint that the docker command would use: DOCKER_HOST, DOCKER_CONTEXT, the configured context, the default socket.
    pub fn endpoint(&self) -> Result<Found, EndpointError> {
        if let Some(url) = &self.docker_host {
            return self.url("DOCKER_HOST", url);
        }
        if let Some(context) = &self.docker_context {
            return self.context("DOCKER_CONTEXT", context);
        }
        let config = self.config.join("config.json");
        if let Some(context) = current_context(&config)? {
            return self.context(&config.display().to_string(), &context);
        }
        Ok(default_endpoint())
    }

    fn url(&self, origin: &str, url: &str) -> Result<Found, EndpointError> {
        let folder = self.cert_path.clone().unwrap_or_else(|| self.config.clone());
        let certificates = self.tls_verify.then(|| Certificates::in_folder(&folder));
        let endpoint = Endpoint::parse(url, certificates).map_err(|reason| EndpointError::Url {
            origin: origin.to_owned(),
            url: url.to_owned(),
            reason,
        })?;
        Ok(Found { endpoint, origin: origin.to_owned() })
    }

    fn context(&self, origin: &str, context: &str) -> Result<Found, EndpointError> {
        if context == "default" {
            return Ok(default_endpoint());
        }
        let id = hex(&Sha256::digest(context));
        let path = self.config.join("contexts/meta").join(&id).join("meta.json");
        let wrong = |reason: String| EndpointError::Context {
            origin: origin.to_owned(),
            context: context.to_owned(),
            path: path.clone(),
            reason,
        };
        let text = std::fs::read_to_string(&path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
        let meta: ContextMeta =
            serde_json::from_str(&text).map_err(|error| wrong(format!("is no context: {error}")))?;
        let tls = self.config.join("contexts/tls").join(&id).join("docker");
        let certificates = tls.is_dir().then(|| Certificates::in_folder(&tls));
        let host = meta.endpoints.docker.host;
        let endpoint =
            Endpoint::parse(&host, certificates).map_err(|reason| wrong(format!("says `{host}`: {reason}")))?;
        Ok(Found { endpoint, origin: format!("docker context `{context}`") })
    }
}

impl Endpoint {
    /// Parses the value of DOCKER_HOST.
    pub fn parse(url: &str, certificates: Option<Certificates>) -> Result<Self, &'static str> {
        let (scheme, rest) = url.split_once("://").ok_or("want unix://PATH or tcp://HOST:PORT")?;
        let address = |port: u16| {
            let host = rest.trim_end_matches('/');
            if host.contains('/') || host.is_empty() {
                Err("want HOST or HOST:PORT after the scheme")
            } else if host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()) {
                Ok(host.to_owned())
            } else {
                Ok(format!("{host}:{port}"))
            }
        };
        match (scheme, certificates) {
            ("unix", _) if rest.is_empty() => Ok(Self::Unix(DEFAULT_SOCKET.into())),
            ("unix", _) => Ok(Self::Unix(rest.into())),
            ("tcp" | "https", Some(certificates)) => Ok(Self::Tls { address: address(2376)?, certificates }),
            ("tcp" | "http", None) => Ok(Self::Tcp(address(2375)?)),
            ("http", Some(_)) => Err("TLS is asked for by DOCKER_TLS_VERIFY, and http:// has none: use tcp://"),
            ("https", None) => Err("set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH for TLS"),
            ("ssh", _) => Err(
                "ssh:// is not spoken: forward the socket with `ssh -L PATH:/var/run/docker.sock HOST` and set DOCKER_HOST=unix://PATH, for `--host reference`",
            ),
            ("npipe", _) => Err("npipe:// is Windows' own: dindbench needs a Linux engine"),
            _ => Err("unknown scheme: want unix://PATH or tcp://HOST:PORT"),
        }
    }

    /// Path of the engine's unix socket on its own machine, to be mounted into containers there: the one that it is
    /// reached by, else the usual one.
    pub fn socket_there(&self) -> &Path {
        match self {
            Self::Unix(path) => path,
            Self::Tcp(_) | Self::Tls { .. } => Path::new(DEFAULT_SOCKET),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp(address) => write!(f, "tcp://{address}"),
            Self::Tls { address, .. } => write!(f, "tcp://{address} (TLS)"),
        }
    }
}

impl Certificates {
    pub fn in_folder(folder: &Path) -> Self {
        Self { ca: folder.join("ca.pem"), cert: folder.join("cert.pem"), key: folder.join("key.pem") }
    }
}

fn default_endpoint() -> Found {
    Found { endpoint: Endpoint::Unix(DEFAULT_SOCKET.into()), origin: "the default socket".to_owned() }
}

#[derive(Deserialize)]
struct ContextMeta {
    #[serde(rename = "Endpoints")]
    endpoints: ContextEndpoints,
}

#[derive(Deserialize)]
struct ContextEndpoints {
    docker: ContextEndpoint,
}

#[derive(Deserialize)]
struct ContextEndpoint {
    #[serde(rename = "Host")]
    host: String,
}

fn current_context(config: &Path) -> Result<Option<String>, EndpointError> {
    #[derive(Deserialize)]
    struct Config {
        #[serde(rename = "currentContext")]
        current_context: Option<String>,
    }
    let wrong = |reason: String| EndpointError::Config { path: config.to_owned(), reason };
    match std::fs::read_to_string(config) {
        Ok(text) => {
            let config: Config = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
            Ok(config.current_context.filter(|context| !context.is_empty()))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(wrong(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(folder: &Path) -> Settings {
        Settings { config: folder.to_owned(), ..Settings::default() }
    }

    fn write_context(folder: &Path, name: &str, host: &str, tls: bool) {
        let id = hex(&Sha256::digest(name));
        let meta = folder.join("contexts/meta").join(&id);
        std::fs::create_dir_all(&meta).unwrap();
        let text = format!(r#"{{"Name":"{name}","Endpoints":{{"docker":{{"Host":"{host}","SkipTLSVerify":false}}}}}}"#);
        std::fs::write(meta.join("meta.json"), text).unwrap();
        if tls {
            std::fs::create_dir_all(folder.join("contexts/tls").join(&id).join("docker")).unwrap();
        }
    }

    #[test]
    fn docker_host_wins_over_contexts_and_contexts_over_the_default() {
        let folder = tempfile::tempdir().unwrap();
        write_context(folder.path(), "lab", "unix:///lab.sock", false);
        write_context(folder.path(), "far", "tcp://far:2376", true);
        std::fs::write(folder.path().join("config.json"), r#"{"currentContext":"far","auths":{}}"#).unwrap();
        let mut settings = settings(folder.path());

        let Endpoint::Tls { address, certificates } = settings.endpoint().unwrap().endpoint else { panic!("want TLS") };
        assert_eq!(address, "far:2376");
        assert!(certificates.ca.ends_with("docker/ca.pem"));
        settings.docker_context = Some("lab".to_owned());
        assert_eq!(settings.endpoint().unwrap().endpoint, Endpoint::Unix("/lab.sock".into()));
        settings.docker_context = Some("default".to_owned());
        assert_eq!(settings.endpoint().unwrap().endpoint, Endpoint::Unix(DEFAULT_SOCKET.into()));
        settings.docker_host = Some("tcp://10.0.0.1".to_owned());
        assert_eq!(settings.endpoint().unwrap().endpoint, Endpoint::Tcp("10.0.0.1:2375".to_owned()));
    }

    #[test]
    fn without_any_setting_it_is_the_default_socket() {
        let folder = tempfile::tempdir().unwrap();
        let found = settings(folder.path()).endpoint().unwrap();
        assert_eq!(found.endpoint, Endpoint::Unix(DEFAULT_SOCKET.into()));
        assert_eq!(found.origin, "the default socket");
    }

    #[test]
    fn a_context_that_does_not_exist_is_named_with_its_setting() {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings { docker_context: Some("nope".to_owned()), ..settings(folder.path()) };
        let error = settings.endpoint().unwrap_err().to_string();
        assert!(error.contains("DOCKER_CONTEXT") && error.contains("`nope`") && error.contains("meta.json"), "{error}");
    }

    #[test]
    fn urls() {
        let certificates = || Some(Certificates::in_folder(Path::new("/c")));
        let tls = Endpoint::Tls { address: "h:2376".to_owned(), certificates: certificates().unwrap() };
        for (url, certs, want) in [
            ("unix:///run/docker.sock", None, Ok(Endpoint::Unix("/run/docker.sock".into()))),
            ("unix://", None, Ok(Endpoint::Unix(DEFAULT_SOCKET.into()))),
            ("tcp://h:1234/", None, Ok(Endpoint::Tcp("h:1234".to_owned()))),
            ("http://h", None, Ok(Endpoint::Tcp("h:2375".to_owned()))),
            ("tcp://h", certificates(), Ok(tls)),
            ("tcp://h/path", None, Err("want HOST or HOST:PORT after the scheme")),
            ("/run/docker.sock", None, Err("want unix://PATH or tcp://HOST:PORT")),
            ("https://h", None, Err("set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH for TLS")),
        ] {
            assert_eq!(Endpoint::parse(url, certs), want, "{url}");
        }
        assert!(Endpoint::parse("ssh://h", None).unwrap_err().contains("for `--host reference`"));
    }
}
