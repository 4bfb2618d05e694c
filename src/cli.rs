//! The command line: what can be asked for. What can be done about it is in `cmd`; what is not built yet, in `built`.

mod built;

use std::fmt;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

pub use built::{Built, NotBuilt};
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::case::{Builder, Driver, FileSystem};
use crate::registry::{Address, Upstream};
use crate::scenario::{self, EngineVersion, StorageDriver};

/// Measures what each way of giving a CI job a Docker costs
#[derive(Debug, Parser)]
#[command(name = "dindbench", version, max_term_width = 110, after_help = EXIT_CODES)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    could not run, or doctor found what keeps a run from it
  2    wrong usage, or an invalid scenario
  3    ran, but some trials failed or were invalid, or an expectation broke; after claims the host
       is not what it was
  4    a claim's verdict differs from the published one of that engine
  5    compare found a regression
  130  interrupted";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run scenarios, and print where the samples are
    Run(RunArgs),
    /// Print what would run, in which order, and run nothing
    Plan(PlanArgs),
    /// Make the report of one or more runs; needs no Docker
    Report(ReportArgs),
    /// Compare two runs, and fail on a regression
    Compare(CompareArgs),
    /// Test the claims of the ledger on this host
    Claims(ClaimsArgs),
    /// Tell what this host can run, and why not, before anything is measured
    Doctor(DoctorArgs),
    /// Remove what earlier runs left behind, and nothing else
    Clean(CleanArgs),
    /// Write a scenario around a Dockerfile of your own
    Init(InitArgs),
    /// Print the JSON schema of scenario files
    Schema,
    /// Print the completions for a shell
    Completions(CompletionsArgs),
    /// Print the manual pages
    Man,
    /// What this program does in the containers that it starts
    #[command(hide = true, subcommand)]
    Inside(Inside),
}

/// A role in a container; the arguments are written by dindbench itself.
#[derive(Debug, Subcommand)]
pub enum Inside {
    /// Supervise an engine
    Engine { config: String },
    /// Prepare a job container without an engine
    Daemonless { config: String },
    /// Do one operation of a job through the engine's API
    Operation { operation: String },
    /// Stand beside an engine that others use too
    Outpost { registry: PathBuf },
    /// Make the fixtures and serve them, or put them into a registry that others run
    Registry { store: PathBuf, socket: PathBuf, seed: u64, upstream: Option<Upstream> },
    /// Keep what is asked of a registry at one socket, and answer at another one in a folder
    Mirror { store: PathBuf, origin: PathBuf, folder: PathBuf },
    /// Offer the host's programs as a layer, and send it
    Pack { own: String },
    /// Make a file system in a file of this folder, and mount it
    FileSystem { file_system: FileSystem, folder: PathBuf },
    /// Tell what this machine does in a second; the folder is on the disk of the engine's data
    Second { folder: PathBuf },
    /// Do a fixed piece of work in this folder, and tell in how many nanoseconds
    Calibrate { folder: PathBuf },
    /// Tell what of this machine an experiment could change; the folder is where its processes are told
    Fingerprint { proc: PathBuf },
    /// Let an engine in this container reach the registry behind a socket
    Forward { registry: PathBuf },
    /// Carry standard input and output to a unix socket
    Dial { socket: PathBuf, seconds: u64 },
}

