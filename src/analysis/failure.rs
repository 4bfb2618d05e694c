//! What failed, how often, and with which message.

use std::collections::BTreeMap;

use crate::case::{ErrorClass, Op, Status};
use crate::record::Observation;
use crate::stats::{Estimate, Level, proportion};

/// Failures of one class in one topology, over all blocks and attempts.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    pub topology: usize,
    pub op: Op,
    pub class: ErrorClass,
    pub count: usize,
    /// Of these, the ones that failed or timed out: what is invalid says nothing of its topology.
    pub failed: usize,
    /// Its share of all samples of this op in this topology.
    pub share: Estimate,
    /// One of the messages, as it was recorded: what shows it escapes it.
    pub example: String,
}

/// Failures by topology, op and class, counted while rows are read.
#[derive(Debug, Default)]
pub(super) struct Failures {
    found: BTreeMap<(usize, Op, ErrorClass), Met>,
    /// Samples, failed or not, by topology and op.
    samples: BTreeMap<(usize, Op), usize>,
}

#[derive(Debug, Default)]
struct Met {
    count: usize,
    failed: usize,
    example: String,
}

impl Failures {
    pub fn count(&mut self, topology: usize, sample: &Observation) {
        *self.samples.entry((topology, sample.op)).or_default() += 1;
        if sample.status == Status::Ok {
            return;
        }
        // A row that does not say why it failed is a fault of the one who wrote it.
        let class = sample.error_class.unwrap_or(ErrorClass::Harness);
        let met = self.found.entry((topology, sample.op, class)).or_default();
        met.count += 1;
        met.failed += usize::from(sample.status != Status::Invalid);
        if met.example.is_empty() {
            met.example = sample.error.clone().into_owned();
        }
    }

    pub fn into_list(self) -> Vec<Failure> {
        let failure = |((topology, op, class), Met { count, failed, example })| {
            let share = proportion(count, self.samples[&(topology, op)], Level::P95);
            Failure {
                topology,
                op,
                class,
                count,
                failed,
                share: share.expect("a failure is one of the samples"),
                example,
            }
        };
        self.found.into_iter().map(failure).collect()
    }
}
