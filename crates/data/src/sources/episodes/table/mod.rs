//! Videos with a table of the numbers that belong to their frames.

mod file;
mod header;
mod options;
mod resample;
mod rows;
mod vectors;
mod write;

use std::path::{Path, PathBuf};

use prevision_core::Array2;
use prevision_video::OpenOptions;

use self::file::{Keys, TableFile};
use self::header::{Header, is_of_episodes};
use self::options::{Align, OPTIONS, TableOptions};
use self::resample::{Axis, Gap, Rule, middle_distance};
use self::rows::{TableEpisode, episodes};
use self::vectors::{Vector, vectors};
pub(super) use self::write::TableSink;
use super::{EpisodeFrames, EpisodeSource};
use crate::DataError;
use crate::files::{IndexCache, Indices};
use crate::parallel::in_parallel;

/// An open table, and its videos. A moment is a frame of the videos; values are made of the rows around it.
pub(super) struct Table {
    path: PathBuf,
    file: TableFile,
    keys: Keys,
    align: Align,
    /// Names of the cameras, in the order of the episodes' files.
    cameras: Vec<String>,
    vectors: Vec<Vector>,
    options: TableOptions,
    episodes: Vec<TableEpisode>,
}

impl Table {
    /// Whether there is a table of episodes: a file with a column that names videos, or a folder with one at its top that also tells
    /// frames or times. What else is wrong with it is told when it is opened.
    pub(super) fn is_there(at: &Path) -> bool {
        let is_table = |path: &PathBuf| match TableFile::open(path) {
            Ok(file) => is_of_episodes(file.names(), path != at),
            Err(_) => is_wide_text(path),
        };
        tables(at).is_ok_and(|tables| tables.iter().any(is_table))
    }

    /// Opens a table. Read are the columns that tell where rows belong, and the indices of the videos.
    ///
    /// # Errors
    /// If the table or a video cannot be read, or they do not belong together.
    pub(super) fn open(at: &Path) -> Result<Self, DataError> {
        let path = match <[PathBuf; 1]>::try_from(tables(at)?) {
            Ok([path]) => path,
            Err(found) => {
                let names: Vec<_> =
                    found.iter().filter_map(|path| path.file_name()).map(|name| name.to_string_lossy()).collect();
                let message = match &names[..] {
                    [first, second, ..] => format!(
                        "holds {} tables (csv, tsv, parquet), {first} and {second} among them, expected one, or the path of one",
                        names.len()
                    ),
                    _ => "holds no table (csv, tsv, parquet), expected one, or the path of one".to_owned(),
                };
                return Err(DataError::format(at, message));
            }
        };
        let bad = |message: String| DataError::format(&path, message);
        let folder = path.parent().unwrap_or(Path::new(""));
        let options = TableOptions::read(folder)?;
        let file = TableFile::open(&path)?;
        let header = Header::new(file.names().to_vec()).map_err(bad)?;
        let (align, place) = header.align(options.align).map_err(bad)?;
        let wrong = |message: String| DataError::format(folder.join(OPTIONS), message);
        if let Some(clock) = options.clock {
            if align == Align::Frame {
                return Err(wrong(format!("clock is {clock}, but rows are placed by frame")));
            }
            if header.start.is_some() {
                return Err(wrong(format!(
                    "clock is {clock}, but the table has a column that tells when videos begin"
                )));
            }
        }
        let keys = file.keys(&header, (align, place))?;
        if keys.places.is_empty() {
            return Err(DataError::Empty { path, message: "has no rows".to_owned() });
        }
        let vectors = vectors(&header.values(), &options.columns).map_err(wrong)?;
        let vectors = of_numbers(vectors, &header, &keys).map_err(bad)?;
        if let Some(name) = options.unknown_rule(|name| vectors.iter().any(|vector| vector.name == name)) {
            return Err(wrong(format!("resample.{name}: there is no such column; columns here: {}", names(&vectors))));
        }
        let episodes = episodes(folder, &header, &keys, (align, options.clock)).map_err(bad)?;
        let cameras = header.cameras.into_iter().map(|(name, _)| name).collect();
        let mut table = Self { path, file, keys, align, cameras, vectors, options, episodes };
        table.look_into_videos()?;
        Ok(table)
    }

