//! Which frames of a video make a clip.
//!
//! Two rules, as in V-JEPA and stable-worldmodel: by frame step, a clip of `t` frames spans `t * step` frames of the video and
//! takes the first frame of each step; by time, a clip takes the frames shown every `1 / rate` seconds.

use std::path::Path;

use prevision_core::seed;
use rand::Rng;

use crate::{ClipRequest, DataConfig, Draw, SkipReason, SkippedFile};

/// Slack in seconds when a time is compared with a time stamp: containers round stamps to milliseconds.
const SLACK: f64 = 1e-3;

/// How the frames of a clip lie in a video.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Spacing {
    /// Every so many frames.
    Step(usize),
    /// So many times a second.
    Rate(f64),
}

impl Spacing {
    /// What a configuration says.
    pub(crate) fn of(config: &DataConfig) -> Self {
        config.frames_per_second.map_or(Self::Step(config.frame_step), Self::Rate)
    }

    /// Which of the videos with frames at these times are long enough for a clip, by number, and why the others are not.
    pub(crate) fn long_enough<'a>(
        self,
        videos: impl IntoIterator<Item = (&'a Path, &'a [f64])>,
        frames: usize,
    ) -> (Vec<usize>, Vec<SkippedFile>) {
        let (mut long, mut short) = (Vec::new(), Vec::new());
        for (number, (path, times)) in videos.into_iter().enumerate() {
            if last_start(times, frames, self).is_some() {
                long.push(number);
            } else {
                short.push(SkippedFile { path: path.to_owned(), reason: self.too_short(times, frames) });
            }
        }
        (long, short)
    }

    /// Why a video with frames at these times cannot give a clip of so many frames.
    pub(crate) fn too_short(self, times: &[f64], frames: usize) -> SkipReason {
        match self {
            Self::Step(step) => {
                SkipReason::TooShort { has: format!("{} frames", times.len()), needs: format!("{}", frames * step) }
            }
            Self::Rate(rate) => SkipReason::TooShort {
                has: format!("{:.2} seconds", times.last().copied().unwrap_or(0.0)),
                needs: format!("{:.2}", (frames - 1) as f64 / rate),
            },
        }
    }
}

/// The last frame at which a clip can start, or `None` if the video is too short.
///
/// `times` are the seconds at which the video's frames are shown, ascending from 0, one per frame.
pub fn last_start(times: &[f64], frames: usize, spacing: Spacing) -> Option<usize> {
    match spacing {
        Spacing::Step(step) => times.len().checked_sub(frames * step),
        Spacing::Rate(rate) => {
            let latest = times.last()? - (frames - 1) as f64 / rate + SLACK;
            times.partition_point(|&time| time <= latest).checked_sub(1)
        }
    }
}

/// The frames of the clip that starts at frame `start`.
///
/// # Panics
/// If `start` is not a frame of the video.
pub fn indices(times: &[f64], start: usize, frames: usize, spacing: Spacing) -> Vec<usize> {
    match spacing {
        Spacing::Step(step) => (0..frames).map(|frame| start + frame * step).collect(),
        Spacing::Rate(rate) => {
            let shown = |time: f64| times.partition_point(|&stamp| stamp <= time + SLACK).saturating_sub(1);
            (0..frames)
                .map(|frame| if frame == 0 { start } else { shown(times[start] + frame as f64 / rate) })
                .collect()
        }
    }
}

