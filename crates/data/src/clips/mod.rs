//! Clips: what is asked for, where a clip lies in its video, and batches of them.

mod dataset;
mod in_order;
mod loader;
mod order;
mod request;
mod sampler;
pub mod sampling;
mod split;

pub use dataset::{ClipDataset, Found};
pub use in_order::{in_order, in_order_with};
pub use loader::{Loader, LoaderConfig};
pub(crate) use order::permutation;
pub use request::{ClipRequest, Draw};
pub(crate) use sampler::Sampler;
pub use split::Split;
pub(crate) use split::{originals, side, split};
