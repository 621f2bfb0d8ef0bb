//! The results of measuring surprise, and how people see them.

use prevision_data::films::Film;
use serde::{Deserialize, Serialize};

use super::bootstrap::bootstrap;
use super::compare::{Group, Pairing, accuracy, auroc};
use super::score::{FilmScores, Scored};
use super::{Estimate, Windows};

/// What was measured of films.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SurpriseResults {
    /// Groups of matched films.
    pub groups: usize,
    /// Frames of a window.
    pub window: usize,
    /// Frames of the film from one frame of a window to the next.
    pub step: usize,
    /// Frames of the film from one window to the next.
    pub stride: usize,
    /// Lengths of the context, frames of a window.
    pub contexts: Vec<usize>,
    /// By the mean of a film's windows.
    pub mean: ScoreResults,
    /// By the largest of a film's windows.
    pub max: ScoreResults,
    /// By the mean, for each length of the context.
    pub per_context: Vec<ContextResults>,
    /// By the mean, for each kind of impossible film.
    pub per_kind: Vec<KindResults>,
    /// Every film.
    pub films: Vec<FilmResults>,
}

/// By one way of scoring films.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoreResults {
    /// The share of the pairs whose impossible film scores higher, of all pairs of a possible and an impossible film of a group.
    pub pairwise: Comparison,
    /// The same of impossible films and the possible ones that begin most like them.
    pub same_beginning: Comparison,
    /// The same of impossible films and the possible ones that end most like them.
    pub same_ending: Comparison,
    /// Area under the receiver operating characteristic, of all films together.
    pub auroc: Comparison,
}

/// For one length of the context.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ContextResults {
    /// Frames of the context.
    pub context: usize,
    /// As [`ScoreResults::pairwise`].
    pub pairwise: Comparison,
    /// As [`ScoreResults::auroc`].
    pub auroc: Comparison,
}

/// For one kind of impossible film.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KindResults {
    /// The kind.
    pub kind: String,
    /// Impossible films of this kind.
    pub films: usize,
    /// As [`ScoreResults::pairwise`], of those alone.
    pub pairwise: Comparison,
}

/// The model beside the baseline.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// By what the model did not foresee.
    pub model: Estimate,
    /// By how much pixels change.
    pub pixel_change: Estimate,
    /// Model minus baseline, over the same samples.
    pub difference: Estimate,
}

/// One film.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FilmResults {
    /// What it is called.
    pub name: String,
    /// The matched films it belongs to.
    pub group: String,
    /// What happens in it.
    pub kind: String,
    /// Whether it could be so.
    pub possible: bool,
    /// What the model did not foresee: mean absolute differences of latents.
    pub surprise: Measured,
    /// Mean absolute differences of successive frames, of pixels from 0 to 255.
    pub pixel_change: Measured,
}

/// A film by one measure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The mean of its windows, averaged over contexts.
    pub mean: f64,
    /// Its largest window, averaged over contexts.
    pub max: f64,
    /// The mean of its windows for each context.
    pub per_context: Vec<f64>,
    /// Over time, see [`FilmScores::curve`].
    pub curve: Vec<Option<f64>>,
}

impl From<FilmScores> for Measured {
    fn from(scores: FilmScores) -> Self {
        let (mean, max, per_context) = (scores.mean(), scores.max(), scores.means());
        Self { mean, max, per_context, curve: scores.curve }
    }
}

