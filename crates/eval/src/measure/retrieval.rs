//! Retrieval: is a predicted latent nearest to its own future?

use serde::Serialize;

use super::latents::squared_error;
use crate::Latents;

/// How well predictions find their own future among the futures of all clips at the same horizon.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Retrieval {
    /// Share of predictions nearest to their own future, at the longest horizon.
    pub top1: f64,
    /// Mean reciprocal rank of the own future, at the longest horizon.
    pub mrr: f64,
    /// Futures to choose from.
    pub candidates: usize,
    /// The same for every horizon.
    pub horizons: Vec<RetrievalAt>,
}

/// Retrieval at one horizon.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RetrievalAt {
    /// Steps ahead.
    pub horizon: usize,
    /// Share of predictions nearest to their own future.
    pub top1: f64,
    /// Mean reciprocal rank of the own future.
    pub mrr: f64,
}

/// Ranks, for every clip and horizon, the own future among the futures of all clips by Euclidean distance to the
/// prediction. Other futures at the same distance come first, so collapsed latents score last, not first.
///
/// # Shapes
/// - predicted: `[clips, k, dim]`, the latents 1 to `k` steps ahead
/// - futures: `[clips, k, dim]`, what came
///
/// # Panics
/// If the shapes differ, there are no horizons, or one is not in `1..=k`.
pub fn retrieval(predicted: &Latents, futures: &Latents, horizons: &[usize]) -> Retrieval {
    let shape = |latents: &Latents| (latents.clips(), latents.steps(), latents.dim());
    assert_eq!(shape(predicted), shape(futures), "predictions and futures differ");
    let clips = futures.clips();
    let at = |&horizon: &usize| {
        let step = horizon - 1;
        let ranks: Vec<usize> = (0..clips)
            .map(|clip| {
                let distance = |other: usize| squared_error(predicted.at(clip, step), futures.at(other, step));
                let own = distance(clip);
                1 + (0..clips).filter(|&other| other != clip && distance(other) <= own).count()
            })
            .collect();
        RetrievalAt {
            horizon,
            top1: ranks.iter().filter(|&&rank| rank == 1).count() as f64 / clips as f64,
            mrr: ranks.iter().map(|&rank| 1.0 / rank as f64).sum::<f64>() / clips as f64,
        }
    };
    let horizons: Vec<RetrievalAt> = horizons.iter().map(at).collect();
    let longest = horizons.iter().max_by_key(|entry| entry.horizon).expect("at least one horizon");
    Retrieval { top1: longest.top1, mrr: longest.mrr, candidates: clips, horizons }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_match_hand_computed_values() {
        let futures = Latents::from_values(vec![0.0, 1.0, 10.0], 1, 1);
        // Nearest first: clip 0 {0, 1, 10}; clip 1 {10, 1, 0} so its own is second; clip 2 {0, 1, 10} so its own is third.
        let predicted = Latents::from_values(vec![0.1, 9.0, 0.2], 1, 1);
        let found = retrieval(&predicted, &futures, &[1]);
        assert!((found.top1 - 1.0 / 3.0).abs() < 1e-12);
        assert!((found.mrr - (1.0 + 0.5 + 1.0 / 3.0) / 3.0).abs() < 1e-12);
        assert_eq!(found.candidates, 3);
    }

    #[test]
    fn the_summary_is_of_the_longest_horizon() {
        let futures = Latents::from_values(vec![0.0, 0.0, 5.0, 5.0], 2, 1);
        let predicted = Latents::from_values(vec![5.0, 0.0, 0.0, 5.0], 2, 1);
        let found = retrieval(&predicted, &futures, &[2, 1]);
        assert_eq!((found.top1, found.mrr), (1.0, 1.0));
        assert_eq!((found.horizons[1].top1, found.horizons[1].mrr), (0.0, 0.5));
    }

    #[test]
    fn collapsed_latents_score_last() {
        let same = Latents::from_values(vec![3.0; 4], 1, 1);
        let found = retrieval(&same, &same, &[1]);
        assert_eq!((found.top1, found.mrr), (0.0, 0.25));
    }
}
