//! A slower model leads around what the faster one does not know.

use std::sync::Arc;

use prevision_core::config::{Part, WeightedParts};
use prevision_model::WorldModel;
use prevision_plan::graph::{GraphOptions, LatentGraph};
use prevision_plan::hierarchy::HierarchyConfig;
use prevision_plan::{MemoryConfig, Parts, PlanConfig, PlanResults, Rules, setup};

use super::corridor::{Corridor, Exact};
use super::run;

/// The short way to the goal is blocked, and only the slower model knows it.
fn plan(levels: usize, rows: usize) -> PlanResults {
    plan_with(levels, rows, 2, LatentGraph::new(1, 1.0, GRAPH))
}

const GRAPH: GraphOptions = GraphOptions { spacing: 0.5, most: 100 };

/// The same with a memory of what was met, and any cell blocked.
fn plan_with(levels: usize, rows: usize, blocked: usize, met: LatentGraph) -> PlanResults {
    let config = PlanConfig {
        solver: Part::new("cem").with("samples", 100).with("iterations", 3),
        costs: WeightedParts::default().with("distance", 1),
        horizon: 3,
        // From cell 0 to cell 9 is the farthest step in latents, a ninth of it a cell.
        hierarchy: HierarchyConfig { spacing: 0.1, near: 0.05, ..HierarchyConfig::default() },
        memory: MemoryConfig { near: 0.4, patience: 2, ..MemoryConfig::default() },
        ..PlanConfig::default()
    };
    let mut worlds = Corridor::rows(rows, if blocked == 2 { || Corridor::ring(2) } else { || Corridor::ring(0) });
    let (spec, model) = (worlds[0].spec().clone(), Exact::with_strides(blocked));
    let policy = setup::policy(&config, &Parts::default(), Arc::clone(&model) as Arc<dyn WorldModel>, &spec).unwrap();
    let policy = setup::hierarchical(&config, policy, model, &spec, levels).unwrap();
    let mut policy = if met.is_empty() { policy } else { setup::guided(&config, policy, met).0 };
    run(&mut worlds, policy.as_mut(), &Rules { max_steps: Some(14), ..Rules::new(3, 0) }).unwrap()
}

#[test]
fn strides_lead_around_what_single_steps_run_into() {
    let flat = plan(1, 3);
    assert_eq!((flat.successes, flat.policy.as_str()), (0, "planner/cem"));
    let led = plan(2, 3);
    assert_eq!(led.policy, "2-levels/planner/cem");
    // Seven cells, all downwards, and what strides go beside.
    let reached = |step: Option<usize>| step.is_some_and(|step| (7..=9).contains(&step));
    assert!(led.per_episode.iter().all(|trial| reached(trial.first_success_step)), "{:?}", led.per_episode);
}

#[test]
fn slower_models_are_not_asked_where_a_memory_knows_the_way() {
    let mut met = LatentGraph::new(1, 1.0, GRAPH);
    met.add(&[0.0, 9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 3.0], 1.0);
    let both = plan_with(2, 3, 2, met.clone());
    assert_eq!(both.policy, "guided/2-levels/planner/cem");
    assert!(both.per_episode.iter().all(|trial| trial.first_success_step == Some(7)), "{:?}", both.per_episode);
    assert_eq!(both.per_episode, plan_with(1, 3, 2, met).per_episode);
}

#[test]
fn slower_models_lead_where_a_known_way_fails() {
    // What was met is not so any more: the way leads over the blocked cell.
    let mut met = LatentGraph::new(1, 1.0, GRAPH);
    met.add(&[8.0, 9.0, 0.0, 1.0], 1.0);
    assert_eq!(plan_with(1, 3, 0, met.clone()).successes, 0);
    let both = plan_with(2, 3, 0, met);
    assert_eq!(both.successes, 3, "{:?}", both.per_episode);
}

#[test]
fn episodes_do_not_depend_on_each_other() {
    assert_eq!(plan(2, 1).per_episode, plan(2, 3).per_episode);
}

#[test]
fn no_more_levels_than_the_model_has() {
    let worlds = Corridor::rows(1, || Corridor::ring(2));
    let (config, model) = (PlanConfig::default(), Exact::with_strides(2));
    let policy = || {
        setup::policy(&config, &Parts::default(), Arc::clone(&model) as Arc<dyn WorldModel>, worlds[0].spec()).unwrap()
    };
    let of = |levels| {
        setup::hierarchical(&config, policy(), Arc::clone(&model) as Arc<dyn WorldModel>, worlds[0].spec(), levels)
    };
    let message = of(3).err().expect("refused").to_string();
    assert!(message.contains("plan.hierarchy.levels is 3, but must be 2 or less"), "{message}");
    assert!(of(2).is_ok());
    let none =
        PlanConfig { hierarchy: HierarchyConfig { levels: Some(0), ..HierarchyConfig::default() }, ..config.clone() };
    assert!(setup::policy(&none, &Parts::default(), model.clone(), worlds[0].spec()).is_err());
}
