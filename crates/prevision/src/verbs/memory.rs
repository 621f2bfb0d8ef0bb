//! `prevision memory`: the places that a run remembers.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use prevision_core::Observations;
use prevision_data::{EpisodeSource, open_recording};
use prevision_model::{ObservationBatch, WorldModel};
use prevision_plan::MemoryConfig;
use prevision_plan::graph::{LatentGraph, file};
use serde::Serialize;

use crate::app::App;
use crate::cli::progress::Meter;
use crate::{DeviceName, Output, TrainedRun, Usage};

/// Moments that are encoded at once.
const AT_ONCE: usize = 128;
/// The file, if the run's plan.memory.places names none.
const FILE: &str = "memory.safetensors";

/// Show what a run remembers of the places it met, or let it learn from recorded episodes
///
/// `[plan.memory]` says how plans use it: with places = "memory.safetensors" they follow ways that are known.
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// The run folder
    run: PathBuf,
    /// Add what these recorded episodes met; may be repeated
    #[arg(long, value_name = "EPISODES")]
    learn: Vec<PathBuf>,
    /// Add no more than this many episodes of each
    #[arg(long, value_name = "N", requires = "learn")]
    episodes: Option<usize>,
    /// Override a key of the run's [plan.memory], as in --set plan.memory.spacing=2
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
    #[arg(long, value_enum, default_value_t)]
    device: DeviceName,
    #[command(flatten)]
    output: Output,
}

pub(crate) fn run(app: &App, args: &Args) -> Result<()> {
    if let Some(other) = args.overrides.iter().find(|key| !key.starts_with("plan.memory.")) {
        return Err(Usage(format!("--set {other}: only keys of plan.memory are taken here")).into());
    }
    let run = TrainedRun::open(&args.run, &args.overrides, app.parts())?;
    let config = &run.experiment.plan.memory;
    let path = run.folder.root().join(config.places.as_deref().unwrap_or(Path::new(FILE)));
    if !args.learn.is_empty() {
        let Some(model) = run.load(app.parts(), &args.device.open()?)?.world_model else {
            let message = format!("{}: it has no world model, which a memory holds latents of", args.run.display());
            return Err(Usage(message).into());
        };
        for source in &args.learn {
            let (_, source) = open_recording(source, None, &app.parts().formats, super::data::workers(None))?;
            let walks = walks(model.as_ref(), source.as_ref(), args.episodes)?;
            add(&path, config, &walks, model.spec().tokens * model.spec().token_width, 1.0)?;
        }
    }
    let graph = read(&path)?.with_context(|| format!("{}: nothing is remembered yet", path.display()))?;
    let contents = Contents::of(&graph, &path);
    args.output.give(&contents, &table(&contents))
}

/// A memory, `None` if there is none yet.
pub(crate) fn read(path: &Path) -> Result<Option<LatentGraph>> {
    match path.try_exists() {
        Ok(false) => Ok(None),
        _ => file::read(path).map(Some).map_err(|message| anyhow::anyhow!("{}: {message}", path.display())),
    }
}

/// Adds walks to a memory, latents that followed each other so many actions apart. A new one is made if there is none.
pub(crate) fn add(path: &Path, config: &MemoryConfig, walks: &[Vec<f32>], width: usize, actions: f32) -> Result<()> {
    let graph = match read(path)? {
        Some(graph) => Some(graph),
        None => LatentGraph::measure_step(walks.iter().map(Vec::as_slice), width)
            .map(|step| LatentGraph::new(width, step / actions, config.graph())),
    };
    // Where nothing moved, nothing was learned.
    let Some(mut graph) = graph else { return Ok(()) };
    if graph.width() != width {
        let (held, given) = (graph.width(), width);
        let place = path.display();
        return Err(
            Usage(format!("{place}: it holds latents of {held} numbers, those of the model have {given}")).into()
        );
    }
    graph.add_all(walks, actions);
    file::write(&graph, path).with_context(|| format!("{}: cannot be written", path.display()))
}

