//! A layer as an archive that an engine can load.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{ImageError, Packed};
use crate::engine::image::file_chunks;
use crate::platform;

/// An image archive under a name, streamed: header, layer, header, and so on. The labels make the image's id this
/// run's own.
pub async fn archive(
    packed: &Packed,
    name: &str,
    labels: &BTreeMap<String, String>,
) -> Result<impl Stream<Item = std::io::Result<Bytes>> + Send + use<>, ImageError> {
    let file =
        tokio::fs::File::open(&packed.layer).await.map_err(|error| ImageError::file(packed.layer.display(), error))?;
    let config = json!({
        "architecture": platform::architecture(),
        "os": platform::OS,
        "config": {
            "Env": [platform::PATH],
            "Labels": labels,
        },
        "rootfs": { "type": "layers", "diff_ids": [packed.digest] },
        "history": [{ "created_by": "dindbench" }],
        "created": "1970-01-01T00:00:00Z",
    });
    let config = config.to_string().into_bytes();
    let config_name = format!("{}.json", crate::units::hex(&Sha256::digest(&config)));
    let manifest =
        json!([{ "Config": config_name, "RepoTags": [name], "Layers": ["layer.tar"] }]).to_string().into_bytes();

    let layer_padding = padding(packed.bytes);
    let small = |name: &str, bytes: Vec<u8>| -> Vec<u8> {
        let mut entry = header(name, bytes.len() as u64);
        entry.extend_from_slice(&bytes);
        entry.extend(padding(bytes.len() as u64));
        entry
    };
    let before =
        [small(&config_name, config), small("manifest.json", manifest), header("layer.tar", packed.bytes)].concat();
    let after = [layer_padding, vec![0; 1024]].concat();
    let whole = |bytes: Vec<u8>| stream::iter([Ok(Bytes::from(bytes))]);
    Ok(whole(before).chain(file_chunks(file)).chain(whole(after)))
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
