//! Training and validation videos.

use std::path::Path;

use prevision_core::seed;
use rand::Rng;
use serde::{Deserialize, Serialize};

use crate::{DataConfig, DataError, SkippedFile};

/// Which part of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Split {
    /// The videos to learn from.
    Train,
    /// The videos kept aside.
    Validation,
}

/// The videos of a side, of those that are `usable` (ascending); an error that names the source at `path` if there is none. Those that
/// are known to be too `short` for a clip are left out before, so that a small side is not left with nothing else.
pub(crate) fn side(
    config: &DataConfig,
    path: &Path,
    usable: &[usize],
    short: &[SkippedFile],
    split: Split,
    seed: u64,
) -> Result<Vec<usize>, DataError> {
    if usable.is_empty() && !short.is_empty() {
        let allowed = config.max_broken_fraction;
        return Err(DataError::TooManyBroken { skipped: short.to_vec(), videos: short.len(), allowed });
    }
    let side = self::split(seed, usable, config.validation_fraction, split);
    if side.is_empty() {
        let name = if split == Split::Train { "training" } else { "validation" };
        let message = format!(
            "no video is left for {name}: {} in all, data.validation_fraction is {}",
            usable.len(),
            config.validation_fraction
        );
        return Err(DataError::Empty { path: path.to_owned(), message });
    }
    Ok(side)
}

/// The videos of one side, ascending. A video is decided by the hash of (seed, index) alone, so that adding videos at the end
/// moves none of the others; except that with two or more videos, and a fraction above 0, neither side is left empty: the
/// video nearest to the other side goes over.
pub(crate) fn split(seed: u64, videos: &[usize], fraction: f64, side: Split) -> Vec<usize> {
    let draws: Vec<f64> =
        videos.iter().map(|&video| seed::rng(seed, "split", 0, video as u64).random::<f64>()).collect();
    let mut threshold = fraction;
    let extreme = |start: f64, pick: fn(f64, f64) -> f64| draws.iter().copied().fold(start, pick);
    let (smallest, largest) = (extreme(f64::MAX, f64::min), extreme(0.0, f64::max));
    if videos.len() >= 2 && fraction > 0.0 {
        if smallest >= threshold {
            threshold = smallest.next_up();
        } else if largest < threshold {
            threshold = largest;
        }
    }
    let chosen = |&(_, draw): &(&usize, f64)| (draw < threshold) == (side == Split::Validation);
    videos.iter().zip(draws).filter(chosen).map(|(&video, _)| video).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn sides_are_disjoint_complete_and_not_empty(seed: u64, videos in 0_usize..60, fraction in 0.0_f64..0.99) {
            let all: Vec<usize> = (0..videos).collect();
            let train = split(seed, &all, fraction, Split::Train);
            let validation = split(seed, &all, fraction, Split::Validation);
            let mut both = [train.clone(), validation.clone()].concat();
            both.sort_unstable();
            prop_assert_eq!(both, all);
            if videos >= 2 && fraction > 0.0 {
                prop_assert!(!train.is_empty() && !validation.is_empty());
            }
        }
    }

    #[test]
    fn the_fraction_is_kept_and_growing_moves_nothing() {
        let all: Vec<usize> = (0..2000).collect();
        let some = split(7, &all[..1000], 0.1, Split::Validation);
        assert!((70..130).contains(&some.len()), "{}", some.len());
        let more = split(7, &all, 0.1, Split::Validation);
        assert_eq!(some, more.iter().copied().filter(|&video| video < 1000).collect::<Vec<_>>());
        assert_ne!(some, split(8, &all[..1000], 0.1, Split::Validation));
        // Leaving some out moves none of the others.
        let even: Vec<usize> = (0..2000).step_by(2).collect();
        assert_eq!(
            split(7, &even, 0.1, Split::Validation),
            more.into_iter().filter(|v| v % 2 == 0).collect::<Vec<_>>()
        );
    }

    #[test]
    fn no_validation_and_a_single_video() {
        assert_eq!(split(0, &[0, 1, 2, 3, 4], 0.0, Split::Validation), [0_usize; 0]);
        assert_eq!(split(0, &[0, 1, 2, 3, 4], 0.0, Split::Train), [0, 1, 2, 3, 4]);
        assert_eq!(split(0, &[0], 0.3, Split::Train).len() + split(0, &[0], 0.3, Split::Validation).len(), 1);
    }
}
