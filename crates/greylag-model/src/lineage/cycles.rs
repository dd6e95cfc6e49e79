//! Cycles: strongly connected components, by Tarjan's algorithm (SIAM J. Comput. 1(2), 1972) with a stack of its own.

use super::Graph;
use crate::entity::EntityRef;

/// Components of a graph, each numbered after all that lie downstream of it.
pub(super) struct Components {
    /// Component of each node.
    pub(super) of: Vec<u32>,
    /// Nodes by component: `members[starts[c]..starts[c + 1]]`.
    pub(super) members: Vec<u32>,
    /// See `members`.
    pub(super) starts: Vec<u32>,
}

impl Components {
    pub(super) fn len(&self) -> usize {
        self.starts.len() - 1
    }

    pub(super) fn members(&self, component: usize) -> &[u32] {
        &self.members[self.starts[component] as usize..self.starts[component + 1] as usize]
    }
}

const UNSEEN: u32 = u32::MAX;

struct Search<'a> {
    graph: &'a Graph,
    index: Vec<u32>,
    low: Vec<u32>,
    on_stack: Vec<bool>,
    stack: Vec<u32>,
    next: u32,
    components: Components,
}

impl Search<'_> {
    fn enter(&mut self, node: u32, calls: &mut Vec<(u32, usize)>) {
        self.index[node as usize] = self.next;
        self.low[node as usize] = self.next;
        self.next += 1;
        self.stack.push(node);
        self.on_stack[node as usize] = true;
        calls.push((node, 0));
    }

    fn run(&mut self, root: u32) {
        let mut calls = Vec::new();
        self.enter(root, &mut calls);
        while let Some((node, position)) = calls.last_mut() {
            let node = *node;
            if let Some(&target) = self.graph.down.of(node).get(*position) {
                *position += 1;
                if self.index[target as usize] == UNSEEN {
                    self.enter(target, &mut calls);
                } else if self.on_stack[target as usize] {
                    self.low[node as usize] = self.low[node as usize].min(self.index[target as usize]);
                }
                continue;
            }
            calls.pop();
            if let Some((parent, _)) = calls.last() {
                let parent = *parent as usize;
                self.low[parent] = self.low[parent].min(self.low[node as usize]);
            }
            if self.low[node as usize] == self.index[node as usize] {
                self.close(node);
            }
        }
    }

    fn close(&mut self, root: u32) {
        let number = self.components.len() as u32;
        while let Some(node) = self.stack.pop() {
            self.on_stack[node as usize] = false;
            self.components.of[node as usize] = number;
            self.components.members.push(node);
            if node == root {
                break;
            }
        }
        self.components.starts.push(self.components.members.len() as u32);
    }
}

impl Graph {
    pub(super) fn components(&self) -> Components {
        let count = self.nodes.len();
        let mut search = Search {
            graph: self,
            index: vec![UNSEEN; count],
            low: vec![0; count],
            on_stack: vec![false; count],
            stack: Vec::new(),
            next: 0,
            components: Components { of: vec![0; count], members: Vec::with_capacity(count), starts: vec![0] },
        };
        for node in 0..count as u32 {
            if search.index[node as usize] == UNSEEN {
                search.run(node);
            }
        }
        search.components
    }

    /// Every cycle: for each set of entities that all lie downstream of one another, a shortest way around that begins
    /// and ends at its first member in the order of references (which is named once).
    pub fn cycles(&self) -> Vec<Vec<EntityRef>> {
        let components = self.components();
        let mut cycles: Vec<Vec<EntityRef>> = (0..components.len())
            .filter(|component| components.members(*component).len() > 1)
            .filter_map(|component| self.way_around(&components, component as u32))
            .collect();
        cycles.sort();
        cycles
    }

    /// The shortest cycle inside a component through its first member, by breadth-first search.
    fn way_around(&self, components: &Components, component: u32) -> Option<Vec<EntityRef>> {
        let members = components.members(component as usize);
        let start = *members.iter().min_by_key(|node| &self.nodes[**node as usize])?;
        let mut before = std::collections::HashMap::new();
        let mut queue = std::collections::VecDeque::from([start]);
        while let Some(node) = queue.pop_front() {
            for &target in self.down.of(node) {
                if components.of[target as usize] != component || before.contains_key(&target) {
                    continue;
                }
                before.insert(target, node);
                if target == start {
                    let mut way = Vec::new();
                    let mut at = before[&start];
                    while at != start {
                        way.push(self.nodes[at as usize].clone());
                        at = before[&at];
                    }
                    way.push(self.nodes[start as usize].clone());
                    way.reverse();
                    return Some(way);
                }
                queue.push_back(target);
            }
        }
        None
    }
}
