//! Mazes: no move passes a wall, routes are the shortest, an expert solves every task, and episodes repeat.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;

use approx::assert_abs_diff_eq;
use prevision_core::{Action, seed};
use prevision_env::factors::{FactorRange, FactorValue};
use prevision_env::maze::{
    Collision, DistractorMotion, Floor, LayoutChoice, Maze, MazeWorld, Options, PlanOptions, RoomLayout, Routes,
    SUCCESS_DISTANCE, Wall, factors, free_point,
};
use prevision_env::registry::{EnvConfig, Purpose, World, built_in};
use prevision_env::two_rooms::LayoutSplit;
use prevision_env::{Environment, Legality, Policy, Start, TimeStep, Variation};
use proptest::prelude::*;
use rand::Rng;

fn maze(options: &Options, purpose: Purpose) -> Maze {
    Maze::new(MazeWorld::new(options.clone()).unwrap(), purpose).unwrap()
}

/// Two rooms of 16 side by side: a wall from 15 to 17, its door from 4.5 to 11.5.
fn two_rooms() -> Floor {
    let walls = RoomLayout::from_numbers([2, 1], &[3.0]).unwrap().walls(16.0, 0.5);
    Floor::new([32.0, 16.0], 16.0, walls)
}

/// A maze of any kind, drawn from a seed.
fn floor(seed: u64) -> Floor {
    let mut rng = seed::rng(seed, "test-floor", 0, 0);
    let rooms = [rng.random_range(1..=5), rng.random_range(1..=5)];
    let layout = RoomLayout::sample(rooms, 0.2, LayoutSplit::All, &mut rng).unwrap();
    let walls = layout.walls(16.0, rng.random_range(0.2..0.8));
    Floor::new(rooms.map(|count| count as f64 * 16.0), 16.0, walls)
}

