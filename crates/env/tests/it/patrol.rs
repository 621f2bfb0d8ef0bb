//! The patrol: a touch ends the episode, nobody is safe who does not look, and an expert who does solves every task.

#![allow(clippy::unwrap_used, reason = "tests")]

use prevision_core::Action;
use prevision_env::factors::{FactorRange, FactorValue};
use prevision_env::patrol::{Options, Patrol, PatrolWorld, TOUCH_DISTANCE};
use prevision_env::registry::{EnvConfig, Purpose, World, built_in};
use prevision_env::two_rooms::LayoutChoice;
use prevision_env::{Environment, Legality, Policy, Start, TimeStep, Variation};

fn patrol(options: &Options, purpose: Purpose) -> Patrol {
    Patrol::new(PatrolWorld::new(options.clone()).unwrap(), purpose)
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
        if now.terminated || (stop && now.success) {
            break;
        }
        let decision = policy.act(&[0], &[now]).unwrap().remove(0);
        moments.push(world.step(Action::Vector(&decision.action)).unwrap());
    }
    moments
}

#[test]
fn the_expert_solves_every_task_untouched() {
    let all = Variation { vary: vec!["all".into()], range: FactorRange::All, ..Variation::default() };
    for (number, variation) in [Variation::default(), all].into_iter().enumerate() {
        let options = Options { variation, ..Options::default() };
        let mut expert = PatrolWorld::new(options.clone()).unwrap().policy("expert", 0).unwrap();
        let mut world = patrol(&options, Purpose::Evaluation);
        let mut waited = 0;
        for seed in 0..100 {
            let moments = episode(&mut world, expert.as_mut(), seed, 200, true);
            let states = states(&moments);
            let last = moments.last().unwrap();
            assert!(last.success && !last.terminated, "setting {number}, seed {seed}: {:?}", states.last());
            assert_eq!(world.legality(&states), Legality::Legal, "setting {number}, seed {seed}");
            assert!(!moments[0].success && !moments[0].terminated);
            waited += usize::from(states.windows(2).any(|pair| pair[0][..2] == pair[1][..2]));
        }
        assert!(waited > 15, "it waited in {waited} of 100 episodes");
    }
}

#[test]
fn the_shortest_route_alone_is_not_enough() {
    // Straight to the door and on, whatever the patrol does.
    let mut world = patrol(&Options::default(), Purpose::Evaluation);
    let (mut touched, mut solved) = (0, 0);
    for seed in 0..100 {
        let mut now = world.reset(seed).unwrap();
        let goal = world.task().goal;
        let (wall, door) = (now.info["layout"][0], now.info["layout"][1]);
        for _ in 0..200 {
            let state = now.state.clone().unwrap();
            let beyond = wall + 3.0 * (goal[0] - wall).signum();
            let through = (state[0] - beyond) * (goal[0] - wall) >= 0.0;
            let in_front = (state[1] - door).abs() < 3.0;
            let aim = match (through, in_front) {
                (true, _) => goal,
                (false, true) => [beyond + (goal[0] - wall).signum(), door],
                (false, false) => [wall - 3.0 * (goal[0] - wall).signum(), door],
            };
            now = world.step(Action::Vector(&[aim[0] - state[0], aim[1] - state[1]])).unwrap();
            if now.terminated || now.success {
                break;
            }
        }
        touched += usize::from(now.terminated);
        solved += usize::from(now.success);
    }
    assert_eq!(touched + solved, 100);
    assert!((25..80).contains(&touched), "{touched} of 100 touch the patrol");
}

