//! The observation: what a model sees.
//!
//! Of a frame of the published size every pixel is upstream's. Frames of another size show the same picture, with pixels that walls
//! cover in part.

use super::plan::{BORDER, FloorPlan, Point, WALL_CENTRE, WORLD};
use crate::FactorValues;

/// Thickness of the line of the border in pixels.
pub(super) const LINE: f32 = 4.0;
/// Beyond so many standard deviations the dot changes no pixel: its share is below half of the last bit of 1.
const REACH: f32 = 6.0;

/// Colours, RGB, each in [0, 255], and what else is only seen.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    background: [f32; 3],
    wall: [f32; 3],
    border: [f32; 3],
    door: [f32; 3],
    agent: [f32; 3],
    /// Colour and radius of the target, where it is shown.
    target: Option<([f32; 3], f32)>,
}

impl Look {
    /// That of these values of the factors.
    pub fn new(values: &FactorValues) -> Self {
        let shown = values.number("rendering.render_target") == 1.0;
        Self {
            background: values.colour("background.color"),
            wall: values.colour("wall.color"),
            border: values.colour("wall.border_color"),
            door: values.colour("door.color"),
            agent: values.colour("agent.color"),
            target: shown.then(|| (values.colour("target.color"), values.number("target.radius"))),
        }
    }
}

/// Everything but the dot, RGB `[size, size, 3]`.
pub fn draw_rooms(plan: &FloorPlan, look: &Look, target: Point, size: usize) -> Vec<u8> {
    let cover = |low: f32, high: f32| cover(low, high, size);
    let merged = |one: Vec<f32>, other: Vec<f32>| -> Vec<f32> {
        one.iter().zip(other).map(|(one, other)| 1.0 - (1.0 - one) * (1.0 - other)).collect()
    };
    let lines = merged(cover(BORDER - LINE, BORDER), cover(WORLD - BORDER, WORLD - BORDER + LINE));
    // A stripe from pixel a to pixel b, both in it.
    let stripe = cover(WALL_CENTRE - plan.half, WALL_CENTRE + plan.half + 1.0);
    let opening = |openings, door: &super::factors::Door| {
        merged(openings, cover(door.centre - door.half, door.centre + door.half + 1.0))
    };
    let openings = plan.doors.iter().fold(vec![0.0; size], opening);
    let mut frame = vec![0_u8; size * size * 3];
    for (index, pixel) in frame.chunks_exact_mut(3).enumerate() {
        let (column, row) = (index % size, index / size);
        let (across, along) = if plan.vertical { (column, row) } else { (row, column) };
        let door = stripe[across] * openings[along];
        let wall = stripe[across] * (1.0 - openings[along]);
        let border = 1.0 - (1.0 - lines[column]) * (1.0 - lines[row]);
        let mut colour = look.background;
        for (share, over) in [(door, look.door), (wall, look.wall), (border, look.border)] {
            colour = mix(colour, over, share);
        }
        for (byte, value) in pixel.iter_mut().zip(colour) {
            *byte = value as u8;
        }
    }
    if let Some((colour, radius)) = look.target {
        blend_dot(&mut frame, size, target, radius, colour);
    }
    frame
}

/// Adds the dot to a frame without one.
pub fn draw_dot(frame: &mut [u8], size: usize, plan: &FloorPlan, look: &Look, position: Point) {
    blend_dot(frame, size, position, plan.radius, look.agent);
}

/// Blends a colour over a frame by `exp(-d² / (2 r²))`, as a share of the largest on the grid of pixels; results are truncated.
fn blend_dot(frame: &mut [u8], size: usize, position: Point, radius: f32, colour: [f32; 3]) {
    // The exponential of a sum is a product: one factor for each column, one for each row.
    let [columns, rows] = position.map(|middle| {
        let value = |index: usize| (-(coordinate(index, size) - middle).powi(2) / (2.0 * radius * radius)).exp();
        let place = |at: f32| ((at + 0.5) * size as f32 / WORLD).clamp(0.0, size as f32) as usize;
        let (low, high) = (place(middle - REACH * radius), (place(middle + REACH * radius) + 1).min(size));
        let values: Vec<f32> = (low..high).map(value).collect();
        let largest = values.iter().fold(f32::MIN_POSITIVE, |largest, value| largest.max(*value));
        (low, values.into_iter().map(|value| value / largest).collect::<Vec<f32>>())
    });
    for (row, down) in rows.1.iter().enumerate() {
        let start = ((rows.0 + row) * size + columns.0) * 3;
        for (pixel, across) in frame[start..].chunks_exact_mut(3).zip(&columns.1) {
            let share = down * across;
            for (byte, over) in pixel.iter_mut().zip(colour) {
                *byte = (f32::from(*byte) * (1.0 - share) + over * share) as u8;
            }
        }
    }
}

