//! Arrays of pictures.

use std::ops::Range;
use std::sync::OnceLock;

use super::array::ZarrArray;
use super::number::Number;
use crate::DataError;

/// The least height and width of a picture, pixels: what is smaller is a column of numbers.
const LEAST: usize = 8;

/// An array of pictures: uint8, or floats from 0 to 255.
pub(super) struct Pictures {
    array: ZarrArray,
    pub(super) height: usize,
    pub(super) width: usize,
    channels: usize,
    /// Whether the channels come before the rows.
    channels_first: bool,
    /// Whether floats are from 0 to 255, or else why that is not known.
    scale: OnceLock<Result<(), String>>,
}

impl Pictures {
    /// What an array is: `[T, h, w, c]` or `[T, c, h, w]` with 1 or 3 channels, h and w at least 8, of uint8, float32 or float64 are
    /// pictures, others are not and are given back.
    pub(super) fn of(array: ZarrArray) -> Result<Self, Box<ZarrArray>> {
        let bytes_or_floats = matches!(array.metadata.number, Number::U8 | Number::F32 | Number::F64);
        let (height, width, channels, channels_first) = match array.metadata.shape[..] {
            [_, height, width, channels @ (1 | 3)] => (height, width, channels, false),
            [_, channels @ (1 | 3), height, width] => (height, width, channels, true),
            _ => return Err(Box::new(array)),
        };
        if height < LEAST || width < LEAST || !bytes_or_floats {
            return Err(Box::new(array));
        }
        Ok(Self { array, height, width, channels, channels_first, scale: OnceLock::new() })
    }

    /// The block that has a step.
    pub(super) fn block_of(&self, step: usize) -> usize {
        step / self.array.metadata.chunk[0]
    }

    /// The steps of a block.
    pub(super) fn block(&self, block: usize) -> Range<usize> {
        self.array.block(block)
    }

    /// Bytes of a frame.
    pub(super) fn frame_size(&self) -> usize {
        self.height * self.width * 3
    }

    /// The frames of a block, `[steps, h, w, 3]`. Floats are rounded to the nearest whole number.
    ///
    /// # Errors
    /// If it cannot be read, or floats are not from 0 to 255.
    pub(super) fn read(&self, block: usize) -> Result<Vec<u8>, DataError> {
        let bytes = self.array.check_claim(self.block(block).len())?;
        // Grey pictures become three times as large.
        let numbers = self.array.read(block)?;
        let samples = if self.array.metadata.number == Number::U8 { numbers } else { self.rounded(block, &numbers)? };
        if self.channels == 3 && !self.channels_first {
            return Ok(samples);
        }
        let plane = self.height * self.width;
        let mut frames = Vec::with_capacity(bytes / self.array.metadata.number.size() / self.channels * 3);
        for frame in samples.chunks_exact(plane * self.channels) {
            for place in 0..plane {
                // One channel looks the same in either order.
                frames.extend((0..3).map(|channel| frame[channel % self.channels * plane + place]));
            }
        }
        Ok(frames)
    }

    fn rounded(&self, block: usize, numbers: &[u8]) -> Result<Vec<u8>, DataError> {
        let bad = |message: String| DataError::format(self.array.dir(), message);
        // The first block decides, whatever is read first.
        let first = || {
            let numbers = self.array.read(0).map_err(|error| error.to_string())?;
            let mut largest = f64::NEG_INFINITY;
            self.array.metadata.number.each(&numbers, |value| largest = largest.max(value));
            if largest > 1.0 {
                return Ok(());
            }
            Err(format!(
                "pictures of floats are read if they are from 0 to 255, but the first chunk has nothing above {largest}: they may be \
                 from 0 to 1"
            ))
        };
        self.scale.get_or_init(first).clone().map_err(bad)?;
        let mut samples = Vec::with_capacity(numbers.len() / self.array.metadata.number.size());
        let mut outside = None;
        self.array.metadata.number.each(numbers, |value| {
            if !(-0.5..255.5).contains(&value) {
                outside = outside.or(Some((samples.len(), value)));
            }
            samples.push(value.round_ties_even() as u8);
        });
        match outside {
            None => Ok(samples),
            Some((place, value)) => {
                let step = self.block(block).start + place / (self.height * self.width * self.channels);
                Err(bad(format!("holds {value} in step {step}, expected pictures of numbers from 0 to 255")))
            }
        }
    }
}
