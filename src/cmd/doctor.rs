//! `dindbench doctor`: what this host can run and why not, shown by trying, before anything is measured.

mod quiet;

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use strum::VariantArray;

use super::connect::{self, Connected};
use super::progress::Progress;
use super::tenancy::Tenancy;
use super::{Exit, Failure, could_not_run, interrupt, print, runtime};
use crate::case::FileSystem;
use crate::cli::{self, DoctorArgs};
use crate::engine::{Description, Privilege};
use crate::guard;
use crate::image::{self, System, Wanted};
use crate::journal::{Journal, cache_folder};
use crate::scenario::{EngineVersion, Power, StorageDriver};
use crate::topology::{Host, Place, SYSBOX};

/// One line of the diagnosis.
struct Finding {
    verdict: Verdict,
    subject: &'static str,
    detail: String,
}

#[derive(Clone, Copy, PartialEq, Eq, strum::Display)]
#[strum(serialize_all = "lowercase")]
enum Verdict {
    Ok,
    /// Worth knowing, and nothing to be done before a run.
    Note,
    Warn,
    No,
}

pub fn run(args: &DoctorArgs) -> Result<Exit, Failure> {
    let findings = runtime()?.block_on(examine(&args.host))?;
    let text: String = findings.iter().map(|finding| format!("{finding}\n")).collect();
    let exit = print(text.as_bytes())?;
    let broken = findings.iter().any(|finding| finding.verdict == Verdict::No);
    Ok(if broken { Exit::CouldNotRun } else { exit })
}

/// Prepares a host as a run would, and removes it again.
async fn examine(host: &cli::Host) -> Result<Vec<Finding>, Failure> {
    let Connected { engine, description, place } = connect::engine(host, StorageDriver::Auto, 0).await?;
    let mut findings = vec![about_engine(&description)];
    let progress = Progress::new();
    let interrupt = interrupt::watch().map_err(could_not_run)?;
    let mut tenancy = Tenancy::open(&engine, &description.id, "doctor", None, &progress)?;
    let wanted = Wanted { outer: EngineVersion::Auto, inner: BTreeSet::new(), proxy: false, podman: false, carry: &[] };
    let prepared = tenancy.prepare(&place, &wanted, &BTreeSet::new(), 0, interrupt).await;
    match prepared {
        Ok(Some(mut host)) => {
            findings.extend(about_host(&place, &host));
            findings.extend(about_machine(&host, &description).await);
            findings.extend(about_topologies(&place, &host.learnt.outer));
            if matches!(place, Place::Local { .. }) {
                findings.extend(about_driver(&mut host, &mut tenancy.journal).await);
            }
            findings.push(about_rootless(&mut host, &mut tenancy.journal).await);
            findings.extend(about_file_systems(&mut host, &mut tenancy.journal).await);
        }
        Ok(None) => findings.push(Finding::new(Verdict::No, "host", "interrupted")),
        Err(failure) => findings.push(Finding::new(Verdict::No, "host", failure.report.to_string())),
    }
    tenancy.close().await?;
    progress.end();
    findings.extend(about_systems(&cache_folder()));
    Ok(findings)
}

fn about_engine(description: &Description) -> Finding {
    let detail = format!(
        "{} (API {}) on {}, kernel {}, {}, {} processors, storage driver {}, control groups version {}",
        description.version,
        description.api_version,
        description.operating_system,
        description.kernel,
        description.architecture,
        description.cpus,
        description.storage_driver,
        description.cgroup_version,
    );
    Finding::new(Verdict::Ok, "engine", detail)
}

fn about_privilege(engine: &str, privilege: Privilege) -> Finding {
    let (verdict, how) = match privilege {
        Privilege::Real => (Verdict::Ok, "grants --privileged"),
        Privilege::Explicit => (
            Verdict::Warn,
            "refuses --privileged (it lacks a capability itself); an explicit set of capabilities is used and recorded",
        ),
    };
    Finding::new(verdict, "privilege", format!("{engine} {how}"))
}

/// Engines of other versions and what stands beside them: which can be run, and how the others are got.
fn about_systems(cache: &Path) -> Vec<Finding> {
    let list = |systems: &[System], separator: &str| {
        systems.iter().map(ToString::to_string).collect::<Vec<_>>().join(separator)
    };
    let (there, missing) = (image::systems(cache, true), image::systems(cache, false));
    let mut findings = Vec::new();
    if !there.is_empty() {
        let detail = format!("the engine's own, and from the cache {}", list(&there, ", "));
        findings.push(Finding::new(Verdict::Ok, "systems", detail));
    }
    if !missing.is_empty() {
        let detail = format!(
            "{} not in the cache: built from Debian packages by scripts/images {}",
            list(&missing, ", "),
            list(&missing, " ")
        );
        findings.push(Finding::new(Verdict::Warn, "systems", detail));
    }
    findings
}

fn about_host(place: &Place, host: &Host) -> Vec<Finding> {
    let (outer, machine) = (&host.learnt.outer, &host.learnt.machine);
    let mut findings = vec![about_privilege("the engine", host.privilege())];
    if matches!(place, Place::Reference { .. }) {
        findings.push(about_privilege("the outer engine of a reference host", host.learnt.inner_privilege));
    }
    let detail = format!(
        "engine {} answers on storage driver {} over {}",
        outer.version,
        outer.storage_driver,
        outer.driver_status("Backing Filesystem")
    );
    findings.push(Finding::new(Verdict::Ok, "host", detail));
    let missing = machine.unavailable.iter();
    findings
        .extend(missing.map(|(column, reason)| {
            Finding::new(Verdict::Warn, "counters", format!("{column} stays empty: {reason}"))
        }));
    findings
}

