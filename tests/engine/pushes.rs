//! What a push moves: the layers that the registry has not, and nothing twice.

use std::path::Path;

use dindbench::case::Status;
use libtest_mimic::{Failed, Trial};

use crate::lab::{self, Lab};
use crate::stored::{Blob, Stored, blobs};

pub fn tests() -> Vec<Trial> {
    vec![Trial::test("pushes::only_what_the_registry_has_not_is_sent", pushes)]
}

/// Pull, build and push, in three jobs, the last one after an edit.
pub fn scenario(lifecycle: &str) -> String {
    format!(
        r#"
        question = "?"
        baseline = "dind"
        [[topology]]
        use = "dind"
        lifecycle = "{lifecycle}"
        [job]
        builder = "classic"
        steps = [
          {{ op = "pull", image = "fixture:base" }},
          {{ op = "build", context = "fixture:ten", tag = "team/app:1" }},
          {{ op = "push", image = "team/app:1" }},
        ]
        [sequence]
        jobs = 3
        edits = {{ 3 = "source" }}
        "#
    )
}

fn pushes() -> Result<(), Failed> {
    lab::with(async |lab| {
        renew(lab).await;
        let before = blobs(lab).await;
        for lifecycle in ["keep", "recreate"] {
            pushed(lab, lifecycle).await;
        }
        renew(lab).await;
        assert_eq!(blobs(lab).await, before, "what was pushed stays in the registry");
        Ok(())
    })
}

/// Begins a trial, and with it an empty repository.
async fn renew(lab: &mut Lab) {
    lab.open_host().await.expect("a host").remove().await.expect("the host is removed");
}

async fn pushed(lab: &mut Lab, lifecycle: &str) {
    let scenario = lab::scenario(&scenario(lifecycle), Path::new("/"));
    let recorded = lab.run(&scenario).await;
    // In the registry from the beginning, in another repository: mounted, not moved.
    let mut there = Stored::tagged(lab, "fixture", "base").await.layers;
    for job in 1..=3 {
        let row = recorded.sample("dind", job, "2");
        assert_eq!(row.status, Status::Ok, "{lifecycle} job {job}: {}", row.error);
        let said = recorded.printed("dind", job, "2", "stdout");
        let (_, rest) = said.split_once(": digest: ").expect("the digest of what was stored");
        let image = Stored::with_digest(lab, "pushed", rest.split(' ').next().expect("a digest")).await;
        assert_eq!(row.image_id, image.config.digest);

        let new = |blob: &&Blob| !there.contains(blob);
        let bytes: u64 = image.layers.iter().chain([&image.config]).filter(new).map(|blob| blob.size).sum();
        let reused = image.layers.iter().filter(|layer| !new(layer)).count();
        assert_eq!(
            (row.bytes_pushed, row.layers_total, row.layers_reused),
            (Some(bytes), Some(image.layers.len() as u32), Some(reused as u32)),
            "{lifecycle} job {job}: {said}"
        );
        assert_eq!(bytes == 0, lifecycle == "keep" && job == 2, "{lifecycle} job {job} pushed {bytes} bytes");
        // An engine that was thrown away does not know what the registry has of an earlier one's builds.
        if lifecycle == "keep" {
            there.extend(image.layers);
            there.push(image.config);
        }
    }
}