    /// Finds the frames of all episodes.
    fn look_into_videos(&mut self) -> Result<(), DataError> {
        let indices = Indices::new(IndexCache::of_user());
        let cameras = self.cameras.len();
        let times = |number: usize| {
            let path = &self.episodes[number / cameras].files[number % cameras];
            let index = indices.get(number, path, &OpenOptions::default());
            let (index, _) =
                index.map_err(|reason| DataError::format(path, format!("{reason}, {}", self.used_by())))?;
            Ok(index.timestamps().to_vec())
        };
        let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let times = in_parallel(workers, self.episodes.len() * cameras, &|_, _| (), times);
        let times = times.into_iter().collect::<Result<Vec<_>, DataError>>()?;
        for (episode, times) in self.episodes.iter_mut().zip(times.chunks(cameras)) {
            for (path, of_camera) in episode.files.iter().zip(times) {
                same_frames(&times[0], of_camera, self.align)
                    .map_err(|message| DataError::format(path, format!("{message} {}", episode.files[0].display())))?;
            }
            episode.frames = match self.align {
                Align::Frame => (0..times[0].len()).map(|frame| frame as f64).collect(),
                Align::Time => times[0].clone(),
            };
            // Rows without a frame.
            if let (Align::Time, Some(&row)) = (self.align, episode.rows.last())
                && let Some(late) = too_late(&episode.places, &times[0])
            {
                let (video, last) = (episode.files[0].display(), times[0].last().copied().unwrap_or_default());
                let message = format!(
                    "{late} of {} rows for {video} are later than its last frame at {last:.3} s, up to {} s ({}); times are seconds \
                     from the video's first frame, unless table.toml has clock = \"absolute\" or the table a column `video_start`",
                    episode.places.len(),
                    episode.places[episode.places.len() - 1],
                    self.keys.told(row),
                );
                return Err(DataError::format(&self.path, message));
            }
            if let (Align::Frame, Some(&last), Some(&row)) = (self.align, episode.places.last(), episode.rows.last())
                && last >= times[0].len() as f64
            {
                let (place, video) = (self.keys.told(row), episode.files[0].display());
                let message = format!("{place} is for frame {last} of {video}, which has {} frames", times[0].len());
                return Err(DataError::format(&self.path, message));
            }
        }
        Ok(())
    }

    fn used_by(&self) -> String {
        format!("named in {}", self.path.display())
    }

    /// The values of a vector at each frame of an episode.
    fn values<'v>(
        &self,
        vector: &Vector,
        episode: &TableEpisode,
        row: impl Fn(usize) -> &'v [f64],
        out: &mut Vec<f32>,
    ) -> Result<(), String> {
        let of_row = |number: usize| row(episode.rows[number]);
        let Some(rule) = self.rule(vector) else {
            self.one_row_each(episode)?;
            (0..episode.rows.len()).for_each(|row| out.extend(of_row(row).iter().map(|&value| value as f32)));
            return Ok(());
        };
        let axis = Axis::new(&episode.places, &episode.frames, self.options.max_gap);
        axis.resample(rule, of_row, out).map_err(|Gap { frame, row }| {
            let unit = if self.align == Align::Time { " s" } else { " frames" };
            let distance = (episode.frames[frame] - episode.places[row]).abs();
            let (first, last) = (episode.places[0], episode.places[episode.places.len() - 1]);
            let told = self.keys.told(episode.rows[row]);
            let hint = if first > episode.frames[episode.frames.len() - 1] || last < 0.0 {
                "; times are seconds from the video's first frame, unless table.toml has clock = \"absolute\" or the table a column \
                 `video_start`"
            } else {
                ""
            };
            format!(
                "frame {frame} of {}, at {:.3}{unit}, is {distance:.3}{unit} from {told}, of which `{rule}` would make it, more than \
                 max_gap = {:.3}; the rows are at {first:.3} to {last:.3}{unit}{hint}",
                episode.files[0].display(),
                episode.frames[frame],
                axis.max_gap,
            )
        })
    }

    /// The rule by which a vector is brought to the frames; none where each frame has one row.
    fn rule(&self, vector: &Vector) -> Option<Rule> {
        let default = (self.align == Align::Time).then_some(Rule::Hold);
        self.options.rule(&vector.name).or(default)
    }

    /// Checks that each frame has one row.
    fn one_row_each(&self, episode: &TableEpisode) -> Result<(), String> {
        let video = episode.files[0].display();
        let otherwise = "expected one for each frame; `resample` in table.toml says otherwise";
        for (frame, &place) in episode.places.iter().enumerate() {
            if place < frame as f64 {
                let told = self.keys.told(episode.rows[frame]);
                return Err(format!("{told} is another row for frame {place} of {video}, {otherwise}"));
            }
            if place > frame as f64 {
                return Err(format!("there is no row for frame {frame} of {video}, {otherwise}"));
            }
        }
        match episode.frames.get(episode.places.len()) {
            Some(frame) => Err(format!("there is no row for frame {frame} of {video}, {otherwise}")),
            None => Ok(()),
        }
    }
}

/// How many rows are later than the last frame by more than the middle distance of frames, if these are so many that the times count
/// something else: more than three quarters of at least four.
fn too_late(places: &[f64], frames: &[f64]) -> Option<usize> {
    let end = frames.last()? + middle_distance(frames);
    let late = places.iter().filter(|&&place| place > end).count();
    (places.len() >= 4 && 4 * late > 3 * places.len()).then_some(late)
}

