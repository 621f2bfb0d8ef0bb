//! Costs against values worked by hand and against the learned distance itself.

use std::sync::Arc;

use burn::tensor::Distribution;
use prevision_model::{DistanceFieldConfig, DistanceHead, Latents, StepDistance, StepDistanceConfig};

use super::*;
use crate::constraint::{Constraint, Reachable};
use crate::toy_model::Drift;

fn values(tensor: Tensor<2>) -> Vec<f32> {
    tensor.into_data().try_into_vec_as::<f32>().unwrap()
}

fn assert_close(got: &[f32], expected: &[f32]) {
    let close = got.len() == expected.len() && got.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6);
    assert!(close, "{got:?} instead of {expected:?}");
}

/// Two episodes, one candidate, two steps, two numbers.
fn imagined() -> (Imagined, Scene) {
    let device = Device::flex();
    let latents = Tensor::<4>::from_floats([[[[1.0, 2.0]], [[3.0, 4.0]]], [[[0.0, 0.0]], [[1.0, 1.0]]]], &device);
    let actions = Tensor::<4>::from_floats([[[[3.0, 4.0], [0.0, 0.0]]], [[[1.0, 0.0], [0.0, 2.0]]]], &device);
    let goal = Tensor::<3>::from_floats([[[1.0, 0.0]], [[1.0, 1.0]]], &device);
    let scene =
        Scene { present: Tensor::zeros([2, 1, 2], &device), goal: Some(goal), obstacles: None, last_action: None };
    (Imagined::new(0..2, Latents::new(latents), actions, None), scene)
}

#[test]
fn latent_distance_by_hand() {
    let (imagined, scene) = imagined();
    let cost = |keys| values(LatentDistance::new(keys).prepare(&scene).unwrap().value(&imagined));
    let default = LatentConfig::default();
    assert_eq!(cost(default), [12.0, 1.0]);
    assert_eq!(cost(LatentConfig { steps: Steps::Last, ..default }), [10.0, 0.0]);
    // Squared distances of the steps: 2 and 10, 1 and 0.
    assert_eq!(cost(LatentConfig { discount: 0.5, ..default }), [7.0, 1.0]);
}

#[test]
fn metrics_by_hand() {
    let (imagined, scene) = imagined();
    let cost = |metric, steps, discount| {
        let keys = LatentConfig { metric, steps, discount };
        values(LatentDistance::new(keys).prepare(&scene).unwrap().value(&imagined))
    };
    // Differences of the first episode: (0, 2) and (2, 4); of the second: (-1, -1) and (0, 0).
    assert_eq!(cost(Metric::L1, Steps::Summed, 1.0), [4.0, 1.0]);
    assert_eq!(cost(Metric::L1, Steps::Last, 1.0), [3.0, 0.0]);
    assert_eq!(cost(Metric::L1, Steps::Summed, 0.25), [1.75, 1.0]);
    assert_close(&cost(Metric::L2, Steps::Summed, 1.0), &[2_f32.sqrt() + 10_f32.sqrt(), 1.0]);
    assert_close(&cost(Metric::L2, Steps::Summed, 0.5), &[2_f32.sqrt() + 10_f32.sqrt() / 2.0, 1.0]);
    // Cosines to (1, 0): of (1, 2) and (3, 4); to (1, 1): of (0, 0), which has none, and (1, 1).
    assert_close(&cost(Metric::Cosine, Steps::Last, 1.0), &[0.4, 0.0]);
    assert_close(&cost(Metric::Cosine, Steps::Summed, 1.0), &[1.0 - 1.0 / 5_f32.sqrt() + 0.4, 1.0]);
}

#[test]
fn a_discount_is_of_several_steps() {
    let refused = |keys: LatentConfig| prevision_core::config::Options::validate(&keys).unwrap_err();
    let default = LatentConfig::default();
    assert_eq!(refused(LatentConfig { discount: 0.0, ..default }), "discount is 0, but must be above 0, and 1 or less");
    assert!(refused(LatentConfig { discount: 1.5, ..default }).starts_with("discount is 1.5"));
    let last = LatentConfig { discount: 0.5, steps: Steps::Last, ..default };
    assert_eq!(refused(last), "discount is 0.5, but must be 1 with steps = \"last\", which counts one step alone");
}

