//! Writes what a network computes, for `tests/pytorch/load_run.py` to compare with `PyTorch`:
//! `cargo run --release -p prevision-model --example outputs -- FOLDER`.
//!
//! The folder holds `description.json` and may hold `model.safetensors`, which is written with random weights if it is not there;
//! `inputs.safetensors` and `outputs.safetensors` are written.

#[path = "../tests/pytorch/case.rs"]
mod case;

use std::error::Error;
use std::path::PathBuf;

use burn::tensor::{Device, Distribution, Tensor};
use prevision_model::weights;

use case::{Case, Outputs};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args_os().nth(1).ok_or("which folder?")?);
    let case = Case::new(&serde_json::from_str(&std::fs::read_to_string(folder.join("description.json"))?)?);
    let device = Device::flex();
    device.seed(1);
    let mut network = case.network();
    let file = folder.join("model.safetensors");
    if file.exists() {
        weights::load(&mut network, &file)?;
    } else {
        weights::save(&network, &file)?;
    }
    let noise = Distribution::Normal(0.0, 1.0);
    let video = Tensor::<5>::random(case.video_shape(), noise, &device);
    let actions = Tensor::<3>::random(case.actions_shape(), noise, &device);
    let mut inputs = Outputs::default();
    inputs.add("video", video.clone());
    // Burn takes a length of 0 in a new shape for "as it was", so an empty tensor cannot be flattened.
    if case.actions_shape()[2] > 0 {
        inputs.add("actions", actions.clone());
    }
    inputs.write(&folder.join("inputs.safetensors"))?;
    case.outputs(&network, video, actions).write(&folder.join("outputs.safetensors"))?;
    Ok(())
}
