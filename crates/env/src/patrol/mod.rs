//! Two rooms with a patrol: a dot rides up and down in the wall, across the door, and a touch ends the episode.
//!
//! Floor plans and tasks are those of [`two_rooms`](crate::two_rooms); routes are no longer than there, but whether one is safe depends on
//! where the patrol will be when the agent gets to the door: geometry alone does not tell, prediction does. A single frame does not show
//! which way the patrol rides.

mod environment;
mod expert;
mod options;
mod rail;
mod walk;

pub use environment::{ACTION_NORM, CAMERA, NAME, Patrol, SUCCESS_DISTANCE};
pub use expert::Expert;
pub use options::{Options, PatrolWorld, factors};
pub use rail::{Guard, Rail, TOUCH_DISTANCE};
pub use walk::Walk;
