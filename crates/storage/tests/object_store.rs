//! Objects, lists and the cache of blocks, against a server of this process.

mod server;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use prevision_storage::{BlockCache, Object, ObjectReader, StorageError, after, list, read};
use server::{Bucket, Fault};

const MIB: usize = 1 << 20;

/// Bytes that do not repeat within a block.
fn noise(count: usize, seed: u32) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 8) as u8
    };
    (0..count).map(|_| next()).collect()
}

fn never() -> bool {
    false
}

fn read_at(reader: &mut ObjectReader, position: usize, count: usize) -> Result<Vec<u8>, StorageError> {
    reader.go_to(position as u64);
    let mut out = vec![0; count];
    let mut done = 0;
    while done < count {
        match reader.read(&mut out[done..], &never)? {
            0 => break,
            more => done += more,
        }
    }
    out.truncate(done);
    Ok(out)
}

#[test]
fn ranges_are_read_and_kept() {
    let bucket = Bucket::new("ranges");
    let content = noise(20 * MIB + 123, 1);
    bucket.put("a.bin", content.clone());
    let object = Object::open(&bucket.address("a.bin"), &never).expect("opens");
    assert_eq!(object.version().bytes, content.len() as u64);
    let mut reader = object.reader();
    let places = [(5 * MIB + 17, 100), (content.len() - 50, 50), (9 * MIB - 10, 20), (content.len() + 5, 0)];
    for (position, count) in places {
        assert_eq!(
            read_at(&mut reader, position, count).expect("reads"),
            content[position.min(content.len())..][..count]
        );
    }
    let counts = bucket.take_counts();
    assert_eq!((counts.heads, counts.gets, counts.lists), (1, 4, 0));
    assert_eq!(counts.bytes, 4 * MIB + 123, "blocks 5, 20 and 8; then 9 and 10, since it goes straight on");
    assert_eq!(counts.signed, 5);
    // Another reader of the same version asks for nothing.
    let again = Object::at_version(&bucket.address("a.bin"), object.version()).expect("opens");
    let mut reader = again.reader();
    for (position, count) in places {
        assert_eq!(
            read_at(&mut reader, position, count).expect("reads"),
            content[position.min(content.len())..][..count]
        );
    }
    assert_eq!(bucket.take_counts(), server::Counts::default());
}

#[test]
fn going_straight_on_takes_few_requests() {
    let bucket = Bucket::new("straight");
    let content = noise(30 * MIB, 2);
    bucket.put("a.bin", content.clone());
    assert_eq!(read(&bucket.address("a.bin"), &never).expect("reads"), content);
    let counts = bucket.take_counts();
    assert_eq!(counts.bytes, content.len(), "every byte once");
    assert!(counts.gets <= 7, "{counts:?}");
}

#[test]
fn threads_share_what_is_fetched() {
    let bucket = Bucket::new("threads");
    let content = noise(6 * MIB, 3);
    bucket.put("a.bin", content.clone());
    let object = Object::open(&bucket.address("a.bin"), &never).expect("opens");
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                let mut reader = object.reader();
                assert!(read_at(&mut reader, 0, content.len()).expect("reads") == content);
            });
        }
    });
    assert_eq!(bucket.take_counts().bytes, content.len(), "every byte once");
}

#[test]
fn a_failure_on_the_way_is_tried_again() {
    let bucket = Bucket::new("retries");
    let content = noise(2 * MIB, 4);
    bucket.put("a.bin", content.clone());
    let object = Object::open(&bucket.address("a.bin"), &never).expect("opens");
    for (fault, place) in [(Fault::Status(503), 0), (Fault::Break, MIB)] {
        bucket.fail(fault, 2);
        assert_eq!(read_at(&mut object.reader(), place, MIB).expect("reads"), content[place..][..MIB], "{fault:?}");
    }
}

#[test]
fn a_failure_that_stays_is_an_error_with_the_address() {
    let bucket = Bucket::new("failures");
    bucket.put("a.bin", noise(MIB, 5));
    let address = bucket.address("a.bin");
    let object = Object::open(&address, &never).expect("opens");
    bucket.fail(Fault::Status(500), usize::MAX);
    let error = read_at(&mut object.reader(), 0, 10).unwrap_err();
    assert!(matches!(error, StorageError::Network { .. }), "{error:?}");
    assert!(error.to_string().contains("s3://failures/a.bin") && error.to_string().contains("500"), "{error}");
    assert!(bucket.take_counts().gets <= 6, "retries have a bound");
    bucket.fail(Fault::Status(403), usize::MAX);
    let error = read_at(&mut object.reader(), 0, 10).unwrap_err();
    assert!(matches!(error, StorageError::Denied { .. }), "{error:?}");
    assert_eq!(bucket.take_counts().gets, 1, "asking again would not help");
    let missing = Object::open(&bucket.address("b.bin"), &never).map(|_| ()).unwrap_err();
    assert_eq!(missing, StorageError::NotFound { address: bucket.address("b.bin") });
}

#[test]
fn silence_ends_at_the_deadline() {
    let bucket = Bucket::new("silence");
    bucket.put("a.bin", noise(MIB, 6));
    let object = Object::open(&bucket.address("a.bin"), &never).expect("opens");
    bucket.fail(Fault::Stall, usize::MAX);
    let begin = Instant::now();
    let late = after(Duration::from_millis(300));
    let error = object.reader().read(&mut [0; 10], &late).unwrap_err();
    assert_eq!(error, StorageError::TimedOut { address: bucket.address("a.bin") });
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
}

