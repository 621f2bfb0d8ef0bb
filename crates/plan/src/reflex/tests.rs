//! Reflexes of models worked by hand.

use std::path::Path;

use burn::prelude::*;
use prevision_core::{Normalise, Space, Spaces};
use prevision_model::{Latents, ModelSpec, ObservationBatch, Past, weights};

use super::*;
use crate::toy_model::Drift;

const SIDE: usize = 4;

/// Latents are pictures of a dot on a grid of 4 x 4 places; an action moves it by one place in any direction.
struct Dots(ModelSpec);

impl Dots {
    fn new() -> Self {
        let spaces = Spaces { action: Some(Space::Unbounded { dim: 2 }), ..Spaces::default() };
        let spec = ModelSpec::of_vectors(&spaces, &Normalise::default(), 1);
        Self(ModelSpec { tokens: SIDE * SIDE, grid: [SIDE, SIDE], ..spec })
    }

    fn picture([row, column]: [usize; 2]) -> Vec<f32> {
        (0..SIDE * SIDE).map(|place| f32::from(u8::from(place == row * SIDE + column))).collect()
    }

    /// From one place towards another in two actions.
    fn plan(episode: u64, from: [usize; 2], to: [usize; 2]) -> PlanRecord {
        let (mut at, mut actions, mut imagined) = (from, Vec::new(), Vec::new());
        for _ in 0..2 {
            for axis in 0..2 {
                let step = (to[axis] as i32 - at[axis] as i32).signum();
                at[axis] = (at[axis] as i32 + step) as usize;
                actions.push(step as f32);
            }
            imagined.extend(Self::picture(at));
        }
        let (present, goal) = (Self::picture(from), Self::picture(to));
        PlanRecord { episode, present, goal, actions, imagined, obstacles: None }
    }
}

impl WorldModel for Dots {
    fn spec(&self) -> &ModelSpec {
        &self.0
    }

    fn device(&self) -> Device {
        Device::flex()
    }

    fn encode(&self, _: &ObservationBatch) -> Latents {
        Latents::new(Tensor::zeros([1, 1, SIDE * SIDE, 1], &self.device()))
    }

    fn imagine(&self, _: &Past, _: Tensor<4>) -> Latents {
        unreachable!("a reflex does not imagine")
    }
}

fn scene(model: &dyn WorldModel, present: &[f32], goal: &[f32]) -> Scene {
    let ModelSpec { tokens, token_width, .. } = *model.spec();
    let rows = present.len() / (tokens * token_width);
    let latents = |values: &[f32]| -> Tensor<3> {
        Tensor::from_data(TensorData::new(values.to_vec(), [rows, tokens, token_width]), &model.device())
    };
    Scene { present: latents(present), goal: Some(latents(goal)), obstacles: None, last_action: None }
}

#[test]
fn a_reflex_of_a_grid_goes_towards_the_goal() {
    let model = Dots::new();
    let places: Vec<[usize; 2]> = (0..SIDE * SIDE).map(|place| [place / SIDE, place % SIDE]).collect();
    let pairs = places.iter().flat_map(|from| places.iter().map(|to| (*from, *to)));
    let plans: Vec<PlanRecord> = pairs.zip(0..).map(|((from, to), episode)| Dots::plan(episode, from, to)).collect();
    let options = DistilOptions { steps: 250, ..DistilOptions::default() };
    let reflex = distil(&model, &plans, &options, &mut |_| {}).unwrap();
    let ReflexError { reflex: wrong, mean, zero } = reflex.spec().error;
    assert!(wrong < 0.4 * mean && wrong < 0.4 * zero, "{:?}", reflex.spec().error);
    let scene = scene(&model, &Dots::picture([0, 0]), &Dots::picture([3, 1]));
    let actions = reflex.propose(&model, &scene, 3).unwrap();
    assert_eq!(actions.len(), 6);
    assert!(actions[0] > 0.5 && actions[1] > 0.5 && actions[2] > 0.5, "{actions:?}");
    assert_eq!(actions[4..], [0.0; 2], "it has learned two steps");
    assert_eq!(reflex.propose(&model, &scene, 1).unwrap(), actions[..2]);
}

