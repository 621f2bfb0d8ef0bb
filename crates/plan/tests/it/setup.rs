//! What does not fit is said.

use prevision_core::Space;
use prevision_core::config::{Part, WeightedParts};
use prevision_model::HeadFlags;
use prevision_plan::{Parts, PlanConfig, setup};

use super::corridor::{Corridor, Exact};
use super::models::{VECTORS, model, rooms, spaces};

fn refused(config: &PlanConfig) -> String {
    let model = model(VECTORS, &spaces(1, 2), &HeadFlags::default());
    let spec = rooms(1)[0].spec().clone();
    setup::policy(config, &Parts::default(), model, &spec).err().unwrap().to_string()
}

#[test]
fn keys_are_named() {
    let costs = |name: &str| WeightedParts::default().with(name, 1);
    let distance = refused(&PlanConfig { costs: costs("distance"), ..PlanConfig::default() });
    assert!(
        distance.starts_with("plan.costs.distance.weight is above 0, but must be 0: this model has no learned"),
        "{distance}"
    );
    let horizon = refused(&PlanConfig { execute: 31, ..PlanConfig::default() });
    assert_eq!(horizon, "plan.execute is 31, but must be 30 (horizon) or less");
    let memory = refused(&PlanConfig { memory: super::remembering(3.0), ..PlanConfig::default() });
    assert!(
        memory.starts_with("plan.memory.obstacles is 3, but must be 0: this model has no learned distance"),
        "{memory}"
    );
    let solver = Part::new("icem").with("samples", 4).with("elites", 4).with("keep_elites", 4);
    let kept = refused(&PlanConfig { solver, ..PlanConfig::default() });
    assert!(kept.starts_with("plan.solver.keep_elites is 4, but must be a number below samples (4)"), "{kept}");
    let unknown = refused(&PlanConfig { costs: costs("latnt"), ..PlanConfig::default() });
    assert!(unknown.contains("plan.costs.latnt: there is no cost `latnt`; did you mean `latent`?"), "{unknown}");
}

#[test]
fn what_is_switched_off_needs_nothing_but_is_read() {
    let model = model(VECTORS, &spaces(1, 2), &HeadFlags::default());
    let spec = rooms(1)[0].spec().clone();
    let with = |text: &str| {
        let config = PlanConfig { costs: toml::from_str(text).unwrap(), ..PlanConfig::default() };
        setup::planner(&config, &Parts::default(), model.clone(), &spec).map(|_| ())
    };
    with("latent = 1\ndistance = 0").unwrap();
    assert!(
        with("latent = 1\ndistance = { weight = 0, step = 3 }").unwrap_err().to_string().contains("distance.steps")
    );
}

#[test]
fn a_model_of_another_world_is_refused() {
    let spec = rooms(1)[0].spec().clone();
    let refused = |spaces| {
        let model = model(VECTORS, &spaces, &HeadFlags::default());
        setup::planner(&PlanConfig::default(), &Parts::default(), model, &spec).err().unwrap().to_string()
    };
    assert_eq!(
        refused(spaces(1, 5)),
        "world two-rooms does not fit the model: its actions are 2 numbers up to norm 2.45, those that the model was trained \
         with are 5 numbers"
    );
    let mut other = spaces(1, 2);
    other.action = Some(Space::Discrete { count: 2 });
    assert!(refused(other).contains("one of 2 choices"));
    let mut other = spaces(1, 2);
    let camera = other.cameras.remove("pixels").unwrap();
    other.cameras.insert("front".to_owned(), camera);
    let message = refused(other);
    assert!(
        message.ends_with("it shows camera pixels 65x65, the model was trained with camera front 65x65"),
        "{message}"
    );
}

#[test]
fn only_bounded_vectors_have_a_largest_norm() {
    let config = PlanConfig { action_norm: Some(1.5), ..PlanConfig::default() };
    let spec = Corridor::rows(1, Corridor::new)[0].spec().clone();
    let message = setup::planner(&config, &Parts::default(), Exact::new(1, false), &spec).err().unwrap().to_string();
    assert_eq!(
        message,
        "plan.action_norm is 1.5, but must be left out: actions of corridor are one of 3 choices and have no largest norm"
    );
}
