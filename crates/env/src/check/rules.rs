//! What must hold of a world.

use std::collections::BTreeMap;

use super::Finding;
use super::moments::{Moment, Picture};
use super::play::{Play, Played};
use crate::{EnvError, EnvironmentSpec, Worlds};

/// How far a state may be from the one that was chosen, as a share of its size, and at least of 1.
const RESTORED: f32 = 1e-3;

/// What is seen in the episodes alone.
pub(super) fn of_episodes(spec: &EnvironmentSpec, played: &[Played], found: &mut Vec<Finding>) {
    let moments = || played.iter().flat_map(|episode| &episode.moments);
    for camera in spec.spaces.cameras.keys() {
        let frozen = played.iter().all(|episode| {
            episode.moments.iter().all(|moment| moment.cameras[camera] == episode.first().cameras[camera])
        });
        if moments().all(|moment| moment.cameras[camera].blank) {
            found.push(Finding::error("blank-images", format!("every frame of camera {camera} has a single colour")));
        } else if frozen {
            found.push(Finding::error("frozen-images", format!("camera {camera} never changes within an episode")));
        }
    }
    if spec.spaces.state.is_some()
        && played.iter().all(|episode| episode.moments.iter().all(|moment| moment.state == episode.first().state))
    {
        found.push(Finding::error("frozen-state", "the state never changes within an episode"));
    }
    if played.iter().all(|episode| episode.first().success) {
        found.push(Finding::error("success-at-start", "every episode has reached its goal before the first action"));
    } else if !moments().any(|moment| moment.success) {
        let count = played.len();
        found.push(Finding::warning(
            "no-success",
            format!("none of {count} episodes of random actions reached its goal"),
        ));
    }
    let start_is_goal = |episode: &Played| {
        episode.goal.as_ref().is_some_and(|goal| !goal.is_empty() && *goal == episode.first().cameras)
    };
    if played.iter().all(start_is_goal) {
        found.push(Finding::error("goal-is-start", "the picture of the goal is that of the start in every episode"));
    }
    if played.iter().all(|episode| episode.moments.len() == 2) && spec.max_steps > 1 {
        found.push(Finding::error("one-step", "every episode ends with its first step"));
    }
    if spec.rewards && moments().all(|moment| moment.reward == 0.0) {
        found.push(Finding::warning("no-reward", "the world says that it has rewards, but every one was 0"));
    }
}

/// Whether it matters what is done.
pub(super) fn of_actions(
    play: &Play<'_>,
    worlds: &mut dyn Worlds,
    played: &[Played],
    found: &mut Vec<Finding>,
) -> Result<(), Finding> {
    let tasks: Vec<usize> = (0..play.options.rows.min(played.len())).collect();
    let other = play.with_actions(worlds, &tasks, "check-other-action")?;
    if other.iter().zip(played).all(|(other, first)| first.difference(other).is_none()) {
        found.push(Finding::error(
            "idle-actions",
            "other actions from the same starts lead to the same moments: actions do nothing",
        ));
    }
    Ok(())
}

/// Whether it matters which seed is given, and all of its bits.
pub(super) fn of_seeds(
    play: &Play<'_>,
    worlds: &mut dyn Worlds,
    played: &[Played],
    found: &mut Vec<Finding>,
) -> Result<(), Finding> {
    type Start = (Moment, Option<BTreeMap<String, Picture>>, Option<Vec<f32>>);
    let start =
        |episode: &Played| -> Start { (episode.first().clone(), episode.goal.clone(), episode.goal_state.clone()) };
    let first = start(&played[0]);
    if played.iter().all(|episode| start(episode) == first) {
        found.push(later(play, worlds, played)?);
        return Ok(());
    }
    // Another upper half of the seed.
    let same = |worlds: &mut dyn Worlds, task: usize| -> Result<bool, Finding> {
        let seed = play.options.task(task) ^ (0x5bd1_e995 << 32);
        let step = worlds.reset(0, seed, None).map_err(|error| Finding::of(&error))?;
        let goal = worlds.goal(0);
        let moment = Moment::of(play.spec, &step)?;
        Ok(moment == *played[task].first() && goal.and_then(|goal| goal.state) == played[task].goal_state)
    };
    if same(worlds, 0)? && same(worlds, 1)? {
        let text = "seeds that differ in their upper 32 bits give the same episode: some of the tasks will be the same";
        found.push(Finding::warning("seed-truncated", text));
    }
    Ok(())
}

/// All starts are the same: whether the seed decides anything that comes later.
fn later(play: &Play<'_>, worlds: &mut dyn Worlds, played: &[Played]) -> Result<Finding, Finding> {
    let mut other = [play.begin(worlds, 0, 1)?];
    // The actions of the first episode, under the seed of the second.
    other[0].task = played[0].task;
    while !other[0].last().ended() && other[0].moments.len() < played[0].moments.len() {
        play.step(worlds, &[0], &mut other, "check-action")?;
    }
    let text = "every seed gives the same start and the same goal";
    Ok(match played[0].difference(&other[0]) {
        Some(_) => Finding::warning("seed-ignored", format!("{text}; what comes later differs")),
        None => Finding::error("seed-ignored", format!("{text}, and the same episode")),
    })
}

/// Whether a state that was met can be started in.
pub(super) fn of_states(
    play: &Play<'_>,
    worlds: &mut dyn Worlds,
    played: &[Played],
    found: &mut Vec<Finding>,
) -> Result<(), Finding> {
    for episode in played.iter().take(play.options.rows) {
        // Not the end, which may be no place to start from, nor the start, which the seed alone would give.
        let Some(state) =
            episode.moments[..episode.moments.len() - 1].iter().rev().find_map(|moment| moment.state.clone())
        else {
            return Ok(());
        };
        let step = match worlds.reset(0, play.options.task(episode.task), Some(&state)) {
            Ok(step) => step,
            Err(EnvError::Unsupported { .. }) => return Ok(()),
            Err(error) => {
                let text = format!("a state that was met in the same episode is refused: {error}");
                found.push(Finding::error("state-not-restored", text));
                return Ok(());
            }
        };
        let reached = Moment::of(play.spec, &step)?.state.unwrap_or_default();
        let near = |a: &f32, b: &f32| (a - b).abs() <= RESTORED * a.abs().max(1.0);
        if !state.iter().zip(&reached).all(|(wanted, reached)| near(wanted, reached)) {
            found.push(Finding::error(
                "state-not-restored",
                format!("started in the state {state:?}, the world is in {reached:?}"),
            ));
            return Ok(());
        }
    }
    Ok(())
}

/// Whether an end is one. It comes last: a world may fail at a step that it need not take.
pub(super) fn of_ends(
    play: &Play<'_>,
    worlds: &mut dyn Worlds,
    played: &[Played],
    found: &mut Vec<Finding>,
) -> Result<(), Finding> {
    let Some(ended) = played.iter().find(|episode| episode.last().terminated) else { return Ok(()) };
    let mut again = [play.begin(worlds, 0, ended.task)?];
    while !again[0].last().terminated && again[0].moments.len() < ended.moments.len() {
        play.step(worlds, &[0], &mut again, "check-action")?;
    }
    let goes_on = play.step(worlds, &[0], &mut again, "check-action").is_ok() && !again[0].last().terminated;
    if goes_on {
        let steps = ended.moments.len() - 1;
        found.push(Finding::error(
            "goes-on",
            format!("an episode that ended at step {steps} goes on when it is stepped again"),
        ));
    }
    Ok(())
}
