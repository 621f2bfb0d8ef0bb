//! Looking through recorded episodes for what would be learned wrong.
//!
//! Every frame is read once, in small; the columns are read whole. What is found is said as [`Finding`]s.

mod columns;
mod duplicates;
mod film;
mod finding;
mod lag;

use std::path::{Path, PathBuf};

use prevision_core::{Array2, Normalise};
use serde::Serialize;

use self::columns::Column;
use self::duplicates::Signatures;
use self::film::{Film, median};
pub use self::finding::{Finding, Severity};
use crate::clips::{originals, split};
use crate::parallel::in_parallel;
use crate::sources::{EpisodeFrames, EpisodeSource, offsets};
use crate::{DataError, Split};

/// What is checked.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckOptions {
    /// Cameras; empty for all.
    pub cameras: Vec<String>,
    /// Column of the actions; left out if there is none of the name.
    pub action: String,
    /// Column of the states; left out if there is none of the name.
    pub state: String,
    /// Moments that a clip of the training covers.
    pub frames: usize,
    /// Share of the episodes that the training keeps aside, and its seed.
    pub validation_fraction: f64,
    /// See `validation_fraction`.
    pub seed: u64,
    /// Threads that read videos.
    pub workers: usize,
}

/// What a check came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CheckReport {
    /// Episodes.
    pub episodes: usize,
    /// Moments of all episodes.
    pub moments: usize,
    /// The cameras that were looked at.
    pub cameras: Vec<String>,
    /// The columns that were looked at.
    pub columns: Vec<String>,
    /// Share of the steps in which nothing happens: neither the state nor a picture changes.
    pub idle: f64,
    /// Mean and deviation of the pixels, as `[data.normalise]` takes them; none without a camera.
    pub normalise: Option<Normalise>,
    /// What was found, errors first.
    pub findings: Vec<Finding>,
}

impl CheckReport {
    /// Whether training would be wrong.
    pub fn has_errors(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Error)
    }
}

