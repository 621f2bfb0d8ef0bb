//! The encoder that is probed, the same network untrained, and how videos are read for both.

use anyhow::Result;
use burn::tensor::Device;
use prevision_data::DataConfig;
use prevision_eval::probing::{FileEncoder, FrozenEncoder, ModelEncoder};
use prevision_model::pretrained::{Input, Pretrained, ResizeTo};
use prevision_train::drawn;
use toml::Value;

use super::Args;
use crate::app::Parts;
use crate::cli::layers;
use crate::{Experiment, TrainedRun, Usage};

/// What is probed.
pub(super) struct Opened {
    pub(super) model: Box<dyn FrozenEncoder>,
    /// The same network with fresh weights of another seed.
    pub(super) random: Box<dyn FrozenEncoder>,
    /// How videos are read.
    pub(super) data: DataConfig,
}

/// Opens a run folder or a file of pretrained weights. `overrides` are of `data`.
pub(super) fn open(args: &Args, overrides: &[String], parts: &Parts, device: &Device) -> Result<Opened> {
    let Some(path) = args.data.to_str() else {
        return Err(Usage(format!("{}: the name is no UTF-8", args.data.display())).into());
    };
    let overrides = with_source(path, overrides);
    let opened = if args.model.is_dir() { of_run } else { of_file };
    opened(args, &overrides, parts, device)
}

/// The videos as the source, unless another kind is named, which is given their path then.
fn with_source(data: &str, overrides: &[String]) -> Vec<String> {
    let names_kind = overrides.iter().any(|text| text.trim_start().starts_with("data.source.kind"));
    let kind = (!names_kind).then(|| "data.source.kind=videos".to_owned());
    let path = format!("data.source.path={}", Value::String(data.to_owned()));
    kind.into_iter().chain([path]).chain(overrides.iter().cloned()).collect()
}

fn of_run(args: &Args, overrides: &[String], parts: &Parts, device: &Device) -> Result<Opened> {
    if !args.layers.is_empty() {
        let message = "--layers: the features of a run are what its predictions aim at; for those of other layers make a file of it, \
                       prevision import RUN --out FILE";
        return Err(Usage(message.to_owned()).into());
    }
    let run = TrainedRun::open(&args.model, overrides, parts)?;
    let experiment = &run.experiment;
    let Some(model) = run.load(parts, device)?.frozen else { return Err(not_measurable(args, experiment)) };
    // Never the weights that training began with.
    let seed = experiment.seed.wrapping_add(args.seed).wrapping_add(1);
    let task = experiment.task(parts).map_err(Usage)?;
    let untrained = task.untrained(model.spaces(), model.normalise(), seed, device).map_err(Usage)?;
    let Some(random) = untrained.frozen else { return Err(not_measurable(args, experiment)) };
    let data = experiment.data.clone();
    if data.frames != model.spaces().frames {
        let (given, trained) = (data.frames, model.spaces().frames);
        return Err(Usage(format!("data.frames is {given}, but must be {trained}, as in training")).into());
    }
    Ok(Opened { model: Box::new(ModelEncoder(model)), random: Box::new(ModelEncoder(random)), data })
}

fn not_measurable(args: &Args, experiment: &Experiment) -> anyhow::Error {
    let (path, kind) = (args.model.display(), &experiment.model.kind);
    Usage(format!("{path}: models of kind {kind} cannot be measured")).into()
}

fn of_file(args: &Args, overrides: &[String], parts: &Parts, device: &Device) -> Result<Opened> {
    let model = Pretrained::load(&args.model, device)?;
    layers::check(&args.layers, model.spec.encoder.depth)?;
    let mut overrides = overrides.to_vec();
    overrides.splice(0..0, input(&model.spec.input));
    // Of the experiment only its data are read.
    let data = Experiment::parse("train.steps = 1", &args.model, &overrides, parts)?.data;
    let spec = model.spec.clone();
    let random = drawn(args.seed, device, |cpu| Pretrained::fresh(spec.clone(), cpu).networks);
    let random = Pretrained { spec, networks: random };
    let encoder = |model| FileEncoder::new(model, Some(data.frames), &args.layers, device.clone());
    Ok(Opened { model: Box::new(encoder(model)?), random: Box::new(encoder(random)?), data })
}

/// What pretrained weights expect to see, as keys of `data`.
fn input(input: &Input) -> Vec<String> {
    let mut keys = vec![format!("data.frames={}", input.frames), format!("data.size={}", input.crop)];
    match input.resize.to {
        ResizeTo::Shorter(side) | ResizeTo::Whole(side) => keys.push(format!("data.crop.short_side={side}")),
        ResizeTo::Exactly([rows, columns]) if rows.min(columns) > input.crop => {
            keys.push(format!("data.crop.short_side={}", rows.min(columns)));
        }
        ResizeTo::Exactly(_) => keys.push("data.crop.kind=stretch".to_owned()),
    }
    keys
}
