//! The weights of a scaling along one axis.

/// For each output place the same number of source samples in a row, and their weights.
pub(super) struct Filter {
    /// First source sample of each output place.
    pub(super) first: Vec<usize>,
    /// `taps` weights for each output place, one after the other; they sum to 1.
    pub(super) weights: Vec<f32>,
    /// Source samples for each output place.
    pub(super) taps: usize,
}

impl Filter {
    /// Scales `extent` picture samples from `start` on to `size` places. The plane holds `samples` samples, each of them standing
    /// for `step` picture samples; what lies beyond its ends is as at its ends.
    pub(super) fn new(start: f64, extent: f64, size: usize, step: usize, samples: usize) -> Self {
        let scale = extent / step as f64 / size as f64;
        let widening = scale.max(1.0);
        let last = samples - 1;
        let rows: Vec<(usize, Vec<f64>)> = (0..size)
            .map(|place| {
                let centre = start / step as f64 + (place as f64 + 0.5) * scale - 0.5;
                let (low, high) = ((centre - 2.0 * widening).ceil() as i64, (centre + 2.0 * widening).floor() as i64);
                let clamp = |sample: i64| sample.clamp(0, last as i64) as usize;
                let first = clamp(low);
                let mut weights = vec![0.0; clamp(high) - first + 1];
                for sample in low..=high {
                    weights[clamp(sample) - first] += bicubic((sample as f64 - centre) / widening);
                }
                trim(first, weights)
            })
            .collect();
        let taps = rows.iter().map(|(_, weights)| weights.len()).max().unwrap_or(1);
        let mut filter = Self { first: Vec::with_capacity(size), weights: Vec::with_capacity(size * taps), taps };
        for (first, weights) in rows {
            // Room for all taps: the surplus ones weigh nothing.
            let shift = (first + taps).saturating_sub(samples);
            let sum: f64 = weights.iter().sum();
            filter.first.push(first - shift);
            filter.weights.extend((0..shift).map(|_| 0.0));
            filter.weights.extend(weights.iter().map(|weight| (weight / sum) as f32));
            filter.weights.extend((shift + weights.len()..taps).map(|_| 0.0));
        }
        filter
    }

    /// The weights of one output place.
    pub(super) fn weights(&self, place: usize) -> &[f32] {
        &self.weights[place * self.taps..][..self.taps]
    }

    /// The source samples that are needed for some output places in a row.
    pub(super) fn span(&self) -> std::ops::Range<usize> {
        let low = self.first.iter().copied().min().unwrap_or(0);
        let high = self.first.iter().copied().max().unwrap_or(0);
        low..high + self.taps
    }
}

/// Leaves out samples at both ends that weigh nothing.
fn trim(first: usize, weights: Vec<f64>) -> (usize, Vec<f64>) {
    const NOTHING: f64 = 1e-9;
    let counts = |weight: &f64| weight.abs() > NOTHING;
    let (Some(low), Some(high)) = (weights.iter().position(counts), weights.iter().rposition(counts)) else {
        return (first, vec![1.0]);
    };
    (first + low, weights[low..=high].to_vec())
}

/// The cubic filter of Mitchell and Netravali (1988) with B = 0 and C = 0.6, which is what swscale calls bicubic.
fn bicubic(x: f64) -> f64 {
    let x = x.abs();
    if x < 1.0 {
        (1.4 * x - 2.4) * x * x + 1.0
    } else if x < 2.0 {
        ((-0.6 * x + 3.0) * x - 4.8) * x + 2.4
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::Filter;

    #[test]
    fn weights_sum_to_one_and_samples_lie_inside() {
        for (start, extent, size, step, samples) in
            [(0.0, 100.0, 100, 1, 100), (3.5, 90.0, 20, 2, 50), (0.0, 1.0, 7, 1, 1), (96.0, 4.0, 30, 1, 100)]
        {
            let filter = Filter::new(start, extent, size, step, samples);
            for place in 0..size {
                let sum: f32 = filter.weights(place).iter().sum();
                assert!((sum - 1.0).abs() < 1e-5, "{sum}");
                assert!(filter.first[place] + filter.taps <= samples);
            }
        }
        assert_eq!(Filter::new(7.0, 20.0, 20, 1, 50).taps, 1, "nothing is to be scaled");
    }
}
