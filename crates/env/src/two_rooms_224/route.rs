//! The shortest way from one place to another.

use super::plan::{FloorPlan, Point};
use super::rule::is_clear;

/// By how much a way may be in an obstacle and still pass beside it, in pixels: for rounding at the corners.
const MARGIN: f64 = 1e-6;

/// The shortest lawful way between two places that are free: all its points, both ends among them. `None` if there is none.
///
/// Among obstacles with straight sides it bends at their corners alone, so it is the shortest one in the graph of corners that see each
/// other (the visibility graph).
pub fn shortest(plan: &FloorPlan, from: Point, to: Point) -> Option<Vec<[f64; 2]>> {
    if !plan.is_free(from) || !plan.is_free(to) {
        return None;
    }
    let mut points = vec![from.map(f64::from), to.map(f64::from)];
    for along in plan.openings().into_iter().flatten() {
        points.extend(plan.faces().map(|across| plan.turned([across, along]).map(f64::from)));
    }
    // Dijkstra: the nearest place that is not settled yet, until that is the goal.
    let mut cost = vec![f64::INFINITY; points.len()];
    let mut before = vec![0; points.len()];
    let mut settled = vec![false; points.len()];
    cost[0] = 0.0;
    loop {
        let open = (0..points.len()).filter(|place| !settled[*place] && cost[*place].is_finite());
        let here = open.min_by(|one, other| cost[*one].total_cmp(&cost[*other]))?;
        if here == 1 {
            break;
        }
        settled[here] = true;
        for next in 0..points.len() {
            let reached = cost[here] + distance(points[here], points[next]);
            if !settled[next] && reached < cost[next] && is_clear(plan.obstacles(), points[here], points[next], MARGIN)
            {
                (cost[next], before[next]) = (reached, here);
            }
        }
    }
    let mut way = vec![1];
    while let Some(&place) = way.last().filter(|place| **place != 0) {
        way.push(before[place]);
    }
    Some(way.into_iter().rev().map(|place| points[place]).collect())
}

/// Length of a way through these points, in pixels.
pub fn length(way: &[[f64; 2]]) -> f64 {
    way.windows(2).map(|pair| distance(pair[0], pair[1])).sum()
}

fn distance(from: [f64; 2], to: [f64; 2]) -> f64 {
    (to[0] - from[0]).hypot(to[1] - from[1])
}

#[cfg(test)]
mod tests {
    use super::super::factors::tests::values;
    use super::*;

    #[test]
    fn the_way_bends_at_the_ends_of_the_opening() {
        let plan = FloorPlan::new(&values(&[])); // faces 100 and 124, opening 33.25 to 64.75
        let way = |from, to| shortest(&plan, from, to).unwrap();
        assert_eq!(way([60.0, 112.0], [70.0, 150.0]).len(), 2);
        assert_eq!(length(&way([60.0, 49.0], [164.0, 49.0])), 104.0);
        let bent = way([70.0, 104.75], [154.0, 104.75]);
        assert_eq!(bent[1..3], [[100.0, 64.75], [124.0, 64.75]]);
        approx::assert_abs_diff_eq!(length(&bent), 50.0 + 24.0 + 50.0, epsilon = 1e-9);
        // From below to above: over one corner.
        let bent = way([70.0, 104.75], [148.0, 34.75]);
        assert_eq!(bent[1..bent.len() - 1], [[100.0, 64.75]]);
        approx::assert_abs_diff_eq!(length(&bent), 50.0 + 48_f64.hypot(30.0), epsilon = 1e-9);
        assert_eq!(shortest(&plan, [70.0, 70.0], [112.0, 100.0]), None, "no place in the wall");
    }

    #[test]
    fn the_nearer_of_two_doors_counts_and_a_closed_wall_has_no_way() {
        let two = FloorPlan::new(&values(&[
            ("door.number", &[2.0]),
            ("door.position", &[49.0, 160.0, 0.0]),
            ("door.size", &[14.0, 14.0, 1.0]),
        ]));
        let way = shortest(&two, [80.0, 160.0], [140.0, 160.0]).unwrap();
        assert_eq!(length(&way), 60.0);
        let closed = FloorPlan::new(&values(&[("door.position", &[0.0; 3])]));
        assert_eq!(shortest(&closed, [60.0, 112.0], [164.0, 112.0]), None);
    }
}
