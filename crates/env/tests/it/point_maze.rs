//! The point maze: walls hold the ball, an expert solves every task, and episodes repeat.

#![allow(clippy::unwrap_used, reason = "tests")]

use prevision_core::Action;
use prevision_env::factors::{FactorRange, FactorValue};
use prevision_env::maze::{LayoutChoice, PlanOptions, RoomLayout};
use prevision_env::point_maze::{Options, PointMaze, PointMazeWorld};
use prevision_env::registry::{EnvConfig, Purpose, World, built_in};
use prevision_env::{Environment, Legality, Policy, Start, TimeStep, Variation};
use proptest::prelude::*;

fn maze(options: &Options, purpose: Purpose) -> PointMaze {
    PointMaze::new(PointMazeWorld::new(options.clone()).unwrap(), purpose).unwrap()
}

fn states(moments: &[TimeStep]) -> Vec<Vec<f32>> {
    moments.iter().map(|moment| moment.state.clone().unwrap()).collect()
}

fn episode(world: &mut dyn Environment, policy: &mut dyn Policy, seed: u64, steps: usize, stop: bool) -> Vec<TimeStep> {
    let first = world.reset(seed).unwrap();
    let goal = world.goal();
    policy.begin(&[Start { seed: 3, episode: seed, first: &first, goal: goal.as_ref(), watched: false }]).unwrap();
    let mut moments = vec![first];
    for _ in 0..steps {
        let now = moments.last().unwrap();
        if stop && now.success {
            break;
        }
        let decision = policy.act(&[0], &[now]).unwrap().remove(0);
        assert!(decision.action.iter().all(|part| part.abs() <= 1.0));
        moments.push(world.step(Action::Vector(&decision.action)).unwrap());
    }
    moments
}

