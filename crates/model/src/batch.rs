//! What was seen, on the device, ready for a model.

use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor, TensorData};
use prevision_core::{Array2, Clip, ClipSource, HostBatch, Normalise, Observations};

use crate::Pixels;

/// Observations of several episodes or clips, by the name of the stream.
#[derive(Clone, Debug, Default)]
pub struct ObservationBatch {
    /// Videos of each camera, `[b, 3, t, h, w]`; bytes on the CPU, numbers elsewhere, normalised in either case.
    pub cameras: BTreeMap<String, Pixels>,
    /// Rows of each vector stream, `[b, t, d]`.
    pub vectors: BTreeMap<String, Tensor<3>>,
}

impl ObservationBatch {
    /// Puts rows of equally many moments on the device.
    ///
    /// # Panics
    /// If there is no row, or rows differ in their streams, or a stream in its shape.
    pub fn upload(rows: &[&Observations], normalise: &Normalise, device: &Device) -> Self {
        let camera = |name: &String| {
            let first = &rows[0].cameras[name];
            let size = [first.frames, first.height, first.width];
            let mut bytes = Vec::with_capacity(rows.len() * first.data.len());
            for row in rows {
                let frames = row.cameras.get(name).unwrap_or_else(|| panic!("a row without camera {name}"));
                let found = [frames.frames, frames.height, frames.width];
                assert!(found == size, "a batch of clips [t, h, w] = {size:?} and {found:?}");
                bytes.extend_from_slice(&frames.data);
            }
            let [t, h, w] = size;
            let Normalise { mean, std } = *normalise;
            (name.clone(), Pixels::from_rgb(bytes, [rows.len(), t, h, w], mean, std, device))
        };
        let vector = |name: &String| {
            let values = stack(name, rows.iter().map(|row| row.vectors.get(name)), device);
            (name.clone(), values.unwrap_or_else(|| panic!("a row without vector {name}")))
        };
        Self {
            cameras: rows[0].cameras.keys().map(camera).collect(),
            vectors: rows[0].vectors.keys().map(vector).collect(),
        }
    }

    /// The only camera's videos, for models that see one: [`Spaces::only_camera`](prevision_core::Spaces::only_camera) refuses
    /// others before.
    ///
    /// # Panics
    /// If there is another number of cameras.
    pub fn only_camera(&self) -> &Pixels {
        let mut cameras = self.cameras.iter();
        match (cameras.next(), cameras.next()) {
            (Some((_, video)), None) => video,
            _ => panic!("a model of one camera was given {:?}", self.cameras.keys()),
        }
    }

    /// Those of a single camera.
    pub fn of_camera(name: &str, video: impl Into<Pixels>) -> Self {
        Self { cameras: BTreeMap::from([(name.to_owned(), video.into())]), vectors: BTreeMap::new() }
    }

    /// The same, off the tape.
    #[must_use]
    pub fn without_autodiff(self) -> Self {
        Self {
            cameras: self.cameras.into_iter().map(|(name, video)| (name, video.without_autodiff())).collect(),
            vectors: self.vectors.into_iter().map(|(name, rows)| (name, rows.without_autodiff())).collect(),
        }
    }
}

/// A batch of clips on the device.
#[derive(Clone, Debug)]
pub struct ClipBatch {
    /// What was seen.
    pub observations: ObservationBatch,
    /// `[b, t - 1, a]`: the actions between moments.
    pub actions: Option<Tensor<3>>,
    /// `[b, t, s]`: the state at each moment.
    pub state: Option<Tensor<3>>,
    /// Where each clip is from.
    pub sources: Vec<ClipSource>,
    /// The time of each clip's first moment in its episode, in steps of the model (of `frame_step` frames each).
    pub starts: Vec<f64>,
    /// Number of the batch since the start of training.
    pub number: u64,
    /// Place of the first clip in the whole batch of this number, of which one process may have a part.
    pub first: usize,
}

impl ClipBatch {
    /// Puts a batch on the device, every video as one block with what normalises it. `frame_step` is the distance of two moments
    /// in frames.
    ///
    /// # Panics
    /// If the batch is empty, or its clips differ in shape, in their streams, or in having actions or a state.
    pub fn upload(batch: &HostBatch, frame_step: usize, normalise: &Normalise, device: &Device) -> Self {
        let clips = &batch.clips;
        let rows: Vec<&Observations> = clips.iter().map(|clip| &clip.observations).collect();
        let all = |name: &str, of: fn(&Clip) -> Option<&Array2>| stack(name, clips.iter().map(of), device);
        Self {
            observations: ObservationBatch::upload(&rows, normalise, device),
            actions: all("actions", |clip| clip.actions.as_ref()),
            state: all("state", |clip| clip.state.as_ref()),
            sources: clips.iter().map(|clip| clip.source.clone()).collect(),
            starts: clips.iter().map(|clip| clip.source.start as f64 / frame_step as f64).collect(),
            number: batch.number,
            first: batch.first,
        }
    }

