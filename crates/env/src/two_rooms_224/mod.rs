//! Two Rooms as stable-worldmodel has it: a dot of 224 x 224 pixels, a wall and up to three doors.
//!
//! The world of `stable_worldmodel/envs/two_room/env.py` (version 0.1.1), drawn pixel by pixel as there. An action is a velocity within
//! `[-1, 1]` each way; the dot moves by it times its speed, 5 pixels unless that varies.
//!
//! What differs from upstream on purpose: the lawful rule ([`Rule::Swept`]) is the default, upstream's is [`Rule::EndPoint`]; start and
//! goal are places where the dot fits (upstream also puts them into the margin of the border, and the goal into the wall), and doors
//! that vary are drawn until one lets the dot through; `wall.border_color` colours the border, which upstream draws in `wall.color`;
//! `task.min_steps` is heeded where start and goal are in opposite rooms.

mod draw;
mod environment;
mod factors;
mod guide;
mod options;
mod plan;
mod render;
pub mod route;
mod rule;
mod task;

pub use draw::{Look, draw_dot, draw_rooms};
pub use environment::{CAMERA, NAME, TwoRooms224};
pub use factors::Door;
pub use guide::{Expert, Explore};
pub use options::{Options, Rooms, TwoRooms224World};
pub use plan::{DOOR_MARGIN, FloorPlan, Point};
pub use rule::Rule;
pub use task::{SUCCESS_DISTANCE, Task};
