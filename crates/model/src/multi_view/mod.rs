//! The multi-view model (`LeVJEPA`): a clip and small parts of it, most of whose tokens are dropped, are to be embedded alike.
//!
//! One encoder and a projector; neither a target encoder nor a predictor. Source: Kuhn et al. 2026, "`LeVJEPA`: Efficient & Scalable Video
//! Pretraining without the Heuristics" (arXiv 2608.27395; upstream `main.py`, `module.py`, `conf/config.yaml`).

mod colour;
mod config;
mod frozen;
mod views;

use burn::module::Module;
use burn::tensor::Tensor;

use crate::masks::token_ids;
use crate::{Pixels, Projector, VideoVit};

pub use config::{MultiViewConfig, MultiViewProjectorConfig};
pub use frozen::FrozenMultiView;
pub use views::{View, ViewConfig, ViewSampler};

/// Encoder and projector. Built by [`MultiViewConfig::init`].
#[derive(Module, Debug)]
pub struct MultiViewJepa {
    /// Encodes the kept tokens of a view, with a class token that stands for all of it.
    pub encoder: VideoVit,
    /// From class tokens to embeddings.
    pub projector: Projector,
}

impl MultiViewJepa {
    /// The embeddings of the views of some clips. All of them are normalised together in the projector's batch norm.
    ///
    /// # Shapes
    /// - output: `[clips, views, embedding]`
    ///
    /// # Panics
    /// If there is no view, or views are of different numbers of clips.
    pub fn embed(&self, views: &[View]) -> Tensor<3> {
        let clips = views.first().expect("at least one view").pixels.dims()[0];
        let class = |view: &View| {
            let ids = token_ids(&view.keep, &view.pixels.device());
            self.encoder.class_only(view.pixels.clone(), Some(&ids)).expect("an encoder with a class token")
        };
        let classes: Vec<Tensor<2>> = views.iter().map(class).collect();
        let embedded = self.projector.forward(Tensor::cat(classes, 0));
        let width = self.projector.dim();
        embedded.reshape([views.len(), clips, width]).swap_dims(0, 1)
    }

    /// Encodes all tokens of clips.
    ///
    /// # Shapes
    /// - video: `[batch, channels, time, height, width]`
    /// - output: `[batch, tokens, dim]`
    pub fn encode(&self, video: impl Into<Pixels>) -> Tensor<3> {
        self.encoder.forward(video, None)
    }
}
