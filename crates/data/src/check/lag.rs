//! Whether actions, states and pictures of one moment belong together.
//!
//! The change of the state from one moment to the next is predicted, by least squares, from the state and from the action some rows
//! earlier or later. If an action leads from its own row to the next, that of the same row predicts best.

use super::columns::Column;
use super::film::Film;
use super::finding::Finding;

/// Rows by which something may be off; one more is looked at, because the best of them must be better than its neighbours.
const FARTHEST: isize = 4;
/// Rows that are enough to tell.
const ENOUGH: usize = 100_000;

/// What is told by a comparison of lags: how well each explains what happens, from the earliest on.
fn verdict(fits: &[f64], margin: f64, least: f64) -> Option<isize> {
    let own = fits[FARTHEST as usize];
    let (best, fit) = fits.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1))?;
    let lag = best as isize - FARTHEST;
    (lag != 0 && lag.abs() < FARTHEST && *fit > least && fit - own > margin).then_some(lag)
}

fn steps(lag: isize) -> String {
    match lag.unsigned_abs() {
        1 => "one step".to_owned(),
        steps => format!("{steps} steps"),
    }
}

/// Whether actions are some steps late or early against the change of the state.
pub(super) fn action_lag(action: &Column, state: &Column) -> Option<Finding> {
    let fits: Vec<f64> = (-FARTHEST..=FARTHEST).map(|lag| explained(action, state, lag)).collect();
    let lag = verdict(&fits, 0.03, 0.1)?;
    let way = if lag > 0 { "late" } else { "early" };
    let (best, own) = (fits[(lag + FARTHEST) as usize], fits[FARTHEST as usize]);
    let message = format!(
        "actions look {} {way}: the action of row t{lag:+} explains {:.0} % of the change of the state after row t, that of row t {:.0} %",
        steps(lag),
        100.0 * best,
        100.0 * own
    );
    Some(Finding::error("action-lag", message).of_stream(action.name))
}

/// The share of the variance of the state's change that state and action explain, the mean over its numbers.
fn explained(action: &Column, state: &Column, lag: isize) -> f64 {
    let (a, s) = (action.rows.columns, state.rows.columns);
    let (mut sums, mut rows) = (Sums::new(a + s + 1, s), 0);
    let (reach_a, reach_s) = (action.reach(), state.reach());
    let scaled = |column: &Column, reach: &[f64], row: usize| -> Vec<f64> {
        let values = column.rows.row(row).iter().zip(reach);
        values.map(|(value, reach)| if *reach > 0.0 { f64::from(*value) / reach } else { 0.0 }).collect()
    };
    'episodes: for episode in 0..state.offsets.len() - 1 {
        let range = state.episode(episode);
        let end = range.end as isize - 1 - FARTHEST;
        for row in range.start as isize + FARTHEST..end {
            let now = scaled(state, &reach_s, row as usize);
            let next = scaled(state, &reach_s, row as usize + 1);
            let mut inputs = scaled(action, &reach_a, (row + lag) as usize);
            inputs.extend(&now);
            inputs.push(1.0);
            let targets: Vec<f64> = next.iter().zip(&now).map(|(next, now)| next - now).collect();
            // The turn of an angle from its largest value to its smallest is no motion.
            if inputs.iter().chain(&targets).all(|value| value.is_finite()) && targets.iter().all(|t| t.abs() < 0.5) {
                sums.add(&inputs, &targets);
                rows += 1;
            }
            if rows == ENOUGH {
                break 'episodes;
            }
        }
    }
    if rows < 4 * (a + s + 1) { 0.0 } else { sums.explained() }
}

/// Sums for least squares.
struct Sums {
    inputs: usize,
    /// Products of inputs with inputs, row after row.
    products: Vec<f64>,
    /// Per target its products with inputs, its sum and its square.
    targets: Vec<(Vec<f64>, f64, f64)>,
    rows: f64,
}

impl Sums {
    fn new(inputs: usize, targets: usize) -> Self {
        let target = (vec![0.0; inputs], 0.0, 0.0);
        Self { inputs, products: vec![0.0; inputs * inputs], targets: vec![target; targets], rows: 0.0 }
    }

    fn add(&mut self, inputs: &[f64], targets: &[f64]) {
        for (row, a) in self.products.chunks_exact_mut(self.inputs).zip(inputs) {
            for (sum, b) in row.iter_mut().zip(inputs) {
                *sum += a * b;
            }
        }
        for ((with, sum, square), target) in self.targets.iter_mut().zip(targets) {
            for (with, input) in with.iter_mut().zip(inputs) {
                *with += input * target;
            }
            *sum += target;
            *square += target * target;
        }
        self.rows += 1.0;
    }

    /// The share of the targets' variance that a linear function of the inputs explains.
    fn explained(&self) -> f64 {
        let (mut shares, mut count) = (0.0, 0);
        for (with, sum, square) in &self.targets {
            let variance = square - sum * sum / self.rows;
            if variance <= 1e-12 * self.rows {
                continue;
            }
            let weights = self.solve(with);
            // At the solution the squared error is the square of the target less what is explained.
            let explained: f64 = weights.iter().zip(with).map(|(weight, with)| weight * with).sum();
            shares += 1.0 - (square - explained).max(0.0) / variance;
            count += 1;
        }
        if count == 0 { 0.0 } else { shares / f64::from(count) }
    }

