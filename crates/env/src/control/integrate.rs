//! The integrator of the worlds that have none of their own.

/// One step of length `step` seconds of the classical Runge-Kutta method of fourth order for `state' = rate(state)`.
pub(super) fn runge_kutta<const N: usize>(
    state: [f64; N],
    step: f64,
    rate: impl Fn(&[f64; N]) -> [f64; N],
) -> [f64; N] {
    let moved = |by: &[f64; N], share: f64| std::array::from_fn(|place| state[place] + share * step * by[place]);
    let first = rate(&state);
    let second = rate(&moved(&first, 0.5));
    let third = rate(&moved(&second, 0.5));
    let fourth = rate(&moved(&third, 1.0));
    std::array::from_fn(|place| {
        state[place] + step / 6.0 * (first[place] + 2.0 * second[place] + 2.0 * third[place] + fourth[place])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_oscillator_after_one_step_and_many() {
        let rate = |state: &[f64; 2]| [state[1], -state[0]];
        // The first four terms of cosine and sine of 0.1: 1 - 0.005 + 0.1⁴/24, and -(0.1 - 0.1³/6).
        let [x, v] = runge_kutta([1.0, 0.0], 0.1, rate);
        approx::assert_abs_diff_eq!(x, 0.995_004_166_666_666_7, epsilon = 1e-15);
        approx::assert_abs_diff_eq!(v, -0.099_833_333_333_333_34, epsilon = 1e-15);
        let end = (0..100).fold([1.0, 0.0], |state, _| runge_kutta(state, 0.1, rate));
        approx::assert_abs_diff_eq!(end[0], 10_f64.cos(), epsilon = 1e-5);
    }
}
