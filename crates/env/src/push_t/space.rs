//! The motion of agent and block: one sub-step of Chipmunk 7, as upstream sets it up.
//!
//! Positions move by the velocities of the sub-step before; then touches are found; then the velocities of dynamic bodies are set to zero
//! (upstream's damping of 0), and impulses along the normals, without friction and without bounce, are found by ten rounds of projected
//! Gauss-Seidel that begin with the impulses of the sub-step before. Overlap beyond a slop is taken away by velocities of their own that do
//! not count as motion. A general solver such as Rapier's finds velocities before it moves bodies and softens its contacts, so that a
//! block keeps another distance to what pushes it.

use super::body::Body;
use super::contact::{Contact, Part, Touch, contact};
use super::order::{Order, meet};
use super::vector::{Vector, add, dot, scale, sub};

/// Width and height of the world in pixels.
pub const EXTENT: f64 = 512.0;
/// The walls: a rectangle of lines.
pub const WALL_LOW: f64 = 5.0;
/// The walls: its far corner.
pub const WALL_HIGH: f64 = 506.0;
/// Half the width of a wall in pixels.
pub const WALL_RADIUS: f64 = 2.0;

/// Rounds of the solver.
const ITERATIONS: usize = 10;
/// Overlap that is left alone, in pixels.
const SLOP: f64 = 0.1;
/// Share of the overlap that is left after a 60th of a second.
const BIAS: f64 = 0.9;
/// Sub-steps for which impulses are remembered after a touch has ended.
const MEMORY: u64 = 3;

/// The walls.
pub fn walls() -> [Part; 4] {
    let [low, high] = [WALL_LOW, WALL_HIGH];
    let line = |from, to| Part::line(from, to, WALL_RADIUS);
    [
        line([low, high], [low, low]),
        line([low, low], [high, low]),
        line([high, low], [high, high]),
        line([low, high], [high, high]),
    ]
}

/// What two parts belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Between {
    AgentAndBlock,
    WallAndAgent,
    WallAndBlock,
}

/// Two parts that touch, or did a moment ago.
#[derive(Debug, Clone)]
struct Pair {
    between: Between,
    /// Places of the parts in their bodies, or of the wall.
    parts: (usize, usize),
    contact: Contact,
    impulses: [Impulse; 2],
    /// The sub-step in which they touched last.
    stamp: u64,
    /// They touched in the sub-step before too, so that its impulses are a good start.
    lasting: bool,
}

/// What acts at a touch.
#[derive(Debug, Clone, Copy, Default)]
struct Impulse {
    arms: [Vector; 2],
    /// Mass that an impulse along the normal moves.
    mass: f64,
    /// Velocity that takes overlap away.
    apart: f64,
    /// Impulse so far, and that of the velocities that take overlap away.
    total: f64,
    apart_total: f64,
}

/// Agent and block between walls.
#[derive(Debug, Clone)]
pub struct Space {
    /// The agent.
    pub agent: Body,
    /// The block.
    pub block: Body,
    walls: [Part; 4],
    /// In which order pairs are looked at.
    order: Order,
    pairs: Vec<Pair>,
    stamp: u64,
    /// Length of a sub-step in seconds, and the share of the overlap that is taken away in it.
    seconds: f64,
    share: f64,
}

impl Space {
    /// These bodies where they are, in sub-steps of so many seconds.
    pub fn new(agent: Body, block: Body, seconds: f64) -> Self {
        let share = 1.0 - libm::pow(BIAS, 60.0 * seconds);
        let walls = walls();
        let still: Vec<_> = agent.parts().chain(block.parts()).map(|part| part.bounds()).collect();
        let order = Order::new(&walls.map(|wall| wall.bounds()), &still);
        Self { agent, block, walls, order, pairs: Vec::new(), stamp: 0, seconds, share }
    }

