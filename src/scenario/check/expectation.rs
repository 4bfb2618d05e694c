//! Expectations: each names a topology, a job and a build step that exist, and none names the same twice.

use std::num::NonZeroU32;

use super::known_topology;
use crate::scenario::invalid::{Fault, advice};
use crate::scenario::wire::{self, At, WordOrNumber};
use crate::scenario::{Expectation, Expected, Job, Step, Topology};

pub(super) fn expectations(
    written: &[wire::Expect],
    topologies: &[Topology],
    job: &Job,
    jobs: NonZeroU32,
) -> Result<Vec<Expectation>, Fault> {
    let mut all: Vec<Expectation> = Vec::new();
    for one in written {
        known_topology(&one.topology, topologies)?;
        let expectation = Expectation {
            topology: one.topology.to_string(),
            job: job_number(&one.job, jobs)?,
            step: build_step(&one.step, job)?,
            instructions_cached: cached(&one.instructions_cached)?,
        };
        if all.iter().any(|other| same_place(other, &expectation)) {
            let message = "a second expectation of the same topology, job and step";
            return Err(one.topology.fault(message, "one expectation for each"));
        }
        all.push(expectation);
    }
    Ok(all)
}

fn same_place(one: &Expectation, other: &Expectation) -> bool {
    (&one.topology, one.job, one.step) == (&other.topology, other.job, other.step)
}

fn job_number(written: &At<u32>, jobs: NonZeroU32) -> Result<u32, Fault> {
    if (1..=jobs.get()).contains(&**written) {
        return Ok(**written);
    }
    Err(written.fault(format!("there is no job {}", **written), format!("a job from 1 to {jobs}")))
}

fn build_step(written: &At<WordOrNumber>, job: &Job) -> Result<usize, Fault> {
    let builds = || job.steps.iter().enumerate().filter(|(_, step)| matches!(step, Step::Build(_)));
    let names: Vec<String> = builds().map(|(index, _)| job.step_name(index)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let found = match &**written {
        WordOrNumber::Word(tag) => builds().map(|(index, _)| index).find(|index| job.step_name(*index) == *tag),
        WordOrNumber::Number(number) => builds().map(|(index, _)| index).find(|index| *index == *number as usize),
    };
    found.ok_or_else(|| match &**written {
        WordOrNumber::Word(tag) => written.fault(format!("no step builds `{tag}`"), advice(tag, &names)),
        WordOrNumber::Number(number) if (*number as usize) < job.steps.len() => {
            written.fault(format!("step {number} builds nothing, so it caches nothing"), advice("", &names))
        }
        WordOrNumber::Number(number) => {
            let message = format!("there is no step {number}: the job has {}, counted from 0", job.steps.len());
            written.fault(message, advice("", &names))
        }
    })
}

fn cached(written: &At<WordOrNumber>) -> Result<Expected, Fault> {
    match &**written {
        WordOrNumber::Word(word) => Expected::of_word(word).ok_or_else(|| {
            let right = format!("{}, or a number of instructions", advice(word, &["all", "none"]));
            written.fault(format!("unknown value `{word}`"), right)
        }),
        WordOrNumber::Number(number) => Ok(Expected::Exactly(*number)),
    }
}
