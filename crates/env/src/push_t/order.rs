//! The order in which pairs of parts are looked at.
//!
//! Impulses are found pair by pair, and where a block is held between agent and walls, ten rounds do not settle: what comes last wins. So
//! the order is a part of the motion. Chipmunk's is that of its trees of bounding boxes, one of what moves and one of walls, and this is
//! that order: a box is widened when it enters its tree, so that it need not enter again while the part stays in it; a part that entered
//! in this sub-step looks through both trees, and one that did not goes through the pairs it is known to be in, newest first.

use super::vector::Vector;

/// Share of its width and height by which a box is widened.
const WIDENED: f64 = 0.1;
/// Seconds of motion for which it is widened.
const AHEAD: f64 = 0.1;

/// A box: least and largest x and y.
pub(super) type Bounds = [Vector; 2];

fn merged([low, high]: &Bounds, [other_low, other_high]: &Bounds) -> Bounds {
    [[0, 1].map(|axis| low[axis].min(other_low[axis])), [0, 1].map(|axis| high[axis].max(other_high[axis]))]
}

fn area([low, high]: &Bounds) -> f64 {
    (high[0] - low[0]) * (high[1] - low[1])
}

/// Twice the distance between the middles of two boxes, along x and y together.
fn distance([low, high]: &Bounds, [other_low, other_high]: &Bounds) -> f64 {
    let along = |axis: usize| (low[axis] + high[axis] - other_low[axis] - other_high[axis]).abs();
    along(0) + along(1)
}

/// Whether two boxes have a point in common.
pub(super) fn meet([low, high]: &Bounds, [other_low, other_high]: &Bounds) -> bool {
    (0..2).all(|axis| low[axis] <= other_high[axis] && other_low[axis] <= high[axis])
}

fn contains([low, high]: &Bounds, [inner_low, inner_high]: &Bounds) -> bool {
    (0..2).all(|axis| low[axis] <= inner_low[axis] && inner_high[axis] <= high[axis])
}

/// The box of a part that enters a tree.
fn widened([low, high]: &Bounds, velocity: Vector) -> Bounds {
    let margin = [0, 1].map(|axis| WIDENED * (high[axis] - low[axis]));
    let ahead = velocity.map(|value| AHEAD * value);
    let below = [0, 1].map(|axis| low[axis] + ahead[axis].min(-margin[axis]));
    [below, [0, 1].map(|axis| high[axis] + ahead[axis].max(margin[axis]))]
}

#[derive(Debug, Clone)]
struct Node {
    bounds: Bounds,
    parent: Option<usize>,
    /// None of a leaf.
    children: Option<[usize; 2]>,
    /// When a leaf entered last.
    entered: u64,
}

/// Trees of bounding boxes. The leaves are numbered: walls first, then what moves.
#[derive(Debug, Clone)]
pub(super) struct Order {
    /// The leaves, then inner nodes.
    nodes: Vec<Node>,
    unused: Vec<usize>,
    walls: usize,
    /// The roots: of walls and of what moves.
    roots: [Option<usize>; 2],
    /// Known pairs of leaves, oldest first. The second one asks for them.
    pairs: Vec<(usize, usize)>,
    now: u64,
}

impl Order {
    /// These walls and these moving parts, at rest, entered one after the other.
    pub(super) fn new(walls: &[Bounds], moving: &[Bounds]) -> Self {
        let leaf = |bounds: &Bounds| Node { bounds: *bounds, parent: None, children: None, entered: 0 };
        let still = moving.iter().map(|bounds| leaf(&widened(bounds, [0.0; 2])));
        let nodes: Vec<Node> = walls.iter().map(leaf).chain(still).collect();
        let count = nodes.len();
        let mut order =
            Self { nodes, unused: Vec::new(), walls: walls.len(), roots: [None; 2], pairs: Vec::new(), now: 0 };
        for leaf in 0..count {
            let tree = usize::from(leaf >= order.walls);
            order.roots[tree] = Some(order.insert(order.roots[tree], leaf));
            order.nodes[leaf].entered = order.now;
            if tree == 1 {
                order.look(leaf, &mut |_, _| {});
            }
            order.now += 1;
        }
        order
    }

