//! The observation: what a model sees.
//!
//! The colours, sizes and order of upstream's drawing on 512 x 512 pixels, without its rounding to whole pixels: edges are anti-aliased, so
//! that a picture of any size shows motion of less than a pixel.

use super::body::Body;
use super::contact::Part;
use super::dynamics::Build;
use super::factors::{Look, Pose};
use super::shape::Shape;
use super::space::{EXTENT, Space, WALL_HIGH, WALL_LOW, WALL_RADIUS, touch_line};
use super::vector::Vector;
use crate::canvas::{Canvas, Colour};

/// Colour of the walls.
const WALL: Colour = [211.0; 3];
/// Width of the outlines of block and agent, in pixels of the world: upstream's lines of radius 2 reach a pixel farther to one side.
const OUTLINE: f32 = 5.0;
/// Width of the ring around a round agent.
const RIM: f32 = 4.0;
/// Colour and width of the short lines that show where bodies touch.
const TOUCH: Colour = [255.0, 0.0, 0.0];
const TOUCH_WIDTH: f32 = 1.0;
/// The middle of upstream's pixel 0 is its coordinate 0; the canvas has its left edge there.
const SHIFT: f64 = 0.5;

/// Where a point of the world is drawn.
fn place(point: Vector) -> [f32; 2] {
    point.map(|value| (value + SHIFT) as f32)
}

/// The lighter colour of the inside of a body.
fn lighter(colour: Colour) -> Colour {
    colour.map(|value| (1.2 * value).min(255.0))
}

/// What lies under the bodies for a whole episode, a square of `size` pixels each way.
pub(super) fn ground(build: &Build, look: &Look, size: usize) -> Canvas {
    let mut canvas = Canvas::of_area(EXTENT as f32, size, look.background);
    if let Some(pose) = &look.pose {
        for part in pose_parts(build.block, pose) {
            fill(&mut canvas, look.goal, &part);
        }
    }
    canvas
}

/// A picture of a space on its [`ground`].
pub(super) fn draw(space: &Space, look: &Look, ground: &Canvas) -> Canvas {
    let mut canvas = ground.clone();
    draw_body(&mut canvas, look.block, &space.block);
    draw_body(&mut canvas, look.agent, &space.agent);
    let corners = [[WALL_LOW, WALL_LOW], [WALL_HIGH, WALL_LOW], [WALL_HIGH, WALL_HIGH], [WALL_LOW, WALL_HIGH]];
    outline(&mut canvas, WALL, &corners, 2.0 * WALL_RADIUS as f32);
    for (touch, normal) in space.touches() {
        let [from, to] = touch_line(touch, normal);
        canvas.line(TOUCH, 1.0, place(from), place(to), TOUCH_WIDTH);
    }
    canvas
}

/// The parts of a block at a pose.
pub(super) fn pose_parts(shape: Shape, pose: &Pose) -> Vec<Part> {
    let mut body = Body::kinematic(shape, pose.scale);
    body.place(pose.position, pose.angle);
    body.parts().collect()
}

fn draw_body(canvas: &mut Canvas, colour: Colour, body: &Body) {
    let inside = lighter(colour);
    for part in body.parts() {
        if let [middle] = *part.corners() {
            let radius = part.radius() as f32;
            canvas.disc(colour, 1.0, place(middle), radius);
            canvas.disc(inside, 1.0, place(middle), radius - RIM);
        } else {
            fill(canvas, inside, &part);
            outline(canvas, colour, part.corners(), OUTLINE);
        }
    }
}

fn fill(canvas: &mut Canvas, colour: Colour, part: &Part) {
    let corners: Vec<[f32; 2]> = part.corners().iter().map(|corner| place(*corner)).collect();
    canvas.polygon(colour, 1.0, &corners);
}

fn outline(canvas: &mut Canvas, colour: Colour, corners: &[Vector], width: f32) {
    for (at, from) in corners.iter().enumerate() {
        canvas.line(colour, 1.0, place(*from), place(corners[(at + 1) % corners.len()]), width);
    }
}
