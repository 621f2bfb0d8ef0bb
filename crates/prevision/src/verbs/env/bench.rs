//! `prevision env bench`: how fast a world is.

use anyhow::Result;
use prevision_env::measure_speed;
use prevision_env::registry::Purpose;

use super::Chosen;
use crate::app::App;
use crate::{Output, Usage};

/// Step a world by random actions, many side by side, and count the frames that it shows
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    chosen: Chosen,
    /// Worlds side by side
    #[arg(long, value_name = "N", default_value_t = 64)]
    rows: usize,
    /// How long
    #[arg(long, value_name = "SECONDS", default_value_t = 5.0)]
    seconds: f64,
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    output: Output,
}

pub(crate) fn run(app: &App, args: &Args) -> Result<()> {
    if args.rows == 0 {
        return Err(Usage("--rows 0: expected 1 or more".to_owned()).into());
    }
    if !(args.seconds > 0.0 && args.seconds.is_finite()) {
        return Err(Usage(format!("--seconds {}: expected a number above 0", args.seconds)).into());
    }
    let mut worlds = args.chosen.world(app)?.worlds(Purpose::Recording, args.rows)?;
    let speed = measure_speed(worlds.as_mut(), args.seconds, args.seed)?;
    let table = format!(
        "world       {}\nrows        {}\nframes      {} in {:.1} s\nframes/s    {:.0}",
        speed.world, speed.rows, speed.frames, speed.seconds, speed.frames_per_second
    );
    args.output.give(&speed, &table)
}
