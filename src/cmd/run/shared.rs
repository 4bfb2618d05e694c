//! What is refused on an engine that others use too, before anything is created there.

use crate::case::Builder;
use crate::cli::{Host, RunArgs};
use crate::fixture::Fixture;
use crate::scenario::{Build, Context, EngineVersion, Kind, Scenario, Service, Step, StorageDriver, Topology};

/// A scenario that could harm the user's engine, or leave there what nobody could prove ours.
#[derive(Debug, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
pub enum Refusal {
    #[error(
        "--engine {version} chooses the outer engine of a reference host, and your own engine has the version it has"
    )]
    #[diagnostic(help("--host reference, or no --engine; a topology's `engine` chooses the inner one on either"))]
    Engine { version: EngineVersion },
    #[error(
        "--storage-driver {driver} is asked of the outer engine of a reference host, and your own engine has the one it has"
    )]
    #[diagnostic(help(
        "--host reference, or no --storage-driver; a topology's `storage_driver` is asked of the inner one on either"
    ))]
    StorageDriver { driver: StorageDriver },
    #[error(
        "with builder = \"{builder}\" your own engine may build with BuildKit, whose garbage collection can push your own build cache out"
    )]
    #[diagnostic(help(
        "--builder classic, which has no part in that cache; --allow-host-cache, where you accept that; or --host reference, where your cache is out of reach"
    ))]
    Cache { builder: Builder },
    #[error(
        "the topology {topology} runs its job where the engine does, and on your own engine dindbench starts nothing outside of a container"
    )]
    #[diagnostic(help("--host reference, or --only with the other topologies"))]
    OutsideOfContainers { topology: String },
    #[error(
        "the engine of {topology} listens on a network of your own engine without certificates, and is privileged: whoever reaches it owns the machine"
    )]
    #[diagnostic(help("tls = true, --host reference, or --only with the other topologies"))]
    PlainTcp { topology: String },
    #[error("{concurrency} jobs at once in {topology} would take your own engine from others that use it")]
    #[diagnostic(help("--host reference, or --only with the topologies of one job at a time"))]
    AtOnce { topology: String, concurrency: u32 },
    #[error("--allow-host-cache is for --host local: on a reference host your own build cache is out of reach")]
    #[diagnostic(help("leave it out"))]
    OutOfReach,
    #[error(
        "the context {context} begins FROM scratch, so a build that is killed would leave images on your own engine that carry no label"
    )]
    #[diagnostic(help("another context, or --host reference, which is thrown away with all that is on it"))]
    Unlabelled { context: String },
    #[error(
        "no RUN instruction of the context {context} would tell its records in your BuildKit cache from another build's, so they could not be removed"
    )]
    #[diagnostic(help(
        "--builder classic, another context, or --host reference, which is thrown away with all that is on it"
    ))]
    Traceless { context: String },
    #[error(
        "BuildKit's records of a context of your own, {context}, could not be told from those of your own builds of it"
    )]
    #[diagnostic(help(
        "--builder classic, a generated context such as fixture:ten, or --host reference, which is thrown away with all that is on it"
    ))]
    OwnContext { context: String },
    #[error(
        "the tag {tag} names a registry with a port, and on your own engine tags stand below a name of the run's own"
    )]
    #[diagnostic(help("a tag without the registry, or --host reference"))]
    Tag { tag: String },
}

/// The first thing in a scenario that an engine in use must be spared.
pub(super) fn refusal(args: &RunArgs, scenario: &Scenario) -> Option<Refusal> {
    if args.host == Host::Reference {
        return args.allow_host_cache.then_some(Refusal::OutOfReach);
    }
    if buildkit_builds(scenario) > 0 && !args.allow_host_cache {
        return Some(Refusal::Cache { builder: scenario.job.builder });
    }
    if args.engine != EngineVersion::Auto {
        return Some(Refusal::Engine { version: args.engine });
    }
    if args.storage_driver != StorageDriver::Auto {
        return Some(Refusal::StorageDriver { driver: args.storage_driver });
    }
    if let Some(topology) = scenario.topologies.iter().find(|topology| topology.kind == Kind::Host) {
        return Some(Refusal::OutsideOfContainers { topology: topology.name.clone() });
    }
    let plain = |topology: &&Topology| matches!(&topology.kind, Kind::Dind(dind) if dind.service == Some(Service { tls: false }));
    if let Some(topology) = scenario.topologies.iter().find(plain) {
        return Some(Refusal::PlainTcp { topology: topology.name.clone() });
    }
    if let Some(topology) = scenario.topologies.iter().find(|topology| topology.concurrency.get() > 1) {
        return Some(Refusal::AtOnce { topology: topology.name.clone(), concurrency: topology.concurrency.get() });
    }
    let mut builds = scenario.job.steps.iter().filter_map(|step| match step {
        Step::Build(build) => Some(build),
        Step::Pull { .. } | Step::Run { .. } | Step::Push { .. } => None,
    });
    builds.find_map(|build| of_build(build, buildkit_builds(scenario) > 0))
}

