//! The records of the engine's JSON stream.

use serde::Deserialize;

/// What the engine itself said when a build ended in an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamError {
    /// Exit code of the RUN instruction that failed, where the engine gives one.
    pub code: Option<i64>,
    pub message: String,
}

/// One record, or text that stands between records.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Record {
    Stream(String),
    /// Full id of the image that a stage ended in. RUN output cannot forge this record.
    Image(String),
    Error(StreamError),
    /// BuildKit's own record, as base64.
    Trace(String),
    Stray(String),
    /// Progress of a pull, and whatever a newer engine adds.
    Other,
}

/// The id of BuildKit's own records.
pub(super) const TRACE: &str = "moby.buildkit.trace";

#[derive(Deserialize)]
struct Wire {
    stream: Option<String>,
    id: Option<String>,
    aux: Option<serde_json::Value>,
    #[serde(rename = "errorDetail")]
    error_detail: Option<WireError>,
    error: Option<String>,
    /// The body of an answer that is an error from the start has nothing else.
    message: Option<String>,
}

#[derive(Deserialize)]
struct WireError {
    code: Option<i64>,
    message: Option<String>,
}

impl Wire {
    fn record(self) -> Record {
        let (code, detail) = self.error_detail.map_or((None, None), |error| (error.code, error.message));
        if let Some(message) = detail.or(self.error).or(self.message) {
            return Record::Error(StreamError { code, message });
        }
        if let Some(text) = self.stream {
            return Record::Stream(text);
        }
        match self.aux {
            Some(serde_json::Value::String(base64)) if self.id.as_deref() == Some(TRACE) => Record::Trace(base64),
            Some(aux) => match aux.get("ID").and_then(serde_json::Value::as_str) {
                Some(id) => Record::Image(id.to_owned()),
                None => Record::Other,
            },
            None => Record::Other,
        }
    }
}

/// The records of one line. The engine ends each record with a line break, and escapes those within; records glued to
/// one another are read too. What is not a record is stray text, up to the end of the line.
pub(super) fn records(line: &[u8]) -> Vec<Record> {
    let mut records = Vec::new();
    let mut wires = serde_json::Deserializer::from_slice(line).into_iter::<Wire>();
    let mut read = 0;
    while let Some(Ok(wire)) = wires.next() {
        records.push(wire.record());
        read = wires.byte_offset();
    }
    let stray = String::from_utf8_lossy(&line[read..]).trim().to_owned();
    if !stray.is_empty() {
        records.push(Record::Stray(stray));
    }
    records
}

/// One record of a pull or a push.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Progress {
    Status(String),
    Error(StreamError),
}

/// The records of one line of the answer to a pull or a push.
pub(super) fn progress(line: &[u8]) -> Vec<Progress> {
    #[derive(Deserialize)]
    struct Wire {
        status: Option<String>,
        #[serde(rename = "errorDetail")]
        error_detail: Option<WireError>,
        error: Option<String>,
    }
    let wires = serde_json::Deserializer::from_slice(line).into_iter::<Wire>().map_while(Result::ok);
    let records = wires.filter_map(|wire| {
        let (code, detail) = wire.error_detail.map_or((None, None), |error| (error.code, error.message));
        let error = detail.or(wire.error).map(|message| Progress::Error(StreamError { code, message }));
        error.or(wire.status.map(Progress::Status))
    });
    records.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_one_by_one_and_glued() {
        let line = br#"{"stream":"a\n","new":{"x":[1]}}{"status":"Pulling","id":"latest"}{"aux":{"ID":"sha256:ab"}}"#;
        assert_eq!(records(line), [Record::Stream("a\n".into()), Record::Other, Record::Image("sha256:ab".into())]);
    }

    #[test]
    fn the_detail_of_an_error_has_its_code() {
        let line = br#"{"errorDetail":{"code":7,"message":"long"},"error":"short"}"#;
        assert_eq!(records(line), [Record::Error(StreamError { code: Some(7), message: "long".into() })]);
        assert_eq!(records(br#"{"message":"no"}"#), [Record::Error(StreamError { code: None, message: "no".into() })]);
    }

    #[test]
    fn text_among_the_records_is_kept_apart() {
        assert_eq!(
            records(br#"{"stream":"a"} ERROR: {"stream":"b"}"#),
            [Record::Stream("a".into()), Record::Stray(r#"ERROR: {"stream":"b"}"#.into())]
        );
        assert_eq!(records(b"\"stream\""), [Record::Stray("\"stream\"".into())]);
        assert_eq!(records(b"{\"stream\":\"\xff"), [Record::Stray("{\"stream\":\"\u{fffd}".into())]);
        assert_eq!(records(b"  "), []);
    }

    #[test]
    fn buildkits_records_carry_base64_where_the_classic_builder_has_an_object() {
        assert_eq!(records(br#"{"id":"moby.buildkit.trace","aux":"CpQB"}"#), [Record::Trace("CpQB".into())]);
        let image = br#"{"id":"moby.image.id","aux":{"ID":"sha256:ab"}}"#;
        assert_eq!(records(image), [Record::Image("sha256:ab".into())]);
        assert_eq!(records(br#"{"id":"moby.other","aux":"CpQB"}"#), [Record::Other]);
    }
}
