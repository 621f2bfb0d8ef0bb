//! Episodes that are there twice.

use std::collections::HashMap;

use super::film::{CELLS, Film};
use super::finding::Finding;
use crate::EpisodeSource;

/// Pictures of two episodes that differ by less than this, of 255, may be nearly the same.
const NEAR: f64 = 3.0;
/// They are if what moves in them differs by less than this share of what is usual.
const SHARE: f64 = 0.15;

/// What is compared of each episode.
pub(super) struct Signatures {
    /// Per episode a checksum of its columns and of how its pictures change.
    pub(super) exact: Vec<Option<u32>>,
    /// Per episode its pictures in small.
    pub(super) pictures: Vec<Option<Vec<f32>>>,
}

impl Signatures {
    pub(super) fn new(episodes: usize) -> Self {
        Self { exact: vec![None; episodes], pictures: vec![None; episodes] }
    }

    /// Takes in an episode: its films, and its rows of numbers.
    pub(super) fn add(&mut self, episode: usize, films: &[&Film], rows: &[&[f32]]) {
        let mut sum = crc32fast::Hasher::new();
        let mut pictures = Vec::new();
        for film in films {
            film.change.iter().chain(&film.brightness).for_each(|value| sum.update(&value.to_le_bytes()));
            pictures.extend_from_slice(&film.signature);
        }
        for rows in rows {
            rows.iter().for_each(|value| sum.update(&value.to_le_bytes()));
        }
        self.exact[episode] = Some(sum.finalize());
        self.pictures[episode] = Some(pictures);
    }

    /// Episodes that are equal, and episodes that are nearly so. `is_held_out` tells on which side of the split one is.
    pub(super) fn findings(&self, source: &dyn EpisodeSource, is_held_out: impl Fn(usize) -> bool) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut first: HashMap<(u32, usize), usize> = HashMap::new();
        let mut copies = vec![false; self.exact.len()];
        for (episode, sum) in self.exact.iter().enumerate() {
            let Some(sum) = sum else { continue };
            let known = *first.entry((*sum, source.length(episode))).or_insert(episode);
            if known != episode {
                copies[episode] = true;
                findings.push(
                    Finding::error("duplicate-episode", format!("is the same as episode {known}")).of_episode(episode),
                );
            }
        }
        let pairs = self.distances();
        let mut all: Vec<f64> = pairs.iter().map(|pair| pair.3).collect();
        let usual = super::film::median(&mut all).copied().unwrap_or(0.0);
        for (a, b, distance, motion) in pairs {
            let near = distance < NEAR && motion < SHARE * usual;
            if near && !copies[a] && !copies[b] && self.exact[a] != self.exact[b] {
                let differs = format!("what moves differs by {:.0} % of what is usual", 100.0 * motion / usual);
                let (episode, message) = match (is_held_out(a), is_held_out(b)) {
                    (true, false) => {
                        (a, format!("is held out, and nearly episode {b}, which is trained on: {differs}"))
                    }
                    (false, true) => {
                        (b, format!("is held out, and nearly episode {a}, which is trained on: {differs}"))
                    }
                    _ => (b, format!("is nearly episode {a}: {differs}")),
                };
                findings.push(Finding::warning("near-duplicate", message).of_episode(episode));
            }
        }
        findings
    }

    /// The mean differences of the pictures of all pairs, and of what moves in them: what is left without the mean over time. Where
    /// there are very many episodes, of each with some that follow.
    fn distances(&self) -> Vec<(usize, usize, f64, f64)> {
        const PAIRS: usize = 4_000_000;
        let episodes: Vec<(usize, &Vec<f32>, Vec<f32>)> = self
            .pictures
            .iter()
            .enumerate()
            .filter_map(|(episode, pictures)| Some((episode, pictures.as_ref()?, moving(pictures.as_ref()?))))
            .collect();
        let difference = |a: &[f32], b: &[f32]| {
            let sum: f64 = a.iter().zip(b).map(|(a, b)| f64::from((a - b).abs())).sum();
            sum / a.len() as f64
        };
        let within = (PAIRS / episodes.len().max(1)).max(1);
        let mut pairs = Vec::new();
        for (place, (a, first, first_moving)) in episodes.iter().enumerate() {
            for (b, second, second_moving) in episodes.iter().skip(place + 1).take(within) {
                if first.len() == second.len() && !first.is_empty() {
                    pairs.push((*a, *b, difference(first, second), difference(first_moving, second_moving)));
                }
            }
        }
        pairs
    }
}

/// Pictures without their mean over time.
fn moving(pictures: &[f32]) -> Vec<f32> {
    let mut mean = [0.0; CELLS * CELLS];
    let count = pictures.len() / mean.len();
    for picture in pictures.chunks_exact(CELLS * CELLS) {
        mean.iter_mut().zip(picture).for_each(|(mean, cell)| *mean += cell / count as f32);
    }
    pictures
        .chunks_exact(CELLS * CELLS)
        .flat_map(|picture| picture.iter().zip(mean).map(|(cell, mean)| cell - mean))
        .collect()
}