/// The latents of recorded episodes, a moment for each action of the model.
fn walks(model: &dyn WorldModel, source: &dyn EpisodeSource, most: Option<usize>) -> Result<Vec<Vec<f32>>> {
    let spec = model.spec();
    let (camera, _) = spec.spaces.only_camera().map_err(Usage)?;
    let count = source.episodes().min(most.unwrap_or(usize::MAX));
    let mut meter = Meter::new("memory");
    let mut walks = Vec::with_capacity(count);
    for episode in 0..count {
        meter.show(episode as f64 / count.max(1) as f64, || format!("{episode}/{count} episodes"));
        let moments: Vec<usize> = (0..source.length(episode)).step_by(spec.spaces.frame_step.max(1)).collect();
        let mut walk = Vec::new();
        for part in moments.chunks(AT_ONCE) {
            let seen = Observations::of_camera(camera, source.frames(camera, episode, part)?);
            let batch = ObservationBatch::upload(&[&seen], &spec.normalise, &model.device());
            let latents = model.encode(&batch).tokens.into_data();
            walk.extend(latents.try_into_vec_as::<f32>().map_err(|error| anyhow::anyhow!("latents: {error:?}"))?);
        }
        walks.push(walk);
    }
    meter.finish();
    Ok(walks)
}

/// What is in a memory.
#[derive(Serialize)]
struct Contents {
    #[serde(serialize_with = "prevision_storage::path_text::serialize")]
    file: PathBuf,
    /// Places, and how many there may be.
    places: usize,
    most: usize,
    /// Numbers in a latent.
    width: usize,
    transitions: usize,
    /// Parts between which no transition was seen in either direction.
    parts: usize,
    /// Places of the largest of them.
    largest_part: usize,
    /// Places from which no transition leads on.
    dead_ends: usize,
    /// How often places were met: the median, and the most.
    visits: [u32; 2],
    bytes: u64,
}

impl Contents {
    fn of(graph: &LatentGraph, path: &Path) -> Self {
        let mut visits = graph.visits().to_vec();
        visits.sort_unstable();
        let sizes = parts(graph);
        Self {
            file: path.to_owned(),
            places: graph.len(),
            most: graph.most(),
            width: graph.width(),
            transitions: graph.transitions(),
            parts: sizes.len(),
            largest_part: sizes.into_iter().max().unwrap_or(0),
            dead_ends: (0..graph.len()).filter(|place| graph.ways(*place).is_empty()).count(),
            visits: [visits.get(visits.len() / 2), visits.last()].map(|count| count.copied().unwrap_or(0)),
            bytes: path.metadata().map_or(0, |data| data.len()),
        }
    }
}

/// Sizes of the parts of a graph that hang together.
fn parts(graph: &LatentGraph) -> Vec<usize> {
    let mut neighbours = vec![Vec::new(); graph.len()];
    for from in 0..graph.len() {
        for to in graph.ways(from).keys() {
            neighbours[from].push(*to);
            neighbours[*to].push(from);
        }
    }
    let mut seen = vec![false; graph.len()];
    let mut sizes = Vec::new();
    for start in 0..graph.len() {
        let (mut open, mut size) = (vec![start], 0);
        while let Some(place) = open.pop() {
            if !std::mem::replace(&mut seen[place], true) {
                size += 1;
                open.extend(&neighbours[place]);
            }
        }
        sizes.extend((size > 0).then_some(size));
    }
    sizes
}

fn table(contents: &Contents) -> String {
    // Writing to a string cannot fail.
    let mut text = String::new();
    let Contents { places, most, width, transitions, parts, largest_part, dead_ends, .. } = contents;
    let [median, highest] = contents.visits;
    let _ = writeln!(text, "places            {places} of at most {most}, latents of {width} numbers");
    let _ = writeln!(text, "met               {median} times in the median, {highest} at most");
    let _ = writeln!(text, "transitions       {transitions}; {dead_ends} places lead nowhere");
    let _ = writeln!(text, "parts             {parts} that do not hang together, the largest of {largest_part} places");
    let _ = writeln!(text, "file              {}, {:.1} MB", contents.file.display(), contents.bytes as f64 / 1e6);
    text
}
