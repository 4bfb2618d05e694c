//! Build contexts: how they come into a job container, and how an edit changes them.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Seek, SeekFrom};

use super::Printout;
use super::base::Bases;
use super::error::ContextError;
use super::folder::Changes;
use crate::case::{Builder, Driver, Edit};
use crate::engine::Engine;
use crate::fixture::{Evidence, Fixture, Revisions};
use crate::ignore::Sender;
use crate::scenario::{Build, Context, Job, Step};
use crate::topology::{JobContainer, OuterHost};

/// The name of the folder that holds the context of the job's step at this index.
pub(super) fn folder_name(step: usize) -> String {
    format!("context-{step}")
}

/// The contexts of one trial's builds, at their present revision.
#[derive(Clone, Debug)]
pub struct Contexts {
    seed: u64,
    driver: Driver,
    builder: Builder,
    builds: BTreeMap<usize, Build>,
    bases: Bases,
    revisions: Revisions,
}

impl Contexts {
    pub fn new(seed: u64, job: &Job) -> Self {
        let builds = job.steps.iter().enumerate().filter_map(|(index, step)| match step {
            Step::Build(build) => Some((index, build.clone())),
            Step::Pull { .. } | Step::Run { .. } | Step::Push { .. } => None,
        });
        let (driver, builder, revisions) = (job.driver, job.builder, Revisions::default());
        Self { seed, driver, builder, builds: builds.collect(), bases: Bases::default(), revisions }
    }

    /// The same for an engine that may outlive the trial.
    pub fn on(self, outer: &OuterHost) -> Result<Self, ContextError> {
        let bases = Bases::of(self.builds.values(), outer)?;
        Ok(Self { bases, ..self })
    }

    /// Makes the edit that precedes a job.
    pub fn edit(&mut self, edit: Edit) {
        match edit {
            Edit::Source => self.revisions.source += 1,
            Edit::Dependencies => self.revisions.dependencies += 1,
            Edit::First | Edit::None | Edit::Base => {}
        }
    }

    /// Makes on a job's engine what its Dockerfiles begin with, where that is not there yet.
    pub async fn provide_bases(&self, engine: &Engine) -> Result<(), ContextError> {
        Ok(self.bases.provide(engine).await?)
    }

    /// Brings every context to its folder in a new job.
    pub async fn upload(&self, job: &JobContainer, printout: Printout) -> Result<(), ContextError> {
        let sender = match self.driver {
            Driver::Cli => Sender::Command,
            Driver::Api if printout.buildkit(self.builder) => Sender::Buildkit,
            Driver::Api => Sender::Classic,
        };
        for (index, build) in &self.builds {
            let (contexts, packed, name) = (self.clone(), build.clone(), folder_name(*index));
            let folder = name.clone();
            let packed = tokio::task::spawn_blocking(move || contexts.pack(&packed, sender, &folder));
            let tar = packed.await.map_err(|error| unreadable(&build.context, error))??;
            job.copy_in(&name, tar).await?;
        }
        Ok(())
    }

    /// Checks that the image of a build after an edit holds what was edited: a builder that trusts size and time would
    /// otherwise have built the old one, fast.
    pub async fn check_built(
        &self,
        engine: &Engine,
        step: usize,
        edit: Edit,
        outer: &OuterHost,
    ) -> Result<(), ContextError> {
        let Some(Build { context: Context::Fixture(name), tag, .. }) = self.builds.get(&step) else { return Ok(()) };
        let fixture = Fixture::from_name(name).map_err(|error| unreadable_text(name, error))?;
        let evidence =
            fixture.evidence(edit, self.seed, self.revisions).map_err(|error| unreadable_text(name, error))?;
        let Some(Evidence { path, digest }) = evidence else { return Ok(()) };
        let (image, expected) = (format!("{}{tag}", outer.namespace()), digest.to_string());
        let found = engine.digest_in_image(&image, &path, &outer.name("check"), outer.labels("check")).await?;
        if found == expected { Ok(()) } else { Err(ContextError::OldFile { image, path, expected, found }) }
    }

    fn pack(&self, build: &Build, sender: Sender, folder: &str) -> Result<File, ContextError> {
        let context = &build.context;
        let wrong = |error: std::io::Error| unreadable(context, error);
        let mut file = tempfile::tempfile().map_err(wrong)?;
        match context {
            Context::Fixture(name) => {
                let fixture = Fixture::from_name(name).map_err(|error| unreadable(context, error))?;
                let out = std::io::BufWriter::new(&mut file);
                fixture.write_tar(self.seed, self.revisions, folder, out).map_err(wrong)?;
            }
            Context::Folder(path) => {
                let additions = additions(build, self.seed, self.revisions);
                let changes = Changes { dockerfile: self.bases.dockerfile(build)?, additions };
                super::folder::pack(path, &build.file, sender, &changes, folder, &mut file)
                    .map_err(|error| unreadable(context, error))?;
            }
        }
        file.seek(SeekFrom::Start(0)).map_err(wrong)?;
        Ok(file)
    }
}

/// What the edits so far add to files of a context of the user's.
fn additions(build: &Build, seed: u64, revisions: Revisions) -> Vec<(&str, String)> {
    let made = [(Edit::Source, revisions.source), (Edit::Dependencies, revisions.dependencies)];
    let made = made.into_iter().filter(|(_, revision)| *revision > 0);
    made.filter_map(|(edit, revision)| {
        let edited = build.edited.get(&edit)?;
        Some((edited.path.as_str(), edited.mark.line(seed, revision)))
    })
    .collect()
}

fn unreadable(context: &Context, error: impl ToString) -> ContextError {
    unreadable_text(&context.word(), error)
}

fn unreadable_text(context: &str, error: impl ToString) -> ContextError {
    ContextError::Read { context: context.to_owned(), reason: error.to_string() }
}
