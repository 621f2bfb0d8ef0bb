//! Worlds to act in: dynamics, rendering and the recording of episodes as video.
//!
//! A world has two sides. [`record`](record()) walks through it at random and writes films with their actions, from which a model
//! is trained; [`make`] gives the same world to a planner, which acts in floor plans that no recording shows.
//!
//! ```
//! use prevision_env::{EnvOptions, Environment, Overlay, make};
//!
//! let mut world = make("two-rooms", &EnvOptions::default())?;
//! world.reset(7)?; // the task of seed 7: always the same
//! let before = world.state();
//! world.step(&[0.5, -1.0]); // a displacement in pixels
//! assert_eq!(world.state(), [before[0] + 0.5, before[1] - 1.0]);
//! assert!(!world.success());
//!
//! let pixels = world.observe(); // what a model sees: RGB, 65 x 65
//! assert_eq!(pixels.len(), 65 * 65 * 3);
//! let frame = world.render(&Overlay::default(), 8); // what people see: RGB, 520 x 520
//! assert_eq!((frame.width, frame.height), (520, 520));
//! # Ok::<(), prevision_env::EnvError>(())
//! ```
//!
//! Recording, on all cores:
//!
//! ```no_run
//! use prevision_env::{RecordOptions, record};
//!
//! let options = RecordOptions { episodes: 100, ..RecordOptions::new("two-rooms", "data/two-rooms".as_ref()) };
//! let summary = record(&options, &mut |done, all| eprintln!("{done} of {all}"))?;
//! assert_eq!(summary.frames, 100 * 91);
//! # Ok::<(), prevision_env::EnvError>(())
//! ```
//!
//! Worlds: [`two_rooms`].

mod canvas;
mod environment;
mod error;
mod record;
mod registry;
pub mod two_rooms;

pub use environment::{Environment, EnvironmentSpec, Overlay};
pub use error::EnvError;
pub use record::{RecordOptions, RecordSummary, record};
pub use registry::{EnvOptions, WORLDS, make};
pub use two_rooms::{Collision, LayoutChoice, LayoutSplit};
