//! Slower world models over the same latents: each of their steps is many actions long.
//!
//! A model that predicts step by step sees as far as its errors let it. A slower one takes the actions of many steps as one macro-action and
//! predicts where they lead at once, so that a search over a few of its steps looks far ahead (hierarchy of JEPAs: `LeCun` 2022, "A Path
//! Towards Autonomous Machine Intelligence", section 4.6; H-JEPA, arXiv 2610.06805).

mod config;
mod level;

pub use config::LevelConfig;
pub use level::Level;
