//! Steps by the `api` driver: a program in the job container asks the engine, and passes on what it answers.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Fault, Outcome, Workplace, events};
use crate::agent::{self, Operation, Said};
use crate::buildlog;
use crate::case::{ErrorClass, Op};
use crate::engine::{Command, Output, Source};

impl Workplace<'_> {
    /// Executes an operation; its output is the engine's answer, with the times of the clock beside the engine. An error
    /// is a fault that its words explain.
    pub(super) async fn operate(&self, op: Op, operation: &Operation) -> (Outcome, Option<Output>) {
        let mut outcome = Outcome::begun();
        let argument = operation.to_argument();
        let command = Command::new(agent::command(["operation", argument.as_str()]));
        let told = match self.job.exec(&command, self.patience).await {
            Ok(told) => told,
            Err(error) => {
                outcome.fault = Some(error.into());
                return (outcome, None);
            }
        };
        match read(&told) {
            Ok(Answer { output, error }) => {
                outcome.elapsed = Some(output.elapsed);
                outcome.events = events(&output);
                let failed = error.is_some() || output.exit_code != 0;
                let said = error.unwrap_or_else(|| output.text(Source::Stderr));
                let exit = (op == Op::Run && output.exit_code != 0).then_some(output.exit_code);
                outcome.fault = failed.then(|| failure(op, exit, &said));
                (outcome, Some(output))
            }
            Err(reason) => {
                let said = told.text(Source::Stderr);
                let message = format!("the program in the job container {reason}: {}", said.trim());
                outcome.fault = Some(Fault::failed(ErrorClass::Harness, message));
                (outcome, None)
            }
        }
    }
}

pub(super) fn failure(op: Op, exit: Option<i64>, said: &str) -> Fault {
    let failure = buildlog::failure(op, exit, said);
    Fault::failed(failure.class, failure.message)
}

struct Answer {
    output: Output,
    /// What the engine refused with, or what broke.
    error: Option<String>,
}

/// Takes the program's lines apart.
fn read(told: &Output) -> Result<Answer, String> {
    if told.dropped_bytes > 0 {
        return Err(format!("said {} bytes more than are kept", told.dropped_bytes));
    }
    let mut chunks = Vec::new();
    for line in told.text(Source::Stdout).lines() {
        match serde_json::from_str(line).map_err(|error| format!("said `{line}` ({error})"))? {
            Said::Part { at_ns, source, base64 } => {
                let bytes = STANDARD.decode(&base64).map_err(|error| format!("said `{base64}` ({error})"))?;
                chunks.push((Duration::from_nanos(at_ns), source, bytes.into()));
            }
            Said::End { elapsed_ns, exit_code, error } => {
                let (elapsed, exit_code) = (Duration::from_nanos(elapsed_ns), exit_code.unwrap_or(0));
                return Ok(Answer { output: Output { chunks, exit_code, elapsed, dropped_bytes: 0 }, error });
            }
        }
    }
    Err(format!("ended with exit code {} and without a result", told.exit_code))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(lines: &str) -> Output {
        let chunks = vec![(Duration::from_secs(9), Source::Stdout, lines.to_owned().into())];
        Output { chunks, exit_code: 0, elapsed: Duration::from_secs(9), dropped_bytes: 0 }
    }

    #[test]
    fn times_are_those_of_the_program_beside_the_engine() {
        let lines = "{\"part\":{\"at_ns\":5,\"source\":\"stdout\",\"base64\":\"aGk=\"}}\n\
            {\"end\":{\"elapsed_ns\":7,\"exit_code\":3,\"error\":null}}\n";
        let Ok(Answer { output, error: None }) = read(&told(lines)) else { panic!("an answer") };
        assert_eq!((output.elapsed, output.exit_code), (Duration::from_nanos(7), 3));
        assert_eq!(output.chunks, [(Duration::from_nanos(5), Source::Stdout, "hi".into())]);
    }

    #[test]
    fn an_answer_without_an_end_is_no_answer() {
        for lines in ["", "{\"part\":{\"at_ns\":5,\"source\":\"stdout\",\"base64\":\"aGk=\"}}\n", "{\"end\""] {
            assert!(read(&told(lines)).is_err(), "{lines}");
        }
    }
}
