//! The terms of one step, by name.

use burn::prelude::*;

/// The loss of one step and what it is made of.
#[derive(Clone, Debug)]
pub struct LossTerms {
    /// The sum of the terms times their weights, `[1]`: what is differentiated.
    pub total: Tensor<1>,
    /// Every computed term before weighting, `[1]` each, under its configuration key, in a fixed order.
    pub terms: Vec<(&'static str, Tensor<1>)>,
}

/// Collects terms and their weighted sum.
#[derive(Default)]
pub(crate) struct Sum {
    total: Option<Tensor<1>>,
    terms: Vec<(&'static str, Tensor<1>)>,
}

impl Sum {
    /// Adds a term, unless its weight is 0: then it is not even computed.
    pub(crate) fn add(&mut self, name: &'static str, weight: f64, term: impl FnOnce() -> Tensor<1>) {
        if weight > 0.0 {
            let term = term();
            let weighted = term.clone() * weight;
            self.total = Some(match self.total.take() {
                Some(total) => total + weighted,
                None => weighted,
            });
            self.terms.push((name, term.detach()));
        }
    }

    /// # Panics
    /// If no term was added; `ObjectiveConfig::validate` refuses such a configuration.
    pub(crate) fn finish(self) -> LossTerms {
        LossTerms { total: self.total.expect("an objective has at least one weight above 0"), terms: self.terms }
    }
}
