//! The cross-entropy method whose elites are refined by gradient descent.

use prevision_core::config::Options;
use prevision_core::config::check::check;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::descent::{Descent, StepRule, Stride};
use super::search::{Stopwatch, mean};
use super::tracks::Tracks;
use super::{Gaussian, Sampler, Scored, Solution, Solved, Solver, SolverContext, elites, validate_rounds};
use crate::action_plan::ActionPlan;
use crate::noise::NoiseSource;
use crate::score::Score;
use prevision_env::SearchIteration;

/// Keys of [`CemGradient`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CemGradientConfig {
    /// Sequences in each round. Default 100.
    pub samples: usize,
    /// The cheapest sequences, which are refined, and which the distribution of the next round is then fitted to. Default 10.
    pub elites: usize,
    /// Rounds. Default 5.
    pub iterations: usize,
    /// Steps downhill of each elite in each round. Default 3.
    pub steps: usize,
    /// How derivatives become a step. Default `adam`.
    pub optimizer: StepRule,
    /// Length of a step, in the unit of actions (`sgd`: times the derivative). Default 0.1.
    pub learning_rate: f64,
    /// Largest Euclidean norm of the derivatives of a sequence; longer ones are shortened. Unset: any.
    pub clip: Option<f64>,
}

impl Default for CemGradientConfig {
    fn default() -> Self {
        Self {
            samples: 100,
            elites: 10,
            iterations: 5,
            steps: 3,
            optimizer: StepRule::Adam,
            learning_rate: 0.1,
            clip: None,
        }
    }
}

impl CemGradientConfig {
    fn stride(&self) -> Stride {
        Stride { rule: self.optimizer, learning_rate: self.learning_rate, clip: self.clip }
    }
}

impl Options for CemGradientConfig {
    fn validate(&self) -> Result<(), String> {
        validate_rounds(self.samples, self.elites, 2.0, self.iterations)?;
        check("steps", self.steps as f64).at_least(1.0)?;
        self.stride().validate()
    }
}

/// The cross-entropy method with gradient descent (Bharadhwaj et al. 2020, <https://arxiv.org/abs/2003.10768>, of the elites alone, not
/// of all samples): in every round the elites take a few steps downhill, each keeps the best place on its way, and the distribution of
/// the next round is fitted to those. The mean is the first candidate of every round. Returns the last mean.
#[derive(Clone, Debug)]
pub struct CemGradient {
    sampler: Sampler,
    keys: CemGradientConfig,
}

impl CemGradient {
    /// A solver with these keys.
    ///
    /// # Errors
    /// If actions are choices, between which nothing can step.
    pub fn new(context: &SolverContext, keys: CemGradientConfig) -> Result<Self, String> {
        context.check_vectors("cem-gradient")?;
        Ok(Self { sampler: Sampler::new(context, keys.samples, 0.0), keys })
    }

    /// The elites of all episodes after their steps.
    fn refine(&self, scored: &Scored, rows: usize, score: &dyn Score) -> Result<Tracks, String> {
        let (context, sequence) = (self.sampler.context(), self.sampler.context().sequence());
        let mut chosen = Vec::with_capacity(rows * self.keys.elites * sequence);
        for row in 0..rows {
            let candidates = scored.row(row);
            for index in elites::best(candidates.ranks, self.keys.elites) {
                chosen.extend_from_slice(&candidates.actions[index * sequence..][..sequence]);
            }
        }
        let mut descent = Descent::new(self.keys.stride(), sequence, chosen.len());
        let mut tracks = Tracks::new(context, self.keys.elites, chosen);
        for _ in 0..self.keys.steps {
            let slopes = tracks.slopes(self.name(), score)?;
            descent.step(&mut tracks.actions, slopes.to_better(sequence));
            context.project(&mut tracks.actions);
        }
        tracks.judge(score);
        Ok(tracks)
    }
}

impl Solver for CemGradient {
    fn name(&self) -> &'static str {
        "cem-gradient"
    }

    fn solve(&self, score: &dyn Score, warm_start: Option<&ActionPlan>, noise: &mut dyn NoiseSource) -> Solved {
        let context = self.sampler.context();
        let (rows, sequence) = (noise.rows(), context.sequence());
        let mut watch = Stopwatch::start(context, rows);
        let mut gaussian = Gaussian::start(context, rows, warm_start);
        let all: Vec<usize> = (0..self.keys.elites).collect();
        for iteration in 0..self.keys.iterations {
            let current = gaussian.mean.clone();
            let scored = self.sampler.iterate(&gaussian, iteration, score, noise, |row, candidates| {
                candidates[..sequence].copy_from_slice(&current[row * sequence..][..sequence]);
            });
            let tracks = self.refine(&scored, rows, score)?;
            for row in 0..rows {
                let (refined, worth) = tracks.best(row);
                let range = row * sequence..(row + 1) * sequence;
                let (center, std) = (&mut gaussian.mean[range.clone()], &mut gaussian.std[range]);
                elites::mean_and_std(refined, &all, center, std);
                let costs: Vec<f32> = worth.iter().map(|(cost, _)| *cost).collect();
                let best = tracks.champion(row).1;
                watch.note(row, SearchIteration { best, elites: mean(&costs), spread: mean(std) });
            }
            if watch.ends(iteration + 1 < self.keys.iterations) {
                break;
            }
        }
        Ok(Solution { searches: watch.stop(), ..self.sampler.solution(gaussian.mean, score) })
    }
}

