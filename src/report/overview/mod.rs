//! Several runs as one page: which they are, what they say together, and in what they differ.

mod conditions;
mod html;
mod markdown;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::caution::cautions;
use super::noise::self_check;
use super::plot::{Figure, pooled};
use super::resources::Grid;
use super::shown::shown;
use super::words::{blocks, ratio};
use super::{ReportError, file, folder, plot};
use crate::analysis::{Analysis, HostRatio, Pool, PoolCase, pools, self_checks, together};
use crate::record::RunRecord;
use crate::stats::Estimate;

/// What holds for every overview.
const LIMITS: [&str; 4] = [
    "Ratios are formed within the blocks of a run. Nothing here compares the times of one host with those of another.",
    "Runs are put together where they are of one scenario, to the byte, with one driver and one builder.",
    "Of several runs of a host the blocks are put together. Beside their interval stands that of a bootstrap which draws runs first, \
     then blocks; where it is more than 1.5 times as wide, runs differ more than their blocks do, and it is the one to quote.",
    "Three hosts or more have a common ratio, with hosts as random effects (DerSimonian and Laird's variance, Hartung and Knapp's \
     interval); I² is the share of their differences that is more than error. Two hosts are listed, and have none.",
];

/// One of the runs.
#[derive(Clone, Copy, Debug)]
pub struct Member<'a> {
    pub run: &'a RunRecord,
    pub analysis: &'a Analysis,
    /// Of its own report, in the folder of the overview.
    pub folder: &'a OsStr,
}

/// The text of an overview. No field is escaped for HTML or Markdown, except the figure, which is a whole SVG document.
struct Overview {
    title: String,
    origin: Vec<String>,
    cautions: Vec<String>,
    runs: Grid,
    /// Of each run, the place of its own report without the ending, as a link needs it.
    links: Vec<String>,
    ratios: Grid,
    figure: Option<Figure>,
    checks: Vec<String>,
    /// In what the runs differ.
    conditions: Grid,
}

/// Writes `report.html`, `report.md` and the figure of several runs into `dir`, over those of an earlier time. Returns the
/// page.
///
/// # Errors
/// A file that cannot be written, or a figure that cannot be drawn.
pub fn write_overview(dir: &Path, members: &[Member]) -> Result<PathBuf, ReportError> {
    let overview = Overview::new(members)?;
    let plots = folder(dir)?;
    overview.figure.iter().try_for_each(|figure| plot(&plots, figure).map(drop))?;
    file(dir.join("report.md"), markdown::render(&overview).as_bytes())?;
    file(dir.join("report.html"), html::render(&overview)?.as_bytes())
}

impl Overview {
    fn new(members: &[Member]) -> Result<Self, ReportError> {
        let pools = pools(members.iter().map(|one| (one.run, one.analysis)));
        let looks: Vec<(Pool, usize)> =
            pools.iter().map(|pool| (pool.clone(), topology(members, &pool.case))).collect();
        let differing = conditions::differing(members);
        Ok(Self {
            title: title(members),
            origin: origin(members),
            cautions: conditions::cautions(members, &differing),
            runs: runs(members),
            links: members.iter().map(|one| format!("{}/report", encoded(one.folder))).collect(),
            ratios: ratios(&pools),
            figure: pooled(&looks)?,
            checks: checks(members),
            conditions: conditions::grid(&differing),
        })
    }
}

impl Member<'_> {
    fn name(&self) -> String {
        shown(&self.folder.to_string_lossy())
    }
}

/// Of a topology in the first run that has the case: its look in that run's own figures.
fn topology(members: &[Member], case: &PoolCase) -> usize {
    let mut runs = members.iter().filter(|one| one.run.scenario_digest == case.setup.scenario_digest);
    runs.find_map(|one| one.analysis.arms.iter().position(|arm| arm.name == case.topology)).unwrap_or_default()
}

/// The question where it is one.
fn title(members: &[Member]) -> String {
    let questions = distinct(members.iter().map(|one| shown(one.run.question.trim())));
    match questions.as_slice() {
        [question] => question.clone(),
        questions => format!("{} questions", questions.len()),
    }
}

