//! What a pull or a push says of its layers, as text of the docker command or as the engine's JSON stream.

use super::json::{Progress, StreamError, progress};

/// A pull or a push as its output tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transfer {
    /// Layers that were moved. One that was there already has another line, and none at all where the whole image was.
    pub moved: u32,
    /// The line with the digest of what is stored now.
    pub digest: Option<String>,
    /// The engine's own error; the docker command ends with another exit code instead.
    pub error: Option<StreamError>,
}

/// What is said of a layer when it has been moved, by a pull and by a push.
const MOVED: [&str; 2] = ["Pull complete", "Pushed"];

impl Transfer {
    /// Reads what the docker command printed.
    pub fn text(output: &str) -> Self {
        let mut transfer = Self::default();
        for line in output.lines().map(str::trim_end) {
            let moved = line.rsplit_once(": ").is_some_and(|(_, said)| MOVED.contains(&said));
            transfer.moved += u32::from(moved);
            transfer.digest(line);
        }
        transfer
    }

    /// Reads the JSON stream that the engine answers with.
    pub fn json(answer: &[u8]) -> Self {
        let mut transfer = Self::default();
        for line in answer.split(|byte| *byte == b'\n') {
            for record in progress(line) {
                match record {
                    Progress::Status(said) if MOVED.contains(&said.as_str()) => transfer.moved += 1,
                    Progress::Status(said) => transfer.digest(&said),
                    Progress::Error(error) => transfer.error = Some(error),
                }
            }
        }
        transfer
    }

    fn digest(&mut self, line: &str) {
        if line.to_ascii_lowercase().contains("digest: sha256:") {
            self.digest = Some(line.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_moved_layers_count() {
        let pull = "base: Pulling from fixture\naaa: Pulling fs layer\nbbb: Already exists\naaa: Download complete\n\
            aaa: Pull complete\nDigest: sha256:1\nStatus: Downloaded newer image for r/fixture:base\n";
        assert_eq!((Transfer::text(pull).moved, Transfer::text(pull).digest.as_deref()), (1, Some("Digest: sha256:1")));
        assert_eq!(Transfer::text("Status: Image is up to date for r/fixture:base\n"), Transfer::default());
        let push = "The push refers to repository [127.0.0.1:5000/pushed]\naaa: Preparing\nbbb: Waiting\n\
            aaa: Layer already exists\nccc: Mounted from fixture\nbbb: Pushed\nstep-2: digest: sha256:1 size: 9\n";
        assert_eq!(Transfer::text(push).moved, 1);
        assert_eq!(Transfer::text(push).digest.as_deref(), Some("step-2: digest: sha256:1 size: 9"));
    }

    #[test]
    fn records_say_the_same_as_text() {
        let pull = b"{\"status\":\"Pulling from fixture\",\"id\":\"base\"}\r\n{\"status\":\"Already exists\",\"id\":\"bbb\"}\r\n\
            {\"status\":\"Pull complete\",\"progressDetail\":{},\"id\":\"aaa\"}{\"status\":\"Digest: sha256:1\"}\r\n";
        let transfer = Transfer::json(pull);
        assert_eq!((transfer.moved, transfer.digest.as_deref()), (1, Some("Digest: sha256:1")));
        let failed =
            Transfer::json(b"{\"errorDetail\":{\"message\":\"manifest unknown\"},\"error\":\"manifest unknown\"}\r\n");
        assert_eq!(failed.error.map(|error| error.message).as_deref(), Some("manifest unknown"));
    }
}
