//! What a person sees while a run goes on. Quiet where standard error is no terminal, but for warnings.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::notice;
use crate::case::Verdict;
use crate::record::Text;
use crate::runner::Event;

/// A spinner while a run is prepared, then a bar over its trials with the time that is left.
pub struct Progress {
    bar: ProgressBar,
    terminal: bool,
}

impl Progress {
    pub fn new() -> Self {
        let terminal = std::io::stderr().is_terminal();
        let target = if terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target);
        bar.set_style(ProgressStyle::with_template("{spinner} {msg} ({elapsed})").expect("a fixed template"));
        bar.enable_steady_tick(Duration::from_millis(100));
        Self { bar, terminal }
    }

    /// Says what is being done before and after the trials.
    pub fn phase(&self, what: &'static str) {
        self.bar.set_message(what);
    }

    pub fn begin(&self, trials: usize) {
        let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} trials, {eta} left, {msg}");
        self.bar.set_style(style.expect("a fixed template"));
        self.bar.set_length(trials as u64);
        self.bar.set_position(0);
        self.bar.reset_eta();
    }

    pub fn begin_claims(&self, claims: usize) {
        let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} claims, {msg} ({elapsed})");
        self.bar.set_style(style.expect("a fixed template"));
        self.bar.set_length(claims as u64);
        self.bar.set_position(0);
    }

    /// A claim is tested.
    pub fn claim(&self, id: &str) {
        self.bar.set_message(id.to_owned());
    }

    /// Something was found of a claim.
    pub fn found(&self, id: &str, verdict: Verdict, reason: &str) {
        self.warn(&format!("{id} {verdict}: {reason}"));
        self.bar.inc(1);
    }

    pub fn tell(&self, event: &Event) {
        match event {
            Event::Waits { disturbances } => {
                let found: Vec<String> = disturbances.iter().map(ToString::to_string).collect();
                self.bar.set_message(format!("waiting for a quiet machine: {}", found.join(", ")));
            }
            Event::TrialBegins { block, topology } => {
                let block = if *block == 0 { "warm-up".to_owned() } else { format!("block {block}") };
                self.bar.set_message(format!("{block}, {topology}"));
            }
            Event::PartEnds { topology, job, step, .. } => {
                self.bar.set_message(format!("{topology}, job {job}, {step} done"))
            }
            Event::Spoiled { block, topology, job, step, message } => {
                let job = job.map(|job| format!(", job {job}")).unwrap_or_default();
                self.warn(&format!("block {block}, {topology}{job}, {step}: {message}"));
            }
            Event::TrialEnds => self.bar.inc(1),
        }
    }

    pub fn warn_all(&self, warnings: &[String]) {
        warnings.iter().for_each(|warning| self.warn(warning));
    }

    pub fn warn(&self, message: &str) {
        let message = Text::from(message);
        if self.terminal { self.bar.println(format!("dindbench: {message}")) } else { notice(message) }
    }

    pub fn end(&self) {
        self.bar.finish_and_clear();
    }
}