#[test]
fn a_chunk_is_compared_with_its_own_goals() {
    let (all, scene) = imagined();
    let latents = Latents::new(all.latents.tokens.narrow(0, 1, 1));
    let second = Imagined::new(1..2, latents, all.actions.narrow(0, 1, 1), None);
    let cost = LatentDistance::new(LatentConfig::default()).prepare(&scene).unwrap();
    assert_eq!(values(cost.value(&second)), [1.0]);
}

#[test]
fn action_norm_by_hand() {
    let (imagined, scene) = imagined();
    assert_eq!(values(ActionNorm.prepare(&scene).unwrap().value(&imagined)), [25.0, 5.0]);
}

fn context(model: Drift) -> CostContext {
    CostContext { model: Arc::new(model) }
}

#[test]
fn smoothness_by_hand() {
    let (imagined, mut scene) = imagined();
    let smoothness = Smoothness::new(&context(Drift::new(2)));
    let value = |scene: &Scene| values(smoothness.prepare(scene).unwrap().value(&imagined));
    assert_eq!(value(&scene), [25.0, 5.0]);
    scene.last_action = Some(Tensor::from_floats([[1.0, 1.0], [1.0, 0.0]], &Device::flex()));
    assert_eq!(value(&scene), [38.0, 5.0]);
}

#[test]
fn smoothness_is_of_raw_actions() {
    let device = Device::flex();
    let actions = Tensor::<4>::from_floats([[[[1.0, 0.0, 3.0, 0.0], [3.0, 0.0, 0.0, 0.0]]]], &device);
    let value = |actions: Tensor<4>, block: usize| {
        let latents = Latents::new(Tensor::zeros([1, actions.dims()[2], 1, 4], &device));
        let imagined = Imagined::new(0..1, latents, actions, None);
        let smoothness = Smoothness::new(&context(Drift::new(4).in_blocks(block)));
        values(smoothness.prepare(&imagined_scene()).unwrap().value(&imagined))
    };
    assert_eq!(value(actions.clone(), 2), [13.0]);
    assert_eq!(value(actions.clone(), 1), [13.0]);
    assert_eq!(value(actions.clone().narrow(2, 0, 1), 2), [4.0]);
    assert_eq!(value(actions.narrow(2, 0, 1), 1), [0.0], "one action alone changes nothing");
}

/// A scene of one episode that nothing is known of.
fn imagined_scene() -> Scene {
    Scene { present: Tensor::zeros([1, 1, 4], &Device::flex()), goal: None, obstacles: None, last_action: None }
}

#[test]
fn inverse_dynamics_must_read_what_was_planned() {
    let (hand, scene) = imagined();
    let context = context(Drift::new(2).with_inverse());
    let cost = built_in_costs().make("plan.costs.x", "inverse-dynamics", &toml::Table::new(), &context).unwrap();
    let cost = cost.prepare(&scene).unwrap();
    // Read: (1, 2) and (2, 2) instead of (3, 4) and (0, 0); (0, 0) and (1, 1) instead of (1, 0) and (0, 2).
    assert_eq!(values(cost.value(&hand)), [8.0, 1.5]);
    let second = Imagined::new(1..2, hand.latents.rows(1, 1), hand.actions.clone().narrow(0, 1, 1), None);
    assert_eq!(values(cost.value(&second)), [1.5], "a chunk begins at its own present");
    let past =
        prevision_model::Past { latents: Latents::new(Tensor::zeros([2, 1, 1, 2], &Device::flex())), actions: None };
    let known = context.model.imagine(&past, hand.actions.clone());
    assert_eq!(values(cost.value(&Imagined::new(0..2, known, hand.actions, None))), [0.0, 0.0]);
}

#[test]
fn readouts_are_compared_with_the_goal_or_a_target() {
    let (imagined, scene) = imagined();
    let cost = |text: &str| {
        let cost = built_in_costs().make("plan.costs.x", "readout", &text.parse().unwrap(), &context(Drift::new(2)));
        values(cost.unwrap().prepare(&scene).unwrap().value(&imagined))
    };
    // Positions, twice the latents: (2, 4) and (6, 8), the goal at (2, 0); (0, 0) and (2, 2), the goal at (2, 2).
    assert_eq!(cost(""), [48.0, 4.0]);
    assert_eq!(cost("target = [0, 0]"), [60.0, 4.0]);
    assert_eq!(cost("target = [0, 0]\nsteps = \"last\"\nmetric = \"l1\""), [7.0, 2.0]);
    assert_eq!(cost("target = [0, 0]\ndiscount = 0.5"), [35.0, 2.0]);
    let refused = |text: &str, width: usize| {
        let context = context(Drift::new(width));
        built_in_costs().make("plan.costs.x", "readout", &text.parse().unwrap(), &context).err().unwrap()
    };
    assert_eq!(
        refused("target = [0.0]", 2),
        "plan.costs.x.target is [0.0], but must be 2 numbers, as many as the readout position has"
    );
    assert!(refused("", 3).starts_with("plan.costs.x.name is position, but must be the name of a readout"));
    assert!(refused("name = \"colour\"", 2).starts_with("plan.costs.x.name is colour, but must be"));
}

