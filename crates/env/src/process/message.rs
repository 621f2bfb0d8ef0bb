//! Messages: a header of JSON, then arrays.
//!
//! Four bytes, little-endian, are the length of the header; the header lists the arrays that follow it, one after the other.

use std::collections::BTreeMap;
use std::io::{self, BufReader, Read};

use serde_json::{Map, Value};

use super::array::{Array, Listed};

/// Most bytes of a header: more is a sign that something else than the protocol was written.
const HEADER_LIMIT: usize = 1 << 20;
/// Most bytes of all arrays of a message.
const ARRAYS_LIMIT: usize = 1 << 30;
/// Bytes of what is no message that are shown.
const SHOWN: usize = 60;

/// A header without its list of arrays, and the arrays by name.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Message {
    pub(super) header: Map<String, Value>,
    pub(super) arrays: BTreeMap<String, Array>,
}

/// Why no message could be read.
#[derive(Debug)]
pub(super) enum ReadError {
    /// The stream has ended.
    End,
    /// What came is no message: a sentence.
    Broken(String),
}

impl Message {
    /// As bytes.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut header = self.header.clone();
        let listed: Vec<Value> = self
            .arrays
            .values()
            .map(|array| serde_json::json!({ "name": array.listed.name, "dtype": array.listed.dtype.name(), "shape": array.listed.shape }))
            .collect();
        header.insert("arrays".to_owned(), Value::Array(listed));
        let header = Value::Object(header).to_string();
        let mut bytes = (header.len() as u32).to_le_bytes().to_vec();
        bytes.extend_from_slice(header.as_bytes());
        self.arrays.values().for_each(|array| bytes.extend_from_slice(&array.data));
        bytes
    }

    /// Reads the next one.
    pub(super) fn read(source: &mut BufReader<impl Read>) -> Result<Self, ReadError> {
        let mut length = [0; 4];
        match source.read_exact(&mut length) {
            Ok(()) => {}
            Err(_) => return Err(ReadError::End),
        }
        let size = u32::from_le_bytes(length) as usize;
        if size > HEADER_LIMIT {
            // No more than is there already: a line that was printed came at once.
            let more = source.buffer();
            let shown = [&length[..], &more[..more.len().min(SHOWN)]].concat();
            return Err(ReadError::Broken(format!(
                "a header of {size} bytes, but at most {HEADER_LIMIT} are allowed; if something is printed to standard output, it began with {:?}",
                String::from_utf8_lossy(&shown)
            )));
        }
        let header = take(source, size)?;
        let mut header: Map<String, Value> = serde_json::from_slice(&header).map_err(|error| {
            let text = String::from_utf8_lossy(&header[..header.len().min(SHOWN)]).into_owned();
            ReadError::Broken(format!("a header that is no JSON object ({error}): {text:?}"))
        })?;
        let listed = header.remove("arrays").unwrap_or(Value::Array(Vec::new()));
        let listed: Vec<Listed> = serde_json::from_value(listed)
            .map_err(|error| ReadError::Broken(format!("a list of arrays that is none: {error}")))?;
        let sizes: Option<Vec<usize>> = listed.iter().map(Listed::bytes).collect();
        let sizes = sizes.filter(|sizes| {
            sizes.iter().try_fold(0_usize, |all, size| all.checked_add(*size)).is_some_and(|all| all <= ARRAYS_LIMIT)
        });
        let Some(sizes) = sizes else {
            return Err(ReadError::Broken(format!("arrays of more than {ARRAYS_LIMIT} bytes")));
        };
        let mut arrays = BTreeMap::new();
        for (listed, size) in listed.into_iter().zip(sizes) {
            let data = take(source, size)?;
            let name = listed.name.clone();
            if arrays.insert(name.clone(), Array { listed, data }).is_some() {
                return Err(ReadError::Broken(format!("two arrays are called {name}")));
            }
        }
        Ok(Self { header, arrays })
    }
}

/// So many bytes. Memory grows with what comes, not with what was announced.
fn take(source: &mut impl Read, size: usize) -> Result<Vec<u8>, ReadError> {
    let mut bytes = Vec::new();
    let read: io::Result<usize> = source.take(size as u64).read_to_end(&mut bytes);
    match read {
        Ok(count) if count == size => Ok(bytes),
        _ => Err(ReadError::End),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(bytes: &[u8]) -> String {
        match Message::read(&mut BufReader::new(bytes)) {
            Err(ReadError::Broken(text)) => text,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn bytes_are_those_of_the_page() {
        let mut message = Message::default();
        message.header.insert("id".into(), 7.into());
        message.arrays.insert("seed".into(), Array::seeds("seed", &[1, 1 << 40]));
        let bytes = message.encode();
        // The order of the keys means nothing.
        let header = r#"{"arrays":[{"dtype":"uint64","name":"seed","shape":[2]}],"id":7}"#;
        assert_eq!(bytes[..4], [64, 0, 0, 0]);
        let written: Value = serde_json::from_slice(&bytes[4..68]).unwrap();
        assert_eq!(written, serde_json::from_str::<Value>(header).unwrap());
        assert_eq!(bytes[68..], [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0]);
        assert_eq!(Message::read(&mut BufReader::new(bytes.as_slice())).unwrap(), message);
        for cut in 0..bytes.len() {
            assert!(matches!(Message::read(&mut BufReader::new(&bytes[..cut])), Err(ReadError::End)), "{cut}");
        }
    }

    #[test]
    fn what_is_no_message_is_shown() {
        let text = broken(b"Hello from my world\n");
        assert!(text.contains("1819043144 bytes") && text.contains("Hello from my world"), "{text}");
        assert!(broken(b"\x05\0\0\0[1,2]").contains("no JSON object"));
        let with = |arrays: &str| {
            let header = format!(r#"{{"arrays":{arrays}}}"#);
            [&(header.len() as u32).to_le_bytes()[..], header.as_bytes(), &[0; 8]].concat()
        };
        assert!(broken(&with(r#"[{"name":"a","dtype":"float64","shape":[1]}]"#)).contains("float64"));
        assert!(
            broken(&with(r#"[{"name":"a","dtype":"uint8","shape":[4294967296,4294967296]}]"#)).contains("1073741824")
        );
        assert!(broken(&with(r#"[{"name":"a","dtype":"uint8","shape":[1073741825]}]"#)).contains("1073741824"));
        let twice = r#"[{"name":"a","dtype":"uint8","shape":[1]},{"name":"a","dtype":"uint8","shape":[1]}]"#;
        assert_eq!(broken(&with(twice)), "two arrays are called a");
    }
}
