//! Solvers against those of stable-worldmodel, fed the same noise: `tests/golden/solvers.py` says how it was recorded.
//!
//! Upstream is followed but for this: its iCEM divides every sequence of noise by its own deviation, so it is the coloured noise that is
//! injected here; its gradient solver shortens derivatives and chooses its result otherwise (the generator says how), and its projected
//! gradient starts at zero instead of at probabilities.

use burn::prelude::*;
use prevision_core::Space;
use prevision_model::Latents;
use prevision_plan::noise::NoiseSource;
use prevision_plan::score::{Gradients, Rollout, Score, Scores, differentiate};
use prevision_plan::solver::{
    CategoricalCem, CategoricalCemConfig, Cem, CemConfig, Gradient, GradientConfig, Icem, IcemConfig, Mppi, MppiConfig,
    ProjectedGradient, ProjectedGradientConfig, Solution, Solver, SolverContext, StepRule,
};
use serde::Deserialize;

/// What upstream came to.
#[derive(Deserialize)]
struct Golden {
    horizon: usize,
    width: usize,
    samples: usize,
    elites: usize,
    rounds: usize,
    cases: Vec<Case>,
}

/// One plan of one solver.
#[derive(Deserialize)]
struct Case {
    solver: String,
    /// `[a]`, of every step, or `[horizon, a]`.
    target: Vec<f32>,
    waves: bool,
    /// `[samples, horizon, a]` of every iteration.
    noise: Vec<Vec<f32>>,
    /// `[horizon, a]`
    actions: Vec<f32>,
    std: Option<f32>,
    bound: Option<f32>,
    momentum: Option<f64>,
    kept: Option<usize>,
    optimizer: Option<StepRule>,
    rate: Option<f64>,
    samples: Option<usize>,
    steps: Option<usize>,
    clip: Option<f64>,
    deviation: Option<f64>,
    smoothing: Option<f64>,
    /// Of the last round, `[horizon, a]`.
    probabilities: Option<Vec<f32>>,
    /// Where the last step led, `[horizon, a]`.
    relaxed: Option<Vec<f32>>,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("../golden/solvers.json")).unwrap()
}

/// The cost of the generator.
struct Known<'a>(&'a Case);

impl Known<'_> {
    fn costs(&self, actions: Tensor<4>) -> Tensor<2> {
        let [rows, samples, horizon, width] = actions.dims();
        let target = self.0.target.repeat(horizon * width / self.0.target.len());
        let target = Tensor::<4>::from_data(TensorData::new(target, [1, 1, horizon, width]), &Device::flex());
        let away = actions - target;
        let costs = away.clone().square();
        let costs = if self.0.waves { costs * 0.6 + 1.0 - (away * std::f32::consts::TAU).cos() } else { costs };
        costs.sum_dim(3).sum_dim(2).reshape([rows, samples])
    }
}

impl Score for Known<'_> {
    fn device(&self) -> Device {
        Device::flex()
    }

    fn rollout(&self, actions: Tensor<4>) -> Rollout {
        let [rows, samples, horizon, width] = actions.dims();
        let latents = Latents::new(actions.clone().reshape([rows * samples, horizon, 1, width]));
        Rollout { scores: Scores { costs: self.costs(actions), violations: None }, latents }
    }

    fn gradients(&self, actions: Tensor<4>) -> Result<Gradients, String> {
        let found = differentiate(actions, |actions| self.costs(actions));
        let scores = Scores { costs: found.values, violations: None };
        Ok(Gradients { scores, costs: found.gradient.ok_or("no derivatives")?, violations: None })
    }
}

/// What upstream drew, one vector an iteration.
struct Drawn(Vec<Vec<f32>>);

impl NoiseSource for Drawn {
    fn rows(&self) -> usize {
        1
    }

    fn fill(&mut self, _: usize, iteration: usize, out: &mut [f32]) {
        out.copy_from_slice(&self.0[iteration]);
    }

    fn uniform(&mut self, row: usize, iteration: usize, out: &mut [f32]) {
        self.fill(row, iteration, out);
    }
}

impl Golden {
    fn context(&self, space: Space, block: usize, case: &Case) -> SolverContext {
        SolverContext { horizon: self.horizon, space, block, initial_std: case.std.unwrap_or(1.0), deadline: None }
    }

    /// Solves every case of a solver with what `solver` makes for it, and checks the plan; gives the cases and what was found.
    fn check(
        &self,
        name: &str,
        solver: impl Fn(&Case) -> Box<dyn Solver>,
        noise: impl Fn(&Case) -> Vec<Vec<f32>>,
    ) -> Vec<(&Case, Solution)> {
        let cases: Vec<&Case> = self.cases.iter().filter(|case| case.solver == name).collect();
        assert!(!cases.is_empty(), "no case of {name}");
        let solve = |case| {
            let solution = solver(case).solve(&Known(case), None, &mut Drawn(noise(case))).unwrap();
            for (found, expected) in solution.plan.actions.iter().zip(&case.actions) {
                assert!((found - expected).abs() < 1e-4, "{name}: {:?} {:?}", solution.plan.actions, case.actions);
            }
            (case, solution)
        };
        cases.into_iter().map(solve).collect()
    }

