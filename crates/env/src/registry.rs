//! Worlds by name.

use serde::{Deserialize, Serialize};

use crate::two_rooms::{Collision, LayoutChoice, LayoutSplit, TwoRooms};
use crate::{EnvError, Environment};

/// Names that [`make`] and [`record`](crate::record()) know.
pub const WORLDS: &[&str] = &[TwoRooms::NAME];

/// How a world is set up for acting in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct EnvOptions {
    /// A layout drawn for each task, or always the same one.
    pub layout: LayoutChoice,
    /// Which of the random layouts are used; by default those that recordings never show.
    pub layouts: LayoutSplit,
    /// What happens when a move meets a wall.
    pub collision: Collision,
}

/// Makes the world called `name`, at the task of seed 0.
///
/// # Errors
/// [`EnvError::UnknownWorld`] when no world has this name.
pub fn make(name: &str, options: &EnvOptions) -> Result<Box<dyn Environment>, EnvError> {
    check_name(name)?;
    Ok(Box::new(TwoRooms::new(options)))
}

/// Checks that a world of this name exists.
pub(crate) fn check_name(name: &str) -> Result<(), EnvError> {
    if WORLDS.contains(&name) {
        Ok(())
    } else {
        Err(EnvError::UnknownWorld { name: name.to_owned(), known: WORLDS.join(", ") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let message = make("three-rooms", &EnvOptions::default()).err().expect("no such world").to_string();
        assert_eq!(message, "unknown world `three-rooms`: known worlds are two-rooms");
    }

    #[test]
    fn two_rooms_is_known() {
        let world = make("two-rooms", &EnvOptions::default()).expect("known");
        let spec = world.spec();
        assert_eq!((spec.name, spec.action_dim, spec.state_dim), ("two-rooms", 2, 2));
        assert_eq!((spec.width, spec.height, spec.max_steps), (65, 65, 200));
        assert_eq!(spec.action_norm, 2.45);
    }
}
