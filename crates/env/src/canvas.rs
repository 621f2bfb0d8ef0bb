//! Anti-aliased shapes, for what models see and for frames that people look at.

use prevision_core::FrameBuffer;

/// A colour, RGB, each in [0, 255].
pub(crate) type Colour = [f32; 3];

/// A picture of a square world, x to the right and y down.
///
/// Two kinds of coordinates are in use. [`Canvas::new`] is for a world of pixels: unit (x, y) is the middle of the world's pixel (x, y).
/// [`Canvas::of_area`] is for a world of lengths: 0 is the left or upper edge of the picture, `extent` the right or lower one.
#[derive(Clone, Debug)]
pub(crate) struct Canvas {
    size: usize,
    /// Pixels to each unit of the world.
    scale: f32,
    /// World coordinate of the left and upper edge.
    origin: f32,
    pixels: Vec<Colour>,
}

/// Columns and rows of the canvas that a shape can touch.
struct Window {
    columns: std::ops::Range<usize>,
    rows: std::ops::Range<usize>,
}

impl Canvas {
    /// A canvas of `units * scale` pixels each way.
    pub(crate) fn new(units: usize, scale: usize, colour: Colour) -> Self {
        assert!(scale > 0, "scale of a rendered frame: got 0, expected at least 1");
        let size = units * scale;
        Self { size, scale: scale as f32, origin: -0.5, pixels: vec![colour; size * size] }
    }

    /// A canvas of `size` pixels each way over the world from 0 to `extent` each way.
    pub(crate) fn of_area(extent: f32, size: usize, colour: Colour) -> Self {
        Self { size, scale: size as f32 / extent, origin: 0.0, pixels: vec![colour; size * size] }
    }

    /// Pixels each way.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// Blends a colour over every pixel by `opacity(x, y)`, a share of 0 to 1, within the given box of the world.
    pub(crate) fn blend(&mut self, colour: Colour, low: [f32; 2], high: [f32; 2], opacity: impl Fn(f32, f32) -> f32) {
        let window = self.window(low, high);
        for row in window.rows {
            for column in window.columns.clone() {
                let share = opacity(self.unit(column), self.unit(row));
                mix(&mut self.pixels[row * self.size + column], colour, share);
            }
        }
    }

    /// Fills a shape given by its signed distance (negative inside), within the given box of the world.
    pub(crate) fn shape(
        &mut self,
        colour: Colour,
        opacity: f32,
        low: [f32; 2],
        high: [f32; 2],
        distance: impl Fn(f32, f32) -> f32,
    ) {
        let scale = self.scale;
        self.blend(colour, low, high, |x, y| opacity * coverage(distance(x, y), scale));
    }

    /// A filled circle.
    pub(crate) fn disc(&mut self, colour: Colour, opacity: f32, [x, y]: [f32; 2], radius: f32) {
        let reach = radius + 1.0;
        self.shape(colour, opacity, [x - reach, y - reach], [x + reach, y + reach], |u, v| {
            (u - x).hypot(v - y) - radius
        });
    }

    /// A circle's outline.
    pub(crate) fn ring(&mut self, colour: Colour, opacity: f32, [x, y]: [f32; 2], radius: f32, width: f32) {
        let reach = radius + width + 1.0;
        self.shape(colour, opacity, [x - reach, y - reach], [x + reach, y + reach], |u, v| {
            ((u - x).hypot(v - y) - radius).abs() - width / 2.0
        });
    }

