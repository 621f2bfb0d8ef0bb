//! Numbers as colours.

/// Shares of the numbers that are below and above the range that is shown.
const TAIL: f64 = 0.01;
/// From dark to bright: five colours of the map `inferno`.
const HEAT: [[f64; 3]; 5] =
    [[0.0, 0.0, 4.0], [87.0, 16.0, 110.0], [188.0, 55.0, 84.0], [249.0, 142.0, 9.0], [252.0, 255.0, 164.0]];

/// A range of numbers that is shown from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Range {
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Range {
    /// Most of these numbers: the hundredth of them at each end is outside. They are sorted by it.
    pub(super) fn of(numbers: &mut [f64]) -> Self {
        numbers.sort_by(f64::total_cmp);
        let last = numbers.len().saturating_sub(1);
        let at = |share: f64| numbers.get((share * last as f64).round() as usize).copied().unwrap_or(0.0);
        Self { low: at(TAIL), high: at(1.0 - TAIL) }
    }

    /// Where a number is: 0 or less below the range, 1 above it; the middle if the range is empty.
    pub(super) fn share(self, number: f64) -> f64 {
        let width = self.high - self.low;
        if width > 0.0 { ((number - self.low) / width).clamp(0.0, 1.0) } else { 0.5 }
    }
}

/// A share as a byte.
pub(super) fn byte(share: f64) -> u8 {
    (share * 255.0).round() as u8
}

/// The colour of a share of 0 to 1.
pub(super) fn heat(share: f64) -> [u8; 3] {
    let along = share.clamp(0.0, 1.0) * (HEAT.len() - 1) as f64;
    let first = (along as usize).min(HEAT.len() - 2);
    let part = along - first as f64;
    std::array::from_fn(|channel| {
        (HEAT[first][channel] + part * (HEAT[first + 1][channel] - HEAT[first][channel])).round() as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_a_range_are_cut_off() {
        let mut numbers: Vec<f64> = (0..=200).rev().map(f64::from).collect();
        let range = Range::of(&mut numbers);
        assert_eq!(range, Range { low: 2.0, high: 198.0 });
        assert_eq!([-5.0, 2.0, 100.0, 500.0].map(|number| byte(range.share(number))), [0, 0, 128, 255]);
        assert_eq!(byte(Range::of(&mut [3.0, 3.0]).share(3.0)), 128);
    }

    #[test]
    fn heat_goes_from_dark_to_bright() {
        assert_eq!([0.0, 0.25, 0.5, 1.0].map(heat), [[0, 0, 4], [87, 16, 110], [188, 55, 84], [252, 255, 164]]);
        assert_eq!(heat(0.125), [44, 8, 57]);
    }
}
