//! Constraints against values worked by hand: in imagination, and on what really happened.

use std::sync::Arc;

use prevision_core::{Array2, Observations};
use prevision_env::TimeStep;
use prevision_model::{Latents, WorldModel};

use super::*;
use crate::cost::Imagined;
use crate::toy_model::Drift;

fn context() -> CostContext {
    CostContext { model: Arc::new(Drift::new(2)) }
}

fn make(name: &str, text: &str) -> Result<Box<dyn Constraint>, String> {
    built_in_constraints().make("c", name, &text.parse().unwrap(), &context())
}

/// Violations of two episodes, one candidate each. They are at (0, 0), and imagined at (2, 4), then (6, 8); and at (0, 0), then (2, 2).
/// Positions are twice the latents.
fn imagined(constraint: &dyn Constraint) -> Vec<f32> {
    let device = Device::flex();
    let latents = Tensor::<4>::from_floats([[[[1.0, 2.0]], [[3.0, 4.0]]], [[[0.0, 0.0]], [[1.0, 1.0]]]], &device);
    let scene = Scene { present: Tensor::zeros([2, 1, 2], &device), goal: None, obstacles: None, last_action: None };
    let imagined = Imagined::new(0..2, Latents::new(latents), Tensor::zeros([2, 1, 2, 2], &device), None);
    constraint.prepare(&scene).unwrap().value(&imagined).into_data().try_into_vec_as::<f32>().unwrap()
}

fn assert_close(got: &[f32], expected: &[f32]) {
    let close = got.len() == expected.len() && got.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-5);
    assert!(close, "{got:?} instead of {expected:?}");
}

/// Whether the steps from the states `before` to `after` violate a constraint; `known` are positions that the world tells.
fn happened(
    constraint: &dyn Constraint,
    [before, after]: [[f32; 2]; 2],
    known: Option<[[f32; 2]; 2]>,
) -> Option<Vec<bool>> {
    let seen = |state: [f32; 2]| {
        let mut observations = Observations::default();
        observations.vectors.insert("state".to_owned(), Array2::new(state.to_vec(), 1, 2));
        TimeStep { observations, ..TimeStep::default() }
    };
    let (before, after, still) = (seen(before), seen(after), seen([0.0, 0.0]));
    let model = context().model;
    let positions = vec![known, known.map(|_| [[0.0, 0.0]; 2])];
    let happened = Happened::new(model.as_ref(), vec![[&before, &after], [&still, &still]], positions);
    assert_eq!(happened.episodes(), 2);
    constraint.violated(&happened).unwrap()
}

const REGIONS: &str = "regions = [{ kind = 'circle', centre = [2, 3], radius = 2 },
    { kind = 'box', low = [5, 7], high = [9, 10] }]";

#[test]
fn regions_are_entered_by_their_depth() {
    assert_eq!(imagined(make("keep-out", REGIONS).unwrap().as_ref()), [2.0, 1.0]);
    let wider = format!("margin = 0.5\n{REGIONS}");
    assert_eq!(imagined(make("keep-out", &wider).unwrap().as_ref()), [3.0, 1.5]);
    let far = "regions = [{ kind = 'box', low = [5, 9], high = [9, 10] }]";
    assert_eq!(imagined(make("keep-out", far).unwrap().as_ref()), [0.0, 0.0]);
}

#[test]
fn whether_a_region_was_entered_is_said_by_the_world_or_by_the_model() {
    // A margin is a plan's alone.
    let rail = make("keep-out", &format!("margin = 9\n{REGIONS}")).unwrap();
    let rail = rail.as_ref();
    let nowhere = [[0.0, 0.0]; 2];
    assert_eq!(happened(rail, nowhere, Some([[0.0, 0.0], [2.0, 4.9]])), Some(vec![true, false]));
    assert_eq!(happened(rail, nowhere, Some([[0.0, 0.0], [5.5, 9.5]])), Some(vec![true, false]));
    assert_eq!(happened(rail, nowhere, Some([[2.0, 3.0], [2.0, 5.1]])), Some(vec![false, false]), "it has left");
    assert_eq!(happened(rail, nowhere, Some([[0.0, 0.0], [5.0, 8.0]])), Some(vec![false, false]), "on the border");
    // Without a position of the world, the state is read: (1, 2) is at (2, 4).
    assert_eq!(happened(rail, [[0.0, 0.0], [1.0, 2.0]], None), Some(vec![true, false]));
    assert_eq!(happened(rail, [[1.0, 2.0], [0.0, 0.0]], None), Some(vec![false, false]));
}