    /// A line through the points whose opacity goes from that of the first to that of the last point. Where it meets itself, it
    /// is no darker than its stronger part.
    pub(crate) fn polyline(&mut self, colour: Colour, opacity: [f32; 2], points: &[[f32; 2]], width: f32) {
        let segments = points.len().saturating_sub(1);
        if segments == 0 {
            return;
        }
        let reach = width / 2.0 + 1.0;
        let [low, high] = bounds(points, reach);
        let whole = self.window(low, high);
        let columns = whole.columns.len();
        let mut shares = vec![0.0_f32; columns * whole.rows.len()];
        for (index, pair) in points.windows(2).enumerate() {
            let along = (index + 1) as f32 / segments as f32;
            let strength = opacity[0] + (opacity[1] - opacity[0]) * along;
            let [low, high] = bounds(pair, reach);
            let window = self.window(low, high);
            for row in window.rows {
                for column in window.columns.clone() {
                    let distance =
                        segment_distance([self.unit(column), self.unit(row)], pair[0], pair[1]) - width / 2.0;
                    let share = &mut shares[(row - whole.rows.start) * columns + column - whole.columns.start];
                    *share = share.max(strength * coverage(distance, self.scale));
                }
            }
        }
        for (index, share) in shares.into_iter().enumerate() {
            let (row, column) = (whole.rows.start + index / columns, whole.columns.start + index % columns);
            mix(&mut self.pixels[row * self.size + column], colour, share);
        }
    }

    /// A straight line with round ends.
    pub(crate) fn line(&mut self, colour: Colour, opacity: f32, from: [f32; 2], to: [f32; 2], width: f32) {
        let reach = width / 2.0 + 1.0 / self.scale;
        let [low, high] = bounds(&[from, to], reach);
        self.shape(colour, opacity, low, high, |x, y| segment_distance([x, y], from, to) - width / 2.0);
    }

    /// A filled convex polygon, its corners in order, either way round.
    pub(crate) fn polygon(&mut self, colour: Colour, opacity: f32, corners: &[[f32; 2]]) {
        let [low, high] = bounds(corners, 1.0 / self.scale);
        let edges = edges(corners);
        self.shape(colour, opacity, low, high, |x, y| polygon_distance([x, y], &edges));
    }

    /// A filled box.
    pub(crate) fn rectangle(&mut self, colour: Colour, opacity: f32, low: [f32; 2], high: [f32; 2]) {
        let reach = 1.0 / self.scale;
        let [from, to] = [low.map(|value| value - reach), high.map(|value| value + reach)];
        self.shape(colour, opacity, from, to, |x, y| box_distance([x, y], low, high, 0.0));
    }

    /// The picture as one RGB frame.
    pub(crate) fn to_frame(&self) -> FrameBuffer {
        let mut frame = FrameBuffer::new(1, self.size, self.size);
        for (bytes, pixel) in frame.data.chunks_exact_mut(3).zip(&self.pixels) {
            for (byte, value) in bytes.iter_mut().zip(pixel) {
                // Rounds; the cast saturates.
                *byte = (value + 0.5) as u8;
            }
        }
        frame
    }

    /// World coordinate of the middle of a column or row.
    fn unit(&self, index: usize) -> f32 {
        (index as f32 + 0.5) / self.scale + self.origin
    }

    fn window(&self, low: [f32; 2], high: [f32; 2]) -> Window {
        let index = |value: f32| ((value - self.origin) * self.scale).clamp(0.0, self.size as f32) as usize;
        let end = |value: f32| (index(value) + 1).min(self.size);
        Window { columns: index(low[0])..end(high[0]), rows: index(low[1])..end(high[1]) }
    }
}

/// Signed distance to a box with rounded corners.
pub(crate) fn box_distance([x, y]: [f32; 2], low: [f32; 2], high: [f32; 2], radius: f32) -> f32 {
    let outside = |value: f32, low: f32, high: f32| (low - value).max(value - high) + radius;
    let (u, v) = (outside(x, low[0], high[0]), outside(y, low[1], high[1]));
    u.max(0.0).hypot(v.max(0.0)) + u.max(v).min(0.0) - radius
}

/// Distance from a point to a line segment.
fn segment_distance([x, y]: [f32; 2], from: [f32; 2], to: [f32; 2]) -> f32 {
    let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
    let square = dx * dx + dy * dy;
    let along = if square > 0.0 { (((x - from[0]) * dx + (y - from[1]) * dy) / square).clamp(0.0, 1.0) } else { 0.0 };
    let (beside_x, beside_y) = (x - from[0] - along * dx, y - from[1] - along * dy);
    (beside_x * beside_x + beside_y * beside_y).sqrt()
}

