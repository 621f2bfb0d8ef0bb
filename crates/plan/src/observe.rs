//! From an environment's pixels to what a model sees.

use std::path::PathBuf;

use burn::prelude::*;
use prevision_data::{Clip, ClipSource, HostBatch, Normalise};
use prevision_kernels::Pixels;
use prevision_video::FrameBuffer;

/// Normalises RGB frames exactly as training did, by the same code.
///
/// # Shapes
/// - frames: one or more rows, each the same number of frames `[h, w, 3]`
/// - output: `[b, 3, t, h, w]`
pub(crate) fn video<'a, R, F>(rows: R, [height, width]: [usize; 2], normalise: &Normalise, device: &Device) -> Pixels
where
    R: IntoIterator<Item = F>,
    F: IntoIterator<Item = &'a [u8]>,
{
    let clips = rows.into_iter().enumerate().map(|(row, frames)| {
        let mut buffer = FrameBuffer { data: Vec::new(), frames: 0, height, width };
        for frame in frames {
            buffer.data.extend_from_slice(frame);
            buffer.frames += 1;
        }
        let times = (0..buffer.frames).map(|time| time as f64).collect();
        let source = ClipSource { path: PathBuf::new(), video: row, start: 0 };
        Clip { frames: buffer, times, actions: None, state: None, label: None, source }
    });
    HostBatch { clips: clips.collect(), number: 0 }.to_device(normalise, device).video
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_become_channels_first_and_normalised() {
        let frames: [&[u8]; 2] = [&[255, 0, 51, 0, 0, 0], &[0, 255, 0, 0, 0, 255]];
        let normalise = Normalise { mean: [0.0, 0.5, 0.0], std: [1.0, 0.5, 0.2] };
        let tensor = video([frames], [1, 2], &normalise, &Device::flex()).into_tensor();
        assert_eq!(tensor.dims(), [1, 3, 2, 1, 2]);
        let values = tensor.into_data().try_into_vec_as::<f32>().unwrap();
        for (got, want) in values.iter().zip([1.0, 0.0, 0.0, 0.0, -1.0, -1.0, 1.0, -1.0, 1.0, 0.0, 0.0, 5.0]) {
            assert!((got - want).abs() < 1e-6, "{values:?}");
        }
    }
}
