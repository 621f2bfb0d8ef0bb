//! Rows onto frames.

use std::fmt;

use serde::Deserialize;

/// Times that differ by no more than this are the same, seconds: half a millisecond, since clocks are often written in milliseconds.
/// Numbers of frames differ by more or not at all.
const SAME: f64 = 0.000_501;

/// How the value at a frame is made of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Rule {
    /// The last row at or before the frame; the first row before that.
    Hold,
    /// The row that is nearest, the earlier one of two.
    Nearest,
    /// On the straight line between the rows around the frame; the row at the end outside of all rows.
    Linear,
    /// The mean of the rows from the frame until the next one; where there is none, as [`Rule::Hold`].
    Mean,
    /// The sum of the rows from the frame until the next one; 0 where there is none.
    Sum,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hold => "hold",
            Self::Nearest => "nearest",
            Self::Linear => "linear",
            Self::Mean => "mean",
            Self::Sum => "sum",
        })
    }
}

/// Rows and frames of one video on one axis: seconds from the first frame, or numbers of frames. Neither ever falls.
pub(super) struct Axis<'a> {
    pub(super) rows: &'a [f64],
    pub(super) frames: &'a [f64],
    /// How far a frame may be from a row that it is made of.
    pub(super) max_gap: f64,
}

/// A frame that no row is near enough to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Gap {
    pub(super) frame: usize,
    /// The row that was nearest among those that it would be made of.
    pub(super) row: usize,
}

impl<'a> Axis<'a> {
    /// With the gap that is allowed unless one is given: twice the middle distance of two rows, or one frame if that is longer.
    pub(super) fn new(rows: &'a [f64], frames: &'a [f64], max_gap: Option<f64>) -> Self {
        let max_gap = max_gap.unwrap_or_else(|| f64::max(2.0 * middle_distance(rows), middle_distance(frames)));
        Self { rows, frames, max_gap }
    }

