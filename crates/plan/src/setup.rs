//! From configuration to a planner.

use std::sync::Arc;
use std::time::Duration;

use prevision_core::config::check::{check, message};
use prevision_core::config::{Options, within};
use prevision_core::{Space, Spaces};
use prevision_env::EnvironmentSpec;
use prevision_model::WorldModel;
use toml::Table;

use crate::constraint::{Constraint, Constraints, built_in_constraints};
use crate::cost::{Cost, CostContext, Costs, built_in_costs};
use crate::error::PlanError;
use crate::graph::LatentGraph;
use crate::hierarchy::Strides;
use crate::policy::{
    Adapting, Guided, Hierarchical, LatentPolicy, Met, Planner, PlannerOptions, Proposal, Remembering,
};
use crate::reflex::{Plans, Reflex};
use crate::solver::{Proposed, Solver, SolverContext, Solvers, built_in_solvers};
use crate::{Guardrail, Guardrails, PlanConfig};

/// Bytes in a mebibyte.
const MEBIBYTE: f64 = 1_048_576.0;

/// The parts that a configuration can name.
#[derive(Clone)]
pub struct Parts {
    /// `[plan.solver]`
    pub solvers: Solvers,
    /// `[plan.costs]`
    pub costs: Costs,
    /// `[plan.constraints]`
    pub constraints: Constraints,
}

impl Default for Parts {
    /// The built-in parts.
    fn default() -> Self {
        Self { solvers: built_in_solvers(), costs: built_in_costs(), constraints: built_in_constraints() }
    }
}

/// Samples are drawn at least this share of `plan.initial_std` wide, however right a reflex is.
const LEAST_STD: f32 = 1e-3;

/// What a planner is given beside its configuration.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// The reflex that `plan.reflex.file` names.
    pub reflex: Option<Arc<Reflex>>,
    /// Where its plans are to be kept.
    pub plans: Option<Plans>,
}

/// Makes the configured policy: a planner, whose model is adapted if that is configured, with the memories around it that are.
///
/// # Errors
/// As [`planner`], if the model is to be adapted and cannot be, and if obstacles are to be remembered and the model has no learned distance
/// that knows places.
pub fn policy(
    config: &PlanConfig,
    parts: &Parts,
    model: Arc<dyn WorldModel>,
    spec: &EnvironmentSpec,
) -> Result<Box<dyn LatentPolicy>, PlanError> {
    policy_given(config, parts, model, spec, Given::default())
}

/// As [`policy`], with a reflex, or with plans that are kept.
///
/// # Errors
/// As [`policy`], and if the reflex does not fit the plans.
pub fn policy_given(
    config: &PlanConfig,
    parts: &Parts,
    model: Arc<dyn WorldModel>,
    spec: &EnvironmentSpec,
    given: Given,
) -> Result<Box<dyn LatentPolicy>, PlanError> {
    let planner = adapting(config, planner_given(config, parts, Arc::clone(&model), spec, given)?)?;
    let price = config.memory.obstacles;
    if price == 0.0 {
        return Ok(planner);
    }
    let policy = Remembering::new(planner, model, price as f32).map_err(|cause| {
        let allowed = format!("0: {cause}; train with model.distance.kind = \"field\" and objective.distance above 0");
        PlanError::Config(message("plan.memory.obstacles", price, allowed))
    })?;
    Ok(Box::new(policy))
}

/// Puts the slower models of a hierarchy around a policy: `levels` levels in all, of which it is the first.
///
/// # Errors
/// If the model has fewer levels, and as [`planner`].
pub fn hierarchical(
    config: &PlanConfig,
    policy: Box<dyn LatentPolicy>,
    model: Arc<dyn WorldModel>,
    spec: &EnvironmentSpec,
    levels: usize,
) -> Result<Box<dyn LatentPolicy>, PlanError> {
    if levels == 1 {
        return Ok(policy);
    }
    let spaces = &model.spec().spaces;
    let space = fit(spaces, &spec.spaces).map_err(|message| PlanError::Unfit { world: spec.name.clone(), message })?;
    let (space, block) = (bounded(space, config.action_norm, &spec.name)?, spaces.frame_step.max(1));
    let strides = |stride| Strides::new(space.clone(), block, stride);
    let hierarchical = Hierarchical::new(policy, model, levels, config.hierarchy.clone(), strides);
    Ok(Box::new(within("plan.hierarchy", hierarchical).map_err(PlanError::Config)?))
}

