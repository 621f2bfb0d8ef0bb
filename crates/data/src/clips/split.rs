//! Training and validation videos.

use std::collections::{HashMap, HashSet};
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

/// Of each video of a list the first one whose path differs at most in its extension: it is held to be the same video in another container.
pub(crate) fn originals<'a>(paths: impl Iterator<Item = &'a Path>) -> Vec<usize> {
    let mut first = HashMap::new();
    paths.enumerate().map(|(video, path)| *first.entry(path.with_extension("")).or_insert(video)).collect()
}

/// The videos of a side, of those that are `usable` (ascending), copies with their [`originals`] (empty: there are none); an error that names the source at `path` if there is none. Those that
/// are known to be too `short` for a clip are left out before, so that a small side is not left with nothing else.
pub(crate) fn side(
    config: &DataConfig,
    path: &Path,
    (usable, originals): (&[usize], &[usize]),
    short: &[SkippedFile],
    split: Split,
    seed: u64,
) -> Result<Vec<usize>, DataError> {
    if usable.is_empty() && !short.is_empty() {
        let allowed = config.max_broken_fraction;
        return Err(DataError::TooManyBroken { skipped: short.to_vec(), videos: short.len(), allowed });
    }
    let side = self::split(seed, usable, originals, config.validation_fraction, split);
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
/// video nearest to the other side goes over. Copies go with the first of them: `originals` has its index for each video of the whole list,
/// or is empty where none has a copy.
pub(crate) fn split(seed: u64, videos: &[usize], originals: &[usize], fraction: f64, side: Split) -> Vec<usize> {
    let original = |video: usize| originals.get(video).copied().unwrap_or(video);
    // Copies of a single video are told apart: there is nothing else.
    let one = videos.iter().map(|&video| original(video)).collect::<HashSet<_>>().len() < 2;
    let draw = |&video: &usize| {
        let video = if one { video } else { original(video) };
        seed::rng(seed, "split", 0, video as u64).random::<f64>()
    };
    let draws: Vec<f64> = videos.iter().map(draw).collect();
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
            let train = split(seed, &all, &[], fraction, Split::Train);
            let validation = split(seed, &all, &[], fraction, Split::Validation);
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
        let some = split(7, &all[..1000], &[], 0.1, Split::Validation);
        assert!((70..130).contains(&some.len()), "{}", some.len());
        let more = split(7, &all, &[], 0.1, Split::Validation);
        assert_eq!(some, more.iter().copied().filter(|&video| video < 1000).collect::<Vec<_>>());
        assert_ne!(some, split(8, &all[..1000], &[], 0.1, Split::Validation));
        // Leaving some out moves none of the others.
        let even: Vec<usize> = (0..2000).step_by(2).collect();
        assert_eq!(
            split(7, &even, &[], 0.1, Split::Validation),
            more.into_iter().filter(|v| v % 2 == 0).collect::<Vec<_>>()
        );
    }

    #[test]
    fn copies_in_other_containers_stay_together() {
        let names: Vec<String> = (0..200).map(|video| format!("{}/{}.{video}", video % 3, video / 10)).collect();
        let originals = originals(names.iter().map(Path::new));
        assert_eq!(originals[..13], [0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 10, 11, 12]);
        let all: Vec<usize> = (0..200).collect();
        let held_out = split(3, &all, &originals, 0.3, Split::Validation);
        assert!(all.iter().all(|video| held_out.contains(video) == held_out.contains(&originals[*video])));
        assert!((30..90).contains(&held_out.len()), "{}", held_out.len());
        // Too short or broken as it may be, the first one decides.
        let later = split(3, &all[100..], &originals, 0.3, Split::Validation);
        assert_eq!(later, held_out.into_iter().filter(|&video| video >= 100).collect::<Vec<_>>());
        let copies = |side| split(3, &[0, 3, 6], &originals, 0.3, side).len();
        assert!(copies(Split::Train) > 0 && copies(Split::Validation) > 0, "of one video alone neither side is empty");
    }

    #[test]
    fn no_validation_and_a_single_video() {
        assert_eq!(split(0, &[0, 1, 2, 3, 4], &[], 0.0, Split::Validation), [0_usize; 0]);
        assert_eq!(split(0, &[0, 1, 2, 3, 4], &[], 0.0, Split::Train), [0, 1, 2, 3, 4]);
        let count = |side| split(0, &[0], &[], 0.3, side).len();
        assert_eq!(count(Split::Train) + count(Split::Validation), 1);
    }
}
