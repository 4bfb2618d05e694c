//! Turns what was measured into rows.

use std::time::Duration;

use time::OffsetDateTime;

use super::Guarded;
use super::executor::{Closed, JobSlot, Measured, Opened, Part, Slot};
use crate::case::{Op, Status};
use crate::record::{Event, InstructionRow, SCHEMA, Sample, Text, TrialRow, WriteError, Writer};
use crate::scenario::{Scenario, Step, Topology};
use crate::units::as_nanos;
use crate::workload::Fault;

/// The files of a run, with what every row of it shares.
pub struct Ledger<'a> {
    writer: &'a mut Writer,
    scenario: &'a Scenario,
    run_id: String,
    host: String,
    /// Of the block under way.
    calibration: Option<Duration>,
    trial: Option<OpenTrial>,
}

struct OpenTrial {
    slot: Slot,
    flags: String,
    waited: Option<Duration>,
    started_at: OffsetDateTime,
    engine: String,
}

impl<'a> Ledger<'a> {
    pub fn new(writer: &'a mut Writer, scenario: &'a Scenario, run_id: &str, host: &str) -> Self {
        Self { writer, scenario, run_id: run_id.to_owned(), host: host.to_owned(), calibration: None, trial: None }
    }

    pub(super) fn begin_block(&mut self, calibration: Option<Duration>) {
        self.calibration = calibration;
    }

    /// `guard` is empty where nobody looked at the machine.
    pub(super) fn begin_trial(&mut self, slot: Slot, guard: Option<Guarded>) {
        let waited = guard.as_ref().map(|guard| guard.waited);
        let words: Vec<String> =
            guard.into_iter().flat_map(|guard| guard.disturbances).map(|one| one.to_string()).collect();
        let (flags, started_at) = (words.join(";"), OffsetDateTime::now_utc());
        self.trial = Some(OpenTrial { slot, flags, waited, started_at, engine: String::new() });
    }

    pub(super) fn sample(
        &mut self,
        job: JobSlot,
        part: Part,
        step: &str,
        measured: &Measured,
    ) -> Result<(), WriteError> {
        let Some(trial) = &mut self.trial else { return Ok(()) };
        if !measured.engine.version.is_empty() {
            trial.engine.clone_from(&measured.engine.version);
        }
        let (slot, flags) = (trial.slot, trial.flags.clone());
        let row = Sample { flags, ..self.row(&slot, job, part, step, measured) };
        self.writer.sample(&row)?;
        for instruction in &measured.outcome.instructions {
            self.writer.instruction(&InstructionRow {
                schema: SCHEMA,
                run_id: self.run_id.clone(),
                scenario: self.scenario.name.clone(),
                block: slot.block,
                topology: row.topology.clone(),
                attempt: slot.attempt,
                worker: job.worker,
                job: job.job,
                step: step.into(),
                index: instruction.index,
                text: instruction.text.as_str().into(),
                cached: instruction.cached,
                elapsed_ns: instruction.elapsed.map(as_nanos),
            })?;
        }
        self.writer.events(&self.events(&slot, job, step, measured))
    }

