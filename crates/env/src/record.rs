//! Recording episodes as video.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use prevision_data::{Array2, Episode, EpisodeOptions, EpisodeWriter, seed};
use prevision_storage::whole_file;
use prevision_video::{FrameBuffer, Quality};
use serde::Serialize;

use crate::EnvError;
use crate::registry::check_name;
use crate::two_rooms::draw::{draw_dot, draw_walls};
use crate::two_rooms::{Collision, Layout, LayoutChoice, LayoutSplit, SIZE, Walk};

/// Episodes drawn and held in memory at once, for each core; one of 91 frames takes 1.2 MB.
const EPISODES_PER_THREAD: usize = 16;
/// The image column: the folder of the mp4 files.
const IMAGE: &str = "pixels";

/// What to record, and how.
#[derive(Debug, Clone)]
pub struct RecordOptions {
    /// Name of the world, see [`WORLDS`](crate::WORLDS).
    pub world: String,
    /// Number of episodes.
    pub episodes: usize,
    /// Actions in an episode; it has one frame more.
    pub steps: usize,
    /// Episode `i` is a pure function of the seed and `i`.
    pub seed: u64,
    /// A layout drawn for each group of episodes, or always the same one.
    pub layout: LayoutChoice,
    /// Which of the random layouts are used; by default those that evaluation does not use.
    pub layouts: LayoutSplit,
    /// What happens when a move meets a wall.
    pub collision: Collision,
    /// Episodes in a row that share a random layout.
    pub episodes_per_layout: usize,
    /// Output folder: new, or empty.
    pub out: PathBuf,
    /// Compression of the frames.
    pub quality: Quality,
    /// Frames from one keyframe to the next.
    pub keyframe_interval: usize,
    /// Frames per second at which a player shows them.
    pub frame_rate: u32,
}

impl RecordOptions {
    /// 1,000 episodes of 90 actions from seed 0 in the training layouts, lossless, with a keyframe every 16 frames.
    ///
    /// Lossless, because little is won by less: 1,000 episodes take 15 MB, against 9 MB at rate factor 18, which is slower to
    /// write and to read and leaves 28 dB over the pixels of the dot (its middle shifts by 0.13 pixels on average).
    pub fn new(world: &str, out: &Path) -> Self {
        Self {
            world: world.to_owned(),
            episodes: 1_000,
            steps: 90,
            seed: 0,
            layout: LayoutChoice::Random,
            layouts: LayoutSplit::Training,
            collision: Collision::Stop,
            episodes_per_layout: 1,
            out: out.to_owned(),
            quality: Quality::Lossless,
            keyframe_interval: 16,
            frame_rate: 25,
        }
    }

    fn validate(&self) -> Result<(), EnvError> {
        check_name(&self.world)?;
        let counts = [
            ("episodes", self.episodes),
            ("steps", self.steps),
            ("episodes_per_layout", self.episodes_per_layout),
            ("keyframe_interval", self.keyframe_interval),
            ("frame_rate", self.frame_rate as usize),
        ];
        match counts.into_iter().find(|&(_, value)| value == 0) {
            Some((key, value)) => {
                Err(EnvError::InvalidOption { key, value: value.to_string(), expected: "at least 1" })
            }
            None => Ok(()),
        }
    }

    /// The options as a small TOML file, for people and for recording the same again.
    fn describe(&self) -> String {
        let mut text = String::from("# How the episodes in this folder were recorded.\n");
        let quality = match self.quality {
            Quality::Lossless => "\"lossless\"".to_owned(),
            Quality::Crf(factor) => format!("{{ crf = {factor} }}"),
            Quality::Compact(factor) => format!("{{ compact = {factor} }}"),
            Quality::Jpeg(scale) => format!("{{ jpeg = {scale} }}"),
        };
        let entries = [
            ("world", format!("\"{}\"", self.world)),
            ("episodes", self.episodes.to_string()),
            ("steps", self.steps.to_string()),
            ("seed", self.seed.to_string()),
            ("layout", format!("\"{}\"", self.layout)),
            ("layouts", format!("\"{}\"", self.layouts)),
            ("collision", format!("\"{}\"", self.collision)),
            ("episodes_per_layout", self.episodes_per_layout.to_string()),
            ("quality", quality),
            ("keyframe_interval", self.keyframe_interval.to_string()),
            ("frame_rate", self.frame_rate.to_string()),
        ];
        for (key, value) in entries {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{key} = {value}");
        }
        text
    }
}

