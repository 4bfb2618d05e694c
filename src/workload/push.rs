//! `push`: an image that the job built, to the registry.

use super::{Fault, Layers, Outcome, Workplace};
use crate::case::{ErrorClass, Op};
use crate::engine::{Command, Source};
use crate::fixture;

impl Workplace<'_> {
    /// `index` is the step's place in the job.
    pub(super) async fn push(&self, index: usize, image: &str) -> Outcome {
        let target = target(index);
        // The name is given before the clock starts: it is no part of what a push moves.
        let named = self.engine.tag_image(image, &fixture::registry_name(fixture::PUSHED), &target).await;
        if let Err(error) = named {
            return Outcome { fault: Some(error.into()), ..Outcome::begun() };
        }
        let name = format!("{}:{target}", fixture::registry_name(fixture::PUSHED));
        let (mut outcome, output) = self.docker(Op::Push, &Command::new(["docker", "push", &name])).await;
        let Some(output) = output.filter(|_| outcome.fault.is_none()) else { return outcome };
        let said = output.text(Source::Stdout);
        if !said.lines().any(|line| line.starts_with(&format!("{target}: digest: sha256:"))) {
            let message = format!("docker push said that all went well, and not under which digest {name} is stored");
            outcome.fault = Some(Fault::failed(ErrorClass::BadStream, message));
            return outcome;
        }
        match self.engine.inspect_image(&name).await {
            Ok(Some(found)) => {
                let total = u32::try_from(found.layers.len()).unwrap_or(u32::MAX);
                outcome.layers = Some(Layers { total, reused: total.saturating_sub(pushed(&said)) });
                outcome.image_id = found.id;
            }
            Ok(None) => {
                let message = format!("the engine pushed {name} and has no such image");
                outcome.fault = Some(Fault::failed(ErrorClass::BadStream, message));
            }
            Err(error) => outcome.fault = Some(error.into()),
        }
        outcome
    }
}

/// The tag under which a step's image is pushed: its own, for two steps may push different images.
fn target(index: usize) -> String {
    format!("step-{index}")
}

/// Layers that the command reports as sent; one that the registry has, in this repository or in another, has another
/// line.
fn pushed(output: &str) -> u32 {
    let sent = output.lines().filter(|line| line.trim_end().ends_with(": Pushed"));
    u32::try_from(sent.count()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sent_layers_count() {
        let said = "The push refers to repository [127.0.0.1:5000/pushed]\naaa: Preparing\nbbb: Waiting\n\
            aaa: Layer already exists\nccc: Mounted from fixture\nbbb: Pushed\nstep-2: digest: sha256:1 size: 9\n";
        assert_eq!(pushed(said), 1);
    }
}