/// Plans that go a third of the way in each of three actions.
fn thirds(count: usize) -> Vec<PlanRecord> {
    let plan = |number: usize| {
        let at = |k: usize| ((number * 37 + k * 11) % 19) as f32 / 9.0 - 1.0;
        let (present, goal) = (vec![at(0), at(1)], vec![at(2), at(3)]);
        let step: Vec<f32> = present.iter().zip(&goal).map(|(from, to)| (to - from) / 3.0).collect();
        let after = |count: f32| [present[0] + count * step[0], present[1] + count * step[1]];
        let imagined = [after(1.0), after(2.0), after(3.0)].concat();
        PlanRecord { episode: number as u64 / 2, actions: step.repeat(3), present, goal, imagined, obstacles: None }
    };
    (0..count).map(plan).collect()
}

fn learned(steps: usize, seed: u64) -> Reflex {
    let options = DistilOptions { steps, seed, batch: 32, ..DistilOptions::default() };
    distil(&Drift::new(2), &thirds(64), &options, &mut |_| {}).unwrap()
}

#[test]
fn the_same_plans_and_seed_give_the_same_reflex_and_a_file_holds_it() {
    let model = Drift::new(2);
    let scene = scene(&model, &[0.2, -0.5, 0.0, 0.0], &[-0.7, 0.4, 0.3, 0.0]);
    let reflex = learned(60, 3);
    assert!(reflex.spec().error.reflex < 0.5 * reflex.spec().error.mean, "{:?}", reflex.spec().error);
    let actions = reflex.propose(&model, &scene, 3).unwrap();
    assert_eq!(learned(60, 3).propose(&model, &scene, 3).unwrap(), actions);
    assert_ne!(learned(60, 4).propose(&model, &scene, 3).unwrap(), actions);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("reflex.safetensors");
    reflex.write(&path).unwrap();
    let read = Reflex::read(&path, &model).unwrap();
    assert_eq!((read.spec(), read.propose(&model, &scene, 3).unwrap()), (reflex.spec(), actions));
}

#[test]
fn a_reflex_of_another_model_and_a_broken_file_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("reflex.safetensors");
    let refused = |path: &Path, model: &dyn WorldModel| {
        let message = Reflex::read(path, model).unwrap_err();
        assert!(message.starts_with(&path.display().to_string()), "{message}");
        message
    };
    let reflex = learned(1, 0);
    reflex.write(&path).unwrap();
    let message = refused(&path, &Drift::new(3));
    assert!(message.contains("latents of 1 tokens of 2 numbers, 0 of them static"), "{message}");
    assert!(message.ends_with("it is of another model; distil it anew"), "{message}");
    let message = refused(&path, &Drift::new(2).in_blocks(2));
    assert!(message.contains("blocks of 1 actions, each 2 numbers, the model has blocks of 2 actions"), "{message}");
    let other = Reflex { spec: ReflexSpec { fingerprint: vec![0.5, 0.5], ..reflex.spec.clone() }, ..reflex.clone() };
    other.write(&path).unwrap();
    assert!(refused(&path, &Drift::new(2)).ends_with("its model had other weights; distil it anew"));
    let mut broken = reflex.spec.clone();
    broken.scale.deviation[0] = 0.0;
    Reflex { spec: broken, ..reflex.clone() }.write(&path).unwrap();
    assert!(refused(&path, &Drift::new(2)).ends_with("its parts do not fit together"));
    let mut vast = reflex.spec.clone();
    vast.network.head = usize::MAX / 600;
    Reflex { spec: vast, ..reflex.clone() }.write(&path).unwrap();
    assert!(refused(&path, &Drift::new(2)).ends_with("it has fewer weights than its sizes need"));
    weights::save(&reflex.network, &path).unwrap();
    assert!(refused(&path, &Drift::new(2)).contains("it is no reflex: it does not say what its weights are of"));
    std::fs::write(&path, "nothing of the kind").unwrap();
    refused(&path, &Drift::new(2));
    refused(&folder.path().join("none"), &Drift::new(2));
}

#[test]
fn plans_of_one_episode_are_too_few() {
    let plans: Vec<PlanRecord> = thirds(2);
    let message = distil(&Drift::new(2), &plans, &DistilOptions::default(), &mut |_| {}).unwrap_err();
    assert_eq!(message, "a reflex is learned from plans of two episodes or more, there are plans of 1");
}
