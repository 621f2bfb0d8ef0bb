//! The scores of one film: what the model did not foresee of it, and how much it changes.

use std::hash::{DefaultHasher, Hash, Hasher};

use prevision_core::{Clip, ClipSource, FrameBuffer, HostBatch, Observations};
use prevision_model::{ClipBatch, FrozenModel, Wanted};

use super::Windows;
use crate::EvalError;
use crate::measure::read;

/// Scores of a film by one measure.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FilmScores {
    /// Of each context the score of every window.
    pub windows: Vec<Vec<f64>>,
    /// Of every frame of the film the mean over the windows and contexts that predicted it; `None` where none did.
    pub curve: Vec<Option<f64>>,
}

impl FilmScores {
    /// The mean over windows for each context.
    pub fn means(&self) -> Vec<f64> {
        self.windows.iter().map(|scores| mean(scores)).collect()
    }

    /// The mean over windows, averaged over contexts.
    pub fn mean(&self) -> f64 {
        mean(&self.means())
    }

    /// The largest window, averaged over contexts.
    pub fn max(&self) -> f64 {
        let largest = |scores: &Vec<f64>| scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        mean(&self.windows.iter().map(largest).collect::<Vec<_>>())
    }
}

/// A film with both measures.
pub(super) struct Scored {
    pub(super) model: FilmScores,
    pub(super) pixels: FilmScores,
    /// A hash of every frame, by which matched films are compared.
    pub(super) frames: Vec<u64>,
}

/// Scores a film.
pub(super) fn score(
    model: &dyn FrozenModel,
    windows: &Windows,
    name: &str,
    film: &FrameBuffer,
) -> Result<Scored, EvalError> {
    let starts = windows.starts(film.frames);
    if starts.is_empty() {
        let (span, frames) = (windows.span(), film.frames);
        return Err(EvalError::Config(format!("film {name} has {frames} frames, a window takes {span}")));
    }
    let cut: Vec<FrameBuffer> = starts.iter().map(|&start| window(film, start, windows)).collect();
    let moments = windows.frames / windows.tubelet;
    let mut foreseen = Collector::new(windows, film.frames);
    let mut changed = Collector::new(windows, film.frames);
    for (starts, cut) in starts.chunks(windows.batch_size).zip(cut.chunks(windows.batch_size)) {
        let batch = upload(model, starts, cut);
        for (index, &context) in windows.contexts.iter().enumerate() {
            let first = context / windows.tubelet;
            let steps = moments - first;
            let forecast = model.forecast(&batch, Wanted { context: false, steps });
            let predicted =
                forecast.predicted.ok_or_else(|| EvalError::Suite("the model predicts nothing".to_owned()))?;
            let difference = (predicted - forecast.targets.narrow(1, forecast.observed, steps)).abs();
            let errors = read(difference.mean_dim(3).mean_dim(2).squeeze_dims::<2>(&[2, 3]))?;
            if errors.iter().any(|error| !error.is_finite()) {
                return Err(EvalError::NotFinite { what: "predictions of films" });
            }
            for ((&start, frames), errors) in starts.iter().zip(cut).zip(errors.chunks_exact(steps)) {
                // The same error for all frames of a tubelet.
                let of_frame = |frame: usize| f64::from(errors[frame / windows.tubelet - first]);
                foreseen.add(index, start, (context..windows.frames).map(of_frame).collect());
                changed.add(index, start, (context..windows.frames).map(|frame| change(frames, frame)).collect());
            }
        }
    }
    let frames = (0..film.frames).map(|index| hash(film.frame(index))).collect();
    Ok(Scored { model: foreseen.finish(), pixels: changed.finish(), frames })
}

/// The frames of a window.
fn window(film: &FrameBuffer, start: usize, windows: &Windows) -> FrameBuffer {
    let mut out = FrameBuffer::new(windows.frames, film.height, film.width);
    for index in 0..windows.frames {
        out.frame_mut(index).copy_from_slice(film.frame(start + index * windows.step));
    }
    out
}