/// Coordinate of the middle of a column or row: its number, in a frame of the published size.
fn coordinate(index: usize, size: usize) -> f32 {
    (index as f32 + 0.5) * WORLD / size as f32 - 0.5
}

/// Share of each column, or row, that lies between two edges, in pixels from the edge of the published frame.
fn cover(low: f32, high: f32, size: usize) -> Vec<f32> {
    let scale = size as f32 / WORLD;
    let share = |index: usize| {
        let (from, to) = (index as f32, index as f32 + 1.0);
        (to.min(high * scale) - from.max(low * scale)).clamp(0.0, 1.0)
    };
    (0..size).map(share).collect()
}

fn mix(under: [f32; 3], over: [f32; 3], share: f32) -> [f32; 3] {
    [0, 1, 2].map(|channel| under[channel] * (1.0 - share) + over[channel] * share)
}

#[cfg(test)]
mod tests {
    use super::super::factors::tests::values;
    use super::*;

    fn frame(set: &[(&str, &[f32])], size: usize) -> Vec<u8> {
        let values = values(set);
        let (plan, look) = (FloorPlan::new(&values), Look::new(&values));
        let mut frame = draw_rooms(&plan, &look, [164.0, 112.0], size);
        draw_dot(&mut frame, size, &plan, &look, [60.0, 112.0]);
        frame
    }

    fn pixel(frame: &[u8], size: usize, [x, y]: [usize; 2]) -> [u8; 3] {
        [0, 1, 2].map(|channel| frame[(y * size + x) * 3 + channel])
    }

    #[test]
    fn parts_of_the_published_frame() {
        let frame = frame(&[], 224);
        let at = |place| pixel(&frame, 224, place);
        for wall in [[10, 100], [13, 100], [213, 5], [100, 10], [107, 64], [117, 34], [112, 150], [0, 213]] {
            assert_eq!(at(wall), [0; 3], "{wall:?}");
        }
        for floor in [[9, 100], [14, 150], [209, 100], [214, 100], [106, 150], [118, 150], [112, 63], [107, 35]] {
            assert_eq!(at(floor), [255; 3], "{floor:?}");
        }
        // exp(-49 / 98) = 0.6065: what is left of white is 100.3.
        assert_eq!((at([60, 112]), at([67, 112]), at([60, 105])), ([255, 0, 0], [255, 100, 100], [255, 100, 100]));
    }

    #[test]
    fn smaller_frames_show_the_same() {
        let frame = frame(&[("rendering.render_target", &[1.0])], 64);
        let at = |place| pixel(&frame, 64, place);
        assert_eq!((at([32, 40]), at([32, 14]), at([20, 50])), ([0; 3], [255; 3], [255; 3]));
        // Pixels 107 to 117 are columns 30.57 to 33.71 here.
        let edge = at([30, 40])[0];
        assert!((255.0 * 0.57 - f32::from(edge)).abs() < 2.0, "{edge}");
        let (agent, target) = (at([17, 32]), at([47, 32]));
        assert!(agent[0] == 255 && agent[1] < 20 && target[1] == 255 && target[0] < 20, "{agent:?} {target:?}");
    }

    #[test]
    fn colours_and_the_axis_are_what_the_factors_say() {
        let turned = frame(
            &[
                ("wall.axis", &[0.0]),
                ("wall.color", &[10.0, 20.0, 30.0]),
                ("door.color", &[1.0; 3]),
                ("agent.color", &[1.0; 3]),
            ],
            224,
        );
        let at = |place| pixel(&turned, 224, place);
        assert_eq!((at([150, 112]), at([49, 112]), at([112, 150])), ([10, 20, 30], [1; 3], [255; 3]));
        assert_eq!(at([100, 12]), [0; 3], "the border has a colour of its own");
    }
}
