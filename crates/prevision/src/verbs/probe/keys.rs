//! Keys on the command line of a probe: those of data, of tasks and of heads.

use prevision_core::config::overlay::{assign, assignment};
use prevision_core::config::schema::check_keys;
use prevision_eval::probing::ProbeHead;
use toml::{Table, Value};

use crate::app::Parts;

/// A head with the name that its results have.
pub(super) type NamedHead = (String, Box<dyn ProbeHead>);

/// What `--set` says.
pub(super) struct Keys {
    /// As they are given, to be laid over other data.
    pub(super) data: Vec<String>,
    tasks: Table,
    heads: Table,
}

impl Keys {
    /// Reads `data.KEY=VALUE`, `task.NAME.KEY=VALUE` and `head.NAME.KEY=VALUE`.
    ///
    /// # Errors
    /// A sentence with the key that is not one of those.
    pub(super) fn read(given: &[String], parts: &Parts) -> Result<Self, String> {
        let (mut data, mut all) = (Vec::new(), Table::new());
        for text in given {
            let (keys, value) = assignment(text)?;
            match keys[0].as_str() {
                "data" => data.push(text.clone()),
                "task" | "head" => assign(&mut all, vec![(keys, value)]),
                other => {
                    return Err(format!("--set {text}: there is no section `{other}`, expected data, task or head"));
                }
            }
        }
        let section = |name: &str| match all.get(name) {
            Some(Value::Table(table)) => Ok(table.clone()),
            None => Ok(Table::new()),
            Some(other) => Err(format!("{name} is {other}, but must be a table")),
        };
        let (tasks, heads) = (section("task")?, section("head")?);
        check_keys("task", &tasks, &parts.probe_tasks.schema_by_name(false))?;
        check_keys("head", &heads, &parts.probe_heads.schema_by_name(false))?;
        Ok(Self { data, tasks, heads })
    }

    /// The keys of a task.
    pub(super) fn of_task(&self, name: &str) -> Table {
        of(&self.tasks, name)
    }

    /// Makes heads, each once, or all that are registered.
    ///
    /// # Errors
    /// A sentence with the key at fault, if a name is not registered or a value is not allowed.
    pub(super) fn heads(&self, names: &[String], parts: &Parts) -> Result<Vec<NamedHead>, String> {
        let names: Vec<&str> = match names {
            [] => parts.probe_heads.names().collect(),
            names => names.iter().map(|name| name.trim()).collect(),
        };
        let mut made: Vec<NamedHead> = Vec::new();
        for name in names {
            if made.iter().all(|(known, _)| known != name) {
                let key =
                    if parts.probe_heads.place(name).is_some() { format!("head.{name}") } else { "--head".into() };
                made.push((name.to_owned(), parts.probe_heads.make(&key, name, &of(&self.heads, name), &())?));
            }
        }
        Ok(made)
    }
}

fn of(section: &Table, name: &str) -> Table {
    section.get(name).and_then(Value::as_table).cloned().unwrap_or_default()
}
