//! Faults in the numbers of one column.

use prevision_core::Array2;

use super::film::median;
use super::finding::Finding;

/// A change this many times as large as all but a hundredth of the others is a jump.
const JUMP: f64 = 12.0;
/// A share of values at the very end of their range from which on they look cut off.
const SATURATED: f64 = 0.1;
/// Different values from which on a column counts as continuous.
const CONTINUOUS: usize = 20;
/// Episodes whose numbers are this many times as large as those of most others are in another unit.
const OTHER_UNIT: f64 = 30.0;
/// Numbers of episodes in ascending order that are this many times as large as the one before are set apart.
const APART: f64 = 5.0;
/// Numbers in one column whose ranges are this far apart.
const FAR_APART: f64 = 1000.0;

/// One column of a recording.
pub(super) struct Column<'a> {
    pub(super) name: &'a str,
    pub(super) rows: &'a Array2,
    /// First row of each episode, and the number of all rows.
    pub(super) offsets: &'a [usize],
    /// It is the column of actions: the last row of an episode leads nowhere.
    pub(super) is_action: bool,
}

impl Column<'_> {
    /// The rows of an episode that count.
    pub(super) fn episode(&self, episode: usize) -> std::ops::Range<usize> {
        let (start, end) = (self.offsets[episode], self.offsets[episode + 1]);
        start..end.saturating_sub(usize::from(self.is_action)).max(start)
    }

    fn episodes(&self) -> usize {
        self.offsets.len() - 1
    }

    fn value(&self, row: usize, number: usize) -> f64 {
        f64::from(self.rows.data[row * self.rows.columns + number])
    }

    /// Smallest and largest finite value of a number.
    fn range(&self, number: usize) -> (f64, f64) {
        let values = (0..self.episodes()).flat_map(|episode| self.episode(episode)).map(|row| self.value(row, number));
        values.filter(|value| value.is_finite()).fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(v), high.max(v)))
    }

    /// Per number how far its values reach.
    pub(super) fn reach(&self) -> Vec<f64> {
        (0..self.rows.columns).map(|number| self.range(number)).map(|(low, high)| (high - low).max(0.0)).collect()
    }

    /// Values that are no finite numbers.
    pub(super) fn not_finite(&self) -> Option<Finding> {
        let mut first = None;
        let mut count = 0;
        for episode in 0..self.episodes() {
            for row in self.episode(episode) {
                if let Some(value) = self.rows.row(row).iter().find(|value| !value.is_finite()) {
                    count += 1;
                    first.get_or_insert((episode, row - self.offsets[episode], *value));
                }
            }
        }
        let (episode, moment, value) = first?;
        let message = format!("is {value} at moment {moment}; {count} rows are not finite");
        Some(Finding::error("not-finite", message).of_episode(episode).of_stream(self.name))
    }

    /// Numbers that are always the same.
    pub(super) fn constant(&self) -> Vec<Finding> {
        let constant = |number: usize| {
            let (low, high) = self.range(number);
            (low == high && self.rows.rows > self.episodes()).then(|| {
                Finding::warning("constant-column", format!("number {number} is always {low}")).of_stream(self.name)
            })
        };
        (0..self.rows.columns).filter_map(constant).collect()
    }

    /// Changes far larger than all others.
    pub(super) fn jumps(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for number in 0..self.rows.columns {
            let mut changes = Vec::new();
            for episode in 0..self.episodes() {
                for row in self.episode(episode).skip(1) {
                    let change = (self.value(row, number) - self.value(row - 1, number)).abs();
                    if change.is_finite() {
                        changes.push((change, episode, row - self.offsets[episode]));
                    }
                }
            }
            let mut sorted: Vec<f64> = changes.iter().map(|(change, ..)| *change).collect();
            sorted.sort_unstable_by(f64::total_cmp);
            let Some(&usual) = sorted.get(sorted.len() * 99 / 100).filter(|usual| **usual > 0.0) else { continue };
            let (low, high) = self.range(number);
            // An angle that goes once around.
            let turn = [std::f64::consts::TAU, 360.0].into_iter().find(|turn| ((high - low) / turn - 1.0).abs() < 0.1);
            let is_jump = |change: f64| change > JUMP * usual && turn.is_none_or(|turn| change < 0.8 * turn);
            let jumps: Vec<_> = changes.iter().filter(|(change, ..)| is_jump(*change)).collect();
            if let Some((change, episode, moment)) = jumps.first() {
                let message = format!(
                    "number {number} changes by {change:.3} to moment {moment}, others by at most {usual:.3} in 99 of 100 steps; {} such jumps",
                    jumps.len()
                );
                findings.push(Finding::error("jump", message).of_episode(*episode).of_stream(self.name));
            }
        }
        findings
    }

    /// Values that pile up at the end of their range.
    pub(super) fn saturated(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for number in 0..self.rows.columns {
            let rows = (0..self.episodes()).flat_map(|episode| self.episode(episode));
            let mut values: Vec<f64> = rows.map(|row| self.value(row, number)).filter(|v| v.is_finite()).collect();
            values.sort_unstable_by(f64::total_cmp);
            let (Some(&low), Some(&high)) = (values.first(), values.last()) else { continue };
            let different = 1 + values.windows(2).filter(|pair| pair[0] < pair[1]).count();
            if different < CONTINUOUS {
                continue;
            }
            for end in [low, high] {
                let share = values.iter().filter(|value| **value == end).count() as f64 / values.len() as f64;
                if share > SATURATED {
                    let message =
                        format!("number {number} is {end} in {:.0} % of the rows, the end of its range", 100.0 * share);
                    findings.push(Finding::warning("saturation", message).of_stream(self.name));
                }
            }
        }
        findings
    }

    /// Numbers in another unit: in some episodes, or beside others of the column.
    pub(super) fn scales(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for number in 0..self.rows.columns {
            let largest = |episode: usize| {
                self.episode(episode)
                    .map(|row| self.value(row, number).abs())
                    .filter(|v| v.is_finite())
                    .fold(0.0, f64::max)
            };
            let of_episodes: Vec<f64> = (0..self.episodes()).map(largest).collect();
            if let Some((episode, message)) = other_unit(&of_episodes) {
                let message = format!("number {number} {message}");
                findings.push(Finding::error("scale", message).of_episode(episode).of_stream(self.name));
            }
        }
        let reach = self.reach();
        let mut wide: Vec<f64> = reach.iter().copied().filter(|reach| *reach > 0.0).collect();
        let usual = median(&mut wide).copied().unwrap_or(0.0);
        for (number, reach) in reach.iter().enumerate() {
            if *reach > FAR_APART * usual && usual > 0.0 {
                let message = format!("number {number} reaches over {reach:.3}, most others over {usual:.3}");
                findings.push(Finding::warning("scale", message).of_stream(self.name));
            }
        }
        findings
    }

    /// Per step of an episode, whether the numbers move: by more than `share` of their reach.
    pub(super) fn moves(&self, episode: usize, reach: &[f64], share: f64) -> Vec<bool> {
        let rows = self.episode(episode);
        let moves = |row: usize| {
            reach.iter().enumerate().any(|(number, reach)| {
                *reach > 0.0 && (self.value(row + 1, number) - self.value(row, number)).abs() > share * reach
            })
        };
        (rows.start..rows.end.saturating_sub(1)).map(moves).collect()
    }
}

