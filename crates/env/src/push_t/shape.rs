//! The shapes of block and agent, in the coordinates of a body: unions of rectangles, or a circle.

use super::vector::Vector;

/// Radius of a circle of scale 1.
const CIRCLE_RADIUS: f64 = 0.375;

/// The shapes, in upstream's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A circle, the usual agent.
    Circle,
    /// An L of two rectangles.
    L,
    /// The T that gives the world its name: a bar of 4 x 1 and a stem of 1 x 3 scales.
    T,
    /// A Z of two bars.
    Z,
    /// A square.
    Square,
    /// A bar of 1 x 4 scales.
    I,
    /// A T whose bar is 3 x 1 and whose stem is 1 x 1 scales.
    SmallTee,
    /// A plus of three rectangles.
    Plus,
}

/// A rectangle with its sides along the axes of the body.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rectangle {
    /// Its least x and y.
    pub low: Vector,
    /// Its largest x and y.
    pub high: Vector,
}

impl Rectangle {
    const fn new(x: [f64; 2], y: [f64; 2]) -> Self {
        Self { low: [x[0], y[0]], high: [x[1], y[1]] }
    }

    /// Its corners in order.
    pub fn corners(&self) -> [Vector; 4] {
        let ([left, top], [right, bottom]) = (self.low, self.high);
        [[left, top], [right, top], [right, bottom], [left, bottom]]
    }

    /// Its middle.
    pub fn middle(&self) -> Vector {
        [0, 1].map(|axis| f64::midpoint(self.low[axis], self.high[axis]))
    }

    /// Moment of inertia of mass 1 spread over it, about the origin of the body: the mean of x² + y².
    pub fn moment(&self) -> f64 {
        let mean_square = |axis: usize| {
            let (low, high) = (self.low[axis], self.high[axis]);
            (low * low + low * high + high * high) / 3.0
        };
        mean_square(0) + mean_square(1)
    }

    fn scaled(&self, scale: f64) -> Self {
        Self { low: self.low.map(|value| value * scale), high: self.high.map(|value| value * scale) }
    }
}

/// The rectangles of scale 1.
const L: [Rectangle; 2] = [Rectangle::new([0.0, 1.0], [0.0, 2.0]), Rectangle::new([0.0, 2.0], [-1.0, 0.0])];
const T: [Rectangle; 2] = [Rectangle::new([-2.0, 2.0], [0.0, 1.0]), Rectangle::new([-0.5, 0.5], [1.0, 4.0])];
const Z: [Rectangle; 2] = [Rectangle::new([-0.5, 1.5], [0.0, 1.0]), Rectangle::new([-1.5, 0.5], [-1.0, 0.0])];
const SQUARE: [Rectangle; 1] = [Rectangle::new([-1.0, 1.0], [-1.0, 1.0])];
const I: [Rectangle; 1] = [Rectangle::new([-0.5, 0.5], [-2.0, 2.0])];
const SMALL_TEE: [Rectangle; 2] = [Rectangle::new([-1.5, 1.5], [0.0, 1.0]), Rectangle::new([-0.5, 0.5], [1.0, 2.0])];
const PLUS: [Rectangle; 3] = [
    Rectangle::new([-1.5, 1.5], [-0.5, 0.5]),
    Rectangle::new([-0.5, 0.5], [0.5, 1.5]),
    Rectangle::new([-0.5, 0.5], [-1.5, -0.5]),
];

impl Shape {
    /// All shapes in upstream's order; a factor gives the place in it.
    pub const ALL: [Self; 8] =
        [Self::Circle, Self::L, Self::T, Self::Z, Self::Square, Self::I, Self::SmallTee, Self::Plus];

    /// The rectangles of a scale, in pixels; none of a circle.
    pub fn rectangles(self, scale: f64) -> Vec<Rectangle> {
        let unit: &[Rectangle] = match self {
            Self::Circle => &[],
            Self::L => &L,
            Self::T => &T,
            Self::Z => &Z,
            Self::Square => &SQUARE,
            Self::I => &I,
            Self::SmallTee => &SMALL_TEE,
            Self::Plus => &PLUS,
        };
        unit.iter().map(|rectangle| rectangle.scaled(scale)).collect()
    }