/// Whether any point of a dense row along the way lies in a wall.
fn runs_into_a_wall(floor: &Floor, from: [f32; 2], to: [f32; 2]) -> bool {
    (0..=1_000).any(|at| {
        let point =
            [0, 1].map(|axis| f64::from(from[axis]) + f64::from(at) / 1_000.0 * f64::from(to[axis] - from[axis]));
        floor.walls().iter().any(|wall| wall.contains(point))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn no_move_passes_a_wall(seed in any::<u64>(), angle in 0.0_f32..6.3, length in 0.0_f32..40.0, slide in any::<bool>()) {
        let floor = floor(seed);
        let collision = if slide { Collision::Slide } else { Collision::Stop };
        let mut at = free_point(&floor, 0.0, &mut seed::rng(seed, "test-start", 0, 0)).unwrap();
        for step in 0..8_u8 {
            let turned = angle + 2.4 * f32::from(step);
            let by = [length * turned.cos(), length * turned.sin()];
            let next = collision.advance(&floor, at, by);
            prop_assert!(floor.is_free(next), "{next:?}");
            prop_assert!(!runs_into_a_wall(&floor, at, next), "{at:?} {next:?}");
            prop_assert!((next[0] - at[0]).hypot(next[1] - at[1]) <= length + 2e-3);
            let whole = [at[0] + by[0], at[1] + by[1]];
            if collision == Collision::Stop {
                prop_assert!(next == whole || next == at);
            }
            // What is held up was held up by something.
            if next == at && length > 0.01 {
                prop_assert!(floor.is_blocked(at, whole));
            }
            at = next;
        }
    }

    #[test]
    fn a_way_is_free_just_where_no_point_of_it_is_in_a_wall(seed in any::<u64>()) {
        let floor = floor(seed);
        let mut rng = seed::rng(seed, "test-ways", 0, 0);
        for _ in 0..20 {
            let [from, to] = [(); 2].map(|()| free_point(&floor, 0.0, &mut rng).unwrap());
            let blocked = floor.is_blocked(from, to);
            prop_assert_eq!(blocked, floor.is_blocked(to, from));
            prop_assert!(blocked || !runs_into_a_wall(&floor, from, to));
            let met = floor.walls().iter().any(|wall| wall.meets(from.map(f64::from), to.map(f64::from)));
            prop_assert_eq!(blocked, met);
        }
    }

    #[test]
    fn routes_are_legal_and_as_long_as_they_say(seed in any::<u64>()) {
        let floor = floor(seed);
        let mut rng = seed::rng(seed, "test-routes", 0, 0);
        let routes = Routes::to(&floor, free_point(&floor, 0.5, &mut rng).unwrap());
        for _ in 0..5 {
            let start = free_point(&floor, 0.0, &mut rng).unwrap();
            let points = routes.points_from(&floor, start);
            prop_assert_eq!(points.last(), Some(&routes.goal()));
            let (mut at, mut length) = (start, 0.0);
            for next in points {
                prop_assert!(!floor.is_blocked(at, next) && !runs_into_a_wall(&floor, at, next));
                length += f64::from(next[0] - at[0]).hypot(f64::from(next[1] - at[1]));
                at = next;
            }
            let told = routes.length_from(&floor, start).unwrap();
            prop_assert!((told - length).abs() < 1e-3, "{} {}", told, length);
        }
    }
}

#[test]
fn shortest_routes_by_hand() {
    let floor = two_rooms();
    let length = |start, goal| Routes::to(&floor, goal).length_from(&floor, start).unwrap();
    // Straight through the door.
    assert_eq!(length([8.0, 8.0], [24.0, 8.0]), 16.0);
    // Below the door on both sides, over its corners (15, 11.5) and (17, 11.5): 3-4-5 triangles of half their size.
    assert_abs_diff_eq!(length([13.0, 13.0], [19.0, 13.0]), 2.5 + 2.0 + 2.5, epsilon = 0.01);
    // From below to above: over the corner (15, 11.5) alone, then free: 1.5 and 2 down to it, 6 and 4.5 up from it.
    assert_abs_diff_eq!(length([13.0, 13.0], [21.0, 7.0]), 2.5 + 7.5, epsilon = 0.01);
    assert_abs_diff_eq!(length([21.0, 7.0], [13.0, 13.0]), 2.5 + 7.5, epsilon = 0.01);
    // Around a block in the middle of a room of 3 by 3 blocks of 10, whose corners are (20, 20) to (30, 30).
    let plan = ["#####", "#...#", "#.#.#", "#...#", "#####"].map(str::to_owned).to_vec();
    let plans = PlanOptions { layout: LayoutChoice::Plan, plan, ..PlanOptions::default() };
    let walls = plans.walls(None, 10.0, 0.4);
    let floor = plans.floor(&walls, 10.0, 0.0);
    let length = |start, goal| Routes::to(&floor, goal).length_from(&floor, start).unwrap();
    // Over (20, 30) and (30, 30): down 14 beside 3.. and up again: hypot(5, 2) twice, 10 along the lower side.
    assert_abs_diff_eq!(length([15.0, 28.0], [35.0, 28.0]), 2.0 * 29_f64.sqrt() + 10.0, epsilon = 0.01);
    // From corner to corner over (20, 30): two equal legs of hypot(5, 15).
    assert_abs_diff_eq!(length([15.0, 15.0], [35.0, 35.0]), 2.0 * 250_f64.sqrt(), epsilon = 0.01);
    // A body of 1 to each side bends further out: over (19, 31).
    let floor = plans.floor(&walls, 10.0, 1.0);
    let length = Routes::to(&floor, [35.0, 35.0]).length_from(&floor, [15.0, 15.0]).unwrap();
    assert_abs_diff_eq!(length, 2.0 * (16.0_f64 * 16.0 + 4.0 * 4.0).sqrt(), epsilon = 0.01);
}

/// Shortest ways over a fine grid of free places, each joined to those up to 4 columns and rows away where the way is free.
fn over_a_grid(floor: &Floor, spacing: f64, start: [f64; 2], goal: [f64; 2]) -> f64 {
    let [columns, rows] = floor.extent().map(|length| (length / spacing) as usize + 1);
    let point = |at: usize| [(at % columns) as f64 * spacing, (at / columns) as f64 * spacing];
    let place = |[x, y]: [f64; 2]| (y / spacing).round() as usize * columns + (x / spacing).round() as usize;
    let free: Vec<bool> = (0..columns * rows).map(|at| floor.is_clear(point(at), 1e-6)).collect();
    let mut best = vec![f64::INFINITY; columns * rows];
    let mut open = BTreeSet::from([(0_u64, place(start))]);
    best[place(start)] = 0.0;
    while let Some((_, at)) = open.pop_first() {
        let (column, row) = ((at % columns) as i64, (at / columns) as i64);
        for (right, down) in (-4..=4).flat_map(|right| (-4..=4).map(move |down| (right, down))) {
            let (column, row) = (column + right, row + down);
            if !(0..columns as i64).contains(&column) || !(0..rows as i64).contains(&row) {
                continue;
            }
            let next = row as usize * columns + column as usize;
            let length = best[at] + spacing * (right as f64).hypot(down as f64);
            if free[next] && length < best[next] && !floor.is_blocked_within(point(at), point(next), 1e-6) {
                best[next] = length;
                open.insert((length.to_bits(), next));
            }
        }
    }
    best[place(goal)]
}

#[test]
fn routes_agree_with_a_search_over_a_fine_grid() {
    let mut bent = 0;
    for seed in 0..6 {
        let floor = floor(seed);
        let mut rng = seed::rng(seed, "test-grid", 0, 0);
        let spacing = 0.4;
        let on_grid = |point: [f32; 2]| point.map(|value| (f64::from(value) / spacing).round() * spacing);
        let [start, goal] = [(); 2].map(|()| on_grid(free_point(&floor, 0.5, &mut rng).unwrap()));
        let narrow = |point: [f64; 2]| point.map(|value| value as f32);
        let exact = Routes::to(&floor, narrow(goal)).length_from(&floor, narrow(start)).unwrap();
        let grid = over_a_grid(&floor, spacing, start, goal);
        bent += usize::from(exact > 1.1 * (start[0] - goal[0]).hypot(start[1] - goal[1]));
        // Headings are up to 3.5 degrees off (0.2 %), and each corner is passed up to a spacing away.
        assert!(grid >= exact - 0.01 && grid <= 1.002 * exact + 2.5, "seed {seed}: {exact} {grid}");
    }
    assert!(bent >= 3, "most of these routes have bends: {bent}");
}

/// Lets a policy act in one episode, until the goal is reached where it is to stop there; gives all moments.
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
        moments.push(world.step(Action::Vector(&decision.action)).unwrap());
    }
    moments
}

