//! Temporal variance: keeps in latents what changes while a clip lasts.

use burn::prelude::*;
use prevision_core::config::{Options, check};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::variance::variance;
use crate::seen::mean;
use crate::{Frames, Needs, Seen, Term};

/// The hinge on the standard deviation, over all clips, of how far latents are from their mean over the clip at the same place
/// ([`Seen::deviations`]). Without it slow features win: they are predicted best, and say least of what happens. PLDM (Sobal et al. 2025) asks for
/// the same of every clip by itself, where a clip in which nothing moves may cost nothing here.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct TemporalVarianceTerm {
    /// The standard deviation over time that the hinge asks for. Default 0.5.
    margin: f64,
}

impl Default for TemporalVarianceTerm {
    fn default() -> Self {
        Self { margin: 0.5 }
    }
}

impl Options for TemporalVarianceTerm {
    fn validate(&self) -> Result<(), String> {
        check("margin", self.margin).above(0.0)?.done()
    }
}

impl Term for TemporalVarianceTerm {
    fn needs(&self) -> Needs {
        Needs { frames: Frames::All, deviations: true, global_batch: true, ..Needs::default() }
    }

    fn value(&self, seen: &Seen<'_>) -> Tensor<1> {
        mean(seen.deviations.iter().map(|part| variance(part.clone(), self.margin)))
    }
}
