//! Names the kind of an error by what the docker command or the engine said.

use crate::case::{ErrorClass, Op};

/// Why a step failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub class: ErrorClass,
    /// One line, as it was printed, control characters included.
    pub message: String,
}

/// Classifies a step that did not end well.
///
/// `said` is the end of the docker command's stderr, or the engine's error message; for a build on the classic builder
/// RUN output is on stdout and does not belong here. `exit` is the command's exit code; none where there is no command.
/// Docker speaks last, so the last line that one of its wordings fits decides. A `run` step has the container's own
/// stderr mixed in, hence there only docker's exit codes and lines with docker's mark count.
pub fn failure(op: Op, exit: Option<i64>, said: &str) -> Failure {
    match (op, exit) {
        (_, Some(0)) => Failure {
            class: ErrorClass::BadStream,
            message: format!("docker {op} ended with exit code 0 and without a result"),
        },
        (Op::Run, Some(code)) => run_failure(code, said),
        _ => docker_failure(said.lines()).unwrap_or_else(|| Failure {
            class: ErrorClass::BadStream,
            message: match exit {
                Some(code) => format!("docker {op} ended with exit code {code} and said nothing"),
                None => format!("the engine's answer to {op} ended without a result"),
            },
        }),
    }
}

/// Classifies a build of podman or buildah that did not end well. RUN output is on stderr too: only what begins with their
/// mark counts.
pub fn buildah_failure(exit: i64, said: &str) -> Failure {
    let own: Vec<&str> = said.lines().filter(|line| line.starts_with("Error: ")).collect();
    failure(Op::Build, Some(exit), &own.join("\n"))
}

/// Exit codes by which `docker run` speaks of itself; a container may end with them too.
const DOCKERS_OWN: std::ops::RangeInclusive<i64> = 125..=127;

fn run_failure(code: i64, said: &str) -> Failure {
    let dockers = said.lines().filter(|line| {
        line.starts_with("docker: ") || line.contains(r#"level=error msg="error waiting for container: "#)
    });
    match docker_failure(dockers).filter(|_| DOCKERS_OWN.contains(&code)) {
        // 126 and 127: docker could not start the command itself.
        Some(Failure { class: ErrorClass::EngineError, message }) if code != 125 => {
            Failure { class: ErrorClass::CommandFailed, message }
        }
        Some(failure) => failure,
        None => {
            let line = said.lines().map(str::trim_end).rfind(|line| !line.is_empty());
            let last = line.map(|line| format!(": {line}")).unwrap_or_default();
            Failure {
                class: ErrorClass::CommandFailed,
                message: format!("the command returned a non-zero code: {code}{last}"),
            }
        }
    }
}

/// The last line with a known wording, else the last one that says something.
fn docker_failure<'a>(lines: impl DoubleEndedIterator<Item = &'a str>) -> Option<Failure> {
    let mut fallback = None;
    for line in lines.rev().map(str::trim_end).filter(|line| !is_advice(line)) {
        if let Some(class) = class_of(line) {
            return Some(Failure { class, message: line.to_owned() });
        }
        fallback = fallback.or(Some(line));
    }
    fallback.map(|line| Failure { class: ErrorClass::EngineError, message: line.to_owned() })
}

/// Hints and notices around an error; their later lines are indented.
fn is_advice(line: &str) -> bool {
    line.is_empty()
        || line.starts_with(char::is_whitespace)
        || ["DEPRECATED: ", "See 'docker ", "Run 'docker "].iter().any(|start| line.starts_with(start))
}

