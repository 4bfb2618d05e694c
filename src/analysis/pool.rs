//! Several runs of a scenario as one: of one host, or of several.

use std::collections::BTreeMap;

use super::paired::Paired;
use super::{Analysis, Comparison};
use crate::case::{Builder, Driver, Edit};
use crate::record::RunRecord;
use crate::stats::{Effect, Estimate, Level, hierarchical_ratio, random_effects};

/// An interval of runs that is so much wider than that of their blocks alone is the one to quote.
const WIDER: f64 = 1.5;

/// A ratio of whole jobs that several runs measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Pool {
    pub case: PoolCase,
    pub hosts: Vec<HostRatio>,
    /// Of three hosts or more: their mean, and the share of their differences that is more than error.
    pub all: Option<(Estimate, f64)>,
}

/// A ratio as the runs of one host measured it.
#[derive(Clone, Debug, PartialEq)]
pub struct HostRatio {
    pub host: String,
    pub runs: usize,
    /// Of the blocks of all runs.
    pub blocks: Estimate,
    /// With what differs from run to run in its interval; empty for one run.
    pub between_runs: Option<Estimate>,
}

impl HostRatio {
    /// The estimate to quote: where the runs differ more than their blocks do, the one that holds it.
    pub fn quoted(&self) -> &Estimate {
        let width = |estimate: &Estimate| estimate.interval.map(|one| (one.high / one.low).ln());
        let wider =
            |runs: &&Estimate| width(runs).zip(width(&self.blocks)).is_some_and(|(runs, blocks)| runs > WIDER * blocks);
        self.between_runs.as_ref().filter(wider).unwrap_or(&self.blocks)
    }
}

/// What runs must have alike to measure the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Setup {
    pub scenario_digest: String,
    pub driver: Driver,
    pub builder: Builder,
    /// Whether trials had hosts of their own, or the engine that was there, however it was reached.
    pub reference_hosts: bool,
    /// Version and storage driver of the outer engine; empty where the run does not tell.
    pub engine: String,
}

impl Setup {
    pub fn of(run: &RunRecord) -> Self {
        let outer = run.environment.engines.get("outer");
        Self {
            scenario_digest: run.scenario_digest.clone(),
            driver: run.driver,
            builder: run.builder,
            reference_hosts: run.environment.host_kind == "reference",
            engine: outer.map_or_else(String::new, |engine| format!("{} {}", engine.version, engine.storage_driver)),
        }
    }
}

/// A ratio of whole jobs in one setup.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PoolCase {
    pub scenario: String,
    pub setup: Setup,
    pub topology: String,
    pub reference: String,
    pub edit: Edit,
}

/// The pairs of each run of a host.
type Runs = Vec<Vec<(f64, f64)>>;

/// The ratios that at least two runs have. Within a host the runs' blocks are put together, and where runs differ more than
/// their blocks do, the interval is that of the runs. Across hosts a ratio is a random effect; two hosts have no common number.
pub fn pools<'a>(runs: impl Iterator<Item = (&'a RunRecord, &'a Analysis)>) -> Vec<Pool> {
    let mut found: BTreeMap<PoolCase, BTreeMap<String, Runs>> = BTreeMap::new();
    for (run, analysis) in runs {
        for one in analysis.comparisons.iter().filter(|one| one.of_jobs() && one.ratio.is_some()) {
            let of_case = found.entry(PoolCase::of(run, analysis, one)).or_default();
            of_case.entry(run.host.clone()).or_default().push(one.pairs.clone());
        }
    }
    let several = found.into_iter().filter(|(_, hosts)| hosts.values().map(Vec::len).sum::<usize>() > 1);
    several.map(|(case, hosts)| pool(case, hosts)).collect()
}

impl PoolCase {
    fn of(run: &RunRecord, analysis: &Analysis, one: &Comparison) -> Self {
        Self {
            scenario: run.scenario.clone(),
            setup: Setup::of(run),
            edit: one.case.edit,
            topology: analysis.arms[one.topology].name.clone(),
            reference: analysis.arms[one.reference].name.clone(),
        }
    }
}

fn pool(case: PoolCase, hosts: BTreeMap<String, Runs>) -> Pool {
    let hosts: Vec<HostRatio> = hosts.into_iter().filter_map(|(host, runs)| of_host(host, &runs)).collect();
    let effects: Option<Vec<Effect>> = hosts.iter().map(|one| effect(one.quoted())).collect();
    let all = effects.and_then(|effects| random_effects(&effects, Level::P95).ok()?);
    let all = all.map(|pooled| (pooled.estimate.map(f64::exp), pooled.i2));
    Pool { case, hosts, all }
}