/// Looks through a recording. `progress` is called from several threads with the episodes looked at so far, and all.
///
/// # Errors
/// If the recording cannot be listed; what is wrong with an episode is a finding.
pub fn check_episodes(
    path: &Path,
    source: &dyn EpisodeSource,
    options: &CheckOptions,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<CheckReport, DataError> {
    let mut findings = Vec::new();
    let there = source.cameras()?;
    let cameras = if options.cameras.is_empty() { there.clone() } else { options.cameras.clone() };
    if let Some(missing) = cameras.iter().find(|camera| !there.contains(camera)) {
        let message = format!("has no camera `{missing}`; cameras here: {}", there.join(", "));
        return Err(DataError::format(path, message));
    }
    let offsets = offsets(source);
    let moments = offsets[source.episodes()];
    let columns = read_columns(source, moments, &mut findings)?;
    lengths(source, options.frames, &mut findings);

    // Every picture once.
    let mut films: Vec<Vec<Option<Film>>> = Vec::with_capacity(cameras.len());
    for camera in &cameras {
        let look = |episode| Film::look(source, camera, episode);
        let mut of_camera = Vec::with_capacity(source.episodes());
        for (episode, film) in in_parallel(options.workers, source.episodes(), progress, look).into_iter().enumerate() {
            of_camera.push(match film {
                Ok(film) => Some(film),
                Err(finding) => {
                    findings.push(finding.of_episode(episode).of_stream(camera));
                    None
                }
            });
        }
        films.push(of_camera);
    }

    let named = |name: &str| columns.iter().find(|(known, _)| known == name);
    let column =
        |name: &str, is_action| named(name).map(|(name, rows)| Column { name, rows, offsets: &offsets, is_action });
    let (action, state) = (column(&options.action, true), column(&options.state, false));
    for (name, rows) in &columns {
        let column = Column { name, rows, offsets: &offsets, is_action: *name == options.action };
        findings.extend(column.not_finite());
    }
    for column in [&action, &state].into_iter().flatten() {
        findings.extend(column.constant());
        findings.extend(column.jumps());
        findings.extend(column.scales());
    }
    findings.extend(action.as_ref().map(Column::saturated).unwrap_or_default());
    if let (Some(action), Some(state)) = (&action, &state) {
        findings.extend(lag::action_lag(action, state));
    }
    for (camera, films) in cameras.iter().zip(&films) {
        pictures(camera, films, state.as_ref(), &mut findings);
        if let Some(state) = &state {
            findings.extend(lag::picture_lag(films, camera, state));
        }
    }
    let still = still(&films, state.as_ref(), source.episodes());
    let idle = idle(&still, &mut findings);
    let mut signatures = Signatures::new(source.episodes());
    for episode in 0..source.episodes() {
        let of_episode: Vec<&Film> = films.iter().filter_map(|films| films[episode].as_ref()).collect();
        if of_episode.len() == cameras.len() {
            let rows: Vec<&[f32]> = columns
                .iter()
                .map(|(_, rows)| &rows.data[offsets[episode] * rows.columns..offsets[episode + 1] * rows.columns])
                .collect();
            signatures.add(episode, &of_episode, &rows);
        }
    }
    let usable: Vec<usize> = (0..source.episodes()).filter(|&e| source.length(e) >= options.frames).collect();
    let originals = if columns.is_empty() { originals_of_videos(source, &cameras) } else { Vec::new() };
    let held_out = split(options.seed, &usable, &originals, options.validation_fraction, Split::Validation);
    findings.extend(signatures.findings(source, |episode| held_out.contains(&episode)));
    if columns.is_empty() {
        for finding in &mut findings {
            name_file(finding, source);
        }
    }
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    Ok(CheckReport {
        episodes: source.episodes(),
        moments,
        cameras,
        columns: columns.into_iter().map(|(name, _)| name).collect(),
        idle,
        normalise: normalise(&films),
        findings,
    })
}

/// As training tells copies of plain videos; nothing if frames are no files.
fn originals_of_videos(source: &dyn EpisodeSource, cameras: &[String]) -> Vec<usize> {
    let file = |episode| match source.frames_of(cameras.first()?, episode) {
        EpisodeFrames::Video(path) => Some(path),
        _ => None,
    };
    let files: Option<Vec<PathBuf>> = (0..source.episodes()).map(file).collect();
    files.map(|files| originals(files.iter().map(PathBuf::as_path))).unwrap_or_default()
}

/// Of plain videos the file says more than its number.
fn name_file(finding: &mut Finding, source: &dyn EpisodeSource) {
    if let (Some(episode), Ok(cameras)) = (finding.episode, source.cameras())
        && let Some(camera) = finding.stream.as_ref().or(cameras.first())
        && let EpisodeFrames::Video(path) = source.frames_of(camera, episode)
    {
        finding.file = Some(path.to_string_lossy().into_owned());
    }
}

/// All columns of numbers; one that does not fit the episodes is a finding.
fn read_columns(
    source: &dyn EpisodeSource,
    moments: usize,
    findings: &mut Vec<Finding>,
) -> Result<Vec<(String, Array2)>, DataError> {
    let mut columns = Vec::new();
    for name in source.columns()? {
        match source.column(&name) {
            Ok(rows) if rows.rows == moments => columns.push((name, rows)),
            Ok(rows) => {
                let message = format!("has {} rows, the episodes have {moments} moments", rows.rows);
                findings.push(Finding::error("column-length", message).of_stream(&name));
            }
            Err(error) => findings.push(Finding::error("unreadable-column", error.to_string()).of_stream(&name)),
        }
    }
    Ok(columns)
}

/// Episodes that are too short for a clip.
fn lengths(source: &dyn EpisodeSource, frames: usize, findings: &mut Vec<Finding>) {
    // What has none at all cannot be read, which is told apart.
    let is_short = |&episode: &usize| (1..frames).contains(&source.length(episode));
    let short: Vec<usize> = (0..source.episodes()).filter(is_short).collect();
    let share = short.len() as f64 / source.episodes().max(1) as f64;
    if let Some(&first) = short.first() {
        let message = format!(
            "has {} moments, a clip needs {frames}; {} of {} episodes are too short",
            source.length(first),
            short.len(),
            source.episodes()
        );
        let finding = if share > 0.5 {
            Finding::error("short-episode", message)
        } else {
            Finding::warning("short-episode", message)
        };
        findings.push(finding.of_episode(first));
    }
}

/// Black, frozen and repeated frames, and times that do not fit.
fn pictures(camera: &str, films: &[Option<Film>], state: Option<&Column>, findings: &mut Vec<Finding>) {
    /// Steps without a change in a row from which on a camera is frozen.
    const FROZEN: usize = 5;
    /// The change that is none, as a share of what is usual.
    const NOISE: f32 = 0.05;
    /// So many of them in which the state moves.
    const MOVING: usize = 3;
    /// How far the state has to go in a step for a picture to change, of its reach.
    const VISIBLE: f64 = 0.01;
    let reach = state.map(Column::reach);
    let mut rates: Vec<f64> = films.iter().flatten().filter_map(|film| Some(film.rate?.0)).collect();
    let usual_rate = median(&mut rates).copied();
    let mut changes: Vec<f64> = films.iter().flatten().flat_map(|film| &film.change).map(|c| f64::from(*c)).collect();
    let noise = NOISE * median(&mut changes).copied().unwrap_or(0.0) as f32;
    for (episode, film) in films.iter().enumerate() {
        let Some(film) = film else { continue };
        let mut add = |finding: Finding| findings.push(finding.of_episode(episode).of_stream(camera));
        let frames = film.brightness.len();
        let black = film.black();
        let count: usize = black.iter().map(|(first, end)| end - first).sum();
        // A film may fade in and out.
        let inside = black.iter().find(|(first, end)| *first > 0 && *end < frames);
        if let Some((first, _)) = inside.or(black.first().filter(|_| count * 10 > frames)) {
            add(Finding::error("black-frames", format!("{count} of {frames} frames are black, from frame {first} on")));
        }
        let moves = state.zip(reach.as_ref()).map(|(state, reach)| state.moves(episode, reach, VISIBLE));
        let mut repeated = 0;
        for (first, end) in film.still(noise) {
            let moving =
                moves.as_ref().map(|moves| (first..end).filter(|&step| moves.get(step) == Some(&true)).count());
            let frozen = match moving {
                Some(moving) => end - first >= FROZEN && moving >= MOVING,
                None => end - first >= (3 * FROZEN).max(frames / 4),
            };
            if frozen {
                let while_moving = if moving.is_some() { " while the state changes" } else { "" };
                let message = format!("frames {first} to {end} are the same{while_moving}");
                add(if moving.is_some() {
                    Finding::error("frozen-frames", message)
                } else {
                    Finding::warning("frozen-frames", message)
                });
            } else {
                repeated += moving.unwrap_or(0);
            }
        }
        if repeated * 20 > frames && repeated > 2 {
            let message = format!("{repeated} of {frames} frames repeat the one before while the state changes");
            add(Finding::error("repeated-frames", message));
        }
        if let (Some((rate, longest)), Some(usual)) = (film.rate, usual_rate) {
            if (rate / usual - 1.0).abs() > 0.02 {
                let message = format!("has {rate:.2} frames a second, the others {usual:.2}");
                // Rows of a table go with frames; plain videos may be sampled by time.
                add(match state {
                    Some(_) => Finding::error("frame-rate", message),
                    None => Finding::warning("frame-rate", message),
                });
            }
            if longest > 3.0 {
                add(Finding::warning(
                    "time-gap",
                    format!("the longest time between two frames is {longest:.1} times the usual one"),
                ));
            }
        }
    }
}

/// The share of all steps in which nothing happens. Where there are many, in all episodes or in a few, that is a finding.
fn idle(still: &[(usize, usize)], findings: &mut Vec<Finding>) -> f64 {
    const MANY: f64 = 0.3;
    const FEW: f64 = 0.1;
    let share = |(still, steps): (usize, usize)| still as f64 / steps.max(1) as f64;
    let all = share(still.iter().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1)));
    if all > MANY {
        let message =
            format!("nothing happens in {:.0} % of the steps: neither state nor pictures change", 100.0 * all);
        findings.push(Finding::warning("idle", message));
        return all;
    }
    let mut shares: Vec<f64> = still.iter().map(|one| share(*one)).collect();
    let idle: Vec<usize> = (0..shares.len()).filter(|&episode| shares[episode] > MANY).collect();
    let first = idle.first().map(|&episode| (episode, shares[episode]));
    if let (Some((episode, share)), Some(usual)) = (first, median(&mut shares))
        && *usual < FEW
    {
        let message = format!(
            "nothing happens in {:.0} % of its steps, {:.0} % in most episodes; {} such episodes",
            100.0 * share,
            100.0 * usual,
            idle.len()
        );
        findings.push(Finding::warning("idle", message).of_episode(episode));
    }
    all
}

