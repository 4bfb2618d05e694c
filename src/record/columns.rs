//! Some columns of a CSV file's rows, borrowed from the line that they were read from.

use std::path::PathBuf;

use serde::Deserialize;

use super::ReadError;
use super::reader::Lines;

/// The rows of one file, each in the place of the one before it.
pub(super) struct Columns {
    lines: Lines,
    names: &'static [&'static str],
    /// Where the columns stand in a line; empty before the first one.
    places: Vec<usize>,
    /// The columns of the line that was read last.
    cells: csv::StringRecord,
}

impl Columns {
    /// `names` in the order of the fields of what is read.
    pub fn open(path: PathBuf, names: &'static [&'static str]) -> Result<Self, ReadError> {
        Ok(Self { lines: Lines::open(path)?, names, places: Vec::new(), cells: csv::StringRecord::new() })
    }

    /// The next row; empty at the end.
    ///
    /// # Errors
    /// A file without one of the columns; a line that cannot be read, is not whole, is of a newer schema, or whose cells have
    /// no meaning.
    pub fn read<'a, T: Deserialize<'a>>(&'a mut self) -> Result<Option<T>, ReadError> {
        if !self.lines.read()? {
            return Ok(None);
        }
        if self.places.is_empty() {
            self.places = self.names.iter().map(|column| self.lines.place(column)).collect::<Result<_, _>>()?;
        }
        self.cells.clear();
        self.places.iter().for_each(|place| self.cells.push_field(self.lines.record.get(*place).unwrap_or_default()));
        self.cells.deserialize(None).map(Some).map_err(|error| self.lines.meaningless(&error))
    }
}