    /// The episode or video of every clip.
    pub fn episodes(&self) -> Vec<usize> {
        self.sources.iter().map(|source| source.video).collect()
    }
}

/// Rows of clips as one tensor `[b, rows, columns]`; `None` if the first clip has none.
fn stack<'a>(
    name: &str,
    mut arrays: impl ExactSizeIterator<Item = Option<&'a Array2>>,
    device: &Device,
) -> Option<Tensor<3>> {
    let count = arrays.len();
    let first = arrays.next()??;
    let (rows, columns) = (first.rows, first.columns);
    let mut values: Vec<f32> = Vec::with_capacity(count * rows * columns);
    values.extend(&first.data);
    for array in arrays {
        let found = array.map(|array| (array.rows, array.columns));
        assert!(found == Some((rows, columns)), "a batch of clips with {name} {:?} and {found:?}", (rows, columns));
        values.extend(array.into_iter().flat_map(|array| &array.data));
    }
    Some(Tensor::from_data(TensorData::new(values, [count, rows, columns]), device))
}

#[cfg(test)]
mod tests {
    use super::*;
    use prevision_core::FrameBuffer;

    fn clip(offset: u8) -> Clip {
        let mut frames = FrameBuffer::new(2, 1, 2);
        frames.data = (0..12).map(|k| k + offset).collect();
        let mut observations = Observations::of_camera("pixels", frames);
        observations.vectors.insert("force".into(), Array2::new(vec![f32::from(offset), 1.5], 2, 1));
        Clip {
            observations,
            times: vec![0.0, 0.1],
            actions: Some(Array2::new(vec![f32::from(offset), 0.5], 1, 2)),
            state: None,
            label: Some(4),
            source: ClipSource { path: "a.mp4".into(), video: usize::from(offset), start: 3 },
        }
    }

    fn upload(clips: Vec<Clip>, normalise: &Normalise) -> ClipBatch {
        ClipBatch::upload(&HostBatch { clips, number: 7, first: 2 }, 2, normalise, &Device::flex())
    }

    fn values(tensor: Tensor<3>) -> Vec<f32> {
        tensor.into_data().try_to_vec().unwrap()
    }

    #[test]
    fn layout_and_values() {
        let normalise = Normalise { mean: [0.0, 0.5, 0.0], std: [1.0 / 255.0, 1.0, 1.0 / 255.0] };
        let batch = upload(vec![clip(0), clip(100)], &normalise);
        let video = batch.observations.only_camera().clone();
        assert_eq!(video.dims(), [2, 3, 2, 1, 2]);
        let pixels = video.into_tensor().into_data().try_to_vec::<f32>().unwrap();
        let near = |found: &[f32], expected: &[f32]| {
            for (found, expected) in found.iter().zip(expected) {
                assert!((found - expected).abs() < 1e-4, "{found} is not {expected}");
            }
        };
        // Red of frame 0 and of frame 1, then green, then blue.
        near(&pixels[..4], &[0.0, 3.0, 6.0, 9.0]);
        near(&pixels[4..8], &[1.0 / 255.0 - 0.5, 4.0 / 255.0 - 0.5, 7.0 / 255.0 - 0.5, 10.0 / 255.0 - 0.5]);
        near(&pixels[8..12], &[2.0, 5.0, 8.0, 11.0]);
        near(&pixels[12..14], &[100.0, 103.0]);
        assert_eq!(values(batch.observations.vectors["force"].clone()), [0.0, 1.5, 100.0, 1.5]);
        assert_eq!(values(batch.actions.clone().unwrap()), [0.0, 0.5, 100.0, 0.5]);
        assert!(batch.state.is_none());
        assert_eq!((batch.episodes(), &batch.starts[..]), (vec![0, 100], &[1.5, 1.5][..]));
        assert_eq!((batch.number, batch.first), (7, 2));
    }

    #[test]
    #[should_panic(expected = "a batch of clips with actions (1, 2) and None")]
    fn actions_must_be_in_all_clips_or_none() {
        let _ = upload(vec![clip(0), Clip { actions: None, ..clip(1) }], &Normalise::default());
    }
}
