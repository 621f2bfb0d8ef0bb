//! A maze of rooms: a dot that finds its way from room to room.
//!
//! Rooms of any number stand side by side, with one door or none in each wall between two of them ([`RoomLayout`]); or the maze is the
//! classic of four rooms, or a plan given as text. An action is a displacement; moves are swept against walls ([`Collision`]), and the
//! length of the shortest legal route is known for every task ([`Routes`]). Coloured dots may drift about that play no part
//! ([`Distractor`]), as in the "`FourRoom` Distractors" of H-JEPA (arXiv 2610.06805).
//!
//! The agent is a point, as in [`two_rooms`](crate::two_rooms); it is drawn as a disc.

mod collision;
mod distractor;
mod environment;
pub(crate) mod expert;
mod floor;
mod layout;
pub(crate) mod options;
mod plan;
mod route;
pub(crate) mod scene;
mod task;
mod walk;
mod wall;
pub(crate) mod wander;

pub use collision::{Collision, Slid, slide};
pub use distractor::{Distractor, DistractorMotion};
pub(crate) use environment::info;
pub use environment::{ACTION_NORM, CAMERA, Maze, NAME, SUCCESS_DISTANCE};
pub use expert::Expert;
pub use floor::Floor;
pub(crate) use layout::enclosure;
pub use layout::{PLACES, RoomLayout, WALL_SHARE};
pub use options::{MazeWorld, Options, factors};
pub use plan::{LayoutChoice, PlanOptions};
pub use route::Routes;
pub use task::{Task, free_point};
pub use walk::Walk;
pub use wall::{Point, Touch, Wall};
