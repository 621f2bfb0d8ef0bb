//! Where two convex parts touch.
//!
//! A part is the convex hull of one, two or four points, grown by a radius: a circle, a wall, a rectangle. That is all the world has, and
//! so no library of shapes is needed, and every number is a sum, a product, a quotient or a square root, which are the same on every
//! machine. The points of contact are chosen as Chipmunk 7 chooses them: the two edges that face each other along the normal, each end
//! projected onto the other edge.

use super::vector::{Vector, add, between, cross, direction, dot, length, perpendicular, scale, sub};

/// A convex part in the coordinates of the world.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    points: [Vector; 4],
    count: usize,
    /// How far the part reaches around its points.
    radius: f64,
}

/// A pair of points, one on each part, that are pushed apart along the normal.
#[derive(Debug, Clone, Copy, Default)]
pub struct Touch {
    /// The point on the first part.
    pub on_first: Vector,
    /// The point on the second part.
    pub on_second: Vector,
    /// The corners that made it: the same corners are the same touch in the next sub-step.
    pub corners: (usize, usize),
}

/// How two parts touch.
#[derive(Debug, Clone, Copy, Default)]
pub struct Contact {
    /// From the first part to the second, length 1.
    pub normal: Vector,
    /// One or two touches.
    pub touches: [Touch; 2],
    /// How many.
    pub count: usize,
}

impl Part {
    /// A circle.
    pub fn circle(middle: Vector, radius: f64) -> Self {
        Self { points: [middle; 4], count: 1, radius }
    }

    /// A line with round ends, twice `radius` wide.
    pub fn line(from: Vector, to: Vector, radius: f64) -> Self {
        Self { points: [from, to, from, from], count: 2, radius }
    }

    /// A convex polygon of four corners, in order from x to y.
    pub fn rectangle(corners: [Vector; 4]) -> Self {
        Self { points: corners, count: 4, radius: 0.0 }
    }

    /// Its corners: of a circle the middle.
    pub fn corners(&self) -> &[Vector] {
        &self.points[..self.count]
    }

    /// Its radius around the corners.
    pub fn radius(&self) -> f64 {
        self.radius
    }

    /// Least and largest x and y.
    pub fn bounds(&self) -> [Vector; 2] {
        let (mut low, mut high) = (self.points[0], self.points[0]);
        for point in &self.points[1..] {
            for axis in [0, 1] {
                low[axis] = low[axis].min(point[axis]);
                high[axis] = high[axis].max(point[axis]);
            }
        }
        [low.map(|value| value - self.radius), high.map(|value| value + self.radius)]
    }

    fn edge(&self, place: usize) -> [usize; 2] {
        [place, (place + 1) % self.count]
    }

    /// The direction out of an edge.
    fn outward(&self, place: usize) -> Vector {
        let [from, to] = self.edge(place);
        let along = sub(self.points[to], self.points[from]);
        direction([along[1], -along[0]])
    }

    /// Number of edges with a side of their own: a line has two, one each way.
    fn edges(&self) -> usize {
        if self.count == 1 { 0 } else { self.count }
    }

    /// Ends of the edge whose outward direction is nearest to this one; of a circle its middle twice.
    fn facing(&self, towards: Vector) -> [usize; 2] {
        let best = (0..self.edges()).map(|place| (dot(self.outward(place), towards), place));
        let best = best.fold((f64::NEG_INFINITY, 0), |best, next| if next.0 > best.0 { next } else { best });
        if self.edges() == 0 { [0, 0] } else { self.edge(best.1) }
    }
}

/// How two parts touch; `None` if they do not.
pub fn contact(first: &Part, second: &Part) -> Option<Contact> {
    let (normal, distance) = nearest(first, second);
    let room = first.radius + second.radius;
    if distance > room {
        return None;
    }
    if first.count == 1 || second.count == 1 {
        let middle = if first.count == 1 { first } else { second };
        let towards = if first.count == 1 { 1.0 } else { -1.0 };
        // On the other part, and on the circle.
        let other_radius = room - middle.radius;
        let near = add(middle.points[0], scale(normal, towards * middle.radius));
        let far = add(middle.points[0], scale(normal, towards * (distance - other_radius)));
        let (on_first, on_second) = if first.count == 1 { (near, far) } else { (far, near) };
        let touch = Touch { on_first, on_second, corners: (0, 0) };
        return Some(Contact { normal, touches: [touch; 2], count: 1 });
    }
    Some(clip(first, second, normal))
}

/// The points of contact of two parts with edges.
fn clip(first: &Part, second: &Part, normal: Vector) -> Contact {
    let along = |part: &Part, corner: usize| cross(part.points[corner], normal);
    // Both edges from the lesser to the larger coordinate along the touching line.
    let ordered = |part: &Part, towards: Vector| {
        let [a, b] = part.facing(towards);
        if along(part, a) <= along(part, b) { [a, b] } else { [b, a] }
    };
    let (one, two) = (ordered(first, normal), ordered(second, scale(normal, -1.0)));
    let at = |part: &Part, [low, high]: [usize; 2], coordinate: f64, shift: Vector| {
        let (from, to) = (along(part, low), along(part, high));
        let share = ((coordinate - from) / (to - from + f64::MIN_POSITIVE)).clamp(0.0, 1.0);
        add(between(part.points[low], part.points[high], share), shift)
    };
    let (out, back) = (scale(normal, first.radius), scale(normal, -second.radius));
    let mut contact = Contact { normal, ..Contact::default() };
    // Chipmunk's order, which is that of the rounds of the solver.
    for end in [1, 0] {
        let on_first = at(first, one, along(second, two[end]), out);
        let on_second = at(second, two, along(first, one[end]), back);
        if dot(sub(on_second, on_first), normal) <= 0.0 {
            contact.touches[contact.count] = Touch { on_first, on_second, corners: (one[end], two[end]) };
            contact.count += 1;
        }
    }
    contact
}

