//! One scene, and what each of its frames looks like.
//!
//! Lengths are in units of which the picture is 64 wide and high, x to the right and y down from the upper left corner; a pixel is the mean
//! of 4 x 4 points in it.

use prevision_core::FrameBuffer;
use rand::Rng;

use super::PhysicsFilmsOptions;

/// Height and width of the picture.
const SIDE: f64 = 64.0;
/// Points of a pixel, each way.
const POINTS: usize = 4;
/// Upper and lower edge of the lamp.
const LAMP: [f64; 2] = [1.0, 9.0];
/// Brightness of the lamp, off and on.
const LAMP_LEVELS: [u8; 2] = [25, 235];

/// Outlines of objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Square,
    Disc,
    Diamond,
    Triangle,
}

impl Shape {
    /// Whether it covers a point, measured from its middle in half-widths.
    fn covers(self, x: f64, y: f64) -> bool {
        match self {
            Self::Square => x.abs() <= 1.0 && y.abs() <= 1.0,
            Self::Disc => x * x + y * y <= 1.0,
            Self::Diamond => x.abs() + y.abs() <= 1.0,
            Self::Triangle => y.abs() <= 1.0 && x.abs() <= 0.5 * (y + 1.0),
        }
    }
}

/// What does not change while a film lasts.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Scene {
    canvas: usize,
    wall: u8,
    floor: u8,
    /// Upper edge of the floor.
    floor_y: f64,
    occluder: u8,
    /// Left, right and upper edge of the occluder, which stands on the floor.
    occluder_box: [f64; 3],
    shape: Shape,
    object: u8,
    /// Half the width and height of the object.
    radius: f64,
    /// Where the middle of the object is at frame 0, and how far it moves until the next.
    start: f64,
    speed: f64,
    /// The frame at which the lamp lights up, if there is one.
    lamp: Option<usize>,
}

impl Scene {
    /// Draws a scene.
    pub(super) fn draw(options: &PhysicsFilmsOptions, rng: &mut impl Rng) -> Self {
        let shapes = [Shape::Square, Shape::Disc, Shape::Diamond, Shape::Triangle];
        let (middle, width) = (rng.random_range(30.0..34.0), rng.random_range(20.0..27.0));
        let floor_y = rng.random_range(48.0..56.0);
        let radius = rng.random_range(4.5..7.0);
        // From outside the left edge to outside the right one, a little sooner or later than the film lasts.
        let crossing = (options.length - 1) as f64 * rng.random_range(0.92..1.12);
        let speed = (SIDE + 2.0 * radius) / crossing;
        let [first, last] = options.lamp_frame;
        Self {
            canvas: options.canvas,
            wall: rng.random_range(55..=160),
            floor: rng.random_range(15..=50),
            floor_y,
            occluder: rng.random_range(0..=14),
            occluder_box: [middle - width / 2.0, middle + width / 2.0, floor_y - rng.random_range(16.5..22.0)],
            shape: shapes[rng.random_range(0..shapes.len())],
            object: rng.random_range(205..=245),
            radius,
            start: -radius - speed * rng.random_range(-0.3..0.5),
            speed,
            lamp: rng.random_bool(options.lamps).then(|| rng.random_range(first..=last)),
        }
    }

    /// Whether there is a lamp.
    pub(super) fn has_lamp(&self) -> bool {
        self.lamp.is_some()
    }

    /// The frames `start, start + step, ...`, gray, `[frames, canvas, canvas, 3]`. The object is there before its middle passes that of the
    /// occluder if `present[0]`, and from then on if `present[1]`.
    pub(super) fn render(&self, start: usize, step: usize, count: usize, present: [bool; 2]) -> FrameBuffer {
        let mut frames = FrameBuffer::new(count, self.canvas, self.canvas);
        // All that differs between frames without an object is the lamp.
        let still = [false, true].map(|lit| self.still(lit));
        for index in 0..count {
            let time = start + index * step;
            let lit = self.lamp.is_some_and(|frame| time >= frame);
            let pixels = frames.frame_mut(index);
            for (pixel, &level) in pixels.chunks_exact_mut(3).zip(&still[usize::from(lit)]) {
                pixel.fill(level);
            }
            let x = self.start + self.speed * time as f64;
            let [left, right, _] = self.occluder_box;
            if present[usize::from(x >= f64::midpoint(left, right))] {
                for place in self.around(x) {
                    pixels[(place[0] * self.canvas + place[1]) * 3..][..3].fill(self.pixel(place, Some(x), lit));
                }
            }
        }
        frames
    }