/// What was recorded.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RecordSummary {
    /// Episodes written.
    pub episodes: usize,
    /// Frames written.
    pub frames: usize,
    /// Episodes in which the dot was in both rooms.
    pub crossings: usize,
    /// Different layouts.
    pub layouts: usize,
    /// Time taken, in seconds.
    pub seconds: f64,
}

/// Records random walks with [`EpisodeWriter`]: `pixels/ep_<i>.mp4`, and for each frame `action` (the displacement tried at this
/// frame, in pixels; NaN at the last frame), `state` (x and y of the dot in pixels) and `layout` (column of the wall, row of the
/// door). `pixels/dataset.toml` says how it was made: stable-worldmodel's reader takes every entry of the folder itself for a column. Films are encoded on all cores; the content does not depend on their number.
///
/// `progress` is told the number of episodes done and the number in all.
///
/// # Errors
/// When the world is unknown, an option is out of range, the output folder is not empty, or a file cannot be written.
pub fn record(options: &RecordOptions, progress: &mut dyn FnMut(usize, usize)) -> Result<RecordSummary, EnvError> {
    options.validate()?;
    let out = options.out.as_path();
    refuse_files(out)?;
    let start = Instant::now();
    let data_error = |source| EnvError::Data { path: out.to_owned(), source };
    let writer_options = EpisodeOptions {
        image: IMAGE.to_owned(),
        quality: options.quality,
        frame_rate: options.frame_rate,
        keyframe_interval: options.keyframe_interval,
    };
    let mut writer = EpisodeWriter::create(out, &writer_options).map_err(data_error)?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut layouts = BTreeSet::new();
    let mut crossings = 0;
    let mut done = 0;
    progress(done, options.episodes);
    while done < options.episodes {
        let count = (threads * EPISODES_PER_THREAD).min(options.episodes - done);
        let mut episodes = Vec::with_capacity(count);
        for index in done..done + count {
            let (layout, walk) = sample(options, index as u64);
            layouts.insert(layout);
            crossings += usize::from(walk.crosses(layout));
            episodes.push(film(layout, &walk));
        }
        writer.write_many(&episodes, threads).map_err(data_error)?;
        done += count;
        progress(done, options.episodes);
    }
    write_description(out, &options.describe())?;
    writer.finish().map_err(data_error)?;
    Ok(RecordSummary {
        episodes: done,
        frames: done * (options.steps + 1),
        crossings,
        layouts: layouts.len(),
        seconds: start.elapsed().as_secs_f64(),
    })
}

/// Layout and walk of an episode.
fn sample(options: &RecordOptions, index: u64) -> (Layout, Walk) {
    let group = index / options.episodes_per_layout as u64;
    let layout =
        Layout::sample(options.layout, options.layouts, &mut seed::rng(options.seed, "two-rooms/layout", 0, group));
    let walk = Walk::sample(
        layout,
        options.collision,
        options.steps,
        &mut seed::rng(options.seed, "two-rooms/walk", 0, index),
    );
    (layout, walk)
}

/// A walk as the episode that is written.
fn film(layout: Layout, walk: &Walk) -> Episode {
    let count = walk.positions.len();
    let mut frames = FrameBuffer::new(count, SIZE, SIZE);
    let walls = draw_walls(layout);
    for (frame, &position) in frames.data.chunks_exact_mut(walls.len()).zip(&walk.positions) {
        frame.copy_from_slice(&walls);
        draw_dot(frame, position);
    }
    let pairs = |data: Vec<f32>| Array2::new(data, count, 2);
    let columns = BTreeMap::from([
        ("action".to_owned(), pairs(walk.actions.iter().chain(&[[f32::NAN; 2]]).flatten().copied().collect())),
        ("state".to_owned(), pairs(walk.positions.iter().flatten().copied().collect())),
        ("layout".to_owned(), pairs([f32::from(layout.wall_x), f32::from(layout.door_y)].repeat(count))),
    ]);
    Episode { frames, columns }
}

fn refuse_files(path: &Path) -> Result<(), EnvError> {
    let io_error = |source| EnvError::Io { path: path.to_owned(), source };
    match std::fs::read_dir(path) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(Ok(_)) => Err(EnvError::OutputNotEmpty { path: path.to_owned() }),
            Some(Err(source)) => Err(io_error(source)),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(io_error(source)),
    }
}

fn write_description(out: &Path, text: &str) -> Result<(), EnvError> {
    let path = out.join(IMAGE).join("dataset.toml");
    whole_file::write(&path, text).map_err(|source| EnvError::Io { path, source })
}
