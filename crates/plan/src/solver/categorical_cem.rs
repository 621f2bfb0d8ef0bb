//! The cross-entropy method for choices.

use prevision_core::config::Options;
use prevision_core::config::check::check;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::search::{Stopwatch, summary};
use super::{Sampler, Solution, Solved, Solver, SolverContext, elites, validate_rounds};
use crate::action_plan::ActionPlan;
use crate::noise::NoiseSource;
use crate::score::Score;

/// Keys of [`CategoricalCem`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CategoricalCemConfig {
    /// Sequences in each round. Default 200.
    pub samples: usize,
    /// The cheapest sequences, whose frequencies of choices are the probabilities of the next round. Default 20.
    pub elites: usize,
    /// Rounds. Default 10.
    pub iterations: usize,
    /// What is added to the frequency of every choice before they are made to add up to 1 again, so that no choice dies out. Default 0.
    pub smoothing: f64,
    /// Share of the old probabilities in the new ones. Default 0.
    pub momentum: f64,
}

impl Default for CategoricalCemConfig {
    fn default() -> Self {
        Self { samples: 200, elites: 20, iterations: 10, smoothing: 0.0, momentum: 0.0 }
    }
}

impl Options for CategoricalCemConfig {
    fn validate(&self) -> Result<(), String> {
        validate_rounds(self.samples, self.elites, 1.0, self.iterations)?;
        check("smoothing", self.smoothing).at_least(0.0)?;
        check("momentum", self.momentum).at_least(0.0)?.below(1.0)?.done()
    }
}

/// The cross-entropy method over choices (Rubinstein 1999; the settings are those of stable-worldmodel's `CategoricalCEMSolver`): a
/// probability for every choice of every raw action, sequences drawn from them, the frequencies among the elites make the next ones.
/// Probabilities begin even. The most probable sequence is the first candidate of every round; in the first round it is the rest of
/// the plan before. Returns the most probable sequence.
#[derive(Clone, Debug)]
pub struct CategoricalCem {
    sampler: Sampler,
    keys: CategoricalCemConfig,
}

/// Least probability and least uniform number that a logarithm is taken of.
const LEAST: f32 = 1e-10;

impl CategoricalCem {
    /// A solver with these keys.
    ///
    /// # Errors
    /// If actions are no choices.
    pub fn new(context: &SolverContext, keys: CategoricalCemConfig) -> Result<Self, String> {
        context.check_choices("categorical-cem")?;
        Ok(Self { sampler: Sampler::new(context, keys.samples, 0.0), keys })
    }

    /// Draws the sequences of one episode by the Gumbel-max trick: where `log p - log(-log u)` is largest.
    ///
    /// # Shapes
    /// - probabilities: `[horizon, a]`
    /// - candidates: `[samples, horizon, a]`, uniform numbers that become choices
    fn draw(&self, probabilities: &[f32], candidates: &mut [f32]) {
        let logarithms: Vec<f32> = probabilities.iter().map(|p| p.max(LEAST).ln()).collect();
        for candidate in candidates.chunks_exact_mut(logarithms.len()) {
            for (value, logarithm) in candidate.iter_mut().zip(&logarithms) {
                *value = logarithm - (-value.max(LEAST).ln()).ln();
            }
        }
        self.sampler.context().project(candidates);
    }

    /// The probabilities of the next round of one episode, out of its elites.
    fn update(&self, candidates: &[f32], chosen: &[usize], probabilities: &mut [f32]) {
        let choices = self.sampler.context().space.width();
        let weights = vec![1.0 / chosen.len() as f32; chosen.len()];
        let mut frequencies = vec![0.0; probabilities.len()];
        elites::weighted_mean(candidates, chosen, &weights, &mut frequencies);
        let (smoothing, momentum) = (self.keys.smoothing as f32, self.keys.momentum as f32);
        let whole = 1.0 + smoothing * choices as f32;
        for (old, new) in probabilities.iter_mut().zip(frequencies) {
            *old = momentum * *old + (1.0 - momentum) * (new + smoothing) / whole;
        }
    }
}