/// Per episode the steps in which nothing changes, and all steps.
fn still(films: &[Vec<Option<Film>>], state: Option<&Column>, episodes: usize) -> Vec<(usize, usize)> {
    let reach = state.map(Column::reach);
    let mut counts = Vec::with_capacity(episodes);
    for episode in 0..episodes {
        let (mut still, mut steps) = (0, 0);
        let moves = state.zip(reach.as_ref()).map(|(state, reach)| state.moves(episode, reach, 1e-6));
        let films: Vec<&Film> = films.iter().filter_map(|films| films[episode].as_ref()).collect();
        let count = moves.as_ref().map(Vec::len).or(films.first().map(|film| film.change.len())).unwrap_or(0);
        for step in 0..count {
            let moved = moves.as_ref().is_some_and(|moves| moves[step]);
            let seen = films.iter().any(|film| film.change.get(step).is_some_and(|change| *change > 0.0));
            still += usize::from(!moved && !seen);
            steps += 1;
        }
        counts.push((still, steps));
    }
    counts
}

/// Mean and deviation of all pixels.
fn normalise(films: &[Vec<Option<Film>>]) -> Option<Normalise> {
    let (mut sums, mut squares, mut pixels) = ([0.0; 3], [0.0; 3], 0.0);
    for film in films.iter().flatten().flatten() {
        for channel in 0..3 {
            sums[channel] += film.sums.0[channel];
            squares[channel] += film.sums.1[channel];
        }
        pixels += film.sums.2;
    }
    (pixels > 0.0).then(|| {
        let mean = sums.map(|sum| sum / pixels);
        let of = |channel: usize| (squares[channel] / pixels - mean[channel] * mean[channel]).max(0.0).sqrt();
        let std = [of(0), of(1), of(2)];
        Normalise { mean: mean.map(|v| (v / 255.0) as f32), std: std.map(|v| (v / 255.0).max(1e-3) as f32) }
    })
}