fn origin(members: &[Member]) -> Vec<String> {
    let scenarios = distinct(members.iter().map(|one| shown(&one.run.scenario)));
    let hosts = distinct(members.iter().map(|one| one.run.host.clone())).len();
    vec![
        if scenarios.len() == 1 {
            format!("scenario {}", scenarios[0])
        } else {
            format!("scenarios {}", scenarios.join(", "))
        },
        format!("{} runs", members.len()),
        if hosts == 1 { "one host".to_owned() } else { format!("{hosts} hosts") },
        blocks(members.iter().map(|one| one.analysis.blocks).sum()),
    ]
}

/// In the order in which they are met.
fn distinct<T: PartialEq>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut distinct = Vec::new();
    for value in values {
        if !distinct.contains(&value) {
            distinct.push(value);
        }
    }
    distinct
}

fn runs(members: &[Member]) -> Grid {
    let headings = ["run", "scenario", "host", "engine", "kernel", "date", "seed", "blocks", "cautions"];
    let rows = members.iter().map(|one| {
        let engine = one.run.environment.engines.get("outer").map_or("unknown", |engine| engine.version.as_str());
        vec![
            one.name(),
            shown(&one.run.scenario),
            shown(&one.run.host),
            shown(engine),
            shown(&one.run.environment.host.kernel),
            shown(one.run.started_at.split('T').next().unwrap_or_default()),
            one.run.seed.to_string(),
            one.analysis.blocks.to_string(),
            cautions(one.run, one.analysis).len().to_string(),
        ]
    });
    Grid { rows: rows.collect(), headings: headings.map(str::to_owned).to_vec() }
}

/// Host by host; the ratio is named in the first line of its hosts.
fn ratios(pools: &[Pool]) -> Grid {
    let headings = ["time of a job by that of another", "host", "runs", "blocks", "by the blocks", "by the runs"];
    let rows = pools.iter().flat_map(|pool| {
        let PoolCase { scenario, setup, topology, reference, edit } = &pool.case;
        let (scenario, engine) = (shown(scenario), shown(&setup.engine));
        let name = format!("{scenario}: {} / {}, edit {edit}, engine {engine}", shown(topology), shown(reference));
        let names = std::iter::once(name).chain(std::iter::repeat(String::new()));
        let hosts = pool.hosts.iter().map(of_host).chain(pool.all.map(|all| of_all(pool, all)));
        names.zip(hosts).map(|(name, host)| [name].into_iter().chain(host).collect())
    });
    Grid { rows: rows.collect(), headings: headings.map(str::to_owned).to_vec() }
}

fn of_host(one: &HostRatio) -> [String; 5] {
    let told = |estimate: &Estimate| {
        let words = ratio(estimate);
        let quoted = if one.between_runs.is_some() && one.quoted() == estimate { ", to quote" } else { "" };
        format!("{}, {}{quoted}", words.point, words.interval)
    };
    let between = one.between_runs.as_ref().map_or_else(String::new, told);
    [shown(&one.host), one.runs.to_string(), one.blocks.n.to_string(), told(&one.blocks), between]
}

fn of_all(pool: &Pool, (estimate, i2): (Estimate, f64)) -> [String; 5] {
    let sum = |of: fn(&HostRatio) -> usize| pool.hosts.iter().map(of).sum::<usize>().to_string();
    let words = ratio(&estimate);
    [
        format!("all {} hosts, I² {:.0} %", pool.hosts.len(), i2 * 100.0),
        sum(|one| one.runs),
        sum(|one| one.blocks.n),
        format!("{}, {}", words.point, words.interval),
        String::new(),
    ]
}

fn checks(members: &[Member]) -> Vec<String> {
    let each = members.iter().flat_map(|one| self_checks(&one.analysis.arms, &one.analysis.comparisons));
    together(each.collect()).iter().map(self_check).collect()
}

/// A folder's name as a part of a link that can be nothing but a path.
fn encoded(folder: &OsStr) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    let encode = |byte: &u8| if plain(byte) { char::from(*byte).to_string() } else { format!("%{byte:02X}") };
    folder.as_bytes().iter().map(encode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_leads_into_a_folder_whatever_its_name() {
        assert_eq!(encoded(OsStr::new("2026-11-29-host_1.a")), "2026-11-29-host_1.a");
        assert_eq!(encoded(OsStr::new("javascript:x\"<y>/é")), "javascript%3Ax%22%3Cy%3E%2F%C3%A9");
    }
}
