//! What is solid, and where a straight move first touches it.
//!
//! The dot is a point. It may be anywhere strictly inside the borders but not in the wall, which is closed towards the rooms
//! (touching its face is contact) and open towards the door (standing on the door's edge is allowed).

use super::layout::Layout;

/// Width and height of the world in pixels.
pub const SIZE: usize = 65;
/// Coordinate of the left and upper border line.
pub const BORDER_LOW: f32 = 4.0;
/// Coordinate of the right and lower border line.
pub const BORDER_HIGH: f32 = 60.0;
/// Distance from the middle of the wall to its faces: the outer of its three columns.
pub const WALL_HALF_WIDTH: f32 = 1.0;
/// Distance from the middle of the door to its edges: the outer of its nine rows.
pub const DOOR_HALF_WIDTH: f32 = 4.0;

/// A position or a displacement, (x, y) in pixels, x to the right and y down.
pub type Point = [f32; 2];

/// The surface that a move touches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surface {
    /// One of the four border lines.
    Border,
    /// The side of the wall that looks into a room.
    Face,
    /// The upper or lower end of the door, inside the wall.
    DoorEdge,
}

/// The first touch of a move.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contact {
    /// Share of the move that is done at the touch, in [0, 1].
    pub fraction: f64,
    /// Where the touch is, (x, y) in pixels.
    pub point: [f64; 2],
    /// Unit vector out of the surface, towards where the move came from.
    pub normal: [f64; 2],
    /// What is touched.
    pub surface: Surface,
}

/// Whether a coordinate lies between two edges, up to rounding.
fn within(value: f64, [low, high]: [f64; 2]) -> bool {
    (low - 1e-9..=high + 1e-9).contains(&value)
}

impl Layout {
    /// Left and right face of the wall.
    pub fn faces(self) -> [f32; 2] {
        [f32::from(self.wall_x) - WALL_HALF_WIDTH, f32::from(self.wall_x) + WALL_HALF_WIDTH]
    }

    /// Upper and lower edge of the door.
    pub fn door_edges(self) -> [f32; 2] {
        [f32::from(self.door_y) - DOOR_HALF_WIDTH, f32::from(self.door_y) + DOOR_HALF_WIDTH]
    }

    /// Whether the dot may be here.
    pub fn is_free(self, position: Point) -> bool {
        let [left, right] = self.faces();
        let [upper, lower] = self.door_edges();
        let inside = position.iter().all(|&value| value > BORDER_LOW && value < BORDER_HIGH);
        let in_wall = (left..=right).contains(&position[0]) && !(upper..=lower).contains(&position[1]);
        inside && !in_wall
    }

    /// Whether a straight line keeps clear of the inside of the wall; along its surface is clear.
    pub fn passes_door(self, from: Point, to: Point) -> bool {
        let faces = self.faces().map(f64::from);
        let edges = self.door_edges().map(f64::from);
        let (from, to) = (from.map(f64::from), to.map(f64::from));
        let reach = to[0] - from[0];
        if reach == 0.0 {
            // Along a face, or beside the wall.
            return from[0] <= faces[0] || from[0] >= faces[1] || [from[1], to[1]].iter().all(|y| within(*y, edges));
        }
        // The part of the line between the faces must lie between the edges of the door.
        let shares = faces.map(|face| ((face - from[0]) / reach).clamp(0.0, 1.0));
        let between = shares.map(|share| (from[0] + share * reach, from[1] + share * (to[1] - from[1])));
        let crosses = shares[0] != shares[1];
        !crosses || between.iter().all(|(_, y)| within(*y, edges))
    }

