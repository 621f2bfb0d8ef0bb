//! Violation of expectation: how much of a film a masked model did not foresee, against how much of it merely changes.
//!
//! A window of a film is as long as the clips that the model was trained on. Its first frames are the context: the context encoder sees
//! their tokens alone, so that nothing of what follows can leak into the prediction. The predictor predicts the tokens of the other frames,
//! and they are compared with what the target encoder makes of the whole window, layer-normed if training layer-normed its targets. The
//! surprise of a window is the mean absolute difference. A film's score is the mean of its windows, averaged over the lengths of the
//! context; the largest window is a second score.
//!
//! The baseline has no model: it scores the mean absolute difference of a window's successive frames, over the same frames that the model
//! has to predict, by the same rules.
//!
//! Source: Garrido et al. 2025, "Intuitive physics understanding emerges from self-supervised pretraining on natural videos" and its code
//! (<https://github.com/facebookresearch/jepa-intuitive-physics>); the intervals and the paired difference are ours.

mod bootstrap;
mod compare;
mod results;
mod score;
mod windows;

use prevision_core::FrameBuffer;
use prevision_data::DataError;
use prevision_data::films::Film;
use prevision_model::FrozenModel;

use crate::EvalError;

pub use bootstrap::Estimate;
pub use compare::Pairing;
pub use results::{Comparison, ContextResults, FilmResults, KindResults, Measured, ScoreResults, SurpriseResults};
pub use score::FilmScores;
pub use windows::{SurpriseOptions, Windows};

/// Reads all frames of a film by its number, in the size that the model sees.
pub type ReadFilm<'a> = &'a dyn Fn(usize) -> Result<FrameBuffer, DataError>;

/// Scores every film and compares possible with impossible ones. The results are a function of films, weights, options and seed alone.
///
/// `progress` is told how many films are done.
///
/// # Errors
/// If the model is not a masked one, the options do not fit its clips, a film cannot be read or is too short, no group has both possible and
/// impossible films, or a prediction is not finite.
pub fn surprise(
    model: &dyn FrozenModel,
    films: &[Film],
    read: ReadFilm<'_>,
    options: &SurpriseOptions,
    seed: u64,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<SurpriseResults, EvalError> {
    let windows = Windows::new(model, options)?;
    let groups = compare::groups(films)?;
    let mut scores = Vec::with_capacity(films.len());
    for (index, film) in films.iter().enumerate() {
        progress(index, films.len());
        scores.push(score::score(model, &windows, &film.name, &read(index)?)?);
    }
    progress(films.len(), films.len());
    Ok(results::collect(&windows, films, &groups, scores, seed))
}
