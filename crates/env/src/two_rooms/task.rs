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
    fn options_choose_the_layouts() {
        let fixed = Task::sample(7, LayoutChoice::Fixed, LayoutSplit::HeldOut);
        assert_eq!(fixed.layout, Layout { wall_x: 32, door_y: 18 });
        let training = |seed| Task::sample(seed, LayoutChoice::Random, LayoutSplit::Training);
        assert!((0..200).all(|seed| !training(seed).layout.is_held_out()));
        let chosen = Task::in_layout(7, Layout { wall_x: 25, door_y: 40 });
        assert_eq!((chosen.layout.wall_x, chosen.start == chosen.goal), (25, false));
    }
}
