//! What a process says of itself.

use std::collections::BTreeMap;

use prevision_core::config::check::{ensure, message};
use prevision_core::{Space, Spaces};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::error::Fault;
use crate::{EnvironmentSpec, Factor, Factors};

/// The version of the protocol that is spoken here.
pub const PROTOCOL: u64 = 1;

/// Names of columns of a recording that are taken.
const TAKEN: [&str; 3] = ["action", "state", "reward"];
/// Largest height, width, or count of numbers.
const LARGEST: usize = 1 << 16;

/// A request that a process may serve or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Serves {
    /// `goal`: what an episode is to reach.
    Goal,
    /// `render`: frames for people.
    Render,
    /// `reset` with a state to start in.
    States,
}

/// The answer to `hello`: what a world is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hello {
    /// The version of the protocol that it has chosen.
    pub protocol: u64,
    /// Name of the world.
    pub name: String,
    /// Version of the world, which stands behind its name in results; may be left out.
    #[serde(default)]
    pub version: String,
    /// What it shows and takes.
    pub spaces: Spaces,
    /// Steps after which an episode of an evaluation ends. Default 200.
    #[serde(default = "max_steps")]
    pub max_steps: usize,
    /// Unit of distances and routes; `None` where it is not known.
    #[serde(default)]
    pub unit: Option<String>,
    /// Whether every step has a reward.
    #[serde(default)]
    pub rewards: bool,
    /// Name of the rule by which it moves, where it offers several.
    #[serde(default)]
    pub rule: Option<String>,
    /// What can differ between episodes.
    #[serde(default)]
    pub factors: Vec<Factor>,
    /// Numbers of what else it tells of every moment, by name.
    #[serde(default)]
    pub info: BTreeMap<String, usize>,
    /// The optional requests that it serves.
    #[serde(default)]
    pub serves: Vec<Serves>,
}

fn max_steps() -> usize {
    200
}

impl Hello {
    /// Out of the header of an answer.
    pub(super) fn read(header: Map<String, Value>) -> Result<Self, (Fault, String)> {
        if let Some(version) = header.get("protocol").filter(|version| version.as_u64() != Some(PROTOCOL)) {
            return Err((
                Fault::Protocol,
                message("protocol", version, format_args!("{PROTOCOL}, the version that was offered")),
            ));
        }
        let hello: Self =
            serde_json::from_value(Value::Object(header)).map_err(|error| (Fault::Unfit, error.to_string()))?;
        hello.validate().map_err(|text| (Fault::Unfit, text))?;
        Ok(hello)
    }

    /// Whether it serves an optional request.
    pub fn serves(&self, what: Serves) -> bool {
        self.serves.contains(&what)
    }

    /// As the rest of the program knows a world.
    ///
    /// # Errors
    /// If the factors do not fit together.
    pub fn spec(&self, kind: &str) -> Result<EnvironmentSpec, String> {
        let version = if self.version.is_empty() { String::new() } else { format!(" {}", self.version) };
        Ok(EnvironmentSpec {
            name: format!("{kind}:{}{version}", self.name),
            spaces: self.spaces.clone(),
            max_steps: self.max_steps,
            unit: self.unit.clone(),
            rewards: self.rewards,
            rule: self.rule.clone(),
            factors: Factors::try_new(self.factors.clone())?,
        })
    }