/// Which of the rooms of 2 m, by column and row, and whether the ball is in the doorway rather than in a room.
fn room(state: &[f32]) -> ([i32; 2], bool) {
    let cells = [0, 1].map(|axis| (state[axis] / 2.0).floor() as i32);
    let across = [0, 1].map(|axis| state[axis] / 2.0 - cells[axis] as f32);
    (cells, across.iter().any(|share| !(0.1125..=0.8875).contains(share)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn the_ball_passes_walls_by_doors_alone(seed in any::<u64>(), turn in 0.0_f32..6.3, speed in -5.0_f32..5.0) {
        let mut world = maze(&Options::default(), Purpose::Recording);
        world.reset(seed).unwrap();
        let layout = world.layout().unwrap().clone();
        let [x, y] = world.position().unwrap();
        let mut moments = vec![world.reset_to(seed, &[x, y, speed, -speed]).unwrap()];
        for step in 0..60_u8 {
            let angle = turn + 0.3 * f32::from(step / 6);
            moments.push(world.step(Action::Vector(&[angle.cos() * 1.5, angle.sin() * 1.5])).unwrap());
        }
        let states = states(&moments);
        prop_assert_eq!(world.legality(&states), Legality::Legal);
        let numbers = layout.numbers();
        for pair in states.windows(2) {
            let ([from, _], [to, _]) = ([room(&pair[0]).0, [0, 0]], [room(&pair[1]).0, [0, 0]]);
            let moved = [to[0] - from[0], to[1] - from[1]];
            prop_assert!(moved[0].abs() + moved[1].abs() <= 1);
            // The walls between rooms side by side come first, row by row.
            if moved[0] != 0 {
                let wall = from[1] * 3 + from[0].min(to[0]);
                prop_assert!(numbers[wall as usize] > 0.0, "{:?} {:?}", pair, numbers);
            }
            if moved[1] != 0 {
                let wall = 12 + from[1].min(to[1]) * 4 + from[0];
                prop_assert!(numbers[wall as usize] > 0.0, "{:?} {:?}", pair, numbers);
            }
        }
    }
}

#[test]
fn the_expert_solves_every_task() {
    let plan = ["#####", "#...#", "###.#", "#...#", "#####"].map(str::to_owned).to_vec();
    let u_maze = PlanOptions { layout: LayoutChoice::Plan, plan, ..PlanOptions::default() };
    let all = Variation { vary: vec!["all".into()], range: FactorRange::All, ..Variation::default() };
    let settings = [
        Options::default(),
        Options { variation: all, ..Options::default() },
        Options { plans: u_maze, room: 1.0, route_steps: [5.0, 60.0], ..Options::default() },
    ];
    for (number, options) in settings.into_iter().enumerate() {
        let mut expert = PointMazeWorld::new(options.clone()).unwrap().policy("expert", 0).unwrap();
        let mut world = maze(&options, Purpose::Evaluation);
        let limit = world.spec().max_steps;
        for seed in 0..100 {
            let moments = episode(&mut world, expert.as_mut(), seed, limit, true);
            let states = states(&moments);
            assert!(moments.last().unwrap().success, "setting {number}, seed {seed}: {:?}", states.last());
            assert_eq!(world.legality(&states), Legality::Legal, "setting {number}, seed {seed}");
            let length: f64 = states
                .windows(2)
                .map(|pair| f64::from(pair[1][0] - pair[0][0]).hypot(f64::from(pair[1][1] - pair[0][1])))
                .sum();
            // No way is shorter than the route but for the last stretch, and what rounds the corners inside of a step.
            let route = world.goal().unwrap().route.unwrap();
            assert!(length >= 0.97 * route - 0.45 && length <= 1.25 * route, "{number}, {seed}: {length} {route}");
        }
    }
}

#[test]
fn an_episode_is_a_function_of_seed_and_actions() {
    let options =
        Options { variation: Variation { vary: vec!["all".into()], ..Variation::default() }, ..Options::default() };
    let run = |seed, before: u64| {
        let mut world = maze(&options, Purpose::Evaluation);
        world.reset(before).unwrap();
        world.step(Action::Vector(&[1.0, 1.0])).unwrap();
        let mut moments = vec![world.reset(seed).unwrap()];
        for step in 0..40 {
            moments.push(world.step(Action::Vector(&[0.8, if step % 7 < 3 { -1.0 } else { 1.0 }])).unwrap());
        }
        (moments, world.goal())
    };
    assert_eq!(run(11, 1), run(11, 2));
    assert_ne!(run(11, 1).0, run(12, 1).0);
}

#[test]
fn held_out_mazes_are_never_recorded_and_the_walk_sees_many_rooms() {
    let options = Options::default();
    let [mut recorded, mut judged] = [Purpose::Recording, Purpose::Evaluation].map(|purpose| maze(&options, purpose));
    for seed in 0..200 {
        recorded.reset(seed).unwrap();
        judged.reset(seed).unwrap();
        assert!(!recorded.layout().unwrap().is_held_out() && judged.layout().unwrap().is_held_out());
    }
    let mut walk = PointMazeWorld::new(options).unwrap().policy("walk", 0).unwrap();
    let (mut rooms, mut fast) = (0, 0);
    for seed in 0..100 {
        let states = states(&episode(&mut recorded, walk.as_mut(), seed, 100, false));
        assert_eq!(recorded.legality(&states), Legality::Legal);
        rooms += states.iter().map(|state| room(state).0).collect::<std::collections::BTreeSet<_>>().len();
        fast += states.iter().filter(|state| state[2].hypot(state[3]) > 1.0).count();
    }
    assert!((250..800).contains(&rooms), "{rooms} rooms in 100 episodes");
    assert!(fast > 5_000, "{fast} of 10,100 moments faster than 1 m/s");
}

#[test]
fn an_episode_begins_where_and_as_fast_as_it_is_told_to() {
    let mut world = maze(&Options::default(), Purpose::Recording);
    let layout = RoomLayout::from_numbers([4, 4], &[3.0; 24]).unwrap();
    let state: Vec<f32> = [1.0, 3.0, 0.5, -0.25].into_iter().chain(layout.numbers()).collect();
    let first = world.reset_to(5, &state).unwrap();
    assert_eq!((first.state, &first.info["layout"]), (Some(vec![1.0, 3.0, 0.5, -0.25]), &layout.numbers()));
    for state in [&[0.1, 3.0, 0.0, 0.0][..], &[1.0, 3.0], &[1.0, 3.0, 6.0, 0.0], &[1.0, 3.0, 0.0, 0.0, 1.0]] {
        assert!(world.reset_to(0, state).unwrap_err().to_string().contains("state is"), "{state:?}");
    }
    assert!(world.step(Action::Choice(1)).unwrap_err().to_string().contains("expected 2 numbers"));
    world.reset_to(5, &state).unwrap();
    // In a wall, through a wall, too far, too sudden.
    for (from, to, legal) in [
        ([1.0, 1.0, 2.0, 0.0], [1.1, 1.0, 2.5, 0.0], true),
        ([1.7, 0.4, 2.0, 0.0], [1.9, 0.4, 2.0, 0.0], false),
        ([1.75, 0.5, 5.0, 0.0], [2.25, 0.5, 5.0, 0.0], false),
        ([1.0, 1.0, 2.0, 0.0], [1.5, 1.0, 2.5, 0.0], false),
        ([1.0, 1.0, 2.0, 0.0], [1.1, 1.0, 4.5, 0.0], false),
        ([1.7, 0.5, 4.0, 0.0], [1.76, 0.5, 0.0, 0.0], true),
        ([1.7, 0.5, 4.0, 0.0], [1.76, 0.5, -3.0, 0.0], false),
    ] {
        let expected = if legal { Legality::Legal } else { Legality::Illegal { step: 1 } };
        assert_eq!(world.legality(&[from.to_vec(), to.to_vec()]), expected, "{from:?} {to:?}");
    }
}

#[test]
fn factors_change_how_the_ball_moves() {
    let pushed = |name: &str, value: f32| {
        let values = [(name.to_owned(), FactorValue::Number(value))].into();
        let options = Options { variation: Variation { values, ..Variation::default() }, ..Options::default() };
        let mut world = maze(&options, Purpose::Evaluation);
        let state: Vec<f32> = [1.0, 1.0, 0.5, 0.0].into_iter().chain([3.0; 24]).collect();
        world.reset_to(0, &state).unwrap();
        let next = world.step(Action::Vector(&[0.4, 0.0])).unwrap();
        assert_eq!(next.info[&format!("factor.{name}")], [value]);
        next.state.unwrap()[2]
    };
    assert!(pushed("motor.gear", 150.0) > pushed("motor.gear", 60.0) + 0.3);
    assert!(pushed("joint.damping", 0.0) > pushed("joint.damping", 10.0) + 0.05);
}

#[test]
fn it_is_made_by_name() {
    let world = |text: &str| {
        toml::from_str::<EnvConfig>(&format!("name = \"point-maze\"\n[point-maze]\n{text}")).unwrap().world(&built_in())
    };
    let made = world("layout = \"four-rooms\"\nroom = 4.0").unwrap().environment(Purpose::Evaluation).unwrap();
    assert_eq!((made.spec().name.as_str(), made.spec().spaces.state), ("point-maze", Some(4)));
    let message = world("colission = \"stop\"").map(|_| ()).unwrap_err();
    assert!(message.contains("unknown key `env.point-maze.colission`"), "{message}");
    assert_eq!(made.render(&[], 3).unwrap().height, 192);
}
