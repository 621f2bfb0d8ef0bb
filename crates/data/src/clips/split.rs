//! Training and validation videos.

use std::path::Path;

use prevision_core::seed;
use rand::Rng;
use serde::{Deserialize, Serialize};

use crate::{DataConfig, DataError};

/// Which part of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Split {
    /// The videos to learn from.
    Train,
    /// The videos kept aside.
    Validation,
}

/// The videos of a side; an error that names the source at `path` if there is none.
pub(crate) fn side(
    config: &DataConfig,
    path: &Path,
    videos: usize,
    split: Split,
    seed: u64,
) -> Result<Vec<usize>, DataError> {
    let side = self::split(seed, videos, config.validation_fraction, split);
    if side.is_empty() {
        let name = if split == Split::Train { "training" } else { "validation" };
        let message = format!(
            "no video is left for {name}: {videos} in all, data.validation_fraction is {}",
            config.validation_fraction
        );
        return Err(DataError::Empty { path: path.to_owned(), message });
    }
    Ok(side)
}

/// The videos of one side, ascending. A video is decided by the hash of (seed, index) alone, so that adding videos at the end
/// moves none of the others; except that with two or more videos, and a fraction above 0, neither side is left empty: the
/// video nearest to the other side goes over.
fn split(seed: u64, videos: usize, fraction: f64, side: Split) -> Vec<usize> {
    let draws: Vec<f64> = (0..videos).map(|video| seed::rng(seed, "split", 0, video as u64).random::<f64>()).collect();
    let mut threshold = fraction;
    let extreme = |start: f64, pick: fn(f64, f64) -> f64| draws.iter().copied().fold(start, pick);
    let (smallest, largest) = (extreme(f64::MAX, f64::min), extreme(0.0, f64::max));
    if videos >= 2 && fraction > 0.0 {
        if smallest >= threshold {
            threshold = smallest.next_up();
        } else if largest < threshold {
            threshold = largest;
        }
    }
    (0..videos).filter(|&video| (draws[video] < threshold) == (side == Split::Validation)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn sides_are_disjoint_complete_and_not_empty(seed: u64, videos in 0_usize..60, fraction in 0.0_f64..0.99) {
            let train = split(seed, videos, fraction, Split::Train);
            let validation = split(seed, videos, fraction, Split::Validation);
            let mut all = [train.clone(), validation.clone()].concat();
            all.sort_unstable();
            prop_assert_eq!(all, (0..videos).collect::<Vec<_>>());
            if videos >= 2 && fraction > 0.0 {
                prop_assert!(!train.is_empty() && !validation.is_empty());
            }
        }
    }

    #[test]
    fn the_fraction_is_kept_and_growing_moves_nothing() {
        let some = split(7, 1000, 0.1, Split::Validation);
        assert!((70..130).contains(&some.len()), "{}", some.len());
        let more = split(7, 2000, 0.1, Split::Validation);
        assert_eq!(some, more.into_iter().filter(|&video| video < 1000).collect::<Vec<_>>());
        assert_ne!(some, split(8, 1000, 0.1, Split::Validation));
    }

    #[test]
    fn no_validation_and_a_single_video() {
        assert_eq!(split(0, 5, 0.0, Split::Validation), [0_usize; 0]);
        assert_eq!(split(0, 5, 0.0, Split::Train), [0, 1, 2, 3, 4]);
        assert_eq!(split(0, 1, 0.3, Split::Train).len() + split(0, 1, 0.3, Split::Validation).len(), 1);
    }
}
