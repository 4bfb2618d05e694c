//! The answer to the scenario's question: nesting and lifecycle, each in one sentence and never added up.

use super::noise;
use super::shown::shown;
use super::words::{blocks, cell, centre_text, ratio, value};
use crate::analysis::{Analysis, CaseKey, Comparison, Contrast, Metric, Subject, Verdict};
use crate::case::Edit;

/// More pairs than this in one sentence, and it is one no longer.
const PAIRS_TOLD: usize = 2;

/// The edits that the answer speaks of: what most CI jobs are.
const TOLD: [(Edit, &str); 2] = [(Edit::None, "when nothing changed"), (Edit::Source, "after a source edit")];
/// What it speaks of where a sequence has neither.
const ELSE_TOLD: [(Edit, &str); 1] = [(Edit::First, "when nothing was built yet")];

fn told(analysis: &Analysis) -> &'static [(Edit, &'static str)] {
    let has = |edit: Edit| analysis.cells.iter().any(|cell| cell.case == job(edit));
    if TOLD.iter().any(|(edit, _)| has(*edit)) { &TOLD } else { &ELSE_TOLD }
}

/// One sentence of the answer with the effect that it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    pub effect: &'static str,
    pub text: String,
}

/// The answer for a whole job: what nesting costs, what the lifecycle costs, what the job's own container and a proxy do
/// where topologies differ in them, and the noise floor and the control where a topology stands there more than once.
/// Where one of the first two was not measured alone, a last sentence says what is known about both together.
pub fn answer(analysis: &Analysis) -> Vec<Sentence> {
    if analysis.cells.is_empty() {
        return vec![Sentence { effect: "No data", text: "no measured block has a sample.".to_owned() }];
    }
    if let [arm] = analysis.arms.as_slice() {
        return vec![alone(analysis, &arm.name)];
    }
    let nesting = effect(analysis, Contrast::Nesting);
    let lifecycle = effect(analysis, Contrast::Lifecycle);
    let together = if nesting.is_none() || lifecycle.is_none() { effect(analysis, Contrast::Whole) } else { None };
    let missing = |what: &str| {
        format!("no two topologies of this run differ in {what} alone, so what {what} costs was not measured.")
    };
    let mut sentences = Vec::new();
    // A run that only checks itself asks nothing of topologies.
    if analysis.comparisons.is_empty() || !analysis.comparisons.iter().all(|one| one.contrast.checks()) {
        sentences.push(Sentence { effect: "Nesting", text: nesting.unwrap_or_else(|| missing("nesting")) });
        sentences.push(Sentence { effect: "Lifecycle", text: lifecycle.unwrap_or_else(|| missing("lifecycle")) });
    }
    let container = effect(analysis, Contrast::JobContainer);
    sentences.extend(container.map(|text| Sentence { effect: "Job container", text }));
    let proxy = effect(analysis, Contrast::Proxy);
    sentences.extend(proxy.map(|text| Sentence { effect: "Proxy", text }));
    sentences.extend(noise::sentence(analysis).map(|text| Sentence { effect: "Noise floor", text }));
    sentences.extend(noise::control(analysis).map(|text| Sentence { effect: "Control", text }));
    sentences.extend(together.map(|text| Sentence {
        effect: "More than one difference",
        text: format!("{text} How much of it each difference costs, this run does not tell."),
    }));
    sentences
}

fn alone(analysis: &Analysis, name: &str) -> Sentence {
    let times: Vec<String> = told(analysis)
        .iter()
        .filter_map(|(edit, when)| {
            let cell = cell(analysis, 0, &job(*edit), Metric::ElapsedNs)?;
            // A case in which nothing succeeded has no time to tell: the table and the cautions have its failures.
            cell.summary.centre().map(|time| format!("{} {when}", value(cell.metric, time)))
        })
        .collect();
    let times = match times.as_slice() {
        [] => "it has no valid job of those that an answer speaks of".to_owned(),
        times => format!("a job takes {}", times.join(", and ")),
    };
    let text = format!("only {} ran, so there is nothing to compare it with: {times}.", shown(name));
    Sentence { effect: "One topology", text }
}

