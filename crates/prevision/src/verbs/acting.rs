//! What a trained run acts with: the policy that its `[plan]` describes, for every verb that lets it act.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use burn::tensor::Device;
use prevision_env::EnvironmentSpec;
use prevision_model::WorldModel;
use prevision_plan::graph::LatentGraph;
use prevision_plan::setup::{self, Given};
use prevision_plan::{LatentPolicy, Met, PlanConfig};

use super::{levels, memory};
use crate::app::Parts;
use crate::{TrainedRun, Usage};

/// A policy, and the file of the places that it remembers with what its episodes meet, if it remembers any.
pub(crate) type Acting = (Box<dyn LatentPolicy>, Option<(PathBuf, Met)>);

/// Refuses overrides of what a trained run cannot change any more.
pub(crate) fn check_keys(overrides: &[String]) -> Result<(), Usage> {
    let other = overrides.iter().find(|key| !key.starts_with("plan.") && !key.starts_with("env."));
    other.map_or(Ok(()), |other| Err(Usage(format!("--set {other}: a trained run takes only keys of plan and env"))))
}

/// The world model of a run.
pub(crate) fn world_model(run: &TrainedRun, parts: &Parts, device: &Device) -> Result<Arc<dyn WorldModel>> {
    let (kind, root) = (&run.experiment.model.kind, run.folder.root().display());
    let message = format!("{root}: model.kind is {kind}, but must be a world model's to plan with");
    Ok(run.load(parts, device)?.world_model.ok_or(Usage(message))?)
}

/// A planner, with the hierarchy and the memory around it that `plan` has.
pub(crate) fn policy(
    run: &TrainedRun,
    parts: &Parts,
    plan: &PlanConfig,
    model: &Arc<dyn WorldModel>,
    spec: &EnvironmentSpec,
    given: Given,
) -> Result<Acting> {
    let policy = setup::policy_given(plan, &parts.plan, Arc::clone(model), spec, given)?;
    let levels = match plan.hierarchy.levels {
        Some(levels) => levels,
        None => levels::chosen(&run.folder)?.map_or(1, |choice| choice.levels),
    };
    let policy = setup::hierarchical(plan, policy, Arc::clone(model), spec, levels)?;
    let Some(places) = &plan.memory.places else { return Ok((policy, None)) };
    let file = run.folder.root().join(places);
    let width = model.spec().tokens * model.spec().token_width;
    let known = memory::read(&file)?.unwrap_or_else(|| LatentGraph::new(width, 1.0, plan.memory.graph()));
    let (policy, met) = setup::guided(plan, policy, known);
    Ok((policy, Some((file, met))))
}
