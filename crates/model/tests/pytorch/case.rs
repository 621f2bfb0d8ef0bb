//! A network that `networks.py` knows as well, its inputs, and what is compared. Shared by the test and the example `outputs`.

use std::path::Path;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use prevision_core::{Camera, Space, Spaces};
use prevision_model::parameters::{Entry, TensorWriter};
use prevision_model::{ActionJepa, ActionJepaConfig, Distance as _, HeadFlags, MaskPair, MaskedJepa, MaskedJepaConfig};
use serde_json::Value;

/// Clips in a batch of inputs.
const CLIPS: usize = 2;

/// One description of `networks.py`.
pub(crate) struct Case {
    config: Config,
    heads: HeadFlags,
    spaces: Spaces,
}

enum Config {
    Action(ActionJepaConfig),
    Masked(MaskedJepaConfig, MaskPair),
}

/// A network of either kind.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant)] // there is one
pub(crate) enum Network {
    Action(ActionJepa),
    Masked(MaskedJepa),
}

impl Case {
    /// Reads a description.
    ///
    /// # Panics
    /// If it is not one.
    pub(crate) fn new(description: &Value) -> Self {
        let size = |key: &str| description["input"][key].as_u64().expect("a size") as usize;
        let heads = description["heads"].as_array().expect("names of heads");
        let head = |name: &str| heads.iter().any(|head| head == name);
        let lists = |key: &str| serde_json::from_value(description["mask"][key].clone()).expect("lists of tokens");
        let mut keys = description["model"].clone();
        let kind = keys.as_object_mut().and_then(|keys| keys.remove("kind")).expect("a kind of model");
        Self {
            config: if kind == "masked" {
                let mask = MaskPair { context: lists("context"), target: lists("target") };
                Config::Masked(serde_json::from_value(keys).expect("keys of a masked model"), mask)
            } else {
                Config::Action(serde_json::from_value(keys).expect("keys of an action-conditioned model"))
            },
            heads: HeadFlags {
                inverse_dynamics: head("inverse_dynamics"),
                distance: head("distance"),
                position: head("position"),
                levels: false,
            },
            spaces: Spaces {
                frames: size("frames"),
                frame_step: 1,
                cameras: [("pixels".to_owned(), Camera { height: size("height"), width: size("width") })].into(),
                action: Some(Space::Unbounded { dim: size("action_dim") }).filter(|space| space.width() > 0),
                state: Some(size("state_dim")).filter(|width| *width > 0),
                ..Spaces::default()
            },
        }
    }

    /// The network with fresh weights.
    pub(crate) fn network(&self) -> Network {
        let device = Device::flex();
        match &self.config {
            Config::Action(config) => Network::Action(config.init(&self.spaces, &self.heads, &device)),
            Config::Masked(config, _) => Network::Masked(config.init(&self.spaces, &device)),
        }
    }

    /// `[clips, channels, frames, height, width]`
    pub(crate) fn video_shape(&self) -> [usize; 5] {
        let (_, Camera { height, width }) = self.spaces.only_camera().expect("one camera");
        [CLIPS, 3, self.spaces.frames, height, width]
    }

    /// `[clips, frames - 1, action]`
    pub(crate) fn actions_shape(&self) -> [usize; 3] {
        [CLIPS, self.spaces.frames - 1, self.spaces.action_width()]
    }

    /// What the network makes of its inputs.
    pub(crate) fn outputs(&self, network: &Network, video: Tensor<5>, actions: Tensor<3>) -> Outputs {
        match (network, &self.config) {
            (Network::Masked(model), Config::Masked(_, mask)) => masked_outputs(model, mask, video),
            (Network::Action(model), _) => action_outputs(model, video, actions),
            (Network::Masked(_), Config::Action(_)) => panic!("the network of another case"),
        }
    }
}

fn masked_outputs(model: &MaskedJepa, mask: &MaskPair, video: Tensor<5>) -> Outputs {
    let mut outputs = Outputs::default();
    let context = model.encode_context(video.clone(), mask);
    outputs.add("predicted", model.predict(context.clone(), mask));
    outputs.add("context", context);
    outputs.add("targets", model.targets(video));
    outputs
}

fn action_outputs(model: &ActionJepa, video: Tensor<5>, actions: Tensor<3>) -> Outputs {
    let mut outputs = Outputs::default();
    let latents = model.encode(video.clone());
    outputs.add("latents", latents.clone());
    outputs.add("rollout", model.rollout(latents.clone().narrow(1, 0, 2), actions));
    if let Some(target) = &model.target {
        outputs.add("target", target.forward(video));
    }
    let [clips, frames, dim] = latents.dims();
    let frame = |frame: usize| latents.clone().narrow(1, frame, 1).reshape([clips, dim]);
    let all = latents.clone().reshape([clips * frames, dim]);
    if let Some(head) = &model.heads.inverse_dynamics {
        outputs.add("inverse_dynamics", head.forward(frame(0), frame(1)));
    }
    if let Some(head) = &model.heads.distance {
        let starts = head.starts(all.clone().unsqueeze_dim(1));
        let [_, width] = starts.dims();
        let goals = head.goals(frame(frames - 1).unsqueeze_dim(1), None);
        outputs.add("distance", head.between(starts.reshape([clips, frames, width]), goals));
    }
    if let Some(head) = &model.heads.position {
        outputs.add("position", head.forward(all).reshape([clips, frames, 2]));
    }
    outputs
}

/// Named tensors.
#[derive(Default)]
pub(crate) struct Outputs(pub(crate) Vec<(&'static str, Vec<usize>, Tensor<1>)>);

impl Outputs {
    /// Adds one.
    pub(crate) fn add<const D: usize>(&mut self, name: &'static str, tensor: Tensor<D>) {
        let shape = tensor.dims().to_vec();
        self.0.push((name, shape.clone(), tensor.reshape([shape.iter().product::<usize>()])));
    }

    /// Writes them all.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(crate) fn write(self, path: &Path) -> std::io::Result<()> {
        let entries = self.0.iter().map(|(name, shape, _)| Entry::floats((*name).to_owned(), shape.clone())).collect();
        let mut file = TensorWriter::create(path, entries)?;
        for (_, _, tensor) in self.0 {
            file.floats(tensor, false);
        }
        file.finish()
    }
}
