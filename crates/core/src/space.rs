//! Named streams: what a world shows and takes, what a recording holds, what a model was built for.

use std::collections::BTreeMap;
use std::fmt;

use rand::Rng;
use serde::{Deserialize, Serialize};

/// The values that an action can take.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Space {
    /// Numbers with bounds of their own.
    Box {
        /// Least value of each number.
        low: Vec<f32>,
        /// Largest value of each number.
        high: Vec<f32>,
    },
    /// Vectors up to a Euclidean norm.
    Ball {
        /// Numbers in a vector.
        dim: usize,
        /// Largest norm.
        radius: f32,
    },
    /// One of so many choices, numbered from 0.
    Discrete {
        /// Number of choices.
        count: usize,
    },
    /// Any numbers: nothing is known of their bounds.
    Unbounded {
        /// Numbers in a vector.
        dim: usize,
    },
}

/// One action, as a world takes it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Action<'a> {
    /// The numbers of a continuous action.
    Vector(&'a [f32]),
    /// The number of a choice.
    Choice(usize),
}

impl Space {
    /// Numbers that a model sees for one value. A choice is one-hot.
    pub fn width(&self) -> usize {
        match self {
            Self::Box { low, .. } => low.len(),
            Self::Ball { dim, .. } | Self::Unbounded { dim } => *dim,
            Self::Discrete { count } => *count,
        }
    }

    /// Numbers that one value takes in a recording. A choice is its number.
    pub fn stored_width(&self) -> usize {
        if let Self::Discrete { .. } = self { 1 } else { self.width() }
    }

    /// Replaces a vector of a model's form by the nearest one in the space: clamped, shortened, or one-hot at its largest number
    /// (the first of equals).
    ///
    /// # Panics
    /// If it has another width.
    pub fn project(&self, vector: &mut [f32]) {
        assert!(vector.len() == self.width(), "{} numbers are no value of {self}", vector.len());
        match self {
            Self::Unbounded { .. } => {}
            Self::Box { low, high } => {
                for ((value, low), high) in vector.iter_mut().zip(low).zip(high) {
                    *value = value.clamp(*low, *high);
                }
            }
            Self::Ball { radius, .. } => {
                let norm = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
                if norm > *radius {
                    let scale = radius / norm;
                    for value in vector {
                        *value *= scale;
                    }
                }
            }
            Self::Discrete { .. } => {
                let choice = largest(vector);
                vector.fill(0.0);
                vector[choice] = 1.0;
            }
        }
    }

    /// The action that a vector of a model's form stands for.
    ///
    /// # Panics
    /// If it has another width.
    pub fn action<'a>(&self, vector: &'a [f32]) -> Action<'a> {
        assert!(vector.len() == self.width(), "{} numbers are no value of {self}", vector.len());
        if let Self::Discrete { .. } = self { Action::Choice(largest(vector)) } else { Action::Vector(vector) }
    }

    /// The numbers of a recording as a vector of a model's form. Undefined numbers (NaN) are 0, as after the last
    /// action of an episode.
    ///
    /// # Panics
    /// If there are not [`stored_width`](Self::stored_width) of them.
    pub fn from_stored(&self, stored: &[f32]) -> Vec<f32> {
        assert!(stored.len() == self.stored_width(), "{} stored numbers are no value of {self}", stored.len());
        if let Self::Discrete { count } = self {
            return (0..*count).map(|choice| f32::from(u8::from(stored[0] == choice as f32))).collect();
        }
        stored.iter().map(|value| if value.is_nan() { 0.0 } else { *value }).collect()
    }

    /// A vector of a model's form as the numbers of a recording.
    ///
    /// # Panics
    /// If it has another width.
    pub fn to_stored(&self, vector: &[f32]) -> Vec<f32> {
        match self.action(vector) {
            Action::Vector(values) => values.to_vec(),
            Action::Choice(choice) => vec![choice as f32],
        }
    }

    /// A value drawn uniformly, in a model's form; within `[-1, 1]` where there are no bounds.
    pub fn sample(&self, rng: &mut impl Rng) -> Vec<f32> {
        match self {
            Self::Box { low, high } => low.iter().zip(high).map(|(low, high)| rng.random_range(*low..=*high)).collect(),
            Self::Unbounded { dim } => (0..*dim).map(|_| rng.random_range(-1.0..=1.0)).collect(),
            Self::Ball { dim, radius } => loop {
                let vector: Vec<f32> = (0..*dim).map(|_| rng.random_range(-1.0..=1.0)).collect();
                if vector.iter().map(|value| value * value).sum::<f32>() <= 1.0 {
                    return vector.into_iter().map(|value| value * radius).collect();
                }
            },
            Self::Discrete { count } => {
                let mut vector = vec![0.0; *count];
                vector[rng.random_range(0..*count)] = 1.0;
                vector
            }
        }
    }
}

