//! What the columns of a table are for.

use super::options::Align;
use crate::sources::one_camera::PIXELS;

/// The file of a row's frame, and with a camera's name behind a dot that of this camera.
const VIDEO: &str = "video";
const FRAME: &str = "frame";
const TIME: &str = "time";
/// The time of a video's first frame, by the clock of `time`.
const START: &str = "video_start";

/// The columns that tell where rows belong, by number.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Header {
    names: Vec<String>,
    /// Each camera's name and column, in the table's order.
    pub(super) cameras: Vec<(String, usize)>,
    frame: Option<usize>,
    time: Option<usize>,
    /// Times of the videos' first frames.
    pub(super) start: Option<usize>,
}

impl Header {
    /// # Errors
    /// If two columns have one name.
    pub(super) fn new(names: Vec<String>) -> Result<Self, String> {
        let mut sorted: Vec<&String> = names.iter().filter(|name| !name.is_empty()).collect();
        sorted.sort();
        if let Some([name, _]) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(format!("two columns are called `{name}`"));
        }
        let place = |wanted: &str| names.iter().position(|name| name == wanted);
        let cameras = names.iter().enumerate().filter_map(|(place, name)| Some((camera(name)?.to_owned(), place)));
        Ok(Self { cameras: cameras.collect(), frame: place(FRAME), time: place(TIME), start: place(START), names })
    }

    /// How rows find their frames, and the column that tells.
    ///
    /// # Errors
    /// If a column is missing, or two contradict each other.
    pub(super) fn align(&self, wanted: Option<Align>) -> Result<(Align, usize), String> {
        let here = || self.names.join(", ");
        if self.cameras.is_empty() {
            return Err(format!("has no column `{VIDEO}` or `{VIDEO}.NAME`; columns here: {}", here()));
        }
        let missing = |name: &str| format!("has no column `{name}`; columns here: {}", here());
        match (wanted, self.frame, self.time) {
            (Some(Align::Frame), frame, _) => frame.map(|it| (Align::Frame, it)).ok_or_else(|| missing(FRAME)),
            (Some(Align::Time), _, time) => time.map(|it| (Align::Time, it)).ok_or_else(|| missing(TIME)),
            (None, Some(frame), None) => Ok((Align::Frame, frame)),
            (None, None, Some(time)) => Ok((Align::Time, time)),
            (None, None, None) => Err(format!("has no column `{FRAME}` or `{TIME}`; columns here: {}", here())),
            (None, Some(_), Some(_)) => Err(format!(
                "has a column `{FRAME}` and a column `{TIME}`; `align` in table.toml has to say by which of them rows are placed"
            )),
        }
    }

    /// The name of a column.
    pub(super) fn name(&self, column: usize) -> &str {
        &self.names[column]
    }

    /// The names of the columns of values; `None` for the others, and for what has no name.
    pub(super) fn values(&self) -> Vec<Option<&str>> {
        let is_value =
            |name: &str| !(name.is_empty() || [FRAME, TIME, START].contains(&name) || camera(name).is_some());
        self.names.iter().map(|name| Some(name.as_str()).filter(|name| is_value(name))).collect()
    }
}

/// Whether columns of these names can be those of a table of episodes; `placed`: of one whose rows can also be placed.
pub(super) fn is_of_episodes(names: &[String], placed: bool) -> bool {
    let videos = names.iter().any(|name| camera(name).is_some());
    videos && (!placed || names.iter().any(|name| name == FRAME || name == TIME))
}

/// The camera whose files a column names.
fn camera(name: &str) -> Option<&str> {
    match name.strip_prefix(VIDEO)? {
        "" => Some(PIXELS),
        rest => rest.strip_prefix('.').filter(|camera| !camera.is_empty()),
    }
}

/// The column that names the files of a camera.
pub(super) fn video_column(camera: &str) -> String {
    if camera == PIXELS { VIDEO.to_owned() } else { format!("{VIDEO}.{camera}") }
}
