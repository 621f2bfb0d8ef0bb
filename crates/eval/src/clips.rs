//! The clips of one side, encoded batch by batch.

use burn::tensor::Tensor;
use prevision_core::HostBatch;
use prevision_data::{ClipDataset, ClipRequest, DataError, Draw, in_order_with};
use prevision_model::{ClipBatch, Forecast, Wanted, is_finite};

use crate::{EvalError, Evaluation, Seen};

/// Clips that a measurement needs.
const LEAST: usize = 2;

/// A walk through one side of a data set, in order.
pub(crate) struct Walk {
    /// `held-out` or `training`.
    pub(crate) side: &'static str,
    /// Clips, at most.
    pub(crate) most: usize,
    /// What the model is asked of them.
    pub(crate) wanted: Wanted,
}

impl Walk {
    /// Hands over the clips, encoded in batches of `eval.batch_size`, and returns how many there are.
    pub(crate) fn each_batch(
        &self,
        evaluation: &Evaluation<'_>,
        dataset: &dyn ClipDataset,
        progress: &mut dyn FnMut(&str, usize, usize),
        mut work: impl FnMut(&Seen<'_>) -> Result<(), EvalError>,
    ) -> Result<usize, EvalError> {
        let most = self.most;
        let what = format!("encode {} clips", self.side);
        let each = clips_per_video(dataset, most)?;
        let total = most.min(dataset.videos() * each);
        let mut clips = 0;
        for batch in in_order_with(dataset, each, evaluation.config.batch_size.min(most)) {
            let mut batch = batch?;
            batch.clips.truncate(most - clips);
            clips += batch.clips.len();
            self.encode(evaluation, &batch, &mut work)?;
            progress(&what, clips, total);
            if clips >= most {
                break;
            }
        }
        if clips < LEAST {
            return Err(EvalError::TooFewClips { side: self.side, clips, least: LEAST });
        }
        Ok(clips)
    }

    fn encode(
        &self,
        evaluation: &Evaluation<'_>,
        batch: &HostBatch,
        work: &mut impl FnMut(&Seen<'_>) -> Result<(), EvalError>,
    ) -> Result<(), EvalError> {
        let model = evaluation.model;
        let clips = ClipBatch::upload(batch, evaluation.spaces.frame_step, model.normalise(), &model.device());
        let Forecast { context, targets, observed, predicted } = model.forecast(&clips, self.wanted);
        let context = context.unwrap_or_else(|| targets.clone());
        check_finite(&targets, "encoded latents")?;
        check_finite(&context, "encoded latents")?;
        if let Some(predicted) = &predicted {
            check_finite(predicted, "predicted latents")?;
        }
        work(&Seen { evaluation, clips: &clips, context, targets, observed, predicted })
    }
}

/// Clips to take of every video: as many as the data set itself takes of it; more where there are so few videos that `most` clips
/// allow it. Videos that give no clip do not count.
fn clips_per_video(dataset: &dyn ClipDataset, most: usize) -> Result<usize, EvalError> {
    let mut videos = dataset.videos();
    if most > videos {
        for video in 0..dataset.videos() {
            let request = ClipRequest { seed: 0, epoch: 0, slot: video, video, clip: 0, clips: 1, draw: Draw::Uniform };
            match dataset.clip(&request) {
                Ok(_) => {}
                Err(DataError::Skipped(_)) => videos -= 1,
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(dataset.clips_per_video().max(most / videos.max(1)))
}

/// Refuses values that are not finite.
fn check_finite(latents: &Tensor<4>, what: &'static str) -> Result<(), EvalError> {
    if is_finite(latents).map_err(EvalError::Device)? { Ok(()) } else { Err(EvalError::NotFinite { what }) }
}
