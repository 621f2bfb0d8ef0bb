//! `prevision encode`: features of videos, for other programs.

mod given;
mod ids;
mod latents;
mod model;
mod out;
mod pictures;
mod windows;
mod work;

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::Result;
use prevision_kernels::{Precision, with_precision};

use crate::app::App;
use crate::cli::layers;
use crate::cli::precision::precision;
use crate::cli::progress::Meter;
use crate::features::FeatureTensor;
use crate::{DeviceName, Output, Usage};
use given::Given;
pub(super) use given::npy;
use ids::Ids;
pub(super) use model::bring_in;
use out::{Encoded, Out};
use pictures::{Drawn, PictureArgs, Pictures};
use windows::Windows;
pub(super) use windows::first_window;
use work::{Masks, Wanted};

/// Make features of videos with pretrained weights, for another program
///
/// A video is cut into windows of as many frames as the model was trained on; every window is resized, cut
/// and normalised as the weights' own preprocessing says. Memory does not grow with the length of a video.
///
/// A file .safetensors has the tensors features [windows, tokens, width] (class token and registers first, if
/// the model has them), pooled [windows, width] (the mean of the other tokens), times [windows, 2] (seconds of
/// the first and the last frame) and video [windows] (its number on the command line, from 0). Of a model with
/// a classifier also logits [windows, classes]. Of a world model it has latents [windows, frames, width]
/// instead of features and pooled, with a frame to a window unless --frames says more. A file .npy is the first
/// of these alone; of a .parquet the columns are video, window, start, end, token and features.
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// A file of `prevision import`, or the run folder of a masked or a multi-view model
    model: PathBuf,
    /// Video files, or addresses (s3://…)
    #[arg(required_unless_present = "tensor", conflicts_with = "tensor")]
    videos: Vec<PathBuf>,
    /// File to write, .safetensors, .npy (features alone) or .parquet (a row for each token)
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Frames in a window; default: as many as the model was trained on
    #[arg(long, value_name = "N", conflicts_with = "tensor")]
    frames: Option<usize>,
    /// Take every N-th frame of the video
    #[arg(long, value_name = "N", default_value_t = 1)]
    step: usize,
    /// Taken frames from the begin of one window to that of the next; default: those of a window
    #[arg(long, value_name = "N", conflicts_with = "tensor")]
    stride: Option<usize>,
    /// Features after each of so many blocks: features is then [windows, layers, tokens, width]
    #[arg(long, value_name = "N", value_delimiter = ',')]
    layers: Vec<usize>,
    /// Instead of videos, model input as it is: .npy of float32 [batch, 3, frames, height, width]
    #[arg(long, value_name = "FILE")]
    tensor: Option<PathBuf>,
    /// Ids of the tokens that the encoder sees, such as 0-511,600; or .npy of whole numbers
    #[arg(long, value_name = "IDS")]
    context_mask: Option<Ids>,
    /// Ids of the tokens to predict from those: predicted [windows, tokens, width] instead of features
    #[arg(long, value_name = "IDS", requires = "context_mask")]
    target_mask: Option<Ids>,
    /// Mask as transformers does: the encoder sees the whole clip, what is hidden is mask vector 1
    #[arg(long, requires = "context_mask")]
    as_transformers: bool,
    #[command(flatten)]
    pictures: PictureArgs,
    /// Numbers that products multiply, float32 or bf16; sums are in float32 either way
    #[arg(long, default_value_t, value_parser = precision)]
    precision: Precision,
    #[arg(long, value_enum, default_value_t)]
    device: DeviceName,
    #[command(flatten)]
    output: Output,
}

pub(crate) fn run(app: &App, args: &Args) -> Result<()> {
    let format = app.parts().feature_formats.of_path(&args.out);
    let out = Out { path: &args.out, format: format.map_err(|message| Usage(format!("--out {message}")))? };
    for (name, value) in [("--step", Some(args.step)), ("--frames", args.frames), ("--stride", args.stride)] {
        if value == Some(0) {
            return Err(Usage(format!("{name} is 0, but must be 1 or more")).into());
        }
    }
    let device = args.device.open()?;
    let model = model::open(&args.model, &device)?;
    layers::check(&args.layers, model.spec.encoder.depth)?;
    let mut meter = Meter::new("encode");
    let mut progress = |done: usize, whole: usize| {
        meter.show(done as f64 / whole as f64, || format!("window {done}/{whole}"));
    };
    if let Some(network) = model.action_jepa() {
        args.pictures.none_of_latents()?;
        let encode = || latents::write(&model, &network, args, out, &device, &mut progress);
        let encoded = with_precision(args.precision, encode);
        meter.finish();
        let encoded = encoded?;
        return args.output.give(&encoded, &table(&encoded));
    }
    let frames = args.frames.unwrap_or(model.spec.input.frames);
    let tubelet = model.spec.encoder.tubelet;
    if frames != 1 && !frames.is_multiple_of(tubelet) {
        return Err(Usage(format!(
            "--frames {frames}: expected 1, or a multiple of {tubelet}, the frames of a tubelet"
        ))
        .into());
    }
    let windows = Windows { frames, step: args.step, stride: args.stride.unwrap_or(frames) };
    let given = match &args.tensor {
        Some(file) => Given::tensor(file, &model.spec, &device)?,
        None => Given::videos(&args.videos, windows, &model.spec, &device)?,
    };
    let mut pictures = args.pictures.begin(&args.videos, windows, args.layers.len(), &model.spec)?;
    let masks = args.context_mask.as_ref().map(|context| Masks {
        context: context.clone(),
        target: args.target_mask.clone(),
        as_transformers: args.as_transformers,
    });
    let wanted = Wanted { layers: args.layers.clone(), masks };
    let encoded = with_precision(args.precision, || {
        work::write(&model, given, &wanted, out, pictures.as_mut(), &device, &mut progress)
    });
    meter.finish();
    let mut encoded = encoded?;
    encoded.drawn = pictures.map_or_else(|| Ok(Vec::new()), Pictures::draw)?;
    args.output.give(&encoded, &table(&encoded))
}

fn table(encoded: &Encoded) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    for FeatureTensor { name, shape } in &encoded.tensors {
        let _ = writeln!(text, "{name:<10}  {shape:?}");
    }
    if encoded.frames_left_out > 0 {
        let _ = writeln!(
            text,
            "left out    {} frames at the ends of videos, which fill no window",
            encoded.frames_left_out
        );
    }
    let _ = writeln!(text, "time        {:.2} s, {:.3} s per window", encoded.seconds, encoded.seconds_per_window);
    let _ = write!(text, "file        {}", encoded.file.display());
    for Drawn { file, frames, explained, lowest } in &encoded.drawn {
        let _ = write!(text, "\nvideo       {}, {frames} frames", file.display());
        if let Some([red, green, blue]) = explained.as_deref() {
            let [red, green, blue] = [red, green, blue].map(|share| share * 100.0);
            let _ = write!(text, ": red {red:.1} %, green {green:.1} % and blue {blue:.1} % of the variance");
        }
        if let Some(lowest) = lowest {
            let _ = write!(text, ": cosine from {lowest:.2} (dark) to 1 (bright)");
        }
    }
    text
}
