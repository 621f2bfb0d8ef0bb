//! The worlds of a process, a row each.

use std::sync::{Mutex, MutexGuard, PoisonError};

use prevision_core::{Action, FrameBuffer, Space};
use serde_json::{Value, json};

use super::array::Array;
use super::connection::{Connection, Launch};
use super::error::{Fault, ProcessError};
use super::hello::{Hello, Serves};
use super::message::Message;
use super::moments::{self, Moment, Unfit};
use super::row::Episode;
use crate::{EnvError, EnvironmentSpec, FactorSampler, FactorValues, Goal, Legality, Mark, MarkKind, TimeStep, Worlds};

/// Worlds side by side in one process.
///
/// An episode is a function of seed and actions, and so a process that ended is started again, as often as was allowed, and every row
/// is brought to where it was; what it shows there is compared. Any other fault is final: the same error is given again.
pub struct ProcessWorlds {
    launch: Launch,
    hello: Hello,
    spec: EnvironmentSpec,
    sampler: FactorSampler,
    rows: Vec<Option<Episode>>,
    link: Mutex<Link>,
}

/// The process, if it runs.
struct Link {
    connection: Option<Connection>,
    /// How often it may still be started again.
    restarts: usize,
    /// What has ended it for good.
    failed: Option<ProcessError>,
}

impl ProcessWorlds {
    /// Starts the process.
    ///
    /// # Errors
    /// If it does not start, does not say what it is, or has not the factors that are to vary.
    pub fn start(launch: Launch) -> Result<Self, EnvError> {
        let failed =
            |source: Box<dyn std::error::Error + Send + Sync>| EnvError::Failed { world: launch.kind.clone(), source };
        let (connection, hello) = Connection::open(&launch).map_err(|error| failed(Box::new(error)))?;
        let spec = hello.spec(&launch.kind).map_err(|message| failed(message.into()))?;
        let sampler = FactorSampler::new(spec.factors.clone(), launch.variation.clone())
            .map_err(|message| failed(format!("env.{}.{message}", launch.kind).into()))?;
        let rows = vec![None; launch.rows];
        let link = Link { connection: Some(connection), restarts: launch.restarts, failed: None };
        Ok(Self { launch, hello, spec, sampler, rows, link: Mutex::new(link) })
    }

    /// What the process said of itself.
    pub fn hello(&self) -> &Hello {
        &self.hello
    }

    fn link(&self) -> MutexGuard<'_, Link> {
        self.link.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks, and reads the answer; starts a process that ended again.
    fn ask<T>(
        &self,
        request: &'static str,
        header: &Value,
        arrays: &[Array],
        read: impl Fn(Message) -> Result<T, Unfit>,
    ) -> Result<T, EnvError> {
        let mut link = self.link();
        let link = &mut *link;
        loop {
            let result = match (&link.failed, &mut link.connection) {
                (Some(error), _) => return Err(self.failed(error.clone())),
                (None, Some(connection)) => exchange(connection, request, header, arrays, &read),
                (None, None) => match self.revive() {
                    Ok(connection) => {
                        link.connection = Some(connection);
                        continue;
                    }
                    Err(error) => Err(error),
                },
            };
            match result {
                Ok(value) => return Ok(value),
                Err(error) if error.fault == Fault::Refused => return Err(self.failed(error)),
                Err(error) => {
                    link.connection = None;
                    if error.fault == Fault::Ended && link.restarts > 0 {
                        link.restarts -= 1;
                    } else {
                        link.failed = Some(error);
                    }
                }
            }
        }
    }

