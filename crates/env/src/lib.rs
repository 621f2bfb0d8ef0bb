//! Worlds to act in, whoever acts in them, and the recording of episodes as video.
//!
//! - [`Environment`]: one world at one episode; [`Worlds`]: several side by side
//! - [`Policy`]: whoever chooses actions
//! - [`factors`]: what can differ between episodes, in appearance and in physics
//! - [`registry`]: worlds by name, built-in ones and a user's own
//! - [`Manifest`]: tasks that are frozen in a file
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
//! Worlds: [`two_rooms`], [`two_rooms_224`], [`maze`], [`point_maze`], [`patrol`], [`push_t`]; `pendulum`, `cart-pole` and `reacher`, which
//! are had by name; anybody's through [`process`], Gymnasium's through [`gym`].

mod canvas;
pub mod check;
mod control;
mod environment;
mod error;
pub mod factors;
pub mod gym;
mod manifest;
mod mark;
pub mod maze;
mod paint;
pub mod patrol;
pub mod point_maze;
mod policy;
pub mod process;
pub mod push_t;
#[cfg(feature = "record")]
mod record;
pub mod registry;
mod speed;
pub mod two_rooms;
pub mod two_rooms_224;
mod worlds;

pub use environment::{Environment, EnvironmentSpec, Goal, Legality, TimeStep};
pub use error::EnvError;
pub use factors::{Factor, FactorKind, FactorSampler, FactorValues, Factors, Variation};
pub use manifest::{Manifest, Task, TaskOptions, TaskSource, task_seed};
pub use mark::{Mark, MarkKind};
pub use policy::{
    Decision, Policy, PolicyError, PredictionErrors, Random, Recorded, Search, SearchIteration, Smooth, Start,
};
#[cfg(feature = "record")]
pub use record::{RecordOptions, RecordSummary, record};
pub use speed::{Speed, measure_speed};
pub use worlds::Worlds;
