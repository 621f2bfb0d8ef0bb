//! `retrieval`: how near the nearest row of the same class is, in other videos.

use serde_json::Value;

use super::cosine;
use crate::EvalError;
use crate::probing::{Measured, ProbeData, ProbeHead};

/// Ranks all training and validation rows by the cosine of standardised vectors; nothing is learned or chosen.
pub(super) struct Retrieval;

impl ProbeHead for Retrieval {
    fn measure(&self, data: &ProbeData<'_>, progress: &mut dyn FnMut(f64)) -> Result<Measured, EvalError> {
        let fold = data.fold;
        let vectors = data.features.vectors(&fold.training);
        let others = fold.training.iter().chain(&fold.validation);
        let gallery: Vec<(usize, Vec<f32>)> = others.map(|&row| (data.classes[row], vectors.row(row))).collect();
        let (mut top1, mut mrr) = (Vec::new(), Vec::new());
        for (place, &row) in fold.test.iter().enumerate() {
            let reciprocal = reciprocal_rank(&vectors.row(row), data.classes[row], &gallery);
            top1.push(f64::from(u8::from(reciprocal == 1.0)));
            mrr.push(reciprocal);
            progress(place as f64 / fold.test.len() as f64);
        }
        Ok(Measured { metrics: vec![("top1", top1), ("mrr", mrr)], chosen: Value::Null })
    }
}

/// One over the rank of the nearest row of the class; others as near come first, so that features that are all alike score last. 0 if there
/// is none.
fn reciprocal_rank(vector: &[f32], class: usize, gallery: &[(usize, Vec<f32>)]) -> f64 {
    let near: Vec<(bool, f64)> = gallery.iter().map(|(of, other)| (*of == class, cosine(vector, other))).collect();
    let nearest = near.iter().filter(|(same, _)| *same).map(|(_, near)| *near).fold(f64::MIN, f64::max);
    if nearest == f64::MIN {
        return 0.0;
    }
    let before = near.iter().filter(|(same, near)| !same && *near >= nearest).count();
    1.0 / (1 + before) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_match_hand_computed_values() {
        let gallery = [(0, vec![1.0, 0.0]), (0, vec![1.0, 0.1]), (1, vec![1.0, 0.2]), (1, vec![0.0, 1.0])];
        let rank = |class| reciprocal_rank(&[1.0, 0.0], class, &gallery);
        assert_eq!((rank(0), rank(1), rank(2)), (1.0, 1.0 / 3.0, 0.0));
        let alike = [(0, vec![1.0, 0.0]), (1, vec![1.0, 0.0]), (1, vec![1.0, 0.0])];
        assert_eq!(reciprocal_rank(&[1.0, 0.0], 0, &alike), 1.0 / 3.0);
    }
}