#[cfg(test)]
mod tests {
    use prevision_core::Space;

    use super::*;
    use crate::noise::SeededNoise;
    use crate::solver::toy::{Injected, Quadratic, Waves, one_step, search};
    use crate::solver::{Cem, CemConfig};

    #[test]
    fn one_round_by_hand() {
        // Target 1: the mean 0 costs 1, 2 costs 1, -2 costs 9. One step of a quarter of the derivative halves the way: 0.5 and 1.5.
        let keys = CemGradientConfig {
            samples: 3,
            elites: 2,
            iterations: 1,
            steps: 1,
            optimizer: StepRule::Sgd,
            learning_rate: 0.25,
            clip: None,
        };
        let solver = CemGradient::new(&one_step(1.0), keys).unwrap();
        let mut noise = Injected::new(vec![vec![7.0, 2.0, -2.0]]);
        let solution = solver.solve(&Quadratic::new(&[[1.0]]), None, &mut noise).unwrap();
        assert_eq!(solution.plan.actions, [1.0]);
        let trace = solution.searches[0].iterations[0];
        assert_eq!((trace.best, trace.elites), (0.25, 0.25));
        assert!((trace.spread - 0.5_f32.sqrt()).abs() < 1e-6, "{trace:?}");
        // A step too far is not taken: the elites stay 0 and 2.
        let keys = CemGradientConfig { learning_rate: 3.0, ..keys };
        let solver = CemGradient::new(&one_step(1.0), keys).unwrap();
        let solution = solver.solve(&Quadratic::new(&[[1.0]]), None, &mut noise).unwrap();
        assert_eq!((solution.plan.actions[0], solution.searches[0].iterations[0].elites), (1.0, 1.0));
    }

    #[test]
    fn finds_minima_with_fewer_samples_than_without_gradients() {
        let score = Quadratic::new(&[[0.6, -0.2], [-0.5, 0.3]]);
        let noise = || SeededNoise::new(1, 0, vec![0, 1]);
        let keys =
            CemGradientConfig { samples: 16, elites: 4, iterations: 4, steps: 4, ..CemGradientConfig::default() };
        let refined = CemGradient::new(&search(), keys).unwrap().solve(&score, None, &mut noise()).unwrap().plan;
        // As many rollouts: 16 samples, and 4 elites at 5 places each.
        let keys = CemConfig { samples: 36, elites: 9, iterations: 4 };
        let plain = Cem::new(&search(), keys).solve(&score, None, &mut noise()).unwrap().plan;
        for row in 0..2 {
            assert!(refined.cost[row] < 0.5 * plain.cost[row], "row {row}: {:?} {:?}", refined.cost, plain.cost);
        }
        let context = SolverContext { space: Space::Unbounded { dim: 1 }, ..one_step(2.0) };
        let solver = CemGradient::new(&context, CemGradientConfig::default()).unwrap();
        let plan = solver.solve(&Waves::new(1.5), None, &mut SeededNoise::new(1, 0, vec![0])).unwrap().plan;
        assert!((plan.actions[0] - 1.5).abs() < 1e-2, "{plan:?}");
    }

    #[test]
    fn actions_stay_in_the_space_and_within_constraints() {
        let noise = || SeededNoise::new(1, 0, vec![0]);
        let solve = |context: &SolverContext, score: &Quadratic| {
            let solver = CemGradient::new(context, CemGradientConfig::default()).unwrap();
            solver.solve(score, None, &mut noise()).unwrap().plan
        };
        for action in solve(&search(), &Quadratic::new(&[[30.0, 40.0]])).actions.chunks_exact(2) {
            let norm = action[0].hypot(action[1]);
            assert!(norm <= 2.0 + 1e-5 && norm > 1.8, "{action:?}");
        }
        let plan = solve(&one_step(1.0), &Quadratic::new(&[[1.5]]).bounded(0.5));
        assert!((0.4..=0.5).contains(&plan.actions[0]) && plan.violation == [0.0], "{plan:?}");
    }

    #[test]
    fn keys_out_of_range_are_named() {
        let refused = |keys: CemGradientConfig| keys.validate().unwrap_err();
        let keys = CemGradientConfig::default();
        assert_eq!(refused(CemGradientConfig { steps: 0, ..keys }), "steps is 0, but must be 1 or more");
        assert_eq!(refused(CemGradientConfig { elites: 1, ..keys }), "elites is 1, but must be 2 or more");
        let context = SolverContext { space: Space::Discrete { count: 3 }, ..search() };
        assert!(
            CemGradient::new(&context, keys)
                .unwrap_err()
                .starts_with("kind is cem-gradient, but must be a solver of choices")
        );
    }
}