/// Place of the largest number, the first of equals.
fn largest(vector: &[f32]) -> usize {
    (1..vector.len()).fold(0, |best, place| if vector[place] > vector[best] { place } else { best })
}

impl fmt::Display for Space {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Box { low, high } => write!(f, "numbers from {low:?} to {high:?}"),
            Self::Ball { dim, radius } => write!(f, "{dim} numbers up to norm {radius}"),
            Self::Discrete { count } => write!(f, "one of {count} choices"),
            Self::Unbounded { dim } => write!(f, "{dim} numbers"),
        }
    }
}

/// Size of a camera's frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Camera {
    /// Rows, pixels.
    pub height: usize,
    /// Columns, pixels.
    pub width: usize,
}

/// The streams of a world, of a recording, of the clips of a data set, or of what a model was built for. As JSON it stands in
/// recordings and checkpoints.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spaces {
    /// Moments in a clip; 1 for a world.
    #[serde(default = "one")]
    pub frames: usize,
    /// Raw actions between two moments of a clip, which a model sees as one.
    #[serde(default = "one")]
    pub frame_step: usize,
    /// Cameras by name.
    #[serde(default)]
    pub cameras: BTreeMap<String, Camera>,
    /// Numbers in a row of each vector stream, by name.
    #[serde(default)]
    pub vectors: BTreeMap<String, usize>,
    /// What one raw action can be; `None` without actions.
    #[serde(default)]
    pub action: Option<Space>,
    /// Numbers in a state; `None` without states.
    #[serde(default)]
    pub state: Option<usize>,
}

fn one() -> usize {
    1
}

impl Default for Spaces {
    /// One moment, and no streams.
    fn default() -> Self {
        Self { frames: 1, frame_step: 1, cameras: BTreeMap::new(), vectors: BTreeMap::new(), action: None, state: None }
    }
}

impl Spaces {
    /// Numbers in one action of a model: those of all raw actions of a block; 0 without actions.
    pub fn action_width(&self) -> usize {
        self.action.as_ref().map_or(0, |space| self.frame_step * space.width())
    }

    /// Numbers in a state; 0 without states.
    pub fn state_width(&self) -> usize {
        self.state.unwrap_or(0)
    }

    /// Bytes of a clip's frames in memory.
    pub fn clip_bytes(&self) -> usize {
        self.frames * self.cameras.values().map(|camera| camera.height * camera.width * 3).sum::<usize>()
    }

    /// The name and size of the only camera, for models that see one.
    ///
    /// # Errors
    /// If there is another number of cameras, or a vector stream: a sentence that lists the streams.
    pub fn only_camera(&self) -> Result<(&str, Camera), String> {
        self.only_camera_beside(None)
    }

    /// The only camera, of clips with exactly this vector, or none.
    ///
    /// # Errors
    /// A message with the streams, if they are others.
    pub fn only_camera_beside(&self, vector: Option<&str>) -> Result<(&str, Camera), String> {
        let vectors = self.vectors.keys().map(String::as_str).eq(vector);
        if let (Some((name, camera)), 1, true) = (self.cameras.iter().next(), self.cameras.len(), vectors) {
            return Ok((name, *camera));
        }
        let vectors = vector.map_or_else(|| "no vectors".to_owned(), |name| format!("the vector {name}"));
        Err(format!("this model takes one camera and {vectors}, the data have {}", self.streams()))
    }