    /// A new process, with every row where it was.
    fn revive(&self) -> Result<Connection, ProcessError> {
        let (mut connection, hello) = Connection::open(&self.launch)?;
        if hello != self.hello {
            return Err(connection.fail(
                Fault::Replay,
                "hello",
                "started again, it says of itself what it did not say before",
            ));
        }
        let rows: Vec<(usize, &Episode)> = self
            .rows
            .iter()
            .enumerate()
            .filter_map(|(row, episode)| episode.as_ref().map(|episode| (row, episode)))
            .collect();
        let mut now: Vec<Option<TimeStep>> = vec![None; self.rows.len()];
        for (row, episode) in &rows {
            let (header, arrays) = reset_request(*row, episode.seed, episode.state.as_deref(), &episode.factors);
            let first = exchange(&mut connection, "reset", &header, &arrays, &|answer| self.moments(answer, 1))?;
            now[*row] = first.into_iter().next().map(|(step, _)| step);
        }
        let longest = rows.iter().map(|(_, episode)| episode.steps).max().unwrap_or(0);
        for step in 0..longest {
            let acting: Vec<&(usize, &Episode)> = rows.iter().filter(|(_, episode)| step < episode.steps).collect();
            let actions: Vec<&[f32]> = acting.iter().map(|(_, episode)| episode.action(step)).collect();
            let numbers: Vec<usize> = acting.iter().map(|(row, _)| *row).collect();
            let (header, arrays) = self.step_request(&numbers, &actions);
            let steps =
                exchange(&mut connection, "step", &header, &arrays, &|answer| self.moments(answer, numbers.len()))?;
            for (row, (moment, _)) in numbers.iter().zip(steps) {
                now[*row] = Some(moment);
            }
        }
        for (row, episode) in &rows {
            let mut reached = now[*row].take().unwrap_or_default();
            reached.info.extend(episode.factors.info());
            if reached != episode.now {
                let text = format!(
                    "started again and given the same seed and actions, row {row} is not where it was after {} steps: the world is no \
                     function of seed and actions",
                    episode.steps
                );
                return Err(connection.fail(Fault::Replay, "step", text));
            }
        }
        Ok(connection)
    }

    fn moments(&self, answer: Message, rows: usize) -> Result<Vec<Moment>, Unfit> {
        moments::moments(&self.hello, answer, rows)
    }

    fn step_request(&self, rows: &[usize], actions: &[&[f32]]) -> (Value, Vec<Array>) {
        let space = self.spec.spaces.action.as_ref();
        let array = if let Some(space @ Space::Discrete { .. }) = space {
            let choice = |action: &&[f32]| if let Action::Choice(choice) = space.action(action) { choice } else { 0 };
            Array::choices("action", &actions.iter().map(choice).collect::<Vec<_>>())
        } else {
            let width = space.map_or(0, Space::width);
            Array::floats("action", vec![actions.len(), width], &actions.concat())
        };
        (json!({ "rows": rows }), vec![array])
    }

    fn failed(&self, error: ProcessError) -> EnvError {
        EnvError::Failed { world: self.spec.name.clone(), source: Box::new(error) }
    }

    fn invalid(&self, what: &'static str, given: String, expected: String) -> EnvError {
        EnvError::Invalid { world: self.spec.name.clone(), what, given, expected }
    }
}

/// One request and its answer.
fn exchange<T>(
    connection: &mut Connection,
    request: &'static str,
    header: &Value,
    arrays: &[Array],
    read: &impl Fn(Message) -> Result<T, Unfit>,
) -> Result<T, ProcessError> {
    let answer = connection.ask(request, header.clone(), arrays.to_vec())?;
    read(answer).map_err(|(fault, message)| connection.fail(fault, request, message))
}

fn reset_request(row: usize, seed: u64, state: Option<&[f32]>, factors: &FactorValues) -> (Value, Vec<Array>) {
    let mut arrays = vec![Array::seeds("seed", &[seed])];
    arrays.extend(state.map(|state| Array::floats("state", vec![1, state.len()], state)));
    let factor =
        |(name, value): (&String, &Vec<f32>)| Array::floats(&format!("factor.{name}"), vec![1, value.len()], value);
    arrays.extend(factors.all().iter().map(factor));
    (json!({ "rows": [row] }), arrays)
}

impl Worlds for ProcessWorlds {
    fn spec(&self) -> &EnvironmentSpec {
        &self.spec
    }

    fn rows(&self) -> usize {
        self.rows.len()
    }

    fn reset(&mut self, row: usize, seed: u64, state: Option<&[f32]>) -> Result<TimeStep, EnvError> {
        if let Some(state) = state {
            let width = self.spec.spaces.state.filter(|_| self.hello.serves(Serves::States));
            let Some(width) = width else {
                return Err(EnvError::Unsupported { world: self.spec.name.clone(), what: "start in a chosen state" });
            };
            if state.len() != width || state.iter().any(|value| !value.is_finite()) {
                return Err(self.invalid("state", format!("{state:?}"), format!("{width} finite numbers")));
            }
        }
        // What this row was at need not be reached again.
        self.rows[row] = None;
        let factors = self.sampler.sample(seed);
        let (header, arrays) = reset_request(row, seed, state, &factors);
        let first = self.ask("reset", &header, &arrays, |answer| self.moments(answer, 1))?;
        let (mut now, position) = first.into_iter().next().unwrap_or_default();
        now.info.extend(factors.info());
        let state = state.map(<[f32]>::to_vec);
        let episode =
            Episode { seed, state, factors, actions: Vec::new(), steps: 0, now: now.clone(), position, goal: None };
        self.rows[row] = Some(episode);
        if self.hello.serves(Serves::Goal) {
            let goal = self.ask("goal", &json!({ "rows": [row] }), &[], |answer| moments::goal(&self.hello, answer))?;
            if let Some(episode) = &mut self.rows[row] {
                episode.goal = Some(goal);
            }
        }
        Ok(now)
    }

