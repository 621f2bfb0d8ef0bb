//! Writing a `LeRobot` data set of version 3.0.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::info::INFO;
use crate::DataError;
use crate::convert::{EpisodeSink, Recorded};
use crate::info::{CameraInfo, NumberInfo, TASK_INDEX};
use crate::sources::episodes::names::COUNTS;
use crate::tables::{Values, write};
use prevision_core::whole_file;

/// Episodes in a file of columns, files in a folder.
const CHUNK: usize = 1000;
const DATA: &str = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet";
const VIDEO: &str = "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4";
/// What the episodes are told to be about, where the recording does not say.
const TASK: &str = "unknown";

/// Writes a video for each episode and camera, as it comes, and all tables at the end; `meta/info.json` last.
pub(in crate::sources::episodes) struct LeRobotSink {
    root: PathBuf,
    rate: f64,
    tasks: Vec<String>,
    /// The task of each moment.
    task_of: Vec<usize>,
}

impl LeRobotSink {
    pub(in crate::sources::episodes) fn new(root: &Path, recorded: &Recorded) -> Result<Self, DataError> {
        let rate = recorded.frame_rate()?;
        let moments = recorded.offsets.last().copied().unwrap_or(0);
        let told = recorded.columns.iter().find(|(name, _)| name == TASK_INDEX);
        let (mut tasks, mut task_of) = (vec![TASK.to_owned()], vec![0; moments]);
        if let (Some((_, rows)), [_, ..]) = (told, recorded.source.tasks()) {
            tasks = recorded.source.tasks().to_vec();
            task_of = rows.data.iter().map(|index| *index as usize).collect();
            if let Some(index) = rows.data.iter().find(|index| !(0.0..tasks.len() as f32).contains(*index)) {
                return Err(DataError::format(
                    root,
                    format!("column `{TASK_INDEX}` holds {index}, but there are {} tasks", tasks.len()),
                ));
            }
        }
        Ok(Self { root: root.to_owned(), rate, tasks, task_of })
    }

    fn file(&self, folder: &str, chunk: usize, file: usize, extension: &str) -> PathBuf {
        self.root.join(format!("{folder}/chunk-{chunk:03}/file-{file:03}.{extension}"))
    }

    /// The rows of some episodes.
    fn data(&self, recorded: &Recorded, episodes: std::ops::Range<usize>) -> Vec<(String, Values)> {
        let rows = recorded.offsets[episodes.start]..recorded.offsets[episodes.end];
        let mut columns: Vec<(String, Values)> = own_columns(recorded)
            .map(|(name, column)| {
                let values = &column.data[rows.start * column.columns..rows.end * column.columns];
                (long(name), Values::Floats(values.to_vec(), column.columns))
            })
            .collect();
        let moments = || episodes.clone().flat_map(|e| (0..recorded.source.length(e)).map(move |moment| (e, moment)));
        let integers =
            |of: &dyn Fn((usize, usize)) -> usize| Values::Integers(moments().map(|m| of(m) as i64).collect());
        let times = moments().map(|(_, moment)| (moment as f64 / self.rate) as f32).collect();
        columns.push(("timestamp".to_owned(), Values::Floats(times, 1)));
        columns.push(("frame_index".to_owned(), integers(&|(_, moment)| moment)));
        columns.push(("episode_index".to_owned(), integers(&|(episode, _)| episode)));
        columns.push(("index".to_owned(), integers(&|(episode, moment)| recorded.offsets[episode] + moment)));
        columns.push((TASK_INDEX.to_owned(), integers(&|(e, moment)| self.task_of[recorded.offsets[e] + moment])));
        columns
    }

