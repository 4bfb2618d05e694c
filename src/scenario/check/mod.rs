//! The one conversion of a scenario file into a scenario: names resolve, combinations can be, and what is asked is built.

mod expectation;
mod job;
mod sequence;
mod topology;

use std::path::Path;
use std::time::Duration;

use super::invalid::{Fault, advice};
use super::wire::{self, At};
use super::{Cost, Limits, Scenario, Topology};

pub(super) fn scenario(file: wire::File, name: &str, text: &str, root: &Path) -> Result<Scenario, Fault> {
    let job = job::job(&file.job, root)?;
    let topologies = topology::topologies(&file.topologies, &job, file.sequence.concurrency.as_ref())?;
    known_topology(&file.baseline, &topologies)?;
    let sequence = sequence::sequence(&file.sequence, &job, &topologies)?;
    let expectations = expectation::expectations(&file.expectations, &topologies, &job, sequence.jobs)?;
    Ok(Scenario {
        name: name.to_owned(),
        text: text.to_owned(),
        baseline: file.baseline.to_string(),
        limits: limits(&file.limits)?,
        cost: file.cost.as_ref().map(cost).transpose()?,
        question: file.question,
        analysis: file.analysis,
        topologies,
        job,
        sequence,
        expectations,
    })
}

fn known_topology(name: &At<String>, topologies: &[Topology]) -> Result<(), Fault> {
    let known: Vec<&str> = topologies.iter().map(|topology| topology.name.as_str()).collect();
    if known.contains(&name.as_str()) {
        return Ok(());
    }
    Err(name.fault(format!("no topology is called `{}`", **name), advice(name, &known)))
}

fn limits(written: &wire::Limits) -> Result<Limits, Fault> {
    let default = Limits::default();
    Ok(Limits {
        step_timeout: duration(&written.step_timeout)?.unwrap_or(default.step_timeout),
        stall_timeout: duration(&written.stall_timeout)?.unwrap_or(default.stall_timeout),
    })
}

fn duration(written: &Option<At<String>>) -> Result<Option<Duration>, Fault> {
    const RIGHT: &str = "a number with a unit, such as \"90s\" or \"5m\", and more than 0";
    let Some(written) = written else { return Ok(None) };
    match humantime::parse_duration(written) {
        Ok(Duration::ZERO) => Err(written.fault("a time-out of 0 lets nothing run", RIGHT)),
        Ok(duration) => Ok(Some(duration)),
        Err(error) => Err(written.fault(format!("`{}` is no duration: {error}", **written), RIGHT)),
    }
}

fn cost(written: &wire::Cost) -> Result<Cost, Fault> {
    Ok(Cost {
        jobs_per_day: amount(&written.jobs_per_day)?,
        price_per_minute: amount(&written.price_per_minute)?,
        price_per_gb_stored: amount(&written.price_per_gb_stored)?,
        price_per_gb_moved: amount(&written.price_per_gb_moved)?,
    })
}

fn amount(written: &Option<At<f64>>) -> Result<Option<f64>, Fault> {
    match written {
        Some(amount) if !amount.is_finite() || **amount < 0.0 => {
            Err(amount.fault(format!("`{}` is no amount", **amount), "a finite number, 0 or more"))
        }
        other => Ok(other.as_deref().copied()),
    }
}
