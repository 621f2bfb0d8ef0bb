//! What counts as an address.

use std::path::Path;

use crate::StorageError;

/// The parts of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    /// `s3://bucket/key`
    S3 {
        /// The bucket's name.
        bucket: String,
        /// Everything after it, without a slash at either end.
        key: String,
    },
    /// `http://host:port/path` or `https://…`
    Http {
        /// Scheme, host and port.
        host: String,
        /// The path, percent-encoded as it was written, without a slash at either end.
        path: String,
    },
}

/// Whether a path is an address: it begins with `s3://`, `http://` or `https://`.
pub fn is_address(path: &Path) -> bool {
    let text = path.as_os_str().as_encoded_bytes();
    [b"s3://".as_slice(), b"http://", b"https://"].iter().any(|scheme| text.starts_with(scheme))
}

/// Whether what lies below an address can be listed: in object storage, not over plain HTTP.
pub fn can_be_listed(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().starts_with(b"s3://")
}

impl Address {
    /// Takes an address apart.
    #[cfg_attr(not(feature = "object-store"), allow(dead_code, reason = "nothing is opened"))]
    pub(crate) fn parse(path: &Path) -> Result<Self, StorageError> {
        let wrong = |reason: &str| StorageError::Address { address: path.to_owned(), reason: reason.to_owned() };
        let text = path.to_str().ok_or_else(|| wrong("it is not UTF-8"))?;
        let (scheme, rest) =
            text.split_once("://").ok_or_else(|| wrong("it has no scheme, such as s3://, http:// or https://"))?;
        let (place, rest) = rest.split_once('/').unwrap_or((rest, ""));
        let within = rest.trim_matches('/').to_owned();
        match scheme {
            "s3" if place.is_empty() => Err(wrong("the bucket is missing")),
            "s3" => Ok(Self::S3 { bucket: place.to_owned(), key: within }),
            "http" | "https" if place.is_empty() => Err(wrong("the host is missing")),
            "http" | "https" if place.contains('@') => Err(wrong("a name and password in it are not supported")),
            "http" | "https" if text.contains(['?', '#']) => Err(wrong("a query (?) or fragment (#) is not supported")),
            "http" | "https" => Ok(Self::Http { host: format!("{scheme}://{place}"), path: within }),
            _ => Err(wrong("its scheme is none of s3, http, https")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Address, can_be_listed, is_address};
    use std::path::Path;

    #[test]
    fn addresses_are_told_from_paths() {
        for (text, expected) in [
            ("s3://bucket/a.mp4", true),
            ("https://host/a.mp4", true),
            ("http://127.0.0.1:9000/a.mp4", true),
            ("s3:/bucket/a.mp4", false),
            ("clips/s3://a.mp4", false),
            ("file:///a.mp4", false),
            ("a.mp4", false),
        ] {
            assert_eq!(is_address(Path::new(text)), expected, "{text}");
        }
        assert!(can_be_listed(Path::new("s3://bucket")) && !can_be_listed(Path::new("https://host/a")));
    }

    #[test]
    fn parts() {
        let parse = |text: &str| Address::parse(Path::new(text)).map_err(|error| error.to_string());
        let s3 = |bucket: &str, key: &str| Ok(Address::S3 { bucket: bucket.into(), key: key.into() });
        assert_eq!(parse("s3://b/a b/c.mp4"), s3("b", "a b/c.mp4"));
        assert_eq!(parse("s3://b"), s3("b", ""));
        assert_eq!(parse("s3://b/dir/"), s3("b", "dir"));
        assert_eq!(
            parse("http://h:1/a%20b.mp4"),
            Ok(Address::Http { host: "http://h:1".into(), path: "a%20b.mp4".into() })
        );
        assert_eq!(parse("s3:///key").unwrap_err(), "s3:///key is not an address: the bucket is missing");
        assert!(parse("https://h/a.mp4?x=1").unwrap_err().contains("a query"));
        assert!(parse("gs://b/a.mp4").unwrap_err().contains("none of s3"));
    }
}
