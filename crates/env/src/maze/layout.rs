//! Which rooms have doors between them.

use rand::Rng;
use rand::seq::IndexedRandom;

use super::wall::Wall;
use crate::two_rooms::LayoutSplit;

/// Places along a wall at which a door can be.
pub const PLACES: u8 = 5;
/// Thickness of the walls between rooms, as a share of the side of a room.
pub const WALL_SHARE: f64 = 0.125;

/// Rooms side by side, each pair of neighbours with a wall between them that has one door or none.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RoomLayout {
    columns: usize,
    rows: usize,
    /// For each wall the place of its door, from 1 (its left or upper end) to [`PLACES`], or 0 if it has none. First the walls between
    /// rooms side by side, row by row, then those between rooms one above the other, row by row.
    doors: Vec<u8>,
}

/// A step of the finaliser of `SplitMix64`.
fn mix(mut hash: u64) -> u64 {
    hash = hash.wrapping_add(0x9E37_79B9_7F4A_7C15);
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    hash ^ (hash >> 31)
}

impl RoomLayout {
    /// Number of walls between rooms.
    pub fn walls_of([columns, rows]: [usize; 2]) -> usize {
        (columns - 1) * rows + columns * (rows - 1)
    }

    /// Two by two rooms with four doors, none in the middle of all walls: the four rooms of Sutton, Precup and Singh (Artificial
    /// Intelligence 112, 1999, figure 2).
    pub fn four_rooms() -> Self {
        Self { columns: 2, rows: 2, doors: vec![2, 4, 2, 4] }
    }

    /// Rooms whose doors are told by [`numbers`](Self::numbers).
    ///
    /// # Errors
    /// What is wrong with the numbers: their count, a place that is none, or a room that no door leads to.
    pub fn from_numbers([columns, rows]: [usize; 2], numbers: &[f32]) -> Result<Self, String> {
        let count = Self::walls_of([columns, rows]);
        if numbers.len() != count {
            return Err(format!(
                "{} numbers of doors, where {columns} by {rows} rooms have {count} walls",
                numbers.len()
            ));
        }
        let place = |number: &f32| (0..=PLACES).find(|place| f32::from(*place) == *number);
        let doors: Option<Vec<u8>> = numbers.iter().map(place).collect();
        let Some(doors) = doors else {
            return Err(format!("doors {numbers:?}, where each is a whole number from 0 to {PLACES}"));
        };
        let layout = Self { columns, rows, doors };
        if layout.is_connected() { Ok(layout) } else { Err("rooms that no door leads to".to_owned()) }
    }

    /// The place of each door as a number, in the order of the walls; 0 where there is none. Recordings keep it as `layout`.
    pub fn numbers(&self) -> Vec<f32> {
        self.doors.iter().map(|place| f32::from(*place)).collect()
    }

    /// Draws a layout of a split: the doors of a spanning tree of the rooms, uniform among all such trees (by Wilson's loop-erased random
    /// walks, 28th ACM Symposium on Theory of Computing, 1996, page 296), and one in each other wall with probability `extra`. Places of
    /// doors are uniform. `None` if no layout of the split is found in 1,000 draws.
    pub fn sample([columns, rows]: [usize; 2], extra: f64, split: LayoutSplit, rng: &mut impl Rng) -> Option<Self> {
        (0..1_000).map(|_| Self::draw([columns, rows], extra, rng)).find(|layout| layout.is_in(split))
    }

    /// Whether the layout belongs to a split.
    pub fn is_in(&self, split: LayoutSplit) -> bool {
        match split {
            LayoutSplit::Training => !self.is_held_out(),
            LayoutSplit::HeldOut => self.is_held_out(),
            LayoutSplit::All => true,
        }
    }

    /// Whether this layout is kept from recordings, to plan in a maze that training never showed. About a fifth are, chosen by a hash of
    /// the layout alone, so that every recording and every seed agree.
    pub fn is_held_out(&self) -> bool {
        let size = mix((self.columns as u64) << 32 | self.rows as u64);
        self.doors.iter().fold(size, |hash, place| mix(hash ^ u64::from(*place))).is_multiple_of(5)
    }

