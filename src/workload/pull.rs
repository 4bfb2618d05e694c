//! `pull`: an image from the registry.

use super::{Fault, Outcome, Workplace};
use crate::agent::Operation;
use crate::case::{Driver, ErrorClass, Op};
use crate::engine::Command;

impl Workplace<'_> {
    pub(super) async fn pull(&self, image: &str) -> Outcome {
        let (mut outcome, output) = match self.driver {
            Driver::Cli => self.docker(Op::Pull, &Command::new([self.program(), "pull", image])).await,
            Driver::Api => self.operate(Op::Pull, &Operation::Pull { image: image.to_owned() }).await,
        };
        let transfer = self.transfer(Op::Pull, &mut outcome, output);
        let Some(transfer) = transfer.filter(|_| outcome.fault.is_none()) else { return outcome };
        match self.engine.inspect_image(image).await {
            Ok(Some(found)) => {
                outcome.layers = self.layers_moved(&found, &transfer);
                outcome.image_id = found.id;
            }
            Ok(None) => {
                let message = format!("the pull said that all went well, and the engine has no image {image}");
                outcome.fault = Some(Fault::failed(ErrorClass::BadStream, message));
            }
            Err(error) => outcome.fault = Some(error.into()),
        }
        outcome
    }
}