/// Lets the model of a planner be adapted, if that is configured.
fn adapting(config: &PlanConfig, planner: Planner) -> Result<Box<dyn LatentPolicy>, PlanError> {
    let rate = config.adaptation.rate;
    if rate == 0.0 {
        return Ok(Box::new(planner));
    }
    let adapting = Adapting::new(planner, rate);
    let adapting =
        adapting.map_err(|cause| PlanError::Config(message("plan.adaptation.rate", rate, format!("0: {cause}"))))?;
    Ok(Box::new(adapting))
}

/// Puts the memory of places around a policy, and gives what the episodes will have met.
pub fn guided(config: &PlanConfig, policy: Box<dyn LatentPolicy>, graph: LatentGraph) -> (Box<dyn LatentPolicy>, Met) {
    let mut graph = graph;
    if let Some(price) = config.memory.backwards {
        graph.go_backwards(price as f32);
    }
    let guided = Guided::new(policy, graph, config.memory.guided(config.horizon, config.execute));
    let met = guided.met();
    (Box::new(guided), met)
}

/// Makes the configured planner for a model and worlds of this kind.
///
/// # Errors
/// The key at fault, if a value is not allowed or a part does not exist or does not fit the model; and if the world does not fit the
/// model.
pub fn planner(
    config: &PlanConfig,
    parts: &Parts,
    model: Arc<dyn WorldModel>,
    spec: &EnvironmentSpec,
) -> Result<Planner, PlanError> {
    planner_given(config, parts, model, spec, Given::default())
}

fn planner_given(
    config: &PlanConfig,
    parts: &Parts,
    model: Arc<dyn WorldModel>,
    spec: &EnvironmentSpec,
    given: Given,
) -> Result<Planner, PlanError> {
    within("plan", config.validate()).map_err(PlanError::Config)?;
    let unfit = |message| PlanError::Unfit { world: spec.name.clone(), message };
    let spaces = &model.spec().spaces;
    let space = fit(spaces, &spec.spaces).map_err(unfit)?;
    let mut context = SolverContext {
        horizon: config.horizon,
        space: bounded(space, config.action_norm, &spec.name)?,
        block: spaces.frame_step.max(1),
        initial_std: config.initial_std as f32,
        deadline: config.deadline_ms.map(|milliseconds| Duration::from_secs_f64(milliseconds / 1000.0)),
    };
    if let Some(reflex) = &given.reflex {
        let wrong = config.reflex.std.map_or(reflex.spec().error.reflex, |std| std as f32);
        context.initial_std = wrong.clamp(LEAST_STD * context.initial_std, context.initial_std);
    }
    let solver = parts.solvers.make("plan.solver", &config.solver.kind, &config.solver.keys, &context);
    let mut solver = solver.map_err(PlanError::Config)?;
    let proposal = proposal(config, &model, given.reflex, &context, &mut solver).map_err(PlanError::Config)?;
    let (costs, constraints) = criteria(config, parts, &model).map_err(PlanError::Config)?;
    let memory_bytes = config.memory_mb.map(|mebibytes| (mebibytes * MEBIBYTE) as usize);
    // A reflex alone follows what it proposes, whatever it proposed before.
    let warm_start = config.warm_start && !config.reflex.alone;
    let options = PlannerOptions { execute: config.execute, warm_start, memory_bytes };
    let mut planner = Planner::new(model, solver, costs, constraints, options);
    if let Some(proposal) = proposal {
        planner = planner.with_proposal(proposal);
    }
    Ok(match given.plans {
        Some(plans) => planner.with_plans(plans),
        None => planner,
    })
}

