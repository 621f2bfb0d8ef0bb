//! A recording of another format, written as one HDF5 file.

use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use prevision_core::whole_file;

use super::structure::{Kind, Planned, Structure};
use crate::DataError;
use crate::convert::{EpisodeSink, Recorded};
use crate::sources::episodes::names::{check_names, own_columns, short};
use crate::sources::episodes::recording::{LENGTHS, OFFSETS};

/// Name of the file.
const NAME: &str = "episodes.h5";

/// Writes pictures to their places as they come, and the numbers at the end; until then the file has another name.
pub(in crate::sources::episodes) struct Hdf5Sink {
    path: PathBuf,
    partial: PathBuf,
    file: File,
    /// Where the data of the cameras belong, then those of the columns, of the lengths and of the offsets.
    places: Vec<u64>,
}

impl Hdf5Sink {
    pub(in crate::sources::episodes) fn new(dir: &Path, recorded: &Recorded) -> Result<Self, DataError> {
        check_names(dir, recorded)?;
        let path = dir.join(NAME);
        if let Some(camera) = recorded.cameras.iter().find(|camera| camera.width * camera.height == 0) {
            return Err(DataError::format(dir, format!("no picture of camera `{}` can be read", camera.name)));
        }
        let too_large = || DataError::format(&path, "would have a name, a picture or a size that HDF5 has no room for");
        let structure = Structure::new(&planned(recorded)).ok_or_else(too_large)?;
        let partial = whole_file::partial(&path);
        let create = || -> std::io::Result<File> {
            let mut file = File::create(&partial)?;
            file.write_all(&structure.bytes)?;
            file.set_len(structure.size)?;
            Ok(file)
        };
        let file = create().map_err(|error| DataError::io(&path, error))?;
        Ok(Self { partial, file, places: structure.places, path })
    }

    fn write_numbers<const N: usize>(
        &mut self,
        stream: usize,
        numbers: impl Iterator<Item = [u8; N]>,
    ) -> std::io::Result<()> {
        self.file.seek(SeekFrom::Start(self.places[stream]))?;
        let mut file = BufWriter::new(&mut self.file);
        for number in numbers {
            file.write_all(&number)?;
        }
        file.flush()
    }
}

impl EpisodeSink for Hdf5Sink {
    fn write(&mut self, recorded: &Recorded, episode: usize) -> Result<(), DataError> {
        for (stream, camera) in recorded.cameras.iter().enumerate() {
            let before = recorded.offsets[episode] * camera.height * camera.width * 3;
            let place = SeekFrom::Start(self.places[stream] + before as u64);
            self.file.seek(place).map_err(|error| DataError::io(&self.path, error))?;
            recorded.each_frame(camera, episode, |_, samples| {
                self.file.write_all(samples).map_err(|error| DataError::io(&self.path, error))
            })?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>, recorded: &Recorded) -> Result<(), DataError> {
        let mut write = || -> std::io::Result<()> {
            let mut stream = recorded.cameras.len();
            for (_, rows) in own_columns(recorded) {
                self.write_numbers(stream, rows.data.iter().map(|value| value.to_le_bytes()))?;
                stream += 1;
            }
            let lengths = recorded.offsets.windows(2).map(|pair| ((pair[1] - pair[0]) as i32).to_le_bytes());
            self.write_numbers(stream, lengths)?;
            let offsets = &recorded.offsets[..recorded.offsets.len() - 1];
            self.write_numbers(stream + 1, offsets.iter().map(|&offset| (offset as i64).to_le_bytes()))?;
            self.file.sync_all()?;
            std::fs::rename(&self.partial, &self.path)
        };
        write().map_err(|error| DataError::io(&self.path, error))
    }
}

/// The data sets, in the order of their data.
fn planned(recorded: &Recorded) -> Vec<Planned> {
    let rows = recorded.offsets.last().copied().unwrap_or_default() as u64;
    let episodes = recorded.offsets.len() as u64 - 1;
    let numbers = |name: &str, kind, shape| Planned { name: name.to_owned(), kind, shape, chunked: false };
    let cameras = recorded.cameras.iter().map(|camera| Planned {
        name: short(&camera.name).to_owned(),
        kind: Kind::U8,
        shape: vec![rows, camera.height as u64, camera.width as u64, 3],
        chunked: true,
    });
    let columns =
        own_columns(recorded).map(|(name, column)| numbers(name, Kind::F32, vec![rows, column.columns as u64]));
    let counts = [numbers(LENGTHS, Kind::I32, vec![episodes]), numbers(OFFSETS, Kind::I64, vec![episodes])];
    cameras.chain(columns).chain(counts).collect()
}
