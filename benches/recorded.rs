//! Hands criterion times that were recorded elsewhere.
//!
//! Criterion by itself measures one benchmark after another: a machine that drifts meanwhile shows as a difference
//! between topologies. So the runner measures, in randomised blocks, and criterion gets its samples.

use std::sync::Once;
use std::time::Duration;

use criterion::{Criterion, SamplingMode};

/// The fewest samples that criterion takes.
const FEWEST: usize = 10;

static TOO_FEW: Once = Once::new();

pub fn criterion() -> Criterion {
    Criterion::default().without_plots().configure_from_args()
}

/// One benchmark of `length` times, which are asked for once, and only if the command line asks for it. Where they are
/// too few for criterion, each is given more than once, all equally often.
pub fn hand(
    criterion: &mut Criterion,
    group: &str,
    name: &str,
    length: usize,
    recorded: impl FnOnce() -> Vec<Duration>,
) {
    let mut group = criterion.benchmark_group(group);
    group.sampling_mode(SamplingMode::Flat).sample_size(length * FEWEST.div_ceil(length));
    // Criterion chooses a number of iterations by these times. It gets the recorded one times their number.
    group.warm_up_time(Duration::from_nanos(1)).measurement_time(Duration::from_millis(100));
    let (mut recorded, mut times) = (Some(recorded), None);
    group.bench_function(name, |bencher| {
        let times = times.get_or_insert_with(|| {
            if length < FEWEST {
                TOO_FEW.call_once(|| tell_too_few(length));
            }
            let recorded = recorded.take().expect("asked once, while there are no times");
            // Round and round, so that it does not matter how many of them a warm-up takes.
            recorded().into_iter().cycle()
        });
        bencher.iter_custom(|iterations| times.next().expect("at least one time").mul_f64(iterations as f64));
    });
    group.finish();
}

fn tell_too_few(length: usize) {
    eprintln!(
        "\n{length} times, and criterion takes {FEWEST} or more: each is given more than once. Estimates stay as they \
         are; intervals and p-values are too small, and no evidence"
    );
}
