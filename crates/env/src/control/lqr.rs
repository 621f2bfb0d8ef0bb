//! The linear-quadratic regulator: how to hold an unstable balance.

/// Distance over which the linearisation looks.
const NUDGE: f64 = 1e-4;
/// Most rounds of the iteration; it converges long before.
const ROUNDS: usize = 5_000;

/// The gains `K` of the control `u = -K s` that minimises the sum of `Σ weights[i] s[i]² + effort u²` over all steps, for a system with
/// `advance(0, 0) = 0`, linearised there by central differences.
///
/// The Riccati difference equation is iterated until it does not change any more (Bertsekas, Dynamic Programming and Optimal Control,
/// volume 1, section 3.1).
pub(super) fn gains<const N: usize>(
    advance: impl Fn([f64; N], f64) -> [f64; N],
    weights: [f64; N],
    effort: f64,
) -> [f64; N] {
    let slope = |ahead: [f64; N], behind: [f64; N]| -> [f64; N] {
        std::array::from_fn(|place| (ahead[place] - behind[place]) / (2.0 * NUDGE))
    };
    let unit = |place: usize, by: f64| -> [f64; N] { std::array::from_fn(|at| if at == place { by } else { 0.0 }) };
    // columns[j][i] is the derivative of number i of the next state by number j of this one.
    let columns: [[f64; N]; N] =
        std::array::from_fn(|place| slope(advance(unit(place, NUDGE), 0.0), advance(unit(place, -NUDGE), 0.0)));
    let input = slope(advance([0.0; N], NUDGE), advance([0.0; N], -NUDGE));
    let dot = |one: &[f64; N], other: &[f64; N]| one.iter().zip(other).map(|(one, other)| one * other).sum::<f64>();
    let mut cost: [[f64; N]; N] = std::array::from_fn(|place| unit(place, weights[place]));
    let mut gains = [0.0; N];
    for _ in 0..ROUNDS {
        let through: [[f64; N]; N] = std::array::from_fn(|at| std::array::from_fn(|by| dot(&cost[at], &columns[by])));
        let pushed: [f64; N] = std::array::from_fn(|at| dot(&cost[at], &input));
        let scale = effort + dot(&pushed, &input);
        let cross: [f64; N] = std::array::from_fn(|by| dot(&pushed, &columns[by]));
        let next: [f64; N] = cross.map(|value| value / scale);
        let half: [[f64; N]; N] = std::array::from_fn(|row| {
            std::array::from_fn(|by| {
                let carried: f64 = (0..N).map(|at| columns[row][at] * through[at][by]).sum();
                carried - cross[row] * next[by] + if row == by { weights[row] } else { 0.0 }
            })
        });
        // Both halves alike: what rounding adds to one alone would grow as fast as the system falls.
        cost = std::array::from_fn(|row| std::array::from_fn(|by| f64::midpoint(half[row][by], half[by][row])));
        let change = next.iter().zip(&gains).map(|(new, old)| (new - old).abs()).fold(0.0, f64::max);
        let size = next.iter().map(|value| value.abs()).fold(0.0, f64::max);
        gains = next;
        if change < 1e-12 * size {
            break;
        }
    }
    gains
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_by_hand() {
        // s' = s + u with weights 1 and 1: p = 1 + p - p²/(1 + p), so p is the golden ratio and K = p/(1 + p) = 0.618.
        let [gain] = gains(|[s]: [f64; 1], u| [s + u], [1.0], 1.0);
        approx::assert_abs_diff_eq!(gain, 0.618_033_988_749_894_9, epsilon = 1e-9);
    }

    #[test]
    fn an_unstable_balance_is_held_after_many_rounds() {
        // Two coupled poles, one falling by a tenth a step: the open loop grows by e^25 in 250 steps.
        let advance = |[x, v, a, w]: [f64; 4], u: f64| {
            [x + 0.04 * v, v + 0.04 * (u - 0.7 * a), a + 0.04 * w, w + 0.04 * (16.0 * a - 1.5 * u)]
        };
        let gains = gains(advance, [4.0, 1.0, 20.0, 1.0], 0.05);
        let control = |state: [f64; 4]| -gains.iter().zip(state).map(|(gain, value)| gain * value).sum::<f64>();
        let end = (0..400).fold([0.1, 0.0, 0.1, 0.0], |state, _| advance(state, control(state)));
        assert!(end.iter().all(|value| value.abs() < 1e-4), "{end:?}");
    }

    #[test]
    fn a_double_integrator_is_brought_to_rest() {
        let advance = |[x, v]: [f64; 2], u: f64| [x + 0.1 * v, v + 0.1 * u];
        let [along, speed] = gains(advance, [1.0, 0.1], 0.1);
        let end = (0..200).fold([1.0, 0.0], |state, _| advance(state, -along * state[0] - speed * state[1]));
        assert!(end[0].abs() < 1e-4 && end[1].abs() < 1e-4, "{end:?}");
    }
}
