//! Columns that numpy wrote, see `golden/make_npz.py`.

use std::path::Path;

use prevision_data::{Array2, EpisodeReader};

/// A recording of the golden columns, which have no films.
fn recording() -> (tempfile::TempDir, EpisodeReader) {
    let folder = tempfile::tempdir().unwrap();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/npz");
    for entry in std::fs::read_dir(golden).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
    }
    std::fs::create_dir(folder.path().join("pixels")).unwrap();
    let reader = EpisodeReader::open(folder.path(), "pixels").unwrap();
    (folder, reader)
}

#[test]
fn lengths_and_offsets() {
    let (_folder, reader) = recording();
    assert_eq!(reader.len(), 2);
    assert_eq!([reader.length(0), reader.length(1), reader.offset(0), reader.offset(1)], [3, 2, 0, 3]);
    assert!(reader.columns().unwrap().iter().map(String::as_str).eq(["action", "big_endian", "bool", "grid", "int16", "int32", "int64", "int8", "text", "uint16", "uint32", "uint64", "uint8"]));
}

#[test]
fn compressed_doubles_with_undefined_rows() {
    let (_folder, reader) = recording();
    let action = reader.column("action").unwrap();
    assert_eq!((action.rows, action.columns), (5, 2));
    assert_eq!([action.row(0), action.row(1), action.row(3)], [[0.0, 0.0], [0.125, -1.0], [0.375, -3.0]]);
    assert!(action.row(2).iter().chain(action.row(4)).all(|value| value.is_nan()));
}

#[test]
fn further_axes_are_flattened_and_fortran_order_is_understood() {
    let (_folder, reader) = recording();
    let grid = reader.column("grid").unwrap();
    assert_eq!((grid.rows, grid.columns), (5, 6));
    assert_eq!(grid.row(3), [300.0, 301.0, 302.0, 310.0, 311.0, 312.0]);
}

#[test]
fn every_number_type() {
    let (_folder, reader) = recording();
    let expected = Array2::new(vec![0.0, 3.0, 6.0, 9.0, 12.0], 5, 1);
    for name in ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "big_endian"] {
        assert_eq!(reader.column(name).unwrap(), expected, "{name}");
    }
    assert_eq!(reader.column("bool").unwrap().data, [0.0, 1.0, 0.0, 1.0, 0.0]);
}

#[test]
fn what_is_wrong_is_named() {
    let (folder, reader) = recording();
    let message = reader.column("text").unwrap_err().to_string();
    assert!(message.contains("text.npz") && message.contains("<U1"), "{message}");
    let message = reader.column("proprio").unwrap_err().to_string();
    assert!(message.contains("no column `proprio`") && message.contains("action, big_endian"), "{message}");
    let message = EpisodeReader::open(folder.path(), "frames").unwrap_err().to_string();
    assert!(message.contains("no image column `frames`"), "{message}");
    std::fs::copy(folder.path().join("action.npz"), folder.path().join("ep_len.npz")).unwrap();
    let message = EpisodeReader::open(folder.path(), "pixels").unwrap_err().to_string();
    assert!(message.contains("ep_len.npz") && message.contains("whole numbers"), "{message}");
    std::fs::remove_file(folder.path().join("ep_len.npz")).unwrap();
    let message = EpisodeReader::open(folder.path(), "pixels").unwrap_err().to_string();
    assert!(message.contains("has no ep_len.npz"), "{message}");
}