    /// The tasks of an episode, in the order in which they are begun.
    fn tasks_in(&self, recorded: &Recorded, episode: usize) -> Vec<String> {
        let mut numbers: Vec<usize> = Vec::new();
        for &number in &self.task_of[recorded.offsets[episode]..recorded.offsets[episode + 1]] {
            if !numbers.contains(&number) {
                numbers.push(number);
            }
        }
        // An episode without moments is of the first one, too: each has one.
        let numbers = if numbers.is_empty() { vec![0] } else { numbers };
        numbers.into_iter().map(|number| self.tasks[number].clone()).collect()
    }

    /// The list of all episodes.
    fn episodes(&self, recorded: &Recorded) -> Vec<(String, Values)> {
        let count = recorded.source.episodes();
        let integers =
            |of: &dyn Fn(usize) -> usize| Values::Integers((0..count).map(|episode| of(episode) as i64).collect());
        let mut columns = vec![
            ("episode_index".to_owned(), integers(&|episode| episode)),
            (
                "tasks".to_owned(),
                Values::TextLists((0..count).map(|episode| self.tasks_in(recorded, episode)).collect()),
            ),
            ("length".to_owned(), integers(&|episode| recorded.source.length(episode))),
            ("data/chunk_index".to_owned(), integers(&|episode| episode / CHUNK / CHUNK)),
            ("data/file_index".to_owned(), integers(&|episode| episode / CHUNK % CHUNK)),
            ("dataset_from_index".to_owned(), integers(&|episode| recorded.offsets[episode])),
            ("dataset_to_index".to_owned(), integers(&|episode| recorded.offsets[episode + 1])),
        ];
        for camera in &recorded.cameras {
            let name = |key: &str| format!("videos/{}/{key}", image(camera));
            let ends = (0..count).map(|episode| recorded.source.length(episode) as f64 / self.rate).collect();
            columns.push((name("chunk_index"), integers(&|episode| episode / CHUNK)));
            columns.push((name("file_index"), integers(&|episode| episode % CHUNK)));
            columns.push((name("from_timestamp"), Values::Doubles(vec![0.0; count])));
            columns.push((name("to_timestamp"), Values::Doubles(ends)));
        }
        columns.push(("meta/episodes/chunk_index".to_owned(), integers(&|_| 0)));
        columns.push(("meta/episodes/file_index".to_owned(), integers(&|_| 0)));
        columns
    }

    fn info(&self, recorded: &Recorded) -> Value {
        let mut features = Map::new();
        for camera in &recorded.cameras {
            let (height, width) = (camera.height, camera.width);
            let told = json!({
                "video.height": height, "video.width": width, "video.codec": camera.codec.as_deref().unwrap_or("h264"),
                "video.fps": self.rate, "video.channels": 3, "video.is_depth_map": false, "has_audio": false,
            });
            let names = ["height", "width", "channels"];
            let feature = json!({"dtype": "video", "shape": [height, width, 3], "names": names, "info": told});
            features.insert(image(camera), feature);
        }
        for (name, column) in own_columns(recorded) {
            let feature = json!({"dtype": "float32", "shape": [column.columns], "names": null});
            features.insert(long(name), feature);
        }
        // Every data set has these, of one number; they are made here.
        for name in COUNTS {
            let dtype = if name == "timestamp" { "float32" } else { "int64" };
            features.insert(name.to_owned(), json!({"dtype": dtype, "shape": [1], "names": null}));
        }
        let episodes = recorded.source.episodes();
        // A whole rate is told as a whole number, as lerobot does.
        let rate = if self.rate.fract() == 0.0 { json!(self.rate as u64) } else { json!(self.rate) };
        json!({
            "codebase_version": "v3.0", "robot_type": null, "total_episodes": episodes,
            "total_frames": recorded.offsets[episodes], "total_tasks": self.tasks.len(), "chunks_size": CHUNK,
            "data_files_size_in_mb": 100, "video_files_size_in_mb": 200, "fps": rate,
            "splits": {"train": format!("0:{episodes}")}, "data_path": DATA, "video_path": VIDEO, "features": features,
        })
    }