/// Windows as clips on the device.
fn upload(model: &dyn FrozenModel, starts: &[usize], windows: &[FrameBuffer]) -> ClipBatch {
    let spaces = model.spaces();
    let camera = spaces.cameras.keys().next().cloned().unwrap_or_default();
    let clip = |(&start, frames): (&usize, &FrameBuffer)| Clip {
        observations: Observations::of_camera(&camera, frames.clone()),
        times: (0..frames.frames).map(|frame| frame as f64).collect(),
        actions: None,
        state: None,
        label: None,
        source: ClipSource { path: "film".into(), video: 0, start },
    };
    let clips = starts.iter().zip(windows).map(clip).collect();
    let batch = HostBatch { clips, number: 0, first: 0 };
    ClipBatch::upload(&batch, spaces.frame_step, model.normalise(), &model.device())
}

/// The mean absolute difference of a frame and the one before it, of pixels from 0 to 255.
fn change(frames: &FrameBuffer, frame: usize) -> f64 {
    let (before, now) = (frames.frame(frame - 1), frames.frame(frame));
    let sum: u64 = before.iter().zip(now).map(|(&one, &other)| u64::from(one.abs_diff(other))).sum();
    sum as f64 / now.len() as f64
}

fn hash(frame: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    frame.hash(&mut hasher);
    hasher.finish()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Gathers the scores of one film.
struct Collector<'a> {
    windows: &'a Windows,
    scores: Vec<Vec<f64>>,
    /// Of every frame of the film the sum and the number of what was found there.
    curve: Vec<(f64, usize)>,
}

impl<'a> Collector<'a> {
    fn new(windows: &'a Windows, length: usize) -> Self {
        Self { windows, scores: vec![Vec::new(); windows.contexts.len()], curve: vec![(0.0, 0); length] }
    }

    /// Adds a window with the scores of its predicted frames.
    fn add(&mut self, context: usize, start: usize, frames: Vec<f64>) {
        let Windows { frames: count, step, .. } = *self.windows;
        let first = count - frames.len();
        self.scores[context].push(mean(&frames));
        for (index, score) in frames.into_iter().enumerate() {
            let begin = start + (first + index) * step;
            for (sum, found) in &mut self.curve[begin..begin + step] {
                *sum += score;
                *found += 1;
            }
        }
    }

    fn finish(self) -> FilmScores {
        let curve = self.curve.into_iter().map(|(sum, found)| (found > 0).then(|| sum / found as f64)).collect();
        FilmScores { windows: self.scores, curve }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn windows() -> Windows {
        Windows { frames: 4, tubelet: 2, step: 2, stride: 1, contexts: vec![2], batch_size: 8 }
    }

    #[test]
    fn a_film_is_scored_by_its_mean_and_its_largest_window() {
        let scores = FilmScores { windows: vec![vec![1.0, 2.0, 6.0], vec![0.0, 5.0, 4.0]], curve: vec![] };
        assert_eq!((scores.means(), scores.mean(), scores.max()), (vec![3.0, 3.0], 3.0, 5.5));
    }

    #[test]
    fn the_curve_has_every_frame_that_was_predicted() {
        let windows = windows();
        let mut collector = Collector::new(&windows, 9);
        collector.add(0, 0, vec![1.0, 2.0]);
        collector.add(0, 1, vec![3.0, 8.0]);
        let scores = collector.finish();
        assert_eq!(scores.windows, [[1.5, 5.5]]);
        let none = None;
        let some = Some;
        assert_eq!(scores.curve, [none, none, none, none, some(1.0), some(2.0), some(2.5), some(5.0), some(8.0)]);
    }

    #[test]
    fn change_is_that_of_successive_frames_of_a_window() {
        let mut film = FrameBuffer::new(9, 1, 2);
        film.frame_mut(4).copy_from_slice(&[0, 0, 0, 6, 6, 6]);
        film.frame_mut(6).copy_from_slice(&[10, 10, 10, 0, 0, 0]);
        let cut = window(&film, 0, &windows());
        assert_eq!([1, 2, 3].map(|frame| change(&cut, frame)), [0.0, 3.0, 8.0]);
    }
}
