//! Timing.

use std::time::Instant;

use anyhow::Result;
use burn::tensor::Device;

/// The times of several runs.
pub(crate) struct Measured {
    /// Seconds of each run, ascending; at least one.
    seconds: Vec<f64>,
}

impl Measured {
    pub(crate) fn median(&self) -> f64 {
        let middle = self.seconds.len() / 2;
        if self.seconds.len() % 2 == 1 {
            self.seconds[middle]
        } else {
            f64::midpoint(self.seconds[middle - 1], self.seconds[middle])
        }
    }

    pub(crate) fn least(&self) -> f64 {
        self.seconds[0]
    }

    pub(crate) fn most(&self) -> f64 {
        self.seconds[self.seconds.len() - 1]
    }

    pub(crate) fn runs(&self) -> usize {
        self.seconds.len()
    }
}

/// Times `runs` runs, at least one, after `warm_up` others. A run ends when the device has done everything.
pub(crate) fn measure(run: &mut dyn FnMut(), device: &Device, warm_up: usize, runs: usize) -> Result<Measured> {
    let mut once = || -> Result<f64> {
        let start = Instant::now();
        run();
        device.sync()?;
        Ok(start.elapsed().as_secs_f64())
    };
    for _ in 0..warm_up {
        once()?;
    }
    let mut seconds = (0..runs.max(1)).map(|_| once()).collect::<Result<Vec<_>>>()?;
    seconds.sort_by(f64::total_cmp);
    Ok(Measured { seconds })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_of_odd_and_even_numbers_of_runs() {
        assert_eq!(Measured { seconds: vec![1.0, 2.0, 9.0] }.median(), 2.0);
        assert_eq!(Measured { seconds: vec![1.0, 2.0, 4.0, 9.0] }.median(), 3.0);
    }

    #[test]
    fn warm_up_is_run_and_not_counted() {
        let mut count = 0;
        let measured = measure(&mut || count += 1, &Device::flex(), 2, 3).expect("measured");
        assert_eq!((measured.runs(), count), (3, 5));
        assert!(measured.least() <= measured.median() && measured.median() <= measured.most());
    }
}
