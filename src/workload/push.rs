//! `push`: an image that the job built, to the registry.

use super::{Fault, Outcome, Workplace};
use crate::agent::Operation;
use crate::buildlog::Transfer;
use crate::case::{Driver, ErrorClass, Op};
use crate::engine::Command;
use crate::fixture;

impl Workplace<'_> {
    /// `index` is the step's place in the job.
    pub(super) async fn push(&self, index: usize, image: &str) -> Outcome {
        let target = self.target(index);
        // The name is given before the clock starts: it is no part of what a push moves.
        let named = self.engine.tag_image(image, &fixture::registry_name(fixture::PUSHED), &target).await;
        if let Err(error) = named {
            return Outcome { fault: Some(error.into()), ..Outcome::begun() };
        }
        let name = format!("{}:{target}", fixture::registry_name(fixture::PUSHED));
        let (mut outcome, transfer) = self.send(&name).await;
        let Some(transfer) = transfer.filter(|_| outcome.fault.is_none()) else { return outcome };
        if self.tool.is_none() && !transfer.digest.as_ref().is_some_and(|line| line.starts_with(&format!("{target}: ")))
        {
            let message = format!("the push said that all went well, and not under which digest {name} is stored");
            outcome.fault = Some(Fault::failed(ErrorClass::BadStream, message));
            return outcome;
        }
        match self.engine.inspect_image(&name).await {
            Ok(Some(found)) => {
                outcome.layers = self.layers_moved(&found, &transfer);
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

    /// The tag under which a step's image is pushed: its own, for two steps may push different images, and jobs at once
    /// have one registry.
    fn target(&self, index: usize) -> String {
        self.own(format!("step-{index}"))
    }

    /// A tag of this worker's.
    pub(super) fn own(&self, tag: String) -> String {
        self.worker.map_or(tag.clone(), |worker| format!("worker-{worker}-{tag}"))
    }

    pub(super) async fn send(&self, name: &str) -> (Outcome, Option<Transfer>) {
        let (mut outcome, output) = match self.driver {
            Driver::Cli => self.docker(Op::Push, &Command::new([self.program(), "push", name])).await,
            Driver::Api => self.operate(Op::Push, &Operation::Push { image: name.to_owned() }).await,
        };
        let transfer = self.transfer(Op::Push, &mut outcome, output);
        (outcome, transfer)
    }
}
