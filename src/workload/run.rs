//! `run`: a container from an image, to its end.

use super::{Outcome, Workplace};
use crate::agent::Operation;
use crate::case::{Driver, Op};
use crate::engine::Command;
use crate::scenario::Tool;

impl Workplace<'_> {
    pub(super) async fn run(&self, image: &str, command: &[String]) -> Outcome {
        let (mut outcome, _) = match self.driver {
            Driver::Cli => {
                let begin = self.run_command(image).into_iter().map(str::to_owned);
                self.docker(Op::Run, &Command::new(begin.chain(command.iter().cloned()))).await
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

    /// What stands before the command that the container is to execute.
    fn run_command<'b>(&self, image: &'b str) -> Vec<&'b str> {
        match self.tool {
            None => vec!["docker", "run", "--rm", image],
            // In the job container's network and control groups: an ordinary container may make no others.
            Some(Tool::Podman) => vec!["podman", "run", "--rm", "--network", "host", "--cgroups", "disabled", image],
            Some(Tool::Buildah) => vec!["sh", "-c", BUILDAH_RUN, image],
        }
    }
}

/// Buildah has no command for it: a container is made, used and removed. `$0` is the image, `$@` the command.
const BUILDAH_RUN: &str = "container=$(buildah from --pull-never \"$0\") || exit 125
buildah run \"$container\" -- \"$@\"; code=$?
buildah rm \"$container\" >/dev/null; exit $code";