fn states(moments: &[TimeStep]) -> Vec<Vec<f32>> {
    moments.iter().map(|moment| moment.state.clone().unwrap()).collect()
}

#[test]
fn the_expert_solves_every_task_by_the_shortest_route() {
    let plan = ["########", "#..#...#", "#.##.#.#", "#....#.#", "########"].map(str::to_owned).to_vec();
    let of = |plans| Options { plans, ..Options::default() };
    let all = Variation { vary: vec!["all".into()], range: FactorRange::All, ..Variation::default() };
    let settings = [
        Options::default(),
        Options { collision: Collision::Slide, variation: all, distractors: 3, ..Options::default() },
        Options { room: 32.0, ..of(PlanOptions { layout: LayoutChoice::FourRooms, ..PlanOptions::default() }) },
        of(PlanOptions { layout: LayoutChoice::Plan, plan, ..PlanOptions::default() }),
        Options {
            route_steps: [60.0, 120.0],
            ..of(PlanOptions { rooms: [7, 5], extra_doors: 0.0, ..PlanOptions::default() })
        },
    ];
    for (number, options) in settings.into_iter().enumerate() {
        let world = MazeWorld::new(options.clone()).unwrap();
        let mut expert = world.policy("expert", 0).unwrap();
        let mut maze = maze(&options, Purpose::Evaluation);
        let limit = 2 * maze.spec().max_steps;
        for seed in 0..100 {
            let moments = episode(&mut maze, expert.as_mut(), seed, limit, true);
            assert!(moments.last().unwrap().success, "setting {number}, seed {seed}: {:?}", states(&moments).last());
            assert!(!moments[0].success);
            assert_eq!(maze.legality(&states(&moments)), Legality::Legal);
            let steps =
                maze.task().route / f64::from(2.0 * moments[0].info.get("factor.agent.speed").map_or(1.0, |v| v[0]));
            let [shortest, longest] = options.route_steps;
            assert!((2.0 * shortest..=2.0 * longest).contains(&maze.goal().unwrap().route.unwrap()));
            // A bend costs part of a step; the last stretch is not gone.
            let bends = 0.7 * steps.sqrt() + 1.0;
            let (taken, spared) = (moments.len() as f64 - 1.0, SUCCESS_DISTANCE);
            assert!(taken <= steps + 3.0 * bends && taken >= steps - spared - 1.0, "{number}, {seed}: {taken} {steps}");
        }
    }
}

