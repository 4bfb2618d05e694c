//! A reference host that the tests of this file share.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};

use dindbench::cleanup;
use dindbench::engine::{Endpoint, Engine, Settings};
use dindbench::image::{RunImages, Wanted};
use dindbench::journal::{Journal, cache_folder, state_folder};
use dindbench::registry::Address;
use dindbench::scenario::{self, EngineVersion, Scenario};
use dindbench::topology::{Host, OuterHost, Place, TopologyError, TrialKey};
use tokio::runtime::Runtime;

pub const SEED: u64 = 42;

pub static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));
static LAB: Mutex<Option<Lab>> = Mutex::new(None);

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

/// Does something with the lab, which is set up with the first use.
pub fn with<T>(work: impl AsyncFnOnce(&mut Lab) -> T) -> T {
    let mut lab = LAB.lock().unwrap_or_else(PoisonError::into_inner);
    RUNTIME.block_on(async {
        if lab.is_none() {
            let run = format!("test-{}", std::process::id());
            *lab = Some(Lab::open(&run, &Place::Reference, EngineVersion::Auto, &BTreeSet::new(), None).await);
        }
        work(lab.as_mut().expect("just opened")).await
    })
}

/// Takes the lab down.
pub fn close() {
    if let Some(lab) = LAB.lock().unwrap_or_else(PoisonError::into_inner).take() {
        RUNTIME.block_on(lab.close());
    }
}

impl Lab {
    /// Sets a lab up, with an outer engine and inner ones of these versions, and a registry that others run or one of
    /// our own.
    pub async fn open(
        run: &str,
        place: &Place,
        outer: EngineVersion,
        inner: &BTreeSet<EngineVersion>,
        registry: Option<&Address>,
    ) -> Self {
        let wanted = Wanted { outer, inner: inner.clone(), proxy: false, carry: &[] };
        Self::with_images(run, place, &wanted, registry).await
    }

    pub async fn with_images(run: &str, place: &Place, wanted: &Wanted<'_>, registry: Option<&Address>) -> Self {
        let engine = Engine::at(endpoint(), "user");
        let id = engine.describe().await.expect("an engine").id;
        let mut journal = Journal::create(&state_folder(), run, &id).expect("a journal");
        let (cache, program) = (cache_folder(), program());
        let images = RunImages::provide(&engine, &mut journal, &cache, &program, wanted).await;
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