/// The edges of a convex polygon, each as the unit vector out of it and how far along that the edge lies.
fn edges(corners: &[[f32; 2]]) -> Vec<[f32; 3]> {
    let next = |place: usize| corners[(place + 1) % corners.len()];
    let area: f32 = (0..corners.len()).map(|at| corners[at][0] * next(at)[1] - next(at)[0] * corners[at][1]).sum();
    let turn = if area < 0.0 { -1.0 } else { 1.0 };
    let edge = |at: usize| {
        let ([from_x, from_y], [to_x, to_y]) = (corners[at], next(at));
        let (dx, dy) = (to_x - from_x, to_y - from_y);
        let scale = turn / (dx * dx + dy * dy).sqrt().max(f32::MIN_POSITIVE);
        let [out_x, out_y] = [scale * dy, -scale * dx];
        [out_x, out_y, from_x * out_x + from_y * out_y]
    };
    (0..corners.len()).map(edge).collect()
}

/// Signed distance to a convex polygon: exact beside its edges and inside, too small beyond a corner.
fn polygon_distance([x, y]: [f32; 2], edges: &[[f32; 3]]) -> f32 {
    edges.iter().map(|[out_x, out_y, at]| x * out_x + y * out_y - at).fold(f32::NEG_INFINITY, f32::max)
}

/// Share of a pixel that is covered by a shape whose edge is this far from its middle.
fn coverage(distance: f32, scale: f32) -> f32 {
    (0.5 - distance * scale).clamp(0.0, 1.0)
}

/// Blends a filled circle into an RGB frame of `size` pixels each way. Middle and radius are in pixels; 0 is the left or upper edge.
pub(crate) fn disc_over(frame: &mut [u8], size: usize, colour: Colour, [x, y]: [f32; 2], radius: f32) {
    let reach = radius + 0.5;
    let range = |middle: f32| {
        let [low, high] = [middle - reach, middle + reach].map(|edge| edge.clamp(0.0, size as f32));
        low as usize..high.ceil() as usize
    };
    for row in range(y) {
        let line = &mut frame[row * size * 3..(row + 1) * size * 3];
        let above = row as f32 + 0.5 - y;
        for column in range(x) {
            let beside = column as f32 + 0.5 - x;
            let share = coverage((beside * beside + above * above).sqrt() - radius, 1.0);
            for (byte, target) in line[column * 3..column * 3 + 3].iter_mut().zip(colour) {
                let value = f32::from(*byte);
                // Rounds; the cast saturates.
                *byte = (value + (target - value) * share + 0.5) as u8;
            }
        }
    }
}

fn mix(pixel: &mut Colour, colour: Colour, share: f32) {
    for (value, target) in pixel.iter_mut().zip(colour) {
        *value += (target - *value) * share;
    }
}

