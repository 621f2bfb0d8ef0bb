//! Encodes, and writes what comes out as it comes.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Result;
use burn::tensor::{Device, Tensor};
use prevision_model::parameters::{Entry, TensorWriter};
use prevision_model::pretrained::Pretrained;
use prevision_model::{Pixels, TokenIds, gather_tokens, token_ids};
use serde::Serialize;
use serde_json::json;

use super::given::Given;
use super::ids::Ids;
use crate::Usage;

/// Which tokens are seen, and which are predicted from those.
#[derive(Clone, Debug)]
pub(super) struct Masks {
    pub(super) context: Ids,
    /// `None`: nothing is predicted; features are those of the context.
    pub(super) target: Option<Ids>,
    pub(super) as_transformers: bool,
}

/// What is asked for.
pub(super) struct Wanted {
    /// Empty: the last one, without an axis for it.
    pub(super) layers: Vec<usize>,
    pub(super) masks: Option<Masks>,
}

/// What was done.
#[derive(Serialize)]
pub(super) struct Encoded {
    #[serde(serialize_with = "prevision_storage::path_text::serialize")]
    pub(super) file: PathBuf,
    pub(super) tensors: Vec<super::Tensor>,
    pub(super) windows: usize,
    pub(super) frames_left_out: usize,
    pub(super) seconds: f64,
    pub(super) seconds_per_window: f64,
}

