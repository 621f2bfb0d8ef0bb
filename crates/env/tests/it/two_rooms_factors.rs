//! Factors of variation of Two Rooms, and that without them nothing has changed.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use prevision_core::{Action, seed};
use prevision_env::Environment;
use prevision_env::registry::{EnvConfig, Purpose, built_in};

fn world(keys: &str) -> Box<dyn Environment> {
    let config: EnvConfig = toml::from_str(&format!("[two-rooms]\n{keys}")).unwrap();
    config.world(&built_in()).unwrap().environment(Purpose::Evaluation).unwrap()
}

#[test]
fn without_variation_every_bit_is_as_before_there_were_factors() {
    let mut bytes = Vec::new();
    for keys in ["", "collision = \"bounce\""] {
        let mut world = world(keys);
        for episode in 0..5 {
            let mut moments = vec![world.reset(episode).unwrap()];
            bytes.extend(&world.goal().unwrap().observations.unwrap().cameras["pixels"].data);
            for step in 0..60_u16 {
                let action = [2.0, f32::from(step % 7) - 3.0];
                moments.push(world.step(Action::Vector(&action)).unwrap());
            }
            for moment in moments {
                assert_eq!(moment.info.keys().collect::<Vec<_>>(), ["layout"]);
                bytes.extend(&moment.observations.cameras["pixels"].data);
                bytes.extend(moment.state.unwrap().iter().flat_map(|value| value.to_le_bytes()));
            }
            bytes.extend(world.render(&[], 2).unwrap().data);
        }
    }
    // Of the sources before this world had factors.
    assert_eq!((bytes.len(), seed::fnv1a(&bytes)), (8_370_380, 416_236_917_228_492_294));
}

#[test]
fn factors_change_what_is_seen_and_how_far_an_action_leads() {
    let values = "[two-rooms.variation.values]\n\"dot.speed\" = 1.5\n\"dot.color\" = [0, 200, 100]\n\"dot.deviation\" = 2.0\n\
                  \"wall.color\" = [90, 0, 30]";
    let mut world = world(values);
    let first = world.reset_to(3, &[20.0, 30.0, 32.0, 18.0]).unwrap();
    let frame = &first.observations.cameras["pixels"];
    let pixel = |x: usize, y: usize| &frame.data[(y * 65 + x) * 3..][..3];
    // exp(-4 / 8) = 0.6065 of the colour at two pixels from the middle.
    assert_eq!(
        (pixel(20, 30), pixel(22, 30), pixel(32, 40)),
        (&[0, 200, 100][..], &[0, 121, 60][..], &[90, 0, 30][..])
    );
    assert_eq!((&first.info["factor.dot.speed"], first.info.len()), (&vec![1.5], 5));
    let next = world.step(Action::Vector(&[2.0, -1.0])).unwrap();
    let [x, y] = next.state.unwrap()[..] else { panic!("two numbers") };
    assert_eq!([x, y], [23.0, 28.5]);
    let far = world.legality(&[vec![20.0, 30.0], vec![23.6, 30.0]]);
    assert_eq!(far, prevision_env::Legality::Legal, "3.675 px are within reach at 1.5 times the speed");
}

#[test]
fn values_differ_between_episodes_and_wrong_keys_are_said() {
    let speeds: Vec<f32> = {
        let mut world = world("[two-rooms.variation]\nvary = [\"physics\"]\nrange = \"held-out\"");
        (0..20).map(|seed| world.reset(seed).unwrap().info["factor.dot.speed"][0]).collect()
    };
    assert!(speeds.iter().all(|speed| (0.5..=0.75).contains(speed) || (1.25..=1.5).contains(speed)), "{speeds:?}");
    assert!(speeds.iter().any(|speed| *speed < 1.0) && speeds.iter().any(|speed| *speed > 1.0));
    let config: EnvConfig = toml::from_str("[two-rooms.variation]\nvary = [\"door.color\"]").unwrap();
    let message = config.world(&built_in()).map(|_| ()).unwrap_err();
    assert!(message.contains("env.two-rooms.variation.vary is `door.color`"), "{message}");
}
