//! Whether clips fit a model.

use prevision_core::Spaces;
use prevision_core::config::check::ensure;
use prevision_model::FrozenModel;

use crate::{EvalConfig, EvalError, Evaluation};

/// The configured horizons that clips allow, ascending and each once.
pub(crate) fn horizons(model: &dyn FrozenModel, config: &EvalConfig) -> Vec<usize> {
    let (longest, _) = model.longest_horizon();
    let mut horizons: Vec<usize> = config.horizons.iter().copied().filter(|&horizon| horizon <= longest).collect();
    horizons.sort_unstable();
    horizons.dedup();
    horizons
}

/// Refuses clips of other streams, or of another length, than those that the model was trained on.
pub(crate) fn check_spaces(model: &Spaces, clips: &Spaces) -> Result<(), EvalError> {
    let (trained, found) = (model.streams(), clips.streams());
    if trained != found {
        return Err(EvalError::Config(format!("the model was trained on {trained}, but the clips have {found}")));
    }
    let allowed = format_args!("{}, as in training", model.frames);
    ensure(model.frames == clips.frames, "data.frames", clips.frames, allowed).map_err(EvalError::Config)
}

/// Checks that predictions are possible: a horizon fits, and there are the actions that the model takes.
pub(crate) fn check_predictions(evaluation: &Evaluation<'_>) -> Result<(), EvalError> {
    let (trained, clips) = (evaluation.model.spaces(), evaluation.spaces);
    if evaluation.horizons.is_empty() {
        let (longest, unit) = evaluation.model.longest_horizon();
        let allowed = match longest {
            0 => format!("empty: clips of {} frames (data.frames) have no {unit} to predict", clips.frames),
            _ => format!("{longest} {unit} or less for clips of {} frames (data.frames)", clips.frames),
        };
        let asked = format!("{:?}", evaluation.config.horizons);
        return ensure(false, "eval.horizons", asked, allowed).map_err(EvalError::Config);
    }
    let takes = |spaces: &Spaces| match (&spaces.action, spaces.frame_step) {
        (None, _) => "no actions".to_owned(),
        (Some(action), 1) => format!("actions of {action}"),
        (Some(action), step) => format!("actions of {step} times {action}"),
    };
    if trained.action.is_some() && trained.action_width() != clips.action_width() {
        let (trained, found) = (takes(trained), takes(clips));
        return Err(EvalError::Config(format!("the model was trained with {trained}, but the clips have {found}")));
    }
    Ok(())
}
