//! `prevision probe`: what small heads read from the features of a frozen encoder.

mod keys;
mod subject;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Result;
use prevision_data::{ClipDataset, DataConfig, Split, in_order};
use prevision_eval::EvalError;
use prevision_eval::probing::{ProbeHead, ProbeOptions, ProbeTask, Subject, TaskResults, probe_task};
use serde::Serialize;

use crate::app::{App, Parts};
use crate::cli::progress::{Meter, duration};
use crate::{DeviceName, Output, Usage};
use keys::Keys;
use subject::Opened;

/// Measure what small heads read from the features of a frozen encoder
///
/// The encoder runs once over every clip. Heads learn from its features, from those of the same network with
/// random weights and from pixel statistics; they are chosen on validation videos and reported on test videos,
/// with 95 % intervals over videos.
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// A run folder, or a file of `prevision import`
    model: PathBuf,
    /// Videos: a folder, a manifest (with labels: path,label), a single one, or a prepared copy
    data: PathBuf,
    /// What to tell, as in speed,order [default: every task that the videos allow]
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    task: Vec<String>,
    /// What tells it, as in linear,knn [default: every head that is registered]
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    head: Vec<String>,
    /// Of a file: features after each of so many blocks, together [default: the last]
    #[arg(long, value_name = "N", value_delimiter = ',')]
    layers: Vec<usize>,
    /// Clips of each video, evenly spread
    #[arg(long, value_name = "N", default_value_t = 4)]
    clips: usize,
    /// Groups of videos that are tested in turn, 1 for a single split [default: 5; from 200 videos on 1]
    #[arg(long, value_name = "N")]
    folds: Option<usize>,
    /// Seed of splits, heads, resampling and the random network
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Most memory for features, in MiB
    #[arg(long, value_name = "N", default_value_t = 4096)]
    memory_mb: usize,
    /// Set a key of data, task or head, as in --set head.attentive.depth=3
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
    #[arg(long, value_enum, default_value_t)]
    device: DeviceName,
    #[command(flatten)]
    output: Output,
}

/// What was found of all tasks.
#[derive(Serialize)]
struct Found {
    #[serde(serialize_with = "prevision_storage::path_text::serialize")]
    model: PathBuf,
    #[serde(serialize_with = "prevision_storage::path_text::serialize")]
    data: PathBuf,
    tasks: Vec<TaskResults>,
    /// Tasks that the videos or the encoder do not allow.
    left_out: Vec<LeftOut>,
    seconds: f64,
}

#[derive(Serialize)]
struct LeftOut {
    task: String,
    reason: String,
}

pub(crate) fn run(app: &App, args: &Args) -> Result<()> {
    let start = Instant::now();
    for (name, value) in [("--clips", Some(args.clips)), ("--folds", args.folds), ("--memory-mb", Some(args.memory_mb))]
    {
        if value == Some(0) {
            return Err(Usage(format!("{name} is 0, but must be 1 or more")).into());
        }
    }
    if args.folds == Some(2) {
        return Err(Usage("--folds is 2, but must be 1, or 3 or more: training, validation and test".to_owned()).into());
    }
    let parts = app.parts();
    let keys = Keys::read(&args.overrides, parts).map_err(Usage)?;
    let heads = keys.heads(&args.head, parts).map_err(Usage)?;
    let names: Vec<&str> = match args.task.as_slice() {
        [] => parts.probe_tasks.names().collect(),
        names => names.iter().map(|name| name.trim()).collect(),
    };
    for name in &names {
        let key = if parts.probe_tasks.place(name).is_some() { format!("task.{name}") } else { "--task".to_owned() };
        parts.probe_tasks.resolve(&key, name, &keys.of_task(name)).map_err(Usage)?;
    }
    let opened = subject::open(args, &keys.data, parts, &args.device.open()?)?;
    let (mut tasks, mut left_out) = (Vec::new(), Vec::new());
    for name in names {
        match one_task(args, parts, &opened, (name, &keys), &heads) {
            Ok(found) => tasks.push(found),
            // What was asked for must be done; what merely does not apply is said.
            Err(Refused::DoesNotApply(reason)) if args.task.is_empty() => {
                left_out.push(LeftOut { task: name.to_owned(), reason });
            }
            Err(Refused::DoesNotApply(reason)) => return Err(Usage(reason).into()),
            Err(Refused::Failed(error)) => return Err(error),
        }
    }
    if tasks.is_empty() {
        let reasons: Vec<String> = left_out.iter().map(|LeftOut { reason, .. }| format!("  {reason}")).collect();
        return Err(Usage(format!("{}: no task applies\n{}", args.data.display(), reasons.join("\n"))).into());
    }
    let seconds = start.elapsed().as_secs_f64();
    let found = Found { model: args.model.clone(), data: args.data.clone(), tasks, left_out, seconds };
    args.output.give(&found, &table(&found))
}

