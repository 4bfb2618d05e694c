//! `dindbench schema`: the JSON schema of scenario files.

use super::{Exit, Failure, print};
use crate::scenario;

pub fn run() -> Result<Exit, Failure> {
    print(format!("{:#}\n", scenario::schema()).as_bytes())
}
