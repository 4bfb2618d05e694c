//! `run`: a container from an image, to its end.

use super::{Outcome, Workplace};
use crate::case::Op;
use crate::engine::Command;

impl Workplace<'_> {
    pub(super) async fn run(&self, image: &str, command: &[String]) -> Outcome {
        let docker = ["docker", "run", "--rm", image].map(str::to_owned).into_iter();
        let (mut outcome, _) = self.docker(Op::Run, &Command::new(docker.chain(command.iter().cloned()))).await;
        if outcome.fault.is_none() {
            match self.engine.inspect_image(image).await {
                Ok(found) => outcome.image_id = found.map(|image| image.id).unwrap_or_default(),
                Err(error) => outcome.fault = Some(error.into()),
            }
        }
        outcome
    }
}
