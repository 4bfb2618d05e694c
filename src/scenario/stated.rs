//! The expectations and prices of a scenario that was run, read from its recorded text: its contexts may be on another machine.

use serde::Deserialize;

use super::wire::WordOrNumber;
use super::{Cost, Expected};

/// An expectation as its scenario states it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stated {
    pub topology: String,
    /// From 1.
    pub job: u32,
    /// The tag that the build step is called by.
    pub step: String,
    pub instructions_cached: Expected,
}

/// What of the file matters here.
#[derive(Deserialize)]
struct File {
    #[serde(default)]
    job: Job,
    #[serde(default, rename = "expect")]
    expectations: Vec<Written>,
    #[serde(default)]
    cost: Option<Cost>,
}

#[derive(Default, Deserialize)]
struct Job {
    #[serde(default)]
    steps: Vec<Step>,
}

#[derive(Deserialize)]
struct Step {
    tag: Option<String>,
}

#[derive(Deserialize)]
struct Written {
    topology: String,
    job: u32,
    step: WordOrNumber,
    instructions_cached: WordOrNumber,
}

/// The expectations in the file's order.
///
/// # Errors
/// What is wrong with a text that no run can have had.
pub fn stated(text: &str) -> Result<Vec<Stated>, String> {
    let file: File = toml::from_str(text).map_err(|error| error.message().to_owned())?;
    file.expectations.into_iter().map(|written| one(written, &file.job)).collect()
}

fn one(written: Written, job: &Job) -> Result<Stated, String> {
    let step = match written.step {
        WordOrNumber::Word(tag) => tag,
        WordOrNumber::Number(index) => job
            .steps
            .get(index as usize)
            .and_then(|step| step.tag.clone())
            .ok_or_else(|| format!("an expectation of step {index}, which builds nothing"))?,
    };
    let instructions_cached = match &written.instructions_cached {
        WordOrNumber::Word(word) => Expected::of_word(word).ok_or_else(|| format!("unknown value `{word}`"))?,
        WordOrNumber::Number(number) => Expected::Exactly(*number),
    };
    Ok(Stated { topology: written.topology, job: written.job, step, instructions_cached })
}

/// The prices that a scenario's text states; empty where it has none.
///
/// # Errors
/// What cannot be read.
pub fn stated_cost(text: &str) -> Result<Option<Cost>, String> {
    let file: File = toml::from_str(text).map_err(|error| error.message().to_owned())?;
    Ok(file.cost)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::scenario::{QUICK, builtin, parse};

    #[test]
    fn what_is_stated_is_what_is_checked() {
        let scenario = builtin(QUICK).unwrap();
        let by_number = scenario.text.replace("step = \"app\"", "step = 1");
        assert_ne!(by_number, scenario.text);
        let checked = parse(QUICK, &by_number, Path::new(".")).unwrap();
        let expected: Vec<Stated> = checked
            .expectations
            .iter()
            .map(|one| Stated {
                topology: one.topology.clone(),
                job: one.job,
                step: checked.job.step_name(one.step),
                instructions_cached: one.instructions_cached,
            })
            .collect();
        assert!(!expected.is_empty());
        assert_eq!(stated(&scenario.text).unwrap(), expected);
        assert_eq!(stated(&by_number).unwrap(), expected);
        assert_eq!(stated_cost(&scenario.text).unwrap(), scenario.cost);
        let priced = format!("{}\n[cost]\njobs_per_day = 400\nprice_per_minute = 0.008\n", scenario.text);
        let checked = parse(QUICK, &priced, Path::new(".")).unwrap();
        assert!(checked.cost.is_some());
        assert_eq!(stated_cost(&priced).unwrap(), checked.cost);
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        assert_eq!(stated("question = \"?\""), Ok(Vec::new()));
        for wrong in [
            "[",
            "[[expect]]\ntopology = \"a\"\njob = 1\nstep = 3\ninstructions_cached = 1",
            "[[expect]]\ntopology = \"a\"\njob = 1\nstep = \"b\"\ninstructions_cached = \"some\"",
        ] {
            assert!(!stated(wrong).unwrap_err().is_empty(), "{wrong}");
        }
    }
}
