//! Order: which tasks wait for which, from the lineage between the datasets of the spec.
//!
//! A downstream dataset waits until its upstream is *published*: from then on the new upstream can be read under its own
//! name, and old and new stand side by side. Datasets that are made from one another in a circle cannot be ordered; each
//! is blocked with the circle's names. A dataset that reads itself (an incremental writer) is not a circle.

use crate::entity::EntityRef;
use crate::snapshot::LineageEdge;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

/// The lineage among the sources of the pairs, by number of the entity.
pub(super) struct Order {
    entities: Vec<EntityRef>,
    upstream: Vec<Vec<usize>>,
    downstream: Vec<Vec<usize>>,
    pairs: Vec<Vec<usize>>,
    of_pair: Vec<usize>,
}

impl Order {
    /// Reads the edges between the given sources, one a pair.
    pub(super) fn new(sources: &[EntityRef], lineage: &[LineageEdge]) -> Self {
        let mut numbers: HashMap<&EntityRef, usize> = HashMap::new();
        let mut order = Self {
            entities: Vec::new(),
            upstream: Vec::new(),
            downstream: Vec::new(),
            pairs: Vec::new(),
            of_pair: Vec::new(),
        };
        for (pair, source) in sources.iter().enumerate() {
            let number = *numbers.entry(source).or_insert_with(|| {
                order.entities.push(source.clone());
                order.pairs.push(Vec::new());
                order.entities.len() - 1
            });
            order.pairs[number].push(pair);
            order.of_pair.push(number);
        }
        let edges: BTreeSet<(usize, usize)> = lineage
            .iter()
            .filter_map(|edge| Some((*numbers.get(&edge.upstream)?, *numbers.get(&edge.downstream)?)))
            .filter(|(upstream, downstream)| upstream != downstream)
            .collect();
        order.upstream = vec![Vec::new(); order.entities.len()];
        order.downstream = vec![Vec::new(); order.entities.len()];
        for (upstream, downstream) in edges {
            order.upstream[downstream].push(upstream);
            order.downstream[upstream].push(downstream);
        }
        order
    }

    /// Pairs directly upstream of a pair, in the spec's order.
    pub(super) fn upstream_of(&self, pair: usize) -> Vec<usize> {
        let mut pairs: Vec<usize> =
            self.upstream[self.of_pair[pair]].iter().flat_map(|entity| self.pairs[*entity].iter().copied()).collect();
        pairs.sort_unstable();
        pairs
    }

    /// Pairs that stand in a circle, each with the names of the shortest one through it.
    pub(super) fn circles(&self) -> BTreeMap<usize, String> {
        let mut circles = BTreeMap::new();
        for entity in self.in_circles() {
            let Some(path) = self.shortest_circle(entity) else { continue };
            let names: Vec<String> = path.iter().map(|at| format!("`{}`", self.entities[*at].short())).collect();
            for pair in &self.pairs[entity] {
                circles.insert(*pair, names.join(" → "));
            }
        }
        circles
    }

    /// Entities that neither peeling from the top nor from the bottom removes: those in a circle or between two.
    fn in_circles(&self) -> Vec<usize> {
        let mut alive = vec![true; self.entities.len()];
        for (before, after) in [(&self.upstream, &self.downstream), (&self.downstream, &self.upstream)] {
            let living = |at: &usize, alive: &[bool]| before[*at].iter().filter(|other| alive[**other]).count();
            let mut waits: Vec<usize> = (0..alive.len()).map(|at| living(&at, &alive)).collect();
            let mut free: VecDeque<usize> = (0..alive.len()).filter(|at| alive[*at] && waits[*at] == 0).collect();
            while let Some(at) = free.pop_front() {
                alive[at] = false;
                for next in &after[at] {
                    waits[*next] = waits[*next].saturating_sub(1);
                    if waits[*next] == 0 && alive[*next] {
                        free.push_back(*next);
                    }
                }
            }
        }
        (0..alive.len()).filter(|at| alive[*at]).collect()
    }

    /// From an entity along lineage back to itself; `None` if it only stands between two circles.
    fn shortest_circle(&self, start: usize) -> Option<Vec<usize>> {
        let mut came_from: HashMap<usize, usize> = HashMap::new();
        let mut queue = VecDeque::from([start]);
        while let Some(at) = queue.pop_front() {
            for next in &self.downstream[at] {
                if *next == start {
                    let mut path = vec![start, at];
                    let mut step = at;
                    while step != start {
                        step = *came_from.get(&step)?;
                        path.push(step);
                    }
                    path.reverse();
                    if at == start {
                        path.remove(0);
                    }
                    return Some(path);
                }
                if !came_from.contains_key(next) {
                    came_from.insert(*next, at);
                    queue.push_back(*next);
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::Order;
    use crate::entity::EntityRef;
    use crate::snapshot::LineageEdge;

    fn order(edges: &[(&str, &str)]) -> Order {
        let entity = |name: &str| EntityRef::new("resource", "default", name);
        let sources = ["a", "b", "c", "d", "e", "f"].map(entity);
        let edges: Vec<LineageEdge> = edges
            .iter()
            .map(|(upstream, downstream)| LineageEdge { upstream: entity(upstream), downstream: entity(downstream) })
            .collect();
        Order::new(&sources, &edges)
    }

    #[test]
    fn downstream_waits_for_upstream_and_not_for_itself() {
        let order = order(&[("a", "c"), ("b", "c"), ("b", "c"), ("c", "c"), ("x", "c")]);
        assert_eq!(order.upstream_of(2), [0, 1]);
        assert!(order.circles().is_empty());
    }

    #[test]
    fn each_circle_is_named_and_what_lies_between_is_free() {
        // a ⇄ b → c → d → e → f → d: c stands between two circles and is in none.
        let order = order(&[("a", "b"), ("b", "a"), ("b", "c"), ("c", "d"), ("d", "e"), ("e", "f"), ("f", "d")]);
        let circles: Vec<(usize, String)> = order.circles().into_iter().collect();
        let expected = [
            (0, "`a` → `b` → `a`"),
            (1, "`b` → `a` → `b`"),
            (3, "`d` → `e` → `f` → `d`"),
            (4, "`e` → `f` → `d` → `e`"),
            (5, "`f` → `d` → `e` → `f`"),
        ];
        assert_eq!(circles, expected.map(|(at, path)| (at, path.to_owned())));
    }
}