#[test]
fn a_touch_ends_the_episode_without_success() {
    let fixed = Options { layout: LayoutChoice::Fixed, ..Options::default() };
    let mut world = patrol(&fixed, Purpose::Evaluation);
    // The wall at 32, its door around 18; the patrol rides down from 10 at 0.8 a step.
    let first = world.reset_to(0, &[27.0, 14.0, 10.0, 1.0]).unwrap();
    assert_eq!((first.state, first.terminated), (Some(vec![27.0, 14.0, 10.0, 1.0]), false));
    let next = world.step(Action::Vector(&[1.5, 0.0])).unwrap();
    assert_eq!((next.state.clone(), next.terminated), (Some(vec![28.5, 14.0, 10.8, 1.0]), false));
    // 3.5 across and 2.4 down are 4.24. A step later 3.5 and 1.6 are 3.85.
    assert!(3.5_f32.hypot(2.4) > TOUCH_DISTANCE && 3.5_f32.hypot(1.6) < TOUCH_DISTANCE);
    assert!(!world.step(Action::Vector(&[0.0, 0.0])).unwrap().terminated);
    let next = world.step(Action::Vector(&[0.0, 0.0])).unwrap();
    assert!(next.terminated && !next.success);
    assert_eq!(world.step(Action::Vector(&[-2.0, 0.0])).unwrap(), next);
    for state in [
        &[27.0, 14.0][..],
        &[32.0, 50.0, 10.0, 1.0],
        &[27.0, 14.0, 60.0, 1.0],
        &[27.0, 14.0, 10.0, 0.5],
        &[29.5, 10.0, 10.0, 1.0],
        &[27.0, 14.0, 10.0, 1.0, 3.0, 18.0],
    ] {
        assert!(world.reset_to(0, state).unwrap_err().to_string().contains("state is"), "{state:?}");
    }
    let told = world.reset_to(0, &[20.0, 30.0, 42.0, -1.0, 40.0, 40.0]).unwrap();
    assert_eq!(told.info["layout"], [40.0, 40.0]);
    assert!(world.step(Action::Choice(0)).unwrap_err().to_string().contains("expected 2 numbers"));
}

#[test]
fn only_what_can_happen_is_legal() {
    let fixed = Options { layout: LayoutChoice::Fixed, ..Options::default() };
    let mut world = patrol(&fixed, Purpose::Evaluation);
    world.reset_to(0, &[20.0, 40.0, 10.0, 1.0]).unwrap();
    let judge = |to: [f32; 4]| world.legality(&[vec![30.0, 40.0, 10.0, 1.0], to.to_vec()]);
    assert_eq!(judge([29.0, 41.0, 10.8, 1.0]), Legality::Legal);
    for to in [[34.0, 40.0, 10.8, 1.0], [31.5, 40.0, 10.8, 1.0], [27.0, 40.0, 10.8, 1.0], [29.0, 41.0, 9.2, -1.0]] {
        assert_eq!(judge(to), Legality::Illegal { step: 1 }, "{to:?}");
    }
}

#[test]
fn an_episode_is_a_function_of_seed_and_actions_and_goes_on_from_its_state() {
    let options =
        Options { variation: Variation { vary: vec!["all".into()], ..Variation::default() }, ..Options::default() };
    let run = |seed, before: u64| {
        let mut world = patrol(&options, Purpose::Evaluation);
        world.reset(before).unwrap();
        world.step(Action::Vector(&[1.0, 1.0])).unwrap();
        let mut moments = vec![world.reset(seed).unwrap()];
        for step in 0..30 {
            moments.push(world.step(Action::Vector(&[0.3, if step % 7 < 3 { -1.0 } else { 1.0 }])).unwrap());
        }
        (moments, world.goal())
    };
    assert_eq!(run(11, 1), run(11, 2));
    assert_ne!(run(11, 1).0, run(12, 1).0);
    // Position, place and phase of the patrol are all there is.
    let mut world = patrol(&options, Purpose::Evaluation);
    let seed = (0..50).find(|seed| !run(*seed, 1).0[25].terminated).unwrap();
    let moments = run(seed, 1).0;
    world.reset_to(seed, moments[10].state.as_ref().unwrap()).unwrap();
    for (step, moment) in moments.iter().enumerate().skip(11) {
        let next = world.step(Action::Vector(&[0.3, if (step - 1) % 7 < 3 { -1.0 } else { 1.0 }])).unwrap();
        assert_eq!(next.state, moment.state);
    }
}

