//! One plan of one episode with the model of a shipped experiment, from pixels to actions.

use anyhow::{Context as _, Result};
use burn::tensor::Device;
use prevision_core::config::Part;
use prevision_core::{FrameBuffer, Observations, Space, Spaces};
use prevision_env::{EnvironmentSpec, Goal, Policy as _, Start, TimeStep};
use prevision_plan::{PlanConfig, setup};

use super::step::{two_rooms_experiment, two_rooms_spaces};
use super::work::Work;
use crate::{Parts, Usage};

pub(super) fn plan(device: &Device) -> Result<Work> {
    let (experiment, parts) = (two_rooms_experiment()?, Parts::built_in());
    let task = experiment.task(&parts).map_err(Usage)?;
    let spaces = two_rooms_spaces();
    let fresh = task.untrained(&spaces, &experiment.data.normalise, experiment.seed, device).map_err(Usage)?;
    let model = fresh.world_model.context("experiments/two-rooms plans")?;
    let spec = EnvironmentSpec {
        name: "noise".to_owned(),
        spaces: Spaces { frames: 1, action: Some(Space::Ball { dim: 2, radius: 1.0 }), ..spaces },
        max_steps: 1,
        ..EnvironmentSpec::default()
    };
    let solver = Part::new("cem").with("samples", 300).with("elites", 30).with("iterations", 10);
    let config = PlanConfig { solver, horizon: 5, execute: 1, memory: 0.0, ..experiment.plan };
    let mut planner = setup::planner(&config, &parts.plan, model, &spec)?;
    let first = TimeStep { observations: noise(&spec.spaces, 1), ..TimeStep::default() };
    let goal = Goal { observations: Some(noise(&spec.spaces, 2)), ..Goal::default() };
    let run = move || {
        let start = Start { seed: 0, episode: 0, first: &first, goal: Some(&goal), watched: false };
        let planned = planner.begin(&[start]).and_then(|()| planner.act(&[0], &[&first]));
        drop(planned);
    };
    Ok(Work { run: Box::new(run), flops: None })
}

/// One moment of noise.
fn noise(spaces: &Spaces, seed: u32) -> Observations {
    let mut observations = Observations::default();
    let mut state = seed;
    for (name, camera) in &spaces.cameras {
        let mut frame = FrameBuffer::new(1, camera.height, camera.width);
        frame.data.fill_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        });
        observations.cameras.insert(name.clone(), frame);
    }
    observations
}