#[derive(Debug, Args)]
pub struct RunArgs {
    /// Scenario files, or names of built-in scenarios
    #[arg(value_name = "SCENARIO.toml|NAME", default_value = scenario::QUICK)]
    pub scenarios: Vec<String>,
    /// Outer engine under test: one that dindbench starts and throws away, or yours
    #[arg(long, value_name = "reference|local|URL", default_value_t = Host::Reference)]
    pub host: Host,
    /// Version of the outer engine of a reference host
    #[arg(long, default_value_t)]
    pub engine: EngineVersion,
    /// Storage driver of the outer engine of a reference host, whose data are on ext4
    #[arg(long, default_value_t)]
    pub storage_driver: StorageDriver,
    /// Image of engine and job containers: packed from the host's own engine (the official one, or any other: not built yet)
    #[arg(long, value_name = "host-engine|official|REF", default_value_t = Image::HostEngine)]
    pub image: Image,
    #[command(flatten)]
    pub design: DesignArgs,
    /// Begin no block that would end later than this after the first began, such as 30m
    #[arg(long, value_name = "DUR", value_parser = humantime::parse_duration)]
    pub time_limit: Option<Duration>,
    /// Wait this long before a trial for a quiet machine, and flag what is measured on one that is not; 0s looks at nothing
    #[arg(long, value_name = "DUR", value_parser = humantime::parse_duration, default_value = "60s")]
    pub wait_for_quiet: Duration,
    /// How steps are executed, instead of as the scenario says
    #[arg(long)]
    pub driver: Option<Driver>,
    /// Builder to ask for, instead of the scenario's
    #[arg(long)]
    pub builder: Option<Builder>,
    /// Registry to use instead of dindbench's own, as the engine's host sees it
    #[arg(long, value_name = "http://HOST:PORT")]
    pub registry: Option<Address>,
    /// Folder for the run directories
    #[arg(long, value_name = "DIR", default_value = "results")]
    pub out: PathBuf,
    /// Go on with an interrupted run (not built yet)
    #[arg(long, value_name = "DIR")]
    pub resume: Option<PathBuf>,
    /// Print what would run, and run nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Name for this machine in the results, instead of a digest of its identity
    #[arg(long, value_name = "NAME", value_parser = host_label)]
    pub host_label: Option<String>,
    /// Let BuildKit builds on your own engine push your cache out; build nothing else there meanwhile
    #[arg(long)]
    pub allow_host_cache: bool,
    /// Form of what is printed at the end
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// The experiment's design: which topologies, how often, in which order.
#[derive(Debug, Default, Args)]
pub struct DesignArgs {
    /// Number of measured blocks: smoke 2, quick 7, default 20, full 30 with controls; else the scenario's
    #[arg(long, conflicts_with = "blocks")]
    pub preset: Option<Preset>,
    /// Number of measured blocks
    #[arg(long, value_name = "N")]
    pub blocks: Option<NonZeroU32>,
    /// End after 10, 15, 20, ... blocks, 40 at most or as many as --blocks says, when every job's ratio is this close
    #[arg(long, value_name = "PERCENT")]
    pub precision: Option<Percent>,
    /// Seed of every random choice, up to 9223372036854775807; drawn and printed where it is not given
    // Run records are TOML, whose integers end there.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    pub seed: Option<u64>,
    /// Topologies to run, by name; the scenario's baseline must be among them
    #[arg(long, value_name = "TOPOLOGY", value_delimiter = ',')]
    pub only: Vec<String>,
}

#[derive(Debug, Args)]
pub struct PlanArgs {
    /// Scenario file, or name of a built-in scenario
    #[arg(value_name = "SCENARIO.toml|NAME", default_value = scenario::QUICK)]
    pub scenario: String,
    #[command(flatten)]
    pub design: DesignArgs,
}

#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Run directories
    #[arg(value_name = "RUN_DIR", required = true)]
    pub runs: Vec<PathBuf>,
    /// Folder for the report, and a page of all runs where there are several; without it, each run's own directory. Figures
    /// are SVG, and PNG too in a dindbench that was built with --features png
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct CompareArgs {
    /// The run to compare with
    #[arg(value_name = "BASE_RUN")]
    pub base: PathBuf,
    /// The run that may have become slower
    #[arg(value_name = "NEW_RUN")]
    pub new: PathBuf,
    /// Change from which on a slower case is a regression
    #[arg(long, value_name = "PERCENT", default_value = "5%")]
    pub threshold: Percent,
    /// Form of what is printed
    #[arg(long, value_enum, default_value_t)]
    pub format: ComparisonFormat,
}

#[derive(Debug, Args)]
pub struct ClaimsArgs {
    /// Claims to test; without one, all
    #[arg(value_name = "ID")]
    pub ids: Vec<String>,
    /// List the claims, and test nothing
    #[arg(long)]
    pub list: bool,
    /// Where to test: a reference host or the lab's virtual machines, scripts/lab-vm (your engine: not built yet)
    #[arg(long, value_name = "reference|local|lab|URL", default_value_t = ClaimHost::Engine(Host::Reference))]
    pub host: ClaimHost,
    /// Version of the outer engine of a reference host
    #[arg(long, default_value_t)]
    pub engine: EngineVersion,
    /// Seed of every random choice, up to 9223372036854775807; drawn where it is not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    pub seed: Option<u64>,
    /// Folder for the run directory
    #[arg(long, value_name = "DIR", default_value = "results")]
    pub out: PathBuf,
    /// Name for this machine in the results, instead of a digest of its identity
    #[arg(long, value_name = "NAME", value_parser = host_label)]
    pub host_label: Option<String>,
    /// Form of what is printed
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Outer engine to examine
    #[arg(long, value_name = "reference|local|URL", default_value_t = Host::Reference)]
    pub host: Host,
}

#[derive(Debug, Args)]
pub struct CleanArgs {
    /// Engine to clean; a reference host's own leftovers are on the local one
    #[arg(long, value_name = "reference|local|URL", default_value_t = Host::Local)]
    pub host: Host,
    /// Print what would be removed, and remove nothing
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, Args)]
pub struct InitArgs {
    /// Build context with the Dockerfile
    #[arg(value_name = "CONTEXT", default_value = ".")]
    pub context: PathBuf,
    /// The Dockerfile, where it is not CONTEXT/Dockerfile; a path as docker build takes it
    #[arg(short, long, value_name = "PATH")]
    pub file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct CompletionsArgs {
    pub shell: clap_complete::Shell,
}

/// The outer engine under test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// One that dindbench starts itself and throws away.
    Reference,
    /// The one that the docker command would use.
    Local,
    /// `unix://`, `tcp://`, `http://` or `https://`.
    Url(String),
}

