//! Looping GIFs.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use color_quant::NeuQuant;
use gif::{DisposalMethod, Encoder, Frame, Repeat};

use crate::temporary::TemporaryFile;
use prevision_core::FrameBuffer;

use crate::VideoError;

/// Colours the quantiser looks at, at most.
const SAMPLES: usize = 1 << 18;

/// Writes frames as a GIF that loops for ever.
///
/// One palette serves the whole file, so that nothing flickers: the exact colours when there are at most 256, otherwise the
/// NeuQuant network's (A. Dekker, "Kohonen neural networks for optimal colour quantization", 1994). Each frame stores only
/// the rectangle that changed. GIF counts time in 1/100 s, and viewers do not go beyond 50 frames per second.
///
/// # Shapes
/// `frames`: `[frames, height, width, 3]`, at least one frame.
///
/// # Errors
/// [`VideoError::Options`] when there is no frame, a side is beyond 65535 or the frame rate is 0; [`VideoError::Write`] when
/// the file cannot be written. Nothing is left behind then.
pub fn write_gif(path: &Path, frames: &FrameBuffer, frame_rate: u32) -> Result<(), VideoError> {
    let refuse = |key, value: usize, expected| VideoError::Options {
        path: path.to_owned(),
        key,
        value: value.to_string(),
        expected,
    };
    if frames.frames == 0 {
        return Err(refuse("frames", 0, "at least one frame"));
    }
    let side = |key, value: usize| match u16::try_from(value) {
        Ok(side) if side > 0 => Ok(side),
        _ => Err(refuse(key, value, "1 to 65535 pixels")),
    };
    let (width, height) = (side("width", frames.width)?, side("height", frames.height)?);
    if frame_rate == 0 {
        return Err(refuse("frame_rate", 0, "at least one frame per second"));
    }
    let file = TemporaryFile::create(path)?;
    let failed = |error: &dyn ToString| VideoError::write(path, "write the GIF", error.to_string());
    let mut out = BufWriter::new(File::create(file.path()).map_err(|error| failed(&error))?);
    let mut palette = Palette::new(&frames.data);
    {
        let mut encoder = Encoder::new(&mut out, width, height, &palette.colors).map_err(|error| failed(&error))?;
        encoder.set_repeat(Repeat::Infinite).map_err(|error| failed(&error))?;
        let mut shown: Option<Vec<u8>> = None;
        for index in 0..frames.frames {
            let pixels = palette.map(frames.frame(index));
            let area = changed(shown.as_deref(), &pixels, frames.width);
            encoder
                .write_frame(&Frame {
                    delay: delay(index, frame_rate),
                    dispose: DisposalMethod::Keep,
                    left: area.left as u16,
                    top: area.top as u16,
                    width: area.width as u16,
                    height: area.height as u16,
                    buffer: Cow::Owned(area.cut(&pixels, frames.width)),
                    ..Frame::default()
                })
                .map_err(|error| failed(&error))?;
            shown = Some(pixels);
        }
    }
    out.flush().map_err(|error| failed(&error))?;
    drop(out);
    file.keep()
}

/// Hundredths of a second from frame `index` to the next, without drift; at least the 2 that viewers honour.
fn delay(index: usize, frame_rate: u32) -> u16 {
    let at = |index: usize| (index as f64 * 100.0 / f64::from(frame_rate)).round();
    ((at(index + 1) - at(index)) as u16).max(2)
}

/// The colours of a file and the way to them.
struct Palette {
    colors: Vec<u8>,
    known: HashMap<[u8; 3], u8>,
    network: Option<NeuQuant>,
}

impl Palette {
    fn new(rgb: &[u8]) -> Self {
        let mut known = HashMap::new();
        let mut colors = Vec::new();
        for pixel in rgb.as_chunks::<3>().0 {
            if !known.contains_key(pixel) {
                if known.len() == 256 {
                    return Self::learned(rgb);
                }
                known.insert(*pixel, known.len() as u8);
                colors.extend_from_slice(pixel);
            }
        }
        Self { colors, known, network: None }
    }

    fn learned(rgb: &[u8]) -> Self {
        let pixels = rgb.as_chunks::<3>().0;
        let step = pixels.len().div_ceil(SAMPLES);
        let sample: Vec<u8> =
            pixels.iter().step_by(step).flat_map(|&[red, green, blue]| [red, green, blue, 255]).collect();
        let network = NeuQuant::new(1, 256, &sample);
        Self { colors: network.color_map_rgb(), known: HashMap::new(), network: Some(network) }
    }

    /// Palette entries for the pixels of a frame.
    fn map(&mut self, rgb: &[u8]) -> Vec<u8> {
        rgb.as_chunks::<3>()
            .0
            .iter()
            .map(|pixel| match (&self.network, self.known.get(pixel)) {
                (_, Some(&entry)) => entry,
                (Some(network), None) => {
                    let entry = network.index_of(&[pixel[0], pixel[1], pixel[2], 255]) as u8;
                    self.known.insert(*pixel, entry);
                    entry
                }
                (None, None) => unreachable!("an exact palette holds every colour"),
            })
            .collect()
    }
}

/// A rectangle of a frame, pixels.
struct Area {
    left: usize,
    top: usize,
    width: usize,
    height: usize,
}

impl Area {
    fn cut(&self, pixels: &[u8], stride: usize) -> Vec<u8> {
        pixels
            .chunks_exact(stride)
            .skip(self.top)
            .take(self.height)
            .flat_map(|row| &row[self.left..self.left + self.width])
            .copied()
            .collect()
    }
}

/// The smallest rectangle outside which `pixels` is what is shown already (one pixel when nothing changed).
fn changed(shown: Option<&[u8]>, pixels: &[u8], width: usize) -> Area {
    let Some(shown) = shown else {
        return Area { left: 0, top: 0, width, height: pixels.len() / width };
    };
    let (mut left, mut right, mut top, mut bottom) = (width, 0, pixels.len(), 0);
    for (place, _) in pixels.iter().zip(shown).enumerate().filter(|(_, (new, old))| new != old) {
        let (x, y) = (place % width, place / width);
        (left, right) = (left.min(x), right.max(x + 1));
        (top, bottom) = (top.min(y), bottom.max(y + 1));
    }
    if right == 0 {
        (left, right, top, bottom) = (0, 1, 0, 1);
    }
    Area { left, top, width: right - left, height: bottom - top }
}

#[cfg(test)]
mod tests {
    use super::{Palette, changed, delay};

    #[test]
    fn delays_add_up() {
        assert_eq!((0..30).map(|index| delay(index, 30)).sum::<u16>(), 100);
        assert_eq!(delay(0, 1), 100);
        assert_eq!(delay(5, 100), 2);
    }

    #[test]
    fn only_what_changed_is_stored() {
        let before = [0; 12];
        let mut after = before;
        after[5] = 1;
        after[10] = 1;
        let area = changed(Some(&before), &after, 4);
        assert_eq!((area.left, area.top, area.width, area.height), (1, 1, 2, 2));
        assert_eq!(area.cut(&after, 4), [1, 0, 0, 1]);
        assert_eq!(changed(Some(&after), &after, 4).cut(&after, 4), [0]);
        assert_eq!(changed(None, &after, 4).height, 3);
    }

    #[test]
    fn few_colours_are_kept_exactly() {
        let rgb: Vec<u8> = (0..=255).flat_map(|value| [value, 0, 255 - value]).collect();
        let mut palette = Palette::new(&rgb);
        assert_eq!(palette.colors, rgb);
        assert_eq!(palette.map(&rgb), (0..=255).collect::<Vec<u8>>());
    }
}
