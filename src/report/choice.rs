//! What the numbers mean for a choice: what each topology takes, which no other one beats, and what it costs.

use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};

use super::resources::Grid;
use super::shown::shown;
use super::words::{range, value};
use crate::analysis::{Analysis, Arm, Axis, Choice, Choices, Metric, NEGLIGIBLE_BYTES};
use crate::scenario::Cost;
use crate::stats::{EQUIVALENCE_MARGIN, Estimate};

/// Break-evens told in words; more help nobody.
const MOST_TOLD: usize = 4;
/// What stored bytes and a day's jobs are reckoned up to.
const DAYS: f64 = 30.0;
const MINUTE_NS: f64 = 60e9;
const GB: f64 = 1e9;

const BY_MEANS: &str = "Every number of a job is a mean over the jobs of this sequence, its first one among them. Times are means of the \
    blocks too, which a bill adds up, with the interval of a bootstrap (BCa) that is to hold 95 % and of few blocks holds less; all else \
    is by the medians. Which differences are shown, the ratios say.";
const NOT_HERE: &str =
    "What a job can do to its host, to its neighbours and to what they left behind is in none of these figures.";

/// The section of a report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Decision {
    pub(super) sentences: Vec<String>,
    pub(super) grid: Grid,
}

/// Nothing for a single topology: there is no choice.
pub(super) fn decision(analysis: &Analysis, cost: Option<Cost>) -> Decision {
    let choices = Choices::of(analysis);
    if choices.list.len() < 2 {
        return Decision::default();
    }
    let mut sentences = vec![BY_MEANS.to_owned()];
    sentences.extend(choices.unused_bytes.map(above));
    sentences.extend(uncounted(analysis));
    sentences.extend(unknown(analysis, &choices));
    sentences.extend(unlike(&choices.list));
    sentences.extend(mixed(analysis, &choices.list));
    sentences.extend(best(analysis, &choices));
    sentences.extend(beaten(analysis, &choices.list));
    sentences.extend(break_evens(analysis, &choices));
    sentences.extend(cost.map(inputs));
    sentences.push(NOT_HERE.to_owned());
    Decision { sentences, grid: grid(analysis, &choices.list, cost) }
}

fn above(unused_bytes: f64) -> String {
    let unused = value(Metric::DiskBytes, unused_bytes);
    format!("Disk is counted above {unused}: the least that was there before a first job.")
}

/// Topologies that pull before anything is counted.
fn uncounted(analysis: &Analysis) -> Option<String> {
    let arms = analysis.arms.iter().filter(|arm| arm.pulls_beforehand());
    let names: Vec<String> = arms.map(|arm| shown(&arm.name)).collect();
    (!names.is_empty()).then(|| {
        format!(
            "What {} had pulled before the first job is in no time and in no bytes, so which topology pulls least is not told.",
            list(&names)
        )
    })
}

fn name(analysis: &Analysis, topology: usize) -> String {
    shown(&analysis.arms[topology].name)
}

/// What a topology is called better in; failures are told by their number.
const COMPARED: [Axis; 3] = [Axis::Time, Axis::Pulled, Axis::Disk];

/// What is not known of every topology; of one that pulls beforehand another sentence speaks.
fn unknown(analysis: &Analysis, choices: &Choices) -> Option<String> {
    let told = COMPARED.into_iter().filter_map(|axis| {
        let without = choices.list.iter().filter(|one| one.value(axis).is_none());
        let without = without.filter(|one| axis != Axis::Pulled || !analysis.arms[one.topology].pulls_beforehand());
        let names: Vec<String> = without.map(|one| name(analysis, one.topology)).collect();
        (!names.is_empty()).then(|| format!("{axis} of {}", list(&names)))
    });
    let told: Vec<String> = told.collect();
    (!told.is_empty()).then(|| format!("Not known, and not compared: {}.", told.join("; ")))
}