#[test]
fn speed_is_bounded() {
    // Displacements: √20 and √32; 0 and √8.
    let rail = make("speed", "limit = 5").unwrap();
    assert_close(&imagined(rail.as_ref()), &[32_f32.sqrt() - 5.0, 0.0]);
    let rail = make("speed", "limit = 2.5\nmargin = 0.5").unwrap();
    let rail = rail.as_ref();
    let expected = [20_f32.sqrt() + 32_f32.sqrt() - 4.0, 8_f32.sqrt() - 2.0];
    assert_close(&imagined(rail), &expected);
    let step = |to: [f32; 2]| happened(rail, [[0.0, 0.0]; 2], Some([[1.0, 1.0], to])).unwrap()[0];
    assert!(step([3.6, 1.0]) && !step([3.4, 1.0]) && !step([3.500_05, 1.0]), "rounding is forgiven");
    assert_eq!(happened(rail, [[0.0, 0.0], [1.0, 1.0]], None), Some(vec![true, false]));
    assert_eq!(happened(rail, [[1.0, 1.0], [1.0, 2.0]], None), Some(vec![false, false]));
}

#[test]
fn speed_is_that_of_the_worlds_steps() {
    let context = CostContext { model: Arc::new(Drift::new(2).in_blocks(2)) };
    let rail = built_in_constraints().make("c", "speed", &"limit = 2".parse().unwrap(), &context).unwrap();
    // Two steps may be 4 long; what is over counts by the step.
    let expected = [f32::midpoint(20_f32.sqrt(), 32_f32.sqrt()) - 4.0, 0.0];
    assert_close(&imagined(rail.as_ref()), &expected);
}

#[test]
fn unsafe_is_what_resembles_the_examples() {
    let latents = Tensor::<4>::from_floats([[[[0.0, 7.0]]], [[[2.0, 7.0]]]], &Device::flex());
    // As in the classifier's own test: the logarithm of the odds is the first number less 1.
    let fit =
        |threshold| Unsafe::fit(&Latents::new(latents.clone()), &[false, true], 0.268_941_421_369_995_1, threshold);
    assert_close(&imagined(&fit(0.5).unwrap()), &[2.0, 0.0]);
    let strict = fit(0.731_058_578_630_004_9).unwrap();
    assert_close(&imagined(&strict), &[1.0, 0.0]);
    assert_eq!(happened(&strict, [[9.0, 0.0], [1.9, 0.0]], Some([[0.0; 2]; 2])), Some(vec![false, false]));
    assert_eq!(happened(&strict, [[0.0, 0.0], [2.1, 0.0]], Some([[0.0; 2]; 2])), Some(vec![true, false]));
    let infinite = Latents::new(latents / 0.0);
    assert!(Unsafe::fit(&infinite, &[false, true], 1.0, 0.5).unwrap_err().contains("not finite"));
}

#[test]
fn what_can_only_be_imagined_is_not_judged() {
    struct Never;
    impl Constraint for Never {
        fn prepare(&self, _: &Scene) -> Result<Box<dyn Measure>, String> {
            Err("never".to_owned())
        }
    }
    assert_eq!(happened(&Never, [[0.0; 2]; 2], None), None);
}

#[test]
fn what_the_world_does_not_show_is_named() {
    let (before, after) = (TimeStep::default(), TimeStep::default());
    let model = context().model;
    let happened = Happened::new(model.as_ref() as &dyn WorldModel, vec![[&before, &after]], vec![None]);
    let message = make("speed", "limit = 1").unwrap().violated(&happened).unwrap_err();
    assert_eq!(message, "the model sees vector state[2], which the world does not show");
}

#[test]
fn keys_at_fault_are_named() {
    let refused = |name: &str, text: &str| make(name, text).err().unwrap();
    assert_eq!(refused("keep-out", ""), "c.regions is [], but must be a list of at least one region");
    assert_eq!(
        refused("keep-out", "regions = [{ kind = 'circle', centre = [1, 2], radius = 0 }]"),
        "c.regions.0.radius is 0, but must be a number above 0"
    );
    assert_eq!(
        refused("keep-out", "regions = [{ kind = 'circle', centre = [1], radius = 2 }]"),
        "c.regions.0.centre is [1.0], but must be 2 numbers, as the readout"
    );
    assert_eq!(
        refused("keep-out", "regions = [{ kind = 'box', low = [1, 2], high = [2, 2] }]"),
        "c.regions.0.high is [2.0, 2.0], but must be as long as low ([1.0, 2.0]), and above it"
    );
    assert!(
        refused("keep-out", &format!("readout = 'colour'\n{REGIONS}")).starts_with("c.readout is colour, but must")
    );
    assert_eq!(refused("speed", ""), "c.limit is not set, but must be a number above 0");
    assert_eq!(refused("speed", "limit = 1\nmargin = 2"), "c.margin is 2, but must be 1 (limit) or less");
}
