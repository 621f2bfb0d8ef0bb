//! What an episode looks like: the floor plan, drawn once, and dots over it.

use prevision_core::FrameBuffer;

use super::floor::Floor;
use super::wall::{Point, Wall};
use crate::canvas::{Canvas, Colour, disc_over};
use crate::{Factor, FactorKind, FactorValues, Mark, MarkKind};

/// Colour beside a maze that is no square, for people.
const OUTSIDE: Colour = [226.0, 229.0, 234.0];
const SHADOW: Colour = [96.0, 88.0, 74.0];
const GOAL: Colour = [28.0, 150.0, 104.0];
const IMAGINED: Colour = [60.0, 104.0, 222.0];
const WHITE: Colour = [255.0; 3];

/// The factors of appearance of every world in a maze. The nominal radius of the agent is given, in the lengths of the world.
pub(crate) fn appearance(radius: f32) -> Vec<Factor> {
    let size = Factor::number("agent.radius", FactorKind::Appearance, radius, [0.6 * radius, 1.6 * radius]);
    vec![
        Factor::colour("floor.color", [238, 234, 226]),
        Factor::colour("wall.color", [54, 62, 80]),
        Factor::colour("agent.color", [218, 66, 46]),
        size.training([0.8 * radius, 1.3 * radius]),
    ]
}

/// A disc over the floor plan.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dot {
    pub(crate) at: Point,
    pub(crate) radius: f32,
    pub(crate) colour: Colour,
}

/// Floor plan and colours of one episode.
#[derive(Debug, Clone)]
pub(crate) struct Scene {
    /// Where the agent may be.
    pub(crate) floor: Floor,
    /// The factors of the episode.
    pub(crate) values: FactorValues,
    /// The walls as they are seen.
    drawn: Floor,
    /// Width and height of a frame in pixels.
    size: usize,
    /// The frame without any dot, RGB.
    background: Vec<u8>,
}

/// What is drawn for people beside the dots.
pub(crate) struct Shown<'a> {
    pub(crate) goal: Point,
    /// Distance to the goal at which it is reached.
    pub(crate) reached: f32,
    pub(crate) marks: &'a [Mark<'a>],
    pub(crate) agent: Point,
    /// Dots beneath the agent.
    pub(crate) dots: &'a [Dot],
}

impl Scene {
    /// A scene with these walls to be seen, and this floor for the agent. `cell` is about the side of a room.
    pub(crate) fn new(floor: Floor, walls: Vec<Wall>, cell: f64, values: FactorValues, size: usize) -> Self {
        let drawn = Floor::new(floor.extent(), cell, walls);
        let mut canvas = Canvas::of_area(longer(&drawn), size, values.colour("wall.color"));
        let [width, height] = drawn.extent().map(|length| length as f32);
        canvas.rectangle(values.colour("floor.color"), 1.0, [0.0; 2], [width, height]);
        for wall in drawn.walls() {
            canvas.rectangle(
                values.colour("wall.color"),
                1.0,
                wall.low.map(|at| at as f32),
                wall.high.map(|at| at as f32),
            );
        }
        let background = canvas.to_frame().data;
        Self { floor, values, drawn, size, background }
    }

    /// The agent as a dot.
    pub(crate) fn agent(&self, at: Point) -> Dot {
        Dot { at, radius: self.values.number("agent.radius"), colour: self.values.colour("agent.color") }
    }

    /// The frame with these dots, the last one on top.
    pub(crate) fn frame(&self, dots: impl IntoIterator<Item = Dot>) -> FrameBuffer {
        let mut data = self.background.clone();
        let scale = self.size as f32 / longer(&self.drawn);
        for dot in dots {
            disc_over(&mut data, self.size, dot.colour, dot.at.map(|at| at * scale), dot.radius * scale);
        }
        FrameBuffer { data, frames: 1, height: self.size, width: self.size }
    }

    /// The floor plan for people: floor, walls and the soft shadow at their feet.
    pub(crate) fn floor_plan(&self, scale: usize) -> Canvas {
        assert!(scale > 0, "scale of a rendered frame: got 0, expected at least 1");
        let extent = longer(&self.drawn);
        let mut canvas = Canvas::of_area(extent, self.size * scale, OUTSIDE);
        let high = self.drawn.extent().map(|length| length as f32);
        canvas.rectangle(self.values.colour("floor.color"), 1.0, [0.0; 2], high);
        let reach = 1.6 * f64::from(self.values.number("agent.radius"));
        canvas.blend(SHADOW, [0.0; 2], high, |x, y| {
            let distance = self.drawn.distance([x, y].map(f64::from), reach).max(0.0);
            let near = (1.0 - distance / reach) as f32;
            0.25 * near * near
        });
        let pixel = extent / (self.size * scale) as f32;
        canvas.shape(self.values.colour("wall.color"), 1.0, [0.0; 2], high, |x, y| {
            self.drawn.distance([x, y].map(f64::from), f64::from(2.0 * pixel)) as f32
        });
        canvas
    }

    /// Draws goal, marks and dots over a floor plan.
    pub(crate) fn render(&self, mut canvas: Canvas, shown: &Shown<'_>) -> FrameBuffer {
        // Widths in the thickness of a line that suits the size of the agent.
        let agent = self.agent(shown.agent);
        let line = 0.28 * agent.radius;
        canvas.disc(GOAL, 0.14, shown.goal, shown.reached);
        canvas.ring(GOAL, 1.0, shown.goal, shown.reached, 0.8 * line);
        canvas.disc(GOAL, 1.0, shown.goal, 1.3 * line);
        for dot in shown.dots {
            canvas.disc(dot.colour, 0.9, dot.at, dot.radius);
        }
        for mark in shown.marks {
            match mark.kind {
                MarkKind::Trail => {
                    canvas.polyline(agent.colour, [0.15, 0.75], mark.points, line);
                    if let Some(&first) = mark.points.first() {
                        canvas.disc(WHITE, 1.0, first, 1.7 * line);
                        canvas.ring(agent.colour, 0.7, first, 1.7 * line, 0.7 * line);
                    }
                }
                MarkKind::Imagined => {
                    canvas.polyline(IMAGINED, [0.95, 0.45], mark.points, line);
                    if let Some(&last) = mark.points.last() {
                        canvas.disc(IMAGINED, 0.6, last, 1.3 * line);
                    }
                }
            }
        }
        canvas.disc(WHITE, 1.0, shown.agent, agent.radius + 0.8 * line);
        canvas.disc(agent.colour, 1.0, shown.agent, agent.radius);
        canvas.to_frame()
    }
}

/// Length of the longer side: what fills a frame.
fn longer(floor: &Floor) -> f32 {
    let [width, height] = floor.extent();
    width.max(height) as f32
}
