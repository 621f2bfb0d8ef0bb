//! What an evaluation episode asks for.

use prevision_core::seed;
use rand::Rng;

use super::geometry::{BORDER_HIGH, BORDER_LOW, Point};
use super::layout::{Layout, LayoutChoice, LayoutSplit};

/// Room left between a start or goal and the borders and wall, in pixels: twice the dot's standard deviation.
pub const PADDING: f32 = 2.6;
/// A dot nearer to the goal than this, in pixels, has reached it.
pub const SUCCESS_DISTANCE: f64 = 4.5;

/// A floor plan with a start and a goal in opposite rooms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Task {
    /// The floor plan.
    pub layout: Layout,
    /// Where the dot starts.
    pub start: Point,
    /// Where it should get to.
    pub goal: Point,
}

impl Task {
    /// The task of this seed. Columns are uniform between the padding of the border and that of the wall, rows between those of
    /// the borders; start and goal change rooms with probability one half.
    pub fn sample(seed: u64, choice: LayoutChoice, split: LayoutSplit) -> Self {
        let mut rng = seed::rng(seed, "two-rooms/task", 0, 0);
        let layout = Layout::sample(choice, split, &mut rng);
        Self::draw(layout, &mut rng)
    }

    /// The task of this seed in a chosen floor plan.
    pub fn in_layout(seed: u64, layout: Layout) -> Self {
        Self::draw(layout, &mut seed::rng(seed, "two-rooms/task-in-layout", 0, 0))
    }

    /// Length of the shortest way from start to goal, in pixels: straight, or bent at the edges of the door.
    pub fn route(&self) -> f64 {
        let length = |points: &[Point]| {
            points
                .windows(2)
                .map(|pair| f64::from(pair[1][0] - pair[0][0]).hypot(f64::from(pair[1][1] - pair[0][1])))
                .sum::<f64>()
        };
        if self.layout.first_contact(self.start, self.goal).is_none() {
            return length(&[self.start, self.goal]);
        }
        // The shortest way bends at corners of the door alone; a corner counts as passed where the wall is closed.
        let [left, right] = self.layout.faces();
        let (near, far) = if self.start[0] < self.goal[0] { (left, right) } else { (right, left) };
        let over = |edge: f32| {
            let corners = [[near, edge], [far, edge]];
            let ways = [vec![corners[0]], vec![corners[1]], vec![corners[0], corners[1]]];
            let free = |way: &&Vec<Point>| {
                let all: Vec<Point> = [self.start].into_iter().chain(way.iter().copied()).chain([self.goal]).collect();
                all.windows(2).all(|pair| self.layout.passes_door(pair[0], pair[1]))
            };
            let through = |way: &Vec<Point>| {
                length(&[self.start].into_iter().chain(way.iter().copied()).chain([self.goal]).collect::<Vec<_>>())
            };
            ways.iter().filter(free).map(through).fold(f64::INFINITY, f64::min)
        };
        self.layout.door_edges().map(over).into_iter().fold(f64::INFINITY, f64::min)
    }

    fn draw(layout: Layout, rng: &mut impl Rng) -> Self {
        let [left, right] = layout.faces();
        let (low, high) = (BORDER_LOW + PADDING, BORDER_HIGH - PADDING);
        let in_left = [rng.random_range(low..=left - PADDING), rng.random_range(low..=high)];
        let in_right = [rng.random_range(right + PADDING..=high), rng.random_range(low..=high)];
        let (start, goal) = if rng.random_bool(0.5) { (in_right, in_left) } else { (in_left, in_right) };
        Self { layout, start, goal }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn start_and_goal_are_in_opposite_rooms_of_a_held_out_layout() {
        let sample = |seed| Task::sample(seed, LayoutChoice::Random, LayoutSplit::HeldOut);
        let mut from_the_left = 0;
        for seed in 0..2_000 {
            let task = sample(seed);
            assert_eq!(task, sample(seed));
            assert!(task.layout.is_held_out());
            let (left, right) =
                if task.start[0] < task.goal[0] { (task.start, task.goal) } else { (task.goal, task.start) };
            let wall = f32::from(task.layout.wall_x);
            assert!((6.6..=wall - 3.6 + 1e-5).contains(&left[0]) && (wall + 3.6 - 1e-5..=57.4).contains(&right[0]));
            assert!((6.6..=57.4).contains(&left[1]) && (6.6..=57.4).contains(&right[1]));
            from_the_left += u32::from(task.start == left);
        }
        assert!((900..=1_100).contains(&from_the_left), "{from_the_left}");
    }

    #[test]
    fn the_shortest_way_bends_at_the_door() {
        let route = |start, goal| Task { layout: Layout::FIXED, start, goal }.route();
        // Straight through the door, from 14 to 22 at the faces 31 and 33.
        assert_eq!(route([20.0, 18.0], [40.0, 18.0]), 20.0);
        // Below the door on both sides: over both corners (31, 22) and (33, 22).
        approx::assert_abs_diff_eq!(route([28.0, 26.0], [36.0, 26.0]), 5.0 + 2.0 + 5.0, epsilon = 1e-6);
        // From below to above: over one corner, (31, 22), then free up to the right.
        approx::assert_abs_diff_eq!(route([28.0, 26.0], [43.0, 17.0]), 5.0 + 13.0, epsilon = 1e-6);
        approx::assert_abs_diff_eq!(route([43.0, 17.0], [28.0, 26.0]), 5.0 + 13.0, epsilon = 1e-6);
    }

    #[test]
    fn options_choose_the_layouts() {
        let fixed = Task::sample(7, LayoutChoice::Fixed, LayoutSplit::HeldOut);
        assert_eq!(fixed.layout, Layout { wall_x: 32, door_y: 18 });
        let training = |seed| Task::sample(seed, LayoutChoice::Random, LayoutSplit::Training);
        assert!((0..200).all(|seed| !training(seed).layout.is_held_out()));
        let chosen = Task::in_layout(7, Layout { wall_x: 25, door_y: 40 });
        assert_eq!((chosen.layout.wall_x, chosen.start == chosen.goal), (25, false));
    }
}
