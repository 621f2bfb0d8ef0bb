//! Frames of the world for people.

use prevision_core::FrameBuffer;

use super::geometry::{BORDER_HIGH, BORDER_LOW, DOOR_HALF_WIDTH, Point, SIZE, WALL_HALF_WIDTH};
use super::layout::Layout;
use super::task::{SUCCESS_DISTANCE, Task};
use crate::canvas::{Canvas, Colour, box_distance};
use crate::{Mark, MarkKind};

const OUTSIDE: Colour = [226.0, 229.0, 234.0];
const FLOOR: Colour = [253.0, 251.0, 246.0];
const SHADOW: Colour = [120.0, 112.0, 98.0];
const WALL: Colour = [45.0, 52.0, 66.0];
const DOT: Colour = [222.0, 73.0, 50.0];
const GOAL: Colour = [28.0, 150.0, 104.0];
const IMAGINED: Colour = [60.0, 104.0, 222.0];
const WHITE: Colour = [255.0; 3];

/// Distance over which the floor darkens towards a wall, in pixels of the observation.
const SHADOW_REACH: f32 = 5.0;

/// Draws goal, marks and dot over a floor plan. The goal's ring is the distance at which the task counts as solved.
pub(crate) fn render(mut canvas: Canvas, task: &Task, position: Point, marks: &[Mark<'_>]) -> FrameBuffer {
    let radius = SUCCESS_DISTANCE as f32;
    canvas.disc(GOAL, 0.13, task.goal, radius);
    canvas.ring(GOAL, 1.0, task.goal, radius, 0.45);
    canvas.disc(GOAL, 1.0, task.goal, 0.7);
    for mark in marks {
        draw_mark(&mut canvas, mark);
    }
    canvas.disc(WHITE, 1.0, position, 2.05);
    canvas.disc(DOT, 1.0, position, 1.6);
    canvas.to_frame()
}

fn draw_mark(canvas: &mut Canvas, mark: &Mark<'_>) {
    match mark.kind {
        MarkKind::Trail => {
            canvas.polyline(DOT, [0.15, 0.75], mark.points, 0.55);
            if let Some(&first) = mark.points.first() {
                canvas.disc(WHITE, 1.0, first, 0.95);
                canvas.ring(DOT, 0.7, first, 0.95, 0.4);
            }
        }
        MarkKind::Imagined => {
            canvas.polyline(IMAGINED, [0.95, 0.45], mark.points, 0.55);
            if let Some(&last) = mark.points.last() {
                canvas.disc(IMAGINED, 0.6, last, 0.7);
            }
        }
    }
}

/// Floor, walls and the soft shadow at their feet.
pub(crate) fn floor_plan(layout: Layout, scale: usize) -> Canvas {
    let mut canvas = Canvas::new(SIZE, scale, OUTSIDE);
    let (low, high) = (BORDER_LOW, BORDER_HIGH);
    canvas.shape(FLOOR, 1.0, [low; 2], [high; 2], |x, y| box_distance([x, y], [low; 2], [high; 2], 0.0));
    let (middle, door) = (f32::from(layout.wall_x), f32::from(layout.door_y));
    let (half, gap) = (WALL_HALF_WIDTH + 0.5, DOOR_HALF_WIDTH + 0.5);
    let walls = [
        [[middle - half, low - 2.0], [middle + half, door - gap]],
        [[middle - half, door + gap], [middle + half, high + 2.0]],
    ];
    // The border is a frame: outside of a box inside of a larger one.
    let distance = move |x: f32, y: f32| {
        let border = (-box_distance([x, y], [low + 0.5; 2], [high - 0.5; 2], 0.0)).max(box_distance(
            [x, y],
            [low - 0.5; 2],
            [high + 0.5; 2],
            0.5,
        ));
        let within = box_distance([x, y], [low - 0.5; 2], [high + 0.5; 2], 0.5);
        let wall = walls.iter().map(|[low, high]| box_distance([x, y], *low, *high, 0.5)).fold(f32::INFINITY, f32::min);
        border.min(wall.max(within))
    };
    canvas.blend(SHADOW, [low; 2], [high; 2], |x, y| {
        let near = (1.0 - distance(x, y) / SHADOW_REACH).clamp(0.0, 1.0);
        0.22 * near * near
    });
    canvas.shape(WALL, 1.0, [low - 1.0; 2], [high + 1.0; 2], distance);
    canvas
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pixel(frame: &FrameBuffer, scale: usize, [x, y]: [usize; 2]) -> [u8; 3] {
        let start = ((y * scale + scale / 2) * frame.width + x * scale + scale / 2) * 3;
        [frame.data[start], frame.data[start + 1], frame.data[start + 2]]
    }

    #[test]
    fn parts_have_their_colours() {
        let task = Task { layout: Layout::FIXED, start: [15.0, 40.0], goal: [50.0, 20.0] };
        let trail = [[10.0, 50.0], [15.0, 50.0], [15.0, 45.0]];
        let imagined = [[15.0, 40.0], [20.0, 30.0], [25.0, 30.0]];
        for scale in [4, 7] {
            let plain = render(floor_plan(task.layout, scale), &task, [15.0, 40.0], &[]);
            assert_eq!((plain.frames, plain.height, plain.width), (1, 65 * scale, 65 * scale));
            assert_eq!(pixel(&plain, scale, [15, 40]), [222, 73, 50]);
            assert_eq!(pixel(&plain, scale, [50, 20]), [28, 150, 104]);
            assert_eq!(pixel(&plain, scale, [1, 1]), [226, 229, 234]);
            assert_eq!(pixel(&plain, scale, [20, 20]), [253, 251, 246]);
            for wall in [[32, 40], [4, 30], [60, 30], [30, 4], [30, 60], [32, 8], [31, 50], [33, 50]] {
                assert_eq!(pixel(&plain, scale, wall), [45, 52, 66], "{wall:?}");
            }
            let floor = pixel(&plain, scale, [32, 18]);
            assert!(floor[0] > 220, "the door is open: {floor:?}");
            let marks = [Mark::trail(&trail), Mark::imagined(&imagined)];
            let drawn = render(floor_plan(task.layout, scale), &task, [15.0, 40.0], &marks);
            let (trail, plan) = (pixel(&drawn, scale, [13, 50]), pixel(&drawn, scale, [22, 30]));
            assert!(trail[0] > trail[2] + 20 && plan[2] > plan[0] + 40, "{trail:?} {plan:?}");
        }
    }
}