/// Those that are beaten in nothing that is known of all, or what each is unbeaten in.
fn best(analysis: &Analysis, choices: &Choices) -> Option<String> {
    let compared: Vec<(Axis, Vec<usize>)> =
        COMPARED.into_iter().filter_map(|axis| Some((axis, choices.unbeaten(axis)?))).collect();
    if compared.is_empty() {
        return None;
    }
    let names =
        |topologies: &[usize]| list(&topologies.iter().map(|topology| name(analysis, *topology)).collect::<Vec<_>>());
    let everywhere = choices
        .list
        .iter()
        .filter(|one| one.failures == 0 && compared.iter().all(|(_, unbeaten)| unbeaten.contains(&one.topology)));
    let everywhere: Vec<usize> = everywhere.map(|one| one.topology).collect();
    let margin = format!(
        "Less than {:.0} %, or than {}, is no difference.",
        100.0 * EQUIVALENCE_MARGIN,
        value(Metric::DiskBytes, NEGLIGIBLE_BYTES)
    );
    if everywhere.is_empty() {
        let told: Vec<String> =
            compared.iter().map(|(axis, unbeaten)| format!("in {axis}: {}", names(unbeaten))).collect();
        let told = told.join("; ");
        return Some(format!("It depends on what is scarce. Not shown to be beaten, {told}. {margin}"));
    }
    let axes: Vec<String> = compared.iter().map(|(axis, _)| axis.to_string()).collect();
    let axes = axes.join(" or ");
    Some(format!("No other of these is shown to be better than {} in {axes}. {margin}", names(&everywhere)))
}

fn beaten<'a>(analysis: &'a Analysis, choices: &'a [Choice]) -> impl Iterator<Item = String> + 'a {
    choices.iter().filter_map(move |one| {
        let (better, axes) = one.beaten_by.as_ref()?;
        let other = choices.iter().find(|choice| choice.topology == *better)?;
        let known = |axis: &Axis| one.value(*axis).is_some() && other.value(*axis).is_some();
        let (compared, unknown): (Vec<Axis>, Vec<Axis>) = COMPARED.into_iter().partition(known);
        let mut told =
            format!("{} is better than {} in {}", name(analysis, *better), name(analysis, one.topology), all(axes));
        let others: Vec<Axis> = compared.into_iter().filter(|axis| !axes.contains(axis)).collect();
        if !others.is_empty() {
            told += &format!(", and not shown to be worse in {}", all(&others));
        }
        if !unknown.is_empty() {
            told += &format!("; {} cannot be compared", all(&unknown));
        }
        Some(told + ".")
    })
}

fn all(axes: &[Axis]) -> String {
    list(&axes.iter().map(ToString::to_string).collect::<Vec<_>>())
}

/// That jobs alone and jobs at once were not weighed against each other.
fn unlike(choices: &[Choice]) -> Option<String> {
    let first = choices.first()?.at_once;
    choices.iter().any(|one| one.at_once != first).then(|| {
        "Topologies with another number of jobs at once do another amount of work, and are not compared here: the page has \
         their jobs per minute, under Jobs at once."
            .to_owned()
    })
}

/// That a difference is not one of the topologies alone.
fn mixed(analysis: &Analysis, choices: &[Choice]) -> Option<String> {
    let differ = |of: fn(&Arm) -> &[String]| {
        let mut all = choices.iter().map(|one| of(&analysis.arms[one.topology])).filter(|words| !words.is_empty());
        let first = all.next();
        all.any(|words| Some(words) != first)
    };
    let what = [(differ(|arm| &arm.storage_drivers), "storage driver"), (differ(|arm| &arm.engines), "version")];
    let what: Vec<String> = what.into_iter().filter(|(differ, _)| *differ).map(|(_, what)| what.to_owned()).collect();
    (!what.is_empty()).then(|| format!("Their engines differ in {}, and that is in every number here.", list(&what)))
}

fn break_evens(analysis: &Analysis, choices: &Choices) -> Vec<String> {
    let topologies = || choices.list.iter().map(|one| one.topology);
    let pairs: Vec<_> = topologies().flat_map(|one| topologies().map(move |other| (one, other))).collect();
    let told = pairs
        .par_iter()
        .filter_map(|(one, other)| {
            let job = choices.overtakes(*one, *other)?;
            let (one, other) = (name(analysis, *one), name(analysis, *other));
            Some(format!("{one} begins slower than {other}, and has paid off from job {job} of the sequence on."))
        })
        .collect();
    first_of(told)
}

