//! Batches, on the host and on the device.

use burn::tensor::{Device, Tensor, TensorData};
use prevision_kernels::Pixels;

use crate::{Array2, Clip, ClipSource, Normalise};

/// Clips of one shape, in memory as decoded.
pub struct HostBatch {
    /// The clips. Several clips of one video follow each other.
    pub clips: Vec<Clip>,
    /// Number of the batch since the start of training, over all epochs.
    pub number: u64,
}

/// A batch on the device, ready for a model.
pub struct ClipBatch {
    /// `[b, c, t, h, w]`; bytes on the CPU, numbers elsewhere, normalised in either case.
    pub video: Pixels,
    /// `[b, t - 1, a]`.
    pub actions: Option<Tensor<3>>,
    /// `[b, t, s]`.
    pub state: Option<Tensor<3>>,
    /// Class of each clip.
    pub labels: Vec<Option<i64>>,
    /// Where each clip is from.
    pub sources: Vec<ClipSource>,
}

impl HostBatch {
    /// Puts everything on the device, the video as one block with what normalises it.
    ///
    /// # Shapes
    /// - each clip: frames `[t, h, w, 3]`
    /// - output: video `[b, 3, t, h, w]`, actions `[b, t - 1, a]`, state `[b, t, s]`
    ///
    /// # Panics
    /// If the batch is empty, or its clips differ in shape or in having actions or a state.
    pub fn to_device(&self, normalise: &Normalise, device: &Device) -> ClipBatch {
        let first = &self.clips[0].frames;
        let size = [first.frames, first.height, first.width];
        let mut bytes = Vec::with_capacity(self.clips.len() * first.data.len());
        for Clip { frames, .. } in &self.clips {
            let found = [frames.frames, frames.height, frames.width];
            assert!(found == size, "a batch of clips [t, h, w] = {size:?} and {found:?}");
            bytes.extend_from_slice(&frames.data);
        }
        let [t, h, w] = size;
        let Normalise { mean, std } = *normalise;
        ClipBatch {
            video: Pixels::from_rgb(bytes, [self.clips.len(), t, h, w], mean, std, device),
            actions: self.stack("actions", |clip| clip.actions.as_ref(), device),
            state: self.stack("state", |clip| clip.state.as_ref(), device),
            labels: self.clips.iter().map(|clip| clip.label).collect(),
            sources: self.clips.iter().map(|clip| clip.source.clone()).collect(),
        }
    }

    fn stack(&self, name: &str, of: impl Fn(&Clip) -> Option<&Array2>, device: &Device) -> Option<Tensor<3>> {
        let (rows, columns) = of(&self.clips[0]).map(|array| (array.rows, array.columns))?;
        let mut values: Vec<f32> = Vec::with_capacity(self.clips.len() * rows * columns);
        for clip in &self.clips {
            let found = of(clip).map(|array| (array.rows, array.columns));
            assert!(found == Some((rows, columns)), "a batch of clips with {name} {:?} and {found:?}", (rows, columns));
            values.extend(of(clip).into_iter().flat_map(|array| &array.data));
        }
        Some(Tensor::from_data(TensorData::new(values, [self.clips.len(), rows, columns]), device))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use prevision_video::FrameBuffer;

    fn clip(offset: u8) -> Clip {
        let mut frames = FrameBuffer::new(2, 1, 2);
        frames.data = (0..12).map(|k| k + offset).collect();
        let source = ClipSource { path: "a.mp4".into(), video: usize::from(offset), start: 3 };
        let actions = Some(Array2::new(vec![f32::from(offset), 0.5], 1, 2));
        Clip { frames, times: vec![0.0, 0.1], actions, state: None, label: Some(4), source }
    }

    #[test]
    fn layout_and_values() {
        let batch = HostBatch { clips: vec![clip(0), clip(100)], number: 0 };
        let normalise = Normalise { mean: [0.0, 0.5, 0.0], std: [1.0 / 255.0, 1.0, 1.0 / 255.0] };
        let device = Device::flex();
        let on_device = batch.to_device(&normalise, &device);
        assert_eq!(on_device.video.dims(), [2, 3, 2, 1, 2]);
        let values = on_device.video.into_tensor().into_data().try_to_vec::<f32>().unwrap();
        let near = |found: &[f32], expected: &[f32]| {
            for (found, expected) in found.iter().zip(expected) {
                assert!((found - expected).abs() < 1e-4, "{found} is not {expected}");
            }
        };
        // Red of frame 0 and of frame 1, then green, then blue.
        near(&values[..4], &[0.0, 3.0, 6.0, 9.0]);
        near(&values[4..8], &[1.0 / 255.0 - 0.5, 4.0 / 255.0 - 0.5, 7.0 / 255.0 - 0.5, 10.0 / 255.0 - 0.5]);
        near(&values[8..12], &[2.0, 5.0, 8.0, 11.0]);
        near(&values[12..14], &[100.0, 103.0]);
        assert_eq!(on_device.actions.unwrap().into_data().try_to_vec::<f32>().unwrap(), [0.0, 0.5, 100.0, 0.5]);
        assert!(on_device.state.is_none());
        assert_eq!((on_device.labels, on_device.sources[1].video), (vec![Some(4); 2], 100));
    }

    #[test]
    #[should_panic(expected = "a batch of clips with actions (1, 2) and None")]
    fn actions_must_be_in_all_clips_or_none() {
        let batch = HostBatch { clips: vec![clip(0), Clip { actions: None, ..clip(1) }], number: 0 };
        let _ = batch.to_device(&Normalise::default(), &Device::flex());
    }
}