    /// The streams in words: `camera pixels 65x65, vector force[6]`.
    pub fn streams(&self) -> String {
        let cameras =
            self.cameras.iter().map(|(name, camera)| format!("camera {name} {}x{}", camera.width, camera.height));
        let vectors = self.vectors.iter().map(|(name, width)| format!("vector {name}[{width}]"));
        let all: Vec<String> = cameras.chain(vectors).collect();
        if all.is_empty() { "no streams".to_owned() } else { all.join(", ") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed;

    #[test]
    fn vectors_are_brought_into_the_space() {
        let project = |space: &Space, values: &[f32]| {
            let mut values = values.to_vec();
            space.project(&mut values);
            values
        };
        let space = Space::Box { low: vec![-1.0, 0.0], high: vec![1.0, 0.5] };
        assert_eq!(project(&space, &[-3.0, 0.25]), [-1.0, 0.25]);
        let ball = Space::Ball { dim: 2, radius: 2.5 };
        assert_eq!(project(&ball, &[3.0, 4.0]), [1.5, 2.0]);
        assert_eq!(project(&ball, &[1.0, 2.0]), [1.0, 2.0]);
        let choice = Space::Discrete { count: 3 };
        assert_eq!(project(&choice, &[0.1, 0.7, 0.7]), [0.0, 1.0, 0.0]);
        assert_eq!(project(&Space::Unbounded { dim: 1 }, &[9.0]), [9.0]);
    }

    #[test]
    fn choices_are_stored_as_their_number() {
        let space = Space::Discrete { count: 3 };
        assert_eq!((space.width(), space.stored_width()), (3, 1));
        assert_eq!(space.from_stored(&[2.0]), [0.0, 0.0, 1.0]);
        assert_eq!(space.to_stored(&[0.0, 0.0, 1.0]), [2.0]);
        assert_eq!(space.from_stored(&[f32::NAN]), [0.0; 3]);
        assert_eq!(space.action(&[0.0, 1.0, 0.0]), Action::Choice(1));
        let plain = Space::Ball { dim: 2, radius: 1.0 };
        assert_eq!(plain.from_stored(&[f32::NAN, 0.5]), [0.0, 0.5]);
        assert_eq!(plain.to_stored(&[0.5, 0.25]), [0.5, 0.25]);
    }

    #[test]
    fn samples_lie_in_the_space() {
        let mut rng = seed::rng(1, "test", 0, 0);
        let spaces = [
            Space::Box { low: vec![-2.0, 1.0], high: vec![-1.0, 3.0] },
            Space::Ball { dim: 3, radius: 0.5 },
            Space::Discrete { count: 4 },
            Space::Unbounded { dim: 2 },
        ];
        for space in spaces {
            for _ in 0..50 {
                let drawn = space.sample(&mut rng);
                let mut projected = drawn.clone();
                space.project(&mut projected);
                let moved = drawn.iter().zip(&projected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                assert!(moved < 1e-6, "{space}: {drawn:?}");
            }
        }
    }

    #[test]
    fn a_model_of_one_camera_lists_the_streams_that_it_cannot_take() {
        let mut spaces = Spaces { frames: 4, frame_step: 2, ..Spaces::default() };
        assert!(spaces.only_camera().unwrap_err().contains("no streams"));
        spaces.cameras.insert("front".into(), Camera { height: 2, width: 3 });
        assert_eq!(spaces.only_camera(), Ok(("front", Camera { height: 2, width: 3 })));
        spaces.vectors.insert("force".into(), 6);
        assert_eq!(spaces.only_camera_beside(Some("force")), Ok(("front", Camera { height: 2, width: 3 })));
        spaces.cameras.insert("wrist".into(), Camera { height: 8, width: 8 });
        assert!(spaces.only_camera_beside(Some("force")).unwrap_err().contains("one camera and the vector force"));
        let message = spaces.only_camera().unwrap_err();
        assert!(message.ends_with("camera front 3x2, camera wrist 8x8, vector force[6]"), "{message}");
        spaces.action = Some(Space::Discrete { count: 5 });
        assert_eq!((spaces.action_width(), spaces.state_width(), spaces.clip_bytes()), (10, 0, 4 * (6 + 64) * 3));
    }

    #[test]
    fn json_keeps_everything() {
        let spaces = Spaces {
            frames: 9,
            frame_step: 1,
            cameras: BTreeMap::from([("pixels".into(), Camera { height: 65, width: 64 })]),
            vectors: BTreeMap::from([("force".into(), 6)]),
            action: Some(Space::Ball { dim: 2, radius: 2.45 }),
            state: Some(2),
        };
        let text = serde_json::to_string(&spaces).unwrap();
        assert!(text.contains(r#""action":{"kind":"ball","dim":2,"radius":2.45}"#), "{text}");
        assert_eq!(serde_json::from_str::<Spaces>(&text).unwrap(), spaces);
        assert!(serde_json::from_str::<Spaces>(r#"{"frame":9}"#).is_err());
    }
}
