//! An image as an archive that an engine can load.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt, stream};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{ImageError, SystemImage};
use crate::engine::image::file_chunks;
use crate::platform;

/// An image archive under a reference, streamed: header, layer, header, and so on. The labels make the image's id this
/// run's own.
pub async fn archive(
    image: &SystemImage,
    reference: &str,
    labels: &BTreeMap<String, String>,
) -> Result<impl Stream<Item = std::io::Result<Bytes>> + Send + use<>, ImageError> {
    let mut parts = vec![whole(description(image, reference, labels))];
    for (index, layer) in image.layers.iter().enumerate() {
        let file = tokio::fs::File::open(&layer.file).await;
        let file = file.map_err(|error| ImageError::file(layer.file.display(), error))?;
        parts.push(whole(header(&layer_name(index), layer.bytes)));
        parts.push(file_chunks(file).boxed());
        parts.push(whole(padding(layer.bytes)));
    }
    parts.push(whole(vec![0; 1024]));
    Ok(stream::iter(parts).flatten())
}

/// The image's configuration, and the manifest that names it with the layers.
fn description(image: &SystemImage, reference: &str, labels: &BTreeMap<String, String>) -> Vec<u8> {
    let diff_ids: Vec<&str> = image.layers.iter().map(|layer| layer.digest.as_str()).collect();
    let history: Vec<_> = diff_ids.iter().map(|_| json!({ "created_by": "dindbench" })).collect();
    let config = json!({
        "architecture": platform::architecture(),
        "os": platform::OS,
        "config": {
            "Env": [platform::PATH],
            "Labels": labels,
        },
        "rootfs": { "type": "layers", "diff_ids": diff_ids },
        "history": history,
        "created": "1970-01-01T00:00:00Z",
    });
    let config = config.to_string().into_bytes();
    let config_name = format!("{}.json", crate::units::hex(&Sha256::digest(&config)));
    let layers: Vec<String> = (0..diff_ids.len()).map(layer_name).collect();
    let manifest =
        json!([{ "Config": config_name, "RepoTags": [reference], "Layers": layers }]).to_string().into_bytes();
    let entries = [(config_name.as_str(), config), ("manifest.json", manifest)];
    entries.map(|(name, bytes)| [header(name, bytes.len() as u64), padded(bytes)].concat()).concat()
}

fn layer_name(index: usize) -> String {
    format!("layer-{index}.tar")
}

fn whole(bytes: Vec<u8>) -> BoxStream<'static, std::io::Result<Bytes>> {
    stream::iter([Ok(Bytes::from(bytes))]).boxed()
}

fn padded(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.extend(padding(bytes.len() as u64));
    bytes
}

fn header(name: &str, size: u64) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    // Both names are short and relative.
    header.set_path(name).expect("a short relative path fits a header");
    header.set_size(size);
    header.set_mode(0o644);
    header.set_mtime(0);
    header.set_cksum();
    header.as_bytes().to_vec()
}

/// Zeros up to the next block of 512 bytes.
fn padding(size: u64) -> Vec<u8> {
    vec![0; (size.next_multiple_of(512) - size) as usize]
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;
    use crate::image::Layer;

    /// Two layers, the first of whole blocks, the second not.
    #[tokio::test]
    async fn an_archive_names_its_layers_in_order_and_holds_them_whole() {
        let folder = tempfile::tempdir().unwrap();
        let layer = |name: &str, content: &[u8]| {
            let file = folder.path().join(name);
            std::fs::write(&file, content).unwrap();
            Layer { file, digest: format!("sha256:{name}"), bytes: content.len() as u64 }
        };
        let contents = [vec![7; 1024], vec![9; 700_001]];
        let layers = vec![layer("a", &contents[0]), layer("b", &contents[1])];
        let image = SystemImage { name: "test".to_owned(), layers };
        let labels = BTreeMap::from([("dindbench.role".to_owned(), "test".to_owned())]);
        let stream = archive(&image, "dindbench/test:1", &labels).await.unwrap();
        let chunks: Vec<Bytes> = stream.map(Result::unwrap).collect().await;
        let bytes = chunks.concat();

        let mut read = Vec::new();
        for entry in tar::Archive::new(bytes.as_slice()).entries().unwrap() {
            let mut entry = entry.unwrap();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            read.push((entry.path().unwrap().display().to_string(), content));
        }
        let config: serde_json::Value = serde_json::from_slice(&read[0].1).unwrap();
        assert_eq!(config["rootfs"]["diff_ids"], json!(["sha256:a", "sha256:b"]));
        assert_eq!(config["history"].as_array().map(Vec::len), Some(2));
        assert_eq!(config["config"]["Labels"], json!({ "dindbench.role": "test" }));
        assert_eq!(read[0].0, format!("{}.json", crate::units::hex(&Sha256::digest(&read[0].1))));
        let manifest: serde_json::Value = serde_json::from_slice(&read[1].1).unwrap();
        let (name, layers) = (&read[0].0, ["layer-0.tar", "layer-1.tar"]);
        assert_eq!(manifest, json!([{ "Config": name, "RepoTags": ["dindbench/test:1"], "Layers": layers }]));
        let kept: Vec<(&str, &Vec<u8>)> = read[2..].iter().map(|(name, content)| (name.as_str(), content)).collect();
        assert_eq!(kept, [(layers[0], &contents[0]), (layers[1], &contents[1])]);
    }
}