/// Wordings in lower case, the more telling ones first: a line is of the first class all of whose words it has.
const WORDINGS: &[(ErrorClass, &[&str])] = &[
    // The command before the quote may have line breaks of its own.
    (ErrorClass::CommandFailed, &["' returned a non-zero code: "]),
    // BuildKit, up to 20.10 and newer.
    (ErrorClass::CommandFailed, &["executor failed running [", "]: exit code: "]),
    (ErrorClass::CommandFailed, &["did not complete successfully: exit code: "]),
    // Podman and buildah.
    (ErrorClass::CommandFailed, &["building at step \"run ", ": exit status "]),
    // 20.10 says "daemon socket at", 28 "docker api at".
    (ErrorClass::SocketPermission, &["permission denied while trying to connect to the docker "]),
    (ErrorClass::WrongBuilder, &["buildx component is missing or broken"]),
    (ErrorClass::EngineDied, &["cannot connect to the docker daemon"]),
    (ErrorClass::EngineDied, &["error during connect"]),
    (ErrorClass::DiskFull, &["no space left on device"]),
    (ErrorClass::RateLimited, &["toomanyrequests"]),
    (ErrorClass::RateLimited, &["429 too many requests"]),
    (ErrorClass::Corrupt, &["verification failed for digest"]),
    (ErrorClass::Corrupt, &["failed size validation"]),
    (ErrorClass::Corrupt, &["unexpected commit digest"]),
    (ErrorClass::Corrupt, &["unexpected commit size"]),
    (ErrorClass::Corrupt, &["digest mismatch"]),
    (ErrorClass::Corrupt, &["processing tar file", "unexpected eof"]),
    (ErrorClass::Corrupt, &["invalid tar header"]),
    // A file of the context, or one that ADD fetches, is no image, whatever its path.
    (ErrorClass::EngineError, &["copy failed: "]),
    (ErrorClass::EngineError, &["add failed: "]),
    (ErrorClass::EngineError, &["failed to compute cache key: "]),
    // The docker command's own connection to BuildKit is lost, which is no registry's.
    (ErrorClass::EngineError, &["no active session"]),
    (ErrorClass::ImageMissing, &["manifest unknown"]),
    (ErrorClass::ImageMissing, &["manifest for ", " not found"]),
    (ErrorClass::ImageMissing, &["pull access denied for "]),
    (ErrorClass::ImageMissing, &["repository name not known to registry"]),
    (ErrorClass::ImageMissing, &["no such image"]),
    (ErrorClass::ImageMissing, &["image does not exist locally"]),
    (ErrorClass::ImageMissing, &["failed to resolve reference ", ": not found"]),
    (ErrorClass::ImageMissing, &["failed to create llb definition: ", ": not found"]),
    (ErrorClass::ImageMissing, &["failed to resolve source metadata for ", ": not found"]),
    (ErrorClass::ImageMissing, &["pull access denied, repository does not exist"]),
    (ErrorClass::Registry, &["server gave http response to https client"]),
    (ErrorClass::Registry, &["received unexpected http status: "]),
    (ErrorClass::Registry, &["error parsing http ", " response body"]),
    (ErrorClass::Registry, &["error pulling image configuration"]),
    (ErrorClass::Registry, &["download failed after attempts"]),
    (ErrorClass::Registry, &["requested access to the resource is denied"]),
    (ErrorClass::Registry, &["unauthorized: authentication required"]),
    (ErrorClass::Registry, &["no basic auth credentials"]),
    // Any request that the engine made to a registry.
    (ErrorClass::Registry, &["://", "/v2/"]),
    // An engine that reports a lost connection is alive; it lost the registry's.
    (ErrorClass::Registry, &["error response from daemon", "unexpected eof"]),
    (ErrorClass::Registry, &["error response from daemon", "connection reset by peer"]),
    (ErrorClass::EngineError, &["error response from daemon"]),
    (ErrorClass::EngineDied, &["unexpected eof"]),
    (ErrorClass::EngineDied, &["connection reset by peer"]),
    (ErrorClass::EngineDied, &["broken pipe"]),
];

fn class_of(line: &str) -> Option<ErrorClass> {
    let line = line.to_lowercase();
    WORDINGS.iter().find(|(_, words)| words.iter().all(|word| line.contains(word))).map(|(class, _)| *class)
}

#[cfg(test)]
mod tests {
    use ErrorClass::*;

    use super::*;

