//! Images of an engine.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::{Read, Seek, SeekFrom, Write};

use bollard::query_parameters as query;
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use serde::Deserialize;

use sha2::{Digest, Sha256};

use super::{Cause, ContainerSpec, Engine, EngineError, Labelled, Patience, Verb};

/// What an engine says of one image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// `sha256:` and 64 hex digits.
    pub id: String,
    /// The image that the classic builder made this one from; empty for a pulled or loaded image.
    pub parent: Option<String>,
    /// Diff ids, lowest first.
    pub layers: Vec<String>,
    pub size: u64,
}

impl Engine {
    /// Loads an image archive.
    pub async fn load_image(
        &self,
        name: &str,
        archive: impl Stream<Item = std::io::Result<Bytes>> + Send + 'static,
    ) -> Result<(), EngineError> {
        let wrap = |cause| self.error(Verb::Load, format!("image {name}"), cause);
        let options = query::ImportImageOptionsBuilder::default().quiet(true).build();
        let mut answers = Box::pin(self.docker.import_image_stream(options, archive, None));
        let watch = Patience::SILENT_CHORE.start();
        while let Some(answer) = watch.next(&mut answers).await.map_err(wrap)? {
            answer.map_err(|error| wrap(error.into()))?;
        }
        Ok(())
    }

    /// Gives an image one more name.
    pub async fn tag_image(&self, image: &str, repository: &str, tag: &str) -> Result<(), EngineError> {
        let options = query::TagImageOptionsBuilder::default().repo(repository).tag(tag).build();
        self.docker
            .tag_image(image, Some(options))
            .await
            .map_err(|error| self.error(Verb::Tag, format!("image {image}"), error.into()))
    }

    /// An image as the archive that an engine loads.
    pub fn save_image(&self, name: &str) -> impl Stream<Item = Result<Bytes, EngineError>> + Send + use<> {
        let (engine, object) = (self.clone(), format!("image {name}"));
        let chunks = self.docker.export_image(name);
        chunks.map(move |chunk| chunk.map_err(|error| engine.error(Verb::Save, object.as_str(), error.into())))
    }

    /// Empty where the engine has no such image.
    pub async fn inspect_image(&self, name: &str) -> Result<Option<Image>, EngineError> {
        let json = match self.get_json(&format!("/images/{name}/json"), Verb::Inspect).await {
            Ok(json) => json,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error),
        };
        let answer: Answer = serde_json::from_str(&json)
            .map_err(|error| self.error(Verb::Inspect, format!("image {name}"), Cause::Answer(error.to_string())))?;
        Ok(Some(Image {
            id: answer.id,
            parent: answer.parent.filter(|parent| !parent.is_empty()),
            layers: answer.root_fs.layers.unwrap_or_default(),
            size: answer.size,
        }))
    }

    /// Ids of all images, the intermediate ones of the classic builder included.
    pub async fn image_ids(&self) -> Result<HashSet<String>, EngineError> {
        let options = query::ListImagesOptionsBuilder::default().all(true).build();
        let list = self
            .docker
            .list_images(Some(options))
            .await
            .map_err(|error| self.error(Verb::List, "the images", error.into()))?;
        Ok(list.into_iter().map(|image| image.id).collect())
    }

    /// The images whose configuration carries a label: id and labels.
    pub async fn images_labelled(&self, label: &str) -> Result<Vec<Labelled>, EngineError> {
        let filters = HashMap::from([("label", vec![label])]);
        let options = query::ListImagesOptionsBuilder::default().filters(&filters).build();
        let list = self
            .docker
            .list_images(Some(options))
            .await
            .map_err(|error| self.error(Verb::List, "the images", error.into()))?;
        Ok(list.into_iter().map(|image| (image.id, image.labels.into_iter().collect())).collect())
    }

    /// The names of images that begin with a prefix, with their tags.
    pub async fn tags_below(&self, prefix: &str) -> Result<Vec<String>, EngineError> {
        let list = self
            .docker
            .list_images(None::<query::ListImagesOptions>)
            .await
            .map_err(|error| self.error(Verb::List, "the images", error.into()))?;
        let tags = list.into_iter().flat_map(|image| image.repo_tags);
        Ok(tags.filter(|tag| tag.starts_with(prefix)).collect())
    }

    /// Removes an image with its untagged parents. One that is gone already is no error.
    pub async fn remove_image(&self, name: &str) -> Result<(), EngineError> {
        let options = query::RemoveImageOptionsBuilder::default().force(true).build();
        let removed = self.docker.remove_image(name, Some(options), None).await;
        match removed.map_err(|error| self.error(Verb::Remove, format!("image {name}"), error.into())) {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(()),
        }
    }

    /// `sha256:` of one file of an image, read from a container that is made for it and never started.
    pub async fn digest_in_image(
        &self,
        image: &str,
        path: &str,
        container: &str,
        labels: BTreeMap<String, String>,
    ) -> Result<String, EngineError> {
        let spec = ContainerSpec {
            name: container.to_owned(),
            image: image.to_owned(),
            command: vec!["none".to_owned()],
            labels,
            ..ContainerSpec::default()
        };
        self.create_container(&spec).await?;
        let digest = self.digest_of(container, path).await;
        self.remove_container(container).await?;
        digest
    }

    async fn digest_of(&self, container: &str, path: &str) -> Result<String, EngineError> {
        let wrap = |reason: String| self.error(Verb::CopyOut, format!("{container}:{path}"), Cause::Answer(reason));
        let mut chunks = Box::pin(self.copy_out(container, path));
        let mut file = tempfile::tempfile().map_err(|error| wrap(error.to_string()))?;
        while let Some(chunk) = chunks.next().await {
            file.write_all(&chunk?).map_err(|error| wrap(error.to_string()))?;
        }
        file.seek(SeekFrom::Start(0)).map_err(|error| wrap(error.to_string()))?;
        let mut archive = tar::Archive::new(file);
        let mut entries = archive.entries().map_err(|error| wrap(error.to_string()))?;
        let mut entry = entries
            .next()
            .ok_or_else(|| wrap("the archive is empty".to_owned()))?
            .map_err(|error| wrap(error.to_string()))?;
        let (mut digest, mut buffer) = (Sha256::new(), vec![0; 64 << 10]);
        loop {
            match entry.read(&mut buffer).map_err(|error| wrap(error.to_string()))? {
                0 => return Ok(format!("sha256:{}", crate::units::hex(&digest.finalize()))),
                length => digest.update(&buffer[..length]),
            }
        }
    }

    /// The ancestry of a classic build's image, oldest first: the images that its instructions made.
    pub async fn ancestry(&self, name: &str) -> Result<Vec<String>, EngineError> {
        let mut chain = Vec::new();
        let mut next = Some(name.to_owned());
        while let Some(name) = next {
            let missing =
                || self.error(Verb::Inspect, format!("image {name}"), Cause::Answer("it is missing".to_owned()));
            let image = self.inspect_image(&name).await?.ok_or_else(missing)?;
            next = image.parent;
            chain.push(image.id);
        }
        chain.reverse();
        Ok(chain)
    }
}

/// `GET /images/NAME/json`, decoded here because the client library's type has no parent.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    id: String,
    parent: Option<String>,
    #[serde(rename = "RootFS")]
    root_fs: RootFs,
    size: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RootFs {
    layers: Option<Vec<String>>,
}

/// A file as the chunks of a request body.
pub fn file_chunks(file: tokio::fs::File) -> impl Stream<Item = std::io::Result<Bytes>> + Send + 'static {
    tokio_util::io::ReaderStream::with_capacity(file, 256 << 10).boxed()
}
