//! How often, and in which order, the videos of each part are visited.

use prevision_core::seed;
use rand::seq::SliceRandom;

use crate::clips::permutation;

/// How many of the first `total` visits are to each part: the apportionment of Webster (Sainte-Laguë), in which every part gets its next
/// visit when its share is due by half. So no part loses a visit that it once had, and each has its share up to rounding at all times.
fn visits(weights: &[f64], total: u64) -> Vec<u64> {
    let sum: f64 = weights.iter().sum();
    // No part is behind its share by more visits than there are parts.
    let sure = |weight: &f64| ((total as f64 * (weight / sum)) as u64).saturating_sub(weights.len() as u64);
    let mut visits: Vec<u64> = weights.iter().map(sure).collect();
    for _ in visits.iter().sum::<u64>()..total {
        let due = |part: &usize| (visits[*part] as f64 + 0.5) / weights[*part];
        if let Some(next) = (0..weights.len()).min_by(|one, other| due(one).total_cmp(&due(other))) {
            visits[next] += 1;
        }
    }
    visits
}

/// Which part each of so many numbers belongs to, so that the first numbers have all parts in proportion to their videos.
pub(super) fn interleaved(videos: &[usize]) -> Vec<usize> {
    let mut given = vec![0_usize; videos.len()];
    let due = |given: &[usize], part: usize| (given[part] as f64 + 0.5) / videos[part] as f64;
    let next = |_| {
        let open = (0..videos.len()).filter(|&part| given[part] < videos[part]);
        let next = open.min_by(|&one, &other| due(&given, one).total_cmp(&due(&given, other)))?;
        given[next] += 1;
        Some(next)
    };
    (0..videos.iter().sum()).filter_map(next).collect()
}

/// The visits of an epoch, as many as all parts have videos: part, and video of the part. The order of the parts is random. Each part
/// has its videos in a random order and, when all of them were visited, in another one, on through all epochs.
pub(super) fn epoch_visits(seed: u64, epoch: u64, weights: &[f64], videos: &[usize]) -> Vec<(usize, usize)> {
    let places: u64 = videos.iter().map(|&videos| videos as u64).sum();
    let (from, to) = (visits(weights, epoch * places), visits(weights, (epoch + 1) * places));
    let mut walks: Vec<_> =
        (0..videos.len()).map(|part| walk(seed, part, videos[part], from[part], to[part])).collect();
    let mut order: Vec<usize> = Vec::with_capacity(places as usize);
    for part in 0..videos.len() {
        order.resize(order.len() + (to[part] - from[part]) as usize, part);
    }
    order.shuffle(&mut seed::rng(seed, "parts", epoch, 0));
    order.into_iter().filter_map(|part| walks[part].next().map(|video| (part, video))).collect()
}

/// The visits `from..to` to the videos of a part.
fn walk(seed: u64, part: usize, videos: usize, from: u64, to: u64) -> impl Iterator<Item = usize> {
    let each = videos as u64;
    (from / each..to.div_ceil(each)).flat_map(move |round| {
        let order = permutation(seed, "order", round, part as u64, videos);
        let first = round * each;
        (from.max(first)..to.min(first + each)).map(move |visit| order[(visit - first) as usize])
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use proptest::prelude::*;

    #[test]
    fn visits_are_shares_and_never_taken_back() {
        assert_eq!(visits(&[2.0, 1.0], 30), [20, 10]);
        assert_eq!(visits(&[3.0, 1.0, 1.0], 1_000_000_000_000), [600_000_000_000, 200_000_000_000, 200_000_000_000]);
        assert_eq!(visits(&[1.0, 1.0], 3), [2, 1], "the first of equals");
        assert_eq!(visits(&[1.0], 7), [7]);
        assert_eq!(visits(&[1.0, 1e-300], 7), [7, 0]);
    }

    #[test]
    fn small_parts_lie_evenly_among_large_ones() {
        assert_eq!(interleaved(&[6, 3]), [0, 1, 0, 0, 1, 0, 0, 1, 0]);
        assert_eq!(interleaved(&[3]), [0, 0, 0]);
    }

    #[test]
    fn every_video_is_visited_before_any_again_through_all_epochs() {
        let (weights, videos) = ([0.2, 1.0], [7, 4]);
        let mut seen: [Vec<usize>; 2] = Default::default();
        for epoch in 0..40 {
            let visits = epoch_visits(3, epoch, &weights, &videos);
            assert_eq!(visits.len(), 11);
            for (part, video) in visits {
                seen[part].push(video);
            }
        }
        assert!((seen[0].len() as f64 - 440.0 / 6.0).abs() < 1.0, "{}", seen[0].len());
        for (part, seen) in seen.iter().enumerate() {
            for round in seen.chunks_exact(videos[part]) {
                assert_eq!(round.iter().collect::<BTreeSet<_>>().len(), videos[part]);
            }
        }
        assert_ne!(seen[1][..4], seen[1][4..8]);
    }

    proptest! {
        #[test]
        fn each_epoch_has_its_shares(
            parts in prop::collection::vec((0.001_f64..1.0, 1_usize..50), 1..6),
            seed: u64,
            epoch in 0_u64..1_000_000,
        ) {
            let (weights, videos): (Vec<f64>, Vec<usize>) = parts.into_iter().unzip();
            let places: usize = videos.iter().sum();
            let visited = epoch_visits(seed, epoch, &weights, &videos);
            prop_assert_eq!(visited.len(), places);
            let sum: f64 = weights.iter().sum();
            for (part, weight) in weights.iter().enumerate() {
                let share = places as f64 * weight / sum;
                let visits = visited.iter().filter(|visit| visit.0 == part).count();
                prop_assert!((visits as f64 - share).abs() < 2.0, "{} of {} for a share of {}", visits, places, share);
            }
            prop_assert!(visited.iter().all(|&(part, video)| video < videos[part]));
            // From the first visit on, one by one, nothing is taken back.
            let total = epoch % 500;
            let (before, after) = (visits(&weights, total), visits(&weights, total + 1));
            prop_assert_eq!(before.iter().sum::<u64>(), total);
            prop_assert_eq!(after.iter().sum::<u64>(), total + 1);
            prop_assert!(before.iter().zip(&after).all(|(before, after)| before <= after));
        }
    }
}
