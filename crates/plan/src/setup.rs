//! From configuration to a solver, a cost and an environment.

use prevision_env::{EnvOptions, Environment, LayoutChoice, LayoutSplit};
use prevision_model::ActionJepa;
use prevision_train::config::{Collision, CostConfig, Layout, PlanConfig, ReachabilityConfig, SolverConfig};

use crate::cost::{Cost, LatentDistance, LearnedDistance, Reachability, Steps, WeightedSum};
use crate::error::PlanError;
use crate::limit::ActionLimit;
use crate::memory::Memory;
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
pub fn cost(config: &PlanConfig, model: &ActionJepa) -> Result<Box<dyn Cost>, PlanError> {
    let steps = if config.summed { Steps::Summed } else { Steps::Last };
    let head = |key, value: String, otherwise: &str| match &model.heads.distance {
        Some(head) => Ok(head.clone()),
        None => Err(PlanError::Unfit {
            key,
            value,
            expected: format!(
                "this model has no distance head; train with objective.distance.weight above 0, or {otherwise}"
            ),
        }),
    };
    let distance: Box<dyn Cost> = match config.cost {
        CostConfig::Latent => Box::new(LatentDistance { steps }),
        CostConfig::Distance => {
            let head = head("plan.cost", "distance".to_owned(), "plan with \"latent\"")?;
            Box::new(LearnedDistance { head, steps })
        }
    };
    let ReachabilityConfig { weight, steps_per_action, slack } = config.reachability;
    if weight == 0.0 {
        return Ok(distance);
    }
    let head = head("plan.reachability.weight", weight.to_string(), "set it to 0")?;
    let figments = Reachability { head, steps_per_action, slack };
    // What needs all steps comes first: the other then finds them computed.
    Ok(Box::new(WeightedSum { terms: vec![(weight, Box::new(figments)), (1.0, distance)] }))
}

/// Makes the memory of obstacles, if one is configured.
///
/// # Errors
/// If the model has no distance head that knows places.
pub(crate) fn memory(config: &PlanConfig, model: &ActionJepa) -> Result<Option<Memory>, PlanError> {
    if config.memory == 0.0 {
        return Ok(None);
    }
    match model.heads.distance.as_ref().and_then(|head| head.as_field()) {
        Some(head) => Ok(Some(Memory::new(head.clone(), config.memory as f32))),
        None => Err(PlanError::Unfit {
            key: "plan.memory",
            value: config.memory.to_string(),
            expected: "this model has no distance head of kind field; train with model.distance.kind = \"field\" and objective.distance.weight above 0, or set it to 0".to_owned(),
        }),
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
