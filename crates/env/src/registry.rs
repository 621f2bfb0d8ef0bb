//! Worlds by name.

use prevision_core::config::Registry;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::control::{CartPole, ControlWorld, Pendulum, Reacher, System as _};
use crate::{EnvError, Environment, EnvironmentSpec, Policy, Random, Smooth, Worlds};
use crate::{gym, maze, patrol, point_maze, process, push_t, two_rooms, two_rooms_224};

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

    /// Makes environments side by side, a row each. By default each is made by itself; a world behind a process makes them all there.
    ///
    /// # Errors
    /// As [`environment`](Self::environment).
    fn worlds(&self, purpose: Purpose, rows: usize) -> Result<Box<dyn Worlds>, EnvError> {
        let environments: Vec<Box<dyn Environment>> =
            (0..rows).map(|_| self.environment(purpose)).collect::<Result<_, _>>()?;
        Ok(Box::new(environments))
    }

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
    Registry::new("world")
        .with(two_rooms::NAME, |options, ()| boxed(Ok(two_rooms::TwoRoomsWorld::new(options))))
        .with(two_rooms_224::NAME, |options, ()| boxed(two_rooms_224::TwoRooms224World::new(&options)))
        .with(maze::NAME, |options, ()| boxed(maze::MazeWorld::new(options)))
        .with(point_maze::NAME, |options, ()| boxed(point_maze::PointMazeWorld::new(options)))
        .with(patrol::NAME, |options, ()| boxed(patrol::PatrolWorld::new(options)))
        .with(push_t::NAME, |options, ()| boxed(push_t::PushTWorld::new(options)))
        .with(Pendulum::NAME, |options, ()| boxed(ControlWorld::<Pendulum>::new(&options)))
        .with(CartPole::NAME, |options, ()| boxed(ControlWorld::<CartPole>::new(&options)))
        .with(Reacher::NAME, |options, ()| boxed(ControlWorld::<Reacher>::new(&options)))
        .with(gym::NAME, |options, ()| boxed(gym::GymWorld::new(options)))
        .with(process::NAME, |options, ()| boxed(process::CommandWorld::new(options)))
}

fn boxed<W: World + 'static>(world: Result<W, String>) -> Result<Box<dyn World>, String> {
    world.map(|world| Box::new(world) as Box<dyn World>)
}

/// The `env` section of an experiment: which world, and under the name of each world its own keys.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct EnvConfig {
    /// Name of the world. Of a world that is told what to run, that can follow after a colon: `cmd:python my_world.py` is the name `cmd`
    /// with the key `target`. Default `two-rooms`.
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
    /// The world alone, with these keys of its own.
    pub fn of(name: &str, keys: Table) -> Self {
        let mut config = Self { name: name.to_owned(), worlds: Table::new() };
        config.worlds.insert(config.kind().to_owned(), Value::Table(keys));
        config
    }

    /// The name under which the world is registered: what stands before a colon.
    pub fn kind(&self) -> &str {
        self.name.split_once(':').map_or(&self.name, |(kind, _)| kind)
    }

    /// The keys of the chosen world.
    ///
    /// # Errors
    /// The key and its value, if it is no table; and if the target is given twice.
    pub fn keys(&self) -> Result<Table, String> {
        let kind = self.kind();
        let mut keys = match self.worlds.get(kind) {
            None => Table::new(),
            Some(Value::Table(keys)) => keys.clone(),
            Some(other) => return Err(format!("env.{kind} is {other}, but must be a table of the world's keys")),
        };
        if let Some((_, target)) = self.name.split_once(':') {
            let given = keys.insert("target".to_owned(), Value::from(target));
            if given.as_ref().is_some_and(|given| given.as_str() != Some(target)) {
                return Err(format!("env.{kind}.target is given, but env.name is {} already", self.name));
            }
        }
        Ok(keys)
    }

    /// The section with every default of the chosen world in place.
    ///
    /// # Errors
    /// The key at fault, if a key of the world is wrong. A world that is not registered is left to [`world`](Self::world).
    pub fn resolve(&self, registry: &WorldRegistry) -> Result<Self, String> {
        let (kind, keys) = (self.kind().to_owned(), self.keys()?);
        let mut resolved = Self { name: kind.clone(), worlds: self.worlds.clone() };
        if registry.place(&kind).is_some() {
            let keys = registry.resolve(&format!("env.{kind}"), &kind, &keys)?;
            resolved.worlds.insert(kind, Value::Table(keys));
        } else {
            resolved.name.clone_from(&self.name);
        }
        Ok(resolved)
    }

    /// Makes the chosen world.
    ///
    /// # Errors
    /// The key at fault, if there is no such world, or a key of it is wrong.
    pub fn world(&self, registry: &WorldRegistry) -> Result<Box<dyn World>, String> {
        let kind = self.kind();
        if registry.place(kind).is_none() {
            // The registry names what there is.
            return registry.make("env.name", kind, &Table::new(), &());
        }
        registry.make(&format!("env.{kind}"), kind, &self.keys()?, &())
    }
}

/// Makes a policy for recording: one of the world's own, `random` or `smooth`. Without a name the world's first, or else `random`.
///
/// # Errors
/// If there is no such policy, or the world takes no actions.
pub fn recording_policy(
    world: &dyn World,
    spec: &EnvironmentSpec,
    name: Option<&str>,
    steps: usize,
) -> Result<Box<dyn Policy>, EnvError> {
    let name = name.or_else(|| world.policies().first().copied()).unwrap_or(Random::NAME);
    if let Some(policy) = world.policy(name, steps) {
        return Ok(policy);
    }
    let Some(space) = spec.spaces.action.clone() else {
        return Err(EnvError::Unsupported { world: spec.name.clone(), what: "take actions" });
    };
    match name {
        Random::NAME => Ok(Box::new(Random::new(space))),
        Smooth::NAME => Ok(Box::new(Smooth::new(space))),
        _ => {
            let own = world.policies();
            let everywhere = [Random::NAME, Smooth::NAME].into_iter().filter(|name| !own.contains(name));
            let known: Vec<&str> = own.iter().copied().chain(everywhere).collect();
            Err(EnvError::UnknownPolicy { world: spec.name.clone(), name: name.to_owned(), known: known.join(", ") })
        }
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
    fn what_stands_after_a_colon_is_the_target() {
        let config = EnvConfig { name: "cmd:python a.py --size 3:4".into(), ..EnvConfig::default() };
        assert_eq!((config.kind(), config.keys().unwrap()["target"].as_str()), ("cmd", Some("python a.py --size 3:4")));
        let twice: EnvConfig = toml::from_str("name = \"cmd:b\"\n[cmd]\ntarget = \"a\"").unwrap();
        assert_eq!(twice.keys().unwrap_err(), "env.cmd.target is given, but env.name is cmd:b already");
        let unknown = EnvConfig { name: "walks:far".into(), ..EnvConfig::default() };
        let refused = unknown.world(&built_in()).map(|_| ()).unwrap_err();
        assert!(refused.starts_with("env.name: there is no world `walks`"), "{refused}");
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
        assert_eq!(registry.names().count(), built_in().names().count() + 1);
        assert_eq!((registry.names().next(), registry.names().last()), (Some("two-rooms"), Some("nothing")));
    }
}