/// Where claims are tested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimHost {
    Engine(Host),
    Lab,
}

/// The image of engine and job containers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Image {
    /// Packed from the outer engine's own binaries.
    HostEngine,
    /// The project's own image with an engine in it, by digest.
    Official,
    Reference(String),
}

/// A fraction that is written as a percentage: 0.05 for `5%`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Percent(f64);

/// Measured blocks of a run that ends when it is precise, where nothing else is said.
const MOST_BLOCKS: u32 = 40;

/// A number of measured blocks, by what it is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Preset {
    /// 2 blocks: does it run at all; no statistics
    Smoke,
    /// 7 blocks: the fewest with room for one lost
    Quick,
    /// 20 blocks
    Default,
    /// 30 blocks, with the baseline twice more: as it is, for the noise floor, and lengthened by 10 %, which must be seen
    Full,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Table,
    /// For programs: one object
    Json,
}

/// The form of a comparison of two runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ComparisonFormat {
    /// For people
    #[default]
    Table,
    /// For a comment
    Markdown,
    /// For programs: one object
    Json,
}

impl Preset {
    /// Measured blocks, besides the warm-up block.
    pub fn blocks(self) -> u32 {
        match self {
            Self::Smoke => 2,
            Self::Quick => 7,
            Self::Default => 20,
            Self::Full => 30,
        }
    }
}

impl DesignArgs {
    /// Measured blocks, where the command line says how many: the most of a run that ends when it is precise.
    pub fn blocks(&self) -> Option<u32> {
        let given = self.blocks.map(NonZeroU32::get).or(self.preset.map(Preset::blocks));
        given.or(self.precision.map(|_| MOST_BLOCKS))
    }
}

impl Percent {
    /// 0.05 for `5%`.
    pub fn fraction(self) -> f64 {
        self.0
    }
}

impl FromStr for Percent {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = text.strip_suffix('%').and_then(|number| number.parse::<f64>().ok());
        match number {
            Some(percent) if percent > 0.0 && percent < 100.0 => Ok(Self(percent / 100.0)),
            _ => Err("not a percentage between 0% and 100%, such as 2%".to_owned()),
        }
    }
}

impl FromStr for Host {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "reference" => Ok(Self::Reference),
            "local" => Ok(Self::Local),
            url if is_engine_url(url) => Ok(Self::Url(url.to_owned())),
            _ => Err("not reference, local, or a URL such as unix:///run/docker.sock, tcp://HOST:PORT, \
                      http://HOST:PORT or https://HOST:PORT"
                .to_owned()),
        }
    }
}

