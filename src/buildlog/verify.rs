//! Holds what a build printed against the ids of the images that exist.

use std::collections::HashSet;
use std::time::Duration;

use super::classic::{ClassicBuild, Printed};
use super::lines::shorten;

/// An instruction whose cache hit or miss the image ids confirm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// Place among the instructions of the Dockerfile, from 1.
    pub index: u32,
    pub text: String,
    pub cached: bool,
    /// When its header arrived, since the start of the build.
    pub started: Duration,
    /// Until the builder's next words.
    pub elapsed: Option<Duration>,
}

/// A build's output and the image ids contradict each other: RUN output looks like the builder's, the tag was moved
/// meanwhile, or another build on the same engine made the image first.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    #[error("the output ends before an image was built: no cache hit in it can be checked, so count none")]
    Unfinished,
    #[error("the output says that image {printed} was built, but the ids say {found}: is the tag another build's?")]
    Image { printed: String, found: String },
    #[error(
        "the output tells of {instructions} instructions on top of {base}, but of the {ancestors} images in the \
         result's ancestry the one below them is {found}: count none of this build"
    )]
    Ancestry { instructions: usize, base: String, ancestors: usize, found: String },
    #[error("instruction {index} ({text}): the output says {printed}, but the ids say {ids}: count none of this build")]
    Instruction { index: u32, text: String, printed: String, ids: String },
}

impl ClassicBuild {
    /// The instructions, each one's hit or miss confirmed.
    ///
    /// `before` are the full ids of all images, intermediate ones too, that the engine had when the build began.
    /// `ancestry` is the built image as inspected by its tag, and its parents up to the one without a parent, as full
    /// ids, oldest first; a base image that was pulled, or built here, is part of it.
    ///
    /// An instruction is cached exactly if its image was there already. After the last FROM the id is taken from
    /// `ancestry`; in other stages, whose images nothing links to the result, the printed id must begin one in
    /// `before`. A stage may also hit an image that an earlier stage of the same build made. An image that another
    /// build made in the meantime, or that `--cache-from` restored, is in neither, and gives a mismatch.
    ///
    /// A docker command that failed is not to be verified: what a failing RUN printed last may look like an end.
    pub fn verify(&self, before: &HashSet<String>, ancestry: &[String]) -> Result<Vec<Instruction>, Mismatch> {
        let result = self.image.as_deref().ok_or(Mismatch::Unfinished)?;
        self.check_image(result, ancestry)?;
        let mut own = self.own_images(ancestry)?.iter();
        let known: HashSet<&str> = before.iter().map(|id| shorten(id)).collect();
        let mut made = HashSet::new();
        let mut instructions = Vec::with_capacity(self.instructions.len());
        for printed in &self.instructions {
            let image = printed.image.as_deref().ok_or(Mismatch::Unfinished)?;
            let id = if printed.stage == self.stages { own.next().map(String::as_str) } else { None };
            if let Some(id) = id.filter(|id| shorten(id) != image) {
                return Err(mismatch(printed, &format!("image {image}"), id));
            }
            let there = id.map_or(known.contains(image), |id| before.contains(id)) || made.contains(image);
            match (printed.hit, there) {
                (true, false) => {
                    return Err(mismatch(printed, "cached", &format!("that image {image} was not there before")));
                }
                (false, true) => {
                    return Err(mismatch(printed, "not cached", &format!("that image {image} was there before")));
                }
                (hit, _) => instructions.push(Instruction::new(printed, hit)),
            }
            made.insert(image);
        }
        Ok(instructions)
    }

    /// The instructions as they were printed, where others build on the same engine at once: its images cannot say then
    /// who made one of them, and when. `ancestry` as for [`Self::verify`].
    pub fn reported(&self, ancestry: &[String]) -> Result<Vec<Instruction>, Mismatch> {
        let result = self.image.as_deref().ok_or(Mismatch::Unfinished)?;
        self.check_image(result, ancestry)?;
        self.own_images(ancestry)?;
        Ok(self.instructions.iter().map(|printed| Instruction::new(printed, printed.hit)).collect())
    }

    fn check_image(&self, printed: &str, ancestry: &[String]) -> Result<(), Mismatch> {
        match ancestry.last() {
            Some(id) if shorten(id) == printed => Ok(()),
            found => Err(Mismatch::Image {
                printed: printed.to_owned(),
                found: found.map_or_else(|| "that there is none".to_owned(), Clone::clone),
            }),
        }
    }

    /// The part of `ancestry` that the instructions after the last FROM made, if what is below is their base.
    fn own_images<'a>(&self, ancestry: &'a [String]) -> Result<&'a [String], Mismatch> {
        let count = self.instructions.iter().filter(|printed| printed.stage == self.stages).count();
        let split = ancestry.len().checked_sub(count).map(|below| ancestry.split_at(below));
        match split {
            Some((below, own)) if below.last().map(|id| shorten(id)) == self.base.as_deref() => Ok(own),
            _ => Err(Mismatch::Ancestry {
                instructions: count,
                base: self.base.clone().unwrap_or_else(|| "scratch".to_owned()),
                ancestors: ancestry.len(),
                found: split.and_then(|(below, _)| below.last().cloned()).unwrap_or_else(|| "nothing".to_owned()),
            }),
        }
    }
}

impl Instruction {
    fn new(printed: &Printed, cached: bool) -> Self {
        Self {
            index: printed.index,
            text: printed.text.clone(),
            cached,
            started: printed.started,
            elapsed: printed.elapsed,
        }
    }
}

fn mismatch(of: &Printed, printed: &str, ids: &str) -> Mismatch {
    Mismatch::Instruction { index: of.index, text: of.text.clone(), printed: printed.to_owned(), ids: ids.to_owned() }
}