    /// The pairs that may touch with these boxes and velocities of the moving parts, in order.
    pub(super) fn pairs(&mut self, moving: &[(Bounds, Vector)]) -> Vec<(usize, usize)> {
        for place in updates(self.walls, moving.len()) {
            let (bounds, velocity) = &moving[place];
            let leaf = self.walls + place;
            if !contains(&self.nodes[leaf].bounds, bounds) {
                self.enter(leaf, widened(bounds, *velocity));
            }
        }
        let mut found = Vec::new();
        let mut stack: Vec<usize> = self.roots[1].into_iter().collect();
        while let Some(node) = stack.pop() {
            if let Some([first, second]) = self.nodes[node].children {
                stack.extend([second, first]);
            } else if self.nodes[node].entered == self.now {
                self.look(node, &mut |one, other| found.push((one, other)));
            } else {
                let known = self.pairs.iter().rev().filter(|(_, asking)| *asking == node);
                found.extend(known.copied());
            }
        }
        self.now += 1;
        found
    }

    /// A leaf leaves its tree and enters it again with another box.
    fn enter(&mut self, leaf: usize, bounds: Bounds) {
        self.nodes[leaf].bounds = bounds;
        let root = self.remove(leaf);
        self.roots[1] = Some(self.insert(root, leaf));
        self.pairs.retain(|pair| pair.0 != leaf && pair.1 != leaf);
        self.nodes[leaf].entered = self.now;
    }

    /// A leaf looks through both trees: at walls, then at its neighbours from near to far. Of a neighbour on the left it is told, one on the
    /// right will look itself.
    fn look(&mut self, leaf: usize, tell: &mut impl FnMut(usize, usize)) {
        if let Some(walls) = self.roots[0] {
            self.look_below(walls, leaf, false, tell);
        }
        let mut node = leaf;
        while let Some(parent) = self.nodes[node].parent {
            if let Some([first, second]) = self.nodes[parent].children {
                let left = node == first;
                self.look_below(if left { second } else { first }, leaf, left, tell);
            }
            node = parent;
        }
    }

    fn look_below(&mut self, node: usize, leaf: usize, left: bool, tell: &mut impl FnMut(usize, usize)) {
        if !meet(&self.nodes[leaf].bounds, &self.nodes[node].bounds) {
            return;
        }
        if let Some([first, second]) = self.nodes[node].children {
            self.look_below(first, leaf, left, tell);
            self.look_below(second, leaf, left, tell);
        } else if left {
            self.pairs.push((leaf, node));
        } else {
            if self.nodes[node].entered < self.nodes[leaf].entered {
                self.pairs.push((node, leaf));
            }
            tell(leaf, node);
        }
    }

    /// Puts a leaf below a node, where the boxes grow least. Gives the node that is there now.
    fn insert(&mut self, node: Option<usize>, leaf: usize) -> usize {
        let Some(node) = node else {
            self.nodes[leaf].parent = None;
            return leaf;
        };
        let Some([first, second]) = self.nodes[node].children else {
            let parent = self.nodes[node].parent;
            let bounds = merged(&self.nodes[leaf].bounds, &self.nodes[node].bounds);
            let inner = Node { bounds, parent, children: Some([leaf, node]), entered: 0 };
            let place = self.unused.pop().unwrap_or(self.nodes.len());
            if place == self.nodes.len() {
                self.nodes.push(inner);
            } else {
                self.nodes[place] = inner;
            }
            self.nodes[leaf].parent = Some(place);
            self.nodes[node].parent = Some(place);
            return place;
        };
        let [one, other, new] = [first, second, leaf].map(|place| self.nodes[place].bounds);
        let mut costs = [area(&other) + area(&merged(&one, &new)), area(&one) + area(&merged(&other, &new))];
        if costs[0] == costs[1] {
            costs = [distance(&one, &new), distance(&other, &new)];
        }
        let side = usize::from(costs[1] < costs[0]);
        let grown = self.insert(Some([first, second][side]), leaf);
        self.nodes[grown].parent = Some(node);
        let mut children = [first, second];
        children[side] = grown;
        self.nodes[node].children = Some(children);
        self.nodes[node].bounds = merged(&self.nodes[node].bounds, &new);
        node
    }

