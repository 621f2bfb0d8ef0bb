//! The terms of one step, by name.

use burn::prelude::*;

/// The loss of one step and what it is made of.
#[derive(Clone, Debug)]
pub struct LossTerms {
    /// The sum of the terms times their weights, `[1]`: what is differentiated.
    pub total: Tensor<1>,
    /// Every computed term before weighting, `[1]` each, under its configuration key, in a fixed order.
    pub terms: Vec<(String, Tensor<1>)>,
}