impl FromStr for ClaimHost {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "lab" { Ok(Self::Lab) } else { text.parse().map(Self::Engine) }
    }
}

impl FromStr for Image {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "host-engine" => Self::HostEngine,
            "official" => Self::Official,
            reference => Self::Reference(reference.to_owned()),
        })
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reference => "reference",
            Self::Local => "local",
            Self::Url(url) => url,
        })
    }
}

impl ClaimHost {
    pub fn is_reference(&self) -> bool {
        *self == Self::Engine(Host::Reference)
    }
}

impl fmt::Display for ClaimHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Engine(host) => host.fmt(f),
            Self::Lab => f.write_str("lab"),
        }
    }
}

impl fmt::Display for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HostEngine => "host-engine",
            Self::Official => "official",
            Self::Reference(reference) => reference,
        })
    }
}

fn is_engine_url(url: &str) -> bool {
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    match scheme {
        "unix" => rest.starts_with('/') && rest.len() > 1,
        "tcp" | "http" | "https" => !rest.is_empty() && !rest.starts_with('/'),
        _ => false,
    }
}

/// A label stands in data files and in names of folders.
fn host_label(text: &str) -> Result<String, String> {
    let allowed = |character: char| character.is_ascii_alphanumeric() || matches!(character, '.' | '_' | '-');
    let begins = text.starts_with(|character: char| character.is_ascii_alphanumeric());
    if begins && text.len() <= 64 && text.chars().all(allowed) {
        return Ok(text.to_owned());
    }
    Err("not 1 to 64 letters, digits, `.`, `_` and `-`, the first a letter or a digit".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn hosts_are_two_words_and_four_schemes() {
        assert_eq!("reference".parse(), Ok(Host::Reference));
        assert_eq!("local".parse(), Ok(Host::Local));
        for url in ["unix:///run/docker.sock", "tcp://10.0.0.1:2376", "http://h:1", "https://h:1"] {
            assert_eq!(url.parse(), Ok(Host::Url(url.to_owned())));
        }
        for bad in [
            "",
            "lab",
            "Local",
            "unix://",
            "unix:///",
            "unix://run",
            "tcp://",
            "http:///x",
            "ssh://h",
            "/run/docker.sock",
        ] {
            assert!(bad.parse::<Host>().is_err(), "{bad}");
        }
        assert_eq!("lab".parse(), Ok(ClaimHost::Lab));
    }

    #[test]
    fn percentages_are_fractions() {
        assert_eq!("2%".parse::<Percent>().unwrap().fraction(), 0.02);
        for bad in ["2", "%", "0%", "-1%", "100%", "nan%", "inf%", "2 %"] {
            assert!(bad.parse::<Percent>().is_err(), "{bad}");
        }
    }

    #[test]
    fn preset_and_blocks_are_one_choice() {
        let blocks = |more: &[&str]| {
            let line = ["dindbench", "plan"].into_iter().chain(more.iter().copied());
            match Cli::try_parse_from(line).map(|cli| cli.command) {
                Ok(Command::Plan(args)) => Ok(args.design.blocks()),
                Ok(other) => panic!("{other:?}"),
                Err(error) => Err(error.kind()),
            }
        };
        assert_eq!(blocks(&[]), Ok(None));
        assert_eq!(blocks(&["--blocks", "3"]), Ok(Some(3)));
        for (preset, number) in [("smoke", 2), ("quick", 7), ("default", 20), ("full", 30)] {
            assert_eq!(blocks(&["--preset", preset]), Ok(Some(number)));
        }
        assert_eq!(blocks(&["--blocks", "0"]), Err(clap::error::ErrorKind::ValueValidation));
        assert_eq!(blocks(&["--blocks", "3", "--preset", "quick"]), Err(clap::error::ErrorKind::ArgumentConflict));
        assert_eq!(blocks(&["--seed", "9223372036854775808"]), Err(clap::error::ErrorKind::ValueValidation));
    }

    #[test]
    fn labels_can_be_parts_of_paths() {
        assert_eq!(host_label("build-7.local"), Ok("build-7.local".to_owned()));
        for bad in ["", "..", "-a", "a/b", "a b", "a\n"] {
            assert!(host_label(bad).is_err(), "{bad:?}");
        }
    }
}
