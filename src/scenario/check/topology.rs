//! Topologies: which are built, with which parameters, under which names.

use std::num::NonZeroU32;
use std::ops::Range;

use bytesize::ByteSize;

use crate::case::{Builder, Driver, Lifecycle};
use crate::scenario::invalid::Fault;
use crate::scenario::name::is_topology_name;
use crate::scenario::wire::{self, At, Use};
use crate::scenario::{
    Bounds, CacheStore, Daemonless, DataRoot, Dind, EngineVersion, ImageRef, Job, Kind, Power, Service, Step,
    StorageDriver, Tool, Topology,
};

/// Bounds that an engine takes.
const LEAST_CPUS: f64 = 0.01;
const MOST_CPUS: f64 = 1024.0;
const LEAST_MEMORY: ByteSize = ByteSize::mib(6);

/// Packet sizes that an IPv4 network can have, in bytes.
const MTU: std::ops::RangeInclusive<u32> = 68..=65_535;

/// Parts of a step's time by which a control lengthens it.
const DELAY: std::ops::RangeInclusive<f64> = 0.001..=10.0;

/// More engines than this at once are no CI host's.
const MOST_AT_ONCE: u32 = 64;

/// `at_once` is the sequence's concurrency, for topologies that say nothing of theirs.
pub(super) fn topologies(
    written: &[wire::Topology],
    job: &Job,
    at_once: Option<&At<u32>>,
) -> Result<Vec<Topology>, Fault> {
    let mut topologies: Vec<Topology> = Vec::new();
    for one in written {
        let (name, at) = name(one)?;
        if topologies.iter().any(|other| other.name == name) {
            return Err(Fault::new(
                at,
                format!("a second topology called `{name}`"),
                "give it a `name` of its own; without one it is called like its `use`",
            ));
        }
        let kind = kind(one, job)?;
        let bounds = bounds(one, &kind)?;
        let concurrency = one.concurrency.as_ref().or(at_once).map_or(Ok(NonZeroU32::MIN), concurrency)?;
        let delay = one.delay.as_ref().map(delay).transpose()?;
        topologies.push(Topology { name, kind, bounds, concurrency, delay });
    }
    Ok(topologies)
}

fn delay(written: &At<f64>) -> Result<f64, Fault> {
    if DELAY.contains(written) {
        return Ok(**written);
    }
    let message = format!("a step cannot be lengthened by {} of its time", **written);
    Err(written.fault(message, format!("{} to {}, such as 0.1 for 10 %", DELAY.start(), DELAY.end())))
}

fn name(written: &wire::Topology) -> Result<(String, Range<usize>), Fault> {
    match &written.name {
        None => Ok((written.kind.to_string(), written.kind.span())),
        Some(name) if is_topology_name(name) => Ok((name.to_string(), name.span())),
        Some(name) => Err(name.fault(
            format!("`{}` cannot be a topology's name", **name),
            "1 to 64 of a-z, 0-9, `.`, `_` and `-`, the first a letter or a digit: it becomes a part of container names",
        )),
    }
}

fn kind(written: &wire::Topology, job: &Job) -> Result<Kind, Fault> {
    match *written.kind {
        Use::Socket => without_inner_engine(written, Kind::Socket),
        Use::SocketProxy => without_inner_engine(written, Kind::SocketProxy),
        Use::Host => without_inner_engine(written, Kind::Host),
        Use::Dind
        | Use::DindService
        | Use::DindPreload
        | Use::DindMirror
        | Use::DindCache
        | Use::DindRootless
        | Use::Sysbox => Ok(Kind::Dind(dind(written, job)?)),
        Use::Buildah => Ok(Kind::Daemonless(daemonless(written, Tool::Buildah)?)),
        Use::Podman => Ok(Kind::Daemonless(daemonless(written, Tool::Podman)?)),
    }
}

fn without_inner_engine(written: &wire::Topology, kind: Kind) -> Result<Kind, Fault> {
    refuse_parameters(written, kind.word(), &[])?;
    Ok(kind)
}