/// A metric on latents of 6 numbers, and a model that has it.
fn learned() -> (StepDistance, CostContext) {
    let metric = StepDistanceConfig::default().init(6, &Device::flex());
    let model = Drift::new(6).with_distance(DistanceHead::Embedding(metric.clone()));
    (metric, CostContext { model: Arc::new(model) })
}

/// Two episodes, three candidates, two steps: random latents, `[12, 6]`, and a scene, both of whose ends are `end`, `[2, 6]`.
fn random(deviation: f64) -> (Tensor<2>, Tensor<2>, Scene) {
    let random = |n: usize| Tensor::<2>::random([n, 6], Distribution::Normal(0.0, deviation), &Device::flex());
    let (latents, end) = (random(12), random(2));
    let at = end.clone().unsqueeze_dim(1);
    (latents, end, Scene { present: at.clone(), goal: Some(at), obstacles: None, last_action: None })
}

fn imagine(context: &CostContext, latents: Tensor<2>, steps: Steps) -> Imagined {
    let actions = Tensor::zeros([2, 3, 2, 6], &Device::flex());
    let latents = Latents::new(latents.reshape([6, 2, 1, 6]));
    Imagined::new(0..2, latents, actions, Some((steps, context.model.distance().unwrap())))
}

/// The metric between every latent and the end of its episode, `[2, 3, 2]`.
fn distances(metric: &StepDistance, latents: Tensor<2>, end: Tensor<2>) -> Tensor<3> {
    let end = end.unsqueeze_dim::<3>(1).repeat_dim(1, 6).reshape([12, 6]);
    metric.forward(latents, end).reshape([2, 3, 2])
}

#[test]
fn learned_distance_is_that_of_the_model() {
    let (metric, context) = learned();
    let (latents, goal, scene) = random(1.0);
    let expected = distances(&metric, latents.clone(), goal);
    let last = expected.clone().narrow(2, 1, 1).reshape([2, 3]);
    for (steps, expected) in [(Steps::Summed, expected.sum_dim(2).reshape([2, 3])), (Steps::Last, last)] {
        let cost = LearnedDistance::new(&context, DistanceConfig { steps }).unwrap();
        assert_eq!(Cost::starts(&cost), Some(steps));
        let got = cost.prepare(&scene).unwrap().value(&imagine(&context, latents.clone(), steps));
        for (got, want) in values(got).iter().zip(values(expected)) {
            assert!((got - want).abs() < 1e-4, "{got} {want}");
        }
    }
}

#[test]
fn what_is_read_of_the_last_step_does_not_depend_on_what_others_read() {
    let (_, context) = learned();
    let (latents, _, scene) = random(1.0);
    let (all, last) = (
        imagine(&context, latents.clone(), Steps::Summed).starts(Steps::Last),
        imagine(&context, latents.clone(), Steps::Last).starts(Steps::Last),
    );
    assert_eq!(all.dims()[..3], [2, 3, 1]);
    assert_eq!(values(all.flatten(1, 3)), values(last.flatten(1, 3)));
    let cost = LearnedDistance::new(&context, DistanceConfig { steps: Steps::Last }).unwrap().prepare(&scene).unwrap();
    let [alone, beside] = [Steps::Last, Steps::Summed].map(|steps| imagine(&context, latents.clone(), steps));
    assert_eq!(values(cost.value(&alone)), values(cost.value(&beside)));
}

#[test]
#[should_panic(expected = "without saying so in Cost::starts")]
fn reading_more_than_was_said_panics() {
    let (_, context) = learned();
    imagine(&context, random(1.0).0, Steps::Last).starts(Steps::Summed);
}

