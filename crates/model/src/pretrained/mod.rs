//! Weights that others have trained: brought in, kept in a file that describes itself, and written as others read them.
//!
//! A [`Checkpoint`] is opened wherever it comes from; a [`Layout`] says what it holds and where; [`import`] makes a [`Pretrained`] model of it,
//! with the same networks as models that are trained here. [`export`] goes the other way by the same table.

mod cache;
mod change;
mod checkpoint;
mod error;
mod export;
mod import;
pub mod layouts;
mod model;
mod pytorch_file;
mod spec;
mod stored;
mod world;

pub use cache::FeatureCache;
pub use change::FeatureChange;
pub use checkpoint::Checkpoint;
pub use error::ImportError;
pub use export::export;
pub use import::{ImportReport, import};
pub use layouts::Layout;
pub use model::{Pretrained, PretrainedNetworks};
pub use spec::{Input, PretrainedSpec, Resize, ResizeTo};
pub use world::{VitNames, WorldNetworks, WorldSpec};