    /// Appends the values of all frames. `value` gives those of a row, `width` numbers.
    ///
    /// # Errors
    /// The first frame that is too far from a row of which it would be made.
    ///
    /// # Panics
    /// If there are no rows.
    pub(super) fn resample<'v>(
        &self,
        rule: Rule,
        value: impl Fn(usize) -> &'v [f64],
        out: &mut Vec<f32>,
    ) -> Result<(), Gap> {
        let to_single = |values: &[f64], out: &mut Vec<f32>| out.extend(values.iter().map(|&value| value as f32));
        for (frame, &at) in self.frames.iter().enumerate() {
            // Rows up to `next` are at or before the frame.
            let next = self.rows.partition_point(|&row| row <= at + SAME);
            let held = next.saturating_sub(1);
            match rule {
                Rule::Hold => to_single(value(self.near(frame, held)?), out),
                Rule::Nearest => to_single(value(self.near(frame, self.nearest(at))?), out),
                Rule::Linear => {
                    let next = self.rows.partition_point(|&row| row <= at);
                    let (before, after) = (next.saturating_sub(1), next.min(self.rows.len() - 1));
                    let exact = next > 0 && self.rows[before] == at;
                    let after = if exact { before } else { after };
                    self.near(frame, before)?;
                    self.near(frame, after)?;
                    let span = self.rows[after] - self.rows[before];
                    let share = if span > 0.0 { (at - self.rows[before]) / span } else { 0.0 };
                    // At a row the other one does not count, whatever it is.
                    let between = |(a, b): (&f64, &f64)| if share > 0.0 { a + share * (b - a) } else { *a } as f32;
                    out.extend(value(before).iter().zip(value(after)).map(between));
                }
                Rule::Mean | Rule::Sum => {
                    let first = self.rows.partition_point(|&row| row < at - SAME);
                    let end = self.rows.partition_point(|&row| row < self.end_of(frame) - SAME).max(first);
                    let count = if rule == Rule::Mean { (end - first) as f64 } else { 1.0 };
                    match (end - first, rule) {
                        (0, Rule::Mean) => to_single(value(self.near(frame, held)?), out),
                        (0, _) => {
                            let near = self.near(frame, self.nearest(at))?;
                            out.extend(value(near).iter().map(|_| 0.0_f32));
                        }
                        _ => {
                            let width = value(first).len();
                            let sum = |number: usize| (first..end).map(|row| value(row)[number]).sum::<f64>();
                            out.extend((0..width).map(|number| (sum(number) / count) as f32));
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// The row, if it is near enough to a frame.
    fn near(&self, frame: usize, row: usize) -> Result<usize, Gap> {
        let far = (self.rows[row] - self.frames[frame]).abs() > self.max_gap + SAME;
        if far { Err(Gap { frame, row }) } else { Ok(row) }
    }

    fn nearest(&self, at: f64) -> usize {
        let after = self.rows.partition_point(|&row| row < at).min(self.rows.len() - 1);
        let before = after.saturating_sub(1);
        if (self.rows[before] - at).abs() <= (self.rows[after] - at).abs() { before } else { after }
    }

    /// Where the frame behind this one begins. The last one lasts as long as the one before it.
    fn end_of(&self, frame: usize) -> f64 {
        let before = |frame: usize| frame.checked_sub(1).map_or(f64::NEG_INFINITY, |before| self.frames[before]);
        self.frames.get(frame + 1).copied().unwrap_or_else(|| 2.0 * self.frames[frame] - before(frame))
    }
}

/// The middle one of the distances between neighbours, the shorter one of two; 0 if there are none.
pub(super) fn middle_distance(places: &[f64]) -> f64 {
    let mut distances: Vec<f64> = places.windows(2).map(|pair| pair[1] - pair[0]).collect();
    distances.sort_by(f64::total_cmp);
    distances.get(distances.len().saturating_sub(1) / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: [f64; 6] = [0.0, 0.05, 0.1, 0.15, 0.2, 0.3];
    const VALUES: [[f64; 2]; 6] =
        [[1.0, 10.0], [2.0, 20.0], [3.0, f64::INFINITY], [4.0, 40.0], [6.0, 60.0], [9.0, 90.0]];

    fn first_of(rule: Rule, frames: &[f64], max_gap: Option<f64>) -> Result<Vec<f32>, Gap> {
        let mut out = vec![];
        Axis::new(&ROWS, frames, max_gap).resample(rule, |row| &VALUES[row][..], &mut out)?;
        assert_eq!(out.len(), 2 * frames.len());
        Ok(out.into_iter().step_by(2).collect())
    }

    #[test]
    fn every_rule_by_hand() {
        let frames = [0.0, 0.12, 0.26];
        assert_eq!(first_of(Rule::Hold, &frames, None).unwrap(), [1.0, 3.0, 6.0]);
        assert_eq!(first_of(Rule::Nearest, &frames, None).unwrap(), [1.0, 3.0, 9.0]);
        // 3 + 0.02 / 0.05, and 6 + 3 * 0.06 / 0.1.
        assert_eq!(first_of(Rule::Linear, &frames, None).unwrap(), [1.0, 3.4, 7.8]);
        // (1 + 2 + 3) / 3, (4 + 6) / 2, 9 until 0.40.
        assert_eq!(first_of(Rule::Mean, &frames, None).unwrap(), [2.0, 5.0, 9.0]);
        assert_eq!(first_of(Rule::Sum, &frames, None).unwrap(), [6.0, 10.0, 9.0]);
    }

    #[test]
    fn frames_without_rows_of_their_own() {
        let frames = [0.21, 0.24];
        assert_eq!(first_of(Rule::Mean, &frames, None).unwrap(), [6.0, 6.0]);
        assert_eq!(first_of(Rule::Sum, &frames, None).unwrap(), [0.0, 0.0]);
        // A video of one frame lasts for ever.
        assert_eq!(first_of(Rule::Sum, &[0.0], None).unwrap(), [25.0]);
    }

    #[test]
    fn times_in_milliseconds_are_those_of_the_frames() {
        let rows = [0.0, 0.033, 0.067, 0.1];
        let frames = [0.0, 1.0 / 30.0, 2.0 / 30.0, 0.1];
        for rule in [Rule::Hold, Rule::Nearest, Rule::Mean, Rule::Sum] {
            let mut out = vec![];
            let values = [[1.0], [2.0], [3.0], [4.0]];
            Axis::new(&rows, &frames, None).resample(rule, |row| &values[row][..], &mut out).unwrap();
            assert_eq!(out, [1.0, 2.0, 3.0, 4.0], "{rule}");
        }
    }

    #[test]
    fn a_frame_that_is_too_far_from_its_rows() {
        // Twice 0.05 are allowed, or a frame if that is longer.
        assert_eq!(first_of(Rule::Hold, &[0.0, 0.05, 0.41], None), Err(Gap { frame: 2, row: 5 }));
        assert_eq!(first_of(Rule::Hold, &[0.0, 0.05, 0.4], None).unwrap(), [1.0, 2.0, 9.0]);
        assert_eq!(first_of(Rule::Hold, &[0.05, 0.36, 0.66], None).unwrap_err().frame, 2);
        assert_eq!(first_of(Rule::Hold, &[-0.15], None), Err(Gap { frame: 0, row: 0 }));
        assert_eq!(first_of(Rule::Hold, &[-0.1], None).unwrap(), [1.0]);
        assert_eq!(first_of(Rule::Hold, &[0.26], Some(0.05)), Err(Gap { frame: 0, row: 4 }));
        assert_eq!(first_of(Rule::Nearest, &[0.26], Some(0.05)).unwrap(), [9.0]);
        assert_eq!(first_of(Rule::Linear, &[0.26], Some(0.05)), Err(Gap { frame: 0, row: 4 }));
        assert_eq!(first_of(Rule::Linear, &[0.22], Some(0.05)), Err(Gap { frame: 0, row: 5 }));
        assert_eq!(first_of(Rule::Sum, &[0.23, 0.24], Some(0.01)), Err(Gap { frame: 0, row: 4 }));
    }

    #[test]
    fn what_is_not_used_does_not_count() {
        let mut out = vec![];
        Axis::new(&ROWS, &[0.05], None).resample(Rule::Linear, |row| &VALUES[row][1..], &mut out).unwrap();
        assert_eq!(out, [20.0]);
    }
}