    fn json(&self, name: &str, value: &Value) -> Result<(), DataError> {
        let path = self.root.join(name);
        let text = serde_json::to_vec_pretty(value).map_err(|error| DataError::format(&path, error.to_string()))?;
        whole_file::write(&path, text).map_err(|error| DataError::io(path, error))
    }
}

impl EpisodeSink for LeRobotSink {
    fn write(&mut self, recorded: &Recorded, episode: usize) -> Result<(), DataError> {
        for camera in &recorded.cameras {
            let folder = format!("videos/{}", image(camera));
            recorded.write_video(camera, episode, &self.file(&folder, episode / CHUNK, episode % CHUNK, "mp4"))?;
        }
        Ok(())
    }

    fn finish(self: Box<Self>, recorded: &Recorded) -> Result<(), DataError> {
        let episodes = recorded.source.episodes();
        let table = |path: PathBuf, columns: &[(String, Values)], metadata: &[(&str, String)]| {
            let folder = path.parent().unwrap_or(&self.root);
            std::fs::create_dir_all(folder).map_err(|error| DataError::io(folder, error))?;
            write(&path, columns, metadata)
        };
        for file in 0..episodes.div_ceil(CHUNK) {
            let part = file * CHUNK..((file + 1) * CHUNK).min(episodes);
            table(self.file("data", file / CHUNK, file % CHUNK, "parquet"), &self.data(recorded, part), &[])?;
        }
        table(self.file("meta/episodes", 0, 0, "parquet"), &self.episodes(recorded), &[])?;
        let tasks = [
            (TASK_INDEX.to_owned(), Values::Integers((0..self.tasks.len() as i64).collect())),
            ("__index_level_0__".to_owned(), Values::Texts(self.tasks.clone())),
        ];
        // The texts are the index of the pandas table.
        let pandas = json!({
            "index_columns": ["__index_level_0__"],
            "column_indexes": [{"name": null, "field_name": null, "pandas_type": "unicode", "numpy_type": "object",
                "metadata": {"encoding": "UTF-8"}}],
            "columns": [
                {"name": "task_index", "field_name": "task_index", "pandas_type": "int64", "numpy_type": "int64",
                    "metadata": null},
                {"name": null, "field_name": "__index_level_0__", "pandas_type": "unicode", "numpy_type": "object",
                    "metadata": null},
            ],
            "pandas_version": "2.2.0",
        });
        table(self.root.join("meta/tasks.parquet"), &tasks, &[("pandas", pandas.to_string())])?;
        let mut statistics = Map::new();
        for (name, column) in own_columns(recorded) {
            let numbers: Vec<NumberInfo> =
                (0..column.columns).map(|number| NumberInfo::of_column(column, number)).collect();
            let of = |value: fn(&NumberInfo) -> f64| numbers.iter().map(value).collect::<Vec<_>>();
            let told = json!({
                "min": of(|n| n.min), "max": of(|n| n.max), "mean": of(|n| n.mean), "std": of(|n| n.std), "count": [column.rows],
            });
            statistics.insert(long(name), told);
        }
        self.json("meta/stats.json", &Value::Object(statistics))?;
        self.json(INFO, &self.info(recorded))
    }
}

/// The columns but for those in which `LeRobot` counts.
fn own_columns<'a>(recorded: &'a Recorded) -> impl Iterator<Item = (&'a str, &'a prevision_core::Array2)> {
    recorded.columns.iter().map(|(name, rows)| (name.as_str(), rows)).filter(|(name, _)| !COUNTS.contains(name))
}

/// A column's name as `LeRobot` has it: what is no action was observed.
fn long(name: &str) -> String {
    if name == "action" || name.contains('.') { name.to_owned() } else { format!("observation.{name}") }
}

fn image(camera: &CameraInfo) -> String {
    let name = &camera.name;
    if name.contains('.') { name.clone() } else { format!("observation.images.{name}") }
}
