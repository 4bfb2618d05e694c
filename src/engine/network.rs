//! Networks of an engine.

use std::collections::{BTreeMap, HashMap};

use bollard::models::NetworkCreateRequest;
use bollard::query_parameters as query;

use super::{Engine, EngineError, Labelled, Verb};

/// The option of a bridge network that holds its packet size.
const MTU: &str = "com.docker.network.driver.mtu";

impl Engine {
    /// Creates a bridge network with the packet size of the default one: the engine's own setting holds for that alone.
    pub async fn create_network(&self, name: &str, labels: &BTreeMap<String, String>) -> Result<(), EngineError> {
        let default = self.docker.inspect_network("bridge", None::<query::InspectNetworkOptions>).await;
        let default = default.map_err(|error| self.error(Verb::Inspect, "network bridge", error.into()))?;
        let mtu = default.options.unwrap_or_default().remove(MTU);
        let request = NetworkCreateRequest {
            name: name.to_owned(),
            labels: Some(labels.clone().into_iter().collect()),
            options: mtu.map(|mtu| HashMap::from([(MTU.to_owned(), mtu)])),
            ..NetworkCreateRequest::default()
        };
        let created = self.docker.create_network(request).await;
        created.map_err(|error| self.error(Verb::Create, format!("network {name}"), error.into()))?;
        Ok(())
    }

    /// Removes a network. One that is gone already is no error.
    pub async fn remove_network(&self, name: &str) -> Result<(), EngineError> {
        let removed = self.docker.remove_network(name).await;
        match removed.map_err(|error| self.error(Verb::Remove, format!("network {name}"), error.into())) {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(()),
        }
    }

    /// All networks, or those that carry a label: name and labels.
    pub async fn networks(&self, label: Option<&str>) -> Result<Vec<Labelled>, EngineError> {
        let filters: HashMap<&str, Vec<&str>> = label.map(|label| ("label", vec![label])).into_iter().collect();
        let options = query::ListNetworksOptionsBuilder::default().filters(&filters).build();
        let list = self.docker.list_networks(Some(options)).await;
        let list = list.map_err(|error| self.error(Verb::List, "the networks", error.into()))?;
        let named = list
            .into_iter()
            .filter_map(|network| Some((network.name?, network.labels.unwrap_or_default().into_iter().collect())));
        Ok(named.collect())
    }
}