    fn row(&self, slot: &Slot, job: JobSlot, part: Part, step: &str, measured: &Measured) -> Sample {
        let (outcome, delta) = (&measured.outcome, &measured.delta);
        let topology = self.topology(slot);
        let built = !outcome.instructions.is_empty();
        let cached = outcome.instructions.iter().filter(|instruction| instruction.cached).count();
        let fault = outcome.fault.as_ref();
        Sample {
            schema: SCHEMA,
            run_id: self.run_id.clone(),
            host: self.host.clone(),
            scenario: self.scenario.name.clone(),
            block: slot.block,
            warmup: slot.warmup,
            position: slot.position,
            topology: topology.name.as_str().into(),
            attempt: slot.attempt,
            worker: job.worker,
            lifecycle: topology.kind.lifecycle(),
            driver: topology.kind.driver(self.scenario.job.driver),
            builder: outcome.builder,
            job: job.job,
            edit: job.edit,
            step: step.into(),
            op: self.op(part),
            started_at: outcome.started_at,
            elapsed_ns: outcome.elapsed.map(as_nanos),
            upload_ns: outcome.upload.map(as_nanos),
            export_ns: outcome.export.map(as_nanos),
            status: fault.map_or(Status::Ok, |fault| fault.status),
            error_class: fault.map(|fault| fault.class),
            error: fault.map_or_else(Text::default, |fault| fault.message.as_str().into()),
            flags: String::new(),
            instructions_total: built.then(|| count(outcome.instructions.len())),
            instructions_cached: built.then(|| count(cached)),
            layers_total: outcome.layers.map(|layers| layers.total),
            layers_reused: outcome.layers.map(|layers| layers.reused),
            bytes_pulled: delta.bytes_pulled,
            bytes_pushed: delta.bytes_pushed,
            disk_bytes: delta.disk_bytes,
            disk_delta_bytes: delta.disk_delta_bytes,
            engine_disk_bytes: delta.engine_disk_bytes,
            inodes_delta: delta.inodes_delta,
            volumes_leaked: delta.volumes_leaked,
            cpu_ns: delta.cpu_ns,
            peak_memory_bytes: delta.peak_memory_bytes,
            io_read_bytes: delta.io_read_bytes,
            io_write_bytes: delta.io_write_bytes,
            engine_version: measured.engine.version.clone(),
            storage_driver: measured.engine.storage_driver.clone(),
            backing_fs: measured.engine.backing_fs.clone(),
            image_id: outcome.image_id.clone(),
        }
    }

    fn events(&self, slot: &Slot, job: JobSlot, step: &str, measured: &Measured) -> Vec<Event> {
        let topology = &self.topology(slot).name;
        let event = |(at, source, text): &(Duration, String, String)| Event {
            schema: SCHEMA,
            block: slot.block,
            topology: topology.clone(),
            attempt: slot.attempt,
            worker: job.worker,
            job: job.job,
            step: step.to_owned(),
            at_ns: as_nanos(*at),
            source: source.clone(),
            text: text.clone(),
        };
        measured.outcome.events.iter().map(event).collect()
    }

    pub(super) fn end_trial(
        &mut self,
        opened: Option<Opened>,
        closed: Option<Closed>,
        fault: Option<&Fault>,
    ) -> Result<(), WriteError> {
        let Some(trial) = self.trial.take() else { return Ok(()) };
        let (slot, topology) = (trial.slot, self.topology(&trial.slot));
        self.writer.trial(&TrialRow {
            schema: SCHEMA,
            run_id: self.run_id.clone(),
            scenario: self.scenario.name.clone(),
            block: slot.block,
            warmup: slot.warmup,
            position: slot.position,
            topology: topology.name.as_str().into(),
            attempt: slot.attempt,
            worker: 0,
            kind: topology.kind.word().to_owned(),
            parameters: topology.parameters().into(),
            data_root: topology.kind.data_root().to_owned(),
            engine: trial.engine,
            status: fault.map_or(Status::Ok, |fault| fault.status),
            error_class: fault.map(|fault| fault.class),
            error: fault.map_or_else(Text::default, |fault| fault.message.as_str().into()),
            started_at: trial.started_at,
            setup_ns: opened.map(|opened| as_nanos(opened.setup)),
            teardown_ns: closed.map(|closed| as_nanos(closed.teardown)),
            psi_cpu_ns: closed.and_then(|closed| closed.psi_cpu_ns),
            psi_io_ns: closed.and_then(|closed| closed.psi_io_ns),
            psi_memory_ns: closed.and_then(|closed| closed.psi_memory_ns),
            steal_ns: closed.and_then(|closed| closed.steal_ns),
            calibration_ns: self.calibration.map(as_nanos),
            waited_ns: trial.waited.map(as_nanos),
        })?;
        self.sync()
    }

    pub(super) fn sync(&self) -> Result<(), WriteError> {
        self.writer.sync()
    }

    fn topology(&self, slot: &Slot) -> &'a Topology {
        &self.scenario.topologies[slot.topology]
    }

    fn op(&self, part: Part) -> Op {
        match part {
            Part::Start => Op::Start,
            Part::Stop => Op::Stop,
            Part::Step(index) => match self.scenario.job.steps[index] {
                Step::Pull { .. } => Op::Pull,
                Step::Build(_) => Op::Build,
                Step::Run { .. } => Op::Run,
                Step::Push { .. } => Op::Push,
            },
        }
    }
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
