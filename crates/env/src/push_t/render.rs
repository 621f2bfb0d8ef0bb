//! Frames of the world for people.

use prevision_core::FrameBuffer;

use super::body::Body;
use super::space::{EXTENT, Space, WALL_HIGH, WALL_LOW, WALL_RADIUS};
use super::task::Rule;
use super::vector::Vector;
use crate::canvas::{Canvas, Colour};
use crate::{Mark, MarkKind};

const OUTSIDE: Colour = [226.0, 229.0, 234.0];
const FLOOR: Colour = [253.0, 251.0, 246.0];
const SHADOW: Colour = [120.0, 112.0, 98.0];
const WALL: Colour = [45.0, 52.0, 66.0];
const BLOCK: Colour = [104.0, 124.0, 150.0];
const BLOCK_EDGE: Colour = [62.0, 78.0, 102.0];
const AGENT: Colour = [222.0, 73.0, 50.0];
const GOAL: Colour = [28.0, 150.0, 104.0];
const IMAGINED: Colour = [60.0, 104.0, 222.0];
const WHITE: Colour = [255.0; 3];

/// How far the shadow of a body is from it, in pixels of the world.
const SHADOW_SHIFT: f32 = 4.0;
/// Width of the outline of block and goal.
const OUTLINE: f32 = 4.0;
/// Width of the line of a mark.
const MARK_WIDTH: f32 = 4.5;

/// Draws the goal, the block, marks and the agent, `size` pixels each way.
pub(super) fn render(space: &Space, goal: &Space, rule: Rule, marks: &[Mark<'_>], size: usize) -> FrameBuffer {
    let mut canvas = Canvas::of_area(EXTENT as f32, size, OUTSIDE);
    let [low, high] = [WALL_LOW as f32, WALL_HIGH as f32];
    canvas.rectangle(FLOOR, 1.0, [low; 2], [high; 2]);
    for [from, to] in
        [[[low, low], [high, low]], [[high, low], [high, high]], [[high, high], [low, high]], [[low, high], [low, low]]]
    {
        canvas.line(WALL, 1.0, from, to, 2.0 * WALL_RADIUS as f32);
    }
    silhouette(&mut canvas, GOAL, 1.0, &goal.block, OUTLINE / 2.0, 0.0);
    silhouette(&mut canvas, tint(GOAL), 1.0, &goal.block, -OUTLINE / 2.0, 0.0);
    silhouette(&mut canvas, SHADOW, 0.25, &space.block, 1.0, SHADOW_SHIFT);
    silhouette(&mut canvas, BLOCK_EDGE, 1.0, &space.block, 0.0, 0.0);
    silhouette(&mut canvas, BLOCK, 1.0, &space.block, -OUTLINE, 0.0);
    for mark in marks {
        draw_mark(&mut canvas, mark);
    }
    if rule == Rule::Pose {
        // Where the agent must be at the end.
        silhouette(&mut canvas, GOAL, 0.3, &goal.agent, 0.0, 0.0);
        if let [radius] = goal.agent.parts().map(|part| part.radius()).collect::<Vec<_>>()[..] {
            canvas.ring(GOAL, 1.0, point(goal.agent.position()), radius as f32, 3.0);
        }
    }
    silhouette(&mut canvas, SHADOW, 0.25, &space.agent, 1.0, SHADOW_SHIFT);
    silhouette(&mut canvas, WHITE, 1.0, &space.agent, 2.0, 0.0);
    silhouette(&mut canvas, AGENT, 1.0, &space.agent, -1.0, 0.0);
    canvas.to_frame()
}

fn point(vector: Vector) -> [f32; 2] {
    vector.map(|value| value as f32)
}

/// The colour, most of it gone into the floor.
fn tint(colour: Colour) -> Colour {
    [0, 1, 2].map(|channel| 0.2 * colour[channel] + 0.8 * FLOOR[channel])
}

/// A body as one shape without seams, grown by so much and moved down and to the right by so much, in pixels of the world.
fn silhouette(canvas: &mut Canvas, colour: Colour, opacity: f32, body: &Body, grown: f32, moved: f32) {
    let parts: Vec<(Vec<[f32; 2]>, f32)> = body
        .parts()
        .map(|part| {
            let corners = part.corners().iter().map(|corner| point(*corner).map(|value| value + moved));
            (corners.collect(), part.radius() as f32)
        })
        .collect();
    let every =
        || parts.iter().flat_map(|(corners, radius)| corners.iter().map(move |corner| (corner, radius + grown + 1.0)));
    let low = [0, 1].map(|axis| every().map(|(corner, reach)| corner[axis] - reach).fold(f32::INFINITY, f32::min));
    let high = [0, 1].map(|axis| every().map(|(corner, reach)| corner[axis] + reach).fold(f32::NEG_INFINITY, f32::max));
    canvas.shape(colour, opacity, low, high, |x, y| {
        let distance = |(corners, radius): &(Vec<[f32; 2]>, f32)| match corners[..] {
            [[u, v]] => (x - u).hypot(y - v) - radius,
            _ => box_distance([x, y], corners),
        };
        parts.iter().map(distance).fold(f32::INFINITY, f32::min) - grown
    });
}

/// Signed distance to a rectangle of four corners in order.
fn box_distance([x, y]: [f32; 2], corners: &[[f32; 2]]) -> f32 {
    let [origin, along, _, across] = *corners else { return f32::INFINITY };
    let depth = |to: [f32; 2]| {
        let (dx, dy) = (to[0] - origin[0], to[1] - origin[1]);
        let length = dx.hypot(dy);
        let at = ((x - origin[0]) * dx + (y - origin[1]) * dy) / length;
        (-at).max(at - length)
    };
    let (u, v) = (depth(along), depth(across));
    u.max(0.0).hypot(v.max(0.0)) + u.max(v).min(0.0)
}

fn draw_mark(canvas: &mut Canvas, mark: &Mark<'_>) {
    match mark.kind {
        MarkKind::Trail => {
            canvas.polyline(AGENT, [0.15, 0.75], mark.points, MARK_WIDTH);
            if let Some(&first) = mark.points.first() {
                canvas.disc(WHITE, 1.0, first, 7.0);
                canvas.ring(AGENT, 0.7, first, 7.0, 3.0);
            }
        }
        MarkKind::Imagined => {
            canvas.polyline(IMAGINED, [0.95, 0.45], mark.points, MARK_WIDTH);
            if let Some(&last) = mark.points.last() {
                canvas.disc(IMAGINED, 0.6, last, 5.5);
            }
        }
    }
}