/// Compares films that were scored.
pub(super) fn collect(
    windows: &Windows,
    films: &[Film],
    groups: &[Group],
    scored: Vec<Scored>,
    seed: u64,
) -> SurpriseResults {
    let frames: Vec<&[u64]> = scored.iter().map(|film| film.frames.as_slice()).collect();
    let pairs = |pairing| groups.iter().map(|group| group.pairs(pairing, &frames)).collect::<Vec<_>>();
    let all = pairs(Pairing::All);
    let of = |score: &dyn Fn(&FilmScores) -> f64| -> Scores {
        [
            scored.iter().map(|film| score(&film.model)).collect(),
            scored.iter().map(|film| score(&film.pixels)).collect(),
        ]
    };
    let comparing = Comparing { groups, seed };
    let by_score = |scores: &Scores| ScoreResults {
        pairwise: comparing.pairwise(scores, &all),
        same_beginning: comparing.pairwise(scores, &pairs(Pairing::Beginning)),
        same_ending: comparing.pairwise(scores, &pairs(Pairing::Ending)),
        auroc: comparing.auroc(scores),
    };
    let by_context = |(index, &context): (usize, &usize)| {
        let scores = of(&|scores| scores.means()[index]);
        ContextResults { context, pairwise: comparing.pairwise(&scores, &all), auroc: comparing.auroc(&scores) }
    };
    let means = of(&FilmScores::mean);
    let mut kinds: Vec<&str> = Vec::new();
    for film in films.iter().filter(|film| !film.possible) {
        if !kinds.contains(&film.kind.as_str()) {
            kinds.push(&film.kind);
        }
    }
    let by_kind = |kind: &&str| {
        let is_kind = |film: usize| films[film].kind == **kind;
        let of_kind = |pairs: &Vec<[usize; 2]>| pairs.iter().copied().filter(|pair| is_kind(pair[0])).collect();
        let pairs: Vec<Vec<[usize; 2]>> = all.iter().map(of_kind).collect();
        let count = films.iter().filter(|film| !film.possible && film.kind == **kind).count();
        KindResults { kind: (*kind).to_owned(), films: count, pairwise: comparing.pairwise(&means, &pairs) }
    };
    let (mean, max) = (by_score(&means), by_score(&of(&FilmScores::max)));
    let per_context = windows.contexts.iter().enumerate().map(by_context).collect();
    let per_kind = kinds.iter().map(by_kind).collect();
    let film = |(film, scored): (&Film, Scored)| FilmResults {
        name: film.name.clone(),
        group: film.group.clone(),
        kind: film.kind.clone(),
        possible: film.possible,
        surprise: scored.model.into(),
        pixel_change: scored.pixels.into(),
    };
    SurpriseResults {
        groups: groups.len(),
        window: windows.frames,
        step: windows.step,
        stride: windows.stride,
        contexts: windows.contexts.clone(),
        mean,
        max,
        per_context,
        per_kind,
        films: films.iter().zip(scored).map(film).collect(),
    }
}

/// A score of every film, by the model and by the baseline.
type Scores = [Vec<f64>; 2];

/// Compares scores over samples of groups.
struct Comparing<'a> {
    groups: &'a [Group],
    seed: u64,
}

impl Comparing<'_> {
    /// Of the pairs of each group; groups without a pair are left out.
    fn pairwise(&self, scores: &Scores, pairs: &[Vec<[usize; 2]>]) -> Comparison {
        let pairs: Vec<&Vec<[usize; 2]>> = pairs.iter().filter(|pairs| !pairs.is_empty()).collect();
        self.compare(pairs.len(), scores, |scores, drawn| {
            accuracy(scores, drawn.iter().flat_map(|&group| pairs[group]))
        })
    }

    fn auroc(&self, scores: &Scores) -> Comparison {
        self.compare(self.groups.len(), scores, |scores, drawn| {
            let films = |of: fn(&Group) -> &Vec<usize>| -> Vec<usize> {
                drawn.iter().flat_map(|&group| of(&self.groups[group])).copied().collect()
            };
            auroc(scores, &films(|group| &group.possible), &films(|group| &group.impossible))
        })
    }

    fn compare(
        &self,
        groups: usize,
        [model, pixels]: &Scores,
        measure: impl Fn(&[f64], &[usize]) -> f64,
    ) -> Comparison {
        let [model, pixel_change, difference] = bootstrap(groups, self.seed, |drawn| {
            let (model, pixels) = (measure(model, drawn), measure(pixels, drawn));
            [model, pixels, model - pixels]
        });
        Comparison { model, pixel_change, difference }
    }
}

impl SurpriseResults {
    /// What people see of it.
    pub fn table(&self) -> String {
        let count = self.films.len();
        let contexts: Vec<String> = self.contexts.iter().map(ToString::to_string).collect();
        let mut lines = vec![
            format!("{count} films in {} groups, windows of {} frames {} apart", self.groups, self.window, self.step),
            format!("every {} frames, context {} frames; with 95 % intervals", self.stride, contexts.join(", ")),
            String::new(),
            format!("{:<30} {:<21} {:<21} {}", "", "surprise", "pixel change", "difference"),
        ];
        let mut row = |name: &str, found: &Comparison| {
            let Comparison { model, pixel_change, difference } = found;
            lines.push(format!("{name:<30} {:<21} {:<21} {}", text(model), text(pixel_change), text(difference)));
        };
        for (name, score) in [("mean", &self.mean), ("max", &self.max)] {
            row(&format!("pairwise accuracy, {name}"), &score.pairwise);
            row("  same beginning", &score.same_beginning);
            row("  same ending", &score.same_ending);
            row(&format!("AUROC, {name}"), &score.auroc);
        }
        for found in &self.per_context {
            row(&format!("pairwise, context {}", found.context), &found.pairwise);
        }
        for found in &self.per_kind {
            row(&format!("pairwise, {}", found.kind), &found.pairwise);
        }
        lines.join("\n")
    }
}

fn text(estimate: &Estimate) -> String {
    let Estimate { value, low, high } = estimate;
    format!("{value:.3} [{low:.3}, {high:.3}]")
}
