//! The user's own engine as the host: nothing of it is pruned, counted or changed that a trial did not bring.
//!
//! Cold is made with content of its own: every trial gets fixtures and contexts of another seed, equal in size and
//! structure, and what it made is removed by name and by label when it ends.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::error::TopologyError;
use super::host::{Learnt, OuterHost, TrialKey};
use super::site::{Site, load, reference};
use super::{Held, JobContainer, NOT_ASKED, REGISTRY_SOCKET, name};
use crate::agent;
use crate::cleanup::Traces;
use crate::engine::{ContainerSpec, Engine, Network};
use crate::fixture;
use crate::image::RunImages;
use crate::journal::{CacheNote, Journal, Kind};

/// The user's engine with what the trials of a run share on it.
pub struct Local {
    pub(super) site: Site,
    /// Path of the engine's socket on its own machine.
    socket: String,
    seed: u64,
    cache: Option<CacheNote>,
    opened: u32,
}

impl Local {
    /// Loads what inner engines of other versions are made from. Returns also what is learnt of the machine and its engine.
    pub(super) async fn prepare(
        site: Site,
        journal: &mut Journal,
        images: &RunImages,
        socket: &str,
        buildkit_builds: u32,
        seed: u64,
    ) -> Result<(Self, Learnt), TopologyError> {
        for image in images.inner.values().chain(&images.proxy).chain(&images.podman) {
            journal.creating(Kind::Image, &reference(&site.run, image))?;
            load(&site.engine, &site.run, image).await?;
        }
        let outer = site.engine.describe().await?;
        let cache = match buildkit_builds {
            0 => None,
            builds => Some(note_cache(&site.engine, journal, builds).await?),
        };
        let mut local = Self { site, socket: socket.to_owned(), seed, cache, opened: 0 };
        let held = local.outpost(journal).await?;
        let host = local.host(held, seed);
        let machine = host.machine().await?;
        let docker_command = local.site.docker_command(host.container()).await?;
        host.remove().await?;
        let inner_privilege = local.site.privilege;
        let buildkit = Err(NOT_ASKED.to_owned());
        Ok((local, Learnt { machine, outer, docker_command, inner_privilege, buildkit }))
    }

    /// Gives the registry content that this engine has never seen, and makes it answer there.
    pub(super) async fn open(&mut self, journal: &mut Journal, trial: &TrialKey) -> Result<OuterHost, TopologyError> {
        let seed = salted(self.seed, &self.site.run, &trial.salt);
        self.site.renew(seed, journal.labels("fixture")).await?;
        self.announce(journal, trial.jobs)?;
        let held = self.outpost(journal).await?;
        let host = self.host(held, seed);
        // It answers when the registry can be reached.
        host.read(false, None).await?;
        Ok(host)
    }

    /// Writes down what the trial will create on this engine.
    fn announce(&self, journal: &mut Journal, jobs: u32) -> Result<(), TopologyError> {
        let run = self.site.run.clone();
        let jobs = (1..=jobs).map(|job| (Kind::Container, format!("job-{job}")));
        let engine = [
            (Kind::Container, "engine"),
            (Kind::Container, "socket-proxy"),
            (Kind::Container, "mirror"),
            (Kind::Container, "preload"),
            (Kind::Container, "check"),
            (Kind::Container, "file-system"),
            (Kind::Network, "network"),
            (Kind::Volume, "data"),
            (Kind::Volume, "socket"),
            (Kind::Volume, "certificates"),
            (Kind::Volume, "socket-proxy"),
            (Kind::Volume, "mirror"),
            (Kind::Volume, "file-system"),
        ];
        let engine = engine.map(|(kind, suffix)| (kind, suffix.to_owned()));
        for (kind, suffix) in engine.into_iter().chain(jobs) {
            journal.creating(kind, &name(&run, &suffix))?;
        }
        Ok(())
    }

    /// The container in the host's own network in which the registry answers at the name that every engine uses.
    async fn outpost(&mut self, journal: &mut Journal) -> Result<Held, TopologyError> {
        self.opened += 1;
        let spec = ContainerSpec {
            name: journal.name(&format!("host-{}", self.opened)),
            image: self.site.image.clone(),
            command: agent::command(["outpost", REGISTRY_SOCKET]),
            labels: journal.labels("outpost"),
            mounts: vec![self.site.registry_mount()],
            network: Network::Host,
            dead_man: true,
            ..ContainerSpec::default()
        };
        journal.creating(Kind::Container, &spec.name)?;
        Ok(Held::start(&self.site.engine, &spec).await?)
    }

    fn host(&self, held: Held, seed: u64) -> OuterHost {
        OuterHost {
            held: Arc::new(held),
            engine: self.site.engine.clone(),
            run: self.site.run.clone(),
            image: self.site.image.clone(),
            inner_images: self.site.inner_images.clone(),
            proxy_image: self.site.proxy_image.clone(),
            podman_image: self.site.podman_image.clone(),
            privilege: self.site.privilege,
            socket: JobContainer::socket_file(&self.socket),
            registry: self.site.registry_mount(),
            lasting: true,
            cache: self.cache.clone(),
            seed,
            worker: None,
        }
    }
}

async fn note_cache(engine: &Engine, journal: &mut Journal, builds: u32) -> Result<CacheNote, TopologyError> {
    let before = engine.cache_records().await?.into_iter().map(|record| record.id).collect();
    let note = CacheNote { before, builds };
    journal.note_cache(&note)?;
    Ok(note)
}

/// What BuildKit's records of builds on the user's engine name: generated contexts alone are built there.
pub fn traces() -> Traces {
    Traces { registry: fixture::REGISTRY, commands: fixture::commands() }
}

/// A seed that no other trial has, of this run or of another.
fn salted(seed: u64, run: &str, trial: &str) -> u64 {
    let digest = Sha256::digest(format!("{seed} {run} {trial}"));
    // Seeds are TOML integers, which end at the largest i64.
    u64::from_le_bytes(digest[..8].try_into().expect("a digest has 32 bytes")) >> 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_trial_has_a_seed_of_its_own() {
        let seeds = [
            salted(1, "a", "0/socket/1"),
            salted(2, "a", "0/socket/1"),
            salted(1, "b", "0/socket/1"),
            salted(1, "a", "0/socket/2"),
        ];
        let distinct: std::collections::BTreeSet<u64> = seeds.into_iter().collect();
        assert_eq!(distinct.len(), seeds.len());
        assert_eq!(salted(1, "a", "0/socket/1"), seeds[0]);
    }
}