/// As many as help, and how many more there are.
fn first_of(mut told: Vec<String>) -> Vec<String> {
    let more = told.len().saturating_sub(MOST_TOLD);
    told.truncate(MOST_TOLD);
    let pairs = if more == 1 { "pair" } else { "pairs" };
    told.extend((more > 0).then(|| format!("The slower beginner pays off in {more} more {pairs} of topologies.")));
    told
}

fn inputs(cost: Cost) -> String {
    let given = [
        (cost.jobs_per_day, "jobs a day"),
        (cost.price_per_minute, "per minute"),
        (cost.price_per_gb_moved, "per GB pulled"),
        (cost.price_per_gb_stored, "per GB stored and month"),
    ];
    let given: Vec<String> = given.into_iter().filter_map(|(amount, of)| Some(format!("{} {of}", amount?))).collect();
    format!(
        "The cost is reckoned with the scenario's own prices, which you can change: {}. A job is the mean of the sequence, and a \
         month has {DAYS:.0} days.",
        given.join(", ")
    )
}

fn grid(analysis: &Analysis, choices: &[Choice], cost: Option<Cost>) -> Grid {
    let mut headings =
        ["topology", "time of a job", "of it start", "pulled by a job", "disk after the last job", "failed samples"]
            .map(str::to_owned)
            .to_vec();
    headings.extend(
        cost.map(|cost| if cost.jobs_per_day.is_some() { "cost of a month" } else { "cost of a job" }.to_owned()),
    );
    let shown_as = |metric: Metric, number: Option<f64>| {
        number.map_or_else(|| "no data".to_owned(), |number| value(metric, number))
    };
    let rows = choices.iter().map(|one| {
        let mut cells = vec![
            name(analysis, one.topology),
            one.elapsed_ns.map_or_else(|| "no data".to_owned(), time),
            shown_as(Metric::ElapsedNs, one.start_ns),
            match analysis.arms[one.topology].pulls_beforehand() {
                true => "not all counted".to_owned(),
                false => shown_as(Metric::BytesPulled, one.bytes_pulled),
            },
            shown_as(Metric::DiskBytes, one.disk_bytes),
            one.failures.to_string(),
        ];
        cells.extend(cost.map(|cost| price(one, cost).map_or_else(|| "no data".to_owned(), |sum| format!("{sum:.2}"))));
        cells
    });
    Grid { rows: rows.collect(), headings }
}

/// A mean with its interval, whose coverage is not known.
fn time(time: Estimate) -> String {
    let shown = |nanos| value(Metric::ElapsedNs, nanos);
    match time.interval {
        None => shown(time.point),
        Some(interval) => format!("{}, {}", shown(time.point), range(shown(interval.low), shown(interval.high))),
    }
}

/// Of a month where the jobs of a day are known, else of one job; empty where something that has a price was not measured.
fn price(one: &Choice, cost: Cost) -> Option<f64> {
    let priced = |price: Option<f64>, amount: Option<f64>| match price {
        Some(price) => amount.map(|amount| price * amount),
        None => Some(0.0),
    };
    let time = priced(cost.price_per_minute, one.elapsed_ns.map(|time| time.point / MINUTE_NS))?;
    let moved = priced(cost.price_per_gb_moved, one.bytes_pulled.map(|bytes| bytes / GB))?;
    let Some(jobs) = cost.jobs_per_day else { return Some(time + moved) };
    let stored = priced(cost.price_per_gb_stored, one.disk_bytes.map(|bytes| bytes / GB))?;
    Some(jobs * DAYS * (time + moved) + stored)
}

fn list(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_a_few_break_evens_only_their_number_is_told() {
        let of = |count: usize| first_of((1..=count).map(|pair| format!("pair {pair}")).collect());
        assert_eq!(of(MOST_TOLD).last().unwrap(), "pair 4");
        assert_eq!(of(MOST_TOLD + 1)[3..], ["pair 4", "The slower beginner pays off in 1 more pair of topologies."]);
        assert_eq!(of(MOST_TOLD + 3)[4..], ["The slower beginner pays off in 3 more pairs of topologies."]);
    }
}
