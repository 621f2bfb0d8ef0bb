//! Worlds of a few joints: pendulum, cart-pole and reacher, by their textbook equations.
//!
//! What they have in common is here: a [`System`] says how a world moves and looks, and [`ControlWorld`] makes a world of it.

mod cart_pole;
mod environment;
mod feedback;
mod integrate;
mod lqr;
mod options;
mod pendulum;
mod reacher;
mod system;

pub(crate) use cart_pole::CartPole;
pub(crate) use environment::ControlWorld;
pub(crate) use options::Options;
pub(crate) use pendulum::Pendulum;
pub(crate) use reacher::Reacher;
pub(crate) use system::System;
