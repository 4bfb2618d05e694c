//! Plain text, as the docker command prints it of BuildKit's progress, as records.
//!
//! Every line of a vertex begins with its number: first its name, then words of the printer's own, and between them RUN
//! output, each line of which has a time as well. What output says can therefore stand nowhere but behind a number and
//! a time. Only the output's last line may lack its line break, and then the vertex's end is glued to it.

use std::collections::HashMap;
use std::time::Duration;

use super::graph::{Record, Stamp, Status, Vertex};

/// The vertices named so far.
#[derive(Debug, Default)]
pub(super) struct Plain {
    vertices: HashMap<u32, Vertex>,
}

/// What a line says of the vertex that it has the number of.
#[derive(Debug, PartialEq, Eq)]
enum Told<'a> {
    Cached,
    Done,
    Error(&'a str),
    /// Its name again, its digest, progress.
    Status(&'a str),
    Output,
}

impl Plain {
    /// The record that a line is, which began to arrive `since` and was whole `at`; none where it is no vertex's line.
    pub fn line(&mut self, since: Duration, at: Duration, line: &[u8]) -> Option<Record> {
        let line = String::from_utf8_lossy(line);
        let (number, text) = line.strip_prefix('#')?.split_once(' ')?;
        let number: u32 = number.bytes().all(|byte| byte.is_ascii_digit()).then(|| number.parse().ok())??;
        let Some(vertex) = self.vertices.get_mut(&number) else {
            let key = format!("#{number}");
            let vertex = Vertex { key, name: text.to_owned(), started: Some(stamp(since)), ..Vertex::default() };
            self.vertices.insert(number, vertex.clone());
            return Some(Record { vertices: vec![vertex], statuses: Vec::new() });
        };
        let (cached, error) = match Told::parse(number, text) {
            Told::Cached => (true, None),
            Told::Done => (false, None),
            Told::Error(message) => (false, Some(message.to_owned())),
            Told::Status(status) => {
                // A digest alone is the vertex's own, and brings no layer.
                let more = status.contains(' ');
                let statuses = Status::parse(&vertex.key, status).filter(|_| more).into_iter().collect();
                return Some(Record { vertices: Vec::new(), statuses });
            }
            Told::Output => return Some(Record::default()),
        };
        *vertex = Vertex { cached, error, completed: Some(stamp(at)), ..vertex.clone() };
        Some(Record { vertices: vec![vertex.clone()], statuses: Vec::new() })
    }
}

impl<'a> Told<'a> {
    fn parse(number: u32, text: &'a str) -> Self {
        if is_output(text) {
            let end = text.rfind(&format!("#{number} ")).map(|at| &text[at..]);
            return match end.and_then(|end| end.split_once(' ')) {
                Some((_, end)) if is_done(end) => Self::Done,
                _ => Self::Output,
            };
        }
        match text {
            "CACHED" => Self::Cached,
            "CANCELED" => Self::Error("context canceled"),
            done if is_done(done) => Self::Done,
            _ => text.strip_prefix("ERROR: ").map_or(Self::Status(text), Self::Error),
        }
    }
}

/// `DONE 0.1s`; without a time where there is no start.
fn is_done(text: &str) -> bool {
    let Some(time) = text.strip_prefix("DONE") else { return false };
    time.is_empty() || time.strip_prefix(' ').and_then(|time| time.strip_suffix('s')).is_some_and(is_seconds)
}

/// RUN output: a time in seconds, then what was printed.
fn is_output(text: &str) -> bool {
    text.split_once(' ').is_some_and(|(time, _)| is_seconds(time))
}

fn is_seconds(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.split_once('.').is_some_and(|(whole, part)| digits(whole) && digits(part))
}

fn stamp(at: Duration) -> Stamp {
    i128::try_from(at.as_nanos()).unwrap_or(i128::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_is_what_has_a_time() {
        for (text, told) in [
            ("CACHED", Told::Cached),
            ("DONE 12.3s", Told::Done),
            ("DONE", Told::Done),
            ("ERROR: no", Told::Error("no")),
            ("CANCELED", Told::Error("context canceled")),
            ("writing image sha256:12 done", Told::Status("writing image sha256:12 done")),
            ("0.312 CACHED", Told::Output),
            ("0.312 DONE 0.1s", Told::Output),
            ("0.312 ERROR: no", Told::Output),
            ("0.312 x#5 CACHED", Told::Output),
            ("0.312 x#6 DONE 0.1s", Told::Output),
            ("0.312 x#5 DONE 0.1s#5 DONE", Told::Done),
            ("0.312 no newline#5 DONE 0.2s", Told::Done),
            ("-1.5 CACHED", Told::Status("-1.5 CACHED")),
            ("...", Told::Status("...")),
            ("DONE soon", Told::Status("DONE soon")),
        ] {
            assert_eq!(Told::parse(5, text), told, "{text}");
        }
    }
}
