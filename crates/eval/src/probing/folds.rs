//! Training, validation and test rows, by source video.

use std::collections::BTreeMap;

use prevision_core::seed;
use rand::seq::SliceRandom;

/// Groups of videos where one is tested.
const GROUPS: usize = 5;
/// Videos from which on one group is tested instead of all in turn.
const MANY: usize = 200;

/// Rows of features, each of one view of a video.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    /// The class of each row, from 0.
    pub classes: Vec<usize>,
    /// The video of each row, from 0.
    pub videos: Vec<usize>,
}

/// The rows of one split. No video has rows in two of the lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fold {
    /// Rows to learn from.
    pub training: Vec<usize>,
    /// Rows to choose by.
    pub validation: Vec<usize>,
    /// Rows to report.
    pub test: Vec<usize>,
}

/// Splits rows by video. The videos are dealt to groups, class by class in a random order of the seed. With `count` folds every group is
/// tested once, the next one chooses, and the others are learned from; with one fold that is done for the first of five groups. Without a
/// number: one fold from 200 videos on, else five, or as many as there are videos.
///
/// # Errors
/// If there are fewer videos than groups, or than three.
pub fn folds(rows: &Rows, count: Option<usize>, seed: u64) -> Result<Vec<Fold>, String> {
    // Views of all classes make a video of the class of its first view.
    let mut classes: BTreeMap<usize, usize> = BTreeMap::new();
    for (&video, &class) in rows.videos.iter().zip(&rows.classes) {
        classes.entry(video).or_insert(class);
    }
    let mut videos: Vec<(usize, usize)> = classes.into_iter().collect();
    let count = count.unwrap_or(if videos.len() >= MANY { 1 } else { GROUPS.min(videos.len()) });
    let groups = if count == 1 { GROUPS } else { count };
    if groups < 3 || videos.len() < groups {
        return Err(format!("{} videos that can be used, expected {} or more to split", videos.len(), groups.max(3)));
    }
    videos.shuffle(&mut seed::rng(seed, "probe-folds", 0, 0));
    videos.sort_by_key(|(_, class)| *class);
    let group: BTreeMap<usize, usize> =
        videos.iter().enumerate().map(|(place, (video, _))| (*video, place % groups)).collect();
    let of = |wanted: &dyn Fn(usize) -> bool| -> Vec<usize> {
        (0..rows.videos.len()).filter(|&row| wanted(group[&rows.videos[row]])).collect()
    };
    let fold = |test: usize| {
        let validation = (test + 1) % groups;
        Fold {
            training: of(&|group| group != test && group != validation),
            validation: of(&|group| group == validation),
            test: of(&|group| group == test),
        }
    };
    Ok((0..count).map(fold).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn rows(videos: usize, each: usize, classes: usize) -> Rows {
        let videos: Vec<usize> = (0..videos * each).map(|row| row / each).collect();
        Rows { classes: videos.iter().map(|video| video % classes).collect(), videos }
    }

    proptest! {
        #[test]
        fn no_video_is_on_two_sides_and_all_are_tested(seed: u64, videos in 3_usize..40, each in 1_usize..4) {
            let rows = rows(videos, each, 2);
            let folds = folds(&rows, None, seed).unwrap();
            prop_assert_eq!(folds.len(), videos.min(5));
            let mut tested = vec![];
            for Fold { training, validation, test } in &folds {
                let sides = [training, validation, test].map(|side| side.iter().map(|&row| rows.videos[row]).collect::<BTreeSet<_>>());
                prop_assert!(sides.iter().all(|side| !side.is_empty()));
                prop_assert_eq!(sides.iter().map(BTreeSet::len).sum::<usize>(), videos);
                prop_assert_eq!(sides.iter().flatten().collect::<BTreeSet<_>>().len(), videos);
                tested.extend(test.iter().copied());
            }
            tested.sort_unstable();
            prop_assert_eq!(tested, (0..videos * each).collect::<Vec<_>>());
        }
    }

    #[test]
    fn classes_are_spread_over_the_groups() {
        let rows = rows(20, 1, 2);
        for fold in folds(&rows, Some(5), 3).unwrap() {
            assert_eq!(fold.test.iter().filter(|&&row| rows.classes[row] == 0).count(), 2);
        }
    }

    #[test]
    fn many_videos_are_split_once() {
        let folds = folds(&rows(200, 1, 2), None, 0).unwrap();
        let [Fold { training, validation, test }] = folds.as_slice() else { panic!("{} folds", folds.len()) };
        assert_eq!((training.len(), validation.len(), test.len()), (120, 40, 40));
    }

    #[test]
    fn too_few_videos_are_refused() {
        assert_eq!(
            folds(&rows(2, 4, 1), None, 0).unwrap_err(),
            "2 videos that can be used, expected 3 or more to split"
        );
        assert!(folds(&rows(7, 4, 1), Some(8), 0).unwrap_err().contains("expected 8 or more"));
        assert!(folds(&rows(4, 4, 1), Some(1), 0).unwrap_err().contains("expected 5 or more"));
    }
}
