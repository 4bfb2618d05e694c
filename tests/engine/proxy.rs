//! The socket behind a proxy: nothing but what its list allows.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use dindbench::engine::{Command, Patience, Source};
use dindbench::image::Wanted;
use dindbench::scenario::{EngineVersion, Kind};
use dindbench::topology::{Arm, Place, Started};
use libtest_mimic::{Failed, Trial};

use crate::lab::{self, Lab};
use crate::versions::build_systems;

pub fn tests() -> Vec<Trial> {
    vec![Trial::test("proxy::what_is_not_on_its_list_is_refused", refused)]
}

/// A lab of its own.
fn with_proxy<T>(work: impl AsyncFnOnce(&mut Lab) -> T) -> T {
    build_systems(["proxy"].map(str::to_owned).into_iter());
    let wanted = Wanted { outer: EngineVersion::Auto, inner: BTreeSet::new(), proxy: true, carry: &[] };
    let run = format!("test-proxy-{}", std::process::id());
    let mut lab = lab::RUNTIME.block_on(Lab::with_images(&run, &Place::Reference, &wanted, None));
    let done = catch_unwind(AssertUnwindSafe(|| lab::RUNTIME.block_on(work(&mut lab))));
    lab::RUNTIME.block_on(lab.close());
    done.unwrap_or_else(|panic| resume_unwind(panic))
}

fn refused() -> Result<(), Failed> {
    let said = with_proxy(async |lab| {
        let host = lab.open_host().await.expect("a host");
        let mut arm = Arm::new(&Kind::SocketProxy, &host);
        let Started { job, .. } = arm.start(&host, 1).await.expect("a job");
        let mut said = Vec::new();
        for command in ["docker ps", "docker images", "docker volume ls", "docker network ls", "docker swarm init"] {
            let output = job.exec(&Command::new(command.split(' ')), Patience::CHORE).await.expect("an answer");
            said.push((command, output.exit_code, output.text(Source::Stderr)));
        }
        arm.stop(&host, Some(job)).await.expect("the job ends");
        host.remove().await.expect("the host is removed");
        said
    });
    let refused: Vec<&str> = said.iter().filter(|(_, code, _)| *code != 0).map(|(command, ..)| *command).collect();
    assert_eq!(refused, ["docker volume ls", "docker network ls", "docker swarm init"], "{said:?}");
    assert!(said.iter().all(|(_, code, text)| *code == 0 || text.contains("403")), "{said:?}");
    Ok(())
}
