//! What a model needs to know of the past of an episode.

use std::collections::VecDeque;

use prevision_core::{Observations, Spaces};

/// The last moments of one episode and the actions between them.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    /// The present moment last.
    observations: Observations,
    /// Actions of the model between the moments.
    actions: VecDeque<Vec<f32>>,
    /// The last of all actions; kept where a model uses no past ones too.
    last_action: Option<Vec<f32>>,
}

impl History {
    /// Adds a moment, and the action of the model that led there; nothing led to the first. At most `length` moments are kept.
    pub(super) fn push(&mut self, action: Option<&[f32]>, seen: &Observations, length: usize) {
        self.observations.append(seen);
        self.observations.keep_last(length);
        self.actions.extend(action.map(<[f32]>::to_vec));
        self.last_action = action.map(<[f32]>::to_vec);
        while self.actions.len() >= self.observations.moments().max(1) {
            self.actions.pop_front();
        }
    }

    /// The moments, the present one last.
    pub(super) fn observations(&self) -> &Observations {
        &self.observations
    }

    /// The actions between the moments.
    pub(super) fn actions(&self) -> &VecDeque<Vec<f32>> {
        &self.actions
    }

    /// The action of the model that led to the present moment; `None` at the first.
    pub(super) fn last_action(&self) -> Option<&[f32]> {
        self.last_action.as_deref()
    }
}

/// Of one moment of a world, the streams that a model was trained on.
///
/// # Errors
/// If one is missing or has another size: a sentence that names it.
pub(crate) fn streams_of(spaces: &Spaces, seen: &Observations) -> Result<Observations, String> {
    let mut streams = Observations::default();
    for (name, camera) in &spaces.cameras {
        let frames = seen.cameras.get(name).filter(|it| [it.height, it.width] == [camera.height, camera.width]);
        let frames = frames.ok_or_else(|| format!("camera {name} {}x{}", camera.width, camera.height));
        streams.cameras.insert(name.clone(), frames.map_err(missing)?.clone());
    }
    for (name, width) in &spaces.vectors {
        let rows = seen.vectors.get(name).filter(|rows| rows.columns == *width);
        let rows = rows.ok_or_else(|| format!("vector {name}[{width}]"));
        streams.vectors.insert(name.clone(), rows.map_err(missing)?.clone());
    }
    Ok(streams)
}

fn missing(stream: String) -> String {
    format!("the model sees {stream}, which the world does not show")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use prevision_core::{Array2, Camera, FrameBuffer};

    use super::*;

    fn moment(value: u8) -> Observations {
        let mut frames = FrameBuffer::new(1, 2, 3);
        frames.data.fill(value);
        let mut seen = Observations::of_camera("front", frames);
        seen.cameras.insert("wrist".into(), FrameBuffer::new(1, 1, 1));
        seen.vectors.insert("force".into(), Array2::new(vec![f32::from(value)], 1, 1));
        seen
    }

    #[test]
    fn keeps_no_more_than_the_model_uses() {
        for (length, moments) in [(1, 1), (3, 3), (9, 5)] {
            let mut history = History::default();
            history.push(None, &moment(0), length);
            for step in 1..5 {
                history.push(Some(&[f32::from(step)]), &moment(step), length);
            }
            assert_eq!((history.observations().moments(), history.actions().len()), (moments, moments - 1));
            assert_eq!(history.observations().vectors["force"].row(moments - 1), [4.0]);
            assert!(history.actions().back().is_none_or(|action| action == &[4.0]));
            assert_eq!(history.last_action(), Some(&[4.0][..]));
        }
    }

    #[test]
    fn a_model_is_shown_its_own_streams() {
        let mut spaces = Spaces {
            cameras: BTreeMap::from([("front".into(), Camera { height: 2, width: 3 })]),
            vectors: BTreeMap::from([("force".into(), 1)]),
            ..Spaces::default()
        };
        let seen = streams_of(&spaces, &moment(1)).unwrap();
        assert_eq!((seen.cameras.len(), seen.vectors.len()), (1, 1));
        spaces.vectors.insert("force".into(), 6);
        let message = streams_of(&spaces, &moment(1)).unwrap_err();
        assert_eq!(message, "the model sees vector force[6], which the world does not show");
        spaces.cameras.insert("front".into(), Camera { height: 3, width: 3 });
        assert!(streams_of(&spaces, &moment(1)).unwrap_err().contains("camera front 3x3"));
    }
}
