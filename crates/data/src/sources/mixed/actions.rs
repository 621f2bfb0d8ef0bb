//! Actions of different spaces as those of one: their numbers are matched by name.

use prevision_core::config::check::message;
use prevision_core::{Array2, Space, Spaces};

use super::key;

/// The actions of a mix.
pub(super) struct MixedActions {
    /// What one raw action can be; `None` if no part has actions.
    pub(super) space: Option<Space>,
    /// Of each part, where the numbers of its actions stand in those of the mix.
    pub(super) places: Vec<Vec<usize>>,
}

/// The names of the numbers of a part's actions.
pub(super) fn names(part: usize, given: Option<&[String]>, spaces: &Spaces) -> Result<Vec<String>, String> {
    let Some(space) = &spaces.action else {
        // A clip of one frame has no actions, whatever the data set has.
        return match given {
            Some(names) if spaces.frames > 1 && !names.is_empty() => {
                let allowed = "unset: this data set has no actions";
                Err(message(&format!("{}.actions", key(part)), format_args!("{names:?}"), allowed))
            }
            _ => Ok(vec![]),
        };
    };
    let width = space.width();
    match given {
        None => {
            let word = if let Space::Discrete { .. } = space { "choice" } else { "action" };
            Ok((0..width).map(|number| format!("{word}.{number}")).collect())
        }
        Some(names) if names.len() == width => Ok(names.to_vec()),
        Some(names) => {
            let allowed = format!("{width} names: an action is {space}");
            Err(message(&format!("{}.actions", key(part)), format_args!("{names:?}"), allowed))
        }
    }
}

impl MixedActions {
    /// Out of the names and the space of each part: all numbers, in the order in which they appear first.
    pub(super) fn new(parts: &[(Vec<String>, Option<Space>)]) -> Self {
        let mut all: Vec<&String> = Vec::new();
        let mut place = |name| {
            all.iter().position(|known| *known == name).unwrap_or_else(|| {
                all.push(name);
                all.len() - 1
            })
        };
        let places: Vec<Vec<usize>> = parts.iter().map(|(names, _)| names.iter().map(&mut place).collect()).collect();
        let width = all.len();
        let spaces: Vec<Option<&Space>> = parts.iter().map(|(_, space)| space.as_ref()).collect();
        let same =
            places.iter().all(|places| is_whole(places, width)) && spaces.iter().all(|space| *space == spaces[0]);
        let space = if same { spaces[0].cloned() } else { Some(united(&spaces, &places, width)) };
        Self { space, places }
    }

    /// Numbers of an action.
    pub(super) fn width(&self) -> usize {
        self.space.as_ref().map_or(0, Space::width)
    }

    /// Whether a part lacks numbers that others have.
    pub(super) fn is_padded(&self) -> bool {
        self.places.iter().any(|places| places.len() < self.width())
    }

    /// The mask of a part: of each number whether the part has it, 1 or 0.
    pub(super) fn mask(&self, part: usize) -> Vec<f32> {
        let mut mask = vec![0.0; self.width()];
        self.places[part].iter().for_each(|&place| mask[place] = 1.0);
        mask
    }

    /// Actions of a clip of a part as those of the mix, in blocks of `frame_step`; `None` stays `None` if the mix has no actions.
    pub(super) fn padded(&self, part: usize, actions: Option<Array2>, spaces: &Spaces) -> Option<Array2> {
        let (places, width) = (&self.places[part], self.width());
        if width == 0 || is_whole(places, width) {
            return actions;
        }
        let mut padded = Array2::zeros(spaces.frames - 1, spaces.frame_step * width);
        if let Some(actions) = actions {
            for (raw, to) in actions.data.chunks_exact(places.len()).zip(padded.data.chunks_exact_mut(width)) {
                places.iter().zip(raw).for_each(|(&place, value)| to[place] = *value);
            }
        }
        Some(padded)
    }
}

/// Whether the numbers of a part are all numbers, in their order.
fn is_whole(places: &[usize], width: usize) -> bool {
    places.iter().copied().eq(0..width)
}

/// The space that holds the actions of all parts, with 0 for the numbers that a part has not.
fn united(spaces: &[Option<&Space>], places: &[Vec<usize>], width: usize) -> Space {
    let (mut low, mut high) = (vec![f32::INFINITY; width], vec![f32::NEG_INFINITY; width]);
    for (space, places) in spaces.iter().zip(places) {
        let Some((lows, highs)) = space.map_or_else(|| Some((vec![], vec![])), bounds) else {
            return Space::Unbounded { dim: width };
        };
        for number in 0..width {
            let own = places.iter().position(|&place| place == number);
            let (least, largest) = own.map_or((0.0, 0.0), |own| (lows[own], highs[own]));
            low[number] = low[number].min(least);
            high[number] = high[number].max(largest);
        }
    }
    Space::Box { low, high }
}

