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