/// Seconds to look at a machine before it is called disturbed: what the preparation has written is still written out.
const LOOKS: usize = 5;

/// What would spoil a run that began now.
async fn about_machine(host: &Host, user: &Description) -> Vec<Finding> {
    let mut found = Vec::new();
    for _ in 0..LOOKS {
        let second = match host.second().await {
            Ok(second) => second,
            Err(error) => return vec![Finding::new(Verdict::No, "machine", error.to_string())],
        };
        let containers = user.running_containers();
        found = quiet::findings(&quiet::State { machine: &host.learnt.machine, second: &second, containers });
        if guard::disturbances(&second, false, 0).is_empty() {
            break;
        }
    }
    if found.iter().any(|finding| finding.verdict == Verdict::Warn) {
        return found;
    }
    let quiet = Finding::new(Verdict::Ok, "machine", "quiet enough to measure");
    [quiet].into_iter().chain(found).collect()
}

/// Whether an inner engine takes the storage driver of the user's own engine. On a reference host both are of one build and
/// on one kind of disk.
async fn about_driver(host: &mut Host, journal: &mut Journal) -> Option<Finding> {
    let outer = host.learnt.outer.storage_driver.clone();
    match host.try_inner(journal, Power::Privileged).await {
        Ok(Ok(inner)) => driver(&outer, &inner),
        Ok(Err(reason)) => Some(Finding::new(Verdict::Warn, "topologies", format!("dind does not start: {reason}"))),
        Err(error) => Some(Finding::new(Verdict::No, "topologies", format!("dind: {error}"))),
    }
}

fn driver(outer: &str, inner: &str) -> Option<Finding> {
    let detail = || {
        format!(
            "the engine has {outer}, and an inner engine takes {inner}: their times differ by the driver too; --host \
             reference runs both on the same, instead of --host local"
        )
    };
    (outer != inner).then(|| Finding::new(Verdict::Warn, "storage drivers", detail()))
}

/// The file systems that an engine's data root can be, in the image of the engine's own build.
async fn about_file_systems(host: &mut Host, journal: &mut Journal) -> Vec<Finding> {
    let finding = |verdict, detail: String| Finding::new(verdict, "data roots", detail);
    let all = FileSystem::VARIANTS.iter().map(|file_system| (EngineVersion::Auto, *file_system)).collect();
    match host.try_file_systems(journal, &all).await {
        Err(error) => vec![finding(Verdict::No, error.to_string())],
        Ok(tried) => tried
            .into_iter()
            .map(|tried| match &tried.reason {
                None => finding(Verdict::Ok, format!("loop:{}", tried.file_system)),
                Some(_) => finding(Verdict::Warn, tried.had().expect_err("there is a reason").to_string()),
            })
            .collect(),
    }
}

fn about_topologies(place: &Place, outer: &Description) -> Vec<Finding> {
    let finding = |verdict, detail: &str| Finding::new(verdict, "topologies", detail);
    let host = match place {
        Place::Reference { .. } => finding(Verdict::Ok, "host"),
        Place::Local { .. } => finding(
            Verdict::Warn,
            "host not here: on your own engine dindbench starts nothing outside of a container; --host reference has it",
        ),
    };
    vec![
        finding(
            Verdict::Ok,
            "socket; socket-proxy where proxy is in the cache; dind, dind-service, dind-preload, dind-mirror and dind-cache with every lifecycle, data root and storage driver, as far as the engine's version and the kernel go",
        ),
        host,
        finding(Verdict::Ok, "podman and buildah where podman is in the cache"),
        about_sysbox(outer),
    ]
}

/// Of the engine's own build; other versions have what it takes.
async fn about_rootless(host: &mut Host, journal: &mut Journal) -> Finding {
    let other = "with engine = \"20.10\", \"26.1\" or \"28.5\" where that is in the cache";
    let finding = |verdict, detail: String| Finding::new(verdict, "topologies", detail);
    match host.try_inner(journal, Power::Rootless).await {
        Ok(Ok(_)) => finding(Verdict::Ok, "dind-rootless".to_owned()),
        Ok(Err(reason)) => finding(
            Verdict::Warn,
            format!(
                "dind-rootless not of this engine's build, which needs rootlesskit, slirp4netns and newuidmap beside it ({reason}); {other}"
            ),
        ),
        Err(error) => finding(Verdict::No, format!("dind-rootless: {error}")),
    }
}

fn about_sysbox(outer: &Description) -> Finding {
    let runtimes = outer.runtimes();
    if runtimes.iter().any(|runtime| runtime == SYSBOX) {
        return Finding::new(Verdict::Ok, "topologies", "sysbox");
    }
    let detail = format!(
        "sysbox not here: the outer engine has no runtime {SYSBOX}, but {}: install sysbox, and --host local",
        runtimes.join(", ")
    );
    Finding::new(Verdict::Warn, "topologies", detail)
}

impl Finding {
    fn new(verdict: Verdict, subject: &'static str, detail: impl Into<String>) -> Self {
        Self { verdict, subject, detail: detail.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (verdict, detail) = (self.verdict.to_string(), crate::record::Text::from(self.detail.as_str()));
        write!(f, "{verdict:<5} {:<15} {detail}", self.subject)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_driver_within_is_warned_of_with_the_cure() {
        let found = driver("fuse-overlayfs", "overlay2").expect("a warning");
        assert!(found.verdict == Verdict::Warn && found.detail.contains("the engine has fuse-overlayfs"));
        assert!(found.detail.contains("an inner engine takes overlay2") && found.detail.contains("--host reference"));
        assert!(driver("overlay2", "overlay2").is_none());
    }
}
