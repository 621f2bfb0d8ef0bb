//! A data set walked once, for evaluation.

use prevision_core::HostBatch;

use crate::{ClipDataset, ClipRequest, DataError, Draw};

/// Walks a data set once, in its own order, without chance: the uniformly spaced clips of every video, as many as the data set
/// itself takes of each. See [`in_order_with`].
///
/// # Errors
/// Each batch, if too many videos are broken.
///
/// # Panics
/// If `batch_size` is 0.
pub fn in_order(dataset: &dyn ClipDataset, batch_size: usize) -> impl Iterator<Item = Result<HostBatch, DataError>> {
    in_order_with(dataset, dataset.clips_per_video(), batch_size)
}

/// Walks a data set once, in its own order, without chance: `clips_per_video` uniformly spaced clips of every video, fewer where a
/// short video has fewer different ones; the last batch is short if they do not fill it. Videos that cannot be used are left out;
/// [`ClipDataset::skipped`] names them.
///
/// # Errors
/// Each batch, if too many videos are broken.
///
/// # Panics
/// If `clips_per_video` or `batch_size` is 0.
pub fn in_order_with(
    dataset: &dyn ClipDataset,
    clips_per_video: usize,
    batch_size: usize,
) -> impl Iterator<Item = Result<HostBatch, DataError>> {
    assert!(batch_size > 0, "a batch of 0 clips");
    assert!(clips_per_video > 0, "0 clips of each video");
    let mut slots = 0..dataset.videos() * clips_per_video;
    let mut number = 0;
    let mut previous = None;
    std::iter::from_fn(move || {
        let mut clips = vec![];
        for slot in slots.by_ref() {
            let (video, clip) = (slot / clips_per_video, slot % clips_per_video);
            let request =
                ClipRequest { seed: 0, epoch: 0, slot, video, clip, clips: clips_per_video, draw: Draw::Uniform };
            match dataset.clip(&request) {
                Ok(clip) => {
                    let place = Some((video, clip.source.start));
                    if place != previous {
                        previous = place;
                        clips.push(clip);
                    }
                }
                Err(DataError::Skipped(_)) => {}
                Err(error) => {
                    slots = 0..0;
                    return Some(Err(error));
                }
            }
            if clips.len() == batch_size {
                break;
            }
        }
        number += 1;
        (!clips.is_empty()).then(|| Ok(HostBatch { clips, number: number - 1, first: 0 }))
    })
}
