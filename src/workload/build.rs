//! `build`: an image from a context, by the classic builder.

use std::collections::HashSet;

use super::{Fault, Outcome, Workplace, api, context};
use crate::agent::Operation;
use crate::buildlog::{ClassicBuild, ClassicLog};
use crate::case::{Builder, Driver, ErrorClass, Op};
use crate::engine::{BuildRequest, Command, EngineError, Output, Source};
use crate::scenario::Build;

impl Workplace<'_> {
    pub(super) async fn build(&self, index: usize, build: &Build) -> Outcome {
        let before = match self.engine.image_ids().await {
            Ok(before) => before,
            Err(error) => return Outcome { fault: Some(error.into()), ..Outcome::begun() },
        };
        let (mut outcome, output) = match self.driver {
            Driver::Cli => self.docker(Op::Build, &self.build_command(index, build)).await,
            Driver::Api => self.operate(Op::Build, &self.build_operation(index, build)).await,
        };
        let Some(output) = output else { return outcome };
        let log = read(self.driver, &output);
        if let Some(error) = &log.error {
            outcome.fault.get_or_insert_with(|| api::failure(Op::Build, None, &error.message));
        }
        outcome.upload = log.upload;
        if log.steps.is_some() {
            outcome.builder = Some(Builder::Classic);
        }
        if outcome.fault.is_none() {
            outcome.fault = self.confirm(&mut outcome, &log, &self.tag(&build.tag), &before).await.err();
        }
        outcome
    }

    fn build_command(&self, index: usize, build: &Build) -> Command {
        let mut arguments: Vec<String> =
            ["docker", "build", "--file", &build.file, "--tag", &self.tag(&build.tag)].map(str::to_owned).to_vec();
        for (name, value) in &build.args {
            arguments.extend(["--build-arg".to_owned(), format!("{name}={value}")]);
        }
        if let Some(target) = &build.target {
            arguments.extend(["--target".to_owned(), target.clone()]);
        }
        arguments.push(".".to_owned());
        let environment = match self.builder {
            // The command decides for itself.
            Builder::Auto => Vec::new(),
            Builder::Classic => vec!["DOCKER_BUILDKIT=0".to_owned()],
            Builder::Buildkit => vec!["DOCKER_BUILDKIT=1".to_owned()],
        };
        Command { arguments, environment, working_dir: Some(context::folder(index)) }
    }

    fn build_operation(&self, index: usize, build: &Build) -> Operation {
        let request = BuildRequest {
            file: build.file.clone(),
            tag: self.tag(&build.tag),
            args: build.args.clone(),
            target: build.target.clone(),
            buildkit: self.builder == Builder::Buildkit,
        };
        Operation::Build { folder: context::folder(index).into(), request }
    }

    /// Holds what the build printed against the images that the engine has.
    async fn confirm(
        &self,
        outcome: &mut Outcome,
        log: &ClassicBuild,
        tag: &str,
        before: &HashSet<String>,
    ) -> Result<(), Fault> {
        if log.steps.is_none() {
            let message = "the docker command did not build with the classic builder, and reading BuildKit's output is not \
                built yet: set builder = \"classic\"";
            return Err(Fault::failed(ErrorClass::WrongBuilder, message));
        }
        let ancestry = self.engine.ancestry(tag).await.map_err(|error: EngineError| Fault::from(error))?;
        outcome.image_id = ancestry.last().cloned().unwrap_or_default();
        outcome.instructions =
            log.verify(before, &ancestry).map_err(|mismatch| Fault::invalid(mismatch.to_string()))?;
        Ok(())
    }
}

fn read(driver: Driver, output: &Output) -> ClassicBuild {
    let mut log = ClassicLog::default();
    for (at, _, bytes) in output.chunks.iter().filter(|(_, source, _)| *source == Source::Stdout) {
        match driver {
            Driver::Cli => log.text(*at, bytes),
            Driver::Api => log.json(*at, bytes),
        }
    }
    log.finish()
}