    /// The touches of the last sub-step.
    pub fn touches(&self) -> impl Iterator<Item = (&Touch, Vector)> {
        let now = self.pairs.iter().filter(|pair| pair.stamp == self.stamp);
        now.flat_map(|pair| pair.contact.touches[..pair.contact.count].iter().map(|touch| (touch, pair.contact.normal)))
    }

    /// Whether the agent touches the block.
    pub fn agent_touches(&self) -> bool {
        let block: Vec<Part> = self.block.parts().collect();
        self.agent.parts().any(|part| block.iter().any(|other| contact(&part, other).is_some()))
    }

    /// Whether the block touches a wall or lies outside of all.
    pub fn block_leaves(&self) -> bool {
        let inside = |value: &f64| (WALL_LOW + WALL_RADIUS..WALL_HIGH - WALL_RADIUS).contains(value);
        self.block.parts().any(|part| !part.corners().iter().all(|corner| corner.iter().all(inside)))
    }

    /// One sub-step.
    pub fn step(&mut self) {
        self.stamp += 1;
        self.agent.advance(self.seconds);
        self.block.advance(self.seconds);
        self.find();
        let stamp = self.stamp;
        self.pairs.retain(|pair| stamp - pair.stamp < MEMORY);
        let share = self.share / self.seconds;
        for pair in &mut self.pairs {
            if pair.stamp == stamp {
                let [first, second] = bodies(&mut self.agent, &mut self.block, pair.between);
                prepare(pair, first, second, share);
            }
        }
        self.agent.stop();
        self.block.stop();
        for pair in &mut self.pairs {
            if pair.stamp == stamp && pair.lasting {
                let [mut first, mut second] = bodies(&mut self.agent, &mut self.block, pair.between);
                for impulse in &pair.impulses[..pair.contact.count] {
                    let push = scale(pair.contact.normal, impulse.total);
                    on(&mut first, |body| body.push(impulse.arms[0], scale(push, -1.0)));
                    on(&mut second, |body| body.push(impulse.arms[1], push));
                }
            }
        }
        for _ in 0..ITERATIONS {
            for pair in &mut self.pairs {
                if pair.stamp == stamp {
                    let [first, second] = bodies(&mut self.agent, &mut self.block, pair.between);
                    solve(pair, first, second);
                }
            }
        }
    }

    /// Finds the touches of this sub-step.
    fn find(&mut self) {
        let agent: Vec<Part> = self.agent.parts().collect();
        let block: Vec<Part> = self.block.parts().collect();
        let moving: Vec<_> = [(&self.agent, &agent), (&self.block, &block)]
            .into_iter()
            .flat_map(|(body, parts)| parts.iter().map(|part| (part.bounds(), body.velocity())))
            .collect();
        let (walls, agents) = (self.walls.len(), agent.len());
        for (one, other) in self.order.pairs(&moving) {
            let (low, high) = (one.min(other), one.max(other));
            // Numbered as in the order: walls, agent, block.
            if low < walls {
                let wall = self.walls[low];
                if high >= walls + agents {
                    self.meet(
                        Between::WallAndBlock,
                        (low, high - walls - agents),
                        &wall,
                        &block[high - walls - agents],
                    );
                } else if self.agent.is_dynamic() {
                    self.meet(Between::WallAndAgent, (low, high - walls), &wall, &agent[high - walls]);
                }
            } else if low < walls + agents && high >= walls + agents {
                let parts = (low - walls, high - walls - agents);
                self.meet(Between::AgentAndBlock, parts, &agent[parts.0], &block[parts.1]);
            }
        }
    }

