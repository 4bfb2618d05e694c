//! A build cache that outlives engines: what a build imports from the registry, and what a job leaves there at its end.

use std::collections::BTreeMap;

use super::{Fault, Workplace};
use crate::case::{Driver, ErrorClass};
use crate::fixture;
use crate::scenario::{CacheStore, Job, Step};

/// The build argument that makes BuildKit write its cache into the image.
const INLINE: &str = "BUILDKIT_INLINE_CACHE";

/// The cache of one worker's builds.
#[derive(Clone, Debug)]
pub struct BuildCache {
    store: CacheStore,
    /// By the index of a build: the layers of the image that its cache was exported with. An engine that imports it has
    /// none of them yet, and finds them all the same.
    exported: BTreeMap<usize, Vec<String>>,
}

impl BuildCache {
    pub fn new(store: CacheStore) -> Self {
        Self { store, exported: BTreeMap::new() }
    }

    /// The layers that a build may find in the cache which it imports.
    pub(super) fn layers(&self, index: usize) -> Option<&Vec<String>> {
        self.exported.get(&index)
    }
}

/// What a build is asked for besides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct CacheOptions {
    /// Of the docker command.
    pub arguments: Vec<String>,
    /// Build arguments.
    pub args: BTreeMap<String, String>,
    /// Images whose cache is imported.
    pub from: Vec<String>,
}

impl Workplace<'_> {
    /// What makes a build import a cache, and write one; nothing without a cache.
    pub(super) fn cache_options(&self, index: usize) -> CacheOptions {
        let (Some(cache), name) = (self.cache, self.cache_name(index)) else { return CacheOptions::default() };
        let words = |words: [String; 4]| words.to_vec();
        let from = "--cache-from".to_owned();
        match cache.store {
            CacheStore::Inline => CacheOptions {
                arguments: words([from, name.clone(), "--build-arg".to_owned(), format!("{INLINE}=1")]),
                args: BTreeMap::from([(INLINE.to_owned(), "1".to_owned())]),
                from: vec![name],
            },
            CacheStore::Registry => {
                let reference = format!("type=registry,ref={name}");
                let to = format!("{reference},mode=max");
                CacheOptions {
                    arguments: words([from, reference, "--cache-to".to_owned(), to]),
                    ..CacheOptions::default()
                }
            }
        }
    }

    /// Why the job's builder has nothing to do with such a cache.
    pub(super) fn without_cache(&self) -> Option<Fault> {
        let cache = self.cache?;
        let message = match cache.store {
            _ if !self.printout.buildkit(self.builder) => {
                "a build cache is imported by BuildKit, and the job's docker command builds with the classic builder: \
                 set builder = \"buildkit\", or an engine whose command has it"
            }
            CacheStore::Registry if self.driver == Driver::Api => {
                "the engine's API exports no build cache to a registry: set driver = \"cli\", or cache = \"inline\""
            }
            CacheStore::Inline | CacheStore::Registry => return None,
        };
        Some(Fault::failed(ErrorClass::WrongBuilder, message))
    }

    /// Leaves the cache of a job's builds in the registry. One that is within an image is pushed with it; a build that the job
    /// did not get to has none.
    pub async fn export(&self, job: &Job, cache: &mut BuildCache) -> Result<(), Fault> {
        for (index, step) in job.steps.iter().enumerate() {
            let Step::Build(build) = step else { continue };
            let built = self.tag(&build.tag);
            let Some(image) = self.engine.inspect_image(&built).await? else { continue };
            if cache.store == CacheStore::Inline {
                self.engine.tag_image(&built, &fixture::registry_name(fixture::PUSHED), &self.cache_tag(index)).await?;
                let (outcome, _) = self.send(&self.cache_name(index)).await;
                outcome.fault.map_or(Ok(()), Err)?;
            }
            cache.exported.insert(index, image.layers);
        }
        Ok(())
    }

    fn cache_name(&self, index: usize) -> String {
        format!("{}:{}", fixture::registry_name(fixture::PUSHED), self.cache_tag(index))
    }

    fn cache_tag(&self, index: usize) -> String {
        self.own(format!("cache-{index}"))
    }
}
