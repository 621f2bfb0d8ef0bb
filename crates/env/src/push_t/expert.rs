//! A scripted expert: it tries pushes in a world of its own and does the one that helps most.

use super::dynamics::{ACTION_PIXELS, Build, Control, State, advance, state};
use super::shape::Shape;
use super::space::Space;
use super::task::{Rule, SUCCESS_ANGLE};
use super::vector::{Vector, add, between, direction, dot, length, perpendicular, scale, sub};
use super::weak::seen_state;
use crate::{Decision, Policy, PolicyError, Start, TimeStep};

/// Pixels that a radian counts for: about the distance of the T's corners from its centre of gravity.
const PIXELS_PER_RADIAN: f64 = 50.0;
/// Room between agent and block where a push begins, in pixels.
const ROOM: f64 = 6.0;
/// Places along each side of a part that are pushed at, as shares of the side.
const PLACES: [f64; 5] = [0.08, 0.29, 0.5, 0.71, 0.92];
/// Strengths of a push: targets ahead of the agent, in pixels.
const STRENGTHS: [f64; 5] = [100.0, 50.0, 25.0, 10.0, 4.0];
/// Steps of the longest push.
const LONGEST: usize = 6;
/// Nearer than this to where a push begins, in pixels, it begins.
const NEAR: f64 = 5.0;
/// What a pixel of way to the place of a push and a step of pushing cost, as shares of the error.
const WAY_COST: f64 = 0.0005;
const STEP_COST: f64 = 0.01;
/// Share of the error that a push must take away to be worth it.
const WORTH: f64 = 0.02;
/// Error of the block at which it counts as placed, in pixels, where the agent has a place of its own to go to.
const PLACED: f64 = 11.0;
/// Steps for which it waits to come to the place of a push before it looks for another.
const PATIENCE: usize = 25;

/// Looks for the push (place, direction, strength, length) after which the block is nearest to its goal, by trying all of a list in a
/// simulation; goes to where it begins, around the block; pushes; and looks again. With the block in place it goes to the goal's agent.
#[derive(Debug, Clone)]
pub struct Expert {
    control: Control,
    rule: Rule,
    rows: Vec<Row>,
}

#[derive(Debug, Clone)]
struct Row {
    build: Build,
    goal: State,
    space: Space,
    plan: Option<Push>,
}

/// A push, in the coordinates of the world.
#[derive(Debug, Clone, Copy)]
struct Push {
    from: Vector,
    along: Vector,
    strength: f64,
    steps: usize,
    done: usize,
    waited: usize,
}

impl Expert {
    /// The name of this policy.
    pub const NAME: &'static str = "expert";

    /// For actions of this meaning and this success.
    pub fn new(control: Control, rule: Rule) -> Self {
        Self { control, rule, rows: Vec::new() }
    }
}

/// What the first moment of an episode tells of the bodies; what it does not tell is nominal.
fn build_of(first: &TimeStep) -> Build {
    let told = |name: &str, nominal: f64| {
        first
            .info
            .get(&format!("factor.{name}"))
            .and_then(|value| value.first())
            .map_or(nominal, |value| f64::from(*value))
    };
    let shape = |name, nominal| Shape::ALL[told(name, nominal) as usize];
    Build {
        agent: shape("agent.shape", 0.0),
        agent_scale: told("agent.scale", 40.0),
        agent_angle: told("agent.angle", 0.0),
        block: shape("block.shape", 2.0),
        block_scale: told("block.scale", 30.0),
    }
}

impl Row {
    /// Radius of a circle around the agent.
    fn agent_reach(&self) -> f64 {
        self.build.agent.reach(self.build.agent_scale)
    }

    /// How far the block is from its goal, in pixels, with angles counted in.
    fn error(&self, now: &State) -> f64 {
        let period = self.build.block.symmetry();
        let turn = (now.angle - self.goal.angle).rem_euclid(period);
        length(sub(now.block, self.goal.block)) + PIXELS_PER_RADIAN * turn.min(period - turn)
    }

    /// Where pushes could begin, and their directions: against the sides of the block's parts, straight on.
    fn beginnings(&mut self, now: &State) -> Vec<(Vector, Vector)> {
        self.space = self.build.space(now);
        let away = self.agent_reach() + ROOM;
        let mut all = Vec::new();
        let parts: Vec<_> = self.space.block.parts().collect();
        for part in &parts {
            let corners = part.corners();
            for (at, from) in corners.iter().enumerate() {
                let to = corners[(at + 1) % corners.len()];
                let inwards = perpendicular(direction(sub(to, *from)));
                for share in PLACES {
                    let begin = sub(between(*from, to, share), scale(inwards, away));
                    self.space.agent.place(begin, self.build.agent_angle);
                    if !self.space.agent_touches() {
                        all.push((begin, inwards));
                    }
                }
            }
        }
        all
    }

