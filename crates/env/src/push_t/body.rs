//! A rigid body.

use super::contact::Part;
use super::shape::{Rectangle, Shape};
use super::vector::{Vector, add, cross, perpendicular, rotate, rotation, scale, sub};

/// A rigid body of one shape. It turns about its centre of gravity, but its position is that of the origin of the shape.
#[derive(Debug, Clone)]
pub struct Body {
    /// Inverse of the mass; 0 of a body that nothing moves but its own velocity.
    inverse_mass: f64,
    inverse_moment: f64,
    /// Centre of gravity in its own coordinates.
    centre: Vector,
    rectangles: Vec<Rectangle>,
    radius: f64,
    /// Centre of gravity in the world.
    middle: Vector,
    angle: f64,
    turn: Vector,
    /// Velocity of the centre of gravity, in pixels per second, and radians per second.
    velocity: Vector,
    spin: f64,
    /// Velocities that only take overlap away; they last one sub-step.
    bias: Vector,
    bias_spin: f64,
}

impl Body {
    /// A body of mass 1 at the origin.
    pub fn dynamic(shape: Shape, size: f64) -> Self {
        Self { inverse_mass: 1.0, inverse_moment: 1.0 / shape.moment(size), ..Self::kinematic(shape, size) }
    }

    /// A body that nothing moves but its own velocity, at the origin.
    pub fn kinematic(shape: Shape, size: f64) -> Self {
        let centre = shape.centre_of_gravity(size);
        Self {
            inverse_mass: 0.0,
            inverse_moment: 0.0,
            centre,
            rectangles: shape.rectangles(size),
            radius: shape.radius(size),
            middle: centre,
            angle: 0.0,
            turn: [1.0, 0.0],
            velocity: [0.0; 2],
            spin: 0.0,
            bias: [0.0; 2],
            bias_spin: 0.0,
        }
    }

    /// Where the origin of its shape is.
    pub fn position(&self) -> Vector {
        sub(self.middle, rotate(self.turn, self.centre))
    }

    /// Where its centre of gravity is.
    pub fn middle(&self) -> Vector {
        self.middle
    }

    /// How far it is turned from x towards y, in radians, not wrapped.
    pub fn angle(&self) -> f64 {
        self.angle
    }

    /// Velocity of the centre of gravity, in pixels per second.
    pub fn velocity(&self) -> Vector {
        self.velocity
    }

    /// Gives it another velocity.
    pub fn set_velocity(&mut self, velocity: Vector) {
        self.velocity = velocity;
    }

    /// Puts it somewhere, at rest.
    pub fn place(&mut self, position: Vector, angle: f64) {
        self.angle = angle;
        self.turn = rotation(angle);
        self.middle = add(position, rotate(self.turn, self.centre));
        (self.velocity, self.spin, self.bias, self.bias_spin) = ([0.0; 2], 0.0, [0.0; 2], 0.0);
    }

    /// A point of its own coordinates in the world.
    pub fn to_world(&self, point: Vector) -> Vector {
        add(self.middle, rotate(self.turn, sub(point, self.centre)))
    }

    /// Its convex parts in the world.
    pub fn parts(&self) -> impl Iterator<Item = Part> {
        let circle = (self.radius > 0.0).then(|| Part::circle(self.position(), self.radius));
        let rectangle =
            |rectangle: &Rectangle| Part::rectangle(rectangle.corners().map(|corner| self.to_world(corner)));
        circle.into_iter().chain(self.rectangles.iter().map(rectangle))
    }

    /// Whether impulses move it.
    pub(super) fn is_dynamic(&self) -> bool {
        self.inverse_mass > 0.0
    }

    /// Moves it by its velocities.
    pub(super) fn advance(&mut self, seconds: f64) {
        self.middle = add(self.middle, scale(add(self.velocity, self.bias), seconds));
        let turned = (self.spin + self.bias_spin) * seconds;
        if turned != 0.0 {
            self.angle += turned;
            self.turn = rotation(self.angle);
        }
        (self.bias, self.bias_spin) = ([0.0; 2], 0.0);
    }

    /// Takes its momentum away: the world has no inertia, things only move while they are pushed.
    pub(super) fn stop(&mut self) {
        if self.is_dynamic() {
            (self.velocity, self.spin) = ([0.0; 2], 0.0);
        }
    }

    /// How much an impulse along `normal` at `arm` from the centre of gravity changes the velocity there.
    pub(super) fn yielding(&self, arm: Vector, normal: Vector) -> f64 {
        let lever = cross(arm, normal);
        self.inverse_mass + self.inverse_moment * lever * lever
    }

    /// Velocity, and velocity that takes overlap away, at `arm` from the centre of gravity.
    pub(super) fn velocities_at(&self, arm: Vector) -> (Vector, Vector) {
        let side = perpendicular(arm);
        (add(self.velocity, scale(side, self.spin)), add(self.bias, scale(side, self.bias_spin)))
    }

    /// Changes its velocity by an impulse at `arm`.
    pub(super) fn push(&mut self, arm: Vector, impulse: Vector) {
        self.velocity = add(self.velocity, scale(impulse, self.inverse_mass));
        self.spin += self.inverse_moment * cross(arm, impulse);
    }

    /// Changes the velocity that takes overlap away.
    pub(super) fn push_apart(&mut self, arm: Vector, impulse: Vector) {
        self.bias = add(self.bias, scale(impulse, self.inverse_mass));
        self.bias_spin += self.inverse_moment * cross(arm, impulse);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_position_is_the_origin_and_not_the_centre_of_gravity() {
        let mut block = Body::dynamic(Shape::T, 30.0);
        block.place([100.0, 200.0], std::f64::consts::FRAC_PI_2);
        // A quarter turn takes y = 45 to x = -45.
        approx::assert_abs_diff_eq!(block.middle()[0], 55.0, epsilon = 1e-12);
        approx::assert_abs_diff_eq!(block.middle()[1], 200.0, epsilon = 1e-12);
        approx::assert_abs_diff_eq!(block.position()[0], 100.0, epsilon = 1e-12);
        // A push at the centre of gravity does not turn it; one 2 pixels beside it does, by 2 / 3000 a second.
        block.push([0.0, 0.0], [0.0, 3.0]);
        assert_eq!((block.velocity(), block.spin), ([0.0, 3.0], 0.0));
        block.push([2.0, 0.0], [0.0, 1.0]);
        approx::assert_abs_diff_eq!(block.spin, 2.0 / 3000.0, epsilon = 1e-15);
    }
}