/// Builds of one trial that may be BuildKit's.
pub(super) fn buildkit_builds(scenario: &Scenario) -> u32 {
    if scenario.job.builder == Builder::Classic {
        return 0;
    }
    let builds = scenario.job.steps.iter().filter(|step| matches!(step, Step::Build(_))).count();
    u32::try_from(builds).unwrap_or(u32::MAX).saturating_mul(scenario.sequence.jobs.get())
}

fn of_build(build: &Build, buildkit: bool) -> Option<Refusal> {
    if build.tag.contains(":") && build.tag.rsplit_once('/').is_some_and(|(registry, _)| registry.contains(':')) {
        return Some(Refusal::Tag { tag: build.tag.clone() });
    }
    match &build.context {
        Context::Folder(_) => buildkit.then(|| Refusal::OwnContext { context: build.context.word() }),
        Context::Fixture(name) if name == "big" => Some(Refusal::Unlabelled { context: build.context.word() }),
        Context::Fixture(name) if buildkit && Fixture::from_name(name).is_ok_and(|one| one.commands().count() == 0) => {
            Some(Refusal::Traceless { context: build.context.word() })
        }
        Context::Fixture(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    use crate::scenario::parse;

    fn of(context: &str, builder: &str, tag: &str, options: &str) -> Option<Refusal> {
        refused("use = \"socket\"", context, builder, tag, options)
    }

    fn kind(topology: &str, options: &str) -> Option<Refusal> {
        refused(topology, "fixture:ten", "classic", "app", options)
    }

    fn refused(topology: &str, context: &str, builder: &str, tag: &str, options: &str) -> Option<Refusal> {
        let text = format!(
            "question = \"q\"\nbaseline = \"t\"\n[[topology]]\nname = \"t\"\n{topology}\n[job]\nbuilder = \"{builder}\"\n\
             steps = [{{ op = \"build\", context = \"{context}\", tag = \"{tag}\" }}]\n[sequence]\njobs = 1\n"
        );
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("own")).unwrap();
        std::fs::write(folder.path().join("own/Dockerfile"), "FROM scratch\n").unwrap();
        let words = ["dindbench", "run"].into_iter().chain(options.split_whitespace());
        let crate::cli::Command::Run(args) = crate::cli::Cli::try_parse_from(words).unwrap().command else { panic!() };
        refusal(&args, &parse("test", &text, folder.path()).unwrap_or_else(|error| panic!("{error}")))
    }

    #[test]
    fn an_engine_in_use_is_spared_what_cannot_be_undone() {
        let local = "--host local";
        assert_eq!(of("fixture:ten", "classic", "app", local), None);
        let cache = Refusal::Cache { builder: Builder::Auto };
        assert_eq!(of("fixture:ten", "auto", "app", "--host tcp://h:1"), Some(cache));
        assert_eq!(of("fixture:ten", "auto", "app", "--host local --allow-host-cache"), None);
        assert_eq!(of("fixture:ten", "auto", "app", "--allow-host-cache"), Some(Refusal::OutOfReach));
        let scratch = Refusal::Unlabelled { context: "fixture:big".to_owned() };
        assert_eq!(of("fixture:big", "classic", "app", local), Some(scratch));
        let traceless = Refusal::Traceless { context: "fixture:many".to_owned() };
        assert_eq!(of("fixture:many", "buildkit", "app", "--host local --allow-host-cache"), Some(traceless));
        assert_eq!(of("fixture:many", "classic", "app", local), None);
        assert_eq!(of("own", "classic", "app", local), None);
        let own = of("own", "buildkit", "app", "--host local --allow-host-cache");
        assert!(matches!(own, Some(Refusal::OwnContext { .. })));
        assert_eq!(of("own", "auto", "app", ""), None);
    }

    #[test]
    fn nothing_is_started_outside_of_containers() {
        let found = kind("use = \"host\"", "--host local");
        assert_eq!(found, Some(Refusal::OutsideOfContainers { topology: "t".to_owned() }));
        assert_eq!(kind("use = \"socket\"", "--host local"), None);
        assert_eq!(kind("use = \"host\"", ""), None);
    }

    #[test]
    fn no_engine_listens_without_certificates_on_an_engine_in_use() {
        let [plain, certified] = ["false", "true"].map(|tls| format!("use = \"dind-service\"\ntls = {tls}"));
        for host in ["--host local", "--host tcp://h:1"] {
            assert_eq!(kind(&plain, host), Some(Refusal::PlainTcp { topology: "t".to_owned() }), "{host}");
        }
        assert_eq!((kind(&plain, ""), kind(&certified, "--host local")), (None, None));
    }

    #[test]
    fn only_the_outer_engine_of_a_reference_host_can_be_chosen() {
        let refused = Refusal::Engine { version: EngineVersion::V28_5 };
        assert_eq!(of("fixture:ten", "classic", "app", "--host local --engine 28.5"), Some(refused));
        assert_eq!(of("fixture:ten", "classic", "app", "--engine 28.5"), None);
        let refused = Refusal::StorageDriver { driver: StorageDriver::Vfs };
        assert_eq!(of("fixture:ten", "classic", "app", "--host local --storage-driver vfs"), Some(refused));
        assert_eq!(of("fixture:ten", "classic", "app", "--storage-driver vfs"), None);
    }
}