    /// The best push from this state; `None` if none makes it better.
    fn best(&mut self, now: &State) -> Option<Push> {
        let before = self.error(now);
        let mut best = ((1.0 - WORTH) * before, None);
        for (from, along) in self.beginnings(now) {
            let way = WAY_COST * before * length(sub(from, now.agent));
            for strength in STRENGTHS {
                let begin = State { agent: from, velocity: [0.0; 2], ..*now };
                self.space = self.build.space(&begin);
                for steps in 1..=LONGEST {
                    let target = add(self.space.agent.position(), scale(along, strength));
                    advance(&mut self.space, target);
                    // The push ends with a step back.
                    let mut after = self.space.clone();
                    let back = sub(after.agent.position(), scale(along, ACTION_PIXELS));
                    advance(&mut after, back);
                    let error = self.error(&state(&after)) + way + STEP_COST * before * steps as f64;
                    if error < best.0 {
                        best = (error, Some(Push { from, along, strength, steps, done: 0, waited: 0 }));
                    }
                }
            }
        }
        best.1
    }

    /// The next point on the way to `to` around the block.
    fn around(&mut self, now: &State, to: Vector) -> Vector {
        self.space = self.build.space(now);
        let middle = self.space.block.middle();
        let block = self.space.block.parts().flat_map(|part| part.corners().to_vec());
        let reach = block.map(|corner| length(sub(corner, middle))).fold(0.0, f64::max) + self.agent_reach() + ROOM;
        if self.is_free(now.agent, to) {
            return to;
        }
        // Out to a circle around the block, along it, and in again.
        let (here, there) = (sub(now.agent, middle), sub(to, middle));
        let (out, goal) = (direction(here), direction(there));
        let landing = add(middle, scale(goal, reach));
        if length(here) < reach - 2.0 * ROOM && !self.is_free(now.agent, landing) {
            let straight = add(middle, scale(out, reach + ROOM));
            return if self.is_free(now.agent, straight) { straight } else { self.exit(now, reach + ROOM) };
        }
        if self.is_free(now.agent, landing) && self.is_free(landing, to) {
            return landing;
        }
        let side = if dot(perpendicular(out), goal) >= 0.0 { 1.0 } else { -1.0 };
        let next = direction(add(out, scale(perpendicular(out), 0.7 * side)));
        add(middle, scale(next, reach + ROOM))
    }

    /// A free way out, nearest to where the agent is.
    fn exit(&mut self, now: &State, reach: f64) -> Vector {
        let middle = self.space.block.middle();
        let ways = (0..24).map(|place| {
            let turn = super::vector::rotation(f64::from(place) * std::f64::consts::TAU / 24.0);
            add(middle, scale(turn, reach))
        });
        let mut ways: Vec<Vector> = ways.collect();
        ways.sort_by(|a, b| length(sub(*a, now.agent)).total_cmp(&length(sub(*b, now.agent))));
        let found = ways.iter().copied().find(|way| self.is_free(now.agent, *way));
        found.unwrap_or(ways[0])
    }

    /// Whether the agent can go straight from one point to another beside the block.
    fn is_free(&mut self, from: Vector, to: Vector) -> bool {
        /// Pixels from one look to the next.
        const LOOK: f64 = 8.0;
        let looks = (length(sub(to, from)) / LOOK).ceil() as usize;
        let angle = self.space.agent.angle();
        (1..=looks).all(|look| {
            self.space.agent.place(between(from, to, look as f64 / looks as f64), angle);
            !self.space.agent_touches()
        })
    }

    /// Where the agent is drawn to next.
    fn target(&mut self, now: &State, rule: Rule) -> Vector {
        if self.plan.is_none_or(|plan| plan.done > plan.steps || plan.waited > PATIENCE) {
            let turned = self.error(&State { block: self.goal.block, ..*now }) / PIXELS_PER_RADIAN;
            let placed = rule == Rule::Pose && self.error(now) < PLACED && turned < 0.7 * SUCCESS_ANGLE;
            self.plan = if placed { None } else { self.best(now) };
        }
        let Some(mut plan) = self.plan else {
            let goal = self.goal.agent;
            return if rule == Rule::Pose { self.around(now, goal) } else { now.agent };
        };
        let target = if plan.done == 0 && length(sub(now.agent, plan.from)) > NEAR {
            plan.waited += 1;
            self.around(now, plan.from)
        } else {
            plan.done += 1;
            let ahead = if plan.done > plan.steps { -ACTION_PIXELS } else { plan.strength };
            add(now.agent, scale(plan.along, ahead))
        };
        self.plan = Some(plan);
        target
    }
}

impl Policy for Expert {
    fn name(&self) -> String {
        Self::NAME.to_owned()
    }

    fn begin(&mut self, episodes: &[Start<'_>]) -> Result<(), PolicyError> {
        let row = |start: &Start<'_>| {
            let goal = start.goal.and_then(|goal| goal.state.as_deref()).and_then(State::of_numbers);
            let build = build_of(start.first);
            let message = "there is no goal with a state of push-t".to_owned();
            let goal = goal.ok_or_else(|| PolicyError::Unfit { policy: Self::NAME.to_owned(), message })?;
            Ok(Row { build, goal, space: build.space(&goal), plan: None })
        };
        self.rows = episodes.iter().map(row).collect::<Result<_, PolicyError>>()?;
        Ok(())
    }

    fn act(&mut self, rows: &[usize], seen: &[&TimeStep]) -> Result<Vec<Decision>, PolicyError> {
        let mut decisions = Vec::with_capacity(rows.len());
        for (row, seen) in rows.iter().zip(seen) {
            let now = seen_state(Self::NAME, seen)?;
            let target = self.rows[*row].target(&now, self.rule);
            decisions.push(Decision::of(self.control.towards(now.agent, target).to_vec()));
        }
        Ok(decisions)
    }
}