/// Why a task has no results.
enum Refused {
    /// The videos or the encoder do not allow it.
    DoesNotApply(String),
    Failed(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Refused {
    fn from(error: E) -> Self {
        let error = error.into();
        match error.downcast_ref() {
            Some(EvalError::Config(message)) => Self::DoesNotApply(message.clone()),
            _ => Self::Failed(error),
        }
    }
}

fn one_task(
    args: &Args,
    parts: &Parts,
    opened: &Opened,
    (name, keys): (&str, &Keys),
    heads: &[(String, Box<dyn ProbeHead>)],
) -> Result<TaskResults, Refused> {
    let shape = opened.model.shape();
    let task = parts.probe_tasks.make(&format!("task.{name}"), name, &keys.of_task(name), &shape);
    let task = task.map_err(Refused::DoesNotApply)?;
    let dataset = dataset(parts, &opened.data, task.as_ref(), args.seed)?;
    if task.needs_labels() && !first_has_label(dataset.as_ref())? {
        let reason = format!("task {name}: the first video has no label; labels are those of a manifest, path,label");
        return Err(Refused::DoesNotApply(reason));
    }
    let options = ProbeOptions { clips: args.clips, folds: args.folds, memory_mb: args.memory_mb, seed: args.seed };
    let subject = Subject { model: opened.model.as_ref(), random: opened.random.as_ref() };
    let mut meter = Meter::new("probe");
    let mut progress = |what: &str, done: f64| meter.show(done, || what.to_owned());
    let found = probe_task(subject, (name, task.as_ref()), dataset.as_ref(), heads, &options, &mut progress);
    meter.finish();
    Ok(found?)
}

/// All videos, without random transforms, in clips of as many frames as the task takes.
fn dataset(parts: &Parts, data: &DataConfig, task: &dyn ProbeTask, seed: u64) -> Result<Arc<dyn ClipDataset>> {
    let data = DataConfig { frames: task.span(), validation_fraction: 0.0, ..data.clone() };
    let source = data.source(&parts.sources, &parts.formats).map_err(Usage)?;
    Ok(prevision_data::open(&data, source.as_ref(), Split::Train, seed)?)
}

fn first_has_label(dataset: &dyn ClipDataset) -> Result<bool> {
    let first = in_order(dataset, 1).next().transpose()?;
    Ok(first.is_some_and(|batch| batch.clips.iter().any(|clip| clip.label.is_some())))
}

fn table(found: &Found) -> String {
    let mut parts: Vec<String> = found.tasks.iter().map(TaskResults::table).collect();
    parts.extend(found.left_out.iter().map(|LeftOut { task, reason }| {
        let reason = reason.strip_prefix(&format!("task {task}: ")).unwrap_or(reason);
        format!("{task}: left out: {reason}\n")
    }));
    parts.push(format!(
        "model: the frozen encoder; random: the same network, untrained; pixels: statistics of 4 x 4 cells in time;\n\
         intervals: bootstrap over videos; {}\n",
        duration(found.seconds)
    ));
    parts.join("\n")
}
