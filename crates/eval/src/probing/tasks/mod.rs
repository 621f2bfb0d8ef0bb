//! The built-in tasks.

mod arrow_of_time;
mod labels;
mod order;
mod speed;

use prevision_core::config::{NoKeys, Registry};

use super::{ClipShape, ProbeTask, ProbeTasks};

/// The built-in tasks: `labels`, `arrow-of-time`, `speed`, `order`.
pub fn built_in_tasks() -> ProbeTasks {
    Registry::new("probe task")
        .with("labels", |_: NoKeys, shape: &ClipShape| {
            Ok(Box::new(labels::Labels { frames: shape.frames }) as Box<dyn ProbeTask>)
        })
        .with("arrow-of-time", |_: NoKeys, shape: &ClipShape| {
            Ok(Box::new(arrow_of_time::ArrowOfTime::new(*shape)?) as Box<dyn ProbeTask>)
        })
        .with("speed", |keys: speed::SpeedKeys, shape: &ClipShape| {
            Ok(Box::new(speed::Speed::new(keys, *shape)?) as Box<dyn ProbeTask>)
        })
        .with("order", |keys: order::OrderKeys, shape: &ClipShape| {
            Ok(Box::new(order::Order::new(&keys, *shape)?) as Box<dyn ProbeTask>)
        })
}

/// Refuses clips in which nothing follows anything.
fn check_time(shape: ClipShape) -> Result<(), String> {
    if shape.frames > 1 { Ok(()) } else { Err("clips of 1 frame have no time: choose more frames".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probing::View;

    fn make(name: &str, keys: &str, frames: usize, tubelet: usize) -> Result<Box<dyn ProbeTask>, String> {
        let keys = keys.parse().expect("TOML");
        built_in_tasks().make(&format!("task.{name}"), name, &keys, &ClipShape { frames, tubelet })
    }

    fn view(frames: &[usize], class: i64) -> View {
        View { frames: frames.to_vec(), class }
    }

    #[test]
    fn labels_are_those_of_the_videos() {
        let task = make("labels", "", 3, 1).unwrap();
        assert_eq!(task.views(Some(7)), [view(&[0, 1, 2], 7)]);
        assert_eq!(task.views(None), []);
        assert_eq!((task.span(), task.needs_labels(), task.class_name(-7)), (3, true, "-7".to_owned()));
    }

    #[test]
    fn a_clip_is_seen_both_ways() {
        let task = make("arrow-of-time", "", 4, 2).unwrap();
        assert_eq!(task.views(None), [view(&[0, 1, 2, 3], 0), view(&[3, 2, 1, 0], 1)]);
        assert_eq!((task.class_name(0).as_str(), task.class_name(1).as_str()), ("forwards", "backwards"));
    }

    #[test]
    fn speeds_begin_at_the_same_frame() {
        let task = make("speed", "steps = [1, 3]", 3, 1).unwrap();
        assert_eq!(task.span(), 7);
        assert_eq!(task.views(Some(4)), [view(&[0, 1, 2], 1), view(&[0, 3, 6], 3)]);
        for (keys, expected) in [
            ("steps = [2]", "task.speed.steps is [2], but must be two or more, ascending from 1 on"),
            ("steps = [2, 1]", "task.speed.steps is [2, 1]"),
            ("steps = [0, 1]", "task.speed.steps is [0, 1]"),
            ("step = [0, 1]", "did you mean `task.speed.steps`?"),
        ] {
            let message = make("speed", keys, 3, 1).err().unwrap();
            assert!(message.contains(expected), "{message}");
        }
    }

    #[test]
    fn segments_are_whole_tubelets_in_every_order() {
        let views = make("order", "", 8, 2).unwrap().views(None);
        // Tubelets 0, 1 and 2 to 3.
        assert_eq!(views.len(), 6);
        assert_eq!(views[0], view(&[0, 1, 2, 3, 4, 5, 6, 7], 0));
        assert_eq!(views[1], view(&[0, 1, 4, 5, 6, 7, 2, 3], 1));
        assert_eq!(views[5], view(&[4, 5, 6, 7, 2, 3, 0, 1], 5));
        let task = make("order", "segments = 4", 4, 2).unwrap();
        assert_eq!(task.views(None), [view(&[0, 1, 2, 3], 0), view(&[2, 3, 0, 1], 1)], "there are only two tubelets");
        assert_eq!(task.class_name(1), "1 0");
        let message = make("order", "segments = 5", 8, 2).err().unwrap();
        assert_eq!(message, "task.order.segments is 5, but must be between 2 and 4");
    }

    #[test]
    fn a_single_frame_has_no_time() {
        for name in ["arrow-of-time", "speed", "order"] {
            let message = make(name, "", 1, 1).err().unwrap();
            assert!(message.contains("clips of 1 frame have no time"), "{message}");
        }
        assert!(make("order", "", 2, 2).err().unwrap().contains("clips of 1 tubelet have no order"));
    }
}
