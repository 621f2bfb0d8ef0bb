//! The observation: what a model sees.
//!
//! Upstream's two channels as a colour picture: the dot in red, the walls in green and blue alike; other colours by the factors of
//! variation.

use super::geometry::{BORDER_HIGH, BORDER_LOW, DOOR_HALF_WIDTH, Point, SIZE, WALL_HALF_WIDTH};
use super::layout::Layout;
use super::look::Look;

/// Standard deviation of the dot in pixels, where it does not vary.
pub const DOT_DEVIATION: f64 = 1.3;
/// Beyond so many standard deviations from its middle the dot is 0: sqrt(2 ln 255) = 3.33.
const DOT_REACH: f64 = 3.5;

/// Whether pixel (column, row) belongs to a border or to the wall.
fn is_wall(layout: Layout, column: usize, row: usize) -> bool {
    let borders = [BORDER_LOW as usize, BORDER_HIGH as usize];
    let in_wall = column.abs_diff(usize::from(layout.wall_x)) <= WALL_HALF_WIDTH as usize;
    let in_door = row.abs_diff(usize::from(layout.door_y)) <= DOOR_HALF_WIDTH as usize;
    borders.contains(&column) || borders.contains(&row) || (in_wall && !in_door)
}

/// A frame with the walls alone, RGB `[65, 65, 3]`.
pub fn draw_walls(layout: Layout, look: &Look) -> Vec<u8> {
    let mut frame = vec![0; SIZE * SIZE * 3];
    for (index, pixel) in frame.chunks_exact_mut(3).enumerate() {
        if is_wall(layout, index % SIZE, index / SIZE) {
            pixel.copy_from_slice(&look.wall);
        }
    }
    frame
}

/// Adds the dot to a frame without one: `exp(-d² / (2 σ²))` times its colour, truncated, where `d` is the distance from a pixel's
/// middle to the position and `σ` the deviation, 1.3 unless it varies.
pub fn draw_dot(frame: &mut [u8], position: Point, look: &Look) {
    let reach = (DOT_REACH * look.deviation) as f32;
    let [columns, rows] = position.map(|value| {
        let low = (value - reach).floor().clamp(0.0, SIZE as f32) as usize;
        let high = (value + reach + 1.0).floor().clamp(0.0, SIZE as f32) as usize;
        low..high
    });
    for row in rows {
        for column in columns.clone() {
            let (x, y) = (column as f64 - f64::from(position[0]), row as f64 - f64::from(position[1]));
            let share = (-(x * x + y * y) / (2.0 * look.deviation * look.deviation)).exp();
            let start = (row * SIZE + column) * 3;
            for (value, colour) in frame[start..start + 3].iter_mut().zip(look.dot) {
                *value = (f64::from(*value) + share * colour) as u8;
            }
        }
    }
}

/// The observation at a position where nothing varies, RGB `[65, 65, 3]`.
pub fn draw(layout: Layout, position: Point) -> Vec<u8> {
    let look = Look::default();
    let mut frame = draw_walls(layout, &look);
    draw_dot(&mut frame, position, &look);
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pixel(frame: &[u8], column: usize, row: usize) -> [u8; 3] {
        let start = (row * SIZE + column) * 3;
        [frame[start], frame[start + 1], frame[start + 2]]
    }

    #[test]
    fn walls_of_the_fixed_layout() {
        let frame = draw_walls(Layout::FIXED, &Look::default());
        let wall = [0, 255, 255];
        for (column, row) in
            [(4, 30), (60, 30), (20, 4), (20, 60), (4, 0), (64, 60), (31, 40), (32, 40), (33, 40), (32, 0), (32, 64)]
        {
            assert_eq!(pixel(&frame, column, row), wall, "{column}, {row}");
        }
        for (column, row) in [(3, 30), (5, 30), (59, 30), (61, 30), (30, 40), (34, 40), (32, 14), (31, 22), (33, 18)] {
            assert_eq!(pixel(&frame, column, row), [0; 3], "{column}, {row}");
        }
        assert_eq!((pixel(&frame, 32, 13), pixel(&frame, 32, 23)), (wall, wall));
        // Two rows and two columns of 65, less 4 shared corners; 3 columns of 65, less 2 border rows each, less 9 door rows each.
        let count = frame.chunks_exact(3).filter(|pixel| pixel[1] == 255).count();
        assert_eq!(count, 4 * 65 - 4 + 3 * (65 - 2 - 9));
    }

    #[test]
    fn the_dot_by_its_formula() {
        let frame = draw(Layout::FIXED, [20.0, 30.0]);
        // exp(-d²/3.38)·255 for d² = 0, 1, 2, 4, 9, 16, 18, 20: 255, 189.70, 141.12, 78.10, 17.79, 2.24, 1.24, 0.69.
        for (column, row, value) in [
            (20, 30, 255),
            (21, 30, 189),
            (21, 31, 141),
            (20, 32, 78),
            (17, 30, 17),
            (20, 34, 2),
            (17, 27, 1),
            (22, 34, 0),
        ] {
            assert_eq!(pixel(&frame, column, row), [value, 0, 0], "{column}, {row}");
        }
        let frame = draw(Layout::FIXED, [20.25, 30.5]);
        // d² = 0.0625 + 0.25 and 0.5625 + 0.25 and 1.5625 + 2.25: 232.48, 200.51, 82.54.
        for (column, row, value) in [(20, 30, 232), (20, 31, 232), (21, 31, 200), (19, 29, 82)] {
            assert_eq!(pixel(&frame, column, row)[0], value, "{column}, {row}");
        }
    }

    #[test]
    fn nothing_of_the_dot_is_cut_off() {
        for position in [[20.37, 30.81], [4.01, 59.99], [33.5, 4.02]] {
            let frame = draw(Layout::FIXED, position);
            for row in 0..SIZE {
                for column in 0..SIZE {
                    let square = (column as f64 - f64::from(position[0])).powi(2)
                        + (row as f64 - f64::from(position[1])).powi(2);
                    let value = (-square / 3.38).exp() * 255.0;
                    assert!(
                        (f64::from(pixel(&frame, column, row)[0]) - value.floor()).abs()
                            <= f64::from(u8::from(value.fract() < 1e-9))
                    );
                }
            }
        }
    }
}