    /// Takes a leaf out of the tree of what moves. Gives its root.
    fn remove(&mut self, leaf: usize) -> Option<usize> {
        let parent = self.nodes[leaf].parent?;
        let [first, second] = self.nodes[parent].children?;
        let other = if first == leaf { second } else { first };
        let above = self.nodes[parent].parent;
        self.nodes[other].parent = above;
        self.unused.push(parent);
        let Some(above) = above else { return Some(other) };
        if let Some(children) = &mut self.nodes[above].children {
            children.iter_mut().filter(|child| **child == parent).for_each(|child| *child = other);
        }
        let mut node = Some(above);
        while let Some(place) = node {
            if let Some([first, second]) = self.nodes[place].children {
                self.nodes[place].bounds = merged(&self.nodes[first].bounds, &self.nodes[second].bounds);
            }
            node = self.nodes[place].parent;
        }
        self.roots[1]
    }
}

/// The order in which moving parts are asked whether they are still in their boxes: that of Chipmunk's table of them, whose places are their
/// numbers modulo its size.
fn updates(walls: usize, moving: usize) -> Vec<usize> {
    let size = if moving < 5 { 5 } else { 13 };
    let mut places: Vec<usize> = (0..moving).collect();
    places.sort_by_key(|place| (walls + place) % size);
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(x: f64, y: f64, half: f64) -> Bounds {
        [[x - half, y - half], [x + half, y + half]]
    }

    fn sorted(pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
        let mut pairs: Vec<_> = pairs.iter().map(|&(a, b)| (a.min(b), a.max(b))).collect();
        pairs.sort_unstable();
        pairs
    }

    #[test]
    fn no_pair_of_boxes_that_meet_is_missed() {
        // Five squares that circle through each other and through a wall, by different speeds.
        let wall = square(0.0, 40.0, 5.0);
        let at = |step: usize| -> Vec<(Bounds, Vector)> {
            let place = |index: usize| {
                let angle = (step as f64) * 0.05 * (index as f64 + 1.0);
                let middle = [40.0 * angle.cos(), 40.0 * angle.sin()];
                (square(middle[0], middle[1], 6.0 + index as f64), [-200.0 * angle.sin(), 200.0 * angle.cos()])
            };
            (0..5).map(place).collect()
        };
        let first: Vec<Bounds> = at(0).iter().map(|each| each.0).collect();
        let mut order = Order::new(&[wall], &first);
        let mut met = 0;
        for step in 0..400 {
            let moving = at(step);
            let found = order.pairs(&moving);
            let all: Vec<Bounds> = [wall].into_iter().chain(moving.iter().map(|each| each.0)).collect();
            let pairs = (0..6).flat_map(|a| (a + 1..6).map(move |b| (a, b)));
            let expected: Vec<_> = pairs.filter(|&(a, b)| meet(&all[a], &all[b])).collect();
            met += expected.len();
            let found = sorted(&found);
            assert!(expected.iter().all(|pair| found.contains(pair)), "step {step}: {expected:?} in {found:?}");
            assert!(found.windows(2).all(|pair| pair[0] != pair[1]), "step {step}: twice in {found:?}");
            assert_eq!(order.nodes.len(), 6 + 4);
        }
        assert!(met > 400, "{met}");
    }

    #[test]
    fn a_box_is_widened_by_a_tenth_and_for_a_tenth_of_a_second() {
        let [low, high] = widened(&square(0.0, 0.0, 10.0), [50.0, -5.0]);
        assert_eq!((low, high), ([-12.0, -12.0], [15.0, 12.0]));
    }

    #[test]
    fn a_table_of_five_places_begins_with_the_second_part() {
        assert_eq!(updates(4, 3), [1, 2, 0]);
        assert_eq!(updates(4, 5), [0, 1, 2, 3, 4]);
    }
}
