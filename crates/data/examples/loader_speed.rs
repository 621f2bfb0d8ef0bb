//! How fast the loader delivers random windows of recorded episodes.
//!
//! ```text
//! cargo run --release -p prevision-data --example loader_speed -- [workers] [keyframe interval] [frames in a clip]
//! ```

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Write;
use std::time::Instant;

use prevision_core::config::Part;
use prevision_core::{Array2, Camera, FrameBuffer, Observations, Space, Spaces};
use prevision_data::{
    DataConfig, Episode, EpisodeOptions, EpisodeWriter, Formats, Loader, LoaderConfig, PIXELS, Split, built_in, open,
};

const EPISODES: usize = 100;
const LENGTH: usize = 90;
const SIDE: usize = 65;

/// A red dot that wanders in front of two cyan walls.
fn episode(number: usize) -> Episode {
    let mut frames = FrameBuffer::new(LENGTH, SIDE, SIDE);
    for t in 0..LENGTH {
        let (x, y) = ((number * 7 + t) % 60, (number * 3 + t / 2) % 60);
        for (index, pixel) in frames.frame_mut(t).chunks_exact_mut(3).enumerate() {
            let (column, row) = (index % SIDE, index / SIDE);
            let wall = if column == 32 || row == 0 { 255 } else { 0 };
            let dot = if column.abs_diff(x) < 3 && row.abs_diff(y) < 3 { 200 } else { 0 };
            pixel.copy_from_slice(&[dot, wall, wall]);
        }
    }
    let observations = Observations::of_camera(PIXELS, frames);
    Episode { observations, columns: BTreeMap::from([("action".into(), Array2::zeros(LENGTH, 2))]) }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<usize>());
    let workers = arguments.next().transpose()?.unwrap_or(1);
    let keyframe_interval = arguments.next().transpose()?.unwrap_or(EpisodeOptions::default().keyframe_interval);
    let frames = arguments.next().transpose()?.unwrap_or(17);
    let mut out = std::io::stdout();

    let folder = std::env::temp_dir().join(format!("prevision-loader-speed-{}", std::process::id()));
    let begin = Instant::now();
    let spaces = Spaces {
        cameras: BTreeMap::from([(PIXELS.to_owned(), Camera { height: SIDE, width: SIDE })]),
        action: Some(Space::Unbounded { dim: 2 }),
        ..Spaces::default()
    };
    let options = EpisodeOptions { keyframe_interval, ..EpisodeOptions::default() };
    let mut writer = EpisodeWriter::create(&folder, &spaces, &options)?;
    writer.write_many(&(0..EPISODES).map(episode).collect::<Vec<_>>(), 1)?;
    writer.finish()?;
    writeln!(
        out,
        "recorded {EPISODES} episodes of {LENGTH} frames at {:.0} frames/s, one thread",
        (EPISODES * LENGTH) as f64 / begin.elapsed().as_secs_f64()
    )?;

    let source = Part::new("episodes").with("path", folder.display().to_string()).with("state", "");
    let config =
        DataConfig { source, frames, workers, batch_size: 32, validation_fraction: 0.0, ..DataConfig::default() };
    let source = config.source(&built_in(), &Formats::built_in())?;
    let dataset = open(&config, source.as_ref(), Split::Train, 0)?;
    let mut loader = Loader::new(dataset, &LoaderConfig::new(&config, 0), 0)?;
    loader.next_batch()?;
    let (mut clips, begin) = (0, Instant::now());
    while begin.elapsed().as_secs_f64() < 5.0 {
        clips += loader.next_batch()?.clips.len();
    }
    let seconds = begin.elapsed().as_secs_f64();
    writeln!(
        out,
        "{workers} worker(s), windows of {frames} frames, a keyframe every {keyframe_interval}: {:.0} clips/s, {:.0} frames/s",
        clips as f64 / seconds,
        (clips * frames) as f64 / seconds
    )?;
    drop(loader);
    std::fs::remove_dir_all(folder)?;
    Ok(())
}
