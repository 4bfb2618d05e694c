//! What failed, how often, and with which message.

use std::collections::BTreeMap;

use crate::case::{ErrorClass, Op, Status};
use crate::record::Sample;

/// Failures of one class in one topology, over all blocks and attempts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub topology: usize,
    pub op: Op,
    pub class: ErrorClass,
    pub count: usize,
    /// One of the messages, as it was recorded: what shows it escapes it.
    pub example: String,
}

/// Failures by topology, op and class, counted while rows are read.
#[derive(Debug, Default)]
pub(super) struct Failures(BTreeMap<(usize, Op, ErrorClass), (usize, String)>);

impl Failures {
    pub fn count(&mut self, topology: usize, sample: &Sample) {
        if sample.status == Status::Ok {
            return;
        }
        // A row that does not say why it failed is a fault of the one who wrote it.
        let class = sample.error_class.unwrap_or(ErrorClass::Harness);
        let (count, example) = self.0.entry((topology, sample.op, class)).or_default();
        *count += 1;
        if example.is_empty() {
            *example = sample.error.as_str().to_owned();
        }
    }

    pub fn into_list(self) -> Vec<Failure> {
        let failure = |((topology, op, class), (count, example))| Failure { topology, op, class, count, example };
        self.0.into_iter().map(failure).collect()
    }
}