/// The sentence about one contrast; none where no comparison is of this kind.
fn effect(analysis: &Analysis, contrast: Contrast) -> Option<String> {
    let jobs: Vec<&Comparison> = analysis
        .comparisons
        .iter()
        .filter(|one| one.contrast == contrast && one.case.subject == Subject::Job && one.metric == Metric::ElapsedNs)
        .collect();
    if jobs.is_empty() {
        return None;
    }
    let mut pairs: Vec<(usize, usize)> = Vec::new();
    let told = told(analysis);
    for one in jobs.iter().filter(|one| told.iter().any(|(edit, _)| one.case.edit == *edit)) {
        if !pairs.contains(&(one.topology, one.reference)) {
            pairs.push((one.topology, one.reference));
        }
    }
    pairs.sort_by(|one, other| size(&jobs, told, *other).total_cmp(&size(&jobs, told, *one)));
    if pairs.is_empty() {
        return Some(
            "of the edits that an answer speaks of no two topologies have a job; the table has the others.".to_owned(),
        );
    }
    let mut clauses = Vec::new();
    for pair in pairs.iter().take(PAIRS_TOLD) {
        for &(edit, when) in told {
            let comparison = jobs.iter().find(|one| (one.topology, one.reference) == *pair && one.case.edit == edit);
            clauses.extend(comparison.map(|one| format!("{when}, {}", clause(analysis, one))));
        }
    }
    let more = match pairs.len().saturating_sub(PAIRS_TOLD) {
        0 => String::new(),
        1 => "; one more pair is in the table".to_owned(),
        more => format!("; {more} more pairs are in the table"),
    };
    Some(format!("{}{more}.", clauses.join("; ")))
}

/// How far the ratio of two topologies is from 1 in the edits that the answer speaks of, as a logarithm: the largest effect
/// is the one to tell. A pair without a ratio has none; the cautions and the table have its failures.
fn size(jobs: &[&Comparison], told: &[(Edit, &str)], pair: (usize, usize)) -> f64 {
    let told = |one: &&&Comparison| told.iter().any(|(edit, _)| one.case.edit == *edit);
    let of_pair = jobs.iter().filter(|one| (one.topology, one.reference) == pair).filter(told);
    of_pair.filter_map(|one| one.ratio.as_ref()).map(|ratio| ratio.point.ln().abs()).fold(0.0, f64::max)
}

fn job(edit: Edit) -> CaseKey {
    CaseKey { subject: Subject::Job, edit }
}

fn clause(analysis: &Analysis, comparison: &Comparison) -> String {
    let topology = shown(&analysis.arms[comparison.topology].name);
    let reference = shown(&analysis.arms[comparison.reference].name);
    let Some(estimate) = &comparison.ratio else {
        return incomparable(analysis, comparison, &topology, &reference);
    };
    let ratio = ratio(estimate);
    let evidence = match ratio.range {
        Some(_) => format!("{}, n = {}", ratio.interval, blocks(estimate.n)),
        None => format!("no interval: n = {}", blocks(estimate.n)),
    };
    let absolute = |topology: usize| {
        cell(analysis, topology, &comparison.case, comparison.metric)
            .map_or_else(|| "no data".to_owned(), |cell| centre_text(cell.metric, &cell.summary))
    };
    let evidence =
        format!("({evidence}; {} against {})", absolute(comparison.topology), absolute(comparison.reference));
    let takes = format!("takes {} as long as {reference}", ratio.point);
    match comparison.verdict {
        Some(Verdict::Slower) => format!("{topology} is slower: it {takes} {evidence}"),
        Some(Verdict::Faster) => format!("{topology} is faster: it {takes} {evidence}"),
        Some(Verdict::Equivalent) => {
            format!("{topology} and {reference} are equivalent within the stated margin: {topology} {takes} {evidence}")
        }
        Some(Verdict::Indistinguishable) => {
            format!("no difference between {topology} and {reference} is shown: {topology} {takes} {evidence}")
        }
        None => format!("{topology} {takes} {evidence}, which is too little to say which of them is slower"),
    }
}

fn incomparable(analysis: &Analysis, comparison: &Comparison, topology: &str, reference: &str) -> String {
    let excluded = |index: usize, name: &str| {
        let count = cell(analysis, index, &comparison.case, comparison.metric).map_or(0, |cell| cell.excluded);
        (count > 0).then(|| format!("{count} samples of {name} failed or were invalid"))
    };
    let reasons: Vec<String> = [excluded(comparison.topology, topology), excluded(comparison.reference, reference)]
        .into_iter()
        .flatten()
        .collect();
    let reason = if reasons.is_empty() { String::new() } else { format!(" ({})", reasons.join(", ")) };
    format!("{topology} cannot be compared with {reference}: no block has a valid job of both{reason}")
}
