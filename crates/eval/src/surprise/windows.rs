//! Where the windows of a film lie, and how much of each is context.

use prevision_core::config::check::{check, ensure};
use prevision_model::FrozenModel;

use crate::EvalError;

/// How films are cut into windows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SurpriseOptions {
    /// Lengths of the context in frames of a window, each a multiple of the model's tubelets. Empty: every multiple up to 5/8 of the window,
    /// as 2, 4, 6, 8 and 10 of 16 frames in the source.
    pub contexts: Vec<usize>,
    /// Frames of the film from the begin of one window to that of the next. `None`: 2, as in the source.
    pub stride: Option<usize>,
    /// Frames of the film from one frame of a window to the next. `None`: as in training.
    pub step: Option<usize>,
    /// Windows encoded at once; at least 1 is.
    pub batch_size: usize,
}

/// The windows of films for one model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Windows {
    /// Frames of a window.
    pub frames: usize,
    /// Frames of a moment that the model encodes, a tubelet.
    pub tubelet: usize,
    /// Frames of the film from one frame of a window to the next.
    pub step: usize,
    /// Frames of the film from one window to the next.
    pub stride: usize,
    /// Lengths of the context, frames of a window, ascending and each once.
    pub contexts: Vec<usize>,
    /// Windows encoded at once.
    pub batch_size: usize,
}

impl Windows {
    /// Those that fit a model.
    ///
    /// # Errors
    /// If it is not a masked model, or a number does not fit its clips.
    pub fn new(model: &dyn FrozenModel, options: &SurpriseOptions) -> Result<Self, EvalError> {
        let spaces = model.spaces();
        let (longest, unit) = model.longest_horizon();
        if unit != "tubelets" {
            let message = "surprise needs a model that predicts hidden tubelets (model.kind = \"masked\")";
            return Err(EvalError::Config(message.to_owned()));
        }
        Self::of([spaces.frames, spaces.frames / (longest + 1)], spaces.frame_step, options).map_err(EvalError::Config)
    }

    /// Those of windows of `[frames, frames of a tubelet]`, with frames `frame_step` apart in training.
    fn of([frames, tubelet]: [usize; 2], frame_step: usize, options: &SurpriseOptions) -> Result<Self, String> {
        let mut contexts = options.contexts.clone();
        if contexts.is_empty() {
            let longest = (frames * 5 / 8).max(tubelet).min(frames - tubelet);
            contexts = (tubelet..=longest).step_by(tubelet).collect();
        }
        contexts.sort_unstable();
        contexts.dedup();
        for &context in &contexts {
            let allowed = format!("a multiple of {tubelet} (the tubelet) from {tubelet} to {}", frames - tubelet);
            let fits = context > 0 && context.is_multiple_of(tubelet) && context < frames;
            ensure(fits, "contexts", context, allowed)?;
        }
        ensure(!contexts.is_empty(), "contexts", "[]", format!("possible: the model sees {frames} frames at once"))?;
        let (step, stride) = (options.step.unwrap_or(frame_step), options.stride.unwrap_or(2));
        check("step", step as f64).at_least(1.0)?;
        check("stride", stride as f64).at_least(1.0)?;
        Ok(Self { frames, tubelet, step, stride, contexts, batch_size: options.batch_size.max(1) })
    }

    /// Frames of a film that a window takes up: each of its frames stands for `step` of them, as in clips.
    pub fn span(&self) -> usize {
        self.frames * self.step
    }

    /// The first frames of the windows of a film of so many frames.
    pub fn starts(&self, length: usize) -> Vec<usize> {
        match length.checked_sub(self.span()) {
            Some(last) => (0..=last).step_by(self.stride).collect(),
            None => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_default_contexts_are_those_of_the_source() {
        let windows = Windows::of([16, 2], 1, &SurpriseOptions::default()).unwrap();
        assert_eq!((windows.contexts.as_slice(), windows.stride, windows.step), ([2, 4, 6, 8, 10].as_slice(), 2, 1));
        assert_eq!(Windows::of([12, 2], 2, &SurpriseOptions::default()).unwrap().contexts, [2, 4, 6]);
        assert_eq!(Windows::of([4, 2], 2, &SurpriseOptions::default()).unwrap().contexts, [2]);
    }

    #[test]
    fn windows_begin_every_stride_and_end_within_the_film() {
        let options = SurpriseOptions { contexts: vec![4, 2, 4], step: Some(2), ..SurpriseOptions::default() };
        let windows = Windows::of([6, 2], 1, &options).unwrap();
        assert_eq!((windows.span(), windows.contexts.as_slice()), (12, [2, 4].as_slice()));
        assert_eq!(windows.starts(11), Vec::<usize>::new());
        assert_eq!(windows.starts(12), [0]);
        assert_eq!(windows.starts(17), [0, 2, 4]);
    }

    #[test]
    fn contexts_that_do_not_fit_are_named() {
        let refused = |contexts: &[usize]| {
            let options = SurpriseOptions { contexts: contexts.to_vec(), ..SurpriseOptions::default() };
            Windows::of([12, 2], 1, &options).unwrap_err()
        };
        assert_eq!(refused(&[2, 3]), "contexts is 3, but must be a multiple of 2 (the tubelet) from 2 to 10");
        assert_eq!(refused(&[12]), "contexts is 12, but must be a multiple of 2 (the tubelet) from 2 to 10");
        assert_eq!(refused(&[0]), "contexts is 0, but must be a multiple of 2 (the tubelet) from 2 to 10");
    }
}
