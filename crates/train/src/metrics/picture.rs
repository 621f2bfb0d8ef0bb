//! A clip as one picture, with positions marked.

use prevision_core::{Array2, FrameBuffer};

/// Shortest side of a frame in the picture; smaller frames are enlarged by a whole factor.
const SIDE: usize = 128;
/// Most frames side by side; longer clips are thinned evenly.
const FRAMES: usize = 8;
const TRUE_COLOUR: [u8; 3] = [0, 255, 0];
const PREDICTED_COLOUR: [u8; 3] = [255, 0, 255];

/// An RGB picture `[height, width, 3]`.
pub(crate) struct Picture {
    pub(crate) pixels: Vec<u8>,
    pub(crate) width: usize,
    pub(crate) height: usize,
}

/// Frames of a clip side by side. With predicted positions (x, y in pixels of the clip, one per frame) each frame has a magenta
/// cross there, and a green one where the state's first two columns say the agent is.
pub(crate) fn strip(frames: &FrameBuffer, state: Option<&Array2>, predicted: Option<&[[f32; 2]]>) -> Picture {
    let shown = frames.frames.min(FRAMES);
    let scale = SIDE.div_ceil(frames.height.min(frames.width).max(1)).max(1);
    let (tile, height) = (frames.width * scale, frames.height * scale);
    let mut picture = Picture { pixels: vec![0; tile * shown * height * 3], width: tile * shown, height };
    for column in 0..shown {
        let index = if shown > 1 { column * (frames.frames - 1) / (shown - 1) } else { 0 };
        let pixels = frames.frame(index);
        for y in 0..height {
            for x in 0..tile {
                let from = (y / scale * frames.width + x / scale) * 3;
                let to = (y * picture.width + column * tile + x) * 3;
                picture.pixels[to..to + 3].copy_from_slice(&pixels[from..from + 3]);
            }
        }
        if let Some(predicted) = predicted {
            if let Some(state) = state.filter(|state| state.columns >= 2) {
                let row = &state.data[index * state.columns..];
                picture.cross([row[0], row[1]], column, tile, scale, TRUE_COLOUR);
            }
            picture.cross(predicted[index], column, tile, scale, PREDICTED_COLOUR);
        }
    }
    picture
}

impl Picture {
    /// Marks a position of the frame in tile `column`; what lies outside of the tile is not drawn.
    fn cross(&mut self, [x, y]: [f32; 2], column: usize, tile: usize, scale: usize, colour: [u8; 3]) {
        if !(x.is_finite() && y.is_finite()) {
            return;
        }
        // The centre of pixel 0 is position 0.
        let place = |position: f32| ((position + 0.5) * scale as f32) as i64;
        let arm = 2 * scale as i64;
        for offset in -arm..=arm {
            for (x, y) in [(place(x) + offset, place(y)), (place(x), place(y) + offset)] {
                if (0..tile as i64).contains(&x) && (0..self.height as i64).contains(&y) {
                    let at = (y as usize * self.width + column * tile + x as usize) * 3;
                    self.pixels[at..at + 3].copy_from_slice(&colour);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_lie_side_by_side_with_both_positions() {
        let mut frames = FrameBuffer::new(2, 64, 64);
        frames.data[64 * 64 * 3..].fill(200);
        let state = Array2::new(vec![10.0, 20.0, 30.0, 40.0], 2, 2);
        let picture = strip(&frames, Some(&state), Some(&[[50.0, 20.0], [5.0, 500.0]]));
        assert_eq!((picture.width, picture.height), (256, 128));
        let pixel = |x: usize, y: usize| {
            let at = (y * picture.width + x) * 3;
            <[u8; 3]>::try_from(&picture.pixels[at..at + 3]).unwrap()
        };
        assert_eq!((pixel(0, 0), pixel(128, 0)), ([0; 3], [200; 3]));
        assert_eq!((pixel(21, 41), pixel(101, 41), pixel(128 + 61, 81)), (TRUE_COLOUR, PREDICTED_COLOUR, TRUE_COLOUR));
        assert_eq!(pixel(128 + 11, 127), [200; 3], "a position outside of the frame is not drawn");
    }
}
