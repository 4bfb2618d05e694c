//! `dind-service`: an inner engine in a service container, which jobs reach over a network of their own.

use super::OuterHost;
use super::job::Access;
use crate::agent::ServiceConfig;
use crate::engine::{Engine, EngineError, Mount, Network};
use crate::scenario::Service;

/// The name that jobs call the engine by.
const NAME: &str = "docker";
const PLAIN_PORT: u16 = 2375;
const TLS_PORT: u16 = 2376;
/// Where the clients' certificates are, in the engine's container and in the job's.
const CERTIFICATES_FOLDER: &str = "/certs/client";

/// What the engine is to do besides.
pub(super) fn config(service: Service) -> ServiceConfig {
    match service.tls {
        true => ServiceConfig { port: TLS_PORT, tls: Some((NAME.to_owned(), CERTIFICATES_FOLDER.into())) },
        false => ServiceConfig { port: PLAIN_PORT, tls: None },
    }
}

/// What goes with an engine in a service container: the network that its jobs are in, and their certificates.
#[derive(Debug)]
pub(super) struct ServiceNetwork {
    network: String,
    /// The volume that holds the clients' side; none without TLS.
    certificates: Option<String>,
}

impl ServiceNetwork {
    /// Its engine's container is to be created in it.
    pub async fn create(host: &OuterHost, service: Service) -> Result<Self, EngineError> {
        let network = host.name("network");
        host.engine.create_network(&network, &host.labels("network")).await?;
        let mut parts = Self { network, certificates: None };
        if service.tls {
            let volume = host.name("certificates");
            host.engine.create_volume(&volume, &host.labels("certificates")).await?;
            parts.certificates = Some(volume);
        }
        Ok(parts)
    }

    /// The network as the engine's container is in it.
    pub fn of_engine(&self) -> Network {
        Network::Named { name: self.network.clone(), alias: Some(NAME.to_owned()) }
    }

    pub fn certificates(&self) -> Option<&String> {
        self.certificates.as_ref()
    }

    pub fn certificates_mount(&self) -> Option<Mount> {
        let name = self.certificates.clone()?;
        Some(Mount::Volume { name, target: CERTIFICATES_FOLDER.to_owned() })
    }

    /// How a job in this network reaches the engine.
    pub fn access(&self) -> Access {
        let port = if self.certificates.is_some() { TLS_PORT } else { PLAIN_PORT };
        let mut environment = vec![format!("DOCKER_HOST=tcp://{NAME}:{port}")];
        if self.certificates.is_some() {
            environment.push("DOCKER_TLS_VERIFY=1".to_owned());
            environment.push(format!("DOCKER_CERT_PATH={CERTIFICATES_FOLDER}"));
        }
        let mounts = self.certificates_mount().into_iter().collect();
        let network = Network::Named { name: self.network.clone(), alias: None };
        Access { mounts, environment, network }
    }

    /// Removes both; no container is left in the network.
    pub async fn remove(&self, outer: &Engine) -> Result<(), EngineError> {
        if let Some(certificates) = &self.certificates {
            outer.remove_volume(certificates).await?;
        }
        outer.remove_network(&self.network).await
    }
}
