//! Features of windows, which are written as they come.

use anyhow::Result;
use burn::tensor::{Device, Tensor};
use prevision_model::pretrained::Pretrained;
use prevision_model::{Pixels, TokenIds, gather_tokens, token_ids};
use serde_json::json;

use super::given::Given;
use super::ids::Ids;
use super::out::{Encoded, Out};
use super::pictures::Pictures;
use crate::Usage;
use crate::features::{FeatureContents, FeatureTensor, WindowFeatures};

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

/// Encodes all windows. `progress` is told how many are done, of how many.
pub(super) fn write(
    model: &Pretrained,
    given: Given,
    wanted: &Wanted,
    out: Out<'_>,
    mut pictures: Option<&mut Pictures>,
    device: &Device,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Encoded> {
    let contents =
        FeatureContents { tensors: tensors(model, &given, wanted)?, description: describe(model, &given, wanted) };
    let mut file = out.begin(contents, given.count, given.frames_left_out)?;
    for batch in given.batches {
        let batch = batch?;
        let windows = batch.video.dims()[0];
        let mut made = encode(model, batch.video, wanted, device);
        if !batch.times.is_empty() {
            made.videos = vec![batch.number; windows];
        }
        made.times = batch.times;
        if let Some(pictures) = &mut pictures {
            pictures.keep(&made.features)?;
        }
        progress(file.write(&made, windows)?, given.count);
    }
    file.finish()
}

/// What the file has, the streamed one first.
fn tensors(model: &Pretrained, given: &Given, wanted: &Wanted) -> Result<Vec<FeatureTensor>> {
    let encoder = &model.spec.encoder;
    let [frames, height, width] = given.sizes;
    let all = (frames / encoder.tubelet).max(1) * (height / encoder.patch) * (width / encoder.patch);
    let tensor = FeatureTensor::new;
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
fn with_origin(mut tensors: Vec<FeatureTensor>, given: &Given) -> Vec<FeatureTensor> {
    if !given.videos.is_empty() {
        tensors.push(FeatureTensor::new("times", &[given.count, 2]));
        tensors.push(FeatureTensor::new("video", &[given.count]));
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

fn encode(model: &Pretrained, video: Pixels, wanted: &Wanted, device: &Device) -> WindowFeatures {
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
    let features = numbers(predicted.expect("a model with a predictor"));
    WindowFeatures { features, ..WindowFeatures::default() }
}

/// Features of the tokens in `keep`, or of those in `then` after all were seen.
fn features(
    model: &Pretrained,
    video: Pixels,
    keep: Option<&TokenIds>,
    then: Option<&TokenIds>,
    layers: &[usize],
) -> WindowFeatures {
    let last = [model.spec.encoder.depth];
    let layers = if layers.is_empty() { &last } else { layers };
    let classifier = model.networks.classifier.as_ref().filter(|_| keep.is_none() && then.is_none());
    // Classes are of the last layer, whichever are asked for.
    let more = classifier.is_some() && layers.last() != last.first();
    let all: Vec<usize> = layers.iter().chain(last.iter().filter(|_| more)).copied().collect();
    let mut found = model.features(video, keep, &all);
    let logits = classifier.zip(found.last()).map(|(it, features)| numbers(it.forward(features.tokens.clone())));
    if more {
        found.pop();
    }
    for features in &mut found {
        if let Some(ids) = then {
            features.tokens = gather_tokens(features.tokens.clone(), ids);
        }
    }
    let pooled = found.last().map(|features| numbers(features.tokens.clone().mean_dim(1))).unwrap_or_default();
    let whole = found
        .into_iter()
        .map(|features| Tensor::cat(features.prefix.into_iter().chain([features.tokens]).collect(), 1));
    let features = numbers(Tensor::stack::<4>(whole.collect(), 1));
    WindowFeatures { features, pooled, logits: logits.unwrap_or_default(), ..WindowFeatures::default() }
}

fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_into_vec_as::<f32>().expect("features are floats")
}
