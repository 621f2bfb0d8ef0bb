//! A table in a Parquet file: a row for each token of each window.

use std::io;
use std::path::Path;

use prevision_data::{ColumnValues, ParquetWriter};

use super::{FeatureContents, FeatureFormat, FeatureWriter, WindowFeatures};

/// Numbers of features in a group of rows, about: 16 MiB.
const GROUP: usize = 1 << 22;

pub(super) struct Parquet;

impl FeatureFormat for Parquet {
    fn suffix(&self) -> &'static str {
        "parquet"
    }

    fn holds(&self, contents: &FeatureContents, tensor: &str) -> bool {
        tensor == contents.features().name || ["times", "video"].contains(&tensor)
    }

    fn create(&self, path: &Path, contents: &FeatureContents) -> io::Result<Box<dyn FeatureWriter>> {
        let shape = &contents.features().shape;
        let [windows, .., width] = shape[..] else {
            return Err(io::Error::other(format!("features {shape:?}, expected [windows, .., width]")));
        };
        let rows = Rows {
            name: contents.features().name,
            width,
            middle: shape[1..shape.len() - 1].to_vec(),
            of_videos: contents.has("video"),
            first: 0,
            windows: WindowFeatures::default(),
        };
        let description = [("description", contents.description.clone())];
        let file = ParquetWriter::create(path, &rows.columns(), &description).map_err(io::Error::other)?;
        Ok(Box::new(Writer { file, rows, left: windows }))
    }
}

struct Writer {
    file: ParquetWriter,
    rows: Rows,
    /// Windows that are still to come.
    left: usize,
}

impl FeatureWriter for Writer {
    fn write(&mut self, windows: &WindowFeatures) -> io::Result<()> {
        let size = self.rows.window();
        let count = windows.features.len() / size.max(1);
        let expected = if self.rows.of_videos { count } else { 0 };
        if count * size != windows.features.len() || count > self.left {
            let (numbers, left) = (windows.features.len(), self.left);
            return Err(io::Error::other(format!("{numbers} numbers for {left} windows of {size}")));
        }
        if windows.times.len() != expected || windows.videos.len() != expected {
            let message =
                format!("{} times and {} videos of {count} windows", windows.times.len(), windows.videos.len());
            return Err(io::Error::other(message));
        }
        self.left -= count;
        let kept = &mut self.rows.windows;
        kept.features.extend(&windows.features);
        kept.times.extend(&windows.times);
        kept.videos.extend(&windows.videos);
        if kept.features.len() >= GROUP { self.group() } else { Ok(()) }
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        if self.left > 0 {
            return Err(io::Error::other(format!("{} windows are missing", self.left)));
        }
        if !self.rows.windows.features.is_empty() {
            self.group()?;
        }
        self.file.finish().map_err(io::Error::other)
    }
}

impl Writer {
    /// Writes the rows that are kept.
    fn group(&mut self) -> io::Result<()> {
        self.file.rows(&self.rows.columns()).map_err(io::Error::other)?;
        let rows = &mut self.rows;
        rows.first += rows.windows.features.len() / rows.window().max(1);
        rows.windows = WindowFeatures::default();
        Ok(())
    }
}

/// Rows of some windows.
struct Rows {
    /// Name of the column of features.
    name: &'static str,
    /// Numbers in a row.
    width: usize,
    /// Axes between those of windows and of numbers: tokens or frames, with that of layers before it if there is one.
    middle: Vec<usize>,
    of_videos: bool,
    /// The number of the first window.
    first: usize,
    windows: WindowFeatures,
}

impl Rows {
    /// Numbers of a window.
    fn window(&self) -> usize {
        self.middle.iter().product::<usize>() * self.width
    }

    fn columns(&self) -> Vec<(String, ColumnValues)> {
        let each: usize = self.middle.iter().product();
        let tokens = self.middle.last().copied().unwrap_or(1).max(1);
        let windows = self.windows.features.len() / self.window().max(1);
        let places = (0..windows).flat_map(|window| (0..each).map(move |place| (window, place)));
        let whole = |number: &dyn Fn((usize, usize)) -> usize| {
            ColumnValues::Integers(places.clone().map(|place| number(place) as i64).collect())
        };
        let seconds = |end: usize| {
            ColumnValues::Floats(places.clone().map(|(window, _)| self.windows.times[window][end]).collect(), 1)
        };
        let mut columns = vec![("window", whole(&|(window, _)| self.first + window))];
        if self.of_videos {
            columns.insert(0, ("video", whole(&|(window, _)| self.windows.videos[window] as usize)));
            columns.extend([("start", seconds(0)), ("end", seconds(1))]);
        }
        if self.middle.len() > 1 {
            columns.push(("layer", whole(&|(_, place)| place / tokens)));
        }
        columns.push(("token", whole(&|(_, place)| place % tokens)));
        columns.push((self.name, ColumnValues::Floats(self.windows.features.clone(), self.width)));
        columns.into_iter().map(|(name, values)| (name.to_owned(), values)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::FeatureTensor;

    fn contents(shape: &[usize]) -> FeatureContents {
        let video = FeatureTensor::new("video", &shape[..1]);
        FeatureContents { tensors: vec![FeatureTensor::new("features", shape), video], description: "{}".to_owned() }
    }

    #[test]
    fn a_row_is_a_token() {
        let rows = Rows {
            name: "features",
            width: 1,
            middle: vec![2, 3],
            of_videos: true,
            first: 5,
            windows: WindowFeatures {
                features: (0..12).map(|number| number as f32).collect(),
                times: vec![[0.0, 1.0], [2.0, 3.0]],
                videos: vec![0, 1],
                ..WindowFeatures::default()
            },
        };
        let columns = rows.columns();
        let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["video", "window", "start", "end", "layer", "token", "features"]);
        let numbers = |place: usize| match &columns[place].1 {
            ColumnValues::Integers(values) => values.iter().map(|value| *value as f32).collect(),
            ColumnValues::Floats(values, 1) => values.clone(),
            other => panic!("{other:?}"),
        };
        assert_eq!(numbers(0), [[0.0; 6], [1.0; 6]].concat());
        assert_eq!(numbers(1), [[5.0; 6], [6.0; 6]].concat());
        assert_eq!(numbers(3), [[1.0; 6], [3.0; 6]].concat());
        assert_eq!(numbers(4), [[0.0, 0.0, 0.0, 1.0, 1.0, 1.0]; 2].concat());
        assert_eq!(numbers(5), [[0.0, 1.0, 2.0]; 4].concat());
        assert_eq!(numbers(6), rows.windows.features);
    }

    #[test]
    fn what_does_not_fit_is_no_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("f.parquet");
        let begin = || Parquet.create(&path, &contents(&[2, 3, 4])).expect("a file");
        let windows = |numbers: usize, origins: usize| WindowFeatures {
            features: vec![0.0; numbers],
            times: vec![[0.0; 2]; origins],
            videos: vec![0; origins],
            ..WindowFeatures::default()
        };
        for (numbers, origins, expected) in [
            (11, 1, "11 numbers for 2 windows of 12"),
            (36, 3, "36 numbers for 2 windows of 12"),
            (12, 2, "2 times and 2 videos of 1 windows"),
        ] {
            let error = begin().write(&windows(numbers, origins)).expect_err("another shape");
            assert_eq!(error.to_string(), expected);
        }
        assert_eq!(begin().finish().expect_err("too few").to_string(), "2 windows are missing");
        assert_eq!(std::fs::read_dir(folder.path()).expect("the folder").count(), 0);
    }
}
