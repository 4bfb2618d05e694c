//! Containers: what one is made of, and its verbs.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use bollard::models::{
    ContainerCreateBody, EndpointSettings, HostConfig, HostConfigLogConfig, MountBindOptions, MountType,
    NetworkingConfig,
};
use bollard::query_parameters as query;
use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt};

use crate::scenario::Bounds;

use super::{Cause, Engine, EngineError, Labelled, Patience, Powers, Verb};

/// Everything that a container is created with; by default nothing beyond what every container has.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ContainerSpec {
    pub name: String,
    pub image: String,
    pub command: Vec<String>,
    /// `NAME=VALUE`.
    pub environment: Vec<String>,
    pub labels: BTreeMap<String, String>,
    pub mounts: Vec<Mount>,
    pub network: Network,
    /// Empty for an ordinary container.
    pub powers: Option<Powers>,
    pub bounds: Bounds,
    /// A container that lives only as long as the client that holds its standard input, and is removed with its end.
    pub dead_man: bool,
}

fn unlogged() -> HostConfigLogConfig {
    HostConfigLogConfig { typ: Some("none".to_owned()), config: None }
}

/// The network namespace of a container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Network {
    /// One of its own, on the engine's default bridge.
    #[default]
    Bridge,
    /// One of its own, on a network of this name, where others find it by the container's alias.
    Named { name: String, alias: Option<String> },
    /// That of the engine's host.
    Host,
}

/// A mount that refuses a missing source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mount {
    Bind {
        source: String,
        target: String,
        read_only: bool,
    },
    Volume {
        name: String,
        target: String,
    },
    /// Memory, in which programs can be executed as on a disk.
    Memory {
        target: String,
    },
    /// The root file system of the engine's host, read-only, without what is mounted below it.
    HostRoot {
        target: String,
    },
}

/// How a container ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exit {
    pub code: i64,
    pub out_of_memory: bool,
}

impl Engine {
    /// Creates a container; it is not started.
    pub async fn create_container(&self, spec: &ContainerSpec) -> Result<(), EngineError> {
        let options = query::CreateContainerOptionsBuilder::default().name(&spec.name).build();
        self.docker
            .create_container(Some(options), spec.body())
            .await
            .map_err(|error| self.error(Verb::Create, format!("container {}", spec.name), error.into()))?;
        Ok(())
    }

    pub async fn start_container(&self, name: &str) -> Result<(), EngineError> {
        self.docker
            .start_container(name, None::<query::StartContainerOptions>)
            .await
            .map_err(|error| self.error(Verb::Start, format!("container {name}"), error.into()))
    }

    /// Asks a container to stop, and kills it where it has not ended after a grace period. One that has ended already is
    /// no error.
    pub async fn stop_container(&self, name: &str, grace: Duration) -> Result<(), EngineError> {
        let seconds = i32::try_from(grace.as_secs()).unwrap_or(i32::MAX);
        let options = query::StopContainerOptionsBuilder::default().t(seconds).build();
        self.docker
            .stop_container(name, Some(options))
            .await
            .map_err(|error| self.error(Verb::Stop, format!("container {name}"), error.into()))
    }

    /// Returns when the container has ended, with its exit code.
    pub async fn wait_container(&self, name: &str) -> Result<i64, EngineError> {
        let wrap = |cause| self.error(Verb::Wait, format!("container {name}"), cause);
        let mut answers = self.docker.wait_container(name, None::<query::WaitContainerOptions>);
        match answers.next().await {
            Some(Ok(answer)) => Ok(answer.status_code),
            Some(Err(bollard::errors::Error::DockerContainerWaitError { code, .. })) => Ok(code),
            Some(Err(error)) => Err(wrap(error.into())),
            None => Err(wrap(Cause::Connection("the answer was empty".to_owned()))),
        }
    }

    /// Runs a container to its end and removes it; returns its exit code and its last lines. One that does not end in a chore's
    /// time is left as it is.
    pub async fn chore(&self, spec: &ContainerSpec) -> Result<(i64, String), EngineError> {
        const LINES: u32 = 50;
        self.create_container(spec).await?;
        self.start_container(&spec.name).await?;
        let ended = Patience::SILENT_CHORE.start().bound(self.wait_container(&spec.name)).await;
        let code = ended.map_err(|cause| self.error(Verb::Wait, format!("container {}", spec.name), cause))??;
        let said = self.last_lines(&spec.name, LINES).await?;
        self.remove_container(&spec.name).await?;
        Ok((code, said))
    }

