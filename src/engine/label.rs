//! Images of an engine under names and labels of our own.

use std::collections::BTreeMap;
use std::io::{Seek, SeekFrom};

use super::{BuildRequest, Cause, Engine, EngineError, Verb};

/// What a Dockerfile begins with that begins with nothing.
const SCRATCH: &str = "scratch";

impl Engine {
    /// Makes an image with the content of another, or with none for `scratch`, that carries these labels, and so do all
    /// that are built on it. It shares the layers.
    pub async fn label_image(
        &self,
        image: &str,
        name: &str,
        labels: &BTreeMap<String, String>,
    ) -> Result<(), EngineError> {
        let wrap = |cause| self.error(Verb::Build, format!("image {name}"), cause);
        if image != SCRATCH && self.inspect_image(image).await?.is_none() {
            return Err(wrap(Cause::Stream(format!("{image} is not there: name it in the scenario's `carry`"))));
        }
        let context = context(image, labels).map_err(|error| wrap(Cause::Answer(error.to_string())))?;
        let request = BuildRequest {
            file: "Dockerfile".to_owned(),
            tag: name.to_owned(),
            args: BTreeMap::new(),
            target: None,
            cache_from: Vec::new(),
            buildkit: false,
        };
        let mut said = Vec::new();
        self.build(&request, context, |chunk| said.extend_from_slice(&chunk)).await?;
        match self.inspect_image(name).await? {
            Some(_) => Ok(()),
            None => Err(wrap(Cause::Stream(String::from_utf8_lossy(&said).into_owned()))),
        }
    }
}

fn context(image: &str, labels: &BTreeMap<String, String>) -> std::io::Result<tokio::fs::File> {
    // JSON's strings are the Dockerfile's too, but for what begins a variable.
    let quoted = |text: &String| serde_json::Value::from(text.as_str()).to_string().replace('$', "\\$");
    let labels: String = labels.iter().map(|(key, value)| format!(" {}={}", quoted(key), quoted(value))).collect();
    let text = format!("FROM {image}\nLABEL{labels}\n");
    let mut tar = tar::Builder::new(tempfile::tempfile()?);
    let mut header = tar::Header::new_gnu();
    header.set_size(text.len() as u64);
    header.set_mode(0o644);
    tar.append_data(&mut header, "Dockerfile", text.as_bytes())?;
    let mut file = tar.into_inner()?;
    file.seek(SeekFrom::Start(0))?;
    Ok(tokio::fs::File::from_std(file))
}