/// Of the pairs of each run of a host.
fn of_host(host: String, runs: &[Vec<(f64, f64)>]) -> Option<HostRatio> {
    let blocks = Paired::new(&runs.concat()).ratio(Level::P95)?;
    let between_runs = hierarchical_ratio(runs, Level::P95).ok()?;
    Some(HostRatio { host, runs: runs.len(), blocks, between_runs: (runs.len() > 1).then_some(between_runs) })
}

/// The logarithm of a ratio, with the error that its interval tells; empty without one, or where it has no width.
fn effect(estimate: &Estimate) -> Option<Effect> {
    /// Of the normal distribution, at 97.5 %.
    const Z: f64 = 1.959_964;
    let interval = estimate.interval?;
    let error = (interval.high / interval.low).ln() / (2.0 * Z);
    (error > 0.0).then(|| Effect { value: estimate.point.ln(), variance: error * error })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten pairs whose ratios lie around this one, within 2 %.
    fn run(ratio: f64) -> Vec<(f64, f64)> {
        (0..10).map(|block| (ratio * (1.0 + f64::from(block % 5 - 2) / 100.0), 1.0)).collect()
    }

    fn pooled(hosts: &[(&str, &[f64])]) -> Pool {
        let runs = |ratios: &[f64]| ratios.iter().map(|ratio| run(*ratio)).collect();
        let hosts = hosts.iter().map(|(host, ratios)| ((*host).to_owned(), runs(ratios))).collect();
        let word = str::to_owned;
        let case = PoolCase {
            scenario: word("quick"),
            setup: Setup {
                scenario_digest: word("sha256:0"),
                driver: Driver::Cli,
                builder: Builder::Classic,
                reference_hosts: true,
                engine: word("20.10.24 overlay2"),
            },
            edit: Edit::None,
            topology: word("dind"),
            reference: word("socket"),
        };
        pool(case, hosts)
    }

    fn bounds(estimate: &Estimate) -> (f64, f64) {
        estimate.interval.map(|one| (one.low, one.high)).expect("an interval")
    }

    #[test]
    fn runs_that_agree_are_as_sure_as_all_their_blocks_and_runs_that_do_not_are_not() {
        let (alike, apart) = (pooled(&[("a", &[1.2, 1.2, 1.2])]), pooled(&[("a", &[1.0, 1.2, 1.4])]));
        let (low, high) = bounds(alike.hosts[0].quoted());
        assert!(1.19 < low && high < 1.21, "{alike:?}");
        let (low, high) = bounds(apart.hosts[0].quoted());
        assert!(low < 1.05 && high > 1.35, "{apart:?}");
        assert!(bounds(&apart.hosts[0].blocks).0 > low, "their blocks alone are surer than the runs");
        assert_eq!(pooled(&[("a", &[1.2])]).hosts[0].between_runs, None, "one run has no others to differ from");
        assert_eq!(
            (alike.hosts[0].runs, alike.all, apart.all),
            (3, None, None),
            "one host has no others to differ from"
        );
    }

    /// Twenty pairs whose ratio is 1.0 in the first ten and 1.2 in the others, or 1.0 and 1.2 by turns.
    #[test]
    fn blocks_that_depend_on_one_another_are_less_sure() {
        let of = |high: fn(u32) -> bool| {
            let pairs = (0..20).map(|block| (if high(block) { 1.2 } else { 1.0 } + f64::from(block % 5) / 1e3, 1.0));
            of_host("a".to_owned(), &[pairs.collect()]).unwrap().blocks
        };
        let [alike, apart] = [of(|block| block >= 10), of(|block| block % 2 == 0)].map(|one| bounds(&one));
        assert!(alike.0 < apart.0 || apart.1 < alike.1, "{alike:?}, {apart:?}");
    }

    #[test]
    fn three_hosts_have_a_common_number_and_two_have_none() {
        let two = pooled(&[("a", &[1.1]), ("b", &[1.3])]);
        assert_eq!((two.hosts.len(), two.all), (2, None));
        let three = pooled(&[("a", &[1.1]), ("b", &[1.2]), ("c", &[1.3])]);
        let (estimate, i2) = three.all.expect("a common number");
        let (low, high) = bounds(&estimate);
        assert!((estimate.point - 1.2).abs() < 0.02 && low < 1.1 && high > 1.3 && i2 > 0.9, "{estimate:?}, {i2}");
    }
}
