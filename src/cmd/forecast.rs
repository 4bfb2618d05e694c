//! How many blocks a run will take, and how long, as far as that can be known before it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use time::OffsetDateTime;

use crate::analysis::Analysis;
use crate::record::{RunDir, Text, TrialRow};
use crate::scenario::Scenario;
use crate::stats::{Ordered, enough_blocks, foreseen_half_width, implied_noise};

/// Where runs are looked for: where `run` puts them if nothing else is said.
const RUNS: &str = "results";

/// Relative standard deviations of a time, from a quiet machine to a shared one.
const NOISES: [f64; 4] = [0.01, 0.02, 0.05, 0.1];

/// What an earlier run of the scenario says of the next one.
struct Earlier {
    dir: PathBuf,
    /// On which it was made: the next one may be on another.
    host: String,
    blocks: u32,
    /// Of one block, the median of those measured; empty where there are fewer than two.
    block: Option<Duration>,
    /// Of the widest ratio of jobs.
    half_width: Option<f64>,
}

/// Sentences on `planned` blocks, the warm-up among them, and on `goal`, the half-width that is asked for.
pub(super) fn forecast(scenario: &Scenario, planned: u32, goal: Option<f64>) -> String {
    let earlier = newest(Path::new(RUNS), scenario);
    let mut lines = goal.map_or_else(Vec::new, |goal| by_noise(goal, planned.saturating_sub(1)));
    match &earlier {
        Some(earlier) => lines.extend(earlier.told(planned, goal)),
        None => lines.push(format!(
            "how long a block takes is not known before a run of {} in {RUNS}: --preset smoke tells",
            scenario.name
        )),
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// A table: on which machine how many blocks are enough.
fn by_noise(goal: f64, last: u32) -> Vec<String> {
    let mut lines = vec![format!(
        "measured blocks until every job's ratio is known to ±{:.1} %, by how much single times vary",
        goal * 100.0
    )];
    lines.extend(NOISES.map(|noise| {
        let blocks = match enough_blocks(goal, noise, last) {
            Some(blocks) => format!("{blocks} blocks"),
            None => {
                let reached = foreseen_half_width(last, noise).map_or_else(String::new, percent);
                format!("more than the {last} of this plan, which come to {reached}")
            }
        };
        format!("  {:>3.0} %  {blocks}", noise * 100.0)
    }));
    lines
}

fn percent(part: f64) -> String {
    format!("±{:.1} %", part * 100.0)
}

impl Earlier {
    fn told(&self, planned: u32, goal: Option<f64>) -> Vec<String> {
        let name = format!("{} on host {}", self.dir.display(), Text::from(self.host.as_str()));
        let lasting = |blocks: u32| match self.block {
            Some(block) => format!("{}, at {} a block", rounded(block * blocks), rounded(block)),
            None => "for a time that its one block does not tell".to_owned(),
        };
        let mut lines = vec![format!("by {name}, {planned} blocks with the warm-up take {}", lasting(planned))];
        let noise = self.half_width.and_then(|width| Some((width, implied_noise(self.blocks, width)?)));
        lines.extend(goal.zip(noise).map(|(goal, (width, noise))| {
            let of = format!(
                "its {} blocks came to {}, as of times that vary by {:.1} %",
                self.blocks,
                percent(width),
                noise * 100.0
            );
            match enough_blocks(goal, noise, planned.saturating_sub(1)) {
                Some(blocks) => {
                    format!("{of}: {blocks} measured blocks are enough, which take {}", lasting(blocks + 1))
                }
                None => format!("{of}: the blocks of this plan are not enough"),
            }
        }));
        lines
    }

    fn of(dir: RunDir) -> Option<Self> {
        let analysis = Analysis::of(&dir).ok()?;
        let trials: Vec<TrialRow> = dir.trials().ok()?.collect::<Result<_, _>>().ok()?;
        Some(Self {
            dir: dir.path().to_owned(),
            host: dir.record().host.clone(),
            blocks: u32::try_from(analysis.blocks).ok()?,
            block: block(&trials),
            half_width: analysis.half_width(),
        })
    }
}

/// From the beginning of one block to that of the next.
fn block(trials: &[TrialRow]) -> Option<Duration> {
    let mut begins: BTreeMap<u32, OffsetDateTime> = BTreeMap::new();
    for row in trials {
        let begin = begins.entry(row.block).or_insert(row.started_at);
        *begin = row.started_at.min(*begin);
    }
    let begins: Vec<OffsetDateTime> = begins.into_values().collect();
    let lengths = begins.windows(2).map(|pair| (pair[1] - pair[0]).as_seconds_f64());
    Some(Duration::from_secs_f64(Ordered::new(lengths).ok()?.median().max(0.0)))
}

/// The newest run of a scenario with the same topologies; a folder that is none is passed over.
fn newest(runs: &Path, scenario: &Scenario) -> Option<Earlier> {
    let names: Vec<&str> = scenario.topologies.iter().map(|topology| topology.name.as_str()).collect();
    let alike = |dir: &RunDir| {
        let record = dir.record();
        record.scenario == scenario.name && record.arms.iter().map(|arm| arm.name.as_str()).eq(names.iter().copied())
    };
    let dirs = std::fs::read_dir(runs).ok()?.filter_map(|entry| RunDir::open(&entry.ok()?.path()).ok());
    let newest = dirs.filter(alike).max_by(|a, b| a.record().started_at.cmp(&b.record().started_at))?;
    Earlier::of(newest)
}

fn rounded(duration: Duration) -> humantime::FormattedDuration {
    humantime::format_duration(Duration::from_secs(duration.as_secs_f64().round() as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn earlier(half_width: Option<f64>) -> Earlier {
        Earlier {
            dir: "results/one".into(),
            host: "mine".to_owned(),
            blocks: 7,
            block: Some(Duration::from_secs(40)),
            half_width,
        }
    }

    #[test]
    fn an_earlier_run_tells_how_long_and_how_many() {
        let told = earlier(Some(0.02)).told(41, Some(0.02));
        assert_eq!(told[0], "by results/one on host mine, 41 blocks with the warm-up take 27m 20s, at 40s a block");
        assert!(
            told[1].starts_with("its 7 blocks came to ±2.0 %, as of times that vary by 1.5 %: 10 measured blocks are")
        );
        assert!(told[1].ends_with("7m 20s, at 40s a block"), "{}", told[1]);
        let wide = earlier(Some(0.5)).told(41, Some(0.02));
        assert!(wide[1].ends_with("the blocks of this plan are not enough"), "{}", wide[1]);
        assert_eq!(earlier(None).told(8, Some(0.02)).len(), 1, "without an interval nothing is said of precision");
    }

    #[test]
    fn more_noise_takes_more_blocks() {
        let lines = by_noise(0.02, 40);
        assert!(lines[1].ends_with("1 %  10 blocks") && lines[2].ends_with("2 %  15 blocks"), "{lines:?}");
        assert!(lines[3].contains("more than the 40 of this plan, which come to ±2.3 %"), "{lines:?}");
    }
}
