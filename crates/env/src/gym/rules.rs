//! Goals and rules of success, as they are written.

use prevision_core::config::check::{ensure, message};

/// Checks a goal: `none`, `image:FILE`, `info:KEY`, `recording:FOLDER:ROW` or `sampler`.
pub(super) fn check_goal(goal: &str) -> Result<(), String> {
    let (kind, value) = goal.split_once(':').unwrap_or((goal, ""));
    let row = value.rsplit_once(':').is_some_and(|(folder, row)| !folder.is_empty() && row.parse::<u64>().is_ok());
    let holds = match kind {
        "none" | "sampler" => goal == kind,
        "image" | "info" => !value.is_empty(),
        "recording" => row,
        _ => false,
    };
    let allowed = "none, image:FILE, info:KEY, recording:FOLDER:ROW or sampler";
    ensure(holds, "goal", format_args!("`{goal}`"), allowed)
}

/// Checks a rule of success: `none`, `terminated`, `info:KEY`, `return>=NUMBER` or `state<=NUMBER`, and that it fits the goal.
pub(super) fn check_success(success: &str, goal: &str) -> Result<(), String> {
    let number = |text: &str| text.trim().parse::<f64>().is_ok_and(f64::is_finite);
    let by_state = success.strip_prefix("state<=");
    let holds = matches!(success, "none" | "terminated")
        || success.strip_prefix("info:").is_some_and(|key| !key.is_empty())
        || success.strip_prefix("return>=").is_some_and(number)
        || by_state.is_some_and(number);
    let allowed = "none, terminated, info:KEY, return>=NUMBER or state<=NUMBER";
    ensure(holds, "success", format_args!("`{success}`"), allowed)?;
    let has_state = ["info:", "recording:", "sampler"].iter().any(|kind| goal.starts_with(kind));
    if by_state.is_some() && !has_state {
        return Err(message(
            "goal",
            format_args!("`{goal}`"),
            "one with a state, as success is by the state: info:KEY, recording:FOLDER:ROW or sampler",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goals_and_rules_are_checked() {
        for goal in ["none", "sampler", "image:a b.png", "info:goal", "recording:C:/data:17"] {
            assert_eq!(check_goal(goal), Ok(()));
        }
        for goal in ["", "sampler:3", "image:", "recording:folder", "recording:folder:x", "state"] {
            assert!(check_goal(goal).unwrap_err().starts_with(&format!("goal is `{goal}`, but must be none, ")));
        }
        for success in ["none", "terminated", "info:is_success", "return>=195.5", "state<=0.1"] {
            assert_eq!(check_success(success, "sampler"), Ok(()));
        }
        for success in ["", "return>=", "return>3", "state<=inf", "info:"] {
            assert!(check_success(success, "sampler").unwrap_err().starts_with("success is"));
        }
        assert!(check_success("state<=1", "image:a.png").unwrap_err().starts_with("goal is `image:a.png`"));
    }
}
