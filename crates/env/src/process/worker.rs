//! The process itself: its start, its three streams, its end.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::group;
use super::message::{Message, ReadError};

/// Lines of standard error that are kept.
const LINES: usize = 20;
/// Bytes of a line that are kept.
const LINE_BYTES: u64 = 400;
/// How long a process that has been told to end, or has closed its output, has to do so.
const GRACE: Duration = Duration::from_millis(500);
/// How long the last lines may take to arrive after the end.
const LAST_LINES: Duration = Duration::from_millis(200);

/// A process, in a group of its own.
pub(super) struct Worker {
    child: Child,
    requests: Option<Sender<Vec<u8>>>,
    incoming: Receiver<Result<Message, ReadError>>,
    lines: Arc<Mutex<VecDeque<String>>>,
    /// Ends with its standard error.
    lines_end: Receiver<()>,
    ended: bool,
}

impl Worker {
    /// Starts a program with these arguments.
    pub(super) fn start(command: &[String]) -> std::io::Result<Self> {
        let (program, arguments) = command.split_first().ok_or(std::io::ErrorKind::InvalidInput)?;
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        group::begin_with(&mut command);
        let mut child = command.spawn()?;
        let (requests, to_write) = channel::<Vec<u8>>();
        let (messages, incoming) = sync_channel(4);
        let (alive, lines_end) = channel::<()>();
        let lines = Arc::new(Mutex::new(VecDeque::new()));
        // Every stream has a thread, so that nothing that a process does or leaves undone can hold up who waits for it.
        if let Some(mut input) = child.stdin.take() {
            thread::spawn(move || {
                let _ = to_write.iter().try_for_each(|bytes| input.write_all(&bytes).and_then(|()| input.flush()));
            });
        }
        if let Some(output) = child.stdout.take() {
            thread::spawn(move || read_messages(BufReader::new(output), &messages));
        }
        if let Some(error) = child.stderr.take() {
            let lines = Arc::clone(&lines);
            thread::spawn(move || {
                keep_lines(BufReader::new(error), &lines);
                drop(alive);
            });
        }
        Ok(Self { child, requests: Some(requests), incoming, lines, lines_end, ended: false })
    }

    /// Sends bytes. If they cannot be, no answer will come, and that is noticed there.
    pub(super) fn send(&self, bytes: Vec<u8>) {
        if let Some(requests) = &self.requests {
            let _ = requests.send(bytes);
        }
    }

    /// The next message; `None` if none came in time.
    pub(super) fn receive(&self, wait: Duration) -> Option<Result<Message, ReadError>> {
        match self.incoming.recv_timeout(wait) {
            Ok(message) => Some(message),
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) => None,
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => Some(Err(ReadError::End)),
        }
    }

    /// Gives it time to end by itself, with its input closed. Whether it did.
    pub(super) fn wait_for_end(&mut self) -> bool {
        self.requests = None;
        let until = Instant::now() + GRACE;
        while !group::has_ended(&mut self.child) {
            if Instant::now() >= until {
                return false;
            }
            thread::sleep(Duration::from_millis(2));
        }
        true
    }

    /// Ends it and all that it started, and tells how it ended.
    pub(super) fn end(&mut self) -> String {
        self.requests = None;
        if !std::mem::replace(&mut self.ended, true) {
            group::end(&mut self.child);
        }
        self.child.wait().map_or_else(|error| error.to_string(), group::how)
    }

    /// The last lines of its standard error, after its end.
    pub(super) fn last_lines(&self) -> Vec<String> {
        let _ = self.lines_end.recv_timeout(LAST_LINES);
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.end();
    }
}

/// Passes messages on until there are no more, or nobody waits for them.
fn read_messages(mut output: BufReader<impl Read>, messages: &SyncSender<Result<Message, ReadError>>) {
    loop {
        let message = Message::read(&mut output);
        let last = message.is_err();
        if messages.send(message).is_err() || last {
            return;
        }
    }
}

/// Keeps the last lines.
fn keep_lines(mut error: impl BufRead, lines: &Mutex<VecDeque<String>>) {
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        match error.by_ref().take(LINE_BYTES).read_until(b'\n', &mut bytes) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let line = String::from_utf8_lossy(&bytes).trim_end().to_owned();
        let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == LINES {
            lines.pop_front();
        }
        lines.push_back(line);
    }
}
