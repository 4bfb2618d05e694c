//! Everything that a report says, as text, before HTML or Markdown is made of it.

use super::ReportError;
use super::answer::{Sentence, answer};
use super::at_once::at_once;
use super::caution::cautions;
use super::choice::{Decision, decision};
use super::claims::{Found, overview};
use super::environment::{self, Group};
use super::plot::{Figure, figures};
use super::resources::{self, Grid};
use super::shown::{paragraphs, shown};
use super::steadiness;
use super::table::{Row, rows};
use super::words::{blocks, subject};
use crate::analysis::{Analysis, Subject};
use crate::record::{RunRecord, TrialRow};
use crate::scenario::stated_cost;

/// The times of one step in every topology.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StepTimes {
    pub(super) title: String,
    pub(super) rows: Vec<Row>,
}

/// The text of a report. No field is escaped for HTML or Markdown, except `figures`, which are whole SVG documents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) question: String,
    /// Scenario, host, date and blocks: the line under the question.
    pub(super) origin: Vec<String>,
    pub(super) answer: Vec<Sentence>,
    pub(super) cautions: Vec<String>,
    pub(super) jobs: Vec<Row>,
    pub(super) prose: Vec<String>,
    pub(super) figures: Vec<Figure>,
    pub(super) at_once: Grid,
    pub(super) decision: Decision,
    /// What was found of claims; empty where none were tested.
    pub(super) claims: Grid,
    pub(super) resources: Grid,
    pub(super) steps: Vec<StepTimes>,
    pub(super) trials: Grid,
    pub(super) steadiness: Grid,
    pub(super) steadiness_notes: Vec<String>,
    pub(super) failures: Grid,
    pub(super) environment: Vec<Group>,
    pub(super) command: String,
    /// What else it takes to repeat the run.
    pub(super) identity: Vec<(&'static str, String)>,
    pub(super) scenario_lines: Vec<String>,
    pub(super) limits: Vec<&'static str>,
    /// What could not be measured, and why.
    pub(super) unavailable: Vec<(String, String)>,
}

impl Page {
    pub(super) fn new(
        run: &RunRecord,
        analysis: &Analysis,
        trials: &[TrialRow],
        found: &[Found],
    ) -> Result<Self, ReportError> {
        let cost = stated_cost(&run.scenario_text).map_err(ReportError::Cost)?;
        // Of many blocks these are most of what is left to do.
        let (figures, decision) = rayon::join(|| figures(analysis), || decision(analysis, cost));
        Ok(Self {
            question: shown(run.question.trim()),
            origin: origin(run, analysis),
            answer: answer(analysis),
            cautions: cautions(run, analysis).into_iter().chain(steadiness::neighbours(run, trials)).collect(),
            jobs: rows(analysis, &Subject::Job),
            prose: paragraphs(&run.analysis),
            figures: figures?,
            at_once: at_once(analysis),
            decision,
            claims: overview(found),
            resources: resources::jobs(analysis),
            steps: steps(analysis),
            trials: resources::trials(analysis, trials),
            steadiness: steadiness::steadiness(analysis),
            steadiness_notes: steadiness::notes(analysis, trials),
            failures: resources::failures(analysis),
            environment: environment::groups(run),
            command: environment::command_line(run),
            identity: identity(run),
            scenario_lines: run.scenario_text.lines().map(shown).collect(),
            limits: environment::limits(run),
            unavailable: run.unavailable.iter().map(|(what, why)| (shown(what), shown(why))).collect(),
        })
    }
}

/// The steps in the order of the cells, which is the one in which a job goes through them.
fn steps(analysis: &Analysis) -> Vec<StepTimes> {
    let mut subjects: Vec<&Subject> = Vec::new();
    for subject in analysis.cells.iter().map(|cell| &cell.case.subject) {
        if *subject != Subject::Job && !subjects.contains(&subject) {
            subjects.push(subject);
        }
    }
    let times = subjects.into_iter().map(|one| StepTimes { title: subject(one), rows: rows(analysis, one) });
    times.filter(|step| !step.rows.is_empty()).collect()
}

/// What the numbers hold of, in a line.
fn origin(run: &RunRecord, analysis: &Analysis) -> Vec<String> {
    let environment = &run.environment;
    let engine = environment.engines.get("outer").map(|outer| format!("engine {}", shown(&outer.version)));
    // "Docker version 28.2.2, build e6534b4"
    let command = environment.docker_command.as_deref().and_then(|said| {
        let version = said.strip_prefix("Docker version ")?.split(',').next()?;
        Some(format!("docker command {}", shown(version)))
    });
    let mut origin = vec![format!("scenario {}", shown(&run.scenario)), format!("host {}", shown(&run.host))];
    origin.extend(engine.into_iter().chain(command));
    origin.extend([format!("builder {}", run.builder), shown(&run.started_at), blocks(analysis.blocks)]);
    origin
}

fn identity(run: &RunRecord) -> Vec<(&'static str, String)> {
    let source = if run.revision.is_empty() {
        shown(&run.version)
    } else {
        format!("{}, revision {}", shown(&run.version), shown(&run.revision))
    };
    vec![
        ("seed of the order", run.seed.to_string()),
        ("scenario digest", shown(&run.scenario_digest)),
        ("dindbench", source),
        ("run", shown(&run.run_id)),
    ]
}