/// Whether a file that is no table begins with the name of its first column in UTF-16: as some programs write text.
fn is_wide_text(path: &Path) -> bool {
    let mut head = [0; 512];
    let Ok(read) = std::fs::File::open(path).and_then(|mut file| std::io::Read::read(&mut file, &mut head)) else {
        return false;
    };
    let letters: Vec<u8> = head[..read].iter().copied().filter(|byte| *byte != 0).collect();
    head[..read].contains(&0) && letters.windows(5).any(|word| word == b"video")
}

impl EpisodeSource for Table {
    fn episodes(&self) -> usize {
        self.episodes.len()
    }

    fn length(&self, episode: usize) -> usize {
        self.episodes[episode].frames.len()
    }

    fn cameras(&self) -> Result<Vec<String>, DataError> {
        let mut cameras = self.cameras.clone();
        cameras.sort();
        Ok(cameras)
    }

    fn columns(&self) -> Result<Vec<String>, DataError> {
        Ok(self.vectors.iter().map(|vector| vector.name.clone()).collect())
    }

    fn column(&self, name: &str) -> Result<Array2, DataError> {
        let bad = |message: String| DataError::format(&self.path, message);
        let Some(vector) = self.vectors.iter().find(|vector| vector.name == name) else {
            let left: Vec<String> = self.keys.texts.values().map(|found| format!("; {found}")).collect();
            let message = format!("has no column `{name}`; columns here: {}{}", names(&self.vectors), left.concat());
            return Err(bad(message));
        };
        let numbers = self.file.numbers(&vector.parts)?;
        let width = numbers.width;
        if numbers.values.len() != width * self.keys.places.len() {
            return Err(bad("has changed since it was opened".to_owned()));
        }
        let mut data = Vec::new();
        for episode in &self.episodes {
            let row = |row: usize| &numbers.values[row * width..(row + 1) * width];
            self.values(vector, episode, row, &mut data)
                .map_err(|message| bad(format!("column `{name}`: {message}")))?;
        }
        let rule = self.rule(vector).map_or("one row for each frame".to_owned(), |rule| format!("`{rule}`"));
        tracing::info!("{}: column `{name}`, {width} numbers, brought to the frames by {rule}", self.path.display());
        let rows = self.episodes.iter().map(|episode| episode.frames.len()).sum();
        Ok(Array2::new(data, rows, width))
    }

    fn frames_of(&self, camera: &str, episode: usize) -> EpisodeFrames {
        let place = self.cameras.iter().position(|name| name == camera);
        place.map_or(EpisodeFrames::Own, |place| EpisodeFrames::Video(self.episodes[episode].files[place].clone()))
    }
}

/// The table at a place: itself, or those at the top of a folder, sorted.
fn tables(at: &Path) -> Result<Vec<PathBuf>, DataError> {
    if !at.is_dir() {
        return Ok(if TableFile::is_table(at) { vec![at.to_owned()] } else { vec![] });
    }
    let list =
        std::fs::read_dir(at).and_then(|list| list.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, _>>());
    let mut paths = list.map_err(|error| DataError::io(at, error))?;
    let hidden = |path: &Path| path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    paths.retain(|path| TableFile::is_table(path) && !hidden(path) && path.is_file());
    paths.sort();
    Ok(paths)
}

/// The vectors that are of numbers.
fn of_numbers(vectors: Vec<Vector>, header: &Header, keys: &Keys) -> Result<Vec<Vector>, String> {
    let mut kept = Vec::new();
    for vector in vectors {
        let texts: Vec<&String> = vector.parts.iter().filter_map(|part| keys.texts.get(part)).collect();
        match texts.first() {
            None => kept.push(vector),
            Some(found) if texts.len() < vector.parts.len() => {
                let parts: Vec<&str> = vector.parts.iter().map(|&part| header.name(part)).collect();
                return Err(format!("{found}, as the others of column `{}` ({})", vector.name, parts.join(", ")));
            }
            Some(_) => {}
        }
    }
    Ok(kept)
}

/// Whether the videos of two cameras show the same moments.
fn same_frames(first: &[f64], other: &[f64], align: Align) -> Result<(), String> {
    if first.len() != other.len() {
        return Err(format!("has {} frames, expected the {} of", other.len(), first.len()));
    }
    let frame = resample::middle_distance(first);
    let apart = |(one, other): (&f64, &f64)| (one - other).abs() > frame;
    match first.iter().zip(other).position(apart) {
        Some(place) if align == Align::Time => Err(format!(
            "shows frame {place} at {:.3} s, expected within a frame of {:.3} s, as",
            other[place], first[place]
        )),
        _ => Ok(()),
    }
}

fn names(vectors: &[Vector]) -> String {
    vectors.iter().map(|vector| vector.name.as_str()).collect::<Vec<_>>().join(", ")
}
