//! All tensors, under their names, in a safetensors file.

use std::io;
use std::path::Path;

use prevision_model::parameters::{Entry, TensorWriter};

use super::{FeatureContents, FeatureFormat, FeatureWriter, WindowFeatures};

pub(super) struct Safetensors;

impl FeatureFormat for Safetensors {
    fn suffix(&self) -> &'static str {
        "safetensors"
    }

    fn holds(&self, _: &FeatureContents, _: &str) -> bool {
        true
    }

    fn create(&self, path: &Path, contents: &FeatureContents) -> io::Result<Box<dyn FeatureWriter>> {
        let entries = contents.tensors.iter().map(|tensor| {
            let (name, shape) = (tensor.name.to_owned(), tensor.shape.clone());
            if tensor.name == "video" { Entry::counts(name, shape) } else { Entry::floats(name, shape) }
        });
        let file = TensorWriter::create_described(path, entries.collect(), Some(&contents.description))?;
        let names = contents.tensors.iter().skip(1).map(|tensor| tensor.name).collect();
        Ok(Box::new(Writer { file, names, rest: WindowFeatures::default() }))
    }
}

/// The large tensor is written as it comes; the others are small and follow it.
struct Writer {
    file: TensorWriter,
    /// Names of the others.
    names: Vec<&'static str>,
    rest: WindowFeatures,
}

impl FeatureWriter for Writer {
    fn write(&mut self, windows: &WindowFeatures) -> io::Result<()> {
        self.file.values(&windows.features);
        self.rest.pooled.extend(&windows.pooled);
        self.rest.logits.extend(&windows.logits);
        self.rest.times.extend(&windows.times);
        self.rest.videos.extend(&windows.videos);
        Ok(())
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        let Self { mut file, names, rest } = *self;
        for name in names {
            match name {
                "pooled" => file.values(&rest.pooled),
                "logits" => file.values(&rest.logits),
                "times" => file.values(rest.times.as_flattened()),
                _ => file.counts(&rest.videos),
            }
        }
        file.finish()
    }
}
