//! The built-in terms, one file each.

pub(crate) mod covariance;
pub(crate) mod distance;
pub(crate) mod inverse_dynamics;
pub(crate) mod levels;
pub(crate) mod position;
pub(crate) mod prediction;
pub(crate) mod sigreg;
pub(crate) mod static_similarity;
pub(crate) mod temporal_similarity;
pub(crate) mod variance;

use prevision_core::config::Options;

use crate::{Term, TermContext, Terms};
use covariance::CovarianceTerm;
use distance::DistanceTerm;
use inverse_dynamics::InverseDynamicsTerm;
use levels::LevelsTerm;
use position::PositionTerm;
use prediction::PredictionTerm;
use sigreg::SigregTerm;
use static_similarity::StaticSimilarityTerm;
use temporal_similarity::TemporalSimilarityTerm;
use variance::VarianceTerm;

/// The built-in terms.
pub fn built_in() -> Terms {
    Terms::new("loss term")
        .with(crate::objective::PREDICTION, term::<PredictionTerm>)
        .with("variance", term::<VarianceTerm>)
        .with("covariance", term::<CovarianceTerm>)
        .with("temporal_similarity", term::<TemporalSimilarityTerm>)
        .with("static_similarity", term::<StaticSimilarityTerm>)
        .with("inverse_dynamics", term::<InverseDynamicsTerm>)
        .with("sigreg", term::<SigregTerm>)
        .with("distance", term::<DistanceTerm>)
        .with("position", term::<PositionTerm>)
        .with("levels", term::<LevelsTerm>)
}

/// A term that is its own keys.
#[allow(clippy::unnecessary_wraps, clippy::trivially_copy_pass_by_ref, reason = "the form that a registry asks for")]
fn term<T: Options + Term + 'static>(keys: T, (): &TermContext) -> Result<Box<dyn Term>, String> {
    Ok(Box::new(keys))
}
