//! A part of a decoded picture to RGB of another size, in one pass over its planes: crop, scale and colour at once.
//!
//! Scaling is separable and bicubic, widened when it shrinks (so that nothing aliases), with the same kernel and the same places of
//! the chroma samples as FFmpeg's `scale` filter. Rows are filtered first, then columns, sixteen rows side by side; only then are
//! the three planes joined to RGB, and rounded once.

mod colour;
mod filter;
mod kernel;
mod planes;

use crate::frames::{FrameBuffer, Orientation, Window};
use filter::Filter;
use kernel::{LANES, Strip};
use planes::separate;

pub use colour::Colour;
pub use planes::{Layout, Planes, Samples};

/// How a picture is laid out and which part of it goes where.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Task {
    layout: Layout,
    colour: Colour,
    /// Columns and rows of the whole stored picture.
    picture: (usize, usize),
    window: Window,
    /// Columns and rows of the result.
    size: (usize, usize),
}

/// The filters of one plane.
struct PlaneFilters {
    across: Filter,
    down: Filter,
}

/// What is prepared for a task, and the memory it works in.
struct Prepared {
    task: Task,
    luma: PlaneFilters,
    chroma: PlaneFilters,
    strip: Strip,
    /// The three planes of sixteen finished rows, `[3][columns][LANES]`.
    rows: [Vec<f32>; 3],
}

/// Tasks that are kept prepared: clips that are read together have their own windows.
const KEPT: usize = 8;

/// Cuts, scales and converts decoded pictures of planar formats. What it prepares for one kind of picture is kept for the next.
#[derive(Default)]
pub struct Resampler {
    /// The one used last comes first.
    prepared: Vec<Prepared>,
}

impl Resampler {
    /// Brings `window` of a stored picture of `picture` (columns, rows) to `size` (columns, rows) of RGB in `target`,
    /// `[rows, columns, 3]`.
    ///
    /// # Panics
    /// If `target` has another size.
    pub fn run(
        &mut self,
        planes: &Planes<'_>,
        colour: Colour,
        picture: (usize, usize),
        window: &Window,
        size: (usize, usize),
        target: &mut [u8],
    ) {
        self.run_task(planes, Task { layout: planes.layout, colour, picture, window: *window, size }, target);
    }

    /// The same from packed RGB, `[rows, columns, 3]` with rows `stride` bytes apart. A window that is not scaled is copied.
    ///
    /// # Panics
    /// If `target` has another size.
    pub fn run_rgb(
        &mut self,
        source: &[u8],
        stride: usize,
        picture: (usize, usize),
        window: &Window,
        size: (usize, usize),
        target: &mut [u8],
    ) {
        if let Some((x, y)) = unscaled(window, size) {
            for (row, target) in target.chunks_exact_mut(size.0 * 3).enumerate() {
                target.copy_from_slice(&source[(y + row) * stride + x * 3..][..size.0 * 3]);
            }
            return;
        }
        let separate = separate(source, stride, picture);
        self.run(&Planes::of_rgb(&separate, picture), Colour::Rgb, picture, window, size, target);
    }

    fn run_task(&mut self, planes: &Planes<'_>, task: Task, target: &mut [u8]) {
        let (columns, rows) = task.size;
        assert_eq!(target.len(), columns * rows * 3, "a {columns}x{rows} RGB frame");
        if let Some(place) = self.prepared.iter().position(|prepared| prepared.task == task) {
            self.prepared[..=place].rotate_right(1);
        } else {
            self.prepared.truncate(KEPT - 1);
            self.prepared.insert(0, Prepared::new(task));
        }
        let prepared = &mut self.prepared[0];
        for row in (0..rows).step_by(LANES) {
            let count = LANES.min(rows - row);
            for (plane, out) in prepared.rows.iter_mut().enumerate() {
                let filters = if plane == 0 { &prepared.luma } else { &prepared.chroma };
                if let Some(samples) = &planes.samples[plane] {
                    kernel::filter(samples, &filters.down, &filters.across, row..row + count, &mut prepared.strip, out);
                }
            }
            let target = &mut target[row * columns * 3..(row + count) * columns * 3];
            kernel::write(task.colour, &prepared.rows, columns, count, target);
        }
    }
}

/// The corner of a window that is taken as it is, if it lies on whole pixels and is not scaled.
fn unscaled(window: &Window, size: (usize, usize)) -> Option<(usize, usize)> {
    let whole = |value: f64| (value >= 0.0 && value.fract() == 0.0).then_some(value as usize);
    let same = (window.width, window.height) == (size.0 as f64, size.1 as f64);
    if same { whole(window.x).zip(whole(window.y)) } else { None }
}

