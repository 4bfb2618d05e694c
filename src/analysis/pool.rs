//! Several runs of a scenario as one: of one host, or of several.

use std::collections::BTreeMap;

use super::{Analysis, Comparison};
use crate::case::Edit;
use crate::stats::{Effect, Estimate, Level, hierarchical_ratio, random_effects, ratio};

/// An interval of runs that is so much wider than that of their blocks alone is the one to quote.
const WIDER: f64 = 1.5;

/// A ratio of whole jobs that several runs measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Pool {
    pub topology: String,
    pub reference: String,
    pub edit: Edit,
    /// By host, with how many runs it has.
    pub hosts: Vec<(String, usize, Estimate)>,
    /// Of three hosts or more: their mean, and the share of their differences that is more than error.
    pub all: Option<(Estimate, f64)>,
}

/// The pairs of each run of a host.
type Runs = Vec<Vec<(f64, f64)>>;

/// The ratios that at least two runs have, each given with the host of its run. Within a host the runs' blocks are put
/// together, and where runs differ more than their blocks do, the interval is that of the runs. Across hosts a ratio is a
/// random effect; two hosts have no common number.
pub fn pools<'a>(runs: impl Iterator<Item = (&'a str, &'a Analysis)>) -> Vec<Pool> {
    let mut found: BTreeMap<(Edit, String, String), BTreeMap<String, Runs>> = BTreeMap::new();
    for (host, analysis) in runs {
        let name = |topology: usize| analysis.arms[topology].name.clone();
        for one in analysis.comparisons.iter().filter(|one| one.of_jobs() && one.ratio.is_some()) {
            let Comparison { topology, reference, case, pairs, .. } = one;
            let of_case = found.entry((case.edit, name(*topology), name(*reference))).or_default();
            of_case.entry(host.to_owned()).or_default().push(pairs.clone());
        }
    }
    let several = found.into_iter().filter(|(_, hosts)| hosts.values().map(Vec::len).sum::<usize>() > 1);
    several.map(|((edit, topology, reference), hosts)| pool(edit, topology, reference, hosts)).collect()
}

fn pool(edit: Edit, topology: String, reference: String, hosts: BTreeMap<String, Runs>) -> Pool {
    let hosts: Vec<(String, usize, Estimate)> =
        hosts.into_iter().filter_map(|(host, runs)| Some((host, runs.len(), of_host(&runs)?))).collect();
    let effects: Option<Vec<Effect>> = hosts.iter().map(|(_, _, estimate)| effect(estimate)).collect();
    let all = effects.and_then(|effects| random_effects(&effects, Level::P95).ok()?);
    let all = all.map(|pooled| (pooled.estimate.map(f64::exp), pooled.i2));
    Pool { topology, reference, edit, hosts, all }
}

/// Of the pairs of each run of a host.
fn of_host(runs: &[Vec<(f64, f64)>]) -> Option<Estimate> {
    let blocks = ratio(&runs.concat(), Level::P95).ok()?;
    let by_run = hierarchical_ratio(runs, Level::P95).ok()?;
    let width = |estimate: &Estimate| estimate.interval.map(|one| (one.high / one.low).ln());
    let wider = width(&by_run).zip(width(&blocks)).is_some_and(|(runs, blocks)| runs > WIDER * blocks);
    Some(if wider { by_run } else { blocks })
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
        pool(Edit::None, "dind".to_owned(), "socket".to_owned(), hosts)
    }

    fn bounds(estimate: &Estimate) -> (f64, f64) {
        estimate.interval.map(|one| (one.low, one.high)).expect("an interval")
    }

    #[test]
    fn runs_that_agree_are_as_sure_as_all_their_blocks_and_runs_that_do_not_are_not() {
        let (alike, apart) = (pooled(&[("a", &[1.2, 1.2, 1.2])]), pooled(&[("a", &[1.0, 1.2, 1.4])]));
        let (low, high) = bounds(&alike.hosts[0].2);
        assert!(1.19 < low && high < 1.21, "{alike:?}");
        let (low, high) = bounds(&apart.hosts[0].2);
        assert!(low < 1.05 && high > 1.35, "{apart:?}");
        assert_eq!((alike.hosts[0].1, alike.all, apart.all), (3, None, None), "one host has no others to differ from");
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