#[test]
fn reachability_prices_what_is_too_far() {
    let (metric, context) = learned();
    let (latents, present, scene) = random(5.0);
    let distances = distances(&metric, latents.clone(), present).into_data().try_into_vec_as::<f32>().unwrap();
    let keys = ReachabilityConfig { steps_per_action: 0.5, slack: 0.25 };
    let imagined = imagine(&context, latents, Steps::Summed);
    let got = values(Reachability::new(&context, keys).unwrap().prepare(&scene).unwrap().value(&imagined));
    for (candidate, got) in got.iter().enumerate() {
        let over = |step: usize| (distances[2 * candidate + step] - (0.5 * (step + 1) as f32 + 0.25)).max(0.0);
        assert!((got - over(0) - over(1)).abs() < 1e-3, "{got} {distances:?}");
    }
    assert!(got.iter().any(|cost| *cost > 0.0));
    let violation = Reachable::new(&context, keys).unwrap().prepare(&scene).unwrap().value(&imagined);
    assert_eq!(values(violation), got, "the constraint is violated by the same steps");
}

/// A row of places of one number each, the agent in one of them: enough for the mean token to be that of an empty one.
#[test]
fn obstacles_lengthen_ways_but_not_the_way_out() {
    const PLACES: usize = 40;
    let device = Device::flex();
    device.seed(4);
    let field = DistanceFieldConfig { hidden: 4 }.init([1, PLACES], 0, PLACES, &device);
    let context = CostContext { model: Arc::new(Drift::new(PLACES).with_distance(DistanceHead::Field(field))) };
    let at = |place: usize| {
        let values: Vec<f32> = (0..PLACES).map(|index| if index == place { 20.0 } else { 0.0 }).collect();
        Tensor::<3>::from_data(TensorData::new(values, [1, 1, PLACES]), &device)
    };
    let value = |name: &str, present: usize, goal: usize, there: usize, obstacle: Option<usize>| {
        let obstacles: Vec<f32> = (0..PLACES).map(|place| if Some(place) == obstacle { 30.0 } else { 0.0 }).collect();
        let obstacles = obstacle.map(|_| Tensor::from_data(TensorData::new(obstacles, [1, PLACES]), &device));
        let scene = Scene { present: at(present), goal: Some(at(goal)), obstacles, last_action: None };
        let cost = built_in_costs().make("costs", name, &toml::Table::new(), &context).unwrap();
        let latents = Latents::new(at(there).unsqueeze_dim(1));
        let starts = Some((Steps::Summed, context.model.distance().unwrap()));
        let imagined = Imagined::new(0..1, latents, Tensor::zeros([1, 1, 1, 1], &device), starts);
        values(cost.prepare(&scene).unwrap().value(&imagined))[0]
    };
    // The way from 5 to the goal at 1 leads over 3.
    let longer = value("distance", 5, 1, 5, Some(3)) - value("distance", 5, 1, 5, None);
    assert!((20.0..40.0).contains(&longer), "{longer}");
    let nearer = value("distance", 5, 1, 2, Some(3)) - value("distance", 5, 1, 2, None);
    assert!(nearer.abs() < 1.0, "before the obstacle nothing is longer: {nearer}");
    // From 3 itself the obstacle there does not count, from 5 it does.
    let out = value("reachability", 3, 1, 1, Some(3)) - value("reachability", 3, 1, 1, None);
    assert!(out.abs() < 1.0, "the way out became longer by {out}");
    let across = value("reachability", 5, 1, 1, Some(3)) - value("reachability", 5, 1, 1, None);
    assert!(across > 20.0, "from elsewhere it is one: {across}");
}

#[test]
fn a_model_without_a_learned_distance_is_said() {
    let context = CostContext { model: Arc::new(Drift::new(2)) };
    let refused =
        |name: &str| built_in_costs().make("plan.costs.x", name, &toml::Table::new(), &context).err().unwrap();
    for name in ["distance", "reachability"] {
        let message = refused(name);
        assert!(message.starts_with("plan.costs.x.weight is above 0, but must be 0: this model has no"), "{message}");
    }
    let message = refused("inverse-dynamics");
    assert!(message.starts_with("plan.costs.x.weight is above 0, but must be 0: this model has no"), "{message}");
    let message = Reachable::new(&context, ReachabilityConfig::default()).err().unwrap();
    assert!(message.starts_with("slack is 4, but must be left out with its table: this model has no"), "{message}");
}
