//! A machine with a state that drifts, and trials that are slow now and then.

use std::f64::consts::TAU;
use std::fmt;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// The logarithm of a trial's time is the sum of the machine's state, a shift that comes once, the trial's own noise, and
/// a slow trial's excess. All sizes are shares: 0.04 is 4 %.
#[derive(Clone)]
pub struct Drifting {
    /// Standard deviation of the state, which is a stationary AR(1) process in the trials.
    pub state: f64,
    /// Correlation of the state between one trial and the next.
    pub correlation: f64,
    /// By how much all trials after some moment are slower.
    pub shift: f64,
    /// Share of runs in which that happens. The moment is uniform over the run's trials.
    pub shifted: f64,
    /// Standard deviation of a trial's own noise.
    pub noise: f64,
    pub tail: Tail,
    /// That of the topology which is compared to the baseline.
    pub compared_tail: Tail,
}

/// Slow trials: how often, and by how much, uniform from the least to the most.
#[derive(Clone, Copy, PartialEq)]
pub struct Tail {
    pub probability: f64,
    pub least: f64,
    pub most: f64,
}

impl Drifting {
    /// See `Machine::slowness`.
    pub fn slowness(&self, heavier: &[bool], random: &mut ChaCha8Rng) -> Vec<f64> {
        let shifted = random.random_bool(self.shifted);
        let moment = random.random_range(0..heavier.len());
        let mut state = self.state * normal_pair(random).0;
        let step = |(trial, heavier): (usize, &bool)| {
            let slowness = state + if shifted && trial >= moment { self.shift.ln_1p() } else { 0.0 };
            let (innovation, noise) = normal_pair(random);
            state = self.correlation * state + self.state * (1.0 - self.correlation.powi(2)).sqrt() * innovation;
            let tail = if *heavier { self.compared_tail } else { self.tail };
            slowness + self.noise * noise + tail.excess(random.random(), random.random())
        };
        heavier.iter().enumerate().map(step).collect()
    }
}

impl Tail {
    /// Of one trial, as a logarithm. `chance` and `place` are uniform in [0, 1).
    fn excess(self, chance: f64, place: f64) -> f64 {
        let size = self.least + (self.most - self.least) * place;
        if chance < self.probability { size.ln_1p() } else { 0.0 }
    }
}

/// Two independent standard normal numbers. Box and Muller, "A note on the generation of random normal deviates", Annals
/// of Mathematical Statistics 29 (1958).
fn normal_pair(random: &mut ChaCha8Rng) -> (f64, f64) {
    let (radius, angle): (f64, f64) = (1.0 - random.random::<f64>(), random.random());
    let (sine, cosine) = (TAU * angle).sin_cos();
    let length = (-2.0 * radius.ln()).sqrt();
    (length * cosine, length * sine)
}

impl fmt::Display for Drifting {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let percent =
            |share: f64| format!("{:.3}", share * 100.0).trim_end_matches('0').trim_end_matches('.').to_owned();
        let tail = |tail: Tail| {
            let [probability, least, most] = [tail.probability, tail.least, tail.most].map(percent);
            format!("{probability} % are slower by {least} to {most} %")
        };
        write!(
            formatter,
            "AR(1) state with a standard deviation of {} % and a correlation of {} between trials; a shift of {} % in \
             {} % of runs; noise of a trial {} %; of the baseline's trials {}, of the other topology's {}",
            percent(self.state),
            self.correlation,
            percent(self.shift),
            percent(self.shifted),
            percent(self.noise),
            tail(self.tail),
            tail(self.compared_tail),
        )
    }
}
