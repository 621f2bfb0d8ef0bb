//! The keys that say which floor plans there are: the same for every world in a maze.

use prevision_core::config::check;
use prevision_core::config::check::{ensure, message, positive};
use prevision_core::seed;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::floor::Floor;
use super::layout::RoomLayout;
use super::wall::Wall;
use crate::registry::Purpose;
use crate::two_rooms::LayoutSplit;

/// Which floor plans a maze has, and how large they are drawn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PlanOptions {
    /// Width and height of a frame in pixels. The longer side of the maze fills it. Default 64.
    pub size: usize,
    /// Which floor plan an episode has. Default `random`.
    pub layout: LayoutChoice,
    /// Columns and rows of rooms of the layout `random`. Default 4 and 4.
    pub rooms: [usize; 2],
    /// Which of the random floor plans are used. Unset: `training` in recordings, `held-out` when plans are judged, so that planning
    /// meets floor plans that training never showed.
    pub layouts: Option<LayoutSplit>,
    /// How many random floor plans there are; episodes are spread over them. Unset: each episode draws its own.
    pub mazes: Option<usize>,
    /// Chance of a door in each wall of the layout `random` that needs none for all rooms to be reached. Default 0.1.
    pub extra_doors: f64,
    /// The floor plan of the layout `plan`: rows of equal length, `#` a block of wall as large as a room, anything else floor. Walls
    /// enclose it, and every place of the floor can be reached from every other.
    pub plan: Vec<String>,
}

/// Which floor plan an episode has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LayoutChoice {
    /// Rooms with doors between them, drawn for each episode: every room can be reached.
    #[default]
    Random,
    /// Always the same two by two rooms with four doors.
    FourRooms,
    /// Always the floor plan that is given as text.
    Plan,
}

impl Default for PlanOptions {
    fn default() -> Self {
        Self {
            size: 64,
            layout: LayoutChoice::Random,
            rooms: [4, 4],
            layouts: None,
            mazes: None,
            extra_doors: 0.1,
            plan: Vec::new(),
        }
    }
}

impl PlanOptions {
    /// Checks every value.
    ///
    /// # Errors
    /// The key, its value and what is allowed.
    pub fn validate(&self) -> Result<(), String> {
        check("size", self.size as f64).within(8.0, 4_096.0)?.done()?;
        check("extra_doors", self.extra_doors).within(0.0, 1.0)?.done()?;
        positive("rooms.0", self.rooms[0])?;
        positive("rooms.1", self.rooms[1])?;
        self.mazes.map_or(Ok(()), |mazes| positive("mazes", mazes))?;
        let given = !self.plan.is_empty();
        ensure(
            given == (self.layout == LayoutChoice::Plan),
            "plan",
            format_args!("{:?}", self.plan),
            "given where layout is `plan`, and only there",
        )?;
        if given {
            check_plan(&self.plan)?;
        }
        for purpose in [Purpose::Recording, Purpose::Evaluation] {
            let split = self.split(purpose);
            if self.layout == LayoutChoice::Random && self.sample(split, 0, 0).is_none() {
                let allowed = format!("so many that some layouts are {split:?}, or layouts = \"all\"");
                return Err(message("rooms", format_args!("{:?}", self.rooms), allowed));
            }
        }
        Ok(())
    }

    /// Which of the random floor plans are used for a purpose.
    pub fn split(&self, purpose: Purpose) -> LayoutSplit {
        self.layouts.unwrap_or(match purpose {
            Purpose::Recording => LayoutSplit::Training,
            Purpose::Evaluation => LayoutSplit::HeldOut,
        })
    }

