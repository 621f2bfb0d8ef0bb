//! Properties of the mask sampler.

use prevision_model::{MaskConfig, MaskSampler};
use proptest::prelude::*;

fn share() -> impl Strategy<Value = [f64; 2]> {
    (0.05..1.0_f64, 0.0..1.0_f64).prop_map(|(low, more)| [low, low + (1.0 - low) * more])
}

fn mask() -> impl Strategy<Value = MaskConfig> {
    (1..6_usize, share(), share(), 0.3..1.0_f64, 1.0..3.0_f64, 0.2..1.0_f64).prop_map(
        |(blocks, spatial, temporal, low, high, keep)| MaskConfig {
            blocks,
            spatial,
            temporal,
            aspect: [low, high],
            max_temporal_keep: keep,
        },
    )
}

proptest! {
    #[test]
    fn lists_are_ascending_disjoint_nonempty_and_equally_long(
        masks in proptest::collection::vec(mask(), 1..3),
        time in 1..5_usize, height in 2..7_usize, width in 2..7_usize,
        batch in 1..5_usize, number in 0..1000_u64, seed in any::<u64>(),
    ) {
        for mask in &masks {
            prop_assert_eq!(mask.validate(), Ok(()));
        }
        let sampler = MaskSampler::new(&masks, [time, height, width], seed);
        let pairs = sampler.sample(0..batch, number);
        prop_assert_eq!(pairs.len(), masks.len());
        for pair in &pairs {
            for lists in [&pair.context, &pair.target] {
                prop_assert_eq!(lists.len(), batch);
                for list in lists {
                    prop_assert_eq!(list.len(), lists[0].len());
                    prop_assert!(!list.is_empty());
                    prop_assert!(list.windows(2).all(|ids| ids[0] < ids[1]));
                    prop_assert!(*list.last().unwrap() < time * height * width);
                }
            }
            for (context, target) in pair.context.iter().zip(&pair.target) {
                prop_assert!(context.iter().all(|id| !target.contains(id)));
            }
        }
        prop_assert_eq!(sampler.sample(0..batch, number), pairs);
    }

    #[test]
    fn one_clip_is_split_completely(mask in mask(), number in 0..1000_u64) {
        let pair = &MaskSampler::new(&[mask], [3, 5, 4], 9).sample(0..1, number)[0];
        let mut all: Vec<usize> = pair.context[0].iter().chain(&pair.target[0]).copied().collect();
        all.sort_unstable();
        prop_assert_eq!(all, (0..60).collect::<Vec<_>>());
    }
}

#[test]
fn default_masks_are_tubes_of_the_published_sizes() {
    let sampler = MaskSampler::new(&[MaskConfig::short_range(), MaskConfig::long_range()], [8, 16, 16], 3);
    let (mut visible, batches) = ([0.0; 2], 40);
    for number in 0..batches {
        for (index, pair) in sampler.sample(0..1, number).iter().enumerate() {
            let context = &pair.context[0];
            let first: Vec<usize> = context.iter().copied().filter(|&id| id < 256).collect();
            let tube: Vec<usize> = (0..8).flat_map(|time| first.iter().map(move |id| time * 256 + id)).collect();
            assert_eq!(context, &tube, "a mask of full duration is the same in every tubelet");
            visible[index] += context.len() as f64 / 2048.0 / batches as f64;
        }
    }
    // Expected visible shares: about 39 % and 18 %.
    assert!((visible[0] - 0.39).abs() < 0.06, "short-range mask leaves {} visible", visible[0]);
    assert!((visible[1] - 0.18).abs() < 0.06, "long-range mask leaves {} visible", visible[1]);
}

#[test]
fn batches_and_seeds_differ() {
    let masks = [MaskConfig::short_range()];
    let sample = |seed, number| MaskSampler::new(&masks, [4, 8, 8], seed).sample(0..2, number);
    assert_ne!(sample(0, 0), sample(0, 1));
    assert_ne!(sample(0, 0), sample(1, 0));
    let pair = &sample(0, 0)[0];
    assert_ne!(pair.context[0], pair.context[1], "clips of one batch have masks of their own");
}

#[test]
fn a_part_of_a_batch_is_hidden_as_in_the_whole() {
    let sampler = MaskSampler::new(&[MaskConfig::short_range(), MaskConfig::long_range()], [4, 8, 8], 3);
    for number in 0..20 {
        for (whole, part) in sampler.sample(0..6, number).iter().zip(sampler.sample(4..6, number)) {
            // Lists are cut to the shortest of those at hand.
            for (whole, part) in whole.context[4..].iter().zip(&part.context) {
                assert_eq!(whole[..], part[..whole.len()]);
            }
            for (whole, part) in whole.target[4..].iter().zip(&part.target) {
                assert_eq!(whole[..], part[..whole.len()]);
            }
        }
    }
}

#[test]
fn late_tubelets_are_hidden_when_asked() {
    let mask = MaskConfig { blocks: 1, spatial: [0.1, 0.1], max_temporal_keep: 0.5, ..MaskConfig::default() };
    let pair = &MaskSampler::new(&[mask], [4, 4, 4], 0).sample(0..3, 5)[0];
    assert!(pair.context.iter().flatten().all(|&id| id < 32));
}
