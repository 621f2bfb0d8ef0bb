//! Losses that wait on the device until they are read together.

use std::collections::BTreeMap;

use burn::tensor::Tensor;
use prevision_objective::LossTerms;

use crate::team::average;
use crate::{Team, TrainError};

/// The losses of the steps since the last reading; on the device, off the tape.
#[derive(Default)]
pub(crate) struct Window {
    /// Step, name of the term, value `[1]`.
    entries: Vec<(u64, String, Tensor<1>)>,
}

/// Name under which the total is listed among the terms.
pub(crate) const TOTAL: &str = "total";
/// Name under which the gradients' norm waits with the terms.
const NORM: &str = "gradient norm";

/// The means over a window.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Reading {
    /// The total loss and the unweighted terms.
    pub(crate) loss: BTreeMap<String, f64>,
    /// Norm of all gradients before clipping.
    pub(crate) gradient_norm: f64,
}

/// A term that is not finite, and its step.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct NotFinite {
    pub(crate) step: u64,
    pub(crate) term: String,
    pub(crate) value: f32,
}

impl Window {
    /// Notes the terms of a batch of `step`.
    pub(crate) fn push_terms(&mut self, step: u64, terms: LossTerms) {
        for (name, value) in terms.terms {
            self.entries.push((step, name, value.without_autodiff()));
        }
        self.entries.push((step, TOTAL.to_owned(), terms.total.without_autodiff()));
    }

    /// Notes the gradients' norm of `step`.
    pub(crate) fn push_norm(&mut self, step: u64, norm: Tensor<1>) {
        self.entries.push((step, NORM.to_owned(), norm));
    }

    /// Reads everything in one transfer, empties the window and gives the means over it and over the team, or else the first value
    /// that is not finite.
    pub(crate) fn read(&mut self, team: &dyn Team) -> Result<Result<Reading, NotFinite>, TrainError> {
        if self.entries.is_empty() {
            return Ok(Ok(Reading::default()));
        }
        let (labels, tensors): (Vec<_>, Vec<_>) =
            self.entries.drain(..).map(|(step, name, value)| ((step, name), value)).unzip();
        let mut values: Vec<f32> =
            Tensor::cat(tensors, 0).try_into_vec_as().map_err(|error| TrainError::Device(error.to_string()))?;
        average(team, &mut values)?;
        let mut sums: BTreeMap<String, (f64, usize)> = BTreeMap::new();
        for ((step, name), value) in labels.into_iter().zip(values) {
            if !value.is_finite() {
                let term = if name == NORM { name } else { format!("loss term `{name}`") };
                return Ok(Err(NotFinite { step, term, value }));
            }
            let (sum, count) = sums.entry(name).or_default();
            *sum += f64::from(value);
            *count += 1;
        }
        let mut means: BTreeMap<String, f64> =
            sums.into_iter().map(|(name, (sum, count))| (name, sum / count as f64)).collect();
        let gradient_norm = means.remove(NORM).unwrap_or_default();
        Ok(Ok(Reading { loss: means, gradient_norm }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Alone;
    use burn::tensor::Device;

    fn scalar(value: f32) -> Tensor<1> {
        Tensor::from_floats([value], &Device::flex())
    }

    fn terms(total: f32, prediction: f32) -> LossTerms {
        LossTerms { total: scalar(total), terms: vec![("prediction".into(), scalar(prediction))] }
    }

    #[test]
    fn means_of_the_window_then_empty() {
        let mut window = Window::default();
        window.push_terms(1, terms(1.0, 0.5));
        window.push_norm(1, scalar(4.0));
        window.push_terms(2, terms(3.0, 2.5));
        window.push_norm(2, scalar(8.0));
        let reading = window.read(&Alone).unwrap().unwrap();
        assert_eq!(reading.loss, BTreeMap::from([("total".into(), 2.0), ("prediction".into(), 1.5)]));
        assert_eq!(reading.gradient_norm, 6.0);
        assert_eq!(window.read(&Alone).unwrap().unwrap(), Reading::default());
    }

    #[test]
    fn the_first_bad_term_is_named_with_its_step() {
        let mut window = Window::default();
        window.push_terms(6, terms(1.0, 0.5));
        window.push_terms(7, terms(f32::INFINITY, f32::NAN));
        let bad = window.read(&Alone).unwrap().unwrap_err();
        assert_eq!((bad.step, bad.term.as_str()), (7, "loss term `prediction`"));
        assert!(bad.value.is_nan());
    }
}
