//! A container from its creation to its removal, as `docker run --rm` does it.

use bollard::container::LogOutput;
use bollard::models::{ContainerCreateBody, HostConfig};
use bollard::query_parameters as query;
use bytes::Bytes;
use futures_util::StreamExt;

use super::{Cause, Engine, EngineError, Source, Verb};

impl Engine {
    /// Runs a command in a container of its own; an empty one is the image's. Output is handed on as it comes. Returns the
    /// exit code when the engine has removed the container.
    pub async fn run(
        &self,
        image: &str,
        command: &[String],
        mut each: impl FnMut(Source, Bytes),
    ) -> Result<i64, EngineError> {
        let wrap = |error: bollard::errors::Error| self.error(Verb::Run, format!("image {image}"), error.into());
        let body = ContainerCreateBody {
            image: Some(image.to_owned()),
            cmd: (!command.is_empty()).then(|| command.to_vec()),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            host_config: Some(HostConfig { auto_remove: Some(true), ..HostConfig::default() }),
            ..ContainerCreateBody::default()
        };
        let created = self.docker.create_container(None::<query::CreateContainerOptions>, body).await.map_err(wrap)?;
        // Attached before the start, so that no output is lost; the wait begins before it for the same reason.
        let attach = query::AttachContainerOptionsBuilder::default().stdout(true).stderr(true).stream(true).build();
        let mut output = self.docker.attach_container(&created.id, Some(attach)).await.map_err(wrap)?.output;
        let removed = query::WaitContainerOptionsBuilder::default().condition("removed").build();
        let mut ended = self.docker.wait_container(&created.id, Some(removed));
        let start = async {
            self.docker.start_container(&created.id, None::<query::StartContainerOptions>).await.map_err(wrap)?;
            while let Some(chunk) = output.next().await {
                match chunk.map_err(wrap)? {
                    LogOutput::StdErr { message } => each(Source::Stderr, message),
                    other => each(Source::Stdout, other.into_bytes()),
                }
            }
            Ok::<_, EngineError>(())
        };
        // A container that cannot be started is removed by the engine, and its wait can go on for ever.
        let (ended, ()) = tokio::try_join!(async { Ok(ended.next().await) }, start)?;
        match ended {
            Some(Ok(answer)) => Ok(answer.status_code),
            Some(Err(bollard::errors::Error::DockerContainerWaitError { code, .. })) => Ok(code),
            Some(Err(error)) => Err(wrap(error)),
            None => Err(self.error(
                Verb::Run,
                format!("image {image}"),
                Cause::Connection("the answer was empty".to_owned()),
            )),
        }
    }
}