    /// The first process of a container, as the engine's own processes see it; empty where it does not run.
    pub async fn process_of(&self, name: &str) -> Result<Option<u32>, EngineError> {
        let answer = self.docker.inspect_container(name, None::<query::InspectContainerOptions>).await;
        let answer = answer.map_err(|error| self.error(Verb::Inspect, format!("container {name}"), error.into()))?;
        let pid = answer.state.and_then(|state| state.pid).and_then(|pid| u32::try_from(pid).ok());
        Ok(pid.filter(|pid| *pid > 0))
    }

    /// How a container ended; empty while it runs.
    pub async fn exit_of(&self, name: &str) -> Result<Option<Exit>, EngineError> {
        let answer = self
            .docker
            .inspect_container(name, None::<query::InspectContainerOptions>)
            .await
            .map_err(|error| self.error(Verb::Inspect, format!("container {name}"), error.into()))?;
        let state = answer.state.unwrap_or_default();
        if state.running == Some(true) || state.status == Some(bollard::models::ContainerStateStatusEnum::CREATED) {
            return Ok(None);
        }
        Ok(Some(Exit { code: state.exit_code.unwrap_or(-1), out_of_memory: state.oom_killed == Some(true) }))
    }

    /// The last lines that a container printed, standard output and error together.
    pub async fn last_lines(&self, name: &str, lines: u32) -> Result<String, EngineError> {
        let wrap =
            |error: bollard::errors::Error| self.error(Verb::ReadLogs, format!("container {name}"), error.into());
        let options = query::LogsOptionsBuilder::default().stdout(true).stderr(true).tail(&lines.to_string()).build();
        let chunks: Vec<_> = self.docker.logs(name, Some(options)).try_collect().await.map_err(wrap)?;
        Ok(chunks.into_iter().map(|chunk| String::from_utf8_lossy(&chunk.into_bytes()).into_owned()).collect())
    }

    /// Removes a container with its anonymous volumes, running or not. One that is gone already is no error.
    pub async fn remove_container(&self, name: &str) -> Result<(), EngineError> {
        let options = query::RemoveContainerOptionsBuilder::default().force(true).v(true).build();
        let removed = self.docker.remove_container(name, Some(options)).await;
        match removed.map_err(|error| self.error(Verb::Remove, format!("container {name}"), error.into())) {
            Err(error) if error.is_not_found() => Ok(()),
            // An automatic removal is under way: it is over when the container is gone.
            Err(error) if error.status() == Some(409) => self.await_removal(name).await,
            other => other,
        }
    }

    async fn await_removal(&self, name: &str) -> Result<(), EngineError> {
        let options = query::WaitContainerOptionsBuilder::default().condition("removed").build();
        let mut answers = self.docker.wait_container(name, Some(options));
        let gone = tokio::time::timeout(Duration::from_secs(30), answers.next());
        match gone.await {
            Ok(_) => Ok(()),
            Err(_) => {
                let cause = Cause::Timeout(Duration::from_secs(30));
                Err(self.error(Verb::Remove, format!("container {name}"), cause))
            }
        }
    }

    /// All containers, or those that carry a label, `stopped` ones too where that is wanted: name and labels.
    pub async fn containers(&self, label: Option<&str>, stopped: bool) -> Result<Vec<Labelled>, EngineError> {
        let filters: HashMap<&str, Vec<&str>> = label.map(|label| ("label", vec![label])).into_iter().collect();
        let options = query::ListContainersOptionsBuilder::default().all(stopped).filters(&filters).build();
        let list = self
            .docker
            .list_containers(Some(options))
            .await
            .map_err(|error| self.error(Verb::List, "the containers", error.into()))?;
        let named = list.into_iter().filter_map(|container| {
            let name = container.names?.into_iter().next()?.trim_start_matches('/').to_owned();
            Some((name, container.labels.unwrap_or_default().into_iter().collect()))
        });
        Ok(named.collect())
    }

    /// A path of a container as a tar stream.
    pub fn copy_out(
        &self,
        container: &str,
        path: &str,
    ) -> impl Stream<Item = Result<Bytes, EngineError>> + Send + use<> {
        let options = query::DownloadFromContainerOptionsBuilder::default().path(path).build();
        let (engine, object) = (self.clone(), format!("{container}:{path}"));
        self.docker
            .download_from_container(container, Some(options))
            .map_err(move |error| engine.error(Verb::CopyOut, object.as_str(), error.into()))
    }

