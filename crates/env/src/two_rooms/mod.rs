//! Two Rooms: a dot, a wall and a door.
//!
//! The world of `eb_jepa/datasets/two_rooms` (Meta AI, EB-JEPA): 65x65 pixels with x to the right and y down, border lines at
//! row and column 4 and 60, a vertical wall three pixels thick with a door of nine. An action is a displacement in pixels.
//!
//! Two things differ from upstream on purpose. Its evaluation moves the dot by other rules than its data, and here the rule of
//! the data ([`Collision::Stop`]) is the default for both. Its evaluation configures a bound of 2.45 for actions but does not
//! enforce it, and here [`Environment::step`](crate::Environment::step) shortens longer actions to that norm.

pub mod draw;
pub mod dynamics;
mod environment;
pub mod geometry;
pub mod layout;
mod look;
mod options;
mod render;
pub mod task;
pub mod walk;
mod walker;

pub use draw::draw;
pub use dynamics::Collision;
pub use environment::{ACTION_NORM, CAMERA, NAME, TwoRooms};
pub use geometry::{Contact, Point, SIZE, Surface};
pub use layout::{Layout, LayoutChoice, LayoutSplit};
pub use look::Look;
pub use options::{Options, TwoRoomsWorld};
pub use task::{SUCCESS_DISTANCE, Task};
pub use walk::Walk;
pub use walker::Walker;
