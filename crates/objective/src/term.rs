//! What a term of the objective is.

use burn::prelude::*;
use prevision_core::Spaces;
use prevision_core::config::Registry;
use prevision_core::config::check::message;

use crate::{Needs, Seen};

/// A term of the objective: a loss with its keys. Its weight is not its own business.
pub trait Term: Send + Sync {
    /// What it needs of the model and of the batch.
    fn needs(&self) -> Needs;

    /// Checks that it can be computed of clips of these streams. `key` is the full key of its table, `objective.NAME`.
    ///
    /// # Errors
    /// The key at fault, its value and what the clips allow.
    fn validate(&self, key: &str, spaces: &Spaces) -> Result<(), String> {
        let _ = (key, spaces);
        Ok(())
    }

    /// Its value, before weighting; nothing is read back from the device.
    ///
    /// # Shapes
    /// - output: `[1]`
    ///
    /// # Panics
    /// If something that it needs is absent.
    fn value(&self, seen: &Seen<'_>) -> Tensor<1>;
}

/// What is needed and a function of what is seen are a term that can be computed of all clips.
impl<F: Fn(&Seen<'_>) -> Tensor<1> + Send + Sync> Term for (Needs, F) {
    fn needs(&self) -> Needs {
        self.0
    }

    fn value(&self, seen: &Seen<'_>) -> Tensor<1> {
        (self.1)(seen)
    }
}

/// What terms are made with beside their keys: nothing.
pub type TermContext = ();

/// The terms that are registered. They are summed in the order of registration.
pub type Terms = Registry<TermContext, Box<dyn Term>>;

/// Checks that clips have two moments to compare.
pub(crate) fn two_frames(key: &str, spaces: &Spaces) -> Result<(), String> {
    if spaces.frames >= 2 {
        return Ok(());
    }
    Err(message("data.frames", spaces.frames, format_args!("2 or more for {key}")))
}