fn refuse_parameters(written: &wire::Topology, word: &str, but: &[&str]) -> Result<(), Fault> {
    let Some((key, at)) = parameters(written).find(|(key, _)| !but.contains(key)) else { return Ok(()) };
    let message = format!("`{key}` is a parameter of an inner engine, and a {word} topology has none");
    Err(Fault::new(at, message, format!("remove `{key}`, or write use = \"dind\"")))
}

/// What keeps images and containers without an engine has fewer places and drivers.
fn daemonless(written: &wire::Topology, tool: Tool) -> Result<Daemonless, Fault> {
    let word = <&str>::from(tool);
    refuse_parameters(written, word, &["storage_driver", "data_root"])?;
    let driver = storage_driver(&written.storage_driver, EngineVersion::Auto)?;
    if let (StorageDriver::Btrfs | StorageDriver::Containerd, Some(at)) = (driver, &written.storage_driver) {
        return Err(
            at.fault(format!("{word} here has no storage driver {driver}"), "auto, overlay2, fuse-overlayfs, vfs")
        );
    }
    let data_root = match &written.data_root {
        None => DataRoot::Fresh,
        Some(at) => match **at {
            wire::DataRoot::Fresh => DataRoot::Fresh,
            wire::DataRoot::Kept => DataRoot::Kept,
            other => {
                return Err(at.fault(format!("{word} has its storage on a volume, and not `{other}`"), "fresh, kept"));
            }
        },
    };
    Ok(Daemonless { tool, storage_driver: driver, data_root })
}

fn dind(written: &wire::Topology, job: &Job) -> Result<Dind, Fault> {
    let lifecycle = written.lifecycle.as_deref().copied().unwrap_or_default();
    let engine = written.engine.as_deref().copied().unwrap_or_default();
    let data_root = data_root(&written.data_root, lifecycle)?;
    let power = match *written.kind {
        Use::DindRootless => Power::Rootless,
        Use::Sysbox => Power::Sysbox,
        _ => Power::Privileged,
    };
    if let (Power::Rootless, Some(file_system), Some(written)) = (power, data_root.file_system(), &written.data_root) {
        let message = format!("an engine without root cannot mount a file system such as {file_system} of its own");
        return Err(written.fault(message, "another `data_root`, or use = \"dind\""));
    }
    Ok(Dind {
        lifecycle,
        engine,
        storage_driver: storage_driver(&written.storage_driver, engine)?,
        data_root,
        service: service(written)?,
        preload: preload(written, job)?,
        mirror: mirror(written)?,
        power,
        cache: cache(written, job)?,
        mtu: written.mtu.as_ref().map(mtu).transpose()?,
    })
}

fn bounds(written: &wire::Topology, kind: &Kind) -> Result<Bounds, Fault> {
    let Some(limits) = &written.limits else { return Ok(Bounds::default()) };
    if *kind == Kind::Host {
        let message = "limits are a container's, and a job of a host topology has none";
        return Err(limits.fault(message, "remove `limits`, or write use = \"socket\""));
    }
    let bounds = Bounds {
        cpus: limits.cpus.as_ref().map(cpus).transpose()?,
        memory_bytes: limits.memory.as_ref().map(memory).transpose()?,
    };
    if bounds == Bounds::default() {
        return Err(limits.fault("limits without a limit", "such as { cpus = 2.0, memory = \"2GiB\" }"));
    }
    Ok(bounds)
}

fn concurrency(written: &At<u32>) -> Result<NonZeroU32, Fault> {
    let right = format!("1 to {MOST_AT_ONCE}");
    match NonZeroU32::new(**written) {
        None => Err(written.fault("no job at a time", right)),
        Some(many) if many.get() > MOST_AT_ONCE => Err(written.fault(format!("{many} jobs at once"), right)),
        Some(concurrency) => Ok(concurrency),
    }
}

fn cpus(written: &At<f64>) -> Result<f64, Fault> {
    if (LEAST_CPUS..=MOST_CPUS).contains(&**written) {
        return Ok(**written);
    }
    let message = format!("a container cannot have {} processors", **written);
    Err(written.fault(message, format!("{LEAST_CPUS} to {MOST_CPUS}, and no more than the machine has")))
}

