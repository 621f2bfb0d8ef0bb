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

/// Two episodes, one candidate, two steps, two numbers.
fn imagined() -> (Imagined, Scene) {
    let device = Device::flex();
    let latents = Tensor::<4>::from_floats([[[[1.0, 2.0]], [[3.0, 4.0]]], [[[0.0, 0.0]], [[1.0, 1.0]]]], &device);
    let actions = Tensor::<4>::from_floats([[[[3.0, 4.0], [0.0, 0.0]]], [[[1.0, 0.0], [0.0, 2.0]]]], &device);
    let goal = Tensor::<3>::from_floats([[[1.0, 0.0]], [[1.0, 1.0]]], &device);
    let scene = Scene { present: Tensor::zeros([2, 1, 2], &device), goal: Some(goal), obstacles: None };
    (Imagined::new(0..2, Latents::new(latents), actions, None), scene)
}

#[test]
fn latent_distance_by_hand() {
    let (imagined, scene) = imagined();
    let cost = |steps| LatentDistance::new(LatentConfig { steps }).prepare(&scene).unwrap();
    assert_eq!(values(cost(Steps::Summed).value(&imagined)), [12.0, 1.0]);
    assert_eq!(values(cost(Steps::Last).value(&imagined)), [10.0, 0.0]);
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
    (latents, end, Scene { present: at.clone(), goal: Some(at), obstacles: None })
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
        let scene = Scene { present: at(present), goal: Some(at(goal)), obstacles };
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
    let message = Reachable::new(&context, ReachabilityConfig::default()).err().unwrap();
    assert!(message.starts_with("slack is 4, but must be left out with its table: this model has no"), "{message}");
}
