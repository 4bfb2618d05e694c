//! What a script is executed as, and what it said: evidence, and the observations in it.

use std::fmt::Write as _;

use super::{Observations, Value};
use crate::engine::{EngineError, Output, Privilege, Source};
use crate::record::Text;

const PRELUDE: &str = include_str!("prelude.sh");

/// Before what a script tells with `observe`.
const OBSERVATION: &str = "@observe ";

/// A script that did not do its part.
pub(super) enum Trouble {
    Absent(String),
    Broken(String),
}

/// A script with the functions that all of them have.
pub(super) fn whole(text: &str, privilege: Privilege) -> String {
    format!("{}\n{PRELUDE}\n{text}", privileged(privilege))
}

/// `docker run` with what an engine's container needs.
fn privileged(privilege: Privilege) -> String {
    let options: String = privilege.options().iter().map(|option| format!(" '{option}'")).collect();
    format!("privileged() {{ docker run{options} \"$@\"; }}")
}

/// Keeps a script itself as evidence.
pub(super) fn write_script(part: &str, text: &str, evidence: &mut String) {
    let _ = writeln!(evidence, "\nScript `{part}`:\n");
    for line in text.lines() {
        let _ = writeln!(evidence, "    {line}");
    }
}

/// Keeps what a script said as evidence, and takes its observations out.
pub(super) fn told(
    evidence: &mut String,
    part: &str,
    repetition: u32,
    said: Result<Output, EngineError>,
    observations: &mut Observations,
) -> Result<(), Trouble> {
    let output = said.map_err(|error| Trouble::Broken(format!("its script `{part}`: {error}")))?;
    let (out, errors) = (output.text(Source::Stdout), output.text(Source::Stderr));
    let code = output.exit_code;
    let _ = writeln!(evidence, "Repetition {repetition}, {part}, exit code {code}:\n");
    for line in out.lines().chain(errors.lines()) {
        let _ = writeln!(evidence, "    {}", Text::from(line));
    }
    let _ = writeln!(evidence);
    observations.extend(observed(&out));
    if code == 0 {
        return Ok(());
    }
    let last = errors.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
    Err(Trouble::Broken(format!("its script `{part}` ended with {code}: {last}")))
}

/// What a script observed, the last value of a name.
fn observed(out: &str) -> Observations {
    let observation = |line: &str| {
        let (name, value) = line.strip_prefix(OBSERVATION)?.split_once(' ')?;
        Some((name.to_owned(), Value::Text(value.trim().to_owned())))
    };
    out.lines().filter_map(observation).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn observations_stand_among_other_lines_and_the_last_counts() {
        let out =
            "hello\n@observe seen no\n @observe seen maybe\n@observe seen yes\n@observe words a b \n@observe empty \n";
        let expected = [("seen", "yes"), ("words", "a b"), ("empty", "")];
        let expected = expected.map(|(name, value)| (name.to_owned(), Value::Text(value.to_owned())));
        assert_eq!(observed(out), expected.into());
    }

    #[test]
    fn the_shell_gets_the_same_powers_as_the_api() {
        assert_eq!(privileged(Privilege::Real), "privileged() { docker run '--privileged' \"$@\"; }");
        assert!(privileged(Privilege::Explicit).contains(" '--device-cgroup-rule=a *:* rwm' "));
    }
}
