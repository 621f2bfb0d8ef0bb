//! How much of a goal pose the block covers.

use super::contact::Part;
use super::vector::{Vector, between, cross, sub};

/// Share of the area of `goal` that `block` covers; the parts of each do not overlap.
pub fn coverage(block: &[Part], goal: &[Part]) -> f64 {
    let whole: f64 = goal.iter().map(|part| area(part.corners())).sum();
    let shared = goal.iter().flat_map(|goal| block.iter().map(|block| area(&common(goal.corners(), block.corners()))));
    let shared: f64 = shared.sum();
    shared / whole
}

/// Area of a polygon whose corners go round once, either way.
fn area(corners: &[Vector]) -> f64 {
    let next = |place: usize| corners[(place + 1) % corners.len()];
    let double: f64 = (0..corners.len()).map(|place| cross(corners[place], next(place))).sum();
    double.abs() / 2.0
}

/// What two convex polygons with corners in order from x to y have in common (Sutherland and Hodgman, 1974).
fn common(subject: &[Vector], frame: &[Vector]) -> Vec<Vector> {
    let mut left = subject.to_vec();
    for (place, &from) in frame.iter().enumerate() {
        let along = sub(frame[(place + 1) % frame.len()], from);
        let side = |point: Vector| cross(along, sub(point, from));
        let mut kept = Vec::with_capacity(left.len() + 1);
        for (place, &point) in left.iter().enumerate() {
            let before = left[(place + left.len() - 1) % left.len()];
            let (now, then) = (side(point), side(before));
            if (now >= 0.0) != (then >= 0.0) {
                kept.push(between(before, point, then / (then - now)));
            }
            if now >= 0.0 {
                kept.push(point);
            }
        }
        left = kept;
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::push_t::body::Body;
    use crate::push_t::shape::Shape;

    fn parts(position: Vector, angle: f64) -> Vec<Part> {
        let mut body = Body::dynamic(Shape::Square, 10.0);
        body.place(position, angle);
        body.parts().collect()
    }

    #[test]
    fn squares_by_hand() {
        let goal = parts([0.0, 0.0], 0.0);
        for (position, angle, share) in [
            ([0.0, 0.0], 0.0, 1.0),
            ([5.0, 0.0], 0.0, 0.75),
            ([5.0, -10.0], 0.0, 0.375),
            ([20.5, 0.0], 0.0, 0.0),
            // An octagon: of the square of side 2 the corners of side 2 - √2 are cut off.
            ([0.0, 0.0], std::f64::consts::FRAC_PI_4, 2.0 * (2.0_f64.sqrt() - 1.0)),
        ] {
            approx::assert_abs_diff_eq!(coverage(&parts(position, angle), &goal), share, epsilon = 1e-12);
        }
    }
}