    /// The rooms of the episode of a seed; `None` for a plan, and where the split has no layouts. `draw` is 0, and more where a layout
    /// drawn before does not do.
    pub fn sample(&self, split: LayoutSplit, seed: u64, draw: u64) -> Option<RoomLayout> {
        match self.layout {
            LayoutChoice::Random => {
                let seed = self.mazes.map_or(seed, |mazes| seed % mazes as u64);
                RoomLayout::sample(self.rooms, self.extra_doors, split, &mut seed::rng(seed, "maze/layout", 0, draw))
            }
            LayoutChoice::FourRooms => Some(RoomLayout::four_rooms()),
            LayoutChoice::Plan => None,
        }
    }

    /// How many layouts are drawn for an episode before it is given up to find a task in one.
    pub fn draws(&self) -> u64 {
        if self.layout == LayoutChoice::Random { 50 } else { 1 }
    }

    /// Columns and rows of rooms, or of the blocks of a plan.
    pub fn columns_and_rows(&self) -> [usize; 2] {
        match self.layout {
            LayoutChoice::Random => self.rooms,
            LayoutChoice::FourRooms => [2, 2],
            LayoutChoice::Plan => [self.plan.first().map_or(1, |row| row.chars().count()), self.plan.len()],
        }
    }

    /// Width and height of the maze, with rooms of this side.
    pub fn extent(&self, room: f64) -> [f64; 2] {
        self.columns_and_rows().map(|count| count as f64 * room)
    }

    /// The walls as they are seen, with rooms of this side and doors that are `door_width` wide, as a share of what is free between two
    /// walls.
    pub fn walls(&self, layout: Option<&RoomLayout>, room: f64, door_width: f64) -> Vec<Wall> {
        match layout {
            Some(layout) => layout.walls(room, door_width),
            None => plan_walls(&self.plan, room),
        }
    }

    /// The floor for an agent with a square body that reaches `body` to each side of its middle.
    pub fn floor(&self, walls: &[Wall], room: f64, body: f64) -> Floor {
        Floor::new(self.extent(room), room, walls.iter().map(|wall| wall.swollen(body)).collect())
    }
}

fn is_wall(block: char) -> bool {
    block == '#'
}

/// The walls of a text plan: blocks in a row are one, and so are blocks one above the other, so that no seam shows between them.
fn plan_walls(plan: &[String], room: f64) -> Vec<Wall> {
    let blocks: Vec<Vec<bool>> = plan.iter().map(|row| row.chars().map(is_wall).collect()).collect();
    let columns = blocks.first().map_or(0, Vec::len);
    let wall = |[left, upper]: [usize; 2], [right, lower]: [usize; 2]| {
        let corner = |at: [usize; 2]| at.map(|count| count as f64 * room);
        Wall { low: corner([left, upper]), high: corner([right, lower]) }
    };
    let mut walls = Vec::new();
    for (row, line) in blocks.iter().enumerate() {
        walls.extend(runs(line.iter().copied()).map(|[from, to]| wall([from, row], [to, row + 1])));
    }
    for column in 0..columns {
        let long = runs(blocks.iter().map(|line| line[column])).filter(|[from, to]| to - from > 1);
        walls.extend(long.map(|[from, to]| wall([column, from], [column + 1, to])));
    }
    walls
}

/// Where rows of walls begin, and where they have ended.
fn runs(blocks: impl Iterator<Item = bool>) -> impl Iterator<Item = [usize; 2]> {
    let mut start = None;
    blocks.chain([false]).enumerate().filter_map(move |(place, block)| {
        if block {
            start.get_or_insert(place);
            return None;
        }
        start.take().map(|from| [from, place])
    })
}