#[test]
fn an_episode_is_a_function_of_seed_and_actions() {
    let options = Options {
        distractors: 4,
        variation: Variation { vary: vec!["all".into()], ..Variation::default() },
        ..Options::default()
    };
    let run = |seed, before: u64| {
        let mut maze = maze(&options, Purpose::Evaluation);
        maze.reset(before).unwrap();
        maze.step(Action::Vector(&[1.0, 1.0])).unwrap();
        let mut moments = vec![maze.reset(seed).unwrap()];
        for step in 0..40 {
            moments.push(maze.step(Action::Vector(&[1.5, if step % 7 < 3 { -1.0 } else { 1.0 }])).unwrap());
        }
        (moments, maze.goal())
    };
    assert_eq!(run(11, 1), run(11, 2));
    assert_ne!(run(11, 1).0, run(12, 1).0);
}

#[test]
fn held_out_mazes_are_never_recorded() {
    let options = Options::default();
    let [mut recorded, mut judged] = [Purpose::Recording, Purpose::Evaluation].map(|purpose| maze(&options, purpose));
    for seed in 0..300 {
        recorded.reset(seed).unwrap();
        judged.reset(seed).unwrap();
        assert!(!recorded.layout().unwrap().is_held_out() && judged.layout().unwrap().is_held_out());
    }
}

#[test]
fn layouts_are_drawn_until_one_has_a_task_and_no_task_is_solved_at_its_start() {
    let plans = PlanOptions { rooms: [6, 4], extra_doors: 0.3, ..PlanOptions::default() };
    let mut world = maze(&Options { plans, route_steps: [60.0, 300.0], ..Options::default() }, Purpose::Recording);
    for seed in 0..20 {
        let first = world.reset(seed).unwrap();
        assert!((120.0..=600.0).contains(&world.goal().unwrap().route.unwrap()));
        // The same layout, if only the start is chosen.
        let start = first.state.unwrap();
        let again = world.reset_to(seed, &start).unwrap();
        assert_eq!((again.state, again.info), (Some(start), first.info));
    }
    let mut small = maze(&Options { room: 4.0, route_steps: [1.0, 30.0], ..Options::default() }, Purpose::Recording);
    for seed in 0..200 {
        assert!(small.reset(seed).unwrap().distance.unwrap() >= 4.49);
    }
}

