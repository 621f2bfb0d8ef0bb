//! Push-T: an agent pushes a block to where it belongs.
//!
//! The world of stable-worldmodel and, with `control = "absolute"` and `rule = "coverage"`, of gym-pusht: 512 x 512 pixels with x to the
//! right and y down, an agent that is drawn to a target by a spring, and a block that moves only while it is pushed. Nothing has friction
//! but against the floor, which takes all momentum away.
//!
//! The bodies are moved as Chipmunk moves them ([`space`]), since what a model learned there must hold here. That solver is our own:
//! Rapier's cannot be brought to it, and of geometry the world has only circles, lines and rectangles.

pub mod body;
pub mod contact;
pub mod coverage;
mod draw;
pub mod dynamics;
mod environment;
pub mod expert;
pub mod explorer;
pub mod factors;
mod options;
mod order;
mod render;
pub mod shape;
pub mod space;
pub mod task;
pub mod vector;
pub mod weak;

pub use dynamics::{Build, Control, State};
pub use environment::{CAMERA, CONTACTS, NAME, PushT};
pub use expert::Expert;
pub use explorer::Explorer;
pub use options::{Options, PushTWorld};
pub use shape::Shape;
pub use space::Space;
pub use task::{Rule, SUCCESS_ANGLE, SUCCESS_COVERAGE, SUCCESS_DISTANCE, Task};
pub use weak::Weak;
