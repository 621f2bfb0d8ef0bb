//! `prevision surprise`: whether a masked model is surprised by what cannot be.

mod video;

use std::path::PathBuf;

use anyhow::Result;
use prevision_core::FrameBuffer;
use prevision_data::films::FilmSet;
use prevision_data::{DataConfig, DataError};
use prevision_eval::surprise::{SurpriseOptions, SurpriseResults, surprise};

use crate::app::App;
use crate::cli::output::check_writable;
use crate::cli::progress::Meter;
use crate::{DeviceName, Output, TrainedRun, Usage};

/// Measure whether a masked model is surprised by impossible films, beside what their pixels change.
///
/// The model sees the first frames of a window and predicts the rest; its error is the surprise. A film scores
/// the mean of its windows.
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// The run folder of a masked model
    run: PathBuf,
    /// A folder with films.npz and labels.json, or a CSV table with the columns path, group and possible
    films: PathBuf,
    /// Frames of a window that the model sees [default: every multiple of a tubelet up to 5/8 of it]
    #[arg(long, value_delimiter = ',', value_name = "N")]
    contexts: Vec<usize>,
    /// Frames from the begin of one window to that of the next
    #[arg(long, value_name = "N", default_value_t = 2)]
    stride: usize,
    /// Frames from one frame of a window to the next [default: as in training]
    #[arg(long, value_name = "N")]
    step: Option<usize>,
    /// Write a video of matched films, with their surprise over time below
    #[arg(long, value_name = "FILE.mp4")]
    video: Option<PathBuf>,
    /// The matched films that the video shows [default: the first ones]
    #[arg(long, value_name = "NAME", requires = "video")]
    group: Option<String>,
    #[arg(long, value_enum, default_value_t)]
    device: DeviceName,
    #[command(flatten)]
    output: Output,
}

pub(crate) fn run(app: &App, args: &Args) -> Result<()> {
    if let Some(path) = &args.video {
        if path.extension().is_none_or(|extension| extension != "mp4") {
            return Err(Usage(format!("--video {}: expected a name that ends in .mp4", path.display())).into());
        }
        check_writable(path)?;
    }
    let device = args.device.open()?;
    let parts = app.parts();
    let run = TrainedRun::open(&args.run, &[], parts)?;
    let Some(model) = run.load(parts, &device)?.frozen else {
        let kind = &run.experiment.model.kind;
        return Err(Usage(format!("{}: models of kind {kind} cannot be measured", args.run.display())).into());
    };
    let films = FilmSet::open(&args.films)?;
    let shown = shown(&films, args.group.as_deref())?;
    let (_, camera) = model.spaces().only_camera().map_err(Usage)?;
    let size = (camera.width, camera.height);
    let config = data_config(&run.experiment.data, size);
    let read = |film: usize| -> Result<FrameBuffer, DataError> { films.read(film, &config, size) };
    let options = SurpriseOptions {
        contexts: args.contexts.clone(),
        stride: Some(args.stride),
        step: args.step,
        batch_size: run.experiment.eval.batch_size,
    };
    let mut meter = Meter::new("surprise");
    let results = surprise(model.as_ref(), films.films(), &read, &options, run.experiment.seed, &mut |done, total| {
        meter.show(done as f64 / total.max(1) as f64, || format!("{done}/{total} films"));
    });
    meter.finish();
    let results: SurpriseResults = results?;
    if let Some(path) = &args.video {
        let frames = shown.iter().map(|&film| films.read_whole(film)).collect::<Result<Vec<_>, _>>()?;
        let shown: Vec<_> = shown.iter().map(|&film| &results.films[film]).collect();
        video::write(path, &frames, &shown)?;
    }
    args.output.give(&results, &results.table())
}

/// The films of a group, by number, or those of the first one.
fn shown(films: &FilmSet, group: Option<&str>) -> Result<Vec<usize>> {
    let films = films.films();
    let group = group.or_else(|| films.first().map(|film| film.group.as_str())).unwrap_or_default();
    let found: Vec<usize> = (0..films.len()).filter(|&film| films[film].group == group).collect();
    if found.is_empty() {
        let mut names: Vec<&str> = films.iter().map(|film| film.group.as_str()).collect();
        names.dedup();
        let more = if names.len() > 5 { ", …" } else { "" };
        let known = names.iter().take(5).copied().collect::<Vec<_>>().join(", ");
        return Err(Usage(format!("--group {group}: no such group; expected one of {known}{more}")).into());
    }
    Ok(found)
}

/// Frames become what training made of them; without a configured size, the size that the model was trained on.
fn data_config(trained: &DataConfig, (width, height): (usize, usize)) -> DataConfig {
    let mut config = trained.clone();
    if width == height {
        config.size = Some(width);
    }
    config
}