#[test]
fn held_out_plans_are_never_recorded_and_the_walk_is_mostly_long() {
    let options = Options::default();
    let mut recorded = patrol(&options, Purpose::Recording);
    let mut walk = PatrolWorld::new(options.clone()).unwrap().policy("walk", 90).unwrap();
    let (mut whole, mut both) = (0, 0);
    for seed in 0..200 {
        let moments = episode(&mut recorded, walk.as_mut(), seed, 90, false);
        assert!(!recorded.task().layout.is_held_out());
        let states = states(&moments);
        assert_eq!(recorded.legality(&states), Legality::Legal);
        whole += usize::from(!moments.last().unwrap().terminated);
        let wall = f32::from(recorded.task().layout.wall_x);
        let in_room =
            |right: bool| states.iter().any(|state| (state[0] > wall) == right && (state[0] - wall).abs() > 1.5);
        both += usize::from(in_room(true) && in_room(false));
    }
    assert!((120..195).contains(&whole), "{whole} of 200 walks are not touched");
    assert!(both > 40, "{both} of 200 walks are in both rooms");
    let mut judged = patrol(&options, Purpose::Evaluation);
    for seed in 0..100 {
        judged.reset(seed).unwrap();
        assert!(judged.task().layout.is_held_out());
    }
}

#[test]
fn factors_change_the_patrol_and_the_door() {
    let set = |name: &str, value: FactorValue| Options {
        layout: LayoutChoice::Fixed,
        variation: Variation { values: [(name.to_owned(), value)].into(), ..Variation::default() },
        ..Options::default()
    };
    let mut fast = patrol(&set("patrol.speed", FactorValue::Number(1.5)), Purpose::Evaluation);
    fast.reset_to(0, &[20.0, 30.0, 12.0, 1.0]).unwrap();
    let next = fast.step(Action::Vector(&[0.0, 0.0])).unwrap();
    assert_eq!((next.state, &next.info["factor.patrol.speed"]), (Some(vec![20.0, 30.0, 13.5, 1.0]), &vec![1.5]));
    let mut far = patrol(&set("patrol.range", FactorValue::Number(24.0)), Purpose::Evaluation);
    far.reset(0).unwrap();
    // From the border, 4 and its radius, to 18 + 24.
    assert_eq!(far.rail().ends, [6.4, 42.0]);
    let routes = |width: f32| {
        let mut world = patrol(&set("door.width", FactorValue::Number(width)), Purpose::Evaluation);
        let mut route = |seed| {
            world.reset(seed).unwrap();
            world.goal().unwrap().route.unwrap()
        };
        (0..20).map(&mut route).sum::<f64>()
    };
    assert!(routes(6.0) > routes(16.0) + 20.0, "{} {}", routes(6.0), routes(16.0));
    let blue = [10.0, 20.0, 250.0].to_vec();
    let seen = patrol(&set("patrol.color", FactorValue::List(blue)), Purpose::Evaluation).reset(0).unwrap();
    assert!(seen.observations.cameras["pixels"].data.chunks_exact(3).any(|pixel| pixel == [10, 20, 250]));
}

#[test]
fn it_is_made_by_name() {
    let world = |text: &str| {
        toml::from_str::<EnvConfig>(&format!("name = \"patrol\"\n[patrol]\n{text}")).unwrap().world(&built_in())
    };
    let made = world("size = 32").unwrap().environment(Purpose::Evaluation).unwrap();
    assert_eq!((made.spec().name.as_str(), made.spec().spaces.cameras["pixels"].height), ("patrol", 32));
    assert_eq!(made.render(&[], 4).unwrap().height, 128);
    assert!(world("variation.vary = [\"guard.*\"]").map(|_| ()).unwrap_err().contains("variation.vary is `guard.*`"));
}
