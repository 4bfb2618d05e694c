//! The sequence: how many jobs in a row, what changes before each, and how often all that is repeated.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use crate::case::Edit;
use crate::scenario::invalid::Fault;
use crate::scenario::wire::{self, At, Change};
use crate::scenario::{ImageRef, Job, Sequence, Step, Topology};

/// Measured blocks where a scenario does not say: the first number at which intervals are narrow.
const DEFAULT_BLOCKS: u32 = 20;

pub(super) fn sequence(written: &wire::Sequence, job: &Job, topologies: &[Topology]) -> Result<Sequence, Fault> {
    let jobs = NonZeroU32::new(*written.jobs);
    let jobs = jobs.ok_or_else(|| written.jobs.fault("a sequence without jobs", "1 job or more"))?;
    for change in written.edits.values().filter(|change| ***change == Change::Base) {
        moved_for_all(change, topologies)?;
    }
    Ok(Sequence { jobs, edits: edits(&written.edits, jobs, job)?, blocks: blocks(&written.blocks)? })
}

fn blocks(written: &Option<At<u32>>) -> Result<u32, Fault> {
    match written {
        Some(none) if **none == 0 => {
            Err(none.fault("a scenario without measured blocks", "1 block or more; from 6 on there are intervals"))
        }
        other => Ok(other.as_deref().copied().unwrap_or(DEFAULT_BLOCKS)),
    }
}

fn edits(
    written: &BTreeMap<At<String>, At<Change>>,
    jobs: NonZeroU32,
    job: &Job,
) -> Result<BTreeMap<u32, Edit>, Fault> {
    let edits = written.iter().map(|(number, change)| Ok((edited_job(number, jobs)?, (edit(change, job)?, change))));
    let edits: BTreeMap<u32, (Edit, &At<Change>)> = edits.collect::<Result<_, Fault>>()?;
    if let Some((_, again)) = edits.values().filter(|(edit, _)| *edit == Edit::Base).nth(1) {
        let right = "one edit `base`: there is one image that the base can be moved to";
        return Err(again.fault("a base that is moved twice", right));
    }
    Ok(edits.into_iter().map(|(job, (edit, _))| (job, edit)).collect())
}

/// Jobs at once have one registry, and the first of them would move the base before the others.
fn moved_for_all(written: &At<Change>, topologies: &[Topology]) -> Result<(), Fault> {
    let Some(at_once) = topologies.iter().find(|topology| topology.concurrency.get() > 1) else { return Ok(()) };
    let message = format!("a moved base, and {} jobs at once in {}", at_once.concurrency, at_once.name);
    Err(written.fault(message, "another edit, or concurrency = 1: there is one registry for all of them"))
}

fn edited_job(written: &At<String>, jobs: NonZeroU32) -> Result<u32, Fault> {
    let right = format!("the number of a job, from 2 to {jobs}");
    // Only one way to write a number, so that no two keys are the same job.
    let number = written.parse::<u32>().ok().filter(|number| number.to_string() == **written);
    match number {
        None => Err(written.fault(format!("`{}` is no job", **written), right)),
        Some(0) => Err(written.fault("jobs count from 1", right)),
        Some(1) => Err(written.fault("job 1 has the edit `first`, which is not written", right)),
        Some(number) if number > jobs.get() => {
            Err(written.fault(format!("there is no job {number}: the sequence has {jobs}"), right))
        }
        Some(number) => Ok(number),
    }
}

fn edit(written: &At<Change>, job: &Job) -> Result<Edit, Fault> {
    match **written {
        Change::None => Ok(Edit::None),
        Change::Source => of_contexts(written, job, Edit::Source).map(|()| Edit::Source),
        Change::Dependencies => of_contexts(written, job, Edit::Dependencies).map(|()| Edit::Dependencies),
        Change::Base => base(written, job).map(|()| Edit::Base),
    }
}

/// Checks that an edit has contexts to change.
fn of_contexts(written: &At<Change>, job: &Job, edit: Edit) -> Result<(), Fault> {
    let mut builds = job.steps.iter().filter_map(|step| match step {
        Step::Build(build) => Some(build),
        Step::Pull { .. } | Step::Run { .. } | Step::Push { .. } => None,
    });
    if builds.clone().next().is_none() {
        return Err(written.fault("an edit, and no step that builds", "add a build step, or remove the edit"));
    }
    if builds.any(|build| build.changed_by(edit)) {
        return Ok(());
    }
    let right = format!("a build step with {edit} = \"PATH\", the file of the context that it changes");
    Err(written.fault(format!("the edit {edit}, and no build step says which file it changes"), right))
}

/// Checks that a moved base is seen: an engine that has an image of that name builds on it, and asks no registry.
fn base(written: &At<Change>, job: &Job) -> Result<(), Fault> {
    let on_base = |step: &Step| matches!(step, Step::Build(build) if build.context.on_base());
    let pulls = |step: &Step| matches!(step, Step::Pull { image: ImageRef::Fixture(tag) } if tag == "base");
    let Some(first) = job.steps.iter().position(on_base) else {
        return Err(written.fault("a moved base, and no step that builds on it", "a build of fixture:ten, for example"));
    };
    if job.steps[..first].iter().any(pulls) {
        return Ok(());
    }
    let message = "a moved base that no step pulls before the first build on it";
    Err(written
        .fault(message, "add { op = \"pull\", image = \"fixture:base\" }: an engine that has a base builds on that"))
}
