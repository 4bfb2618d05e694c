//! The steps of a run's jobs, in the order in which a job takes them.

use super::Subject;
use crate::case::Op;

/// Every subject that a run has, numbered as it was met. Number 0 is the whole job.
#[derive(Debug)]
pub(super) struct Steps {
    subjects: Vec<Subject>,
    /// By number, the subject's place in a job's order; that of the whole job is 0.
    ranks: Vec<u32>,
}

impl Steps {
    pub const JOB: u32 = 0;

    pub fn new() -> Self {
        Self { subjects: vec![Subject::Job], ranks: vec![0] }
    }

    /// The number of a step that was met after `previous` in a job. A new one takes its place right behind it, so that
    /// jobs that failed half-way leave the order intact.
    pub fn number(&mut self, op: Op, name: &str, previous: u32) -> u32 {
        if let Some(number) = self.find(op, name) {
            return number;
        }
        let number = self.subjects.len() as u32;
        self.subjects.push(Subject::Step { op, name: name.to_owned() });
        let behind = self.rank(previous) + 1;
        self.ranks.iter_mut().filter(|rank| **rank >= behind).for_each(|rank| *rank += 1);
        self.ranks.push(behind);
        number
    }

    pub fn find(&self, op: Op, name: &str) -> Option<u32> {
        let same = |subject: &Subject| matches!(subject, Subject::Step { op: o, name: n } if *o == op && n == name);
        self.subjects.iter().position(same).map(|index| index as u32)
    }

    pub fn subject(&self, number: u32) -> &Subject {
        &self.subjects[number as usize]
    }

    /// Empty for the whole job.
    pub fn op(&self, number: u32) -> Option<Op> {
        match self.subject(number) {
            Subject::Job => None,
            Subject::Step { op, .. } => Some(*op),
        }
    }

    /// A subject's place in a job's order.
    pub fn rank(&self, number: u32) -> u32 {
        self.ranks[number as usize]
    }

    /// How many steps a whole job has.
    pub fn count(&self) -> usize {
        self.subjects.len() - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_that_failed_half_way_does_not_disturb_the_order() {
        let mut steps = Steps::new();
        for job in [["start", "0", "stop"].as_slice(), &["start", "0", "app", "2", "stop"]] {
            let mut previous = Steps::JOB;
            for name in job {
                previous = steps.number(Op::Run, name, previous);
            }
        }
        let mut names =
            ["start", "0", "app", "2", "stop"].map(|name| (steps.rank(steps.find(Op::Run, name).unwrap()), name));
        names.sort_unstable();
        assert_eq!(names.map(|(_, name)| name), ["start", "0", "app", "2", "stop"]);
        assert_eq!((steps.rank(Steps::JOB), steps.count()), (0, 5));
    }

    #[test]
    fn a_name_is_one_step_per_op() {
        let mut steps = Steps::new();
        let pull = steps.number(Op::Pull, "0", Steps::JOB);
        let run = steps.number(Op::Run, "0", pull);
        assert_ne!(pull, run);
        assert_eq!(steps.number(Op::Pull, "0", run), pull);
        assert_eq!((steps.op(run), steps.op(Steps::JOB)), (Some(Op::Run), None));
    }
}