#[test]
fn an_episode_begins_where_it_is_told_to() {
    let mut world = maze(&Options::default(), Purpose::Recording);
    let layout = RoomLayout::sample([4, 4], 0.1, LayoutSplit::HeldOut, &mut seed::rng(1, "test", 0, 0)).unwrap();
    let state: Vec<f32> = [8.0, 24.0].into_iter().chain(layout.numbers()).collect();
    let first = world.reset_to(5, &state).unwrap();
    assert_eq!((first.state, &first.info["layout"]), (Some(vec![8.0, 24.0]), &layout.numbers()));
    let route = world.goal().unwrap().route.unwrap();
    assert!(route >= first.distance.unwrap() - 0.1);
    assert_eq!(world.reset_to(5, &[8.0, 24.0]).unwrap().state, Some(vec![8.0, 24.0]));
    for state in [&[16.0, 3.0][..], &[8.0], &[8.0, 24.0, 1.0], &[f32::NAN, 2.0]] {
        assert!(world.reset_to(0, state).unwrap_err().to_string().contains("state is"), "{state:?}");
    }
    assert!(world.step(Action::Choice(1)).unwrap_err().to_string().contains("expected 2 numbers"));
    let mut four = maze(
        &Options {
            plans: PlanOptions { layout: LayoutChoice::FourRooms, ..PlanOptions::default() },
            ..Options::default()
        },
        Purpose::Recording,
    );
    assert!(!four.reset_to(0, &[8.0, 8.0]).unwrap().info.contains_key("layout"));
    assert!(four.reset_to(0, &[8.0, 8.0, 1.0, 1.0, 1.0, 1.0]).is_err());
    // Where it cannot be.
    let way = |points: &[[f32; 2]]| points.iter().map(|point| point.to_vec()).collect::<Vec<_>>();
    assert_eq!(four.legality(&way(&[[8.0, 8.0], [9.0, 9.0], [9.0, 9.0]])), Legality::Legal);
    assert_eq!(four.legality(&way(&[[8.0, 8.0], [9.0, 9.0], [12.0, 9.0]])), Legality::Illegal { step: 2 });
    assert_eq!(four.legality(&way(&[[14.5, 13.0], [14.9, 13.0], [16.9, 13.0]])), Legality::Illegal { step: 2 });
}

#[test]
fn the_walk_covers_the_maze_and_passes_doors() {
    let options = Options::default();
    let world = MazeWorld::new(options.clone()).unwrap();
    let mut walk = world.policy("walk", 90).unwrap();
    let mut maze = maze(&options, Purpose::Recording);
    let (mut rooms, mut all, mut held, mut lengths) = (0, BTreeSet::new(), 0, [0; 4]);
    for seed in 0..200 {
        let moments = episode(&mut maze, walk.as_mut(), seed, 90, false);
        let states = states(&moments);
        assert_eq!(maze.legality(&states), Legality::Legal);
        let room = |state: &Vec<f32>| [state[0], state[1]].map(|at| (at / 16.0) as u8);
        let seen: BTreeSet<_> = states.iter().map(room).collect();
        rooms += seen.len();
        all.extend(seen);
        for pair in states.windows(2) {
            let length = (pair[1][0] - pair[0][0]).hypot(pair[1][1] - pair[0][1]);
            held += usize::from(length == 0.0);
            lengths[(length / 0.51) as usize] += 1;
        }
    }
    assert_eq!(all.len(), 16);
    let (rooms, held) = (rooms as f64 / 200.0, held as f64 / 18_000.0);
    assert!((3.0..8.0).contains(&rooms), "{rooms} rooms in an episode");
    assert!(held < 0.2, "held up in {held} of the steps");
    assert!(lengths[3] > 3_000 && lengths[1] > 3_000, "{lengths:?}");
}

