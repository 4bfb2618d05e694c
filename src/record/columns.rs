//! Some columns of a CSV file's rows, borrowed from the line that they were read from.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;

use serde::Deserialize;

use super::ReadError;
use super::reader::Lines;

/// Rows that are handed over at a time.
const BATCH: usize = 512;
/// Batches that there are: one is filled, one is taken apart, and one waits.
const BATCHES: usize = 3;

/// The rows of one file, each in the place of the one before it. A thread of its own takes lines apart, ahead of what is asked
/// for: that is about half of the work.
pub(super) struct Columns {
    path: PathBuf,
    names: &'static [&'static str],
    /// Empty at the end, and behind an error.
    ahead: Option<Ahead>,
    batch: Batch,
    /// The row of the batch that comes next.
    next: usize,
}

/// What the thread reads, and what it may read into.
struct Ahead {
    filled: Receiver<Result<Batch, ReadError>>,
    free: Sender<Batch>,
}

/// Rows that follow one another; empty at the end of the file.
#[derive(Default)]
struct Batch {
    rows: Vec<Row>,
    /// How many of them there are; the others are of an earlier batch.
    count: usize,
}

/// The columns of a line.
#[derive(Default)]
struct Row {
    line: u64,
    cells: csv::StringRecord,
}

impl Columns {
    /// `names` in the order of the fields of what is read.
    pub fn open(path: PathBuf, names: &'static [&'static str]) -> Result<Self, ReadError> {
        let lines = Lines::open(path.clone())?;
        let (full, filled) = sync_channel(BATCHES);
        let (free, empty) = channel();
        (1..BATCHES).for_each(|_| free.send(Batch::default()).expect("its other end is here"));
        thread::spawn(move || Source { lines, names, places: Vec::new() }.read_ahead(&empty, &full));
        Ok(Self { path, names, ahead: Some(Ahead { filled, free }), batch: Batch::default(), next: 0 })
    }

    /// The next row; empty at the end, and behind an error.
    ///
    /// # Errors
    /// A file without one of the columns; a line that cannot be read, is not whole, is of a newer schema, or whose cells have
    /// no meaning.
    pub fn read<'a, T: Deserialize<'a>>(&'a mut self) -> Result<Option<T>, ReadError> {
        if self.next == self.batch.count && !self.turn()? {
            return Ok(None);
        }
        let row = &self.batch.rows[self.next];
        self.next += 1;
        row.cells.deserialize(None).map(Some).map_err(|error| self.meaningless(row.line, &error))
    }

    fn meaningless(&self, line: u64, error: &csv::Error) -> ReadError {
        let reason = match error.kind() {
            csv::ErrorKind::Deserialize { err, .. } => {
                let name = err.field().and_then(|field| self.names.get(usize::try_from(field).ok()?));
                name.map_or_else(|| err.to_string(), |name| format!("{name}: {}", err.kind()))
            }
            _ => error.to_string(),
        };
        ReadError::Row { path: self.path.clone(), line, reason }
    }

    /// Puts the next batch in the place of this one; tells whether it has rows.
    fn turn(&mut self) -> Result<bool, ReadError> {
        let Some(ahead) = self.ahead.take() else { return Ok(false) };
        let batch = ahead.filled.recv().expect("a thread that reads ends with an empty batch or an error")?;
        let used = std::mem::replace(&mut self.batch, batch);
        self.next = 0;
        let more = self.batch.count > 0;
        if more {
            // Behind the last batch nobody wants another one.
            drop(ahead.free.send(used));
            self.ahead = Some(ahead);
        }
        Ok(more)
    }
}

/// Where rows come from.
struct Source {
    lines: Lines,
    names: &'static [&'static str],
    /// Where the columns stand in a line; empty before the first one.
    places: Vec<usize>,
}

impl Source {
    /// Fills batches to the end of the file, to the first error, or until nobody wants more of them.
    fn read_ahead(mut self, empty: &Receiver<Batch>, full: &SyncSender<Result<Batch, ReadError>>) {
        while let Ok(mut batch) = empty.recv() {
            let read = self.fill(&mut batch);
            let last = read.is_err() || batch.count == 0;
            // What stands before a wrong line is told before it is.
            if (batch.count > 0 || read.is_ok()) && full.send(Ok(batch)).is_err() {
                return;
            }
            if let Err(error) = read {
                drop(full.send(Err(error)));
            }
            if last {
                return;
            }
        }
    }

    fn fill(&mut self, batch: &mut Batch) -> Result<(), ReadError> {
        batch.count = 0;
        while batch.count < BATCH && self.lines.read()? {
            if batch.count == batch.rows.len() {
                batch.rows.push(Row::default());
            }
            self.cut_out(&mut batch.rows[batch.count])?;
            batch.count += 1;
        }
        Ok(())
    }

    /// Copies the columns of the line that was read last.
    fn cut_out(&mut self, row: &mut Row) -> Result<(), ReadError> {
        if self.places.is_empty() {
            self.places = self.names.iter().map(|column| self.lines.place(column)).collect::<Result<_, _>>()?;
        }
        row.line = self.lines.number();
        row.cells.clear();
        self.places.iter().for_each(|place| row.cells.push_field(self.lines.record.get(*place).unwrap_or_default()));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is read of a file with these lines below its names.
    fn read(lines: &str) -> (Vec<(u32, String)>, Option<ReadError>) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), format!("schema,text,number\n{lines}")).unwrap();
        let mut columns = Columns::open(file.path().to_owned(), &["number", "text"]).unwrap();
        let mut rows = Vec::new();
        loop {
            match columns.read::<(u32, &str)>() {
                Ok(Some((number, text))) => rows.push((number, text.to_owned())),
                Ok(None) => return (rows, None),
                Err(error) => return (rows, Some(error)),
            }
        }
    }

    #[test]
    fn every_row_is_read_once_and_in_order_however_many_batches_they_fill() {
        for count in [0, 1, BATCH - 1, BATCH, BATCH + 1, 5 * BATCH, 7 * BATCH + 3] {
            let rows: Vec<(u32, String)> = (0..count as u32).map(|row| (row, format!("row {row}"))).collect();
            let lines: String = rows.iter().map(|(number, text)| format!("1,{text},{number}\n")).collect();
            let (found, error) = read(&lines);
            assert!(error.is_none(), "{error:?}");
            assert_eq!(found, rows);
        }
    }

    #[test]
    fn what_stands_before_a_wrong_line_is_read_before_it_is_told() {
        for before in [0, 3, BATCH, 2 * BATCH + 7] {
            for wrong in ["1,text,none\n", "1,short\n", "1,cut off,1"] {
                let (found, error) = read(&format!("{}{wrong}", "1,text,7\n".repeat(before)));
                assert_eq!(found.len(), before);
                assert!(matches!(error, Some(ReadError::Row { line, .. }) if line == before as u64 + 2), "{error:?}");
            }
        }
    }

    #[test]
    fn one_that_is_not_read_to_its_end_ends() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), format!("schema,number\n{}", "1,7\n".repeat(9 * BATCH))).unwrap();
        let mut columns = Columns::open(file.path().to_owned(), &["number"]).unwrap();
        assert_eq!(columns.read::<(u32,)>().unwrap(), Some((7,)));
    }
}
