//! `run`: a container from an image, to its end.

use super::{Outcome, Workplace};
use crate::agent::Operation;
use crate::case::{Driver, Op};
use crate::engine::Command;

impl Workplace<'_> {
    pub(super) async fn run(&self, image: &str, command: &[String]) -> Outcome {
        let (mut outcome, _) = match self.driver {
            Driver::Cli => {
                let docker = ["docker", "run", "--rm", image].map(str::to_owned).into_iter();
                self.docker(Op::Run, &Command::new(docker.chain(command.iter().cloned()))).await
            }
            Driver::Api => {
                let operation = Operation::Run { image: image.to_owned(), command: command.to_vec() };
                self.operate(Op::Run, &operation).await
            }
        };
        if outcome.fault.is_none() {
            match self.engine.inspect_image(image).await {
                Ok(found) => outcome.image_id = found.map(|image| image.id).unwrap_or_default(),
                Err(error) => outcome.fault = Some(error.into()),
            }
        }
        outcome
    }
}
