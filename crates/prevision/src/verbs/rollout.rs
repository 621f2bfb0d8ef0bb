//! `prevision rollout`: what a pretrained world model imagines.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result};
use burn::tensor::{Device, Tensor, TensorData};
use prevision_kernels::{Precision, with_precision};
use prevision_model::ActionJepa;
use prevision_model::parameters::{Entry, TensorWriter};
use prevision_model::pretrained::Pretrained;
use serde::Serialize;
use serde_json::json;

use super::encode::npy;
use super::import::check_file;
use super::seen::{SeenArray, SeenVideo, numbers};
use crate::app::App;
use crate::cli::precision::precision;
use crate::{DeviceName, Output, Usage};

/// Imagine what follows actions, with a pretrained world model, and how far from a goal it ends
///
/// Frames of a video are the past, the last of them the present. Every sequence of actions is imagined from
/// there, latent by latent: action i leaves moment i, of the past or imagined.
///
/// The file has the tensors past [moments, width], imagined [samples, steps, width] (the latents after the
/// present), and with --goal also goal [width] and cost [samples], the squared distance of the last imagined
/// latent to the goal's, summed over its numbers.
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// A file of `prevision import`, of a LeWM
    model: PathBuf,
    /// The video, a file or an address (s3://…)
    #[arg(required_unless_present = "tensor", conflicts_with = "tensor")]
    video: Option<PathBuf>,
    /// Instead of a video, model input as it is: .npy of float32 [frames, 3, height, width]
    #[arg(long, value_name = "FILE")]
    tensor: Option<PathBuf>,
    /// Numbers of the frames that are the past, from 0, the present one last
    #[arg(long, value_name = "N", value_delimiter = ',', default_value = "0")]
    past: Vec<usize>,
    /// .npy of float32 [samples, moments - 1 + steps, numbers of an action]
    #[arg(long, value_name = "FILE")]
    actions: PathBuf,
    /// Number of the frame that shows the goal
    #[arg(long, value_name = "N")]
    goal: Option<usize>,
    /// File to write, .safetensors
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Numbers that products multiply, float32 or bf16; sums are in float32 either way
    #[arg(long, default_value_t, value_parser = precision)]
    precision: Precision,
    #[arg(long, value_enum, default_value_t)]
    device: DeviceName,
    #[command(flatten)]
    output: Output,
}

/// What was imagined.
#[derive(Serialize)]
struct Imagined {
    samples: usize,
    steps: usize,
    width: usize,
    /// The sample that ends nearest to the goal.
    best: Option<Best>,
    seconds_encoding: f64,
    seconds_imagining: f64,
    #[serde(serialize_with = "prevision_storage::path_text::serialize")]
    file: PathBuf,
}

#[derive(Serialize)]
struct Best {
    sample: usize,
    cost: f32,
}

pub(crate) fn run(_: &App, args: &Args) -> Result<()> {
    check_file(&args.out)?;
    let device = args.device.open()?;
    let model = Pretrained::load(&args.model, &device)?;
    let network = model.action_jepa().ok_or_else(|| {
        let (file, family) = (args.model.display(), &model.spec.family);
        Usage(format!("{file}: a {family}, which imagines nothing; expected a world model, such as a LeWM"))
    })?;
    let actions = Actions::read(&args.actions, args.past.len(), network.action_dim())?;
    let imagined = with_precision(args.precision, || imagine(&model, &network, &actions, args, &device))?;
    args.output.give(&imagined, &table(&imagined, args.past.len()))
}

/// Sequences of actions.
struct Actions {
    values: Vec<f32>,
    samples: usize,
    /// Of each sample, those between moments of the past among them.
    length: usize,
    width: usize,
}

impl Actions {
    fn read(path: &Path, past: usize, width: usize) -> Result<Self, Usage> {
        let (shape, values) = npy(path).map_err(Usage)?;
        let wrong = |expected: String| Usage(format!("{}: shape {shape:?}, expected {expected}", path.display()));
        let &[samples, length, found] = shape.as_slice() else {
            return Err(wrong("[samples, steps, numbers of an action]".to_owned()));
        };
        if found != width {
            return Err(wrong(format!("actions of {width} numbers")));
        }
        if samples == 0 || length < past {
            return Err(wrong(format!("a sample or more of {past} actions or more: one leaves each moment of --past")));
        }
        match values.iter().position(|value| !value.is_finite()) {
            Some(place) => {
                let value = values[place];
                Err(Usage(format!("{}: number {place} is {value}, expected finite numbers", path.display())))
            }
            None => Ok(Self { values, samples, length, width }),
        }
    }
}

