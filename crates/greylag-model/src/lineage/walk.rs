//! Walks: what lies up or down from one entity, as a tree for people and as edges for programs.

use super::Graph;
use crate::entity::EntityRef;
use serde::{Deserialize, Serialize};

/// Which way to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Where the data comes from.
    Up,
    /// Where the data goes.
    Down,
}

/// One edge of a walk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hop {
    /// Where the data comes from.
    pub from: EntityRef,
    /// Where it goes.
    pub to: EntityRef,
    /// Edges between the walk's start and this edge's far end, at least 1.
    pub depth: usize,
}

/// What lies up or down from an entity. Each entity has its neighbours at the first place where it occurs in
/// breadth-first order; at others it is marked as seen. So the tree has as many lines as the walk has edges, also if
/// the lineage is cyclic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tree {
    /// Which.
    pub entity: EntityRef,
    /// One edge further, by reference.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub next: Vec<Tree>,
    /// Whether its neighbours stand elsewhere in the tree.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub seen: bool,
    /// Whether there are neighbours that the depth left out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub more: bool,
}

/// Deepest tree that is made: trees are read, drawn and dropped by recursion, and nobody reads further.
const DEEPEST: usize = 1_000;

impl Graph {
    /// The edges within `depth` of `start`, nearest first; each once.
    pub fn walk(&self, start: &EntityRef, direction: Direction, depth: usize) -> Vec<Hop> {
        let mut hops = Vec::new();
        self.breadth_first(start, direction, depth, |near, far, depth, _| {
            let (near, far) = (self.nodes[near as usize].clone(), self.nodes[far as usize].clone());
            let (from, to) = if direction == Direction::Down { (near, far) } else { (far, near) };
            hops.push(Hop { from, to, depth });
        });
        hops
    }

    /// The same as a tree, at most 1,000 deep.
    pub fn tree(&self, start: &EntityRef, direction: Direction, depth: usize) -> Tree {
        // Rows in breadth-first order: (node, parent's row, depth, seen before). Children come after their parents.
        let mut rows: Vec<(u32, usize, bool)> = Vec::new();
        let mut row_of = vec![usize::MAX; self.nodes.len()];
        let mut cut = vec![false; self.nodes.len()];
        let Some(root) = self.number(start) else {
            return Tree { entity: start.clone(), next: Vec::new(), seen: false, more: false };
        };
        rows.push((root, usize::MAX, false));
        row_of[root as usize] = 0;
        let left = self.breadth_first(start, direction, depth.min(DEEPEST), |near, far, _, seen| {
            if !seen {
                row_of[far as usize] = rows.len();
            }
            rows.push((far, row_of[near as usize], seen));
        });
        for node in left {
            cut[node as usize] = !self.adjacency(direction).of(node).is_empty();
        }
        let mut trees: Vec<Tree> = (rows.iter())
            .map(|(node, _, seen)| Tree {
                entity: self.nodes[*node as usize].clone(),
                next: Vec::new(),
                seen: *seen && !self.adjacency(direction).of(*node).is_empty(),
                more: !*seen && cut[*node as usize],
            })
            .collect();
        while trees.len() > 1 {
            if let (Some(mut tree), Some(parent)) = (trees.pop(), rows.get(trees.len()).map(|row| row.1)) {
                tree.next.sort_by(|a, b| a.entity.cmp(&b.entity));
                trees[parent].next.push(tree);
            }
        }
        let mut tree = trees.swap_remove(0);
        tree.next.sort_by(|a, b| a.entity.cmp(&b.entity));
        tree
    }

    /// Calls `edge(near, far, depth, far was seen before)` for every edge within `depth`; answers the nodes at its end,
    /// whose own edges were not followed.
    fn breadth_first(
        &self,
        start: &EntityRef,
        direction: Direction,
        depth: usize,
        mut edge: impl FnMut(u32, u32, usize, bool),
    ) -> Vec<u32> {
        let Some(start) = self.number(start) else { return Vec::new() };
        let mut seen = vec![false; self.nodes.len()];
        seen[start as usize] = true;
        let mut level = vec![start];
        for depth in 1..=depth {
            let mut further = Vec::new();
            for &near in &level {
                for &far in self.adjacency(direction).of(near) {
                    let before = std::mem::replace(&mut seen[far as usize], true);
                    edge(near, far, depth, before);
                    if !before {
                        further.push(far);
                    }
                }
            }
            level = further;
            if level.is_empty() {
                break;
            }
        }
        level
    }
}
