//! Arithmetic of points and directions in the plane.

/// A point or a direction, x to the right and y down, in pixels.
pub type Vector = [f64; 2];

pub(super) fn add(a: Vector, b: Vector) -> Vector {
    [a[0] + b[0], a[1] + b[1]]
}

pub(super) fn sub(a: Vector, b: Vector) -> Vector {
    [a[0] - b[0], a[1] - b[1]]
}

pub(super) fn scale(a: Vector, by: f64) -> Vector {
    [a[0] * by, a[1] * by]
}

pub(super) fn dot(a: Vector, b: Vector) -> f64 {
    a[0] * b[0] + a[1] * b[1]
}

pub(super) fn cross(a: Vector, b: Vector) -> f64 {
    a[0] * b[1] - a[1] * b[0]
}

/// A quarter turn: from x to y.
pub(super) fn perpendicular(a: Vector) -> Vector {
    [-a[1], a[0]]
}

pub(super) fn length(a: Vector) -> f64 {
    // Not `hypot`, which no standard rounds: the same on every machine.
    dot(a, a).sqrt()
}

/// The direction of length 1; of a vector of length 0 the x axis.
pub(super) fn direction(a: Vector) -> Vector {
    let length = length(a);
    if length > 0.0 { scale(a, 1.0 / length) } else { [1.0, 0.0] }
}

/// The point at this share of the way from `a` to `b`.
pub(super) fn between(a: Vector, b: Vector, share: f64) -> Vector {
    add(a, scale(sub(b, a), share))
}

/// A rotation: cosine and sine of its angle, the same on every machine.
pub(super) fn rotation(angle: f64) -> Vector {
    [libm::cos(angle), libm::sin(angle)]
}

/// A vector, rotated.
pub(super) fn rotate([cos, sin]: Vector, [x, y]: Vector) -> Vector {
    [cos * x - sin * y, sin * x + cos * y]
}