fn memory(written: &At<String>) -> Result<u64, Fault> {
    let right = format!("a number with a unit, such as \"512MiB\", and {LEAST_MEMORY} or more");
    match written.parse::<ByteSize>() {
        Ok(bytes) if bytes >= LEAST_MEMORY => Ok(bytes.as_u64()),
        Ok(_) => Err(written.fault(format!("{} is too little memory for a container", **written), right)),
        Err(error) => Err(written.fault(format!("`{}` is no amount of memory: {error}", **written), right)),
    }
}

fn service(written: &wire::Topology) -> Result<Option<Service>, Fault> {
    match (*written.kind, &written.tls) {
        (Use::DindService, tls) => Ok(Some(Service { tls: tls.as_deref().copied().unwrap_or(true) })),
        (_, Some(tls)) if **tls => {
            let message = format!("a job of a {} topology talks to its engine through a unix socket", *written.kind);
            Err(tls.fault(message, "remove `tls`, or write use = \"dind-service\""))
        }
        _ => Ok(None),
    }
}

/// The images that the job pulls; none where nothing is to be loaded.
fn preload(written: &wire::Topology, job: &Job) -> Result<Vec<String>, Fault> {
    let at = match (*written.kind, &written.preload) {
        (Use::DindPreload, Some(preload)) if !**preload => {
            return Err(preload.fault("a dind-preload without images loaded is a dind", "write use = \"dind\""));
        }
        (_, Some(preload)) if **preload => preload.span(),
        (Use::DindPreload, _) => written.kind.span(),
        _ => return Ok(Vec::new()),
    };
    let pulled = job.steps.iter().filter_map(|step| match step {
        Step::Pull { image: ImageRef::Fixture(name) } => Some(name.clone()),
        Step::Pull { .. } | Step::Build(_) | Step::Run { .. } | Step::Push { .. } => None,
    });
    let images: Vec<_> = pulled.collect();
    if images.is_empty() {
        let help = "a step such as { op = \"pull\", image = \"fixture:base\" }, or no preload";
        return Err(Fault::new(at, "the images that the job pulls are loaded beforehand, and it pulls none", help));
    }
    Ok(images)
}

fn mirror(written: &wire::Topology) -> Result<bool, Fault> {
    match (*written.kind, &written.mirror) {
        (Use::DindMirror, Some(mirror)) if !**mirror => {
            Err(mirror.fault("a dind-mirror without its mirror is a dind", "write use = \"dind\""))
        }
        (kind, mirror) => Ok(kind == Use::DindMirror || mirror.as_deref().copied().unwrap_or_default()),
    }
}

/// Where builds have a cache, and what can write it.
fn cache(written: &wire::Topology, job: &Job) -> Result<Option<CacheStore>, Fault> {
    let (store, at) = match (*written.kind, &written.cache) {
        (_, Some(cache)) => (**cache, cache.span()),
        (Use::DindCache, None) => (CacheStore::Inline, written.kind.span()),
        (_, None) => return Ok(None),
    };
    if job.builder == Builder::Classic {
        let message = "a build cache is imported and exported by BuildKit alone";
        return Err(Fault::new(at, message, "write builder = \"buildkit\" in [job], or another topology"));
    }
    if !job.steps.iter().any(|step| matches!(step, Step::Build(_))) {
        return Err(Fault::new(
            at,
            "a build cache, and a job that builds nothing",
            "a build step, or another topology",
        ));
    }
    let containerd = written.storage_driver.as_deref() == Some(&wire::StorageDriver::Containerd);
    match store {
        CacheStore::Registry if job.driver == Driver::Api => {
            let message = "the engine's API exports no build cache to a registry";
            Err(Fault::new(at, message, "write driver = \"cli\" in [job], or cache = \"inline\""))
        }
        CacheStore::Registry if !containerd => {
            let message = "an engine exports a build cache to a registry only where containerd keeps its images";
            let right = "write storage_driver = \"containerd\" and engine = \"28.5\", or cache = \"inline\"";
            Err(Fault::new(at, message, right))
        }
        CacheStore::Inline | CacheStore::Registry => Ok(Some(store)),
    }
}