    /// The radius of a circle of a scale, in pixels; 0 of other shapes.
    pub fn radius(self, scale: f64) -> f64 {
        if self == Self::Circle { CIRCLE_RADIUS * scale } else { 0.0 }
    }

    /// Centre of gravity in the coordinates of the body: the plain mean of the rectangles' middles, as upstream has it.
    pub fn centre_of_gravity(self, scale: f64) -> Vector {
        let rectangles = self.rectangles(scale);
        let count = rectangles.len().max(1) as f64;
        [0, 1].map(|axis| rectangles.iter().map(|rectangle| rectangle.middle()[axis]).sum::<f64>() / count)
    }

    /// Moment of inertia that upstream gives a body of mass 1, in px²: each rectangle's own about the origin of the body, summed; the stem of
    /// the T and the arms of the plus count with the moment of the bar.
    pub fn moment(self, scale: f64) -> f64 {
        let rectangles = self.rectangles(scale);
        match self {
            Self::T | Self::Plus => rectangles[0].moment() * rectangles.len() as f64,
            _ => rectangles.iter().map(Rectangle::moment).sum(),
        }
    }

    /// The angle, in radians, after which the shape looks the same again.
    pub fn symmetry(self) -> f64 {
        use std::f64::consts::{FRAC_PI_2, PI, TAU};
        match self {
            Self::Square | Self::Plus => FRAC_PI_2,
            Self::I | Self::Z => PI,
            _ => TAU,
        }
    }

    /// Distance from the position of a body to its farthest point, in pixels.
    pub fn reach(self, scale: f64) -> f64 {
        let corners = self.rectangles(scale).into_iter().flat_map(|rectangle| rectangle.corners());
        corners.map(|[x, y]| x.hypot(y)).fold(self.radius(scale), f64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_t_by_hand() {
        let [bar, stem] = Shape::T.rectangles(30.0)[..] else { panic!("two rectangles") };
        assert_eq!((bar.low, bar.high), ([-60.0, 0.0], [60.0, 30.0]));
        assert_eq!((stem.low, stem.high), ([-15.0, 30.0], [15.0, 120.0]));
        assert_eq!(Shape::T.centre_of_gravity(30.0), [0.0, 45.0]);
        assert_eq!(Shape::T.moment(30.0), 3000.0);
        approx::assert_abs_diff_eq!(Shape::T.reach(30.0), 15.0_f64.hypot(120.0), epsilon = 1e-12);
    }

    #[test]
    fn moments_and_centres_of_the_others() {
        // Means of x² + y² over each rectangle, by hand: of the L 1/3 + 4/3 twice, of the small tee 9/12 + 1/3 and 1/12 + 7/3.
        let expected = [
            (Shape::L, 10.0 / 3.0, [0.75, 0.25]),
            (Shape::Z, 2.0 * (7.0 / 12.0 + 1.0 / 3.0), [0.0, 0.0]),
            (Shape::Square, 2.0 / 3.0, [0.0, 0.0]),
            (Shape::I, 1.0 / 12.0 + 4.0 / 3.0, [0.0, 0.0]),
            (Shape::SmallTee, 0.75 + 1.0 / 3.0 + 1.0 / 12.0 + 7.0 / 3.0, [0.0, 1.0]),
            (Shape::Plus, 3.0 * (0.75 + 1.0 / 12.0), [0.0, 0.0]),
        ];
        for (shape, moment, centre) in expected {
            approx::assert_abs_diff_eq!(shape.moment(1.0), moment, epsilon = 1e-12);
            approx::assert_abs_diff_eq!(shape.moment(40.0), 1600.0 * moment, epsilon = 1e-9);
            assert_eq!(shape.centre_of_gravity(1.0), centre, "{shape:?}");
        }
        assert_eq!((Shape::Circle.radius(40.0), Shape::Circle.reach(40.0)), (15.0, 15.0));
    }
}