    fn meet(&mut self, between: Between, parts: (usize, usize), first: &Part, second: &Part) {
        if !meet(&first.bounds(), &second.bounds()) {
            return;
        }
        let Some(found) = contact(first, second).filter(|found| found.count > 0) else { return };
        let stamp = self.stamp;
        // The order of the rounds is that in which the touches were found.
        let known = self.pairs.iter().position(|pair| pair.between == between && pair.parts == parts);
        let known = known.map(|place| self.pairs.remove(place));
        let impulse = |old: Option<&Pair>, touch: &Touch| {
            let same = |old: &&Pair| {
                let place = old.contact.touches[..old.contact.count].iter().position(|it| it.corners == touch.corners);
                place.map(|place| old.impulses[place].total)
            };
            Impulse { total: old.as_ref().and_then(same).unwrap_or(0.0), ..Impulse::default() }
        };
        let impulses = [0, 1].map(|place| impulse(known.as_ref(), &found.touches[place]));
        let lasting = known.is_some_and(|pair| pair.stamp + 1 == stamp);
        self.pairs.push(Pair { between, parts, contact: found, impulses, stamp, lasting });
    }
}

/// The two bodies of a pair; a wall is none.
fn bodies<'a>(agent: &'a mut Body, block: &'a mut Body, between: Between) -> [Option<&'a mut Body>; 2] {
    match between {
        Between::AgentAndBlock => [Some(agent), Some(block)],
        Between::WallAndAgent => [None, Some(agent)],
        Between::WallAndBlock => [None, Some(block)],
    }
}

fn on(body: &mut Option<&mut Body>, act: impl FnOnce(&mut Body)) {
    if let Some(body) = body {
        act(body);
    }
}

/// Arms, masses and the velocity that takes overlap away.
fn prepare(pair: &mut Pair, first: Option<&mut Body>, second: Option<&mut Body>, share: f64) {
    let normal = pair.contact.normal;
    for (impulse, touch) in pair.impulses.iter_mut().zip(&pair.contact.touches[..pair.contact.count]) {
        let mut yielding = 0.0;
        for (arm, body, point) in [(0, &first, touch.on_first), (1, &second, touch.on_second)] {
            impulse.arms[arm] = sub(point, body.as_ref().map_or([0.0; 2], |body| body.middle()));
            yielding += body.as_ref().map_or(0.0, |body| body.yielding(impulse.arms[arm], normal));
        }
        let distance = dot(sub(touch.on_second, touch.on_first), normal);
        impulse.mass = 1.0 / yielding;
        impulse.apart = -share * (distance + SLOP).min(0.0);
    }
}

/// One round at the touches of a pair.
fn solve(pair: &mut Pair, mut first: Option<&mut Body>, mut second: Option<&mut Body>) {
    let normal = pair.contact.normal;
    for impulse in &mut pair.impulses[..pair.contact.count] {
        let [arm, other_arm] = impulse.arms;
        let at =
            |body: &Option<&mut Body>, arm| body.as_ref().map_or(([0.0; 2], [0.0; 2]), |body| body.velocities_at(arm));
        let ((velocity, apart), (other_velocity, other_apart)) = (at(&first, arm), at(&second, other_arm));
        let leaving = dot(sub(other_velocity, velocity), normal);
        let leaving_apart = dot(sub(other_apart, apart), normal);
        let apart_total = (impulse.apart_total + (impulse.apart - leaving_apart) * impulse.mass).max(0.0);
        let total = (impulse.total - leaving * impulse.mass).max(0.0);
        let push = scale(normal, total - impulse.total);
        let push_apart = scale(normal, apart_total - impulse.apart_total);
        (impulse.total, impulse.apart_total) = (total, apart_total);
        on(&mut first, |body| {
            body.push(arm, scale(push, -1.0));
            body.push_apart(arm, scale(push_apart, -1.0));
        });
        on(&mut second, |body| {
            body.push(other_arm, push);
            body.push_apart(other_arm, push_apart);
        });
    }
}

/// The point halfway between the two points of a touch, and the line along the normal that upstream draws there.
pub fn touch_line(touch: &Touch, normal: Vector) -> [Vector; 2] {
    /// How far the line reaches beyond the points, in pixels.
    const REACH: f64 = 2.0;
    [add(touch.on_first, scale(normal, -REACH)), add(touch.on_second, scale(normal, REACH))]
}
