//! Topologies: which are built, with which parameters, under which names.

use std::ops::Range;

use crate::case::Lifecycle;
use crate::scenario::invalid::Fault;
use crate::scenario::name::is_topology_name;
use crate::scenario::wire::{self, At, Use};
use crate::scenario::{DataRoot, Dind, Kind, StorageDriver, Topology};

pub(super) fn topologies(written: &[wire::Topology]) -> Result<Vec<Topology>, Fault> {
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
        topologies.push(Topology { name, kind: kind(one)? });
    }
    Ok(topologies)
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

fn kind(written: &wire::Topology) -> Result<Kind, Fault> {
    match *written.kind {
        Use::Socket => without_inner_engine(written, Kind::Socket),
        Use::SocketProxy => without_inner_engine(written, Kind::SocketProxy),
        Use::Host => without_inner_engine(written, Kind::Host),
        Use::Dind => Ok(Kind::Dind(dind(written)?)),
        Use::DindService
        | Use::DindMirror
        | Use::DindPreload
        | Use::DindCache
        | Use::DindRootless
        | Use::Sysbox
        | Use::Buildah
        | Use::Podman => Err(written.kind.not_built("use", "socket, socket-proxy, host, dind")),
    }
}

fn without_inner_engine(written: &wire::Topology, kind: Kind) -> Result<Kind, Fault> {
    let Some((key, at)) = first_parameter(written) else { return Ok(kind) };
    let message = format!("`{key}` is a parameter of an inner engine, and a {} topology has none", kind.word());
    Err(Fault::new(at, message, format!("remove `{key}`, or write use = \"dind\"")))
}

fn dind(written: &wire::Topology) -> Result<Dind, Fault> {
    off("mirror", &written.mirror)?;
    off("preload", &written.preload)?;
    off("tls", &written.tls)?;
    if let Some(limits) = &written.limits {
        return Err(Fault::not_built(limits.span(), "limits of an engine", "an engine without limits"));
    }
    if let Some(mtu) = &written.mtu {
        return Err(mtu.not_built("mtu", "the engine's own default, when `mtu` is left out"));
    }
    let lifecycle = written.lifecycle.as_deref().copied().unwrap_or_default();
    Ok(Dind {
        lifecycle,
        engine: written.engine.as_deref().copied().unwrap_or_default(),
        storage_driver: storage_driver(&written.storage_driver)?,
        data_root: data_root(&written.data_root, lifecycle)?,
    })
}

fn storage_driver(written: &Option<At<wire::StorageDriver>>) -> Result<StorageDriver, Fault> {
    let Some(written) = written else { return Ok(StorageDriver::default()) };
    match **written {
        wire::StorageDriver::Auto => Ok(StorageDriver::Auto),
        wire::StorageDriver::Overlay2 => Ok(StorageDriver::Overlay2),
        wire::StorageDriver::Vfs => Ok(StorageDriver::Vfs),
        wire::StorageDriver::FuseOverlayfs | wire::StorageDriver::Btrfs | wire::StorageDriver::Containerd => {
            Err(written.not_built("storage_driver", "auto, overlay2, vfs"))
        }
    }
}

/// Data that is kept beside an engine that has its own anyway would be the same topology with other parameters.
fn data_root(written: &Option<At<wire::DataRoot>>, lifecycle: Lifecycle) -> Result<DataRoot, Fault> {
    let Some(written) = written else { return Ok(DataRoot::default()) };
    match **written {
        wire::DataRoot::Fresh => Ok(DataRoot::Fresh),
        wire::DataRoot::Kept if lifecycle == Lifecycle::Recreate => Ok(DataRoot::Kept),
        wire::DataRoot::Kept => {
            let message = format!("with lifecycle = {lifecycle} the engine goes on with its data anyway");
            Err(written.fault(message, "remove `data_root`, or write lifecycle = \"recreate\""))
        }
        wire::DataRoot::Tmpfs => Ok(DataRoot::Tmpfs),
        wire::DataRoot::Container
        | wire::DataRoot::Bind
        | wire::DataRoot::LoopExt4
        | wire::DataRoot::LoopXfs
        | wire::DataRoot::LoopBtrfs => Err(written.not_built("data_root", "fresh, kept, tmpfs")),
    }
}

fn off(key: &str, written: &Option<At<bool>>) -> Result<(), Fault> {
    match written {
        Some(on) if **on => Err(on.not_built(key, "false")),
        _ => Ok(()),
    }
}

/// A parameter of an inner engine that is written, and where.
fn first_parameter(written: &wire::Topology) -> Option<(&'static str, Range<usize>)> {
    let parameters = [
        ("lifecycle", written.lifecycle.as_ref().map(At::span)),
        ("engine", written.engine.as_ref().map(At::span)),
        ("storage_driver", written.storage_driver.as_ref().map(At::span)),
        ("data_root", written.data_root.as_ref().map(At::span)),
        ("mirror", written.mirror.as_ref().map(At::span)),
        ("preload", written.preload.as_ref().map(At::span)),
        ("tls", written.tls.as_ref().map(At::span)),
        ("limits", written.limits.as_ref().map(At::span)),
        ("mtu", written.mtu.as_ref().map(At::span)),
    ];
    parameters.into_iter().find_map(|(key, at)| Some((key, at?)))
}