    /// A frame without an object, `[canvas, canvas]`. A row or a column without an edge in it is like the one before.
    fn still(&self, lit: bool) -> Vec<u8> {
        let unit = self.canvas as f64 / SIDE;
        let [left, right, top] = self.occluder_box;
        // Of each index, whether an edge lies in it or at its begin.
        let new = |edges: &[f64]| {
            let of = |index: usize| {
                edges.iter().any(|edge| (index as f64 - 1.0..=index as f64 + 1.0).contains(&(edge * unit)))
            };
            (0..self.canvas).map(|index| index == 0 || of(index)).collect::<Vec<bool>>()
        };
        let (rows, columns) = (new(&[top, self.floor_y, LAMP[0], LAMP[1]]), new(&[left, right]));
        let mut pixels: Vec<u8> = Vec::with_capacity(self.canvas * self.canvas);
        for (row, &new_row) in rows.iter().enumerate() {
            for (column, &new_column) in columns.iter().enumerate() {
                let level = match pixels.len() {
                    place if !new_row => pixels[place - self.canvas],
                    place if !new_column => pixels[place - 1],
                    _ => self.pixel([row, column], None, lit),
                };
                pixels.push(level);
            }
        }
        pixels
    }

    /// Rows and columns of the pixels that an object whose middle is at `x` can touch.
    fn around(&self, x: f64) -> Vec<[usize; 2]> {
        let unit = self.canvas as f64 / SIDE;
        let span = |low: f64, high: f64| {
            let end = |edge: f64| (edge * unit).clamp(0.0, self.canvas as f64);
            end(low).floor() as usize..end(high).ceil() as usize
        };
        let columns = span(x - self.radius, x + self.radius);
        let rows = span(self.floor_y - 2.0 * self.radius, self.floor_y);
        rows.flat_map(|row| columns.clone().map(move |column| [row, column])).collect()
    }

    /// The brightness of the pixel at a row and a column, with the middle of the object at `object`.
    fn pixel(&self, [row, column]: [usize; 2], object: Option<f64>, lit: bool) -> u8 {
        let at = |index: usize, point: usize| {
            (index as f64 + (point as f64 + 0.5) / POINTS as f64) * SIDE / self.canvas as f64
        };
        let mut sum = 0;
        for point in 0..POINTS * POINTS {
            sum += usize::from(self.level(at(column, point % POINTS), at(row, point / POINTS), object, lit));
        }
        // The mean of bytes is a byte.
        (sum as f64 / (POINTS * POINTS) as f64).round() as u8
    }

