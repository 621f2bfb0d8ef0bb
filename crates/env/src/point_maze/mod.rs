//! A point maze: a mass that is pushed through a maze, and has to brake for its bends.
//!
//! After `PointMaze` of Gymnasium-Robotics (D4RL's `maze2d`): a ball of 0.1 m with a density of 1,000 kg/m³ that slides on a plane, pushed
//! by a motor in x and one in y. What is the same: the state (x, y, and the velocities in m and m/s), actions in [-1, 1] times a gear of
//! 100, mass, damping, velocities clipped to 5 m/s, steps of 0.01 s integrated as `MuJoCo`'s Euler integrator does (semi-implicit, damping
//! implicit), success within 0.45 m. What is not: an action lasts 5 such steps, as in the recordings of DINO-WM, where Gymnasium has one;
//! y points down; a wall stops the velocity into it at once and without a rebound, where `MuJoCo`'s contacts are soft; at the outer corner
//! of a wall the ball is its enclosing square; and mazes are those of [`maze`](crate::maze), with thin walls unless a plan is given.

mod dynamics;
mod environment;
mod options;
mod policies;

pub use dynamics::{BALL_RADIUS, Motion, Mover, STEP_SECONDS, SUBSTEPS, TOP_SPEED};
pub use environment::{CAMERA, NAME, PointMaze, SUCCESS_DISTANCE};
pub use options::{Options, PointMazeWorld, factors};
pub use policies::{Expert, Walk};