/// What proposes plans, if a reflex is given; one that acts alone takes the place of the solver.
fn proposal(
    config: &PlanConfig,
    model: &Arc<dyn WorldModel>,
    reflex: Option<Arc<Reflex>>,
    context: &SolverContext,
    solver: &mut Box<dyn Solver>,
) -> Result<Option<Proposal>, String> {
    let Some(reflex) = reflex else {
        let Some(file) = &config.reflex.file else { return Ok(None) };
        return Err(message("plan.reflex.file", file.display(), "unset where no reflex is given"));
    };
    reflex.spec().check(model.as_ref()).map_err(|message| format!("plan.reflex.file: {message}"))?;
    let mut name = format!("reflex-{}", solver.name());
    if config.reflex.alone {
        let known = reflex.spec().horizon();
        check("plan.execute", config.execute as f64).at_most(known as f64, "the steps that the reflex has learned")?;
        (*solver, name) = (Box::new(Proposed::new(context)), "reflex".to_owned());
    }
    Ok(Some(Proposal::new(reflex, context, name)))
}

type Made = (Vec<(f64, Box<dyn Cost>)>, Vec<Box<dyn Constraint>>);

fn criteria(config: &PlanConfig, parts: &Parts, model: &Arc<dyn WorldModel>) -> Result<Made, String> {
    let context = CostContext { model: Arc::clone(model) };
    let mut costs = Vec::new();
    for (name, weight, keys) in config.cost_entries()? {
        let key = format!("plan.costs.{name}");
        // What is switched off is not made, but its keys are checked.
        parts.costs.resolve(&key, &name, &keys)?;
        if weight > 0.0 {
            costs.push((weight, parts.costs.make(&key, &name, &keys, &context)?));
        }
    }
    let constraints = constraints(config, parts, model)?.into_iter();
    Ok((costs, constraints.filter(|rail| rail.enforced).map(|rail| rail.constraint).collect()))
}

/// The configured constraints, those that plans need not satisfy among them.
fn constraints(config: &PlanConfig, parts: &Parts, model: &Arc<dyn WorldModel>) -> Result<Vec<Guardrail>, String> {
    let context = CostContext { model: Arc::clone(model) };
    let make = |(name, enforced, keys): (String, bool, Table)| {
        let constraint = parts.constraints.make(&format!("plan.constraints.{name}"), &name, &keys, &context)?;
        Ok(Guardrail { name, enforced, constraint })
    };
    config.constraint_entries()?.into_iter().map(make).collect()
}

/// Makes the configured constraints as judges of what really happens; `None` without any.
///
/// # Errors
/// The key at fault, if a value is not allowed or a constraint does not exist or does not fit the model.
pub fn guardrails(
    config: &PlanConfig,
    parts: &Parts,
    model: &Arc<dyn WorldModel>,
) -> Result<Option<Guardrails>, PlanError> {
    let rails = constraints(config, parts, model).map_err(PlanError::Config)?;
    Ok((!rails.is_empty()).then(|| Guardrails::new(Arc::clone(model), rails)))
}

/// The world's action space, if a model that was trained on `trained` can act in it.
fn fit<'a>(trained: &Spaces, world: &'a Spaces) -> Result<&'a Space, String> {
    let taken = world.action.as_ref().ok_or("it takes no actions")?;
    let known = trained.action.as_ref().ok_or("the model takes no actions")?;
    let discrete = |space: &Space| matches!(space, Space::Discrete { .. });
    if taken.width() != known.width() || discrete(taken) != discrete(known) {
        return Err(format!("its actions are {taken}, those that the model was trained with are {known}"));
    }
    let cameras = trained.cameras.iter().all(|(name, camera)| world.cameras.get(name) == Some(camera));
    let vectors = trained.vectors.iter().all(|(name, width)| world.vectors.get(name) == Some(width));
    if cameras && vectors {
        return Ok(taken);
    }
    Err(format!("it shows {}, the model was trained with {}", world.streams(), trained.streams()))
}

/// The action space with the configured largest norm.
fn bounded(space: &Space, norm: Option<f64>, world: &str) -> Result<Space, PlanError> {
    match (norm, space) {
        (None, _) => Ok(space.clone()),
        (Some(norm), Space::Ball { dim, .. }) => Ok(Space::Ball { dim: *dim, radius: norm as f32 }),
        (Some(norm), other) => {
            let allowed = format!("left out: actions of {world} are {other} and have no largest norm");
            Err(PlanError::Config(message("plan.action_norm", norm, allowed)))
        }
    }
}
