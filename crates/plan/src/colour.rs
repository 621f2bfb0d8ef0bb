//! Temporally coloured noise: sequences whose power falls with frequency, so that a sampled plan keeps a direction.

use std::f64::consts::TAU;

/// Colours white noise along time with a power spectrum `f^-exponent`.
///
/// The spectrum is that of Timmer and Koenig (1995) as used by iCEM (Pinneri et al. 2020, section 3.1): amplitude
/// `f^(-exponent/2)` at the frequencies `k / horizon` of the real Fourier transform, the constant component given the
/// amplitude of the lowest frequency. The constant component counts in the normalisation, so that every time step has
/// unit variance exactly and an initial standard deviation means the same at any exponent. Exponent 0 is white noise, 1
/// pink, 2 red.
///
/// Horizons are short, so the transform is one `horizon x horizon` matrix rather than an FFT.
#[derive(Clone, Debug)]
pub struct Colouring {
    horizon: usize,
    /// What each white number adds to every step, `[horizon (white), horizon (time)]`; `None` when nothing has to be done.
    matrix: Option<Vec<f32>>,
}

impl Colouring {
    /// # Panics
    /// If the horizon is zero.
    pub fn new(horizon: usize, exponent: f64) -> Self {
        assert!(horizon > 0, "a horizon of zero steps has no noise");
        if exponent == 0.0 {
            return Self { horizon, matrix: None };
        }
        let n = horizon as f64;
        let mut matrix = vec![0.0_f64; horizon * horizon];
        for column in 0..horizon {
            // Columns: the constant, then cosine and sine of each frequency; the highest has no sine when n is even.
            let frequency = column.div_ceil(2);
            let amplitude = ((frequency.max(1)) as f64 / n).powf(-exponent / 2.0);
            let alone = frequency == 0 || 2 * frequency == horizon;
            let norm = if alone { 1.0 / n.sqrt() } else { (2.0 / n).sqrt() };
            for time in 0..horizon {
                let phase = TAU * frequency as f64 * time as f64 / n;
                let wave = if column % 2 == 1 || column == 0 { phase.cos() } else { phase.sin() };
                matrix[column * horizon + time] = amplitude * norm * wave;
            }
        }
        // The basis is orthonormal and each frequency has both phases, so every step has the same variance.
        let power = matrix.iter().map(|value| value * value).sum::<f64>() / n;
        let scale = power.sqrt().recip();
        Self { horizon, matrix: Some(matrix.iter().map(|value| (value * scale) as f32).collect()) }
    }

    /// Colours white noise in place.
    ///
    /// # Shapes
    /// - noise: `[samples, horizon, a]`
    ///
    /// # Panics
    /// If the noise does not divide into such sequences.
    pub fn apply(&self, noise: &mut [f32], action_dim: usize) {
        let length = self.horizon * action_dim;
        assert!(noise.len().is_multiple_of(length), "{} numbers do not divide into sequences of {length}", noise.len());
        let Some(matrix) = &self.matrix else { return };
        let mut coloured = vec![0.0; self.horizon];
        for sequence in noise.chunks_exact_mut(length) {
            for component in 0..action_dim {
                coloured.fill(0.0);
                for (step, column) in matrix.chunks_exact(self.horizon).enumerate() {
                    let white = sequence[step * action_dim + component];
                    for (sum, weight) in coloured.iter_mut().zip(column) {
                        *sum += weight * white;
                    }
                }
                for (value, coloured) in sequence.iter_mut().skip(component).step_by(action_dim).zip(&coloured) {
                    *value = *coloured;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::{NoiseSource, SeededNoise};

    fn coloured(horizon: usize, exponent: f64, samples: usize) -> Vec<f32> {
        let mut noise = vec![0.0; samples * horizon];
        SeededNoise::new(11, 0, vec![0]).fill(0, 0, &mut noise);
        Colouring::new(horizon, exponent).apply(&mut noise, 1);
        noise
    }

    /// Mean power at each frequency 1, 2, .. below the highest.
    fn spectrum(noise: &[f32], horizon: usize) -> Vec<f64> {
        (1..horizon.div_ceil(2))
            .map(|k| {
                let power = |sequence: &[f32]| {
                    let (mut real, mut imaginary) = (0.0, 0.0);
                    for (time, value) in sequence.iter().enumerate() {
                        let phase = TAU * (k * time) as f64 / horizon as f64;
                        real += f64::from(*value) * phase.cos();
                        imaginary += f64::from(*value) * phase.sin();
                    }
                    real * real + imaginary * imaginary
                };
                noise.chunks_exact(horizon).map(power).sum::<f64>() / (noise.len() / horizon) as f64
            })
            .collect()
    }

    #[test]
    fn power_falls_with_the_exponent() {
        for exponent in [0.0, 1.0, 2.0, 3.0] {
            let power = spectrum(&coloured(32, exponent, 4000), 32);
            // Least squares of log power on log frequency.
            let points: Vec<(f64, f64)> =
                power.iter().enumerate().map(|(k, p)| (((k + 1) as f64).ln(), p.ln())).collect();
            let n = points.len() as f64;
            let (mx, my) = (points.iter().map(|p| p.0).sum::<f64>() / n, points.iter().map(|p| p.1).sum::<f64>() / n);
            let slope = points.iter().map(|p| (p.0 - mx) * (p.1 - my)).sum::<f64>()
                / points.iter().map(|p| (p.0 - mx).powi(2)).sum::<f64>();
            assert!((slope + exponent).abs() < 0.05, "exponent {exponent}: slope {slope}");
        }
    }

    #[test]
    fn every_step_has_unit_variance() {
        for (horizon, exponent) in [(16, 2.0), (15, 2.0), (30, 3.0), (1, 2.0), (2, 1.0)] {
            let Colouring { matrix: Some(matrix), .. } = Colouring::new(horizon, exponent) else { panic!("coloured") };
            for time in 0..horizon {
                let variance: f32 = matrix.iter().skip(time).step_by(horizon).map(|value| value * value).sum();
                assert!((variance - 1.0).abs() < 1e-5, "horizon {horizon}: {variance}");
            }
        }
        let noise = coloured(30, 2.0, 4000);
        let variance = noise.iter().map(|value| value * value).sum::<f32>() / noise.len() as f32;
        assert!((variance - 1.0).abs() < 0.05, "{variance}");
    }

    #[test]
    fn four_steps_by_hand() {
        // Amplitudes at 0, 1/4, 1/2 for exponent 2: 4, 4, 2. Total power 16 + 2 * 16 + 4 = 52 over 4 steps, scale 1/sqrt(13).
        // An impulse on the constant: 4 * 0.5 / sqrt(13); on the highest: +-2 * 0.5 / sqrt(13).
        let mut noise = vec![1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0];
        Colouring::new(4, 2.0).apply(&mut noise, 1);
        let (a, b) = (2.0 / 13.0_f32.sqrt(), 1.0 / 13.0_f32.sqrt());
        for (got, want) in noise.iter().zip([a, a, a, a, b, -b, b, -b]) {
            assert!((got - want).abs() < 1e-6, "{noise:?}");
        }
    }

    #[test]
    fn components_do_not_mix() {
        let mut noise = vec![0.0; 2 * 8];
        noise.iter_mut().step_by(2).for_each(|value| *value = 1.0);
        Colouring::new(8, 2.0).apply(&mut noise, 2);
        assert!(noise.iter().skip(1).step_by(2).all(|value| *value == 0.0));
        assert!(noise.iter().step_by(2).any(|value| *value != 0.0));
    }
}
