//! A suite of a user's own, registered by the same calls as the built-in ones.

use std::fs;

use prevision_core::config::Options;
use prevision_eval::{
    EvalConfig, EvalData, EvalError, Evaluation, Needs, Seen, Shown, Suite, Suites, Tile, built_in, evaluate, report,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::models::{VECTOR, action};
use crate::walks::Walks;

#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct SpeedConfig {
    /// Factor of every speed.
    scale: f64,
}

impl Options for SpeedConfig {}

/// The mean size of an action.
#[derive(Default)]
struct Speed {
    scale: f64,
    sum: f64,
    count: usize,
}

impl Suite for Speed {
    fn needs(&self, evaluation: &Evaluation<'_>) -> Option<Needs> {
        evaluation.spaces.action.as_ref().map(|_| Needs::default())
    }

    fn measure(&mut self, seen: &Seen<'_>) -> Result<(), EvalError> {
        let actions = seen.clips.actions.clone().ok_or_else(|| EvalError::Suite("no actions".to_owned()))?;
        self.count += actions.shape().num_elements();
        self.sum += f64::from(actions.abs().sum().into_scalar::<f32>());
        Ok(())
    }

    fn finish(&mut self, _: &Evaluation<'_>) -> Result<Value, EvalError> {
        Ok(json!({"mean_speed": self.scale * self.sum / self.count as f64, "per_axis": [{"axis": 0, "share": 0.5}]}))
    }
}

fn registry() -> Suites {
    let make = |config: SpeedConfig, (): &()| {
        Ok(Box::new(Speed { scale: config.scale, ..Speed::default() }) as Box<dyn Suite>)
    };
    built_in().with("speed", make)
}

#[test]
fn it_is_configured_run_and_reported_like_the_others() {
    let config: EvalConfig = toml::from_str("[speed]\nscale = 0.0").unwrap();
    config.validate(&registry()).unwrap();
    let message = toml::from_str::<EvalConfig>("[speed]\nscales = 1.0").unwrap().validate(&registry()).unwrap_err();
    assert!(message.contains("unknown key `eval.speed.scales`; did you mean `eval.speed.scale`?"), "{message}");

    let config: EvalConfig = toml::from_str("[speed]\nscale = 10.0").unwrap();
    let suites = config.make(&registry(), &["speed"]).unwrap();
    let data = EvalData { held_out: &Walks::held_out(), training: None };
    let results = evaluate(&action(VECTOR, false), data, suites, &config, 0, &mut |_, _, _| {}).unwrap();
    let speed = results.of("speed").unwrap()["mean_speed"].as_f64().unwrap();
    assert!((5.0..20.0).contains(&speed), "steps of -2 to 2, times 10: {speed}");
    assert!(results.lines[0].starts_with("speed                   mean speed 1"), "{:?}", results.lines);

    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("eval")).unwrap();
    fs::write(folder.path().join("eval/results.json"), serde_json::to_string(&results).unwrap()).unwrap();
    // With or without the crate that brings the suite.
    for suites in [registry(), built_in()] {
        let page = fs::read_to_string(report::write(folder.path(), &suites).unwrap()).unwrap();
        assert!(page.contains("<span>mean speed</span>") && page.contains("<caption>per axis</caption>"), "{page}");
        assert!(page.contains("<th scope=\"col\">share</th>") && page.contains("<td>0.5</td>"));
        assert!(!page.contains("<span>seconds</span>"));
    }
}

#[test]
fn it_chooses_what_a_report_shows() {
    struct Loud;
    impl Suite for Loud {
        fn needs(&self, _: &Evaluation<'_>) -> Option<Needs> {
            None
        }
        fn measure(&mut self, _: &Seen<'_>) -> Result<(), EvalError> {
            Ok(())
        }
        fn finish(&mut self, _: &Evaluation<'_>) -> Result<Value, EvalError> {
            Ok(Value::Null)
        }
        fn show(&self, name: &str, results: &Value) -> Shown {
            Shown { headline: vec![Tile::new(name, results["score"].to_string(), "of <100>")], ..Shown::default() }
        }
    }
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("eval")).unwrap();
    fs::write(folder.path().join("eval/results.json"), r#"{"clips": 2, "loud": {"score": 7}}"#).unwrap();
    let suites = built_in().with("loud", |_: SpeedConfig, ()| Ok(Box::new(Loud) as Box<dyn Suite>));
    let page = fs::read_to_string(report::write(folder.path(), &suites).unwrap()).unwrap();
    assert!(page.contains("<span>loud</span><strong>7</strong><small>of &lt;100&gt;</small>"), "{page}");
}