/// Brings a window of RGB frames of one size to the height and width of `out`, as
/// the reader of video files does with frames of a file: bicubic, widened when it shrinks;
/// mirrored left to right if asked to. A window that lies on whole pixels and is not scaled is copied.
///
/// # Shapes
/// - frames: each `[picture.1, picture.0, 3]`
/// - out: takes the shape `[frames, out.height, out.width, 3]`
///
/// # Panics
/// If the window reaches out of the frames, or `out` has no pixels.
pub fn resample<'a>(
    frames: impl ExactSizeIterator<Item = &'a [u8]>,
    picture: (usize, usize),
    window: &Window,
    mirror: bool,
    out: &mut FrameBuffer,
) {
    let size = (out.width, out.height);
    assert!(
        window.fits(picture.0, picture.1),
        "the window {window:?} reaches out of {}x{} frames",
        picture.0,
        picture.1
    );
    assert!(size.0 > 0 && size.1 > 0, "the output size is {}x{}", size.0, size.1);
    if let (Some((x, y)), false) = (unscaled(window, size), mirror) {
        (out.frames, out.height, out.width) = (frames.len(), size.1, size.0);
        out.data.clear();
        out.data.reserve(frames.len() * out.frame_bytes());
        for frame in frames {
            for row in frame.chunks_exact(picture.0 * 3).skip(y).take(size.1) {
                out.data.extend_from_slice(&row[x * 3..][..size.0 * 3]);
            }
        }
        return;
    }
    out.reshape(frames.len(), size.1, size.0);
    let mut resampler = Resampler::default();
    let mut plain = vec![0; if mirror { out.frame_bytes() } else { 0 }];
    for (index, frame) in frames.enumerate() {
        let target: &mut [u8] = if mirror { &mut plain } else { out.frame_mut(index) };
        resampler.run_rgb(frame, picture.0 * 3, picture, window, size, target);
        if mirror {
            Orientation::UPRIGHT.mirror(true).copy(&plain, size.0 * 3, size, out.frame_mut(index));
        }
    }
}

impl Prepared {
    fn new(task: Task) -> Self {
        let (width, height) = task.picture;
        let (columns, rows) = task.size;
        let filters = |across: usize, down: usize| PlaneFilters {
            across: Filter::new(task.window.x, task.window.width, columns, across, width.div_ceil(across)),
            down: Filter::new(task.window.y, task.window.height, rows, down, height.div_ceil(down)),
        };
        Self {
            task,
            luma: filters(1, 1),
            chroma: filters(task.layout.across, task.layout.down),
            strip: Strip::default(),
            rows: std::array::from_fn(|_| vec![0.0; columns * LANES]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Resampler;
    use crate::frames::Window;

    /// A picture whose colours are linear in place.
    fn slope(width: usize, height: usize) -> Vec<u8> {
        (0..height).flat_map(|y| (0..width).flat_map(move |x| [x as u8 * 2, y as u8 * 3, 7])).collect()
    }

    fn resample(picture: &[u8], from: (usize, usize), window: Window, size: (usize, usize)) -> Vec<u8> {
        let mut out = vec![0; size.0 * size.1 * 3];
        Resampler::default().run_rgb(picture, from.0 * 3, from, &window, size, &mut out);
        out
    }

    #[test]
    fn a_window_of_the_same_size_is_copied() {
        let picture = slope(40, 30);
        assert_eq!(resample(&picture, (40, 30), Window::whole(40, 30), (40, 30)), picture);
        let part = resample(&picture, (40, 30), Window { x: 5.0, y: 9.0, width: 20.0, height: 19.0 }, (20, 19));
        for (index, pixel) in part.chunks_exact(3).enumerate() {
            assert_eq!(pixel, [(index % 20 + 5) as u8 * 2, (index / 20 + 9) as u8 * 3, 7], "pixel {index}");
        }
    }

    #[test]
    fn slopes_stay_slopes_when_shrunk_and_when_enlarged() {
        let picture = slope(80, 60);
        for (columns, rows) in [(20, 18), (31, 7), (100, 90)] {
            let window = Window { x: 16.0, y: 12.5, width: 40.0, height: 36.0 };
            let out = resample(&picture, (80, 60), window, (columns, rows));
            for (index, pixel) in out.chunks_exact(3).enumerate() {
                let x = 16.0 + ((index % columns) as f64 + 0.5) * 40.0 / columns as f64 - 0.5;
                let y = 12.5 + ((index / columns) as f64 + 0.5) * 36.0 / rows as f64 - 0.5;
                for (found, wanted) in [(pixel[0], 2.0 * x), (pixel[1], 3.0 * y), (pixel[2], 7.0)] {
                    assert!(
                        (f64::from(found) - wanted).abs() < 1.1,
                        "{columns}x{rows}: {found} at {index}, not {wanted}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_fine_pattern_averages_out() {
        let picture: Vec<u8> =
            (0..64 * 64).flat_map(|index| [if (index % 64 + index / 64) % 2 == 0 { 255 } else { 0 }; 3]).collect();
        let out = resample(&picture, (64, 64), Window::whole(64, 64), (8, 8));
        assert!(out.iter().all(|&value| (120..136).contains(&value)), "{out:?}");
    }
}
