//! The floor plans and their split.

use std::collections::BTreeSet;

use prevision_core::seed;
use prevision_env::two_rooms::{Layout, LayoutChoice, LayoutSplit};

#[test]
fn there_are_1125_layouts() {
    let layouts: BTreeSet<Layout> = Layout::all().collect();
    assert_eq!(layouts.len(), 1_125);
    assert_eq!(layouts.first(), Some(&Layout { wall_x: 20, door_y: 10 }));
    assert_eq!(layouts.last(), Some(&Layout { wall_x: 44, door_y: 54 }));
}

#[test]
fn a_fifth_is_held_out_and_always_the_same() {
    let held_out: Vec<Layout> = Layout::all().filter(|layout| layout.is_held_out()).collect();
    let share = held_out.len() as f64 / 1_125.0;
    assert!((0.18..=0.22).contains(&share), "{share}");
    // Another hash would let old recordings show what new evaluations hold out.
    let first: Vec<(u8, u8)> = held_out.iter().take(5).map(|layout| (layout.wall_x, layout.door_y)).collect();
    assert_eq!((held_out.len(), first), (230, vec![(20, 14), (20, 21), (20, 29), (20, 31), (20, 33)]));
    // Each wall keeps some doors for either side.
    for wall_x in 20..=44 {
        let count = held_out.iter().filter(|layout| layout.wall_x == wall_x).count();
        assert!((1..=20).contains(&count), "wall {wall_x}: {count} of 45 held out");
    }
}

#[test]
fn sampling_reaches_every_layout_of_its_split_and_no_other() {
    let mut rng = seed::rng(0, "test", 0, 0);
    for (split, size) in [(LayoutSplit::Training, 895), (LayoutSplit::HeldOut, 230), (LayoutSplit::All, 1_125)] {
        let seen: BTreeSet<Layout> =
            (0..30_000).map(|_| Layout::sample(LayoutChoice::Random, split, &mut rng)).collect();
        assert!(seen.iter().all(|&layout| split.contains(layout)));
        assert_eq!(seen.len(), size, "{split:?}");
    }
}