    /// The first touch on the way from a free position straight to another one, or none when the way is free.
    pub fn first_contact(self, from: Point, to: Point) -> Option<Contact> {
        let start = from.map(f64::from);
        let end = to.map(f64::from);
        let faces = self.faces().map(f64::from);
        let edges = self.door_edges().map(f64::from);
        let mut first: Option<Contact> = None;
        let mut touch = |axis: usize, line: f64, sign: f64, surface: Surface| {
            let fraction = (line - start[axis]) / (end[axis] - start[axis]);
            let other = 1 - axis;
            let mut point = [0.0; 2];
            point[axis] = line;
            point[other] = start[other] + fraction * (end[other] - start[other]);
            let mut normal = [0.0; 2];
            normal[axis] = sign;
            let met = match surface {
                Surface::Border => true,
                Surface::Face => point[1] < edges[0] || point[1] > edges[1],
                Surface::DoorEdge => point[0] >= faces[0] && point[0] <= faces[1],
            };
            if met && first.is_none_or(|contact| fraction < contact.fraction) {
                first = Some(Contact { fraction, point, normal, surface });
            }
        };
        for axis in 0..2 {
            let (low, high) = (f64::from(BORDER_LOW), f64::from(BORDER_HIGH));
            if start[axis] > low && end[axis] <= low {
                touch(axis, low, 1.0, Surface::Border);
            }
            if start[axis] < high && end[axis] >= high {
                touch(axis, high, -1.0, Surface::Border);
            }
        }
        if start[0] < faces[0] && end[0] >= faces[0] {
            touch(0, faces[0], -1.0, Surface::Face);
        }
        if start[0] > faces[1] && end[0] <= faces[1] {
            touch(0, faces[1], 1.0, Surface::Face);
        }
        if start[1] >= edges[0] && end[1] < edges[0] {
            touch(1, edges[0], 1.0, Surface::DoorEdge);
        }
        if start[1] <= edges[1] && end[1] > edges[1] {
            touch(1, edges[1], -1.0, Surface::DoorEdge);
        }
        first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAYOUT: Layout = Layout::FIXED; // faces 31 and 33, door edges 14 and 22

    #[test]
    fn faces_and_edges() {
        assert_eq!(LAYOUT.faces(), [31.0, 33.0]);
        assert_eq!(LAYOUT.door_edges(), [14.0, 22.0]);
    }

    #[test]
    fn free_positions() {
        for position in [[4.5, 4.5], [59.9, 59.9], [30.99, 40.0], [32.0, 18.0], [32.0, 14.0], [31.0, 22.0]] {
            assert!(LAYOUT.is_free(position), "{position:?}");
        }
        for position in
            [[4.0, 20.0], [20.0, 60.0], [31.0, 40.0], [33.0, 40.0], [32.0, 22.01], [32.0, 13.99], [70.0, 20.0]]
        {
            assert!(!LAYOUT.is_free(position), "{position:?}");
        }
    }

    #[test]
    fn a_move_into_the_face_touches_it_where_it_crosses() {
        let contact = LAYOUT.first_contact([30.0, 40.0], [32.0, 41.0]).expect("touch");
        assert_eq!(contact.surface, Surface::Face);
        assert_eq!(contact.fraction, 0.5);
        assert_eq!(contact.point, [31.0, 40.5]);
        assert_eq!(contact.normal, [-1.0, 0.0]);
        let contact = LAYOUT.first_contact([34.0, 40.0], [30.0, 40.0]).expect("touch through the whole wall");
        assert_eq!((contact.fraction, contact.normal), (0.25, [1.0, 0.0]));
    }

    #[test]
    fn the_door_lets_through_and_its_edges_do_not() {
        assert_eq!(LAYOUT.first_contact([30.0, 18.0], [34.0, 18.5]), None);
        assert_eq!(LAYOUT.first_contact([34.0, 14.0], [30.0, 14.0]), None);
        let contact = LAYOUT.first_contact([32.0, 21.0], [32.5, 23.0]).expect("touch");
        assert_eq!((contact.surface, contact.fraction), (Surface::DoorEdge, 0.5));
        assert_eq!((contact.point, contact.normal), ([32.25, 22.0], [0.0, -1.0]));
        let contact = LAYOUT.first_contact([32.0, 15.0], [31.5, 13.0]).expect("touch");
        assert_eq!((contact.point, contact.normal), ([31.75, 14.0], [0.0, 1.0]));
        // Past the row of the edge before the wall, and after its face.
        let contact = LAYOUT.first_contact([30.0, 20.5], [32.0, 24.0]).expect("touch");
        assert_eq!(contact.surface, Surface::Face);
        let contact = LAYOUT.first_contact([30.5, 21.0], [32.5, 22.5]).expect("touch");
        assert_eq!(contact.surface, Surface::DoorEdge);
        // The rows of the edges mean nothing away from the wall.
        assert_eq!(LAYOUT.first_contact([20.0, 21.0], [20.0, 23.0]), None);
    }

    #[test]
    fn the_nearer_of_two_surfaces_counts() {
        let contact = LAYOUT.first_contact([30.0, 58.5], [31.5, 61.5]).expect("touch");
        assert_eq!((contact.surface, contact.fraction), (Surface::Border, 0.5));
        assert_eq!((contact.point, contact.normal), ([30.75, 60.0], [0.0, -1.0]));
        let contact = LAYOUT.first_contact([5.0, 5.0], [3.0, 4.5]).expect("touch");
        assert_eq!((contact.point, contact.normal), ([4.0, 4.75], [1.0, 0.0]));
    }
}
