//! What the Dockerfiles of the user's contexts begin with, where an engine outlives the trial: the same images under labels
//! of the trial's own. So what is built on them is found again by its labels, and nothing that was built before is hit.

use std::collections::{BTreeMap, BTreeSet};

use super::error::ContextError;
use crate::dockerfile::{Dockerfile, Origin};
use crate::engine::{Engine, EngineError};
use crate::fixture;
use crate::journal::SEED_LABEL;
use crate::scenario::{Build, Context};
use crate::topology::OuterHost;

/// Images of the user's that builds begin with, each with the name that it gets.
#[derive(Clone, Debug, Default)]
pub(super) struct Bases {
    names: BTreeMap<String, String>,
    labels: BTreeMap<String, String>,
}

impl Bases {
    /// Those of a trial's builds; none on an engine that is thrown away with all that is on it.
    pub fn of<'a>(builds: impl Iterator<Item = &'a Build>, outer: &OuterHost) -> Result<Self, ContextError> {
        if outer.alone() {
            return Ok(Self::default());
        }
        let mut images = BTreeSet::new();
        for build in builds {
            if let Some((_, dockerfile)) = read(build)? {
                for stage in &dockerfile.stages {
                    images.extend(image(&stage.base, build)?);
                }
            }
        }
        let prefix = outer.namespace();
        let names = (1..).zip(images).map(|(number, image): (u32, String)| (image, format!("{prefix}base:{number}")));
        let mut labels = outer.labels("base");
        labels.insert(SEED_LABEL.to_owned(), outer.seed.to_string());
        Ok(Self { names: names.collect(), labels })
    }

    /// The build's Dockerfile with these names in its FROM lines; nothing where it stays as it is.
    pub fn dockerfile(&self, build: &Build) -> Result<Option<String>, ContextError> {
        if self.names.is_empty() {
            return Ok(None);
        }
        let name = |origin: &Origin| self.names.get(named(origin)?).cloned();
        Ok(read(build)?.map(|(text, dockerfile)| dockerfile.rebased(&text, name)))
    }

    /// Makes the images that an engine has not yet.
    pub async fn provide(&self, engine: &Engine) -> Result<(), EngineError> {
        for (image, name) in &self.names {
            if engine.inspect_image(name).await?.is_none() {
                engine.label_image(image, name, &self.labels).await?;
            }
        }
        Ok(())
    }
}

/// The Dockerfile of a context of the user's.
fn read(build: &Build) -> Result<Option<(String, Dockerfile)>, ContextError> {
    let Context::Folder(folder) = &build.context else { return Ok(None) };
    let path = folder.join(&build.file);
    let wrong = |reason: String| ContextError::Read {
        context: build.context.word(),
        reason: format!("{}: {reason}", path.display()),
    };
    let text = std::fs::read_to_string(&path).map_err(|error| wrong(error.to_string()))?;
    let dockerfile = Dockerfile::parse(&text, &build.args).map_err(|error| wrong(error.to_string()))?;
    Ok(Some((text, dockerfile)))
}

/// The image that needs another name: those of our registry have labels and content of the trial's own.
fn image(origin: &Origin, build: &Build) -> Result<Option<String>, ContextError> {
    match origin {
        Origin::Unknown(reference) => Err(ContextError::Read {
            context: build.context.word(),
            reason: format!("FROM {reference} has a variable without a value: give it in the step's `args`"),
        }),
        origin => Ok(named(origin).filter(|name| !name.starts_with(fixture::REGISTRY)).map(str::to_owned)),
    }
}

fn named(origin: &Origin) -> Option<&str> {
    match origin {
        Origin::Scratch => Some("scratch"),
        Origin::Image(name) => Some(name),
        Origin::Stage(_) | Origin::Unknown(_) => None,
    }
}