    fn step(&mut self, rows: &[usize], actions: &[&[f32]]) -> Result<Vec<TimeStep>, EnvError> {
        let Some(space) = self.spec.spaces.action.clone() else {
            return Err(EnvError::Unsupported { world: self.spec.name.clone(), what: "take actions" });
        };
        let mut moving = Vec::new();
        let mut projected = Vec::new();
        for (row, action) in rows.iter().zip(actions) {
            if action.len() != space.width() {
                return Err(self.invalid("action", format!("{action:?}"), format!("{} numbers", space.width())));
            }
            if self.rows[*row].is_none() {
                return Err(self.invalid("row", row.to_string(), "one that was reset".to_owned()));
            }
            // What is not finite moves nothing.
            if action.iter().all(|value| value.is_finite()) {
                let mut action = action.to_vec();
                space.project(&mut action);
                moving.push(*row);
                projected.push(action);
            }
        }
        if !moving.is_empty() {
            let actions: Vec<&[f32]> = projected.iter().map(Vec::as_slice).collect();
            let (header, arrays) = self.step_request(&moving, &actions);
            let stepped = self.ask("step", &header, &arrays, |answer| self.moments(answer, moving.len()))?;
            for ((row, action), (mut now, position)) in moving.iter().zip(&actions).zip(stepped) {
                if let Some(episode) = &mut self.rows[*row] {
                    now.info.extend(episode.factors.info());
                    episode.actions.extend_from_slice(action);
                    episode.steps += 1;
                    (episode.now, episode.position) = (now, position);
                }
            }
        }
        let now = |row: &usize| {
            let mut now = self.rows[*row].as_ref().map(|episode| episode.now.clone()).unwrap_or_default();
            if !moving.contains(row) {
                now.reward = 0.0;
            }
            now
        };
        Ok(rows.iter().map(now).collect())
    }

    fn goal(&self, row: usize) -> Option<Goal> {
        self.rows[row].as_ref()?.goal.clone()
    }

    fn legality(&self, _row: usize, _states: &[Vec<f32>]) -> Legality {
        Legality::Unknown
    }

    fn position(&self, row: usize) -> Option<[f32; 2]> {
        self.rows[row].as_ref()?.position
    }

    /// Asks a process that serves `render`; a fault that shows then is told by the next step or reset. Of any other, the frame of the
    /// first camera, enlarged, without marks.
    fn render(&self, row: usize, marks: &[Mark<'_>], scale: usize) -> Option<FrameBuffer> {
        assert!(scale > 0, "scale of a rendered frame: got 0, expected at least 1");
        let episode = self.rows[row].as_ref()?;
        if !self.hello.serves(Serves::Render) {
            return episode.now.observations.cameras.values().next().map(|frame| enlarge(frame, scale));
        }
        let mark = |mark: &Mark<'_>| {
            let kind = match mark.kind {
                MarkKind::Trail => "trail",
                MarkKind::Imagined => "imagined",
            };
            json!({ "kind": kind, "points": mark.points })
        };
        let marks: Vec<Value> = marks.iter().map(mark).collect();
        let header = json!({ "rows": [row], "scale": scale, "marks": marks });
        self.ask("render", &header, &[], moments::frame).ok()
    }
}

/// A frame with `scale` by `scale` pixels for each of its own.
fn enlarge(frame: &FrameBuffer, scale: usize) -> FrameBuffer {
    let mut large = FrameBuffer::new(1, frame.height * scale, frame.width * scale);
    for (place, pixel) in large.data.chunks_exact_mut(3).enumerate() {
        let (row, column) = (place / (frame.width * scale) / scale, place % (frame.width * scale) / scale);
        pixel.copy_from_slice(&frame.data[(row * frame.width + column) * 3..][..3]);
    }
    large
}