    fn validate(&self) -> Result<(), String> {
        let Spaces { frames, frame_step, cameras, vectors, action, state } = &self.spaces;
        ensure(!self.name.trim().is_empty(), "name", format_args!("{:?}", self.name), "a name")?;
        ensure(*frames == 1, "spaces.frames", frames, "1: a world shows one moment at a time")?;
        ensure(*frame_step == 1, "spaces.frame_step", frame_step, "1: a world takes one action at a time")?;
        ensure(self.max_steps > 0, "max_steps", self.max_steps, "1 or more")?;
        ensure(
            !cameras.is_empty() || !vectors.is_empty(),
            "spaces",
            "without cameras and vectors",
            "something to see",
        )?;
        let count = |key: &str, count: usize| {
            ensure((1..=LARGEST).contains(&count), key, count, format_args!("from 1 to {LARGEST}"))
        };
        for (name, camera) in cameras {
            count(&format!("spaces.cameras.{name}.height"), camera.height)?;
            count(&format!("spaces.cameras.{name}.width"), camera.width)?;
        }
        vectors.iter().try_for_each(|(name, width)| count(&format!("spaces.vectors.{name}"), *width))?;
        self.info.iter().try_for_each(|(name, width)| count(&format!("info.{name}"), *width))?;
        state.map_or(Ok(()), |width| count("spaces.state", width))?;
        if let Some(space) = action {
            fits(space).map_err(|expected| message("spaces.action", space, expected))?;
        }
        // Cameras become folders of a recording, the rest its columns.
        let names = cameras.keys().chain(vectors.keys()).chain(self.info.keys());
        let mut seen: Vec<&str> = TAKEN.to_vec();
        for name in names.map(String::as_str).chain(self.factors.iter().map(|factor| factor.name.as_str())) {
            let plain = name.chars().all(|letter| letter.is_ascii_alphanumeric() || "_-.".contains(letter));
            let free =
                !name.is_empty() && !name.starts_with('.') && !name.starts_with("factor.") && !seen.contains(&name);
            ensure(
                plain && free,
                "the name of a stream",
                format_args!("{name:?}"),
                "letters, digits, _, - and ., and no name that is taken",
            )?;
            seen.push(name);
        }
        Factors::try_new(self.factors.clone()).map(|_| ())
    }
}

/// What an action space must be, if it is not.
fn fits(space: &Space) -> Result<(), &'static str> {
    let holds = match space {
        Space::Box { low, high } => {
            let ordered = low.iter().zip(high).all(|(low, high)| low <= high && (high - low).is_finite());
            low.len() == high.len() && ordered && !low.is_empty()
        }
        Space::Ball { dim, radius } => *dim > 0 && *radius > 0.0 && radius.is_finite(),
        Space::Discrete { count } => *count > 0,
        Space::Unbounded { dim } => *dim > 0,
    };
    let small = space.width() <= LARGEST;
    if holds && small { Ok(()) } else { Err("at least one number or choice, with finite bounds in order") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Hello, (Fault, String)> {
        Hello::read(serde_json::from_str(text).unwrap())
    }

    #[test]
    fn what_is_left_out_has_defaults() {
        let hello = read(r#"{"protocol":1,"name":"dot","spaces":{"vectors":{"place":2}}}"#).unwrap();
        let spec = hello.spec("cmd").unwrap();
        assert_eq!((spec.name.as_str(), spec.max_steps, spec.rewards, spec.unit), ("cmd:dot", 200, false, None));
        assert!(!hello.serves(Serves::Goal) && spec.factors.is_empty() && spec.spaces.action.is_none());
    }

    #[test]
    fn what_is_wrong_is_named() {
        let refused = |rest: &str| read(&format!(r#"{{"protocol":1,"name":"dot",{rest}}}"#)).unwrap_err();
        let spaces = r#""spaces":{"vectors":{"place":2}}"#;
        for (rest, part) in [
            (r#""spaces":{}"#, "something to see"),
            (r#""spaces":{"vectors":{"place":2}},"max_step":3"#, "unknown field `max_step`"),
            (r#""spaces":{"cameras":{"../a":{"height":2,"width":2}}}"#, "the name of a stream is \"../a\""),
            (r#""spaces":{"cameras":{"a":{"height":0,"width":2}}}"#, "spaces.cameras.a.height is 0"),
            (r#""spaces":{"frames":4,"vectors":{"place":2}}"#, "spaces.frames is 4"),
            (r#""spaces":{"vectors":{"state":2}}"#, "no name that is taken"),
            (r#""spaces":{"vectors":{"place":2},"action":{"kind":"box","low":[1],"high":[0]}}"#, "spaces.action is"),
        ] {
            let (fault, message) = refused(rest);
            assert!(fault == Fault::Unfit && message.contains(part), "{rest}: {message}");
        }
        let factor =
            r#""factors":[{"name":"mass","kind":"physics","nominal":[3],"bounds":[[0],[1]],"training":[[0],[1]]}]"#;
        assert!(refused(&format!("{spaces},{factor}")).1.contains("factor mass: the nominal value"));
        let (fault, message) = read(r#"{"protocol":2}"#).unwrap_err();
        assert_eq!(
            (fault, message.as_str()),
            (Fault::Protocol, "protocol is 2, but must be 1, the version that was offered")
        );
    }
}
