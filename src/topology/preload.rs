//! Images that an inner engine is given before a job, out of the outer one, as `docker save` and `docker load` do it.

use super::error::{Death, TopologyError, last_error_line};
use super::{OuterHost, SOCKET};
use crate::engine::{ContainerSpec, EngineError, Mount};

/// Where the inner engine's socket is, beside the outer one's.
const FOLDER: &str = "/run/inner";

/// What an engine has is not loaded again. A pipe tells how its last command ended: so the image is asked for at the end.
const SCRIPT: &str = r#"
inner="docker --host unix:///run/inner/docker.sock"
for image in "$@"; do
    $inner image inspect "$image" >/dev/null 2>&1 && continue
    docker save "$image" | $inner load >/dev/null
    $inner image inspect "$image" >/dev/null || exit 1
done
"#;

/// Gives the outer engine the images: that it has them is what the topology is about.
pub(super) async fn provide(host: &OuterHost, images: &[String]) -> Result<(), EngineError> {
    for image in images {
        host.engine.provide(image).await?;
    }
    Ok(())
}

/// Loads the images that an engine has not, in a container with the sockets of both.
pub(super) async fn load(host: &OuterHost, images: &[String], volume: &str) -> Result<(), TopologyError> {
    let (outer, container) = (&host.engine, host.name("preload"));
    let command = ["sh", "-c", SCRIPT, "preload"].map(str::to_owned);
    let spec = ContainerSpec {
        name: container.clone(),
        image: host.image.clone(),
        command: command.into_iter().chain(images.iter().cloned()).collect(),
        environment: vec![format!("DOCKER_HOST=unix://{SOCKET}"), "HOME=/root".to_owned()],
        labels: host.labels("preload"),
        mounts: vec![host.socket.clone(), Mount::Volume { name: volume.to_owned(), target: FOLDER.to_owned() }],
        ..ContainerSpec::default()
    };
    match outer.chore(&spec).await? {
        (0, _) => Ok(()),
        (code, said) => {
            Err(TopologyError::Died(Death { container, exit_code: Some(code), last_line: last_error_line(&said) }))
        }
    }
}