    fn draw([columns, rows]: [usize; 2], extra: f64, rng: &mut impl Rng) -> Self {
        let mut layout = Self { columns, rows, doors: vec![0; Self::walls_of([columns, rows])] };
        let rooms = columns * rows;
        let mut in_tree = vec![false; rooms];
        in_tree[rng.random_range(0..rooms)] = true;
        for room in 0..rooms {
            // Where the walk left each room last: what it did before then was a loop.
            let mut left_by = vec![(0, 0); rooms];
            let mut at = room;
            while !in_tree[at] {
                let ways = layout.neighbours(at);
                left_by[at] = *ways.choose(rng).expect("a room that is not the only one has a neighbour");
                at = left_by[at].0;
            }
            let mut at = room;
            while !in_tree[at] {
                in_tree[at] = true;
                let (next, wall) = left_by[at];
                layout.doors[wall] = rng.random_range(1..=PLACES);
                at = next;
            }
        }
        for door in layout.doors.iter_mut().filter(|door| **door == 0) {
            if rng.random_bool(extra) {
                *door = rng.random_range(1..=PLACES);
            }
        }
        layout
    }

    /// The rooms beside a room, each with the wall between.
    fn neighbours(&self, room: usize) -> Vec<(usize, usize)> {
        let (column, row) = (room % self.columns, room / self.columns);
        let beside = |column: usize| row * (self.columns - 1) + column;
        let below = |row: usize| (self.columns - 1) * self.rows + row * self.columns + column;
        let mut ways = Vec::with_capacity(4);
        if column > 0 {
            ways.push((room - 1, beside(column - 1)));
        }
        if column + 1 < self.columns {
            ways.push((room + 1, beside(column)));
        }
        if row > 0 {
            ways.push((room - self.columns, below(row - 1)));
        }
        if row + 1 < self.rows {
            ways.push((room + self.columns, below(row)));
        }
        ways
    }

    fn is_connected(&self) -> bool {
        let mut seen = vec![false; self.columns * self.rows];
        let mut open = vec![0];
        while let Some(room) = open.pop() {
            if !std::mem::replace(&mut seen[room], true) {
                open.extend(
                    self.neighbours(room).into_iter().filter(|(_, wall)| self.doors[*wall] > 0).map(|(next, _)| next),
                );
            }
        }
        seen.into_iter().all(|seen| seen)
    }

    /// The walls of rooms with sides of `room` and doors that are `door_width` wide, as a share of what is free between two walls.
    pub fn walls(&self, room: f64, door_width: f64) -> Vec<Wall> {
        let half = 0.5 * WALL_SHARE * room;
        let extent = [self.columns as f64 * room, self.rows as f64 * room];
        let mut walls = enclosure(extent, half);
        for (number, place) in self.doors.iter().enumerate() {
            let beside = (self.columns - 1) * self.rows;
            // The axis across the wall, the line on which it stands, and where along it it begins.
            let (axis, line, start) = if number < beside {
                (0, number % (self.columns - 1) + 1, number / (self.columns - 1))
            } else {
                (1, (number - beside) / self.columns + 1, (number - beside) % self.columns)
            };
            let (line, start) = (line as f64 * room, start as f64 * room);
            let mut wall = |from: f64, to: f64| {
                let mut wall = Wall { low: [line - half; 2], high: [line + half; 2] };
                (wall.low[1 - axis], wall.high[1 - axis]) = (from, to);
                walls.push(wall);
            };
            let (from, to) = (start - half, start + room + half);
            if *place == 0 {
                wall(from, to);
                continue;
            }
            let free = room - 2.0 * half;
            let width = door_width * free;
            let door = start + half + (free - width) * f64::from(*place - 1) / f64::from(PLACES - 1);
            wall(from, door);
            wall(door + width, to);
        }
        walls
    }
}