    /// Solves the normal equations by Cholesky's decomposition, with a little added to the diagonal.
    fn solve(&self, right: &[f64]) -> Vec<f64> {
        let n = self.inputs;
        let mut lower = self.products.clone();
        for row in 0..n {
            lower[row * n + row] += 1e-9 * self.rows;
            for column in 0..=row {
                let known: f64 = (0..column).map(|k| lower[row * n + k] * lower[column * n + k]).sum();
                let rest = lower[row * n + column] - known;
                lower[row * n + column] =
                    if row == column { rest.max(1e-12 * self.rows).sqrt() } else { rest / lower[column * n + column] };
            }
        }
        let mut solution = right.to_vec();
        for row in 0..n {
            let known: f64 = (0..row).map(|k| lower[row * n + k] * solution[k]).sum();
            solution[row] = (solution[row] - known) / lower[row * n + row];
        }
        for row in (0..n).rev() {
            let known: f64 = (row + 1..n).map(|k| lower[k * n + row] * solution[k]).sum();
            solution[row] = (solution[row] - known) / lower[row * n + row];
        }
        solution
    }
}

/// Whether the pictures of a camera are some steps late or early against the state: how much they change beside how much it does.
pub(super) fn picture_lag(films: &[Option<Film>], camera: &str, state: &Column) -> Option<Finding> {
    let reach = state.reach();
    let fits: Vec<f64> = (-FARTHEST..=FARTHEST).map(|lag| correlation(films, state, &reach, lag)).collect();
    let lag = verdict(&fits, 0.1, 0.3)?;
    let way = if lag > 0 { "late" } else { "early" };
    let (best, own) = (fits[(lag + FARTHEST) as usize], fits[FARTHEST as usize]);
    let message = format!(
        "pictures look {} {way}: how much they change goes with how much the state does {lag:+} rows on ({best:.2}) and not in its own row ({own:.2})",
        steps(lag)
    );
    Some(Finding::error("picture-lag", message).of_stream(camera))
}

fn correlation(films: &[Option<Film>], state: &Column, reach: &[f64], lag: isize) -> f64 {
    let (mut n, mut sums) = (0.0, [0.0; 5]);
    for (episode, film) in films.iter().enumerate() {
        let Some(film) = film else { continue };
        let range = state.episode(episode);
        let motion: Vec<f64> = (range.start..range.end.saturating_sub(1))
            .map(|row| {
                let (now, next) = (state.rows.row(row), state.rows.row(row + 1));
                let moved = now.iter().zip(next).zip(reach).filter(|(_, reach)| **reach > 0.0);
                // A turn of an angle counts little.
                moved.map(|((now, next), reach)| (f64::from(next - now).abs() / reach).min(0.2)).sum()
            })
            .collect();
        for place in FARTHEST..motion.len() as isize - FARTHEST {
            let (x, y) = (motion[place as usize], film.change.get((place + lag) as usize).copied());
            let Some(y) = y.map(f64::from).filter(|_| x.is_finite()) else { continue };
            n += 1.0;
            for (sum, term) in sums.iter_mut().zip([x, y, x * x, y * y, x * y]) {
                *sum += term;
            }
        }
    }
    let [x, y, xx, yy, xy] = sums;
    let (vx, vy) = (xx - x * x / n, yy - y * y / n);
    if n < 20.0 || vx <= 0.0 || vy <= 0.0 { 0.0 } else { (xy - x * y / n) / (vx * vy).sqrt() }
}

#[cfg(test)]
mod tests {
    use super::super::columns::Column;
    use super::action_lag;
    use prevision_core::Array2;
    use rand::{Rng as _, SeedableRng as _};

    /// A point that an action moves, with actions that change slowly; the actions of the rows are `late` steps late.
    fn recording(late: usize) -> (Array2, Array2, Vec<usize>) {
        let mut rng = rand::rngs::StdRng::seed_from_u64(3);
        let (mut actions, mut states, mut offsets) = (Array2::zeros(0, 1), Array2::zeros(0, 1), vec![0]);
        for _ in 0..8 {
            let (mut action, mut state) = (0.0_f32, 0.0_f32);
            let mut taken = vec![f32::NAN; late];
            for _ in 0..60 {
                states.push(&[state]);
                action = 0.8 * action + rng.random_range(-1.0..1.0_f32);
                taken.push(action);
                state = 0.9 * state + action + 0.1 * rng.random_range(-1.0..1.0_f32);
            }
            taken[..60].iter().for_each(|action| actions.push(&[*action]));
            offsets.push(states.rows);
        }
        (actions, states, offsets)
    }

    #[test]
    fn late_actions_are_found_and_others_are_not() {
        for late in [0, 1, 2] {
            let (actions, states, offsets) = recording(late);
            let action = Column { name: "action", rows: &actions, offsets: &offsets, is_action: true };
            let state = Column { name: "state", rows: &states, offsets: &offsets, is_action: false };
            let found = action_lag(&action, &state);
            match late {
                0 => assert_eq!(found, None),
                1 => assert!(found.unwrap().message.starts_with("actions look one step late")),
                _ => assert!(found.unwrap().message.starts_with("actions look 2 steps late")),
            }
        }
    }
}
