//! What an evaluation episode asks for.

use prevision_data::seed;
use rand::Rng;

use super::geometry::{BORDER_HIGH, BORDER_LOW, Point};
use super::layout::Layout;
use crate::EnvOptions;

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
    pub fn sample(seed: u64, options: &EnvOptions) -> Self {
        let mut rng = seed::rng(seed, "two-rooms/task", 0, 0);
        let layout = Layout::sample(options.layout, options.layouts, &mut rng);
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
    use crate::two_rooms::{LayoutChoice, LayoutSplit};

    #[test]
    fn start_and_goal_are_in_opposite_rooms_of_a_held_out_layout() {
        let options = EnvOptions::default();
        let mut from_the_left = 0;
        for seed in 0..2_000 {
            let task = Task::sample(seed, &options);
            assert_eq!(task, Task::sample(seed, &options));
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
        let fixed = EnvOptions { layout: LayoutChoice::Fixed, ..EnvOptions::default() };
        assert_eq!(Task::sample(7, &fixed).layout, Layout { wall_x: 32, door_y: 18 });
        let training = EnvOptions { layouts: LayoutSplit::Training, ..EnvOptions::default() };
        assert!((0..200).all(|seed| !Task::sample(seed, &training).layout.is_held_out()));
    }
}