    fn vectors(&self, case: &Case) -> SolverContext {
        let space = match case.bound {
            Some(bound) => Space::Box { low: vec![-bound; self.width], high: vec![bound; self.width] },
            None => Space::Unbounded { dim: self.width },
        };
        self.context(space, 1, case)
    }

    /// Blocks of two choices out of three.
    fn choices(&self, case: &Case) -> SolverContext {
        self.context(Space::Discrete { count: 3 }, 2, case)
    }
}

#[test]
fn cem() {
    let golden = golden();
    let keys = CemConfig { samples: golden.samples, elites: golden.elites, iterations: golden.rounds };
    let found = golden.check("cem", |case| Box::new(Cem::new(&golden.vectors(case), keys)), |case| case.noise.clone());
    assert_eq!(found.len(), 2, "one valley and many");
}

#[test]
fn mppi() {
    let golden = golden();
    let keys =
        MppiConfig { samples: golden.samples, elites: golden.elites, iterations: golden.rounds, temperature: 0.7 };
    golden.check("mppi", |case| Box::new(Mppi::new(&golden.vectors(case), keys)), |case| case.noise.clone());
}

#[test]
fn icem_with_noise_that_is_coloured_already() {
    let golden = golden();
    let sequence = golden.horizon * golden.width;
    let solver = |case: &Case| -> Box<dyn Solver> {
        let keys = IcemConfig {
            samples: golden.samples,
            elites: golden.elites,
            iterations: golden.rounds,
            noise_exponent: 0.0,
            keep_elites: case.kept.unwrap(),
            momentum: case.momentum.unwrap(),
        };
        Box::new(Icem::new(&golden.vectors(case), keys))
    };
    // Upstream puts the mean first in every round and the kept elites after it. Here they come first, and the mean after them: where no
    // noise is added.
    let noise = |case: &Case| -> Vec<Vec<f32>> {
        let (kept, rest) = (case.kept.unwrap() * sequence, sequence);
        let arrange =
            |drawn: &Vec<f32>| [&drawn[rest..rest + kept], &vec![0.0; sequence], &drawn[rest + kept..]].concat();
        case.noise.iter().map(arrange).collect()
    };
    golden.check("icem", solver, noise);
}

#[test]
fn gradient() {
    let golden = golden();
    let solver = |case: &Case| -> Box<dyn Solver> {
        let keys = GradientConfig {
            samples: case.samples.unwrap(),
            iterations: case.steps.unwrap(),
            optimizer: case.optimizer.unwrap(),
            learning_rate: case.rate.unwrap(),
            clip: case.clip,
            noise: case.deviation.unwrap(),
        };
        Box::new(Gradient::new(&golden.vectors(case), keys).unwrap())
    };
    let found = golden.check("gradient", solver, |case| case.noise.clone());
    assert_eq!(found.len(), 8);
    assert!(
        found.iter().any(|(case, _)| case.clip.is_some()) && found.iter().any(|(case, _)| case.deviation > Some(0.0))
    );
}

#[test]
fn categorical_cem() {
    let golden = golden();
    let solver = |case: &Case| -> Box<dyn Solver> {
        let keys = CategoricalCemConfig {
            samples: golden.samples,
            elites: golden.elites,
            iterations: case.noise.len(),
            smoothing: case.smoothing.unwrap(),
            momentum: case.momentum.unwrap(),
        };
        Box::new(CategoricalCem::new(&golden.choices(case), keys).unwrap())
    };
    for (case, solution) in golden.check("categorical-cem", solver, |case| case.noise.clone()) {
        let probabilities = case.probabilities.as_ref().unwrap();
        let deviations: f32 = probabilities.iter().map(|p| (p * (1.0 - p)).sqrt()).sum();
        let (expected, last) =
            (deviations / probabilities.len() as f32, solution.searches[0].iterations.last().unwrap());
        assert!((last.spread - expected).abs() < 1e-4, "{last:?} {expected}");
    }
}

#[test]
fn projected_gradient() {
    let golden = golden();
    let solver = |case: &Case, more: usize| -> Box<dyn Solver> {
        let keys = ProjectedGradientConfig {
            samples: 1,
            iterations: case.steps.unwrap() + more,
            learning_rate: 1.0,
            ..ProjectedGradientConfig::default()
        };
        Box::new(ProjectedGradient::new(&golden.choices(case), keys).unwrap())
    };
    let none = |_: &Case| vec![vec![0.0; golden.horizon * 6]];
    for (case, _) in golden.check("projected-gradient", |case| solver(case, 0), none) {
        // One iteration more tells what the place costs that the steps led to.
        let solution = solver(case, 1).solve(&Known(case), None, &mut Drawn(none(case))).unwrap();
        let place = case.relaxed.clone().unwrap();
        let place = Tensor::<4>::from_data(TensorData::new(place, [1, 1, golden.horizon, 6]), &Device::flex());
        let expected: f32 = Known(case).costs(place).into_scalar();
        let found = solution.searches[0].iterations[case.steps.unwrap()].best;
        assert!((found - expected).abs() < 1e-4, "{found} {expected}");
    }
}