fn imagine(
    model: &Pretrained,
    network: &ActionJepa,
    actions: &Actions,
    args: &Args,
    device: &Device,
) -> Result<Imagined> {
    let start = Instant::now();
    let moments = args.past.len();
    let wanted: Vec<usize> = args.past.iter().copied().chain(args.goal).collect();
    let mut latents = frames(model, network, args, &wanted, device)?;
    let width = latents.len() / wanted.len();
    let goal = latents.split_off(moments * width);
    let seconds_encoding = start.elapsed().as_secs_f64();
    let start = Instant::now();
    let Actions { samples, length, .. } = *actions;
    let past = Tensor::<3>::from_data(TensorData::new(latents.clone(), [1, moments, width]), device);
    let sequences = TensorData::new(actions.values.clone(), [samples, length, actions.width]);
    let rolled = network.rollout(past.expand([samples, moments, width]), Tensor::<3>::from_data(sequences, device));
    let steps = length + 1 - moments;
    let imagined = numbers(rolled);
    let seconds_imagining = start.elapsed().as_secs_f64();
    let cost: Vec<f32> = if goal.is_empty() { Vec::new() } else { costs(&imagined, &goal, steps) };
    let best = cost.iter().copied().enumerate().min_by(|(_, a), (_, b)| a.total_cmp(b));

    let mut parts = vec![("past", vec![moments, width], latents), ("imagined", vec![samples, steps, width], imagined)];
    if !goal.is_empty() {
        parts.push(("goal", vec![width], goal));
        parts.push(("cost", vec![samples], cost));
    }
    let spec = &model.spec;
    let described = json!({
        "family": spec.family,
        "source": spec.source,
        "weights": spec.weights,
        "seen": args.video.as_ref().or(args.tensor.as_ref()).map(|path| path.display().to_string()),
        "frames": args.past,
        "goal": args.goal,
    });
    if let Some(folder) = args.out.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("{}: cannot be made", folder.display()))?;
    }
    let entries = parts.iter().map(|(name, shape, _)| Entry::floats((*name).to_owned(), shape.clone())).collect();
    let mut file = TensorWriter::create_described(&args.out, entries, Some(&described.to_string()))?;
    for (_, _, values) in &parts {
        file.values(values);
    }
    file.finish()?;
    Ok(Imagined {
        samples,
        steps,
        width,
        best: best.map(|(sample, cost)| Best { sample, cost }),
        seconds_encoding,
        seconds_imagining,
        file: args.out.clone(),
    })
}

/// Latents of these frames, one after the other.
fn frames(
    model: &Pretrained,
    network: &ActionJepa,
    args: &Args,
    wanted: &[usize],
    device: &Device,
) -> Result<Vec<f32>> {
    let check = |path: &Path, length: usize| match wanted.iter().find(|index| **index >= length) {
        Some(index) => Err(Usage(format!("{}: no frame {index}, there are {length}", path.display()))),
        None => Ok(()),
    };
    if let Some(path) = &args.tensor {
        let array = SeenArray::read(path, &model.spec)?;
        check(path, array.len())?;
        return Ok(array.latents(wanted, network, device));
    }
    let path = args.video.as_ref().context("a video or --tensor")?;
    let mut video = SeenVideo::open(path, &model.spec)?;
    check(path, video.len())?;
    video.latents(wanted, network, device)
}

/// The squared distance of each sample's last latent to the goal's, summed over its numbers.
fn costs(imagined: &[f32], goal: &[f32], steps: usize) -> Vec<f32> {
    let last = |sample: &[f32]| {
        let squares = sample[sample.len() - goal.len()..].iter().zip(goal).map(|(a, b)| f64::from(a - b).powi(2));
        squares.sum::<f64>() as f32
    };
    imagined.chunks_exact(steps * goal.len()).map(last).collect()
}

fn table(imagined: &Imagined, moments: usize) -> String {
    let Imagined { samples, steps, width, best, seconds_encoding, seconds_imagining, file } = imagined;
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(text, "past        {moments} x {width}");
    let _ = writeln!(text, "imagined    {samples} samples of {steps} steps");
    if let Some(Best { sample, cost }) = best {
        let _ = writeln!(text, "nearest     sample {sample}, {cost:.4} from the goal");
    }
    let _ = writeln!(text, "time        {seconds_encoding:.3} s encoding, {seconds_imagining:.3} s imagining");
    let _ = write!(text, "file        {}", file.display());
    text
}