/// Where a clip starts, between 0 and `last` inclusive: at random by (seed, epoch, slot), or in the middle of one of
/// `request.clips` equal parts.
///
/// # Panics
/// If `request.clip` is not below `request.clips`.
pub fn start(request: &ClipRequest, last: usize) -> usize {
    let ClipRequest { clip, clips, .. } = *request;
    assert!(clip < clips, "clip {clip} of {clips}");
    match request.draw {
        Draw::Random => seed::rng(request.seed, "window", request.epoch, request.slot as u64).random_range(0..=last),
        Draw::Uniform => (2 * clip + 1) * (last + 1) / (2 * clips),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn request(draw: Draw, slot: usize, clip: usize, clips: usize) -> ClipRequest {
        ClipRequest { seed: 3, epoch: 1, slot, video: 0, clip, clips, draw }
    }

    #[test]
    fn by_step() {
        let times = [0.0; 20];
        assert_eq!(last_start(&times, 4, Spacing::Step(5)), Some(0));
        assert_eq!(last_start(&times, 4, Spacing::Step(6)), None);
        assert_eq!(last_start(&times, 20, Spacing::Step(1)), Some(0));
        assert_eq!(indices(&times, 0, 4, Spacing::Step(5)), [0, 5, 10, 15]);
    }

    #[test]
    fn by_time_takes_the_frame_that_is_shown() {
        // 10 frames a second with a pause of a second after the third.
        let times = [0.0, 0.1, 0.2, 1.2, 1.3, 1.4];
        assert_eq!(indices(&times, 1, 4, Spacing::Rate(4.0)), [1, 2, 2, 2], "0.1, 0.35, 0.6, 0.85");
        assert_eq!(indices(&times, 0, 3, Spacing::Rate(10.0)), [0, 1, 2]);
        assert_eq!(last_start(&times, 3, Spacing::Rate(10.0)), Some(3));
        assert_eq!(last_start(&times, 3, Spacing::Rate(2.0)), Some(2), "0.2 + 1 second is 1.2");
        assert_eq!(last_start(&times, 8, Spacing::Rate(5.0)), Some(0), "1.4 seconds is all there is");
        assert_eq!(last_start(&times, 9, Spacing::Rate(5.0)), None);
        assert_eq!(last_start(&[], 1, Spacing::Rate(5.0)), None);
    }

    #[test]
    fn uniform_starts_are_centres_of_equal_parts() {
        let starts = |clips, last| {
            (0..clips).map(|clip| start(&request(Draw::Uniform, 0, clip, clips), last)).collect::<Vec<_>>()
        };
        assert_eq!(starts(1, 10), [5]);
        assert_eq!(starts(2, 99), [25, 75]);
        assert_eq!(starts(3, 2), [0, 1, 2]);
        assert_eq!(starts(2, 0), [0, 0]);
    }

    #[test]
    fn every_window_is_drawn() {
        let mut drawn: Vec<_> = (0..500).map(|slot| start(&request(Draw::Random, slot, 0, 1), 9)).collect();
        drawn.sort_unstable();
        drawn.dedup();
        assert_eq!(drawn, (0..=9).collect::<Vec<_>>());
    }

    proptest! {
        #[test]
        fn clips_stay_inside(length in 1_usize..200, frames in 1_usize..20, step in 1_usize..6, slot in 0_usize..1000, clip in 0_usize..4, random: bool) {
            let times: Vec<f64> = (0..length).map(|frame| frame as f64 / 25.0).collect();
            let draw = if random { Draw::Random } else { Draw::Uniform };
            match last_start(&times, frames, Spacing::Step(step)) {
                None => prop_assert!(length < frames * step),
                Some(last) => {
                    let start = start(&request(draw, slot, clip, 4), last);
                    prop_assert!(start <= last);
                    let indices = indices(&times, start, frames, Spacing::Step(step));
                    prop_assert_eq!(indices.len(), frames);
                    prop_assert!(indices[frames - 1] < length);
                }
            }
        }

        #[test]
        fn timed_clips_stay_inside_and_near_their_times(gaps in prop::collection::vec(0.005_f64..0.3, 1..100), frames in 1_usize..20, rate in 0.5_f64..60.0, slot in 0_usize..1000) {
            let times: Vec<f64> = std::iter::once(0.0).chain(gaps.iter().scan(0.0, |time, gap| { *time += gap; Some(*time) })).collect();
            if let Some(last) = last_start(&times, frames, Spacing::Rate(rate)) {
                let start = start(&request(Draw::Random, slot, 0, 1), last);
                let indices = indices(&times, start, frames, Spacing::Rate(rate));
                prop_assert!(indices.is_sorted());
                for (k, &index) in indices.iter().enumerate() {
                    let wanted = times[start] + k as f64 / rate;
                    prop_assert!(times[index] <= wanted + SLACK);
                    prop_assert!(index + 1 >= times.len() || times[index + 1] > wanted - SLACK);
                    prop_assert!(wanted <= times[times.len() - 1] + 2.0 * SLACK);
                }
            }
        }
    }
}
