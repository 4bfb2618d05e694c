//! An engine's own account of its disk use.

use serde::Deserialize;

use super::{Cause, Engine, EngineError, Verb};

/// Bytes by kind, as `GET /system/df` gives them; empty where the engine says "not computed".
///
/// Decoded here because the client library answers with every field empty on engines before API 1.44 (seen on 1.41).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiskUse {
    /// Every image layer once.
    pub layers: Option<u64>,
    /// Writable layers of containers.
    pub containers: Option<u64>,
    pub volumes: Option<u64>,
    /// BuildKit's records that no image shares.
    pub build_cache: Option<u64>,
}

impl DiskUse {
    /// The sum of the kinds; empty where one that exists was not computed.
    pub fn total(&self) -> Option<u64> {
        Some(self.layers? + self.containers? + self.volumes? + self.build_cache?)
    }

    fn decode(json: &str) -> Result<Self, serde_json::Error> {
        let answer: Answer = serde_json::from_str(json)?;
        Ok(Self {
            layers: computed(answer.layers_size),
            containers: sum(answer.containers, |container| Some(container.size_rw.unwrap_or(0))),
            volumes: sum(answer.volumes, |volume| volume.usage_data.map(|usage| usage.size)),
            build_cache: sum(answer.build_cache, |record| Some(if record.shared { 0 } else { record.size? })),
        })
    }
}

impl Engine {
    /// Walks the engine's volumes, so it is slow where they are large: never inside a timed region.
    pub async fn disk_use(&self) -> Result<DiskUse, EngineError> {
        let json = self.get_json("/system/df", Verb::MeasureDisk).await?;
        DiskUse::decode(&json).map_err(|error| self.error(Verb::MeasureDisk, "it", Cause::Answer(error.to_string())))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    layers_size: Option<i64>,
    containers: Option<Vec<Container>>,
    volumes: Option<Vec<Volume>>,
    build_cache: Option<Vec<BuildRecord>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Container {
    /// Left out for a container that has written nothing.
    size_rw: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Volume {
    usage_data: Option<Usage>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Usage {
    size: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BuildRecord {
    size: Option<i64>,
    #[serde(default)]
    shared: bool,
}

/// The engine writes -1 for "not computed"; other negative sizes are its own slips, and just as unknown.
fn computed(size: Option<i64>) -> Option<u64> {
    size.and_then(|size| u64::try_from(size).ok())
}

/// The sum over a list, which the engine may leave out or send as null when it has no entries.
fn sum<T>(list: Option<Vec<T>>, size: impl Fn(T) -> Option<i64>) -> Option<u64> {
    list.unwrap_or_default().into_iter().map(|entry| computed(size(entry))).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_of_an_engine_20_10() {
        let json = r#"{"LayersSize":104860000,"Images":[{"Id":"sha256:1","Size":104860000,"SharedSize":-1,"VirtualSize":104860000}],
            "Containers":[{"Id":"a","SizeRw":12},{"Id":"b"}],
            "Volumes":[{"Name":"v","UsageData":{"RefCount":1,"Size":100}}],
            "BuildCache":[{"ID":"x","Size":7,"Shared":false},{"ID":"y","Size":100,"Shared":true}]}"#;
        let use_ = DiskUse::decode(json).unwrap();
        assert_eq!(use_.total(), Some(104_860_000 + 12 + 100 + 7));
    }

    #[test]
    fn not_computed_is_missing_and_never_added() {
        for (json, layers, build_cache, total) in [
            (r#"{"LayersSize":-1,"BuildCache":null}"#, None, Some(0), None),
            (r#"{"LayersSize":0}"#, Some(0), Some(0), Some(0)),
            (r#"{"BuildCache":[{"Size":-2400000000}]}"#, None, None, None),
            (r#"{"LayersSize":5,"Volumes":[{"UsageData":{"RefCount":-1,"Size":-1}}]}"#, Some(5), Some(0), None),
            (r#"{"LayersSize":5,"Volumes":[{"Name":"v"}]}"#, Some(5), Some(0), None),
        ] {
            let use_ = DiskUse::decode(json).unwrap();
            assert_eq!((use_.layers, use_.build_cache, use_.total()), (layers, build_cache, total), "{json}");
        }
    }
}
