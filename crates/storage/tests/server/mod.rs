//! A server for tests that speaks enough of S3: objects by range, their heads, lists in pages; it counts what it gives, and
//! fails, stalls or breaks off when it is told to.

#![allow(dead_code, reason = "not every test uses all of it")]

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

/// Keys on one page of a list.
const PAGE: usize = 2;

/// What goes wrong with a request for bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fault {
    /// The server answers with this status.
    Status(u16),
    /// Half of the body comes, and then nothing.
    Stall,
    /// Half of the body comes, and then the connection ends.
    Break,
}

/// What was asked of a bucket.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Counts {
    pub(crate) heads: usize,
    pub(crate) gets: usize,
    pub(crate) lists: usize,
    /// Bytes of objects that were sent.
    pub(crate) bytes: usize,
    /// Requests with a signature.
    pub(crate) signed: usize,
}

#[derive(Default)]
struct BucketState {
    objects: BTreeMap<String, (Arc<Vec<u8>>, String)>,
    fault: Option<(Fault, usize)>,
    counts: Counts,
}

type State = Mutex<HashMap<String, BucketState>>;

/// A bucket of the server that all tests of a process share.
pub(crate) struct Bucket {
    name: String,
    state: &'static State,
    port: u16,
}

impl Bucket {
    /// A bucket of its own for one test.
    pub(crate) fn new(name: &str) -> Self {
        let (state, port) = server();
        lock(state).insert(name.to_owned(), BucketState::default());
        Self { name: name.to_owned(), state, port }
    }

    /// Puts an object there, or another one in its place.
    pub(crate) fn put(&self, key: &str, bytes: impl Into<Vec<u8>>) {
        let bytes = bytes.into();
        let sum = bytes.iter().fold(7u64, |sum, &byte| sum.wrapping_mul(1_000_003).wrapping_add(u64::from(byte)));
        let object = (Arc::new(bytes), format!("\"{sum:016x}\""));
        self.with(|bucket| bucket.objects.insert(key.to_owned(), object));
    }

    /// The next `times` requests for bytes go wrong.
    pub(crate) fn fail(&self, fault: Fault, times: usize) {
        self.with(|bucket| bucket.fault = Some((fault, times)));
    }

    /// What was asked since it was asked last.
    pub(crate) fn take_counts(&self) -> Counts {
        self.with(|bucket| std::mem::take(&mut bucket.counts))
    }

    pub(crate) fn address(&self, key: &str) -> PathBuf {
        Path::new("s3://").join(&self.name).join(key)
    }

    /// The same over plain HTTP.
    pub(crate) fn http_address(&self, key: &str) -> PathBuf {
        format!("http://127.0.0.1:{}/{}/{key}", self.port, self.name).into()
    }

    fn with<T>(&self, change: impl FnOnce(&mut BucketState) -> T) -> T {
        change(lock(self.state).get_mut(&self.name).expect("the bucket"))
    }
}

fn lock(state: &State) -> MutexGuard<'_, HashMap<String, BucketState>> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts the server, and points this process to it.
#[allow(unsafe_code)]
fn server() -> (&'static State, u16) {
    static SERVER: OnceLock<(State, u16)> = OnceLock::new();
    static STARTED: OnceLock<()> = OnceLock::new();
    let mut listener = None;
    let (state, port) = SERVER.get_or_init(|| {
        let socket = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = socket.local_addr().expect("an address").port();
        listener = Some(socket);
        let cache = tempfile::tempdir().expect("a folder").keep();
        for (name, value) in [
            ("AWS_ENDPOINT", format!("http://127.0.0.1:{port}")),
            ("AWS_ALLOW_HTTP", "true".to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "test".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "secret".to_owned()),
            ("PREVISION_CACHE", cache.display().to_string()),
        ] {
            // SAFETY: every test begins here and waits until this is done; before it, none has called into code that reads
            // the environment other than through the standard library, which guards it by a lock.
            unsafe { std::env::set_var(name, value) };
        }
        (Mutex::default(), port)
    });
    STARTED.get_or_init(|| {
        let listener = listener.expect("whoever bound it comes first");
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                std::thread::spawn(move || {
                    // A client that goes away is nothing to the server.
                    let _ = serve(&connection, state);
                });
            }
        });
    });
    (state, *port)
}

/// A request without its body: there is none.
struct Request {
    method: String,
    path: String,
    query: HashMap<String, String>,
    headers: HashMap<String, String>,
}