    /// The brightness of a point.
    fn level(&self, x: f64, y: f64, object: Option<f64>, lit: bool) -> u8 {
        let [left, right, top] = self.occluder_box;
        if (left..right).contains(&x) && (top..self.floor_y).contains(&y) {
            return self.occluder;
        }
        let middle_y = self.floor_y - self.radius;
        if object.is_some_and(|middle| self.shape.covers((x - middle) / self.radius, (y - middle_y) / self.radius)) {
            return self.object;
        }
        if y >= self.floor_y {
            return self.floor;
        }
        if self.lamp.is_some() && (LAMP[0]..LAMP[1]).contains(&y) {
            return LAMP_LEVELS[usize::from(lit)];
        }
        self.wall
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use prevision_core::seed;

    fn scene() -> Scene {
        Scene {
            canvas: 64,
            wall: 100,
            floor: 26,
            floor_y: 49.75,
            occluder: 11,
            occluder_box: [20.75, 43.25, 30.5],
            shape: Shape::Square,
            object: 240,
            radius: 5.0,
            start: -5.0,
            speed: 3.25,
            lamp: Some(13),
        }
    }

    /// Columns of a frame that differ from one without an object.
    fn columns(present: [bool; 2], time: usize) -> Vec<usize> {
        let (with, without) = (scene().render(time, 1, 1, present), scene().render(time, 1, 1, [false; 2]));
        let differs = |column: &usize| {
            (0..64).any(|row| with.data[(row * 64 + column) * 3] != without.data[(row * 64 + column) * 3])
        };
        (0..64).filter(differs).collect()
    }

    #[test]
    fn edges_are_shares_of_what_they_part() {
        let frames = scene().render(12, 1, 2, [false; 2]);
        let at = |frame: usize, row: usize, column: usize| frames.frame(frame)[(row * 64 + column) * 3];
        assert_eq!([at(0, 40, 19), at(0, 40, 20), at(0, 40, 21), at(0, 40, 43)], [100, 78, 11, 78]);
        assert_eq!([at(0, 30, 30), at(0, 48, 2), at(0, 49, 2), at(0, 50, 2)], [56, 100, 82, 26]);
        assert_eq!([at(0, 0, 5), at(0, 1, 5), at(0, 8, 5), at(0, 9, 5)], [100, 25, 25, 100], "before the lamp is lit");
        assert_eq!([at(1, 0, 5), at(1, 1, 5), at(1, 8, 5), at(1, 9, 5)], [100, 235, 235, 100], "and after it");
    }

    #[test]
    fn the_object_moves_behind_the_occluder_and_out_again() {
        assert_eq!(columns([true; 2], 0), Vec::<usize>::new());
        assert_eq!(columns([true; 2], 2), [0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(columns([true; 2], 8), (16..=20).collect::<Vec<_>>(), "its left edge is still to be seen");
        assert_eq!(columns([true; 2], 11), Vec::<usize>::new());
        assert_eq!(columns([true; 2], 15), (43..=48).collect::<Vec<_>>());
    }

    #[test]
    fn what_is_there_before_and_after_can_be_chosen() {
        for time in 0..24 {
            let [vanishes, appears] = [[true, false], [false, true]].map(|present| columns(present, time));
            assert_eq!([vanishes, appears].concat(), columns([true; 2], time), "frame {time}");
        }
        assert!(!columns([true, false], 6).is_empty() && columns([true, false], 18).is_empty());
    }

    #[test]
    fn what_is_copied_is_what_would_be_drawn() {
        let options = PhysicsFilmsOptions { canvas: 48, lamps: 0.5, ..PhysicsFilmsOptions::default() };
        for index in 0..50 {
            let scene = Scene::draw(&options, &mut seed::rng(6, "test", 0, index));
            let drawn = |place: usize| scene.pixel([place / 48, place % 48], None, true);
            assert_eq!(scene.still(true), (0..48 * 48).map(drawn).collect::<Vec<_>>(), "{scene:?}");
        }
    }

    #[test]
    fn a_canvas_of_another_size_shows_the_same() {
        let large = Scene { canvas: 128, ..scene() }.render(6, 1, 1, [true; 2]);
        let small = scene().render(6, 1, 1, [true; 2]);
        for (row, column) in [(2, 3), (45, 14), (40, 30), (60, 60)] {
            assert_eq!(large.data[(row * 2 * 128 + column * 2) * 3], small.data[(row * 64 + column) * 3]);
        }
    }

    #[test]
    fn an_object_of_any_scene_is_hidden_when_it_is_behind_the_occluder() {
        let options = PhysicsFilmsOptions::default();
        for index in 0..200 {
            let scene = Scene::draw(&options, &mut seed::rng(5, "test", 0, index));
            let [left, right, top] = scene.occluder_box;
            assert!(right - left > 2.0 * scene.radius && scene.floor_y - top > 2.0 * scene.radius, "{scene:?}");
            let last = scene.start + scene.speed * 23.0;
            assert!(last > right && scene.start < 0.0, "{scene:?}");
        }
    }
}
