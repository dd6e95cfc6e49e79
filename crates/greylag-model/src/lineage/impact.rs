//! Impact: how much lies downstream.

use super::{Direction, Graph};
use crate::entity::EntityRef;
use crate::snapshot::Impact;
use std::collections::HashMap;

/// Words of a block: 256 nodes are followed at a time, two vectors of 128 bits or one of 256.
const WORDS: usize = 4;
type Block = [u64; WORDS];

impl Graph {
    /// What lies downstream of one entity.
    pub fn impact(&self, node: &EntityRef) -> Impact {
        let direct: Vec<EntityRef> = self.next(node, Direction::Down).cloned().collect();
        let all = self.number(node).map_or(0, |number| self.count_downstream(number));
        Impact { indirect: all - direct.len() as u64, direct }
    }

    fn count_downstream(&self, start: u32) -> u64 {
        let mut seen = vec![false; self.nodes.len()];
        seen[start as usize] = true;
        let mut stack = vec![start];
        let mut count = 0;
        while let Some(node) = stack.pop() {
            for &target in self.down.of(node) {
                if !std::mem::replace(&mut seen[target as usize], true) {
                    count += 1;
                    stack.push(target);
                }
            }
        }
        count
    }

    /// What lies downstream of every entity that has lineage; see the module's words on cost.
    pub fn impacts(&self) -> HashMap<EntityRef, Impact> {
        let counts = self.count_all();
        (self.nodes.iter().enumerate())
            .map(|(number, node)| {
                let direct: Vec<EntityRef> =
                    self.down.of(number as u32).iter().map(|target| self.nodes[*target as usize].clone()).collect();
                (node.clone(), Impact { indirect: counts[number] - direct.len() as u64, direct })
            })
            .collect()
    }

    /// For each node, how many others lie downstream.
    fn count_all(&self) -> Vec<u64> {
        let components = self.components();
        let mut reached: Vec<Block> = vec![[0; WORDS]; components.len()];
        let mut counts = vec![0_u64; components.len()];
        // Components are numbered after all that lie downstream of them, and so are their members in `members`: a block
        // of the members at `first` can only be reached from the block's own components on.
        for first in (0..components.members.len()).step_by(64 * WORDS) {
            let block = &components.members[first..components.members.len().min(first + 64 * WORDS)];
            let lowest = components.of[block[0] as usize] as usize;
            for component in lowest..components.len() {
                let mut bits = [0; WORDS];
                for &node in components.members(component) {
                    for &target in self.down.of(node) {
                        let of = components.of[target as usize] as usize;
                        if of >= lowest && of != component {
                            for (bit, more) in bits.iter_mut().zip(reached[of]) {
                                *bit |= more;
                            }
                        }
                    }
                }
                let (start, end) = (components.starts[component] as usize, components.starts[component + 1] as usize);
                for position in start.max(first)..end.min(first + block.len()) {
                    bits[(position - first) / 64] |= 1 << ((position - first) % 64);
                }
                reached[component] = bits;
                counts[component] += bits.iter().map(|word| u64::from(word.count_ones())).sum::<u64>();
            }
        }
        // Each node is among those that its component reaches.
        (components.of.iter()).map(|component| counts[*component as usize] - 1).collect()
    }
}
