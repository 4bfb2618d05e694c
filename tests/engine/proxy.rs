//! The socket behind a proxy: nothing but what its list allows.

use dindbench::engine::{Command, Patience, Source};
use dindbench::scenario::Kind;
use dindbench::topology::{Arm, Started};
use libtest_mimic::{Failed, Trial};

use crate::lab::{self, Engines};

pub fn tests() -> Vec<Trial> {
    vec![Trial::test("proxy::what_is_not_on_its_list_is_refused", refused)]
}

fn refused() -> Result<(), Failed> {
    let said = lab::with_engines(Engines { proxy: true, ..Engines::default() }, async |lab| {
        let host = lab.open_host().await.expect("a host");
        let mut arm = Arm::new(&Kind::SocketProxy, &host);
        let Started { job, .. } = arm.start(&host, 1).await.expect("a job");
        let mut said = Vec::new();
        for command in ["docker ps", "docker images", "docker volume ls", "docker network ls", "docker swarm leave"] {
            let output = job.exec(&Command::new(command.split(' ')), Patience::CHORE).await.expect("an answer");
            said.push((command, output.exit_code, output.text(Source::Stderr)));
        }
        arm.stop(&host, Some(job)).await.expect("the job ends");
        host.remove().await.expect("the host is removed");
        said
    });
    let refused: Vec<&str> = said.iter().filter(|(_, code, _)| *code != 0).map(|(command, ..)| *command).collect();
    assert_eq!(refused, ["docker volume ls", "docker network ls", "docker swarm leave"], "{said:?}");
    assert!(said.iter().all(|(_, code, text)| *code == 0 || text.contains("403")), "{said:?}");
    Ok(())
}
