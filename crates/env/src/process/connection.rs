//! Requests and answers.

use std::time::{Duration, Instant};

use prevision_core::config::check::ensure;
use serde_json::{Map, Value, json};

use super::array::Array;
use super::error::{Fault, ProcessError};
use super::hello::{Hello, PROTOCOL};
use super::message::{Message, ReadError};
use super::worker::Worker;
use crate::Variation;
use crate::registry::Purpose;

/// How a process is started, and what it is told at its start.
#[derive(Debug, Clone, PartialEq)]
pub struct Launch {
    /// Name of the kind of world; with the name that the process gives itself it is the name of the world.
    pub kind: String,
    /// The program and its arguments.
    pub command: Vec<String>,
    /// What `hello` carries for the world's own use: a JSON object.
    pub options: Value,
    /// What the world is made for.
    pub purpose: Purpose,
    /// Worlds side by side.
    pub rows: usize,
    /// Most seconds for the answer to `hello`.
    pub start_seconds: f64,
    /// Most seconds for the answer to any other request, and between two signs of life.
    pub deadline_seconds: f64,
    /// How often a process that ended is started again.
    pub restarts: usize,
    /// Which of the world's factors vary.
    pub variation: Variation,
}

/// A process that answers, one request after the other.
pub(super) struct Connection {
    worker: Worker,
    deadline: Duration,
    /// Of the last request.
    id: u64,
    /// Whether it can still be asked.
    sound: bool,
}

impl Connection {
    /// Starts the process and asks what it is.
    pub(super) fn open(launch: &Launch) -> Result<(Self, Hello), ProcessError> {
        let worker = Worker::start(&launch.command).map_err(|error| {
            let program = launch.command.first().map_or("", String::as_str);
            ProcessError::new(Fault::Start, "hello", format!("`{program}` cannot be started: {error}"))
        })?;
        let deadline = Duration::from_secs_f64(launch.start_seconds);
        let mut connection = Self { worker, deadline, id: 0, sound: true };
        let purpose = match launch.purpose {
            Purpose::Recording => "recording",
            Purpose::Evaluation => "evaluation",
        };
        let header =
            json!({ "protocols": [PROTOCOL], "rows": launch.rows, "purpose": purpose, "options": launch.options });
        let answer = connection.ask("hello", header, Vec::new())?;
        let hello = Hello::read(answer.header).map_err(|(fault, message)| connection.fail(fault, "hello", message))?;
        connection.deadline = Duration::from_secs_f64(launch.deadline_seconds);
        Ok((connection, hello))
    }

    /// Asks, and waits for the answer: a header without `id`, and arrays.
    pub(super) fn ask(
        &mut self,
        request: &'static str,
        header: Value,
        arrays: Vec<Array>,
    ) -> Result<Message, ProcessError> {
        self.id += 1;
        let mut message = Message::default();
        if let Value::Object(header) = header {
            message.header = header;
        }
        message.header.insert("id".to_owned(), self.id.into());
        message.header.insert("request".to_owned(), request.into());
        message.arrays = arrays.into_iter().map(|array| (array.listed.name.clone(), array)).collect();
        self.worker.send(message.encode());
        let mut until = Instant::now() + self.deadline;
        loop {
            let wait = until.saturating_duration_since(Instant::now());
            match self.worker.receive(wait) {
                None => {
                    let seconds = self.deadline.as_secs_f64();
                    let message = format!("no answer within {seconds} s, and no sign of life; it was ended");
                    return Err(self.fail(Fault::Late, request, message));
                }
                Some(Err(ReadError::End)) => {
                    let by_itself = self.worker.wait_for_end();
                    let how = self.worker.end();
                    let message =
                        if by_itself { format!("it ended {how}") } else { "it closed its standard output".to_owned() };
                    return Err(self.fail(Fault::Ended, request, message));
                }
                Some(Err(ReadError::Broken(what))) => {
                    return Err(self.fail(Fault::Protocol, request, format!("it sent {what}")));
                }
                Some(Ok(message)) if is_alive(&message) => until = Instant::now() + self.deadline,
                Some(Ok(message)) => return self.answer(request, message),
            }
        }
    }

    fn answer(&mut self, request: &'static str, mut message: Message) -> Result<Message, ProcessError> {
        let id = message.header.remove("id").unwrap_or_default();
        let check = ensure(
            id.as_u64() == Some(self.id),
            "the id of its answer",
            &id,
            format_args!("{}, that of the request", self.id),
        );
        if let Err(text) = check {
            return Err(self.fail(Fault::Protocol, request, text));
        }
        match message.header.get("error") {
            None => Ok(message),
            Some(Value::String(text)) => Err(ProcessError::new(Fault::Refused, request, format!("it says: {text}"))),
            Some(other) => {
                Err(self.fail(Fault::Protocol, request, format!("its error is {other}, but must be a text")))
            }
        }
    }

    /// Ends the process over a fault of its own, and adds its last lines.
    pub(super) fn fail(&mut self, fault: Fault, request: &'static str, message: impl Into<String>) -> ProcessError {
        self.sound = false;
        self.worker.end();
        ProcessError { lines: self.worker.last_lines(), ..ProcessError::new(fault, request, message) }
    }
}

/// Tells a process that is sound to end, and lets it.
impl Drop for Connection {
    fn drop(&mut self) {
        if self.sound {
            let mut message = Message::default();
            message.header.insert("id".to_owned(), (self.id + 1).into());
            message.header.insert("request".to_owned(), "close".into());
            self.worker.send(message.encode());
            self.worker.wait_for_end();
        }
    }
}

/// A sign of life: it answers nothing.
fn is_alive(message: &Message) -> bool {
    let alive = Map::from_iter([("alive".to_owned(), Value::Bool(true))]);
    message.header == alive && message.arrays.is_empty()
}
