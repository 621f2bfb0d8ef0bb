//! A table that is being written.

use std::collections::HashMap;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::Schema;
use lance_core::Error;
use lance_file::version::ConcreteFileVersion;
use lance_file::versions::create_writer;
use lance_file::writer::{FileWriter, FileWriterOptions};
use lance_io::object_store::ObjectStore;
use lance_table::format::{DataFile, DataStorageFormat, Fragment, Manifest};
use lance_table::io::commit::{
    CommitHandler as _, ManifestNamingScheme, RenameCommitHandler, write_manifest_file_to_path,
};

use super::runtime::wait;
use crate::DataError;

/// The version of the files, for which every Lance since 2025 has a reader.
const VERSION: ConcreteFileVersion = ConcreteFileVersion::V2_1;
/// The one file of data, in the folder `data`.
const FILE: &str = "rows.lance";

/// A table that is being written: rows as they come, in one file. There is no table before its list of files, which is written at the
/// end.
pub(super) struct NewTable {
    dir: PathBuf,
    store: Arc<ObjectStore>,
    base: object_store::path::Path,
    schema: Arc<Schema>,
    /// None once writing failed.
    file: Option<FileWriter>,
}

impl NewTable {
    /// Begins a table in a new folder.
    ///
    /// # Errors
    /// If the folder cannot be written, or Lance has no room for a column.
    pub(super) fn create(dir: PathBuf, schema: Schema) -> Result<Self, DataError> {
        std::fs::create_dir_all(&dir).map_err(|error| DataError::io(&dir, error))?;
        let full = std::path::absolute(&dir).map_err(|error| DataError::io(&dir, error))?;
        let name = full.to_str().map(str::to_owned);
        let name = name.ok_or_else(|| DataError::format(&dir, "its name is not UTF-8, which Lance needs"))?;
        let schema = Arc::new(schema);
        let of_file = schema.clone();
        let (store, base, file) = wait(&dir, async move {
            let (store, base) = ObjectStore::from_uri(&name).await?;
            let schema = lance_core::datatypes::Schema::try_from(of_file.as_ref())?;
            let to = store.create(&base.clone().join("data").join(FILE)).await?;
            let file = create_writer(VERSION, to, schema, FileWriterOptions::default())?;
            Ok((store, base, file))
        })?;
        Ok(Self { dir, store, base, schema, file: Some(file) })
    }

    /// The folder.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Appends rows, a piece of each column.
    ///
    /// # Errors
    /// If they do not fit the columns, or cannot be written.
    pub(super) fn append(&mut self, columns: Vec<ArrayRef>) -> Result<(), DataError> {
        let batch = RecordBatch::try_new(self.schema.clone(), columns);
        let batch = batch.map_err(|error| DataError::format(&self.dir, error.to_string()))?;
        let Some(mut file) = self.file.take() else {
            return Err(DataError::format(&self.dir, "could not be written before"));
        };
        self.file = Some(wait(&self.dir, async move {
            file.write_batch(&batch).await?;
            Ok(file)
        })?);
        Ok(())
    }

    /// Ends the table, which can be read from then on.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(super) fn finish(self) -> Result<(), DataError> {
        let Self { dir, store, base, schema, file } = self;
        let Some(mut file) = file else { return Err(DataError::format(&dir, "could not be written before")) };
        wait(&dir, async move {
            let written = file.finish().await?;
            let columns = file.field_id_to_column_indices().iter();
            let (fields, columns) = columns.map(|(field, column)| (*field as i32, *column as i32)).unzip();
            let mut rows = Fragment::new(0).with_physical_rows(written.num_rows as usize);
            rows.files.push(DataFile::new(FILE, fields, columns, VERSION, NonZero::new(written.size_bytes), None));
            let schema = lance_core::datatypes::Schema::try_from(schema.as_ref())?;
            let storage = DataStorageFormat::new(VERSION);
            let mut manifest = Manifest::new(schema, Arc::new(vec![rows]), storage, HashMap::new());
            manifest.update_max_fragment_id();
            let (naming, write) = (ManifestNamingScheme::V2, write_manifest_file_to_path);
            let written = RenameCommitHandler.commit(&mut manifest, None, &base, &store, write, naming, None).await;
            written.map(drop).map_err(|error| Error::io(format!("its list of files cannot be written: {error:?}")))
        })
    }
}
