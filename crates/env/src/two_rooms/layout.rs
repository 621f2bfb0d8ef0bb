//! Where the wall and its door stand.

use std::ops::RangeInclusive;

use rand::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Columns at which the middle of the wall can stand.
pub const WALL_RANGE: RangeInclusive<u8> = 20..=44;
/// Rows at which the middle of the door can stand.
pub const DOOR_RANGE: RangeInclusive<u8> = 10..=54;

/// One floor plan: a vertical wall with a door in it. 25 wall columns and 45 door rows make 1,125 of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Layout {
    /// Column of the middle of the wall, in pixels (`x_w`).
    pub wall_x: u8,
    /// Row of the middle of the door, in pixels (`y_d`).
    pub door_y: u8,
}

impl Layout {
    /// The layout of the fixed-wall setting.
    pub const FIXED: Self = Self { wall_x: 32, door_y: 18 };

    /// All layouts of the random-wall setting, wall by wall.
    pub fn all() -> impl Iterator<Item = Self> {
        WALL_RANGE.flat_map(|wall_x| DOOR_RANGE.map(move |door_y| Self { wall_x, door_y }))
    }

    /// Whether this layout is kept from recordings, to plan in a floor plan that training never showed. About a fifth are,
    /// chosen by a hash of the layout alone (the finaliser of `SplitMix64`), so that every recording and every seed agree.
    pub fn is_held_out(self) -> bool {
        let mut hash = (u64::from(self.wall_x) << 8 | u64::from(self.door_y)).wrapping_add(0x9E37_79B9_7F4A_7C15);
        hash = (hash ^ (hash >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        hash = (hash ^ (hash >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (hash ^ (hash >> 31)).is_multiple_of(5)
    }

    /// Draws a layout. The split plays no part when the layout is fixed.
    pub fn sample(choice: LayoutChoice, split: LayoutSplit, rng: &mut impl Rng) -> Self {
        if choice == LayoutChoice::Fixed {
            return Self::FIXED;
        }
        loop {
            let layout = Self { wall_x: rng.random_range(WALL_RANGE), door_y: rng.random_range(DOOR_RANGE) };
            if split.contains(layout) {
                return layout;
            }
        }
    }
}

/// Whether layouts differ between episodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LayoutChoice {
    /// Wall and door drawn uniformly.
    #[default]
    Random,
    /// Always [`Layout::FIXED`].
    Fixed,
}

/// Which of the random layouts may be drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LayoutSplit {
    /// The layouts that recordings use.
    Training,
    /// The layouts that recordings never use.
    #[default]
    HeldOut,
    /// Every layout, as upstream does.
    All,
}

impl LayoutSplit {
    /// Whether the layout belongs to this split.
    pub fn contains(self, layout: Layout) -> bool {
        match self {
            Self::Training => !layout.is_held_out(),
            Self::HeldOut => layout.is_held_out(),
            Self::All => true,
        }
    }
}