#[test]
fn another_object_in_its_place_is_noticed() {
    let bucket = Bucket::new("changes");
    let (old, new) = (noise(3 * MIB, 7), noise(3 * MIB, 8));
    bucket.put("a.bin", old.clone());
    let address = bucket.address("a.bin");
    let object = Object::open(&address, &never).expect("opens");
    let mut reader = object.reader();
    assert_eq!(read_at(&mut reader, 0, 100).expect("reads"), old[..100]);
    bucket.put("a.bin", new.clone());
    assert_eq!(read_at(&mut reader, 2 * MIB, 10).unwrap_err(), StorageError::Changed { address: address.clone() });
    let again = Object::open(&address, &never).expect("opens");
    assert_ne!(again.version(), object.version());
    assert_eq!(
        read_at(&mut again.reader(), 0, 100).expect("reads"),
        new[..100],
        "not what the cache holds of the other"
    );
}

#[test]
fn lists_are_sorted_and_complete() {
    let bucket = Bucket::new("lists");
    for key in [
        "clips/b.mp4",
        "clips/a/z.mp4",
        "clips/a b.mp4",
        "clips/.hidden/x.mp4",
        "clipsandmore/c.mp4",
        "clips/a/b/c.mp4",
    ] {
        bucket.put(key, *b"x");
    }
    let expected: Vec<_> = ["clips/a/b/c.mp4", "clips/a/z.mp4", "clips/a b.mp4", "clips/b.mp4"]
        .iter()
        .map(|key| bucket.address(key))
        .collect();
    assert_eq!(list(&bucket.address("clips"), &never).expect("lists"), expected);
    assert_eq!(list(&bucket.address("clips/"), &never).expect("lists"), expected);
    assert!(bucket.take_counts().lists > 4, "in pages");
    assert_eq!(list(&bucket.address(""), &never).expect("lists").len(), 5);
    assert!(list(&bucket.address("none"), &never).expect("lists").is_empty());
    let refused = list(&bucket.http_address("clips"), &never).unwrap_err().to_string();
    assert!(refused.contains("cannot be listed over HTTP"), "{refused}");
}

#[test]
fn plain_http_works_too() {
    let bucket = Bucket::new("plain");
    let content = noise(2 * MIB + 1, 9);
    bucket.put("a b.bin", content.clone());
    assert_eq!(read(&bucket.http_address("a%20b.bin"), &never).expect("reads"), content);
    assert_eq!(bucket.take_counts().signed, 0);
}

/// Bytes of all blocks.
fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| if entry.path().is_dir() { size(&entry.path()) } else { entry.metadata().map_or(0, |m| m.len()) })
        .sum()
}

#[test]
fn the_cache_is_bounded_and_forgets_what_was_used_least_recently() {
    let folder = tempfile::tempdir().expect("a folder");
    let limit = 40 * 1000;
    let cache = BlockCache::new(folder.path(), limit);
    let block = |number: u64| noise(1000, number as u32 + 10);
    for number in 0..200 {
        assert!(cache.store("object", number, &block(number)));
        assert!(size(folder.path()) <= limit + 8, "after {number}: {}", size(folder.path()));
        assert_eq!(cache.load("object", 0), Some(block(0)), "used all the time, after {number}");
    }
    let there = (0..200).filter(|&number| cache.load("object", number).is_some()).count();
    assert!((30..40).contains(&there), "{there}");
    assert_eq!(cache.load("object", 199), Some(block(199)));
    assert!(!BlockCache::new(folder.path(), 500).store("object", 500, &block(500)), "larger than all");
    assert_eq!(cache.load("another", 199), None);
}

#[test]
fn several_processes_share_the_bound() {
    let folder = tempfile::tempdir().expect("a folder");
    let limit = 100 * 1000;
    std::thread::scope(|scope| {
        for worker in 0..4 {
            let folder = folder.path();
            // Caches of their own, as processes have.
            scope.spawn(move || {
                let cache = BlockCache::new(folder, limit);
                for number in 0..100 {
                    assert!(cache.store(&format!("object {}", worker % 2), number, &noise(1000, number as u32)));
                    if let Some(block) = cache.load(&format!("object {}", (worker + 1) % 2), number) {
                        assert!(block == noise(1000, number as u32), "whole or not there");
                    }
                }
            });
        }
    });
    assert!(size(folder.path()) <= limit + 8, "{}", size(folder.path()));
}

#[test]
fn a_damaged_block_is_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let cache = BlockCache::new(folder.path(), 1 << 20);
    let block = noise(300, 11);
    assert!(cache.store("object", 3, &block));
    let shelf =
        fs::read_dir(folder.path()).expect("readable").flatten().find(|entry| entry.path().is_dir()).expect("one");
    let file = fs::read_dir(shelf.path()).expect("readable").next().expect("one").expect("readable").path();
    let whole = fs::read(&file).expect("readable");
    for place in (0..whole.len()).step_by(5) {
        let mut damaged = whole.clone();
        damaged[place] ^= 0x10;
        fs::write(&file, &damaged).expect("written");
        assert_eq!(cache.load("object", 3), None, "byte {place}");
        fs::write(&file, &whole[..place]).expect("written");
        assert_eq!(cache.load("object", 3), None, "cut at {place}");
    }
    assert!(cache.store("object", 3, &block));
    assert_eq!(cache.load("object", 3), Some(block));
}
