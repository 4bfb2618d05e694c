//! `build`: an image from a context, by either builder.

use std::collections::{BTreeMap, HashSet};

use super::{Fault, Outcome, Printout, Workplace, api, context, printout};
use crate::agent::Operation;
use crate::buildlog::{
    self, BuildahBuild, BuildahLog, BuildkitBuild, BuildkitLog, ClassicBuild, ClassicLog, StreamError,
};
use crate::case::{Builder, Driver, ErrorClass, Op};
use crate::engine::image::Image;
use crate::engine::{BuildRequest, Command, EngineError, Output, Source};
use crate::scenario::Build;

/// A build as the builder that ran told of it.
enum Told {
    Classic(ClassicBuild),
    Buildkit(BuildkitBuild),
    Buildah(BuildahBuild),
}

impl Workplace<'_> {
    pub(super) async fn build(&self, index: usize, build: &Build) -> Outcome {
        if let Some(fault) = self.without_cache() {
            return Outcome { fault: Some(fault), ..Outcome::begun() };
        }
        let before = match self.engine.image_ids().await {
            Ok(before) => before,
            Err(error) => return Outcome { fault: Some(error.into()), ..Outcome::begun() },
        };
        let (mut outcome, output) = match self.driver {
            Driver::Cli => self.docker(Op::Build, &self.build_command(index, build)).await,
            Driver::Api => self.operate(Op::Build, &self.build_operation(index, build)).await,
        };
        let Some(output) = output else { return outcome };
        let told = self.read(&output);
        match &told {
            Some(Told::Classic(log)) => {
                outcome.builder = Some(Builder::Classic);
                outcome.upload = log.upload;
                self.blame(&mut outcome, log.error.as_ref());
            }
            Some(Told::Buildkit(log)) => {
                outcome.builder = Some(Builder::Buildkit);
                outcome.upload = log.upload;
                outcome.export = log.exporting.and_then(|began| output.elapsed.checked_sub(began));
                // Among its lines on stderr are those of RUN output: they say nothing of why it failed.
                if output.exit_code != 0 {
                    let failure = buildlog::failure(Op::Build, Some(output.exit_code), &log.said);
                    outcome.fault = Some(Fault::failed(failure.class, failure.message));
                }
                self.blame(&mut outcome, log.error.as_ref());
            }
            Some(Told::Buildah(_)) => {
                outcome.builder = Some(Builder::Buildah);
                if output.exit_code != 0 {
                    let failure = buildlog::buildah_failure(output.exit_code, &output.text(Source::Stderr));
                    outcome.fault = Some(Fault::failed(failure.class, failure.message));
                }
            }
            None => {}
        }
        if outcome.fault.is_none() {
            outcome.fault = self.confirm(&mut outcome, told, index, &self.tag(&build.tag), &before).await.err();
        }
        outcome
    }

    /// Where the job has the context of its step at this index.
    fn folder(&self, index: usize) -> String {
        self.job.path(&context::folder_name(index))
    }

    fn build_command(&self, index: usize, build: &Build) -> Command {
        let mut arguments: Vec<String> =
            [self.program(), "build", "--file", &build.file, "--tag", &self.tag(&build.tag)]
                .map(str::to_owned)
                .to_vec();
        for (name, value) in &build.args {
            arguments.extend(["--build-arg".to_owned(), format!("{name}={value}")]);
        }
        if let Some(target) = &build.target {
            arguments.extend(["--target".to_owned(), target.clone()]);
        }
        if self.tool.is_some() {
            // Buildah alone keeps no cache where it is not asked to.
            arguments.push("--layers".to_owned());
        }
        arguments.extend(self.cache_options(index).arguments);
        arguments.extend(self.printout.option().map(str::to_owned));
        arguments.push(".".to_owned());
        Command { arguments, environment: printout::environment(self.builder), working_dir: Some(self.folder(index)) }
    }

    /// An error within the engine's answer is a fault; the docker command ends with another exit code instead.
    fn blame(&self, outcome: &mut Outcome, error: Option<&StreamError>) {
        if let (Driver::Api, Some(error)) = (self.driver, error) {
            outcome.fault.get_or_insert_with(|| api::failure(Op::Build, None, &error.message));
        }
    }

    /// What the builder that ran printed. The classic builder's output is on stdout, BuildKit's on stderr.
    fn read(&self, output: &Output) -> Option<Told> {
        if self.tool.is_some() {
            let mut log = BuildahLog::default();
            for (at, _, bytes) in output.chunks.iter().filter(|(_, source, _)| *source == Source::Stdout) {
                log.text(*at, bytes);
            }
            return Some(Told::Buildah(log.finish()));
        }
        let (mut classic, mut buildkit) = (ClassicLog::default(), BuildkitLog::default());
        for (at, source, bytes) in &output.chunks {
            match (self.driver, source, self.printout) {
                (Driver::Api, ..) => {
                    classic.json(*at, bytes);
                    buildkit.api(*at, bytes);
                }
                (Driver::Cli, Source::Stdout, _) => classic.text(*at, bytes),
                (Driver::Cli, Source::Stderr, Printout::Rawjson) => buildkit.rawjson(*at, bytes),
                (Driver::Cli, Source::Stderr, Printout::Plain | Printout::Classic) => buildkit.plain(*at, bytes),
            }
        }
        let classic = classic.finish();
        if classic.steps.is_some() {
            return Some(Told::Classic(classic));
        }
        let buildkit = buildkit.finish();
        buildkit.begun.then_some(Told::Buildkit(buildkit))
    }

    fn build_operation(&self, index: usize, build: &Build) -> Operation {
        let cache = self.cache_options(index);
        let request = BuildRequest {
            file: build.file.clone(),
            tag: self.tag(&build.tag),
            args: build.args.clone().into_iter().chain(cache.args).collect(),
            target: build.target.clone(),
            cache_from: cache.from,
            buildkit: self.printout.buildkit(self.builder),
        };
        Operation::Build { folder: self.folder(index).into(), request }
    }

    /// Holds what the build printed against the images that the engine has.
    async fn confirm(
        &self,
        outcome: &mut Outcome,
        told: Option<Told>,
        index: usize,
        tag: &str,
        before: &HashSet<String>,
    ) -> Result<(), Fault> {
        match (self.builder, outcome.builder) {
            (Builder::Classic, Some(Builder::Buildkit)) | (Builder::Buildkit, Some(Builder::Classic)) => {
                let message = format!(
                    "{} was asked for, and the docker command built with the other builder: set builder = \"auto\", or \
                     give the job a docker command that has it",
                    self.builder
                );
                return Err(Fault::failed(ErrorClass::WrongBuilder, message));
            }
            _ => {}
        }
        let confirmed = match told {
            Some(Told::Classic(log)) => {
                let ancestry = self.engine.ancestry(tag).await.map_err(|error: EngineError| Fault::from(error))?;
                outcome.image_id = ancestry.last().cloned().unwrap_or_default();
                let confirmed = if self.shared { log.reported(&ancestry) } else { log.verify(before, &ancestry) };
                confirmed.map_err(|mismatch| mismatch.to_string())
            }
            Some(Told::Buildkit(log)) => {
                log.complete().map_err(|reason| Fault::failed(ErrorClass::BadStream, reason.to_string()))?;
                let built = self.inspect(tag).await?;
                outcome.image_id.clone_from(&built.id);
                let confirmed = match self.shared {
                    true => log.reported(&built.id),
                    false => log.verify(&self.layers(index, before).await?, &built.id, &built.layers),
                };
                confirmed.map_err(|contradiction| contradiction.to_string())
            }
            Some(Told::Buildah(log)) => {
                let built = self.inspect(tag).await?;
                outcome.image_id.clone_from(&built.id);
                let after = self.engine.image_ids().await?;
                log.verify(before, &after, &built.id).map_err(|mismatch| mismatch.to_string())
            }
            None => {
                let failure = buildlog::failure(Op::Build, Some(0), "");
                return Err(Fault::failed(failure.class, failure.message));
            }
        };
        outcome.instructions = confirmed.map_err(Fault::invalid)?;
        Ok(())
    }

    async fn inspect(&self, image: &str) -> Result<Image, Fault> {
        self.engine.inspect_image(image).await?.ok_or_else(|| {
            let program = self.program();
            let message = format!("{program} build said that all went well, and the engine has no image {image}");
            Fault::failed(ErrorClass::BadStream, message)
        })
    }

    /// The layers of images that were there before a build, and still are, and of the one whose cache it imports.
    async fn layers(&self, index: usize, images: &HashSet<String>) -> Result<BTreeMap<String, Vec<String>>, Fault> {
        let imported = self.cache.and_then(|cache| cache.layers(index));
        let mut layers: BTreeMap<_, _> =
            imported.map(|layers| ("imported".to_owned(), layers.clone())).into_iter().collect();
        for id in images {
            if let Some(image) = self.engine.inspect_image(id).await? {
                layers.insert(image.id, image.layers);
            }
        }
        Ok(layers)
    }
}
