//! A suite out of a function.

use serde_json::{Value, json};

use crate::{EvalError, Evaluation, Needs, Seen, Suite};

/// The mean over batches of a function of what is seen: a suite of one number.
pub struct MeanOf<F> {
    name: &'static str,
    of: F,
    sum: f64,
    batches: usize,
}

impl<F: Fn(&Seen<'_>) -> f64 + Send + Sync> MeanOf<F> {
    /// The number under this name in the results.
    pub fn new(name: &'static str, of: F) -> Self {
        Self { name, of, sum: 0.0, batches: 0 }
    }
}

impl<F: Fn(&Seen<'_>) -> f64 + Send + Sync> Suite for MeanOf<F> {
    fn needs(&self, _: &Evaluation<'_>) -> Option<Needs> {
        Some(Needs::default())
    }

    fn measure(&mut self, seen: &Seen<'_>) -> Result<(), EvalError> {
        self.sum += (self.of)(seen);
        self.batches += 1;
        Ok(())
    }

    fn finish(&mut self, _: &Evaluation<'_>) -> Result<Value, EvalError> {
        Ok(json!({ self.name: self.sum / self.batches as f64 }))
    }
}