impl Solver for CategoricalCem {
    fn name(&self) -> &'static str {
        "categorical-cem"
    }

    fn solve(&self, score: &dyn Score, warm_start: Option<&ActionPlan>, noise: &mut dyn NoiseSource) -> Solved {
        let context = self.sampler.context();
        let (rows, sequence, samples) = (noise.rows(), context.sequence(), self.keys.samples);
        let mut watch = Stopwatch::start(context, rows);
        let mut probabilities = vec![1.0 / context.space.width() as f32; rows * sequence];
        let mut likeliest = context.first_plan(rows, warm_start);
        context.project(&mut likeliest);
        for iteration in 0..self.keys.iterations {
            let mut actions = vec![0.0; rows * samples * sequence];
            for (row, candidates) in actions.chunks_exact_mut(samples * sequence).enumerate() {
                noise.uniform(row, iteration, candidates);
                let range = row * sequence..(row + 1) * sequence;
                self.draw(&probabilities[range.clone()], candidates);
                candidates[..sequence].copy_from_slice(&likeliest[range]);
            }
            let scored = self.sampler.judge(actions, score);
            for (row, probabilities) in probabilities.chunks_exact_mut(sequence).enumerate() {
                let candidates = scored.row(row);
                let chosen = elites::best(candidates.ranks, self.keys.elites);
                self.update(candidates.actions, &chosen, probabilities);
                // The deviation of a number that is 1 with probability p and else 0.
                let std: Vec<f32> = probabilities.iter().map(|p| (p * (1.0 - p)).max(0.0).sqrt()).collect();
                watch.note(row, summary(&candidates, &chosen, &std));
            }
            likeliest.copy_from_slice(&probabilities);
            context.project(&mut likeliest);
            if watch.ends(iteration + 1 < self.keys.iterations) {
                break;
            }
        }
        Ok(Solution { searches: watch.stop(), ..self.sampler.solution(likeliest, score) })
    }
}

#[cfg(test)]
mod tests {
    use prevision_core::Space;

    use super::*;
    use crate::noise::SeededNoise;
    use crate::solver::toy::{Injected, Quadratic, search};

    fn choices(horizon: usize) -> SolverContext {
        SolverContext { horizon, space: Space::Discrete { count: 3 }, block: 1, ..search() }
    }

    fn solver(context: &SolverContext, keys: CategoricalCemConfig) -> CategoricalCem {
        CategoricalCem::new(context, keys).unwrap()
    }

    #[test]
    fn one_round_by_hand() {
        // Even probabilities: the choice is where the uniform number is largest. The first candidate is choice 0; the others are 1, 2, 2,
        // of which 2 is the cheapest, at 0.01: both elites.
        let keys = CategoricalCemConfig { samples: 4, elites: 2, iterations: 1, smoothing: 0.5, momentum: 0.25 };
        let uniform = vec![0.9, 0.1, 0.1, 0.2, 0.7, 0.6, 0.1, 0.2, 0.3, 0.5, 0.2, 0.8];
        let score = Quadratic::new(&[[0.0, 0.1, 1.0]]);
        let mut noise = Injected::new(vec![uniform]);
        let solution = solver(&choices(1), keys).solve(&score, None, &mut noise).unwrap();
        assert_eq!(solution.plan.actions, [0.0, 0.0, 1.0]);
        // Frequencies 0, 0, 1; smoothed 0.2, 0.2, 0.6; a quarter of a third beside: 0.2333, 0.2333, 0.5333.
        let trace = solution.searches[0].iterations[0];
        let p = [0.7_f32 / 3.0, 0.7 / 3.0, 1.6 / 3.0];
        let spread = p.iter().map(|p| (p * (1.0 - p)).sqrt()).sum::<f32>() / 3.0;
        assert!((trace.spread - spread).abs() < 1e-6 && (trace.best - 0.01).abs() < 1e-6, "{trace:?}");
    }

