//! The results of an evaluation, as they are written.

use serde::Serialize;
use serde_json::{Map, Value};

/// What an evaluation measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct EvalResults {
    /// Held-out clips that were measured on.
    pub clips: usize,
    /// Wall time of the evaluation.
    pub seconds: f64,
    /// The results of each suite under its name. Suites that were not asked for, or do not apply, are absent.
    #[serde(flatten)]
    pub suites: Map<String, Value>,
    /// The results for people, line by line.
    #[serde(skip)]
    pub lines: Vec<String>,
}

impl EvalResults {
    /// The results of one suite.
    pub fn of(&self, suite: &str) -> Option<&Value> {
        self.suites.get(suite)
    }

    /// The results for people.
    pub fn table(&self) -> String {
        let mut text = format!("on {} held-out clips\n", self.clips);
        for line in &self.lines {
            text += line;
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn suites_stand_beside_the_rest_under_their_names() {
        let mut results = EvalResults { clips: 3, seconds: 0.5, lines: vec!["a".into()], ..EvalResults::default() };
        assert_eq!(serde_json::to_string(&results).unwrap(), r#"{"clips":3,"seconds":0.5}"#);
        results.suites.insert("rollout".into(), json!([{"horizon": 4}]));
        assert_eq!(
            serde_json::to_value(&results).unwrap(),
            json!({"clips": 3, "seconds": 0.5, "rollout": [{"horizon": 4}]})
        );
        assert_eq!(results.table(), "on 3 held-out clips\na\n");
    }
}
