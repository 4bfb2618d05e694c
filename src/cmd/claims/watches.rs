//! What looks at the machines on which claims are tested, one on each: before, after, and in the lab also within.

use std::collections::BTreeMap;

use super::lane::Lane;
use super::{Context, could_not_run};
use crate::agent::Fingerprint;
use crate::claim::{Judgement, Kernel, Lab, Machine, judge, tried_in_lab};
use crate::cmd::Failure;
use crate::topology::{Watch, differences};

pub(super) struct Watches {
    /// Of the engine under a reference host; empty in the lab.
    engine: Option<Watch>,
    lab: BTreeMap<Kernel, Machine>,
    before: Vec<Fingerprint>,
}

impl Watches {
    pub async fn start(lanes: &mut [Lane<'_>]) -> Result<Self, Failure> {
        let mut watches = Self { engine: None, lab: BTreeMap::new(), before: Vec::new() };
        for lane in lanes {
            match lane.kernel {
                Some(kernel) => {
                    let machine = lane.machine().await?;
                    watches.lab.insert(kernel, machine);
                }
                // Several lanes of a reference host are on one engine.
                None if watches.engine.is_none() => watches.engine = Some(lane.watch().await?),
                None => {}
            }
        }
        watches.before = watches.looks().await?;
        Ok(watches)
    }

    /// In what the machines are not what they were at the start.
    pub async fn changes(&self) -> Result<Vec<String>, Failure> {
        let after = self.looks().await?;
        Ok(self.before.iter().zip(&after).flat_map(|(before, after)| differences(before, after)).collect())
    }

    async fn looks(&self) -> Result<Vec<Fingerprint>, Failure> {
        let mut looks = Vec::new();
        for watch in self.engine.iter().chain(self.lab.values().map(|machine| &machine.watch)) {
            looks.push(watch.look().await.map_err(could_not_run)?);
        }
        Ok(looks)
    }

    /// Of the first machine's kernel, or why they are not known.
    pub async fn security_modules(&self) -> String {
        let first = self.engine.iter().chain(self.lab.values().map(|machine| &machine.watch)).next();
        let watch = first.expect("there is a machine under every lane");
        watch.security_modules().await.unwrap_or_else(|how| how)
    }

    /// Tests a claim on the machines of the lab. Nothing where it was interrupted: what was under way goes with them.
    pub async fn lab(&self, context: &Context<'_>, lab: &Lab, evidence: &mut String) -> Option<Judgement> {
        let mut interrupt = context.interrupt.clone();
        tokio::select! {
            tried = tried_in_lab(&self.lab, lab, evidence) => Some(judge(&tried)),
            _ = interrupt.wait_for(|interrupted| *interrupted) => None,
        }
    }

    pub async fn end(self) -> Result<(), Failure> {
        for watch in self.engine.into_iter().chain(self.lab.into_values().map(|machine| machine.watch)) {
            watch.end().await.map_err(could_not_run)?;
        }
        Ok(())
    }
}
