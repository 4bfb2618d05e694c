//! The storage drivers of outer and inner engines and the places of data, each with each: what works, what falls back, what
//! fails. [Storage](../../docs/storage.md) has the same table.

use std::fmt::Write as _;
use std::path::Path;

use dindbench::case::{ErrorClass, Status};
use dindbench::scenario::StorageDriver;
use libtest_mimic::{Failed, Trial};

use crate::block::Recorded;
use crate::lab::{self, Engines};

const OUTER: [StorageDriver; 3] = [StorageDriver::Overlay2, StorageDriver::FuseOverlayfs, StorageDriver::Vfs];
const INNER: [(&str, &str); 4] =
    [("container", "auto"), ("container", "overlay2"), ("container", "fuse-overlayfs"), ("fresh", "auto")];

/// Outer driver, and what became of each driver that was asked for with data in the container's own layer and, at last, on a
/// volume: the one that ran, whether it has images alone, or the engine's end.
const FOUND: &str = "\
overlay2: fuse-overlayfs, ends, fuse-overlayfs, overlay2
fuse-overlayfs: fuse-overlayfs without containers, ends, fuse-overlayfs without containers, overlay2
vfs: overlay2, overlay2, fuse-overlayfs, overlay2
";

pub fn tests() -> Vec<Trial> {
    vec![Trial::test("grid::outer_and_inner_storage_drivers_and_places_of_data", grid)]
}

fn scenario() -> String {
    let topology = |(root, driver): &(&str, &str)| {
        format!(
            "[[topology]]\nname = \"{root}-{driver}\"\nuse = \"dind\"\ndata_root = \"{root}\"\nstorage_driver = \"{driver}\"\n"
        )
    };
    let topologies: String = INNER.iter().map(topology).collect();
    format!(
        r#"
        question = "Which storage drivers can be within which?"
        baseline = "fresh-auto"
        {topologies}
        [job]
        steps = [
          {{ op = "pull", image = "fixture:base" }},
          {{ op = "run", image = "fixture:base", command = ["true"] }},
        ]
        [sequence]
        jobs = 1
        "#
    )
}

fn grid() -> Result<(), Failed> {
    let scenario = lab::scenario(&scenario(), Path::new("/"));
    let mut found = String::new();
    for outer in OUTER {
        let engines = Engines { outer_driver: outer, ..Engines::default() };
        let recorded = lab::with_engines(engines, async |lab| {
            assert_eq!(lab.host.learnt.outer.storage_driver, outer.to_string());
            lab.run(&scenario).await
        });
        let cells: Vec<_> = INNER.iter().map(|(root, driver)| cell(&recorded, &format!("{root}-{driver}"))).collect();
        writeln!(found, "{outer}: {}", cells.join(", "))?;
    }
    assert_eq!(found, FOUND);
    Ok(())
}

/// The driver that ran, or how far it came.
fn cell(recorded: &Recorded, topology: &str) -> String {
    let start = recorded.sample(topology, 1, "start");
    if start.status != Status::Ok {
        assert_eq!(start.error_class, Some(ErrorClass::EngineDied), "{topology}: {}", start.error);
        return "ends".to_owned();
    }
    let [pull, run] = ["0", "1"].map(|step| recorded.sample(topology, 1, step));
    assert_eq!(pull.status, Status::Ok, "{topology}: {}", pull.error);
    if run.status != Status::Ok {
        assert_eq!(run.error_class, Some(ErrorClass::EngineError), "{topology}: {}", run.error);
        return format!("{} without containers", start.storage_driver);
    }
    start.storage_driver
}
