//! What frames for people have in common: their colours, and the paths drawn over them.

use crate::canvas::{Canvas, Colour};
use crate::{Mark, MarkKind};

/// Around the world.
pub(crate) const OUTSIDE: Colour = [226.0, 229.0, 234.0];
/// The floor, or the air.
pub(crate) const FLOOR: Colour = [253.0, 251.0, 246.0];
/// What lies in shadow.
pub(crate) const SHADOW: Colour = [120.0, 112.0, 98.0];
/// What is fixed.
pub(crate) const WALL: Colour = [45.0, 52.0, 66.0];
/// The agent.
pub(crate) const AGENT: Colour = [222.0, 73.0, 50.0];
/// What is to be reached.
pub(crate) const GOAL: Colour = [28.0, 150.0, 104.0];
/// What a plan imagines.
pub(crate) const IMAGINED: Colour = [60.0, 104.0, 222.0];
/// Rims of what must stand out.
pub(crate) const WHITE: Colour = [255.0; 3];

/// Draws paths, in the coordinates of the canvas; `width` is that of their lines.
pub(crate) fn draw_marks(canvas: &mut Canvas, marks: &[Mark<'_>], width: f32) {
    for mark in marks {
        match mark.kind {
            MarkKind::Trail => {
                canvas.polyline(AGENT, [0.15, 0.75], mark.points, width);
                if let Some(&first) = mark.points.first() {
                    canvas.disc(WHITE, 1.0, first, 1.7 * width);
                    canvas.ring(AGENT, 0.7, first, 1.7 * width, 0.7 * width);
                }
            }
            MarkKind::Imagined => {
                canvas.polyline(IMAGINED, [0.95, 0.45], mark.points, width);
                if let Some(&last) = mark.points.last() {
                    canvas.disc(IMAGINED, 0.6, last, 1.3 * width);
                }
            }
        }
    }
}