fn serve(connection: &TcpStream, state: &State) -> std::io::Result<()> {
    let mut reader = BufReader::new(connection);
    while let Some(request) = read_request(&mut reader)? {
        let (bucket, key) = request.path.split_once('/').unwrap_or((&request.path, ""));
        let signed = request.headers.get("authorization").is_some_and(|text| text.starts_with("AWS4-HMAC-SHA256 "));
        let mut buckets = lock(state);
        let Some(bucket) = buckets.get_mut(bucket) else {
            drop(buckets);
            answer(connection, "404 Not Found", &[], b"")?;
            continue;
        };
        bucket.counts.signed += usize::from(signed);
        if key.is_empty() {
            bucket.counts.lists += 1;
            let text = list(bucket, &request.query);
            drop(buckets);
            answer(connection, "200 OK", &[("Content-Type", "application/xml".into())], text.as_bytes())?;
            continue;
        }
        let head = request.method == "HEAD";
        *(if head { &mut bucket.counts.heads } else { &mut bucket.counts.gets }) += 1;
        let fault = bucket.fault.as_mut().filter(|(_, times)| !head && *times > 0).map(|(fault, times)| {
            *times -= 1;
            *fault
        });
        let found = bucket.objects.get(key).cloned();
        let Some((bytes, tag)) = found else {
            drop(buckets);
            answer(connection, "404 Not Found", &[], b"")?;
            continue;
        };
        if request.headers.get("if-match").is_some_and(|wanted| *wanted != tag) {
            drop(buckets);
            answer(connection, "412 Precondition Failed", &[], b"")?;
            continue;
        }
        let mut headers = vec![
            ("ETag", tag),
            ("Last-Modified", "Mon, 01 Jan 2024 00:00:00 GMT".into()),
            ("Accept-Ranges", "bytes".into()),
        ];
        if head {
            drop(buckets);
            headers.push(("Content-Length", bytes.len().to_string()));
            write_head(connection, "200 OK", &headers)?;
            continue;
        }
        let (status, range) = match request.headers.get("range").and_then(|text| range(text, bytes.len())) {
            Some(range) => {
                let text = format!("bytes {}-{}/{}", range.start, range.end - 1, bytes.len());
                headers.push(("Content-Range", text));
                ("206 Partial Content", range)
            }
            None => ("200 OK", 0..bytes.len()),
        };
        let body = &bytes[range];
        headers.push(("Content-Length", body.len().to_string()));
        match fault {
            Some(Fault::Status(status)) => {
                drop(buckets);
                answer(connection, &format!("{status} Told to"), &[], b"<Error><Code>Told</Code></Error>")?;
            }
            Some(fault) => {
                bucket.counts.bytes += body.len() / 2;
                drop(buckets);
                write_head(connection, status, &headers)?;
                (&mut &*connection).write_all(&body[..body.len() / 2])?;
                if fault == Fault::Stall {
                    std::thread::sleep(Duration::from_secs(30));
                }
                return connection.shutdown(std::net::Shutdown::Both);
            }
            None => {
                bucket.counts.bytes += body.len();
                drop(buckets);
                write_head(connection, status, &headers)?;
                (&mut &*connection).write_all(body)?;
            }
        }
    }
    Ok(())
}

fn read_request(reader: &mut BufReader<&TcpStream>) -> std::io::Result<Option<Request>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace();
    let (method, target) = (words.next().unwrap_or_default().to_owned(), words.next().unwrap_or_default());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let query =
        query.split('&').filter_map(|pair| pair.split_once('=')).map(|(key, value)| (decoded(key), decoded(value)));
    let mut request = Request {
        method,
        path: decoded(path).trim_matches('/').to_owned(),
        query: query.collect(),
        headers: HashMap::new(),
    };
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            return Ok(Some(request));
        };
        request.headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next().unwrap_or(b'0'), rest.next().unwrap_or(b'0')];
            let digits = String::from_utf8_lossy(&digits).into_owned();
            bytes.push(u8::from_str_radix(&digits, 16).unwrap_or(b'?'));
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn range(text: &str, length: usize) -> Option<std::ops::Range<usize>> {
    let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    let first: usize = first.parse().ok()?;
    let end = last.parse().map_or(length, |last: usize| (last + 1).min(length));
    (first < end).then_some(first..end)
}

/// `ListObjectsV2`.
fn list(bucket: &BucketState, query: &HashMap<String, String>) -> String {
    let prefix = query.get("prefix").map_or("", String::as_str);
    let after = query.get("continuation-token").map_or("", String::as_str);
    let mut found = bucket.objects.iter().filter(|(key, _)| key.starts_with(prefix) && key.as_str() > after);
    let page: Vec<_> = found.by_ref().take(PAGE).collect();
    let more = found.next().is_some();
    let mut text = format!("<?xml version=\"1.0\"?><ListBucketResult><IsTruncated>{more}</IsTruncated>");
    for (key, (bytes, tag)) in &page {
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "<Contents><Key>{key}</Key><LastModified>2024-01-01T00:00:00.000Z</LastModified><ETag>{}</ETag><Size>{}</Size></Contents>",
            tag.replace('"', "&quot;"),
            bytes.len()
        );
    }
    if let Some((key, _)) = page.last().filter(|_| more) {
        let _ = write!(text, "<NextContinuationToken>{key}</NextContinuationToken>");
    }
    text + "</ListBucketResult>"
}

fn answer(connection: &TcpStream, status: &str, headers: &[(&str, String)], body: &[u8]) -> std::io::Result<()> {
    let mut headers = headers.to_vec();
    headers.push(("Content-Length", body.len().to_string()));
    write_head(connection, status, &headers)?;
    (&mut &*connection).write_all(body)
}

fn write_head(mut connection: &TcpStream, status: &str, headers: &[(&str, String)]) -> std::io::Result<()> {
    let mut text = format!("HTTP/1.1 {status}\r\n");
    for (name, value) in headers {
        let _ = write!(text, "{name}: {value}\r\n");
    }
    connection.write_all((text + "\r\n").as_bytes())
}
