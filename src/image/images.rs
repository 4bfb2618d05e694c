//! The images of one run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::{Carried, ImageError, System, SystemImage, debian, pack};
use crate::engine::Engine;
use crate::journal::Journal;
use crate::scenario::EngineVersion;

/// What a run needs images of.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    /// Version of the outer engine, and of every job's docker command.
    pub outer: EngineVersion,
    /// Versions of inner engines.
    pub inner: BTreeSet<EngineVersion>,
    pub proxy: bool,
    pub podman: bool,
    /// Images of the user's engine that every engine under test is given.
    pub carry: &'a [String],
}

/// One image for the outer engine and every job container, and one for each other version of an inner engine.
#[derive(Clone, Debug)]
pub struct RunImages {
    /// As it was asked for.
    pub outer_version: EngineVersion,
    pub outer: SystemImage,
    pub inner: BTreeMap<EngineVersion, SystemImage>,
    /// What filters a socket, where a topology has that.
    pub proxy: Option<SystemImage>,
    /// Job containers of topologies without an engine.
    pub podman: Option<SystemImage>,
    /// Images of the user's engine that every engine under test is given.
    pub carried: Vec<Carried>,
}

impl RunImages {
    /// Packs the host's own engine where that is the outer one, and takes every other version from the cache folder.
    /// `program` is dindbench itself.
    pub async fn provide(
        engine: &Engine,
        journal: &mut Journal,
        cache: &Path,
        program: &Path,
        wanted: &Wanted<'_>,
    ) -> Result<Self, ImageError> {
        let outer_version = wanted.outer;
        let others = others(outer_version, &wanted.inner);
        let engines = others.iter().copied().chain([outer_version]).map(System::Engine);
        let beside = [(wanted.proxy, System::Proxy), (wanted.podman, System::Podman)];
        let beside = beside.into_iter().filter_map(|(wanted, system)| wanted.then_some(system));
        check_built(cache, engines.chain(beside))?;
        let outer = match outer_version {
            EngineVersion::Auto => pack::pack(engine, journal, cache, program).await?,
            version => System::Engine(version).image(cache, program)?,
        };
        let inner = others.into_iter().map(|version| Ok((version, System::Engine(version).image(cache, program)?)));
        let inner = inner.collect::<Result<_, ImageError>>()?;
        let proxy = wanted.proxy.then(|| System::Proxy.image(cache, program)).transpose()?;
        let podman = wanted.podman.then(|| System::Podman.image(cache, program)).transpose()?;
        let mut carried = Vec::new();
        for name in wanted.carry {
            carried.push(Carried::take(engine, name).await?);
        }
        Ok(Self { outer_version, outer, inner, proxy, podman, carried })
    }

    pub fn all(&self) -> impl Iterator<Item = &SystemImage> {
        std::iter::once(&self.outer).chain(self.inner.values()).chain(&self.proxy).chain(&self.podman)
    }
}

/// The versions of inner engines that are not the outer one's build.
fn others(outer: EngineVersion, inner: &BTreeSet<EngineVersion>) -> BTreeSet<EngineVersion> {
    inner.iter().copied().filter(|version| ![EngineVersion::Auto, outer].contains(version)).collect()
}

/// Names everything that is missing at once, before anything is made on an engine.
fn check_built(cache: &Path, wanted: impl Iterator<Item = System>) -> Result<(), ImageError> {
    let missing = debian::systems(cache, false);
    let systems: BTreeSet<System> = wanted.filter(|system| missing.contains(system)).collect();
    if systems.is_empty() {
        return Ok(());
    }
    let systems: Vec<String> = systems.iter().map(ToString::to_string).collect();
    Err(ImageError::NotBuilt { systems: systems.join(" "), folder: debian::folder(cache) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use EngineVersion::{Auto, V20_10, V26_1, V28_5};

    #[test]
    fn an_inner_engine_of_the_outer_version_needs_no_image_of_its_own() {
        let inner = BTreeSet::from([Auto, V20_10, V28_5]);
        assert_eq!(others(V28_5, &inner), BTreeSet::from([V20_10]));
        assert_eq!(others(Auto, &inner), BTreeSet::from([V20_10, V28_5]));
    }

    #[test]
    fn everything_that_is_missing_is_named_at_once() {
        let cache = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(debian::folder(cache.path())).unwrap();
        std::fs::write(debian::archive(cache.path(), System::Engine(V26_1)), "layer").unwrap();
        let told =
            |wanted: &[System]| check_built(cache.path(), wanted.iter().copied()).err().map(|error| error.to_string());
        assert_eq!(told(&[Auto, V26_1].map(System::Engine)), None);
        let engines = [V28_5, V26_1, V20_10].map(System::Engine);
        let error = told(&[&engines[..], &[System::Proxy]].concat()).unwrap();
        assert!(error.ends_with("scripts/images 20.10 28.5 proxy"), "{error}");
    }
}