/// Encodes all windows. `progress` is told how many are done, of how many.
pub(super) fn write(
    model: &Pretrained,
    given: Given,
    wanted: &Wanted,
    out: &Path,
    device: &Device,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Encoded> {
    let tensors = tensors(model, &given, wanted)?;
    let entries = tensors.iter().map(|tensor| {
        let name = tensor.name.to_owned();
        let shape = tensor.shape.clone();
        if tensor.name == "video" { Entry::counts(name, shape) } else { Entry::floats(name, shape) }
    });
    if let Some(folder) = out.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let description = describe(model, &given, wanted);
    let mut file = TensorWriter::create_described(out, entries.collect(), Some(&description))?;
    let (mut pooled, mut logits, mut times, mut videos) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (count, frames_left_out) = (given.count, given.frames_left_out);
    let (start, mut done) = (Instant::now(), 0);
    for batch in given.batches {
        let batch = batch?;
        let windows = batch.video.dims()[0];
        let Made { streamed, mean, scores } = encode(model, batch.video, wanted, device);
        file.values(&streamed);
        pooled.extend(mean);
        logits.extend(scores);
        times.extend(batch.times.into_iter().flatten());
        videos.extend(std::iter::repeat_n(batch.number, windows));
        done += windows;
        progress(done, count);
    }
    let seconds = start.elapsed().as_secs_f64();
    for tensor in &tensors[1..] {
        match tensor.name {
            "pooled" => file.values(&pooled),
            "logits" => file.values(&logits),
            "times" => file.values(&times),
            _ => file.counts(&videos),
        }
    }
    file.finish()?;
    let seconds_per_window = seconds / count.max(1) as f64;
    Ok(Encoded { file: out.to_owned(), tensors, windows: count, frames_left_out, seconds, seconds_per_window })
}

/// What the file has, the streamed one first.
fn tensors(model: &Pretrained, given: &Given, wanted: &Wanted) -> Result<Vec<super::Tensor>> {
    let encoder = &model.spec.encoder;
    let [frames, height, width] = given.sizes;
    let all = (frames / encoder.tubelet).max(1) * (height / encoder.patch) * (width / encoder.patch);
    let tensor = |name, shape: &[usize]| super::Tensor { name, shape: shape.to_vec() };
    let prefix = usize::from(encoder.class_token) + encoder.registers;
    let mut tokens = prefix + all;
    if let Some(masks) = &wanted.masks {
        let lists = [("--context-mask", Some(&masks.context)), ("--target-mask", masks.target.as_ref())];
        for (name, ids) in lists {
            if let Some(id) = ids.and_then(|ids| ids.0.iter().find(|id| **id >= all)) {
                return Err(Usage(format!("{name}: id {id}, but a window has {all} tokens, 0 to {}", all - 1)).into());
            }
        }
        tokens = prefix + masks.context.0.len();
        if let Some(target) = &masks.target {
            if model.networks.predictor.is_none() {
                return Err(Usage("--target-mask: the model has no predictor".to_owned()).into());
            }
            if !wanted.layers.is_empty() {
                return Err(Usage("--layers: what is predicted is of the last layer".to_owned()).into());
            }
            return Ok(with_origin(vec![tensor("predicted", &[given.count, target.0.len(), encoder.dim])], given));
        }
    }
    let features: Vec<usize> = match wanted.layers.len() {
        0 => vec![given.count, tokens, encoder.dim],
        layers => vec![given.count, layers, tokens, encoder.dim],
    };
    let mut tensors = vec![tensor("features", &features), tensor("pooled", &[given.count, encoder.dim])];
    // Classes are of all tokens of the last layer.
    if let (Some(classifier), None) = (&model.spec.classifier, &wanted.masks) {
        tensors.push(tensor("logits", &[given.count, classifier.classes]));
    }
    Ok(with_origin(tensors, given))
}

/// With what says where windows are from, if they are of videos.
fn with_origin(mut tensors: Vec<super::Tensor>, given: &Given) -> Vec<super::Tensor> {
    if !given.videos.is_empty() {
        tensors.push(super::Tensor { name: "times", shape: vec![given.count, 2] });
        tensors.push(super::Tensor { name: "video", shape: vec![given.count] });
    }
    tensors
}

/// The description in the file.
fn describe(model: &Pretrained, given: &Given, wanted: &Wanted) -> String {
    let encoder = &model.spec.encoder;
    let [frames, height, width] = given.sizes;
    let grid = [(frames / encoder.tubelet).max(1), height / encoder.patch, width / encoder.patch];
    let described = json!({
        "family": model.spec.family,
        "source": model.spec.source,
        "weights": model.spec.weights,
        "grid": grid,
        "class_token": encoder.class_token,
        "registers": encoder.registers,
        "layers": wanted.layers,
        "labels": model.spec.labels,
        "videos": given.videos,
    });
    described.to_string()
}

/// What is made of some windows.
struct Made {
    /// Of the first tensor of the file.
    streamed: Vec<f32>,
    /// The mean of the tokens of each.
    mean: Vec<f32>,
    /// Logits of the classes.
    scores: Vec<f32>,
}

fn encode(model: &Pretrained, video: Pixels, wanted: &Wanted, device: &Device) -> Made {
    let windows = video.dims()[0];
    let ids = |ids: &Ids| token_ids(&vec![ids.0.clone(); windows], device);
    let depth = model.spec.encoder.depth;
    let Some(masks) = &wanted.masks else {
        return features(model, video, None, None, &wanted.layers);
    };
    let context = ids(&masks.context);
    let Some(target) = &masks.target else {
        let (keep, then) = if masks.as_transformers { (None, Some(&context)) } else { (Some(&context), None) };
        return features(model, video, keep, then, &wanted.layers);
    };
    let grid = model.grid(&video);
    let seen = if masks.as_transformers {
        gather_tokens(model.features(video, None, &[depth]).remove(0).tokens, &context)
    } else {
        model.features(video, Some(&context), &[depth]).remove(0).tokens
    };
    let vector = usize::from(masks.as_transformers);
    let predicted = model.predict(seen, &context, &ids(target), grid, vector);
    let streamed = numbers(predicted.expect("a model with a predictor"));
    Made { streamed, mean: Vec::new(), scores: Vec::new() }
}

/// Features of the tokens in `keep`, or of those in `then` after all were seen.
fn features(
    model: &Pretrained,
    video: Pixels,
    keep: Option<&TokenIds>,
    then: Option<&TokenIds>,
    layers: &[usize],
) -> Made {
    let last = [model.spec.encoder.depth];
    let layers = if layers.is_empty() { &last } else { layers };
    let classifier = model.networks.classifier.as_ref().filter(|_| keep.is_none() && then.is_none());
    // Classes are of the last layer, whichever are asked for.
    let more = classifier.is_some() && layers.last() != last.first();
    let all: Vec<usize> = layers.iter().chain(last.iter().filter(|_| more)).copied().collect();
    let mut found = model.features(video, keep, &all);
    let scores = classifier.zip(found.last()).map(|(it, features)| numbers(it.forward(features.tokens.clone())));
    if more {
        found.pop();
    }
    for features in &mut found {
        if let Some(ids) = then {
            features.tokens = gather_tokens(features.tokens.clone(), ids);
        }
    }
    let mean = found.last().map(|features| numbers(features.tokens.clone().mean_dim(1))).unwrap_or_default();
    let whole = found
        .into_iter()
        .map(|features| Tensor::cat(features.prefix.into_iter().chain([features.tokens]).collect(), 1));
    let streamed = numbers(Tensor::stack::<4>(whole.collect(), 1));
    Made { streamed, mean, scores: scores.unwrap_or_default() }
}

fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_into_vec_as::<f32>().expect("features are floats")
}
