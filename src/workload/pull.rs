//! `pull`: an image from the registry.

use super::{Fault, Layers, Outcome, Workplace};
use crate::case::{ErrorClass, Op};
use crate::engine::{Command, Source};

impl Workplace<'_> {
    pub(super) async fn pull(&self, image: &str) -> Outcome {
        let (mut outcome, output) = self.docker(Op::Pull, &Command::new(["docker", "pull", image])).await;
        let Some(output) = output.filter(|_| outcome.fault.is_none()) else { return outcome };
        match self.engine.inspect_image(image).await {
            Ok(Some(found)) => {
                let total = u32::try_from(found.layers.len()).unwrap_or(u32::MAX);
                outcome.layers =
                    Some(Layers { total, reused: total.saturating_sub(pulled(&output.text(Source::Stdout))) });
                outcome.image_id = found.id;
            }
            Ok(None) => {
                let message = format!("docker pull said that all went well, and the engine has no image {image}");
                outcome.fault = Some(Fault::failed(ErrorClass::BadStream, message));
            }
            Err(error) => outcome.fault = Some(error.into()),
        }
        outcome
    }
}

/// Layers that the command reports as fetched; one that was there already has another line, and none at all where
/// the image was up to date.
fn pulled(output: &str) -> u32 {
    let fetched = output.lines().filter(|line| line.trim_end().ends_with(": Pull complete"));
    u32::try_from(fetched.count()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_fetched_layers_count() {
        let cold = "base: Pulling from fixture\naaa: Pulling fs layer\nbbb: Already exists\naaa: Download complete\n\
            aaa: Pull complete\nDigest: sha256:1\nStatus: Downloaded newer image for r/fixture:base\n";
        assert_eq!(pulled(cold), 1);
        assert_eq!(pulled("Status: Image is up to date for r/fixture:base\n"), 0);
    }
}