/// Direction from the first to the second part and distance between their points' hulls, negative where they overlap: then it is the
/// shortest way out.
fn nearest(first: &Part, second: &Part) -> (Vector, f64) {
    let outside = |part: &Part, other: &Part, place: usize| {
        let (normal, corner) = (part.outward(place), part.points[place]);
        let depth = |point: &Vector| dot(sub(*point, corner), normal);
        (normal, other.corners().iter().map(depth).fold(f64::INFINITY, f64::min))
    };
    let of_first = (0..first.edges()).map(|place| outside(first, second, place));
    let of_second = (0..second.edges()).map(|place| {
        let (normal, distance) = outside(second, first, place);
        (scale(normal, -1.0), distance)
    });
    let (normal, distance) = of_first
        .chain(of_second)
        .fold(([1.0, 0.0], f64::NEG_INFINITY), |best, next| if next.1 > best.1 { next } else { best });
    if distance <= 0.0 && distance.is_finite() {
        return (normal, distance);
    }
    apart(first, second)
}

/// As [`nearest`], of hulls that do not overlap.
fn apart(first: &Part, second: &Part) -> (Vector, f64) {
    let mut best = ([0.0; 2], f64::INFINITY);
    let mut offer = |from: Vector, to: Vector, inner: Option<Vector>| {
        let way = sub(to, from);
        let distance = length(way);
        if distance < best.1 {
            // Beside the inside of an edge, the edge says the direction: it is exact however small the distance.
            best = (inner.unwrap_or_else(|| direction(way)), distance);
        }
    };
    for corner in first.corners() {
        for place in 0..second.count {
            let (point, inner) = on_edge(second, place, *corner);
            offer(*corner, point, inner.map(|normal| scale(normal, -1.0)));
        }
    }
    for corner in second.corners() {
        for place in 0..first.count {
            let (point, inner) = on_edge(first, place, *corner);
            offer(point, *corner, inner);
        }
    }
    best
}

/// The point of an edge that is nearest to a point, and the direction from the edge to the point if that is none of its ends.
fn on_edge(part: &Part, place: usize, point: Vector) -> (Vector, Option<Vector>) {
    let [from, to] = part.edge(place).map(|corner| part.points[corner]);
    let along = sub(to, from);
    let square = dot(along, along);
    if square == 0.0 {
        return (from, None);
    }
    let share = dot(sub(point, from), along) / square;
    if share <= 0.0 || share >= 1.0 {
        return (if share <= 0.0 { from } else { to }, None);
    }
    let side = direction(perpendicular(along));
    let turn = if dot(side, sub(point, from)) < 0.0 { -1.0 } else { 1.0 };
    (between(from, to, share), Some(scale(side, turn)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(x: f64, y: f64, half: f64) -> Part {
        Part::rectangle([[x - half, y - half], [x + half, y - half], [x + half, y + half], [x - half, y + half]])
    }

    #[test]
    fn a_circle_beside_in_and_at_the_corner_of_a_square() {
        let touch = |x: f64, y: f64| contact(&Part::circle([x, y], 2.0), &square(0.0, 0.0, 3.0));
        let beside = touch(4.5, 1.0).expect("they touch");
        assert_eq!((beside.normal, beside.count), ([-1.0, 0.0], 1));
        assert_eq!((beside.touches[0].on_first, beside.touches[0].on_second), ([2.5, 1.0], [3.0, 1.0]));
        let inside = touch(2.0, 1.0).expect("they touch");
        assert_eq!((inside.normal, inside.touches[0].on_first), ([-1.0, 0.0], [0.0, 1.0]));
        let corner = touch(3.9, 4.2).expect("they touch");
        approx::assert_abs_diff_eq!(corner.normal[0], -0.6, epsilon = 1e-12);
        approx::assert_abs_diff_eq!(corner.normal[1], -0.8, epsilon = 1e-12);
        approx::assert_abs_diff_eq!(corner.touches[0].on_second[0], 3.0, epsilon = 1e-12);
        assert!(touch(4.5, 4.5).is_none() && touch(5.1, 0.0).is_none());
    }

    #[test]
    fn two_squares_touch_where_their_edges_face_each_other() {
        let found = contact(&square(0.0, 0.0, 2.0), &square(3.5, 1.0, 2.0)).expect("they touch");
        assert_eq!((found.normal, found.count), ([1.0, 0.0], 2));
        let mut rows: Vec<f64> = found.touches.iter().map(|touch| touch.on_first[1]).collect();
        rows.sort_by(f64::total_cmp);
        assert_eq!(rows, [-1.0, 2.0]);
        assert!(found.touches.iter().all(|touch| touch.on_first[0] == 2.0 && touch.on_second[0] == 1.5));
        assert!(contact(&square(0.0, 0.0, 2.0), &square(4.1, 0.0, 2.0)).is_none());
    }

    #[test]
    fn a_wall_reaches_as_far_as_its_radius() {
        let wall = Part::line([0.0, 0.0], [0.0, 10.0], 1.0);
        assert!(contact(&wall, &square(3.1, 5.0, 2.0)).is_none());
        let found = contact(&wall, &square(2.5, 5.0, 2.0)).expect("they touch");
        assert_eq!((found.normal, found.count), ([1.0, 0.0], 2));
        assert!(found.touches.iter().all(|touch| touch.on_first[0] == 1.0 && touch.on_second[0] == 0.5));
    }
}
