//! Images of the user's engine that the engines under test are given, because no registry that they reach has them.

use std::io::Write;
use std::sync::Arc;

use futures_util::StreamExt;
use tempfile::NamedTempFile;

use super::ImageError;
use crate::engine::{Engine, EngineError};

/// An image in an archive.
#[derive(Clone, Debug)]
pub struct Carried {
    pub name: String,
    archive: Arc<NamedTempFile>,
}

impl Carried {
    /// Takes an image out of an engine.
    pub async fn take(engine: &Engine, name: &str) -> Result<Self, ImageError> {
        if engine.inspect_image(name).await?.is_none() {
            return Err(ImageError::NotThere { name: name.to_owned() });
        }
        let wrong = |error: std::io::Error| ImageError::file(name, error);
        let mut archive = NamedTempFile::new().map_err(wrong)?;
        let mut chunks = Box::pin(engine.save_image(name));
        while let Some(chunk) = chunks.next().await {
            archive.write_all(&chunk?).map_err(wrong)?;
        }
        Ok(Self { name: name.to_owned(), archive: Arc::new(archive) })
    }

    /// Gives it to an engine that has no image of this name.
    pub async fn give(&self, engine: &Engine) -> Result<(), EngineError> {
        if engine.inspect_image(&self.name).await?.is_some() {
            return Ok(());
        }
        let path = self.archive.path().to_owned();
        let archive = futures_util::stream::once(tokio::fs::File::open(path)).flat_map(|file| match file {
            Ok(file) => crate::engine::image::file_chunks(file).left_stream(),
            Err(error) => futures_util::stream::iter([Err(error)]).right_stream(),
        });
        engine.load_image(&self.name, archive).await
    }
}
