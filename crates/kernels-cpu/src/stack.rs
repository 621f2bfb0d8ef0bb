//! Steps of several groups of rows as one block of memory.

use super::parallel::each;

/// Copies what each step gave, `[rows of the group, width]`, to its place in `out`, `[all rows, steps, width]`.
/// `inputs` are the steps of the first group, then those of the second, and so on.
///
/// # Panics
/// If the lengths do not fit.
pub fn stack_steps(rows: &[usize], steps: usize, width: usize, inputs: &[&[f32]], out: &mut [f32]) {
    assert_eq!(inputs.len(), rows.len() * steps, "steps of {} groups", rows.len());
    assert_eq!(out.len(), rows.iter().sum::<usize>() * steps * width, "numbers of all steps");
    if out.is_empty() {
        return;
    }
    let mut rest = out;
    let mut groups = Vec::with_capacity(rows.len());
    for (rows, inputs) in rows.iter().zip(inputs.chunks_exact(steps)) {
        let (out, after) = rest.split_at_mut(rows * steps * width);
        assert!(inputs.iter().all(|input| input.len() == rows * width), "steps of [{rows}, {width}]");
        groups.push((out, inputs));
        rest = after;
    }
    each(groups, |(out, inputs)| {
        for (step, input) in inputs.iter().enumerate() {
            let places = out.chunks_exact_mut(width).skip(step).step_by(steps);
            for (out, row) in places.zip(input.chunks_exact(width)) {
                out.copy_from_slice(row);
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_hold_their_steps_in_order() {
        let (first, second) = ([[1.0, 2.0], [5.0, 6.0]], [[3.0, 4.0], [7.0, 8.0]]);
        let inputs = [first.as_flattened(), second.as_flattened(), &[9.0, 10.0], &[11.0, 12.0]];
        let mut out = [f32::NAN; 12];
        stack_steps(&[2, 1], 2, 2, &inputs, &mut out);
        assert_eq!(out, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0]);
        stack_steps(&[2, 1], 2, 0, &[&[][..]; 4], &mut []);
    }
}
