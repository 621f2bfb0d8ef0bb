//! The formats that are known.

use std::path::Path;
use std::sync::Arc;

use super::FeatureFormat;
use super::npy::Npy;
use super::parquet::Parquet;
use super::safetensors::Safetensors;

/// Formats of features, by the suffix of their files.
#[derive(Clone, Default)]
pub struct FeatureFormats {
    entries: Vec<Arc<dyn FeatureFormat>>,
}

impl FeatureFormats {
    /// The built-in ones.
    pub fn built_in() -> Self {
        Self::default().with(Safetensors).with(Npy).with(Parquet)
    }

    /// With a format more. One of the same suffix is replaced, in its place.
    #[must_use]
    pub fn with(mut self, format: impl FeatureFormat + 'static) -> Self {
        let format: Arc<dyn FeatureFormat> = Arc::new(format);
        match self.entries.iter_mut().find(|known| known.suffix() == format.suffix()) {
            Some(known) => *known = format,
            None => self.entries.push(format),
        }
        self
    }

    /// The suffixes, in the order of registration.
    pub fn suffixes(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|format| format.suffix())
    }

    /// The format that the name of a file asks for.
    ///
    /// # Errors
    /// The name and the suffixes that are known, if it ends in none of them.
    pub fn of_path(&self, path: &Path) -> Result<&dyn FeatureFormat, String> {
        let suffix = path.extension().and_then(|suffix| suffix.to_str());
        let found = self.entries.iter().find(|format| Some(format.suffix()) == suffix);
        found.map(|format| &**format).ok_or_else(|| {
            let known: Vec<String> = self.suffixes().map(|suffix| format!(".{suffix}")).collect();
            format!("{}: expected a file that ends in {}", path.display(), known.join(" or "))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::features::{FeatureContents, FeatureWriter};

    struct Own;

    impl FeatureFormat for Own {
        fn suffix(&self) -> &'static str {
            "csv"
        }

        fn holds(&self, _: &FeatureContents, _: &str) -> bool {
            true
        }

        fn create(&self, _: &Path, _: &FeatureContents) -> io::Result<Box<dyn FeatureWriter>> {
            Err(io::Error::other("not written"))
        }
    }

    #[test]
    fn the_suffix_chooses_the_format() {
        let formats = FeatureFormats::built_in();
        assert_eq!(formats.suffixes().collect::<Vec<_>>(), ["safetensors", "npy", "parquet"]);
        assert_eq!(formats.of_path(Path::new("a/b.c.npy")).map(FeatureFormat::suffix), Ok("npy"));
        for name in ["a.csv", "npy", "a.NPY", "a."] {
            let message = formats.of_path(Path::new(name)).map(FeatureFormat::suffix).unwrap_err();
            assert_eq!(message, format!("{name}: expected a file that ends in .safetensors or .npy or .parquet"));
        }
        let formats = formats.with(Own).with(Own);
        assert_eq!(formats.suffixes().count(), 4);
        assert!(formats.of_path(Path::new("a.csv")).is_ok());
    }
}
