//! The dot is never in a wall, and never on the other side of one.

use prevision_core::{Action, seed};
use prevision_env::Environment;
use prevision_env::registry::Purpose;
use prevision_env::two_rooms::{Collision, Layout, LayoutChoice, LayoutSplit, Options, TwoRooms, Walk};
use proptest::prelude::*;

fn layouts() -> impl Strategy<Value = Layout> {
    (20_u8..=44, 10_u8..=54).prop_map(|(wall_x, door_y)| Layout { wall_x, door_y })
}

/// Which room, or the doorway.
fn side(layout: Layout, x: f32) -> i32 {
    let [left, right] = layout.faces();
    i32::from(x > right) - i32::from(x < left)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn walks_stay_free(layout in layouts(), seed in any::<u64>(), bounce in any::<bool>()) {
        let collision = if bounce { Collision::Bounce } else { Collision::Stop };
        let walk = Walk::sample(layout, collision, 90, &mut seed::rng(seed, "test", 0, 0));
        for &position in &walk.positions {
            prop_assert!(layout.is_free(position), "{:?} in {:?}", position, layout);
        }
        // Steps of at most 1.8 cannot cross the wall in one go: between the rooms lies the doorway.
        for pair in walk.positions.windows(2) {
            prop_assert!(side(layout, pair[0][0]) * side(layout, pair[1][0]) >= 0);
        }
        if collision == Collision::Stop {
            for (pair, action) in walk.positions.windows(2).zip(&walk.actions) {
                let moved = [pair[0][0] + action[0], pair[0][1] + action[1]];
                prop_assert!(pair[1] == moved || pair[1] == pair[0]);
            }
        }
    }

    #[test]
    fn a_single_long_move_cannot_pass_the_wall(
        layout in layouts(), x in 4.1_f32..59.9, y in 4.1_f32..59.9, dx in -70.0_f32..70.0, dy in -70.0_f32..70.0, bounce in any::<bool>(),
    ) {
        prop_assume!(layout.is_free([x, y]));
        let collision = if bounce { Collision::Bounce } else { Collision::Stop };
        let [u, v] = collision.advance(layout, [x, y], [dx, dy], &mut seed::rng(1, "test", 0, 0));
        prop_assert!(layout.is_free([u, v]));
        if collision == Collision::Stop && side(layout, x) * side(layout, u) < 0 {
            // Only through the door: the row at both faces is within its edges. (A bounce may add noise off the line.)
            let [upper, lower] = layout.door_edges();
            for face in layout.faces() {
                let row = y + (face - x) / (u - x) * (v - y);
                prop_assert!(row >= upper - 1e-3 && row <= lower + 1e-3);
            }
        }
    }
}

/// Walks straight to the door, through it, and on to the goal.
fn waypoint(position: &[f32], goal: &[f32], layout: Layout) -> [f32; 2] {
    let [left, right] = layout.faces();
    let door = f32::from(layout.door_y);
    let target = if side(layout, position[0]) == side(layout, goal[0]) {
        [goal[0], goal[1]]
    } else {
        let (near, far) = if goal[0] > right { (left - 1.5, right + 1.5) } else { (right + 1.5, left - 1.5) };
        let in_front = (position[1] - door).abs() < 2.0 && (position[0] - near).abs() < 6.0;
        [if in_front { far } else { near }, door]
    };
    [target[0] - position[0], target[1] - position[1]]
}

#[test]
fn a_controller_that_takes_the_door_solves_every_task() {
    for collision in [Collision::Stop, Collision::Bounce] {
        for layout in [LayoutChoice::Random, LayoutChoice::Fixed] {
            let options = Options { collision, layout, ..Options::default() };
            let mut world = TwoRooms::new(&options, Purpose::Evaluation);
            for seed in 0..200 {
                let mut now = world.reset(seed).expect("reset");
                let (plan, goal) = (world.task().layout, world.task().goal);
                assert!(!now.success);
                let mut steps = 0;
                while !now.success {
                    let at = now.state.expect("a state");
                    assert!(steps < world.spec().max_steps, "seed {seed}, {collision:?}, {plan:?}: at {at:?}");
                    now = world.step(Action::Vector(&waypoint(&at, &goal, plan))).expect("a step");
                    steps += 1;
                }
            }
        }
    }
}

#[test]
fn the_same_seed_and_actions_give_the_same_episode() {
    let options = Options { collision: Collision::Bounce, layouts: Some(LayoutSplit::All), ..Options::default() };
    let episode = |seed| {
        let mut world = TwoRooms::new(&options, Purpose::Evaluation);
        world.step(Action::Vector(&[1.0, 1.0])).expect("a step");
        let mut steps = vec![world.reset(seed).expect("reset")];
        for step in 0..60 {
            let action = [2.0, if step % 7 < 3 { -1.0 } else { 1.0 }];
            steps.push(world.step(Action::Vector(&action)).expect("a step"));
        }
        (steps, world.goal())
    };
    assert_eq!(episode(11), episode(11));
    assert_ne!(episode(11).0, episode(12).0);
}

#[test]
fn a_quarter_of_the_walks_is_in_both_rooms() {
    let mut crossings = 0;
    for index in 0..4_000 {
        let mut rng = seed::rng(9, "test", 0, index);
        let layout = Layout::sample(LayoutChoice::Random, LayoutSplit::All, &mut rng);
        crossings += u32::from(Walk::sample(layout, Collision::Stop, 90, &mut rng).crosses(layout));
    }
    // 26.6 % of 30,000 walks of an independent program that samples the path of each step; 4,000 walks spread by 0.7 %.
    let share = f64::from(crossings) / 4_000.0;
    assert!((0.24..=0.29).contains(&share), "{share}");
}
