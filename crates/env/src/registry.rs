//! Worlds by name.

use prevision_core::config::Registry;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::two_rooms;
use crate::{EnvError, Environment, Policy, Random};

/// What an environment is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Recording episodes to learn from.
    Recording,
    /// Judging what was learned: a world may show then what recordings never show.
    Evaluation,
}

/// A configured world: makes environments, and policies that know their way in them.
pub trait World: Send + Sync {
    /// Makes an environment.
    ///
    /// # Errors
    /// When that is not possible, for instance because a process behind it does not start.
    fn environment(&self, purpose: Purpose) -> Result<Box<dyn Environment>, EnvError>;

    /// Names of the world's own policies; the first one is what recordings are made with.
    fn policies(&self) -> &[&str] {
        &[]
    }

    /// Makes one of the world's own policies; `steps` is how long an episode will be.
    fn policy(&self, name: &str, steps: usize) -> Option<Box<dyn Policy>> {
        let _ = (name, steps);
        None
    }
}

/// A function that makes environments is a world without policies of its own, the same for recording and for evaluation.
impl<E: Environment + 'static, F: Fn() -> E + Send + Sync> World for F {
    fn environment(&self, _: Purpose) -> Result<Box<dyn Environment>, EnvError> {
        Ok(Box::new(self()))
    }
}

/// The worlds that are registered.
pub type WorldRegistry = Registry<(), Box<dyn World>>;

/// The built-in worlds.
pub fn built_in() -> WorldRegistry {
    Registry::new("world").with(two_rooms::NAME, |options: two_rooms::Options, ()| {
        Ok(Box::new(two_rooms::TwoRoomsWorld::new(options)) as Box<dyn World>)
    })
}

/// The `env` section of an experiment: which world, and under the name of each world its own keys.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct EnvConfig {
    /// Name of the world. Default `two-rooms`.
    pub name: String,
    /// Keys of the worlds, `[env.NAME]`.
    #[serde(flatten)]
    #[schemars(skip)]
    pub worlds: Table,
}

impl Default for EnvConfig {
    fn default() -> Self {
        Self { name: two_rooms::NAME.to_owned(), worlds: Table::new() }
    }
}

impl EnvConfig {
    /// The keys of the chosen world.
    ///
    /// # Errors
    /// The key and its value, if it is no table.
    pub fn keys(&self) -> Result<Table, String> {
        match self.worlds.get(&self.name) {
            None => Ok(Table::new()),
            Some(Value::Table(keys)) => Ok(keys.clone()),
            Some(other) => Err(format!("env.{} is {other}, but must be a table of the world's keys", self.name)),
        }
    }

    /// Makes the chosen world.
    ///
    /// # Errors
    /// The key at fault, if there is no such world, or a key of it is wrong.
    pub fn world(&self, registry: &WorldRegistry) -> Result<Box<dyn World>, String> {
        if registry.place(&self.name).is_none() {
            // The registry names what there is.
            return registry.make("env.name", &self.name, &Table::new(), &());
        }
        registry.make(&format!("env.{}", self.name), &self.name, &self.keys()?, &())
    }
}

/// Makes a policy for recording: one of the world's own, or `random`. Without a name the world's first, or else `random`.
///
/// # Errors
/// If there is no such policy, or the world takes no actions.
pub fn recording_policy(
    world: &dyn World,
    environment: &dyn Environment,
    name: Option<&str>,
    steps: usize,
) -> Result<Box<dyn Policy>, EnvError> {
    let name = name.or_else(|| world.policies().first().copied()).unwrap_or("random");
    if let Some(policy) = world.policy(name, steps) {
        return Ok(policy);
    }
    let spec = environment.spec();
    match &spec.spaces.action {
        Some(space) if name == "random" => Ok(Box::new(Random::new(space.clone()))),
        Some(_) => {
            let known = world.policies().iter().copied().chain(["random"]).collect::<Vec<_>>().join(", ");
            Err(EnvError::UnknownPolicy { world: spec.name.clone(), name: name.to_owned(), known })
        }
        None => Err(EnvError::Unsupported { world: spec.name.clone(), what: "take actions" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use prevision_core::config::NoKeys;

    #[test]
    fn worlds_are_made_by_name_with_their_keys() {
        let registry = built_in();
        let config: EnvConfig = toml::from_str("[two-rooms]\nlayout = \"fixed\"").unwrap();
        let world = config.world(&registry).unwrap();
        let environment = world.environment(Purpose::Evaluation).unwrap();
        assert_eq!(environment.spec().name, "two-rooms");
        let refused = |text: &str| toml::from_str::<EnvConfig>(text).unwrap().world(&registry).map(|_| ()).unwrap_err();
        let message = refused("name = \"to-rooms\"");
        assert!(message.contains("there is no world `to-rooms`; did you mean `two-rooms`?"), "{message}");
        let message = refused("[two-rooms]\nlayuot = \"fixed\"");
        assert!(
            message.contains("unknown key `env.two-rooms.layuot`; did you mean `env.two-rooms.layout`?"),
            "{message}"
        );
        assert!(refused("two-rooms = 3").contains("env.two-rooms is 3"));
    }

    #[test]
    fn a_user_registers_a_world_by_the_same_call() {
        struct Nothing;
        impl World for Nothing {
            fn environment(&self, _: Purpose) -> Result<Box<dyn Environment>, EnvError> {
                Err(EnvError::Unsupported { world: "nothing".into(), what: "exist" })
            }
        }
        let registry = built_in().with("nothing", |_: NoKeys, ()| Ok(Box::new(Nothing) as Box<dyn World>));
        let config = EnvConfig { name: "nothing".into(), ..EnvConfig::default() };
        assert!(config.world(&registry).is_ok());
        assert_eq!(registry.names().collect::<Vec<_>>(), ["two-rooms", "nothing"]);
    }
}
