//! Lineage: which data flows from where to where.
//!
//! Nodes are entities, edges point the way the data flows: dataset → consumer → dataset. They come from relations:
//! whoever `dependsOn` something is fed by it, and a consumer that names datasets in `greylag.dev/reads` and
//! `greylag.dev/writes` says which way each flows. Where a consumer both depends on a dataset (the usual way to say in
//! Backstage that it uses it, in whichever direction) and says that it writes it, only the latter counts, unless it
//! also says that it reads it.
//!
//! The graph is two arrays of adjacency (forwards and back) over dense numbers, built once by counting; nothing is
//! allocated per node. Cycles are strongly connected components (Tarjan's algorithm without recursion: a chain of a
//! million datasets must not overflow the stack). What lies downstream of *every* node is counted with bit sets over
//! the components in topological order, a block of nodes at a time, so that the cost is edges × nodes / 256 words and
//! the memory one block.

mod cycles;
mod impact;
mod walk;

pub use walk::{Direction, Hop, Tree};

use crate::entity::EntityRef;
use crate::entity::relation::{READS, Relation, WRITES};
use std::collections::HashMap;

/// A directed graph of entities.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    nodes: Vec<EntityRef>,
    numbers: HashMap<EntityRef, u32>,
    down: Adjacency,
    up: Adjacency,
}

/// Out-edges of each node: `targets[starts[n]..starts[n + 1]]`, ascending, without doubles.
#[derive(Clone, Debug, Default)]
struct Adjacency {
    starts: Vec<u32>,
    targets: Vec<u32>,
}

impl Adjacency {
    fn build(nodes: usize, edges: &[(u32, u32)]) -> Self {
        let mut starts = vec![0_u32; nodes + 1];
        for (from, _) in edges {
            starts[*from as usize + 1] += 1;
        }
        for node in 0..nodes {
            starts[node + 1] += starts[node];
        }
        Self { starts, targets: edges.iter().map(|(_, to)| *to).collect() }
    }

    fn of(&self, node: u32) -> &[u32] {
        let node = node as usize;
        &self.targets[self.starts[node] as usize..self.starts[node + 1] as usize]
    }
}

impl Graph {
    /// The graph of `edges`, each from where data comes to where it goes. Doubles and edges of a node to itself are
    /// left out.
    pub fn new(edges: impl IntoIterator<Item = (EntityRef, EntityRef)>) -> Self {
        let mut graph = Self::default();
        let mut numbered: Vec<(u32, u32)> = Vec::new();
        for (from, to) in edges {
            let (from, to) = (graph.intern(from), graph.intern(to));
            if from != to {
                numbered.push((from, to));
            }
        }
        let order = graph.sort_nodes();
        for edge in &mut numbered {
            *edge = (order[edge.0 as usize], order[edge.1 as usize]);
        }
        numbered.sort_unstable();
        numbered.dedup();
        graph.down = Adjacency::build(graph.nodes.len(), &numbered);
        for edge in &mut numbered {
            *edge = (edge.1, edge.0);
        }
        numbered.sort_unstable();
        graph.up = Adjacency::build(graph.nodes.len(), &numbered);
        graph
    }

    /// The graph of the relations that say where data flows; others are passed over.
    pub fn of_relations(relations: &[Relation]) -> Self {
        Self::new(edges(relations))
    }

    fn intern(&mut self, node: EntityRef) -> u32 {
        if let Some(number) = self.numbers.get(&node) {
            return *number;
        }
        let number = self.nodes.len() as u32;
        self.nodes.push(node.clone());
        self.numbers.insert(node, number);
        number
    }

    /// Numbers the nodes in the order of their references, so that all that is listed by number is in that order, however
    /// the edges came; answers the new number of each old one.
    fn sort_nodes(&mut self) -> Vec<u32> {
        let mut nodes: Vec<(EntityRef, u32)> = self.nodes.drain(..).zip(0..).collect();
        nodes.sort_unstable();
        let mut order = vec![0; nodes.len()];
        for (number, (node, old)) in nodes.into_iter().enumerate() {
            order[old as usize] = number as u32;
            self.numbers.insert(node.clone(), number as u32);
            self.nodes.push(node);
        }
        order
    }

    fn number(&self, node: &EntityRef) -> Option<u32> {
        self.numbers.get(node).copied()
    }

    fn adjacency(&self, direction: Direction) -> &Adjacency {
        match direction {
            Direction::Up => &self.up,
            Direction::Down => &self.down,
        }
    }

    /// Whether the entity has any lineage.
    pub fn contains(&self, node: &EntityRef) -> bool {
        self.numbers.contains_key(node)
    }

    /// All entities with lineage, in order.
    pub fn nodes(&self) -> &[EntityRef] {
        &self.nodes
    }

    /// How many edges there are.
    pub fn edge_count(&self) -> usize {
        self.down.targets.len()
    }

    /// The entities one edge away.
    pub fn next(&self, node: &EntityRef, direction: Direction) -> impl Iterator<Item = &EntityRef> {
        let targets = self.number(node).map_or(&[][..], |number| self.adjacency(direction).of(number));
        targets.iter().map(|target| &self.nodes[*target as usize])
    }
}

/// Where data flows, by the relations of entities: (from, to).
fn edges(relations: &[Relation]) -> impl Iterator<Item = (EntityRef, EntityRef)> {
    use std::collections::HashSet;
    let told = |kind: &str| -> HashSet<(&EntityRef, &EntityRef)> {
        relations
            .iter()
            .filter(|relation| relation.kind == kind)
            .map(|relation| (&relation.from, &relation.to))
            .collect()
    };
    let (reads, writes) = (told(READS), told(WRITES));
    relations.iter().filter_map(move |relation| {
        let pair = (&relation.from, &relation.to);
        let (from, to) = match relation.kind.as_str() {
            READS => (&relation.to, &relation.from),
            WRITES => (&relation.from, &relation.to),
            "dependsOn" if !writes.contains(&pair) || reads.contains(&pair) => (&relation.to, &relation.from),
            "dependencyOf" => (&relation.from, &relation.to),
            _ => return None,
        };
        Some((from.clone(), to.clone()))
    })
}

#[cfg(test)]
mod tests;
