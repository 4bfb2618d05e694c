//! What the registry must know of a manifest: its media type and what it names.

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr};

use super::digest::Digest;
use super::error::Error;

/// The kinds of manifest that docker pushes and pulls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, IntoStaticStr)]
pub enum MediaType {
    #[strum(serialize = "application/vnd.docker.distribution.manifest.v2+json")]
    DockerImage,
    #[strum(serialize = "application/vnd.docker.distribution.manifest.list.v2+json")]
    DockerList,
    #[strum(serialize = "application/vnd.oci.image.manifest.v1+json")]
    OciImage,
    #[strum(serialize = "application/vnd.oci.image.index.v1+json")]
    OciIndex,
}

/// A piece of content as a manifest names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    pub media_type: String,
    /// Bytes.
    pub size: u64,
    pub digest: Digest,
}

/// A manifest that was read and makes sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    pub media_type: MediaType,
    /// Config and layers of an image; none of a list.
    pub blobs: Vec<Descriptor>,
    /// Images of a list; none of an image.
    pub manifests: Vec<Descriptor>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    schema_version: u32,
    media_type: Option<String>,
    config: Option<Descriptor>,
    layers: Option<Vec<Descriptor>>,
    manifests: Option<Vec<Descriptor>>,
}

impl MediaType {
    pub fn text(self) -> &'static str {
        self.into()
    }
}

impl Manifest {
    /// # Errors
    /// [`Error::ManifestInvalid`] where the JSON is not one of the four kinds, or is not the kind that it says it is.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let wire: Wire = serde_json::from_slice(bytes).map_err(|error| Error::ManifestInvalid(error.to_string()))?;
        if wire.schema_version != 2 {
            return Err(Error::ManifestInvalid(format!(
                "schema version {}, where only 2 is served",
                wire.schema_version
            )));
        }
        let said = wire.media_type.as_deref().map(parse_media_type).transpose()?;
        match (wire.config, wire.layers, wire.manifests) {
            (Some(config), Some(layers), None) => {
                let media_type = said.unwrap_or(MediaType::OciImage);
                agree(media_type, &[MediaType::DockerImage, MediaType::OciImage])?;
                let blobs = std::iter::once(config).chain(layers).collect();
                Ok(Self { media_type, blobs, manifests: Vec::new() })
            }
            (None, None, Some(manifests)) => {
                let media_type = said.unwrap_or(MediaType::OciIndex);
                agree(media_type, &[MediaType::DockerList, MediaType::OciIndex])?;
                Ok(Self { media_type, blobs: Vec::new(), manifests })
            }
            _ => Err(Error::ManifestInvalid("it needs either config and layers, or manifests".to_owned())),
        }
    }
}

/// # Errors
/// [`Error::ManifestInvalid`] for a type that is not served.
pub fn parse_media_type(text: &str) -> Result<MediaType, Error> {
    text.parse().map_err(|_| Error::ManifestInvalid(format!("media type {text:?} is not served")))
}

fn agree(said: MediaType, possible: &[MediaType]) -> Result<(), Error> {
    if possible.contains(&said) {
        return Ok(());
    }
    Err(Error::ManifestInvalid(format!("it says that it is {}, and its fields are another kind's", said.text())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn descriptor(content: &[u8]) -> serde_json::Value {
        json!({ "mediaType": "any/thing", "size": content.len(), "digest": Digest::of(content).to_string() })
    }

    fn parse(value: &serde_json::Value) -> Result<Manifest, Error> {
        Manifest::parse(value.to_string().as_bytes())
    }

    #[test]
    fn an_image_names_its_config_first() {
        let image = json!({
            "schemaVersion": 2, "mediaType": MediaType::DockerImage.text(),
            "config": descriptor(b"config"), "layers": [descriptor(b"one"), descriptor(b"two")],
        });
        let manifest = parse(&image).unwrap();
        let digests: Vec<Digest> = manifest.blobs.iter().map(|blob| blob.digest).collect();
        assert_eq!(digests, [&b"config"[..], b"one", b"two"].map(Digest::of));
        assert_eq!(manifest.blobs[1].size, 3);
        assert_eq!((manifest.media_type, manifest.manifests), (MediaType::DockerImage, vec![]));
    }

    #[test]
    fn without_a_media_type_the_fields_decide() {
        let image = json!({ "schemaVersion": 2, "config": descriptor(b""), "layers": [] });
        assert_eq!(parse(&image).unwrap().media_type, MediaType::OciImage);
        let list = json!({ "schemaVersion": 2, "manifests": [descriptor(b"image")] });
        let list = parse(&list).unwrap();
        assert_eq!((list.media_type, list.manifests.len()), (MediaType::OciIndex, 1));
    }

    #[test]
    fn contradictions_are_refused() {
        let (config, layers) = (descriptor(b""), json!([]));
        let negative = json!({ "mediaType": "a", "size": -1, "digest": config["digest"] });
        for wrong in [
            json!({ "schemaVersion": 1, "config": config, "layers": layers }),
            json!({ "schemaVersion": 2, "config": config }),
            json!({ "schemaVersion": 2, "config": config, "layers": layers, "manifests": [] }),
            json!({ "schemaVersion": 2, "mediaType": MediaType::OciIndex.text(), "config": config, "layers": layers }),
            json!({ "schemaVersion": 2, "mediaType": "text/plain", "config": config, "layers": layers }),
            json!({ "schemaVersion": 2, "config": negative, "layers": layers }),
            json!([]),
        ] {
            assert!(matches!(parse(&wrong), Err(Error::ManifestInvalid(_))), "{wrong}");
        }
    }
}
