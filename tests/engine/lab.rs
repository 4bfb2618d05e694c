//! Reference hosts that tests share: one test at a time has one, and the next that wants such engines gets it again.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{LazyLock, Mutex, PoisonError};

use dindbench::cleanup;
use dindbench::engine::{Endpoint, Engine, Settings};
use dindbench::image::{RunImages, Wanted};
use dindbench::journal::{Journal, cache_folder, state_folder};
use dindbench::registry::Address;
use dindbench::scenario::{self, EngineVersion, Scenario, StorageDriver};
use dindbench::topology::{Host, OuterHost, Place, TopologyError, TrialKey};
use tokio::runtime::Runtime;

use crate::systems::build_systems;

pub const SEED: u64 = 42;

pub static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));
/// Labs that no test has at the moment.
static IDLE: Mutex<Vec<(Engines, Lab)>> = Mutex::new(Vec::new());
static OPENED: AtomicU32 = AtomicU32::new(0);

/// What the names of these labs' runs begin with.
pub fn runs() -> String {
    format!("test-{}-", std::process::id())
}

/// What a lab is to have: by default engines of the user's own build.
#[derive(Clone, Debug, Default)]
pub struct Engines {
    pub outer: EngineVersion,
    pub outer_driver: StorageDriver,
    pub inner: BTreeSet<EngineVersion>,
    pub proxy: bool,
    pub podman: bool,
}

impl Engines {
    fn have(&self, wanted: &Self) -> bool {
        self.outer == wanted.outer
            && self.outer_driver == wanted.outer_driver
            && self.inner.is_superset(&wanted.inner)
            && self.proxy >= wanted.proxy
            && self.podman >= wanted.podman
    }

    pub fn place(&self) -> Place {
        Place::Reference { storage_driver: self.outer_driver }
    }

    /// Debian systems by their names.
    fn systems(&self) -> Vec<String> {
        let versions = self.inner.iter().chain([&self.outer]).filter(|version| **version != EngineVersion::Auto);
        let beside = [(self.proxy, "proxy"), (self.podman, "podman")];
        let beside = beside.into_iter().filter(|(wanted, _)| *wanted).map(|(_, system)| system.to_owned());
        versions.map(ToString::to_string).chain(beside).collect()
    }
}

pub struct Lab {
    pub engine: Engine,
    pub journal: Journal,
    pub host: Host,
}

/// The program that the containers run: this test is not it.
pub fn program() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_dindbench"))
}

pub fn endpoint() -> Endpoint {
    Settings::from_environment().endpoint().expect("usable settings").endpoint
}

/// Why no engine can be used; empty where one answers.
pub fn missing_engine() -> Option<String> {
    let engine = Engine::at(endpoint(), "user");
    RUNTIME.block_on(engine.ping(std::time::Duration::from_secs(10))).err().map(|error| error.to_string())
}

/// Does something with a lab whose engines are of the user's own build.
pub fn with<T>(work: impl AsyncFnOnce(&mut Lab) -> T) -> T {
    with_engines(Engines::default(), work)
}

/// Does something with a lab that has these engines: an idle one, or a new one.
pub fn with_engines<T>(wanted: Engines, work: impl AsyncFnOnce(&mut Lab) -> T) -> T {
    let (engines, mut lab) = idle(&wanted).unwrap_or_else(|| {
        let lab = RUNTIME.block_on(Lab::open(&wanted.place(), &wanted, None));
        (wanted, lab)
    });
    let done = catch_unwind(AssertUnwindSafe(|| RUNTIME.block_on(work(&mut lab))));
    labs().push((engines, lab));
    done.unwrap_or_else(|panic| resume_unwind(panic))
}

fn labs() -> std::sync::MutexGuard<'static, Vec<(Engines, Lab)>> {
    IDLE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn idle(wanted: &Engines) -> Option<(Engines, Lab)> {
    let mut labs = labs();
    let index = labs.iter().position(|(engines, _)| engines.have(wanted))?;
    Some(labs.swap_remove(index))
}

/// Takes all labs down.
pub fn close() {
    for (_, lab) in std::mem::take(&mut *labs()) {
        RUNTIME.block_on(lab.close());
    }
}

impl Lab {
    /// Sets a lab up, with a registry that others run or one of our own.
    pub async fn open(place: &Place, engines: &Engines, registry: Option<&Address>) -> Self {
        build_systems(&engines.systems());
        let Engines { outer, inner, proxy, podman, .. } = engines.clone();
        let engine = Engine::at(endpoint(), "user");
        let id = engine.describe().await.expect("an engine").id;
        let run = format!("{}{}", runs(), OPENED.fetch_add(1, Ordering::Relaxed));
        let mut journal = Journal::create(&state_folder(), &run, &id).expect("a journal");
        let wanted = Wanted { outer, inner, proxy, podman, carry: &[] };
        let images = RunImages::provide(&engine, &mut journal, &cache_folder(), &program(), &wanted).await;
        let images = images.expect("images");
        let host = Host::prepare(place, &engine, &mut journal, &images, registry, SEED).await.expect("a host");
        Self { engine, journal, host }
    }

    /// The outer engine of one trial.
    pub async fn open_host(&mut self) -> Result<OuterHost, TopologyError> {
        let key = TrialKey { salt: "test".to_owned(), jobs: 1 };
        self.host.open(&mut self.journal, &key).await
    }

    pub async fn close(self) {
        cleanup::undo(&self.engine, self.journal.run(), self.journal.entries()).await.expect("everything is removed");
        self.journal.close().expect("the journal is closed");
    }
}

/// A scenario from its text, with contexts in a folder.
pub fn scenario(text: &str, root: &Path) -> Scenario {
    scenario::parse("test", text, root).unwrap_or_else(|error| panic!("{error}"))
}
