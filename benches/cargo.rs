//! The options of a benchmark that measures without criterion.

/// What `cargo bench` gives to every benchmark, and what criterion's know.
#[derive(clap::Args)]
pub struct Cargo {
    #[arg(hide = true)]
    filter: Option<String>,
    #[arg(long, hide = true)]
    bench: bool,
    #[arg(long, hide = true)]
    test: bool,
    #[arg(long, hide = true)]
    list: bool,
    /// There is no time to save or to compare.
    #[arg(long, hide = true)]
    save_baseline: Option<String>,
    #[arg(long, hide = true)]
    baseline: Option<String>,
}

impl Cargo {
    /// Whether something else is asked for than the benchmark of this name.
    pub fn elsewhere(&self, name: &str) -> bool {
        self.list || self.filter.as_ref().is_some_and(|filter| !name.contains(filter.as_str()))
    }

    /// Whether it is only tried whether everything works.
    pub fn smoke(&self) -> bool {
        self.test || !self.bench
    }
}
