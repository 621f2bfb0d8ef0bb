//! `[plan.solver]`: the search over action sequences.

use serde::{Deserialize, Serialize};

use super::range::check;

/// A sampling solver. `samples` action sequences are scored in each of `iterations` rounds; the `elites` cheapest
/// shape the next round's distribution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum SolverConfig {
    /// The cheapest of `samples` sequences drawn once.
    Random {
        /// Sequences drawn. Default 200.
        #[serde(default = "samples")]
        samples: usize,
    },
    /// Cross-entropy method (Rubinstein, 1999): mean and standard deviation of the elites; returns the last mean.
    Cem {
        /// Sequences per round. Default 200.
        #[serde(default = "samples")]
        samples: usize,
        /// Sequences that shape the next round. Default 20.
        #[serde(default = "elites")]
        elites: usize,
        /// Rounds. Default 10.
        #[serde(default = "iterations")]
        iterations: usize,
    },
    /// Sample-efficient cross-entropy method, iCEM (Pinneri et al., 2020, <https://arxiv.org/abs/2008.06389>):
    /// noise correlated in time, elites carried over between rounds, a moving average of the distribution.
    Icem {
        /// Sequences per round. Default 200.
        #[serde(default = "samples")]
        samples: usize,
        /// Sequences that shape the next round. Default 20.
        #[serde(default = "elites")]
        elites: usize,
        /// Rounds. Default 10.
        #[serde(default = "iterations")]
        iterations: usize,
        /// Exponent of the noise's power spectrum: 0 = white, 1 = pink, 2 = red. Default 2.
        #[serde(default = "noise_exponent")]
        noise_exponent: f64,
        /// Elites added unchanged to the next round's samples. Default 5.
        #[serde(default = "keep_elites")]
        keep_elites: usize,
        /// Weight of the old mean and standard deviation in the new ones. Default 0.1.
        #[serde(default = "momentum")]
        momentum: f64,
    },
    /// Model-predictive path integral (Williams et al., 2015, <https://arxiv.org/abs/1509.01149>) over the elites:
    /// weights `exp((lowest cost - cost) / temperature)`, normalised.
    Mppi {
        /// Sequences per round. Default 200.
        #[serde(default = "samples")]
        samples: usize,
        /// Sequences that are weighted. Default 20.
        #[serde(default = "elites")]
        elites: usize,
        /// Rounds. Default 10.
        #[serde(default = "iterations")]
        iterations: usize,
        /// In the unit of the cost; small = only the cheapest sequence counts. Default 0.5.
        #[serde(default = "temperature")]
        temperature: f64,
    },
}

fn samples() -> usize {
    200
}

fn elites() -> usize {
    20
}

fn iterations() -> usize {
    10
}

fn noise_exponent() -> f64 {
    2.0
}

fn keep_elites() -> usize {
    5
}

fn momentum() -> f64 {
    0.1
}

fn temperature() -> f64 {
    0.5
}

impl Default for SolverConfig {
    fn default() -> Self {
        Self::Cem { samples: samples(), elites: elites(), iterations: iterations() }
    }
}

impl SolverConfig {
    /// The name in the configuration, as results carry it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Random { .. } => "random",
            Self::Cem { .. } => "cem",
            Self::Icem { .. } => "icem",
            Self::Mppi { .. } => "mppi",
        }
    }

    /// Checks the ranges.
    ///
    /// # Errors
    /// A sentence with the key, what was given and what is allowed.
    pub fn validate(&self) -> Result<(), String> {
        let rounds = |samples: usize, elites: usize, iterations: usize, fewest: f64| -> Result<(), String> {
            check("plan.solver.samples", samples as f64).at_least(1.0)?;
            check("plan.solver.elites", elites as f64)
                .at_least(fewest)?
                .at_most(samples as f64, "plan.solver.samples")?;
            check("plan.solver.iterations", iterations as f64).at_least(1.0)?;
            Ok(())
        };
        match *self {
            Self::Random { samples } => check("plan.solver.samples", samples as f64).at_least(1.0).map(|_| ()),
            Self::Cem { samples, elites, iterations } => rounds(samples, elites, iterations, 2.0),
            Self::Icem { samples, elites, iterations, noise_exponent, keep_elites, momentum } => {
                rounds(samples, elites, iterations, 2.0)?;
                check("plan.solver.noise_exponent", noise_exponent).at_least(0.0)?;
                check("plan.solver.keep_elites", keep_elites as f64).at_most(elites as f64, "plan.solver.elites")?;
                check("plan.solver.momentum", momentum).at_least(0.0)?.below(1.0)?;
                Ok(())
            }
            Self::Mppi { samples, elites, iterations, temperature } => {
                rounds(samples, elites, iterations, 1.0)?;
                check("plan.solver.temperature", temperature).above(0.0).map(|_| ())
            }
        }
    }
}