/// Whether the largest numbers of some episodes look like those of another unit: the first such episode, and what is said of it.
fn other_unit(largest: &[f64]) -> Option<(usize, String)> {
    let mut sorted = largest.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    // A radian is 57 degrees, and no two episodes turn equally far.
    let hint = ": degrees beside radians?";
    let usual = *sorted.get(sorted.len() / 4)?;
    let large: Vec<usize> = (0..largest.len()).filter(|&episode| largest[episode] > OTHER_UNIT * usual).collect();
    if let Some(&first) = large.first().filter(|_| usual > 0.0) {
        let times = largest[first] / usual;
        let (count, all) = (large.len(), largest.len());
        return Some((
            first,
            format!("is up to {times:.0} times as large as in other episodes{hint} ({count} of {all} episodes)"),
        ));
    }
    // A few in radians among degrees: set apart from the others, and as far as the two units are.
    let gap = (1..sorted.len()).find(|&place| sorted[place - 1] > 0.0 && sorted[place] > APART * sorted[place - 1])?;
    let (low, high) = (sorted[gap / 2], sorted[usize::midpoint(gap, sorted.len())]);
    let first = largest.iter().position(|value| *value < sorted[gap])?;
    let times = high / low;
    (gap > 1 && (30.0..110.0).contains(&times)).then(|| {
        (
            first,
            format!("is {times:.0} times smaller than in other episodes{hint} ({gap} of {} episodes)", largest.len()),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::other_unit;

    #[test]
    fn degrees_beside_radians() {
        let radians: [f64; 5] = [3.0, 6.2, 2.5, 6.0, 5.1];
        let mixed = |degrees: &[usize]| {
            let of = |episode: usize| {
                if degrees.contains(&episode) { radians[episode].to_degrees() } else { radians[episode] }
            };
            other_unit(&(0..5).map(of).collect::<Vec<f64>>())
        };
        assert_eq!(mixed(&[]), None);
        assert_eq!(mixed(&[0, 1, 2, 3, 4]), None);
        let (episode, message) = mixed(&[1]).unwrap();
        assert!(episode == 1 && message.contains("degrees beside radians? (1 of 5 episodes)"), "{message}");
        let (episode, message) = mixed(&[0, 1, 4]).unwrap();
        assert!(episode == 1 && message.contains("times as large"), "{message}");
        let (episode, message) = mixed(&[0, 1, 3]).unwrap();
        assert!(episode == 0 && message.contains("(3 of 5"), "{message}");
        // A still episode among moving ones.
        assert_eq!(other_unit(&[0.0, 3.0, 4.0, 5.0, 4.0]), None);
        assert_eq!(other_unit(&[0.05, 3.0, 4.0, 5.0, 4.0]), None);
    }
}
