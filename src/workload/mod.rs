//! The steps of a job, executed in a job container, and what each one's output says.

mod api;
mod base;
mod build;
mod cache;
mod context;
mod error;
mod folder;
mod printout;
mod pull;
mod push;
mod run;

use std::time::Duration;

use time::OffsetDateTime;

use crate::buildlog::{self, Instruction, Transfer};
use crate::case::{Builder, Driver, ErrorClass, Op, Status};
use crate::engine::image::Image;
use crate::engine::{Cause, Command, Engine, EngineError, Output, Patience, Source};
use crate::fixture;
use crate::scenario::{ImageRef, Step, Tool};
use crate::topology::JobContainer;

pub use cache::BuildCache;
pub use context::Contexts;
pub use error::ContextError;
pub use printout::Printout;

/// How a step went.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    pub started_at: OffsetDateTime,
    /// The step alone; also of a step that failed.
    pub elapsed: Option<Duration>,
    /// Until the builder began with the first instruction: reading and sending the context.
    pub upload: Option<Duration>,
    /// From the beginning of the image's export to the end of the build, where the builder has such a phase.
    pub export: Option<Duration>,
    /// Why the step does not count; empty where all went well.
    pub fault: Option<Fault>,
    /// The builder that ran.
    pub builder: Option<Builder>,
    /// The instructions of a build, their hits held against the engine's images.
    pub instructions: Vec<Instruction>,
    pub layers: Option<Layers>,
    /// Id of the image that was pulled, built, run or pushed; empty where there is none.
    pub image_id: String,
    /// Everything that was printed, or the parts of the step, with the time at which it was seen.
    pub events: Vec<(Duration, String, String)>,
}

/// Layers of an image that moved, and how many of them were there already: in the engine for a pull, in the registry for
/// a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layers {
    pub total: u32,
    pub reused: u32,
}

/// Why a step does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub status: Status,
    pub class: ErrorClass,
    pub message: String,
}

impl Outcome {
    pub fn begun() -> Self {
        Self {
            started_at: OffsetDateTime::now_utc(),
            elapsed: None,
            upload: None,
            export: None,
            fault: None,
            builder: None,
            instructions: Vec::new(),
            layers: None,
            image_id: String::new(),
            events: Vec::new(),
        }
    }
}

impl Fault {
    pub fn failed(class: ErrorClass, message: impl Into<String>) -> Self {
        Self { status: Status::Failed, class, message: message.into() }
    }

    pub fn invalid(message: impl Into<String>) -> Self {
        Self { status: Status::Invalid, class: ErrorClass::Expectation, message: message.into() }
    }
}

impl From<EngineError> for Fault {
    fn from(error: EngineError) -> Self {
        let (status, class) = match &error.cause {
            Cause::Timeout(_) => (Status::Timeout, ErrorClass::StepTimeout),
            Cause::Stall(_) => (Status::Timeout, ErrorClass::StallTimeout),
            Cause::Connection(_) => (Status::Failed, ErrorClass::EngineDied),
            Cause::Refused { .. } | Cause::Stream(_) | Cause::Answer(_) => (Status::Failed, ErrorClass::EngineError),
        };
        Self { status, class, message: error.to_string() }
    }
}

/// Where steps are executed, and with which limits.
#[derive(Clone)]
pub struct Workplace<'a> {
    pub job: &'a JobContainer,
    /// The engine that the job talks to, for looking at the result.
    pub engine: &'a Engine,
    pub driver: Driver,
    /// What does the steps where there is no engine; it has a command alone.
    pub tool: Option<Tool>,
    pub builder: Builder,
    /// What the job's docker command is asked to print of a build.
    pub printout: Printout,
    /// What stands before the tags of builds; see [`crate::topology::OuterHost::namespace`].
    pub namespace: String,
    /// Which of several jobs at once, where there are several.
    pub worker: Option<u32>,
    /// Whether other jobs work at the same engine meanwhile.
    pub shared: bool,
    /// What builds import and jobs export, where the topology has that.
    pub cache: Option<&'a BuildCache>,
    pub patience: Patience,
}

impl Workplace<'_> {
    /// Executes one step. `index` is its place in the job.
    pub async fn step(&self, index: usize, step: &Step) -> Outcome {
        match step {
            Step::Pull { image } => self.pull(&self.image_name(image)).await,
            Step::Build(build) => self.build(index, build).await,
            Step::Run { image, command } => self.run(&self.image_name(image), command).await,
            Step::Push { image } => self.push(index, &self.tag(image)).await,
        }
    }

    /// The name under which the job's engine finds an image.
    fn image_name(&self, image: &ImageRef) -> String {
        match image {
            ImageRef::Fixture(tag) => fixture::image_name(tag),
            ImageRef::Built(tag) => self.tag(tag),
        }
    }

    /// The name that a build gives its image.
    fn tag(&self, tag: &str) -> String {
        format!("{}{tag}", self.namespace)
    }

    /// What a pull or a push said. An error within the engine's answer is a fault.
    fn transfer(&self, op: Op, outcome: &mut Outcome, output: Option<Output>) -> Option<Transfer> {
        let said = output?.text(Source::Stdout);
        let transfer = match self.driver {
            Driver::Cli => Transfer::text(&said),
            Driver::Api => Transfer::json(said.as_bytes()),
        };
        if let Some(error) = &transfer.error {
            outcome.fault.get_or_insert_with(|| api::failure(op, None, &error.message));
        }
        Some(transfer)
    }

    /// The program that a job's commands begin with.
    fn program(&self) -> &'static str {
        self.tool.map_or("docker", Into::into)
    }

    /// The layers of an image that moved. Podman and buildah name those alike that move and those that do not.
    fn layers_moved(&self, image: &Image, transfer: &Transfer) -> Option<Layers> {
        let total = u32::try_from(image.layers.len()).unwrap_or(u32::MAX);
        let layers = Layers { total, reused: total.saturating_sub(transfer.moved) };
        self.tool.is_none().then_some(layers)
    }

    /// Executes a docker command, or that of another program; a non-zero exit code is a fault that its words explain.
    async fn docker(&self, op: Op, command: &Command) -> (Outcome, Option<Output>) {
        let mut outcome = Outcome::begun();
        let output = match self.job.exec(command, self.patience).await {
            Ok(output) => output,
            Err(error) => {
                outcome.fault = Some(error.into());
                return (outcome, None);
            }
        };
        outcome.elapsed = Some(output.elapsed);
        outcome.events = events(&output);
        if output.exit_code != 0 {
            let failure = buildlog::failure(op, Some(output.exit_code), &output.text(Source::Stderr));
            outcome.fault = Some(Fault::failed(failure.class, failure.message));
        } else if output.dropped_bytes > 0 {
            let message = format!("the step printed {} bytes more than are kept", output.dropped_bytes);
            outcome.fault = Some(Fault::failed(ErrorClass::BadStream, message));
        }
        (outcome, Some(output))
    }
}

fn events(output: &Output) -> Vec<(Duration, String, String)> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    output.chunks.iter().map(|(at, source, bytes)| (*at, source.to_string(), text(bytes))).collect()
}
