//! Worlds to act in, whoever acts in them, and the recording of episodes as video.
//!
//! - [`Environment`]: one world at one episode; [`Worlds`]: several side by side
//! - [`Policy`]: whoever chooses actions
//! - [`registry`]: worlds by name, built-in ones and a user's own
//! - [`record`](record()): episodes of any world by any policy, as video (with the feature `record`)
//!
//! ```
//! use prevision_core::Action;
//! use prevision_env::registry::{EnvConfig, Purpose, built_in};
//!
//! let world = EnvConfig::default().world(&built_in()).expect("two-rooms is built in");
//! let mut environment = world.environment(Purpose::Evaluation)?;
//! let first = environment.reset(7)?; // the task of seed 7: always the same
//! let before = first.state.expect("two-rooms tells where the dot is");
//! let next = environment.step(Action::Vector(&[0.5, -1.0]))?; // a displacement in pixels
//! assert_eq!(next.state, Some(vec![before[0] + 0.5, before[1] - 1.0]));
//! assert!(!next.success);
//!
//! let pixels = &next.observations.cameras["pixels"]; // what a model sees
//! assert_eq!((pixels.height, pixels.width), (65, 65));
//! let frame = environment.render(&[], 8).expect("two-rooms is drawn"); // what people see
//! assert_eq!((frame.height, frame.width), (520, 520));
//! # Ok::<(), prevision_env::EnvError>(())
//! ```
//!
//! Worlds: [`two_rooms`].

mod canvas;
mod environment;
mod error;
mod mark;
mod policy;
#[cfg(feature = "record")]
mod record;
pub mod registry;
pub mod two_rooms;
mod worlds;

pub use environment::{Environment, EnvironmentSpec, Goal, TimeStep};
pub use error::EnvError;
pub use mark::{Mark, MarkKind};
pub use policy::{Decision, Policy, PolicyError, Random, Recorded, Search, SearchIteration, Start};
#[cfg(feature = "record")]
pub use record::{RecordOptions, RecordSummary, record};
pub use worlds::Worlds;