    #[test]
    fn draws_by_the_probabilities() {
        let keys = CategoricalCemConfig { samples: 6000, ..CategoricalCemConfig::default() };
        let solver = solver(&choices(1), keys);
        let mut candidates = vec![0.0; 3 * 6000];
        SeededNoise::new(3, 0, vec![0]).uniform(0, 0, &mut candidates);
        solver.draw(&[0.2, 0.0, 0.8], &mut candidates);
        let drawn = |choice: usize| candidates.iter().skip(choice).step_by(3).sum::<f32>() / 6000.0;
        assert!((drawn(0) - 0.2).abs() < 0.02 && drawn(1) == 0.0 && (drawn(2) - 0.8).abs() < 0.02);
    }

    #[test]
    fn finds_the_best_choices_of_blocks() {
        // Two choices a block; the best are 2, then 0, in every step of one episode, and 1, then 1, of the other.
        let score = Quadratic::new(&[[0.0, 0.1, 0.9, 1.0, 0.1, 0.0], [0.0, 1.0, 0.0, 0.2, 1.0, 0.0]]);
        let context = SolverContext { block: 2, ..choices(8) };
        let keys =
            CategoricalCemConfig { samples: 100, elites: 10, smoothing: 0.02, ..CategoricalCemConfig::default() };
        let mut noise = SeededNoise::new(1, 0, vec![0, 1]);
        let plan = solver(&context, keys).solve(&score, None, &mut noise).unwrap().plan;
        assert_eq!(plan.plan(0), [0.0, 0.0, 1.0, 1.0, 0.0, 0.0].repeat(8));
        assert_eq!(plan.plan(1), [0.0, 1.0, 0.0, 0.0, 1.0, 0.0].repeat(8));
    }

    #[test]
    fn the_plan_before_is_a_candidate_and_constraints_hold() {
        let context = choices(8);
        let best = ActionPlan {
            horizon: 8,
            action_width: 3,
            actions: [0.0, 0.0, 1.0].repeat(8),
            cost: vec![9.0],
            violation: vec![0.0],
            kept: 0,
            elites: Vec::new(),
        };
        let keys = CategoricalCemConfig { samples: 2, elites: 1, iterations: 1, ..CategoricalCemConfig::default() };
        let score = Quadratic::new(&[[0.0, 0.0, 1.0]]);
        let mut noise = SeededNoise::new(1, 0, vec![0]);
        let plan = solver(&context, keys).solve(&score, Some(&best), &mut noise).unwrap().plan;
        assert_eq!((plan.actions, plan.cost), (best.actions, vec![0.0]));
        // Choice 0 is the cheapest and forbidden: its number may not be above 0.5.
        let score = Quadratic::new(&[[1.0, 0.4, 0.0]]).bounded(0.5);
        let keys = CategoricalCemConfig { smoothing: 0.02, ..CategoricalCemConfig::default() };
        let plan = solver(&context, keys).solve(&score, None, &mut noise).unwrap().plan;
        assert_eq!((plan.actions, plan.violation), ([0.0, 1.0, 0.0].repeat(8), vec![0.0]));
    }

    #[test]
    fn what_it_cannot_do_is_said() {
        let keys = CategoricalCemConfig::default();
        let message = CategoricalCem::new(&search(), keys).unwrap_err();
        assert_eq!(
            message,
            "kind is categorical-cem, but must be a solver of vectors, such as cem, icem or gradient: actions are 2 numbers up to norm 2"
        );
        let refused = |keys: CategoricalCemConfig| keys.validate().unwrap_err();
        assert_eq!(
            refused(CategoricalCemConfig { smoothing: -0.1, ..keys }),
            "smoothing is -0.1, but must be 0 or more"
        );
        assert_eq!(
            refused(CategoricalCemConfig { momentum: 1.0, ..keys }),
            "momentum is 1, but must be a number below 1"
        );
    }
}