    /// Class, op and what docker said, tab-separated, a line break as `\n`: wordings of engines and commands from 20.10
    /// on, as they are.
    const SAID: &str = include_str!("../../tests/fixtures/failures.tsv");

    #[test]
    fn dockers_wordings_have_their_class() {
        for row in SAID.lines() {
            let mut cells = row.splitn(3, '\t');
            let class: ErrorClass = cells.next().and_then(|cell| cell.parse().ok()).expect("a class");
            let op: Op = cells.next().and_then(|cell| cell.parse().ok()).expect("an op");
            let said = cells.next().expect("a wording").replace("\\n", "\n");
            assert_eq!(failure(op, Some(1), &said).class, class, "{said}");
            assert_eq!(failure(op, None, &said).class, class, "{said}, from the engine");
        }
    }

    #[test]
    fn the_message_is_the_line_that_decided() {
        let said = "DEPRECATED: The legacy builder is deprecated and will be removed in a future release.\n            \
            Install the buildx component to build images with BuildKit:\n\nmanifest unknown\r\nsomething\x1b[0m more\n";
        let known = Failure { class: ImageMissing, message: "manifest unknown".into() };
        assert_eq!(failure(Op::Build, Some(1), said), known);
        let unknown = said.replace("manifest", "thing");
        assert_eq!(failure(Op::Build, Some(1), &unknown).message, "something\x1b[0m more");
    }

    #[test]
    fn a_failed_run_instruction_is_not_what_its_command_talked_about() {
        let said = "cp: permission denied\ntoomanyrequests\nno space left on device\n\
            The command '/bin/sh -c cp a /b' returned a non-zero code: 1\n";
        assert_eq!(failure(Op::Build, Some(1), said).class, CommandFailed);
    }

    #[test]
    fn a_run_step_fails_by_its_code_unless_docker_speaks() {
        let refused = "docker: Error response from daemon: pull access denied for nope, repository does not exist or \
            may require 'docker login'.\nSee 'docker run --help'.";
        let died = "time=\"2026-11-25T01:32:33Z\" level=error msg=\"error waiting for container: unexpected EOF\"";
        let absent = "docker: Error response from daemon: failed to create shim task: OCI runtime create failed: exec: \
            \"nope\": executable file not found in $PATH: unknown.";
        let caps = "docker: Error response from daemon: OCI runtime create failed: unable to apply caps: operation not \
            permitted: unknown.";
        let socket = "docker: Got permission denied while trying to connect to the Docker daemon socket at \
            unix:///var/run/docker.sock: dial unix /var/run/docker.sock: connect: permission denied.";
        for (class, code, said) in [
            (CommandFailed, 1, "cat: x: permission denied"),
            (CommandFailed, 1, "docker: Error response from daemon: No such image: what the job itself met"),
            (CommandFailed, 3, ""),
            (CommandFailed, 137, "Cannot connect to the Docker daemon at tcp://x. Is the docker daemon running?"),
            (CommandFailed, 127, "sh: nope: not found"),
            (CommandFailed, 127, absent),
            (ImageMissing, 125, refused),
            (EngineDied, 125, died),
            (EngineError, 125, caps),
            (SocketPermission, 126, socket),
        ] {
            assert_eq!(failure(Op::Run, Some(code), said).class, class, "{code} {said}");
        }
        let message = failure(Op::Run, Some(1), "one\ntwo\n\n").message;
        assert_eq!(message, "the command returned a non-zero code: 1: two");
    }

    #[test]
    fn silence_is_a_bad_stream() {
        for (exit, said) in [(Some(0), "manifest unknown"), (Some(137), "\n"), (None, "")] {
            assert_eq!(failure(Op::Build, exit, said).class, BadStream, "{exit:?}");
        }
    }

    #[test]
    fn a_refused_pull_of_the_api_has_its_class() {
        let body = include_str!("../../tests/fixtures/streams/pull-20.10.24-5.jsonl");
        assert_eq!(failure(Op::Pull, None, body).class, ImageMissing);
    }
}
