//! How far rows are from a goal: what a planner compares candidates by.

use super::parallel::each;

use super::Level;
use super::level::{Vectorised, at};
use super::sums::sum_of_pairs;

/// Numbers that one task works on, about.
const TASK_NUMBERS: usize = 1 << 15;

/// Writes for each row of `values`, `[rows, steps * width]`, the sum of the squared differences of all its steps to a goal: to the first of
/// `goals`, `[groups, width]`, for the first `rows / groups` rows, and so on.
///
/// # Panics
/// If the lengths do not fit.
pub fn squared(level: Level, values: &[f32], goals: &[f32], width: usize, out: &mut [f32]) {
    struct Rows<'a> {
        values: &'a [f32],
        goals: &'a [f32],
        width: usize,
        /// Number of the first row.
        first: usize,
        /// Rows that have the same goal.
        alike: usize,
        out: &'a mut [f32],
    }
    impl Vectorised for Rows<'_> {
        type Output = ();
        #[inline(always)]
        fn run<const FUSED: bool>(self) {
            let Self { values, goals, width, first, alike, out } = self;
            let length = values.len() / out.len();
            for (row, (values, out)) in values.chunks_exact(length).zip(out).enumerate() {
                let goal = &goals[(first + row) / alike * width..][..width];
                let steps = values.chunks_exact(width);
                *out = steps.map(|step| sum_of_pairs(step, goal, |x, y| (x - y) * (x - y))).sum();
            }
        }
    }
    let rows = out.len();
    if values.is_empty() || rows == 0 {
        out.fill(0.0);
        return;
    }
    let (length, groups) = (values.len() / rows, goals.len() / width);
    let fits = length * rows == values.len() && length.is_multiple_of(width) && goals.len() == groups * width;
    assert!(fits && rows.is_multiple_of(groups), "{} values in {rows} rows, {} of goals", values.len(), goals.len());
    let task = (TASK_NUMBERS / length).max(1);
    let tasks = out.chunks_mut(task).zip(values.chunks(task * length)).enumerate();
    each(tasks, |(number, (out, values))| {
        at(level, Rows { values, goals, width, first: number * task, alike: rows / groups, out });
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_is_compared_with_the_goal_of_its_group() {
        for (groups, alike, steps, width) in [(1, 3, 2, 4), (2, 600, 3, 37), (3, 1, 1, 1)] {
            let rows = groups * alike;
            let number = |i: usize| (i * 7919 % 1009) as f32 / 504.5 - 1.0;
            let values: Vec<f32> = (0..rows * steps * width).map(number).collect();
            let goals: Vec<f32> = (0..groups * width).map(|i| number(i + 77)).collect();
            for level in Level::available() {
                let mut out = vec![f32::NAN; rows];
                squared(level, &values, &goals, width, &mut out);
                for (row, out) in out.iter().enumerate() {
                    let square = |place: usize| {
                        let (x, y) = (values[row * steps * width + place], goals[row / alike * width + place % width]);
                        (f64::from(x) - f64::from(y)).powi(2)
                    };
                    let wanted: f64 = (0..steps * width).map(square).sum();
                    assert!(
                        (f64::from(*out) - wanted).abs() < 1e-5 * wanted.max(1.0),
                        "{level:?} {row}: {out} {wanted}"
                    );
                }
            }
        }
        squared(Level::available()[0], &[], &[1.0], 1, &mut []);
    }
}