fn check_plan(plan: &[String]) -> Result<(), String> {
    let blocks: Vec<Vec<bool>> = plan.iter().map(|row| row.chars().map(is_wall).collect()).collect();
    let (rows, columns) = (blocks.len(), blocks[0].len());
    for (row, line) in blocks.iter().enumerate() {
        let edge = row == 0 || row + 1 == rows;
        let valid = line.len() == columns
            && line.first() == Some(&true)
            && line.last() == Some(&true)
            && (!edge || line.iter().all(|block| *block));
        let allowed =
            format!("{columns} blocks that begin and end with `#`, and no other in the first and the last row");
        ensure(valid, &format!("plan.{row}"), format_args!("{:?}", plan[row]), allowed)?;
    }
    let floor: Vec<(usize, usize)> = (0..rows)
        .flat_map(|row| (0..columns).map(move |column| (row, column)))
        .filter(|(row, column)| !blocks[*row][*column])
        .collect();
    let mut seen = vec![vec![false; columns]; rows];
    let mut open: Vec<(usize, usize)> = floor.first().copied().into_iter().collect();
    let mut count = 0;
    while let Some((row, column)) = open.pop() {
        if !blocks[row][column] && !std::mem::replace(&mut seen[row][column], true) {
            count += 1;
            open.extend([(row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)]);
        }
    }
    let allowed = "a floor of which every place can be reached from every other";
    ensure(count > 0 && count == floor.len(), "plan", format_args!("{plan:?}"), allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_plan(rows: &[&str]) -> PlanOptions {
        let plan = rows.iter().map(|row| (*row).to_owned()).collect();
        PlanOptions { layout: LayoutChoice::Plan, plan, ..PlanOptions::default() }
    }

    #[test]
    fn a_plan_becomes_walls() {
        let options = of_plan(&["#####", "#.#.#", "#...#", "#####"]);
        options.validate().unwrap();
        assert_eq!((options.columns_and_rows(), options.extent(2.0)), ([5, 4], [10.0, 8.0]));
        let walls = options.walls(None, 2.0, 0.5);
        // 7 in rows, and 3 that are higher than a block.
        assert_eq!(walls.len(), 10);
        assert_eq!(walls[8], Wall { low: [4.0, 0.0], high: [6.0, 4.0] });
        assert_eq!(walls[2], Wall { low: [4.0, 2.0], high: [6.0, 4.0] });
        let floor = options.floor(&walls, 2.0, 0.5);
        assert!(floor.is_free([3.0, 3.0]) && !floor.is_free([3.6, 3.0]) && !floor.is_free([5.0, 3.0]));
    }

    #[test]
    fn episodes_are_spread_over_as_many_mazes_as_there_are() {
        let options = PlanOptions { mazes: Some(3), ..PlanOptions::default() };
        options.validate().unwrap();
        let layouts: Vec<_> = (0..9).map(|seed| options.sample(LayoutSplit::HeldOut, seed, 0)).collect();
        assert!(layouts[..6] == layouts[3..] && layouts[0] != layouts[1] && layouts[1] != layouts[2]);
        assert_eq!(layouts[2], PlanOptions::default().sample(LayoutSplit::HeldOut, 2, 0));
        let message = PlanOptions { mazes: Some(0), ..PlanOptions::default() }.validate().unwrap_err();
        assert!(message.starts_with("mazes is 0"), "{message}");
    }

    #[test]
    fn what_is_no_plan_is_said() {
        let refused = |rows: &[&str]| of_plan(rows).validate().unwrap_err();
        assert!(refused(&["###", "#.#", "##.", "###"]).starts_with("plan.2 is \"##.\", but must be 3 blocks"));
        assert!(refused(&["###", "#.#", "#.#"]).starts_with("plan.2"));
        assert!(refused(&["#####", "#.#.#", "#####"]).contains("can be reached"));
        assert!(refused(&["###", "###", "###"]).contains("can be reached"));
        assert!(refused(&[]).starts_with("plan is []"));
        let message = PlanOptions { plan: vec!["#".into()], ..PlanOptions::default() }.validate().unwrap_err();
        assert!(message.contains("only there"), "{message}");
        let message = PlanOptions { rooms: [1, 1], ..PlanOptions::default() }.validate().unwrap_err();
        assert!(message.starts_with("rooms is [1, 1], but must be so many"), "{message}");
        let one = PlanOptions { rooms: [1, 1], layouts: Some(LayoutSplit::All), ..PlanOptions::default() };
        assert_eq!(one.validate(), Ok(()));
    }
}
