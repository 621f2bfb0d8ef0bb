//! Possible against impossible films: which pairs are compared, how often the impossible one scores higher.

use prevision_data::films::Film;

use crate::EvalError;

/// Which possible films an impossible one of its group is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pairing {
    /// All of them.
    All,
    /// Those that share most frames with it from the first one on.
    Beginning,
    /// Those that share most frames with it up to the last one.
    Ending,
}

/// The films of one group, by number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) possible: Vec<usize>,
    pub(super) impossible: Vec<usize>,
}

impl Group {
    /// Its pairs, each an impossible and a possible film.
    pub(super) fn pairs(&self, pairing: Pairing, frames: &[&[u64]]) -> Vec<[usize; 2]> {
        let shared = |one: usize, other: usize| {
            let pairs = frames[one].iter().zip(frames[other]);
            let from_the_end = frames[one].iter().rev().zip(frames[other].iter().rev());
            match pairing {
                Pairing::All => 0,
                Pairing::Beginning => pairs.take_while(|(one, other)| one == other).count(),
                Pairing::Ending => from_the_end.take_while(|(one, other)| one == other).count(),
            }
        };
        let mut found = Vec::new();
        for &impossible in &self.impossible {
            let most = self.possible.iter().map(|&possible| shared(impossible, possible)).max();
            let nearest = self.possible.iter().filter(|possible| Some(shared(impossible, **possible)) == most);
            found.extend(nearest.map(|&possible| [impossible, possible]));
        }
        found
    }
}

/// The groups of films, in the order of their first films.
///
/// # Errors
/// If a group lacks possible or impossible films: it could not be compared.
pub(super) fn groups(films: &[Film]) -> Result<Vec<Group>, EvalError> {
    let mut names: Vec<&str> = Vec::new();
    let mut groups: Vec<Group> = Vec::new();
    for (index, film) in films.iter().enumerate() {
        let place = names.iter().position(|name| *name == film.group).unwrap_or_else(|| {
            names.push(&film.group);
            groups.push(Group::default());
            groups.len() - 1
        });
        let group = &mut groups[place];
        if film.possible { group.possible.push(index) } else { group.impossible.push(index) }
    }
    let alone = groups.iter().position(|group| group.possible.is_empty() || group.impossible.is_empty());
    if let Some(place) = alone {
        let Group { possible, impossible } = &groups[place];
        return Err(EvalError::Config(format!(
            "group {} has {} possible and {} impossible films, expected at least one of each",
            names[place],
            possible.len(),
            impossible.len()
        )));
    }
    Ok(groups)
}

/// The share of the pairs whose impossible film scores higher; of equal scores half a pair.
pub(super) fn accuracy<'a>(scores: &[f64], pairs: impl IntoIterator<Item = &'a [usize; 2]>) -> f64 {
    let (mut right, mut count) = (0.0, 0_usize);
    for [impossible, possible] in pairs {
        right += higher(scores[*impossible], scores[*possible]);
        count += 1;
    }
    right / count as f64
}

/// The area under the receiver operating characteristic: how often an impossible film scores higher than a possible one, of all films.
pub(super) fn auroc(scores: &[f64], possible: &[usize], impossible: &[usize]) -> f64 {
    let mut sorted: Vec<f64> = possible.iter().map(|&film| scores[film]).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let below = |score: f64| sorted.partition_point(|&other| other < score);
    let up_to = |score: f64| sorted.partition_point(|&other| other <= score);
    // The mean of how many are lower, and how many are not higher.
    let sum: usize = impossible.iter().map(|&film| below(scores[film]) + up_to(scores[film])).sum();
    sum as f64 / 2.0 / (sorted.len() * impossible.len()) as f64
}

/// 1, 0, or one half for equal scores.
fn higher(score: f64, other: f64) -> f64 {
    if score > other {
        1.0
    } else if score < other {
        0.0
    } else {
        0.5
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn film(group: &str, possible: bool) -> Film {
        Film { name: String::new(), group: group.to_owned(), kind: String::new(), possible }
    }

    #[test]
    fn films_are_matched_by_group() {
        let films = [film("a", true), film("b", false), film("a", false), film("b", true), film("a", true)];
        let found = groups(&films).unwrap();
        assert_eq!(found[0], Group { possible: vec![0, 4], impossible: vec![2] });
        assert_eq!(found[1], Group { possible: vec![3], impossible: vec![1] });
        let message = groups(&films[..2]).unwrap_err().to_string();
        assert_eq!(message, "group a has 1 possible and 0 impossible films, expected at least one of each");
    }

    #[test]
    fn pairs_can_be_those_that_share_most() {
        let group = Group { possible: vec![0, 1], impossible: vec![2, 3] };
        // Present in both halves, in none, in the first, in the second.
        let films: [&[u64]; 4] = [&[0, 1, 2], &[0, 7, 8], &[0, 1, 8], &[0, 7, 2]];
        assert_eq!(group.pairs(Pairing::All, &films), [[2, 0], [2, 1], [3, 0], [3, 1]]);
        assert_eq!(group.pairs(Pairing::Beginning, &films), [[2, 0], [3, 1]]);
        assert_eq!(group.pairs(Pairing::Ending, &films), [[2, 1], [3, 0]]);
    }

    #[test]
    fn equal_scores_count_half() {
        let scores = [1.0, 2.0, 2.0, 3.0];
        assert_eq!(accuracy(&scores, &[[3, 0], [2, 1], [0, 1], [1, 0]]), 0.625);
        // Of the four pairs of {2, 3} and {1, 2}: 2 > 1, 2 = 2, 3 > 1, 3 > 2.
        assert_eq!(auroc(&scores, &[0, 1], &[2, 3]), 0.875);
        assert_eq!(auroc(&scores, &[3], &[0, 1, 2]), 0.0);
    }
}
