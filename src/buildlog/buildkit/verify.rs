//! Holds what BuildKit reported against the images that exist.

use std::collections::{BTreeMap, BTreeSet};

use super::super::verify::Instruction;
use super::build::{BuildkitBuild, Incomplete, Reported};

/// What BuildKit reported and the images contradict each other: the tag was moved meanwhile, another build on the same
/// engine was in the way, or the report is not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Contradiction {
    #[error("{0}: count no instruction of this build")]
    Incomplete(#[from] Incomplete),
    #[error("the builder wrote image {reported}, but the tag names {found}: is the tag another build's?")]
    Image { reported: String, found: String },
    #[error(
        "the builder reports that the first {cached} of {instructions} instructions were cached, but no image that was \
         there before has their layers: count none of this build"
    )]
    NeverBuilt { cached: usize, instructions: usize },
    #[error("the builder reports that every stage had something to execute, but its image {image} was there before")]
    NothingBuilt { image: String },
}

impl BuildkitBuild {
    /// The instructions, as far as images can confirm or contradict their hits and misses.
    ///
    /// `before` are all images that the engine had when the build began, `id` is the one that the tag names now; each
    /// with its layers' diff ids, lowest first.
    ///
    /// BuildKit's cache has no ids that the engine tells, so no single hit can be looked up. What can be: the image's
    /// configuration holds the time at which each of its layers was made, so an image in every stage of which something
    /// was executed is a new one, by its id. And the layers of what was cached must have been there: in a Dockerfile of
    /// one stage those up to the first miss, else all of them where everything was cached.
    pub fn verify(
        &self,
        before: &BTreeMap<String, Vec<String>>,
        id: &str,
        layers: &[String],
    ) -> Result<Vec<Instruction>, Contradiction> {
        let confirmed = self.reported(id)?;
        if before.contains_key(id) && self.every_stage_executed() {
            return Err(Contradiction::NothingBuilt { image: id.to_owned() });
        }
        let instructions = self.instructions.len();
        let cached = self.instructions.iter().take_while(|reported| reported.cached).count();
        if let Some(there) = self.layers_there(cached, layers.len())
            && !before.values().any(|known| known.starts_with(&layers[..there]))
        {
            return Err(Contradiction::NeverBuilt { cached, instructions });
        }
        Ok(confirmed)
    }

    /// The instructions as they were reported, where others build on the same engine at once: its images cannot say then
    /// who made a layer, and when. `id` is the image that the tag names.
    pub fn reported(&self, id: &str) -> Result<Vec<Instruction>, Contradiction> {
        self.complete()?;
        let reported = self.image.as_deref().ok_or(Incomplete::Unwritten)?;
        if reported != id {
            return Err(Contradiction::Image { reported: reported.to_owned(), found: id.to_owned() });
        }
        self.instructions.iter().map(instruction).collect()
    }

    fn every_stage_executed(&self) -> bool {
        let stages = |reported: &[&Reported]| -> BTreeSet<String> {
            reported.iter().map(|reported| reported.stage.clone()).collect()
        };
        let executed: Vec<&Reported> = self.instructions.iter().filter(|reported| !reported.cached).collect();
        !executed.is_empty() && stages(&executed) == stages(&self.instructions.iter().collect::<Vec<_>>())
    }

    /// How many of the image's layers must have been there before; none where nothing can be said.
    fn layers_there(&self, cached: usize, layers: usize) -> Option<usize> {
        let instructions = self.instructions.len();
        let one_stage = self.instructions.iter().all(|reported| reported.stage.is_empty());
        match cached {
            0 => None,
            _ if one_stage => layers.checked_sub(instructions - cached),
            all if all == instructions => Some(layers),
            _ => None,
        }
    }
}

fn instruction(reported: &Reported) -> Result<Instruction, Contradiction> {
    Ok(Instruction {
        index: reported.index,
        text: reported.text.clone(),
        cached: reported.cached,
        started: reported.started.ok_or_else(|| Incomplete::Unfinished(reported.text.clone()))?,
        elapsed: reported.elapsed,
    })
}
