//! How fast a world is.

use std::time::Instant;

use prevision_core::seed;
use rand::RngCore;
use serde::Serialize;

use crate::{EnvError, Worlds};

/// Steps of all rows before the clock starts.
const WARM_UP: usize = 3;

/// What was measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Speed {
    /// Name of the world.
    pub world: String,
    /// Worlds side by side.
    pub rows: usize,
    /// Episodes that were begun in this time.
    pub episodes: usize,
    /// Moments that were stepped to, or begun with.
    pub moments: usize,
    /// Pictures in them: one for each camera.
    pub frames: usize,
    /// How long it took, seconds.
    pub seconds: f64,
    /// Pictures a second, of all rows together.
    pub frames_per_second: f64,
}

/// Steps all rows by random actions, for at least so many seconds, and counts what is shown. What ends is begun anew.
///
/// # Errors
/// If the world takes no actions, or fails.
pub fn measure_speed(worlds: &mut dyn Worlds, seconds: f64, seed: u64) -> Result<Speed, EnvError> {
    let spec = worlds.spec().clone();
    let Some(space) = spec.spaces.action.clone() else {
        return Err(EnvError::Unsupported { world: spec.name, what: "take actions" });
    };
    let rows: Vec<usize> = (0..worlds.rows()).collect();
    let mut rng = seed::rng(seed, "world-speed", 0, 0);
    let mut ended = vec![true; rows.len()];
    let (mut moments, mut episodes, mut rounds) = (0, 0, 0);
    let mut started = Instant::now();
    loop {
        if rounds == WARM_UP {
            (moments, episodes, started) = (0, 0, Instant::now());
        }
        for row in rows.iter().filter(|row| ended[**row]) {
            worlds.reset(*row, rng.next_u64(), None)?;
            episodes += 1;
            moments += 1;
        }
        let actions: Vec<Vec<f32>> = rows.iter().map(|_| space.sample(&mut rng)).collect();
        let actions: Vec<&[f32]> = actions.iter().map(Vec::as_slice).collect();
        let steps = worlds.step(&rows, &actions)?;
        moments += steps.len();
        rounds += 1;
        for (ended, step) in ended.iter_mut().zip(&steps) {
            *ended = step.terminated || step.truncated;
        }
        let taken = started.elapsed().as_secs_f64();
        if rounds > WARM_UP && taken >= seconds {
            let frames = moments * spec.spaces.cameras.len();
            let frames_per_second = frames as f64 / taken;
            return Ok(Speed {
                world: spec.name,
                rows: rows.len(),
                episodes,
                moments,
                frames,
                seconds: taken,
                frames_per_second,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::{EnvConfig, Purpose, built_in};

    #[test]
    fn what_is_shown_is_counted() {
        let world = EnvConfig::default().world(&built_in()).unwrap();
        let mut worlds = world.worlds(Purpose::Recording, 3).unwrap();
        let speed = measure_speed(worlds.as_mut(), 0.02, 1).unwrap();
        // Two Rooms has one camera, and never ends an episode.
        assert_eq!((speed.rows, speed.episodes, speed.frames % 3), (3, 0, 0));
        assert!(speed.seconds >= 0.02 && speed.frames == speed.moments && speed.frames > 0);
        assert!((speed.frames_per_second * speed.seconds - speed.frames as f64).abs() < 1e-6);
    }
}
