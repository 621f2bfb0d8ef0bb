//! What a training tells while it runs: losses, JSON lines and `TensorBoard` files.

mod events;
mod histogram;
mod jsonl;
mod messages;
mod picture;
mod window;

pub(crate) use events::EventWriter;
pub(crate) use histogram::{Histogram, gradient_histograms, latent_std, parameter_histograms};
pub(crate) use jsonl::{Line, MetricsFile};
pub(crate) use picture::strip;
pub(crate) use window::{NotFinite, Reading, Window};