    /// Unpacks a tar stream below an existing folder of a container.
    pub async fn copy_in(
        &self,
        container: &str,
        folder: &str,
        tar: impl Stream<Item = std::io::Result<Bytes>> + Send + 'static,
    ) -> Result<(), EngineError> {
        let options = query::UploadToContainerOptionsBuilder::default().path(folder).build();
        let upload = self.docker.upload_to_container(container, Some(options), bollard::body_try_stream(tar));
        let wrap = |cause| self.error(Verb::CopyIn, format!("{container}:{folder}"), cause);
        Patience::SILENT_CHORE.start().bound(upload).await.map_err(wrap)?.map_err(|error| wrap(error.into()))
    }
}

impl ContainerSpec {
    fn body(&self) -> ContainerCreateBody {
        let mut host = HostConfig {
            mounts: Some(self.mounts.iter().filter_map(Mount::body).collect()),
            tmpfs: self.memory(),
            auto_remove: Some(self.dead_man),
            // Read as it comes, its output needs no second copy; of an image's layer that would be several times its size.
            log_config: self.dead_man.then(unlogged),
            // A reaper as first process: engines leave orphans behind that dindbench does not wait for.
            init: Some(true),
            // Of a host that labels, a confined container may read no file, and by some policies it may not even execute the
            // engine's own reaper. A job gets no option that CI would not give it.
            security_opt: self.dead_man.then(|| vec!["label=disable".to_owned()]),
            ..HostConfig::default()
        };
        host.network_mode = match &self.network {
            Network::Bridge => None,
            Network::Named { name, .. } => Some(name.clone()),
            Network::Host => Some("host".to_owned()),
        };
        host.nano_cpus = self.bounds.cpus.map(|cpus| (cpus * 1e9).round() as i64);
        host.memory = self.bounds.memory_bytes.map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX));
        // As much with swap as without: none.
        host.memory_swap = host.memory;
        if let Some(powers) = self.powers {
            powers.apply(&mut host);
        }
        ContainerCreateBody {
            image: Some(self.image.clone()),
            cmd: Some(self.command.clone()),
            // The image's own entry point has no say in what we start.
            entrypoint: Some(Vec::new()),
            env: Some(self.environment.clone()),
            labels: Some(self.labels.clone().into_iter().collect()),
            open_stdin: Some(self.dead_man),
            stdin_once: Some(self.dead_man),
            attach_stdin: Some(self.dead_man),
            attach_stdout: Some(self.dead_man),
            attach_stderr: Some(self.dead_man),
            host_config: Some(host),
            networking_config: self.network.body(),
            ..ContainerCreateBody::default()
        }
    }
}

impl Network {
    /// An alias belongs to the end of the network in the container.
    fn body(&self) -> Option<NetworkingConfig> {
        let Self::Named { name, alias: Some(alias) } = self else { return None };
        let endpoint = EndpointSettings { aliases: Some(vec![alias.clone()]), ..EndpointSettings::default() };
        Some(NetworkingConfig { endpoints_config: Some(HashMap::from([(name.clone(), endpoint)])) })
    }
}

impl ContainerSpec {
    /// As a list of its own: only there can options be given, and without them nothing could be executed.
    fn memory(&self) -> Option<HashMap<String, String>> {
        let targets = self.mounts.iter().filter_map(|mount| match mount {
            Mount::Memory { target } => Some((target.clone(), "rw,exec,suid,dev".to_owned())),
            Mount::Bind { .. } | Mount::Volume { .. } | Mount::HostRoot { .. } => None,
        });
        let targets: HashMap<String, String> = targets.collect();
        (!targets.is_empty()).then_some(targets)
    }
}

impl Mount {
    fn body(&self) -> Option<bollard::models::Mount> {
        let mount = |kind, source: &str, target: &str, read_only| bollard::models::Mount {
            typ: Some(kind),
            source: Some(source.to_owned()),
            target: Some(target.to_owned()),
            read_only: Some(read_only),
            ..bollard::models::Mount::default()
        };
        match self {
            Self::Bind { source, target, read_only } => Some(mount(MountType::BIND, source, target, *read_only)),
            Self::Volume { name, target } => Some(mount(MountType::VOLUME, name, target, false)),
            Self::Memory { .. } => None,
            Self::HostRoot { target } => Some(bollard::models::Mount {
                bind_options: Some(MountBindOptions { non_recursive: Some(true), ..MountBindOptions::default() }),
                ..mount(MountType::BIND, "/", target, true)
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_has_no_label_of_its_host_and_a_job_no_option() {
        let options = |dead_man| {
            let body = ContainerSpec { dead_man, ..ContainerSpec::default() }.body();
            body.host_config.and_then(|host| host.security_opt)
        };
        assert_eq!(options(true), Some(vec!["label=disable".to_owned()]));
        assert_eq!(options(false), None);
    }
}
