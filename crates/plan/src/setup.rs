//! From configuration to a solver, a cost and an environment.

use prevision_env::{EnvOptions, Environment, LayoutChoice, LayoutSplit};
use prevision_model::ActionJepa;
use prevision_train::config::{Collision, CostConfig, Layout, PlanConfig, SolverConfig};

use crate::cost::{Cost, LatentDistance, LearnedDistance, Steps};
use crate::error::PlanError;
use crate::limit::ActionLimit;
use crate::solver::{Cem, Icem, Mppi, RandomShooting, Search, Solver};

/// Makes the configured environment; it shows layouts that recordings hold out.
///
/// # Errors
/// If there is no such environment.
pub(crate) fn environment(config: &PlanConfig) -> Result<Box<dyn Environment>, PlanError> {
    let options = EnvOptions {
        layout: match config.layout {
            Layout::Random => LayoutChoice::Random,
            Layout::Fixed => LayoutChoice::Fixed,
        },
        layouts: LayoutSplit::HeldOut,
        collision: match config.collision {
            Collision::Stop => prevision_env::Collision::Stop,
            Collision::Bounce => prevision_env::Collision::Bounce,
        },
    };
    prevision_env::make(&config.environment, &options)
        .map_err(|source| PlanError::Environment { name: config.environment.clone(), source: Box::new(source) })
}

/// Makes the configured cost.
///
/// # Errors
/// If the cost needs a head that the model does not have.
pub(crate) fn cost(config: &PlanConfig, model: &ActionJepa) -> Result<Box<dyn Cost>, PlanError> {
    let steps = if config.summed { Steps::Summed } else { Steps::Last };
    match config.cost {
        CostConfig::Latent => Ok(Box::new(LatentDistance { steps })),
        CostConfig::Distance => match &model.heads.distance {
            Some(head) => Ok(Box::new(LearnedDistance { head: head.clone(), steps })),
            None => Err(PlanError::Unfit {
                key: "plan.cost",
                value: "distance".to_owned(),
                expected: "this model has no distance head; train with objective.distance.weight above 0, or plan with \"latent\"".to_owned(),
            }),
        },
    }
}

/// Makes the configured solver for actions of `action_dim` numbers.
///
/// # Errors
/// If iCEM keeps as many elites as there are samples.
pub(crate) fn solver(config: &PlanConfig, action_dim: usize, limit: ActionLimit) -> Result<Box<dyn Solver>, PlanError> {
    let search = |samples, noise_exponent| Search {
        horizon: config.horizon,
        action_dim,
        samples,
        initial_std: config.initial_std as f32,
        limit,
        noise_exponent,
    };
    Ok(match config.solver {
        SolverConfig::Random { samples } => Box::new(RandomShooting { search: search(samples, 0.0), iterations: 1 }),
        SolverConfig::Cem { samples, elites, iterations } => {
            Box::new(Cem { search: search(samples, 0.0), iterations, elites })
        }
        SolverConfig::Icem { samples, elites, iterations, noise_exponent, keep_elites, momentum } => {
            if keep_elites >= samples {
                return Err(PlanError::Unfit {
                    key: "plan.solver.keep_elites",
                    value: keep_elites.to_string(),
                    expected: format!("fewer than plan.solver.samples = {samples}, to leave room for the mean"),
                });
            }
            let (search, momentum) = (search(samples, noise_exponent), momentum as f32);
            Box::new(Icem { search, iterations, elites, keep: keep_elites, momentum })
        }
        SolverConfig::Mppi { samples, elites, iterations, temperature } => Box::new(Mppi {
            search: search(samples, 0.0),
            iterations,
            elites,
            temperature: temperature as f32,
            update_std: false,
        }),
    })
}