/// The four walls around a floor, `thickness` of each inside of it.
pub(crate) fn enclosure([width, height]: [f64; 2], thickness: f64) -> Vec<Wall> {
    // They reach outside, so that no rounding leads past their ends.
    let beyond = thickness;
    let (left, right, upper, lower) = (-beyond, width + beyond, -beyond, height + beyond);
    vec![
        Wall { low: [left, upper], high: [right, thickness] },
        Wall { low: [left, height - thickness], high: [right, lower] },
        Wall { low: [left, upper], high: [thickness, lower] },
        Wall { low: [width - thickness, upper], high: [right, lower] },
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use prevision_core::seed;

    use super::*;

    #[test]
    fn spanning_trees_are_uniform_and_every_room_is_reached() {
        // Two by two rooms have four spanning trees, each without one of the four walls' doors.
        let mut counts = BTreeMap::new();
        for index in 0..4_000 {
            let mut rng = seed::rng(1, "test", 0, index);
            let layout = RoomLayout::sample([2, 2], 0.0, LayoutSplit::All, &mut rng).unwrap();
            let open: Vec<bool> = layout.doors.iter().map(|place| *place > 0).collect();
            assert!(layout.is_connected());
            assert_eq!(open.iter().filter(|open| **open).count(), 3);
            *counts.entry(open).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), 4);
        assert!(counts.values().all(|count| (900..=1_100).contains(count)), "{counts:?}");
        let open = |extra| {
            let mut rng = seed::rng(2, "test", 0, 0);
            let layout = RoomLayout::sample([30, 20], extra, LayoutSplit::All, &mut rng).unwrap();
            assert!(layout.is_connected());
            layout.doors.iter().filter(|place| **place > 0).count()
        };
        // 1,150 walls, 599 doors of the tree, and a fifth of the other 551.
        assert_eq!((open(0.0), open(1.0)), (599, 1_150));
        assert!((660..=760).contains(&open(0.2)), "{}", open(0.2));
    }

    #[test]
    fn a_fifth_of_the_layouts_is_held_out() {
        let layouts: Vec<RoomLayout> = (0..4_000)
            .map(|index| {
                RoomLayout::sample([4, 4], 0.1, LayoutSplit::All, &mut seed::rng(3, "test", 0, index)).unwrap()
            })
            .collect();
        let held_out = layouts.iter().filter(|layout| layout.is_held_out()).count();
        assert!((700..=900).contains(&held_out), "{held_out}");
        for index in 0..200 {
            for (split, expected) in [(LayoutSplit::Training, false), (LayoutSplit::HeldOut, true)] {
                let layout = RoomLayout::sample([4, 4], 0.1, split, &mut seed::rng(4, "test", 0, index)).unwrap();
                assert_eq!(layout.is_held_out(), expected);
            }
        }
        let one = RoomLayout::sample([1, 1], 0.1, LayoutSplit::All, &mut seed::rng(0, "test", 0, 0)).unwrap();
        let other = if one.is_held_out() { LayoutSplit::Training } else { LayoutSplit::HeldOut };
        assert_eq!(RoomLayout::sample([1, 1], 0.1, other, &mut seed::rng(0, "test", 0, 0)), None);
    }

    #[test]
    fn the_walls_of_two_rooms() {
        // Rooms of 16: walls of 2, and 14 free between them. A door of half of that, at the middle place, is 7 wide: from 4.5 to 11.5.
        let layout = RoomLayout::from_numbers([2, 1], &[3.0]).unwrap();
        let walls = layout.walls(16.0, 0.5);
        assert_eq!(walls.len(), 6);
        assert_eq!(walls[0], Wall { low: [-1.0, -1.0], high: [33.0, 1.0] });
        assert_eq!(walls[4], Wall { low: [15.0, -1.0], high: [17.0, 4.5] });
        assert_eq!(walls[5], Wall { low: [15.0, 11.5], high: [17.0, 17.0] });
        let one_above_the_other = RoomLayout::from_numbers([1, 2], &[1.0]).unwrap().walls(16.0, 0.5);
        assert_eq!(one_above_the_other[4], Wall { low: [-1.0, 15.0], high: [1.0, 17.0] });
        assert_eq!(one_above_the_other[5], Wall { low: [8.0, 15.0], high: [17.0, 17.0] });
    }

    #[test]
    fn numbers_tell_a_layout() {
        let layout = RoomLayout::sample([3, 4], 0.3, LayoutSplit::All, &mut seed::rng(5, "test", 0, 0)).unwrap();
        assert_eq!(RoomLayout::from_numbers([3, 4], &layout.numbers()), Ok(layout));
        let refused = |numbers: &[f32]| RoomLayout::from_numbers([2, 2], numbers).unwrap_err();
        assert!(refused(&[1.0, 1.0]).contains("2 by 2 rooms have 4 walls"));
        assert!(refused(&[1.0, 1.0, 1.0, 6.0]).contains("from 0 to 5"));
        assert!(refused(&[1.0, 1.0, 0.0, 0.0]).contains("no door"));
    }
}