/// Least and largest value of each number of a model's form; `None` without bounds.
fn bounds(space: &Space) -> Option<(Vec<f32>, Vec<f32>)> {
    match space {
        Space::Box { low, high } => Some((low.clone(), high.clone())),
        Space::Ball { dim, radius } => Some((vec![-radius; *dim], vec![*radius; *dim])),
        Space::Discrete { count } => Some((vec![0.0; *count], vec![1.0; *count])),
        Space::Unbounded { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mixed(parts: &[(&[&str], Option<Space>)]) -> MixedActions {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        MixedActions::new(&parts.iter().map(|(names, space)| (owned(names), space.clone())).collect::<Vec<_>>())
    }

    fn box_of(low: &[f32], high: &[f32]) -> Space {
        Space::Box { low: low.to_vec(), high: high.to_vec() }
    }

    #[test]
    fn equal_spaces_stay_what_they_are() {
        for space in [Space::Discrete { count: 2 }, Space::Ball { dim: 2, radius: 3.0 }, box_of(&[0.0; 2], &[1.0; 2])] {
            let same = mixed(&[(&["a", "b"], Some(space.clone())), (&["a", "b"], Some(space.clone()))]);
            assert_eq!((same.space.as_ref(), same.is_padded()), (Some(&space), false));
        }
        assert_eq!(mixed(&[(&[], None), (&[], None)]).space, None);
    }

    #[test]
    fn different_spaces_are_united() {
        let (one, other) = (box_of(&[1.0, -1.0], &[2.0, 1.0]), box_of(&[-5.0, 0.0], &[0.5, 9.0]));
        let both = mixed(&[(&["a", "b"], Some(one.clone())), (&["b", "c"], Some(other.clone()))]);
        assert_eq!(both.space, Some(box_of(&[0.0, -5.0, 0.0], &[2.0, 1.0, 9.0])), "a is 0 in the second part");
        assert_eq!((both.mask(0), both.mask(1)), (vec![1.0, 1.0, 0.0], vec![0.0, 1.0, 1.0]));
        let turned = mixed(&[(&["a", "b"], Some(one.clone())), (&["b", "a"], Some(other))]);
        assert_eq!(turned.space, Some(box_of(&[0.0, -5.0], &[9.0, 1.0])));
        assert!(!turned.is_padded());
        let free = mixed(&[(&["a", "b"], Some(one.clone())), (&["b"], Some(Space::Unbounded { dim: 1 }))]);
        assert_eq!(free.space, Some(Space::Unbounded { dim: 2 }));
        let choices = mixed(&[
            (&["l", "r"], Some(Space::Discrete { count: 2 })),
            (&["r", "x", "y"], { Some(Space::Ball { dim: 3, radius: 2.0 }) }),
        ]);
        assert_eq!(choices.space, Some(box_of(&[0.0, -2.0, -2.0, -2.0], &[1.0, 2.0, 2.0, 2.0])));
        let none = mixed(&[(&[], None), (&["a", "b"], Some(one))]);
        assert_eq!(none.space, Some(box_of(&[0.0, -1.0], &[2.0, 1.0])));
        assert_eq!(none.mask(0), [0.0, 0.0]);
    }

    #[test]
    fn every_raw_action_of_a_block_is_padded() {
        let spaces = Spaces { frames: 3, frame_step: 2, ..Spaces::default() };
        let both =
            mixed(&[(&["a"], Some(Space::Unbounded { dim: 1 })), (&["b", "a"], Some(Space::Unbounded { dim: 2 }))]);
        let padded = both.padded(0, Some(Array2::new(vec![1.0, 2.0, 3.0, 4.0], 2, 2)), &spaces).unwrap();
        assert_eq!(padded, Array2::new(vec![1.0, 0.0, 2.0, 0.0, 3.0, 0.0, 4.0, 0.0], 2, 4));
        let turned = both.padded(1, Some(Array2::new((1..=8_u8).map(f32::from).collect(), 2, 4)), &spaces).unwrap();
        assert_eq!(turned, Array2::new(vec![2.0, 1.0, 4.0, 3.0, 6.0, 5.0, 8.0, 7.0], 2, 4));
    }
}
