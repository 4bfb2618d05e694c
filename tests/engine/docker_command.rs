//! A lab whose jobs have a docker command with BuildKit built in: that of engine 20.10.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use dindbench::scenario::EngineVersion;
use dindbench::topology::Place;

use crate::lab::{Lab, RUNTIME};
use crate::versions::build_archives;

static LAB: Mutex<Option<Lab>> = Mutex::new(None);

/// Does something with the lab, which is set up with the first use.
pub fn with_buildkit<T>(work: impl AsyncFnOnce(&mut Lab) -> T) -> T {
    let mut lab = LAB.lock().unwrap_or_else(PoisonError::into_inner);
    RUNTIME.block_on(async {
        if lab.is_none() {
            build_archives(&BTreeSet::from([EngineVersion::V20_10]));
            let run = format!("test-buildkit-{}", std::process::id());
            *lab = Some(Lab::open(&run, &Place::Reference, EngineVersion::V20_10, &BTreeSet::new(), None).await);
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
