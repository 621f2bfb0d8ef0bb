//! Moments as they are compared: pictures by their hash.

use std::collections::BTreeMap;

use prevision_core::{Observations, seed};

use super::Finding;
use crate::{EnvironmentSpec, TimeStep};

/// What a camera shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Picture {
    pub(super) hash: u64,
    /// Whether all pixels have one colour.
    pub(super) blank: bool,
}

/// A moment of an episode.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Moment {
    pub(super) cameras: BTreeMap<String, Picture>,
    pub(super) vectors: BTreeMap<String, Vec<f32>>,
    pub(super) state: Option<Vec<f32>>,
    pub(super) reward: f64,
    pub(super) terminated: bool,
    pub(super) truncated: bool,
    pub(super) success: bool,
    pub(super) distance: Option<f64>,
}

/// What is seen, compared.
pub(super) fn seen(observations: &Observations) -> (BTreeMap<String, Picture>, BTreeMap<String, Vec<f32>>) {
    let picture =
        |data: &[u8]| Picture { hash: seed::fnv1a(data), blank: data.chunks_exact(3).all(|pixel| pixel == &data[..3]) };
    let cameras = observations.cameras.iter().map(|(name, frames)| (name.clone(), picture(&frames.data))).collect();
    let vectors = observations.vectors.iter().map(|(name, rows)| (name.clone(), rows.data.clone())).collect();
    (cameras, vectors)
}

impl Moment {
    /// Out of a step, if it is what the world says of itself.
    pub(super) fn of(spec: &EnvironmentSpec, step: &TimeStep) -> Result<Self, Finding> {
        fits(spec, &step.observations)?;
        let width = step.state.as_ref().map(Vec::len);
        if width != spec.spaces.state {
            return Err(Finding::error(
                "spaces",
                format!("a state of {width:?} numbers, but the world says {:?}", spec.spaces.state),
            ));
        }
        let vectors = step.observations.vectors.values().flat_map(|rows| &rows.data);
        let numbers = step.state.iter().flatten().chain(vectors).chain(step.info.values().flatten());
        let doubles = step.distance.into_iter().chain([step.reward]);
        if let Some(value) = numbers.copied().map(f64::from).chain(doubles).find(|value| !value.is_finite()) {
            return Err(Finding::error(
                "not-finite",
                format!("a number of state, vectors, info, distance or reward is {value}"),
            ));
        }
        let (cameras, vectors) = seen(&step.observations);
        Ok(Self {
            cameras,
            vectors,
            state: step.state.clone(),
            reward: step.reward,
            terminated: step.terminated,
            truncated: step.truncated,
            success: step.success,
            distance: step.distance,
        })
    }

    /// Whether the episode ends here.
    pub(super) fn ended(&self) -> bool {
        self.terminated || self.truncated
    }
}

/// Whether the streams are those that the world says it has.
pub(super) fn fits(spec: &EnvironmentSpec, seen: &Observations) -> Result<(), Finding> {
    let cameras: Vec<_> =
        seen.cameras.iter().map(|(name, frames)| (name.clone(), frames.frames, frames.height, frames.width)).collect();
    let said: Vec<_> =
        spec.spaces.cameras.iter().map(|(name, camera)| (name.clone(), 1, camera.height, camera.width)).collect();
    let vectors: Vec<_> = seen.vectors.iter().map(|(name, rows)| (name.clone(), rows.rows, rows.columns)).collect();
    let told: Vec<_> = spec.spaces.vectors.iter().map(|(name, width)| (name.clone(), 1, *width)).collect();
    if cameras != said {
        return Err(Finding::error(
            "spaces",
            format!("cameras (name, moments, height, width) {cameras:?}, but the world says {said:?}"),
        ));
    }
    if vectors != told {
        return Err(Finding::error(
            "spaces",
            format!("vectors (name, moments, numbers) {vectors:?}, but the world says {told:?}"),
        ));
    }
    Ok(())
}

/// The first thing in which two moments differ, in words.
pub(super) fn difference(a: &Moment, b: &Moment) -> Option<String> {
    let camera = a.cameras.iter().find(|(name, picture)| b.cameras.get(*name) != Some(picture));
    let vector = a.vectors.iter().find(|(name, numbers)| b.vectors.get(*name) != Some(numbers));
    if a.state != b.state {
        let state = |moment: &Moment| moment.state.clone().unwrap_or_default();
        return Some(format!("the state {:?} is {:?}", state(a), state(b)));
    }
    if let Some((name, _)) = camera {
        return Some(format!("camera {name} differs"));
    }
    if let Some((name, numbers)) = vector {
        return Some(format!("vector {name} {numbers:?} is {:?}", b.vectors.get(name)));
    }
    let flags = |moment: &Moment| [moment.terminated, moment.truncated, moment.success];
    if flags(a) != flags(b) {
        return Some(format!("terminated, truncated, success {:?} are {:?}", flags(a), flags(b)));
    }
    let numbers = |moment: &Moment| (moment.reward, moment.distance);
    (numbers(a) != numbers(b)).then(|| format!("reward and distance {:?} are {:?}", numbers(a), numbers(b)))
}
