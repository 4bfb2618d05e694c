//! The images of one run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::{Carried, EngineImage, ImageError, debian, pack};
use crate::engine::Engine;
use crate::journal::Journal;
use crate::scenario::EngineVersion;

/// One image for the outer engine and every job container, and one for each other version of an inner engine.
#[derive(Clone, Debug)]
pub struct EngineImages {
    /// As it was asked for.
    pub outer_version: EngineVersion,
    pub outer: EngineImage,
    pub inner: BTreeMap<EngineVersion, EngineImage>,
    /// Images of the user's engine that every engine under test is given.
    pub carried: Vec<Carried>,
}

impl EngineImages {
    /// Packs the host's own engine where that is the outer one, and takes every other version from the cache folder.
    /// `program` is dindbench itself.
    pub async fn provide(
        engine: &Engine,
        journal: &mut Journal,
        cache: &Path,
        program: &Path,
        outer_version: EngineVersion,
        inner: &BTreeSet<EngineVersion>,
        carry: &[String],
    ) -> Result<Self, ImageError> {
        let others = others(outer_version, inner);
        check_built(cache, others.iter().copied().chain([outer_version]))?;
        let outer = match outer_version {
            EngineVersion::Auto => pack::pack(engine, journal, cache, program).await?,
            version => debian::image(version, cache, program)?,
        };
        let inner = others.into_iter().map(|version| Ok((version, debian::image(version, cache, program)?)));
        let inner = inner.collect::<Result<_, ImageError>>()?;
        let mut carried = Vec::new();
        for name in carry {
            carried.push(Carried::take(engine, name).await?);
        }
        Ok(Self { outer_version, outer, inner, carried })
    }

    pub fn all(&self) -> impl Iterator<Item = &EngineImage> {
        std::iter::once(&self.outer).chain(self.inner.values())
    }
}

/// The versions of inner engines that are not the outer one's build.
fn others(outer: EngineVersion, inner: &BTreeSet<EngineVersion>) -> BTreeSet<EngineVersion> {
    inner.iter().copied().filter(|version| ![EngineVersion::Auto, outer].contains(version)).collect()
}

/// Names everything that is missing at once, before anything is made on an engine.
fn check_built(cache: &Path, wanted: impl Iterator<Item = EngineVersion>) -> Result<(), ImageError> {
    let missing = debian::versions(cache, false);
    let versions: BTreeSet<EngineVersion> = wanted.filter(|version| missing.contains(version)).collect();
    if versions.is_empty() {
        return Ok(());
    }
    let versions: Vec<String> = versions.iter().map(ToString::to_string).collect();
    Err(ImageError::NotBuilt { versions: versions.join(" "), folder: debian::folder(cache) })
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
        std::fs::write(debian::archive(cache.path(), V26_1), "layer").unwrap();
        let told = |wanted: &[EngineVersion]| {
            check_built(cache.path(), wanted.iter().copied()).err().map(|error| error.to_string())
        };
        assert_eq!(told(&[Auto, V26_1]), None);
        let error = told(&[V28_5, V26_1, V20_10]).unwrap();
        assert!(error.ends_with("scripts/images 20.10 28.5"), "{error}");
    }
}