fn mtu(written: &At<u32>) -> Result<u32, Fault> {
    if MTU.contains(written) {
        return Ok(**written);
    }
    let message = format!("a network cannot have packets of {} bytes", **written);
    Err(written.fault(message, format!("{} to {}, and no more than the network around it has", MTU.start(), MTU.end())))
}

fn storage_driver(written: &Option<At<wire::StorageDriver>>, engine: EngineVersion) -> Result<StorageDriver, Fault> {
    let Some(written) = written else { return Ok(StorageDriver::default()) };
    match **written {
        wire::StorageDriver::Auto => Ok(StorageDriver::Auto),
        wire::StorageDriver::Overlay2 => Ok(StorageDriver::Overlay2),
        wire::StorageDriver::Vfs => Ok(StorageDriver::Vfs),
        wire::StorageDriver::FuseOverlayfs => Ok(StorageDriver::FuseOverlayfs),
        wire::StorageDriver::Btrfs => Ok(StorageDriver::Btrfs),
        wire::StorageDriver::Containerd if engine == EngineVersion::V20_10 => {
            let message = "containerd keeps no images for an engine 20.10";
            Err(written.fault(message, "write engine = \"28.5\", or another storage driver"))
        }
        wire::StorageDriver::Containerd => Ok(StorageDriver::Containerd),
    }
}

/// Data that is kept beside an engine that has its own anyway would be the same topology with other parameters, and data
/// that cannot stay would make another lifecycle of it.
fn data_root(written: &Option<At<wire::DataRoot>>, lifecycle: Lifecycle) -> Result<DataRoot, Fault> {
    let Some(written) = written else { return Ok(DataRoot::default()) };
    match **written {
        wire::DataRoot::Fresh => Ok(DataRoot::Fresh),
        wire::DataRoot::Kept if lifecycle == Lifecycle::Recreate => Ok(DataRoot::Kept),
        wire::DataRoot::Kept => {
            let message = format!("with lifecycle = {lifecycle} the engine goes on with its data anyway");
            Err(written.fault(message, "remove `data_root`, or write lifecycle = \"recreate\""))
        }
        wire::DataRoot::Container => Ok(DataRoot::Container),
        wire::DataRoot::Tmpfs if lifecycle == Lifecycle::Restart => {
            let message = "a tmpfs is gone when its container stops, and with lifecycle = restart the data stay";
            Err(written.fault(message, "another `data_root`, or lifecycle = \"keep\" or \"recreate\""))
        }
        wire::DataRoot::Tmpfs => Ok(DataRoot::Tmpfs),
        wire::DataRoot::Bind => Ok(DataRoot::Bind),
        wire::DataRoot::LoopExt4 => Ok(DataRoot::LoopExt4),
        wire::DataRoot::LoopXfs => Ok(DataRoot::LoopXfs),
        wire::DataRoot::LoopBtrfs => Ok(DataRoot::LoopBtrfs),
    }
}

/// The parameters of an inner engine that are written, and where.
fn parameters(written: &wire::Topology) -> impl Iterator<Item = (&'static str, Range<usize>)> {
    let parameters = [
        ("lifecycle", written.lifecycle.as_ref().map(At::span)),
        ("engine", written.engine.as_ref().map(At::span)),
        ("storage_driver", written.storage_driver.as_ref().map(At::span)),
        ("data_root", written.data_root.as_ref().map(At::span)),
        ("mirror", written.mirror.as_ref().map(At::span)),
        ("preload", written.preload.as_ref().map(At::span)),
        ("cache", written.cache.as_ref().map(At::span)),
        ("tls", written.tls.as_ref().map(At::span)),
        ("mtu", written.mtu.as_ref().map(At::span)),
    ];
    parameters.into_iter().filter_map(|(key, at)| Some((key, at?)))
}