#[test]
fn distractors_are_seen_and_play_no_part() {
    let plain = Options::default();
    let with = |motion| Options { distractors: 6, distractor_motion: motion, ..Options::default() };
    let run = |options: &Options| {
        let mut world = maze(options, Purpose::Evaluation);
        let mut moments = vec![world.reset(4).unwrap()];
        moments.extend((0..30).map(|_| world.step(Action::Vector(&[0.5, 0.5])).unwrap()));
        (moments, world.goal().unwrap())
    };
    let (clear, goal) = run(&plain);
    let pixels = |moment: &TimeStep| moment.observations.cameras["pixels"].data.clone();
    for motion in [DistractorMotion::Drift, DistractorMotion::Still] {
        let (seen, distracted) = run(&with(motion));
        assert_eq!(states(&seen), states(&clear));
        assert_eq!((distracted.state.as_ref(), distracted.route), (goal.state.as_ref(), goal.route));
        assert_ne!(pixels(&seen[0]), pixels(&clear[0]));
        // What distractors add to the picture stays, or changes from step to step.
        let added = |at: usize| {
            let pairs = pixels(&seen[at]).into_iter().zip(pixels(&clear[at])).map(|(one, other)| one != other);
            pairs.collect::<Vec<bool>>()
        };
        assert_eq!(added(0) == added(3), motion == DistractorMotion::Still);
    }
}

#[test]
fn factors_change_what_is_seen_and_how_the_agent_moves() {
    let set = |name: &str, value: FactorValue| Options {
        variation: Variation { values: [(name.to_owned(), value)].into(), ..Variation::default() },
        ..Options::default()
    };
    let first = |options: &Options| maze(options, Purpose::Evaluation).reset(2).unwrap();
    let nominal = first(&Options::default());
    assert!(nominal.info.keys().eq(["layout"]));
    for (name, colour) in [("floor.color", [9, 8, 7]), ("wall.color", [200, 100, 50]), ("agent.color", [1, 250, 3])] {
        let value = FactorValue::List(colour.map(f32::from).to_vec());
        let moment = first(&set(name, value));
        let frame = &moment.observations.cameras["pixels"].data;
        assert!(frame.chunks_exact(3).any(|pixel| pixel == colour), "{name}");
        assert_eq!(
            (moment.state, &moment.info[&format!("factor.{name}")]),
            (nominal.state.clone(), &colour.map(f32::from).to_vec())
        );
    }
    let red = |moment: &TimeStep| {
        moment.observations.cameras["pixels"]
            .data
            .chunks_exact(3)
            .filter(|pixel| pixel[0] > 180 && pixel[1] < 120)
            .count()
    };
    let [small, large] = [1.2, 3.2].map(|radius| red(&first(&set("agent.radius", FactorValue::Number(radius)))));
    assert!(small < 8 && large > 24, "{small} {large}");
    let mut fast = maze(&set("agent.speed", FactorValue::Number(1.5)), Purpose::Evaluation);
    fast.reset_to(0, &[8.0, 8.0]).unwrap();
    assert_eq!(fast.step(Action::Vector(&[2.0, 0.0])).unwrap().state, Some(vec![11.0, 8.0]));
    assert_eq!(fast.step(Action::Vector(&[-30.0, 0.0])).unwrap().state, Some(vec![8.0, 8.0]));
    let gaps = |width: f32| {
        let mut world = maze(&set("door.width", FactorValue::Number(width)), Purpose::Evaluation);
        world.reset(2).unwrap();
        (0..64)
            .flat_map(|x| (0..64).map(move |y| [x as f32 + 0.5, y as f32 + 0.5]))
            .filter(|at| world.is_free(*at))
            .count()
    };
    assert!(gaps(0.8) > gaps(0.2) + 100);
    // Drawn anew for each episode, and told.
    let vary =
        Options { variation: Variation { vary: vec!["physics".into()], ..Variation::default() }, ..Options::default() };
    let mut world = maze(&vary, Purpose::Recording);
    let told: BTreeSet<u32> =
        (0..20).map(|seed| world.reset(seed).unwrap().info["factor.door.width"][0].to_bits()).collect();
    assert_eq!((told.len(), factors().iter().count()), (20, 6));
}

