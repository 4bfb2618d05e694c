//! Cells: a case of a run in one topology, with its recorded times, one per measured block.

use std::collections::BTreeMap;
use std::time::Duration;

use dindbench::analysis::{Analysis, Metric, Subject};
use dindbench::case::{Edit, Op};
use dindbench::record::Text;

/// What is told, in this order.
const CASES: [(Op, Edit); 6] = [
    (Op::Build, Edit::First),
    (Op::Build, Edit::None),
    (Op::Build, Edit::Source),
    (Op::Pull, Edit::First),
    (Op::Pull, Edit::None),
    (Op::Start, Edit::First),
];

pub struct Cell {
    pub topology: String,
    op: Op,
    edit: Edit,
}

impl Cell {
    /// All cells, those of one case beside each other.
    pub fn all(topologies: &[String]) -> impl Iterator<Item = Self> {
        CASES.into_iter().flat_map(move |(op, edit)| {
            topologies.iter().map(move |topology| Self { topology: topology.clone(), op, edit })
        })
    }

    pub fn case(&self) -> String {
        format!("{}/{}", self.op, self.edit)
    }

    /// The mean of each block's samples, as the report has it; empty where the run has nothing of this cell.
    ///
    /// # Errors
    /// A sample that does not count, or steps that this cell does not tell apart.
    pub fn times(&self, analysis: &Analysis) -> Result<Vec<Duration>, String> {
        let wrong = |reason: String| Err(format!("{} of {}: {reason}", self.case(), self.topology));
        let Some(topology) = analysis.arms.iter().position(|arm| arm.name == self.topology) else {
            return wrong("the run has no such topology".to_owned());
        };
        let op = |subject: &Subject| matches!(subject, Subject::Step { op, .. } if *op == self.op);
        let mut cells = analysis.cells.iter().filter(|cell| {
            op(&cell.case.subject)
                && (cell.case.edit, cell.topology, cell.metric) == (self.edit, topology, Metric::ElapsedNs)
        });
        if cells.clone().any(|cell| cell.excluded > 0) {
            return wrong(format!("a sample failed, timed out or was invalid{}", failures(analysis, topology)));
        }
        let cell = cells.next();
        if cells.next().is_some() {
            return wrong(format!("a job of this run has several steps `{}`, and a cell is one of them", self.op));
        }
        let mut blocks: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
        let points = cell.into_iter().flat_map(|cell| analysis.measured(&cell.case.subject, cell.metric));
        for point in points.filter(|point| (point.edit, point.topology) == (self.edit, topology)) {
            blocks.entry(point.block).or_default().push(point.value);
        }
        let mean = |values: &Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
        Ok(blocks.values().map(|values| Duration::from_secs_f64(mean(values) / 1e9)).collect())
    }
}

/// Ends the bench, for there is no time to give.
pub fn fail(reason: &str) -> ! {
    eprintln!("\n{reason}");
    std::process::exit(1)
}

/// What went wrong in a topology.
fn failures(analysis: &Analysis, topology: usize) -> String {
    let ours = analysis.failures.iter().filter(|failure| failure.topology == topology);
    ours.map(|failure| format!("; {}, {}: {}", failure.op, failure.class, Text::from(failure.example.as_str())))
        .collect()
}
