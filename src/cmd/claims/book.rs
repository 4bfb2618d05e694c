//! The book into which findings are entered: their file, their evidence, and what a person sees.

use std::collections::BTreeMap;
use std::time::Duration;

use super::lane::Lane;
use super::{Context, could_not_run};
use crate::case::Verdict;
use crate::claim::{Claim, Judgement, Procedure};
use crate::cmd::Failure;
use crate::cmd::environment::host_name;
use crate::cmd::progress::Progress;
use crate::record::{ClaimsWriter, FindingRow, SCHEMA, Text};
use crate::units::as_nanos;

/// What every finding of a test says of where it was found.
struct Place {
    run_id: String,
    host: String,
    engine_version: String,
    storage_driver: String,
    kernel: String,
    in_lab: bool,
}

pub(super) struct Book<'a> {
    place: Place,
    writer: ClaimsWriter,
    progress: &'a Progress,
    pub findings: Vec<FindingRow>,
    judgements: BTreeMap<String, Judgement>,
}

impl<'a> Book<'a> {
    pub fn new(context: &Context<'a>, lane: &Lane<'_>, writer: ClaimsWriter) -> Self {
        let outer = &lane.host().learnt.outer;
        let place = Place {
            run_id: lane.tenancy.run_id().to_owned(),
            host: host_name(context.setting.host_label, &lane.user),
            engine_version: outer.version.clone(),
            storage_driver: outer.storage_driver.clone(),
            kernel: lane.user.kernel.clone(),
            in_lab: lane.kernel.is_some(),
        };
        Self { place, writer, progress: context.progress, findings: Vec::new(), judgements: BTreeMap::new() }
    }

    /// What was found of a claim so far.
    pub fn judgement(&self, claim: &str) -> Option<&Judgement> {
        self.judgements.get(claim)
    }

    pub fn enter_untestable(&mut self, claim: &Claim, reason: String) -> Result<(), Failure> {
        self.enter(claim, Judgement::without_arms(Verdict::NotTestable, reason), "", Duration::ZERO)
    }

    pub fn enter(
        &mut self,
        claim: &Claim,
        judgement: Judgement,
        evidence: &str,
        elapsed: Duration,
    ) -> Result<(), Failure> {
        let place = if evidence.is_empty() {
            String::new()
        } else {
            self.writer.evidence(&claim.id, &headed(claim, &judgement, evidence)).map_err(could_not_run)?
        };
        let row = self.row(claim, &judgement, place, elapsed);
        self.writer.finding(&row).map_err(could_not_run)?;
        self.progress.found(&row.claim, row.verdict, row.reason.as_str());
        self.findings.push(row);
        self.judgements.insert(claim.id.clone(), judgement);
        Ok(())
    }

    fn row(&self, claim: &Claim, judgement: &Judgement, evidence: String, elapsed: Duration) -> FindingRow {
        // What the lab is for is tested there alone, and has no verdict to expect elsewhere.
        let tested_here = self.place.in_lab || !matches!(claim.procedure, Procedure::Lab(_));
        let expected = tested_here.then(|| claim.expected(&self.place.engine_version)).flatten();
        let paragraphs: Vec<String> = claim.paragraphs.iter().map(u32::to_string).collect();
        FindingRow {
            schema: SCHEMA,
            run_id: self.place.run_id.clone(),
            host: self.place.host.clone(),
            claim: claim.id.clone(),
            digest: claim.digest.clone(),
            paragraphs: paragraphs.join(";"),
            statement: Text::from(claim.statement.as_str()),
            rule: Text::from(claim.rule.as_str()),
            comment: Text::from(claim.comment.as_str()),
            engine_version: self.place.engine_version.clone(),
            storage_driver: self.place.storage_driver.clone(),
            kernel: self.place.kernel.clone(),
            verdict: judgement.verdict,
            reason: Text::from(judgement.reason.as_str()),
            expected,
            elapsed_ns: as_nanos(elapsed),
            evidence,
        }
    }
}

/// Evidence with what it is evidence of.
fn headed(claim: &Claim, judgement: &Judgement, evidence: &str) -> String {
    format!(
        "# {}: {}\n\n{}: {}\n\nRule: {}\n{evidence}",
        claim.id, claim.statement, judgement.verdict, judgement.reason, claim.rule
    )
}