#[test]
fn the_keys_are_checked() {
    let world = |text: &str| {
        toml::from_str::<EnvConfig>(&format!("name = \"maze\"\n[maze]\n{text}")).unwrap().world(&built_in()).map(|_| ())
    };
    assert_eq!(world("rooms = [3, 2]\nlayouts = \"all\"\ndistractors = 2\nvariation.vary = [\"appearance\"]"), Ok(()));
    for (text, expected) in [
        ("roms = [3, 2]", "unknown key `env.maze.roms`; did you mean `env.maze.rooms`?"),
        ("rooms = [0, 2]", "rooms.0 is 0, but must be 1 or more"),
        ("route_steps = [20.0, 10.0]", "route_steps.1 is 10"),
        ("layout = \"plan\"", "plan is []"),
        ("variation.vary = [\"dor.*\"]", "variation.vary is `dor.*`"),
        ("size = 2", "size is 2"),
    ] {
        let message = world(text).unwrap_err();
        assert!(message.contains(expected), "{message}");
    }
    let section: EnvConfig = toml::from_str("name = \"maze\"\n[maze]\nrooms = [3, 2]").unwrap();
    let resolved = section.resolve(&built_in()).unwrap().keys().unwrap();
    assert_eq!(resolved["rooms"].as_array().unwrap().len(), 2);
    assert_eq!((resolved["room"].as_float(), resolved["layout"].as_str()), (Some(16.0), Some("random")));
    let options = Options { route_steps: [500.0, 600.0], ..Options::default() };
    let error = Maze::new(MazeWorld::new(options).unwrap(), Purpose::Evaluation).unwrap_err();
    assert!(error.to_string().contains("route_steps is [500.0, 600.0]"), "{error}");
}

#[test]
fn people_see_goal_walls_and_agent() {
    let mut world = maze(&Options::default(), Purpose::Evaluation);
    world.reset(1).unwrap();
    for scale in [2, 5] {
        let frame = world.render(&[], scale).unwrap();
        assert_eq!((frame.height, frame.width), (64 * scale, 64 * scale));
        let at = |point: [f32; 2]| {
            let [column, row] = point.map(|value| (value * scale as f32) as usize);
            let start = (row * frame.width + column) * 3;
            [frame.data[start], frame.data[start + 1], frame.data[start + 2]]
        };
        assert_eq!(at(world.position().unwrap()), [218, 66, 46]);
        assert_eq!(at([0.4, 0.4]), [54, 62, 80]);
        let goal = world.goal().unwrap().state.unwrap();
        assert_eq!(at([goal[0], goal[1]]), [28, 150, 104]);
    }
    let wide = Options { plans: PlanOptions { rooms: [4, 2], ..PlanOptions::default() }, ..Options::default() };
    let frame = maze(&wide, Purpose::Evaluation).render(&[], 2).unwrap();
    assert_eq!(frame.data[frame.data.len() - 3..], [226, 229, 234]);
}

#[test]
fn walls_that_meet_leave_no_gap() {
    // Blocks that touch at a corner alone let nothing through.
    let plan = ["####", "#.##", "##.#", "####"].map(str::to_owned).to_vec();
    let plans = PlanOptions { layout: LayoutChoice::Plan, plan, ..PlanOptions::default() };
    assert!(plans.validate().unwrap_err().contains("can be reached"));
    let floor = plans.floor(&plans.walls(None, 8.0, 0.4), 8.0, 0.0);
    assert_eq!(Routes::to(&floor, [20.0, 20.0]).length_from(&floor, [12.0, 12.0]), None);
    let wall = |low, high| Wall { low, high };
    let seam = Floor::new([8.0, 8.0], 8.0, vec![wall([0.0, 3.0], [4.0, 4.0]), wall([4.0, 3.0], [8.0, 4.0])]);
    assert_eq!(Routes::to(&seam, [4.0, 6.0]).length_from(&seam, [4.0, 1.0]), None);
}
