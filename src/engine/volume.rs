//! Volumes of an engine.

use std::collections::{BTreeMap, HashMap};

use bollard::models::VolumeCreateRequest;
use bollard::query_parameters as query;

use super::{Engine, EngineError, Labelled, Verb};

impl Engine {
    /// Returns the folder on the engine's host that the volume is.
    pub async fn create_volume(&self, name: &str, labels: &BTreeMap<String, String>) -> Result<String, EngineError> {
        let config = VolumeCreateRequest {
            name: Some(name.to_owned()),
            labels: Some(labels.clone().into_iter().collect()),
            ..VolumeCreateRequest::default()
        };
        let created = self.docker.create_volume(config).await;
        let volume = created.map_err(|error| self.error(Verb::Create, format!("volume {name}"), error.into()))?;
        Ok(volume.mountpoint)
    }

    /// Removes a volume. One that is gone already is no error.
    pub async fn remove_volume(&self, name: &str) -> Result<(), EngineError> {
        let removed = self.docker.remove_volume(name, None::<query::RemoveVolumeOptions>).await;
        match removed.map_err(|error| self.error(Verb::Remove, format!("volume {name}"), error.into())) {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(()),
        }
    }

    /// All volumes, or those that carry a label: name and labels.
    pub async fn volumes(&self, label: Option<&str>) -> Result<Vec<Labelled>, EngineError> {
        let filters: HashMap<&str, Vec<&str>> = label.map(|label| ("label", vec![label])).into_iter().collect();
        let options = query::ListVolumesOptionsBuilder::default().filters(&filters).build();
        let list = self
            .docker
            .list_volumes(Some(options))
            .await
            .map_err(|error| self.error(Verb::List, "the volumes", error.into()))?;
        let volumes = list.volumes.unwrap_or_default().into_iter();
        Ok(volumes.map(|volume| (volume.name, volume.labels.into_iter().collect())).collect())
    }
}
