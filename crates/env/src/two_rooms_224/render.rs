//! Frames of the world for people.

use prevision_core::FrameBuffer;

use super::draw::LINE;
use super::plan::{BORDER, FloorPlan, Point, WALL_CENTRE, WORLD};
use super::task::{SUCCESS_DISTANCE, Task};
use crate::Mark;
use crate::canvas::{Canvas, box_distance};
use crate::paint::{AGENT, FLOOR, GOAL, OUTSIDE, SHADOW, WALL, WHITE, draw_marks};

/// Distance over which the floor darkens towards a wall, in pixels of the published frame.
const SHADOW_REACH: f32 = 14.0;
/// Width of a path.
const WIDTH: f32 = 2.0;

/// From a position, in which a pixel's middle has whole coordinates, to the canvas.
fn on_canvas(point: Point) -> Point {
    point.map(|value| value + 0.5)
}

/// Draws goal, marks and dot over a floor plan. The goal's ring is the distance at which the task counts as solved.
pub(super) fn render(mut canvas: Canvas, task: &Task, position: Point, marks: &[Mark<'_>]) -> FrameBuffer {
    let (goal, radius) = (on_canvas(task.goal), SUCCESS_DISTANCE as f32);
    canvas.disc(GOAL, 0.13, goal, radius);
    canvas.ring(GOAL, 1.0, goal, radius, 1.5);
    canvas.disc(GOAL, 1.0, goal, 2.5);
    let points: Vec<Vec<Point>> =
        marks.iter().map(|mark| mark.points.iter().copied().map(on_canvas).collect()).collect();
    let moved: Vec<Mark<'_>> =
        marks.iter().zip(&points).map(|(mark, points)| Mark { kind: mark.kind, points }).collect();
    draw_marks(&mut canvas, &moved, WIDTH);
    let at = on_canvas(position);
    canvas.disc(WHITE, 1.0, at, task.plan.radius + 1.0);
    canvas.disc(AGENT, 1.0, at, task.plan.radius - 0.5);
    canvas.to_frame()
}

/// Floor, walls and the soft shadow at their feet.
pub(super) fn floor_plan(plan: &FloorPlan, size: usize) -> Canvas {
    let mut canvas = Canvas::of_area(WORLD, size, OUTSIDE);
    let (low, high) = (BORDER, WORLD - BORDER);
    canvas.rectangle(FLOOR, 1.0, [low; 2], [high; 2]);
    let walls = wall_boxes(plan);
    let distance = move |x: f32, y: f32| {
        let inner = -box_distance([x, y], [low; 2], [high; 2], 0.0);
        let outer = box_distance([x, y], [low - LINE; 2], [high + LINE; 2], LINE);
        let wall = walls.iter().map(|[low, high]| box_distance([x, y], *low, *high, 1.5)).fold(f32::INFINITY, f32::min);
        inner.max(outer).min(wall.max(outer))
    };
    canvas.blend(SHADOW, [low; 2], [high; 2], |x, y| {
        let near = (1.0 - distance(x, y) / SHADOW_REACH).clamp(0.0, 1.0);
        0.22 * near * near
    });
    canvas.shape(WALL, 1.0, [low - LINE; 2], [high + LINE; 2], distance);
    canvas
}

/// The parts of the wall between its doors, as they are seen.
fn wall_boxes(plan: &FloorPlan) -> Vec<[Point; 2]> {
    let mut doors: Vec<[f32; 2]> =
        plan.doors.iter().map(|door| [door.centre - door.half, door.centre + door.half + 1.0]).collect();
    doors.sort_by(|one, other| one[0].total_cmp(&other[0]));
    let (across, end) = ([WALL_CENTRE - plan.half, WALL_CENTRE + plan.half + 1.0], WORLD - BORDER + LINE / 2.0);
    let mut from = BORDER - LINE / 2.0;
    let mut boxes = Vec::new();
    for [upper, lower] in doors.into_iter().chain([[end, end]]) {
        let upper = upper.min(end);
        if upper > from {
            boxes.push([plan.turned([across[0], from]), plan.turned([across[1], upper])]);
        }
        from = from.max(lower);
    }
    boxes
}
