//! BuildKit's build cache: its records, and their removal one by one.

use serde::Deserialize;
use url::form_urlencoded::Serializer;

use super::{Cause, Engine, EngineError, Verb};

/// One record. It carries no label, and no trace of the content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheRecord {
    pub id: String,
    /// Records that it was made from.
    pub parents: Vec<String>,
    pub description: String,
    /// A build that goes on holds it.
    pub in_use: bool,
}

impl Engine {
    /// All records. Engines before API 1.42 walk their volumes for the answer: never inside a timed region.
    pub async fn cache_records(&self) -> Result<Vec<CacheRecord>, EngineError> {
        let json = self.get_json("/system/df?type=build-cache", Verb::MeasureDisk).await?;
        decode(&json).map_err(|error| self.error(Verb::MeasureDisk, "it", Cause::Answer(error.to_string())))
    }

    /// Removes one record; tells whether the engine did. It keeps one that others were made from, or that is in use.
    pub async fn prune_record(&self, id: &str) -> Result<bool, EngineError> {
        let filters = serde_json::json!({ "id": [id] }).to_string();
        let query = Serializer::new(String::new()).append_pair("all", "1").append_pair("filters", &filters).finish();
        let json = self.post_json(&format!("/build/prune?{query}"), Verb::Remove).await?;
        let answer: Pruned = serde_json::from_str(&json).map_err(|error| {
            self.error(Verb::Remove, format!("build cache record {id}"), Cause::Answer(error.to_string()))
        })?;
        Ok(answer.caches_deleted.unwrap_or_default().iter().any(|deleted| deleted == id))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Pruned {
    caches_deleted: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    build_cache: Option<Vec<Wire>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Wire {
    #[serde(rename = "ID")]
    id: String,
    /// Before API 1.42.
    #[serde(default)]
    parent: String,
    #[serde(default)]
    parents: Option<Vec<String>>,
    #[serde(default)]
    description: String,
    #[serde(default)]
    in_use: bool,
}

fn decode(json: &str) -> Result<Vec<CacheRecord>, serde_json::Error> {
    let answer: Answer = serde_json::from_str(json)?;
    let records = answer.build_cache.unwrap_or_default().into_iter().map(|wire| {
        let parent = Some(wire.parent).filter(|parent| !parent.is_empty());
        let parents = wire.parents.unwrap_or_default().into_iter().chain(parent).collect();
        CacheRecord { id: wire.id, parents, description: wire.description, in_use: wire.in_use }
    });
    Ok(records.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parent_is_read_from_old_and_new_engines() {
        let old = r#"{"BuildCache":[{"ID":"b","Parent":"a","Description":"x","InUse":true},{"ID":"a","Parent":""}]}"#;
        let new =
            r#"{"BuildCache":[{"ID":"b","Parents":["a"],"Description":"x","InUse":true},{"ID":"a"}],"Images":null}"#;
        for json in [old, new] {
            let records = decode(json).unwrap();
            assert_eq!((records[0].parents.as_slice(), records[0].description.as_str()), (&["a".to_owned()][..], "x"));
            assert!(records[1].parents.is_empty());
            assert_eq!(records.iter().map(|record| record.in_use).collect::<Vec<_>>(), [true, false]);
        }
        assert_eq!(decode(r#"{"BuildCache":null}"#).unwrap(), []);
    }
}