fn bounds(points: &[[f32; 2]], reach: f32) -> [[f32; 2]; 2] {
    let fold =
        |axis: usize, start: f32, pick: fn(f32, f32) -> f32| points.iter().map(|point| point[axis]).fold(start, pick);
    let low = [0, 1].map(|axis| fold(axis, f32::INFINITY, f32::min) - reach);
    let high = [0, 1].map(|axis| fold(axis, f32::NEG_INFINITY, f32::max) + reach);
    [low, high]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        assert_eq!(box_distance([5.0, 0.0], [0.0, -1.0], [3.0, 1.0], 0.0), 2.0);
        assert_eq!(box_distance([6.0, 5.0], [0.0, -1.0], [3.0, 1.0], 0.0), 5.0);
        assert_eq!(box_distance([1.0, 0.0], [0.0, -1.0], [3.0, 1.0], 0.5), -1.0);
        assert_eq!(segment_distance([1.0, 2.0], [0.0, 0.0], [4.0, 0.0]), 2.0);
        assert_eq!(segment_distance([7.0, 4.0], [0.0, 0.0], [4.0, 0.0]), 5.0);
        assert_eq!(segment_distance([3.0, 4.0], [0.0, 0.0], [0.0, 0.0]), 5.0);
    }

    #[test]
    fn a_disc_covers_its_area() {
        let mut canvas = Canvas::new(20, 8, [0.0; 3]);
        canvas.disc([255.0; 3], 1.0, [9.3, 10.2], 4.0);
        let frame = canvas.to_frame();
        assert_eq!((frame.frames, frame.height, frame.width), (1, 160, 160));
        let area = frame.data.iter().map(|&value| f64::from(value) / 255.0).sum::<f64>() / 3.0 / 64.0;
        approx::assert_abs_diff_eq!(area, std::f64::consts::PI * 16.0, epsilon = 0.1);
    }

    #[test]
    fn a_disc_in_a_frame_covers_its_area() {
        let sum = |middle, radius| {
            let mut frame = vec![0; 40 * 40 * 3];
            disc_over(&mut frame, 40, [255.0; 3], middle, radius);
            frame.iter().map(|&value| f64::from(value) / 255.0).sum::<f64>() / 3.0
        };
        approx::assert_abs_diff_eq!(sum([19.3, 20.2], 8.0), std::f64::consts::PI * 64.0, epsilon = 0.5);
        // What lies outside of the frame is left out: a quarter of a circle remains.
        approx::assert_abs_diff_eq!(sum([40.0, 0.0], 8.0), std::f64::consts::PI * 16.0, epsilon = 0.5);
        assert_eq!(sum([70.0, -9.0], 8.0), 0.0);
    }

    #[test]
    fn shapes_of_a_world_of_lengths_cover_their_area() {
        let area = |draw: &dyn Fn(&mut Canvas)| {
            let mut canvas = Canvas::of_area(2.0, 128, [0.0; 3]);
            draw(&mut canvas);
            let frame = canvas.to_frame();
            assert_eq!((frame.height, frame.width), (128, 128));
            frame.data.iter().map(|&value| f64::from(value) / 255.0).sum::<f64>() / 3.0 / 64.0 / 64.0
        };
        let white = [255.0; 3];
        let corners = [[0.5, 0.5], [1.5, 0.5], [1.0, 1.5]];
        let turned = [corners[2], corners[1], corners[0]];
        approx::assert_abs_diff_eq!(area(&|canvas| canvas.polygon(white, 1.0, &corners)), 0.5, epsilon = 0.005);
        approx::assert_abs_diff_eq!(area(&|canvas| canvas.polygon(white, 1.0, &turned)), 0.5, epsilon = 0.005);
        let line = area(&|canvas| canvas.line(white, 1.0, [0.5, 1.0], [1.5, 1.0], 0.2));
        approx::assert_abs_diff_eq!(line, 0.2 + std::f64::consts::PI * 0.01, epsilon = 0.002);
        let part = area(&|canvas| canvas.rectangle(white, 1.0, [1.5, 0.3], [3.0, 0.7]));
        approx::assert_abs_diff_eq!(part, 0.2, epsilon = 0.001);
    }

    #[test]
    fn a_line_does_not_add_up_where_it_meets_itself() {
        let mut canvas = Canvas::new(10, 4, [0.0; 3]);
        canvas.polyline([200.0; 3], [0.5, 0.5], &[[1.0, 5.0], [8.0, 5.0], [1.0, 5.0]], 1.0);
        let frame = canvas.to_frame();
        assert_eq!(frame.data.iter().max(), Some(&100));
        let area = frame.data.iter().map(|&value| f64::from(value) / 100.0).sum::<f64>() / 3.0 / 16.0;
        approx::assert_abs_diff_eq!(area, 7.0 + std::f64::consts::FRAC_PI_4, epsilon = 0.1);
    }
}
