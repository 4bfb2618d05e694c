//! What each edit invalidates, and what a moved base makes a pull fetch.

use std::path::Path;

use dindbench::case::Status;
use dindbench::fixture::Fixture;
use libtest_mimic::{Failed, Trial};

use crate::lab;
use crate::stored::Stored;

pub fn tests() -> Vec<Trial> {
    vec![
        Trial::test("edits::every_fixture_context_builds_and_rebuilds", fixtures),
        Trial::test("edits::a_moved_base_is_pulled_and_everything_is_built_again", base),
    ]
}

fn fixtures() -> Result<(), Failed> {
    let text = |name: &str| {
        format!(
            r#"
            question = "?"
            baseline = "socket"
            [[topology]]
            use = "socket"
            [job]
            builder = "classic"
            steps = [
              {{ op = "pull", image = "fixture:base" }},
              {{ op = "build", context = "fixture:{name}", tag = "app" }},
            ]
            [sequence]
            jobs = 4
            edits = {{ 3 = "source", 4 = "dependencies" }}
            "#
        )
    };
    for (fixture, all, source, dependencies) in
        [(Fixture::Ten, 10, 7, 3), (Fixture::Many, 4, 3, 2), (Fixture::Multistage, 8, 4, 2), (Fixture::Big, 4, 3, 2)]
    {
        let scenario = lab::scenario(&text(&fixture.to_string()), Path::new("/"));
        let recorded = lab::with(async |lab| lab.run(&scenario).await);
        for (job, hits) in [(1, 0), (2, all), (3, source - 1), (4, dependencies - 1)] {
            let row = recorded.sample("socket", job, "app");
            assert_eq!(
                (row.status, row.instructions_cached, row.instructions_total),
                (Status::Ok, Some(hits), Some(all)),
                "{fixture} job {job}: {}",
                row.error
            );
        }
    }
    Ok(())
}

fn base() -> Result<(), Failed> {
    let scenario = lab::scenario(include_str!("../../scenarios/edits.toml"), Path::new("/"));
    let scenario = scenario.only(&["socket", "dind"].map(str::to_owned)).expect("two of its topologies");
    assert_eq!(scenario.expectations.len(), 8, "the hits of every job but the first");
    let (recorded, original, moved) = lab::with(async |lab| {
        let recorded = lab.run(&scenario).await;
        (recorded, Stored::tagged(lab, "fixture", "original").await, Stored::tagged(lab, "fixture", "moved").await)
    });
    let other = moved.layers.iter().filter(|layer| !original.layers.contains(layer));
    assert_eq!(other.clone().count(), 2);
    let change = other.map(|layer| layer.size).sum::<u64>() + moved.config.size;
    // Every trial begins with the base where it was: the second topology sees it move as the first did.
    let whole = [original.bytes(), original.bytes(), original.bytes(), original.bytes(), moved.bytes()];
    for (topology, bytes, reused) in [("socket", [whole[0], 0, 0, 0, change], [0, 6, 6, 6, 4]), ("dind", whole, [0; 5])]
    {
        for (index, job) in (1..=5).enumerate() {
            for step in ["start", "app", "2", "stop"] {
                let row = recorded.sample(topology, job, step);
                assert_eq!(row.status, Status::Ok, "{topology} job {job} {step}: {}", row.error);
            }
            let pull = recorded.sample(topology, job, "0");
            let image = if job == 5 { &moved } else { &original };
            assert_eq!(pull.image_id, image.config.digest, "{topology} job {job}");
            assert_eq!(
                (pull.status, pull.bytes_pulled, pull.layers_reused),
                (Status::Ok, Some(bytes[index]), Some(reused[index])),
                "{topology} job {job}: {}",
                pull.error
            );
        }
    }
    Ok(())
}
