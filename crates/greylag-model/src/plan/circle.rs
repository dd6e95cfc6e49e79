//! Circles of datasets through code: who makes what of what, and whether one change request can hold it all.
//!
//! Code that makes one changed dataset of another joins the two. Where such joints run in a circle, no order of change requests is
//! right: whichever is merged first reads what nobody writes any more, or writes what nobody reads yet. If all code of a circle
//! lies in one scope there is no order to find, since it is merged at once, and its datasets do not wait for each other either:
//! each is converted from its own past. If it lies in several, nothing can be done, and the circle is named.
//!
//! A dataset that code reads and writes itself is no circle, and however many scopes append to one dataset and read it, they are none:
//! nothing else is made of it that would come back.

use super::scope::{CodeObserved, Flow, ScopeName, ScopeObserved};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

/// The circles that the code of a snapshot makes.
#[derive(Debug, Default)]
pub(super) struct Circles {
    /// Datasets by name, with the number of the circle that one scope holds.
    atomic: BTreeMap<String, usize>,
    /// Datasets by name, with the circle through several scopes that they are in.
    across: BTreeMap<String, String>,
}

/// Code of a scope makes one dataset of another, all by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Joint {
    from: usize,
    to: usize,
    scope: usize,
}

impl Circles {
    /// Finds them.
    pub(super) fn of(code: &CodeObserved) -> Self {
        let scopes: Vec<ScopeName> = code.scopes.iter().map(ScopeObserved::name).collect();
        let moved = code.scopes.iter().enumerate().filter(|(_, found)| found.has_edits());
        let (names, components) =
            components(moved.flat_map(|(scope, found)| found.flows.iter().map(move |flow| (scope, flow))));
        let mut circles = Self::default();
        for (number, component) in components.into_iter().enumerate() {
            let members: BTreeSet<usize> = component.iter().map(|joint| joint.from).collect();
            let members = members.into_iter().map(|member| names[member].to_owned());
            match around(&component) {
                None => circles.atomic.extend(members.map(|name| (name, number))),
                Some(way) => {
                    let text = told(&way, &names, &scopes);
                    circles.across.extend(members.map(|name| (name, text.clone())));
                }
            }
        }
        circles
    }

    /// Whether one scope holds a circle in which both are.
    pub(super) fn is_atomic(&self, one: &str, other: &str) -> bool {
        self.atomic.get(one).is_some_and(|circle| self.atomic.get(other) == Some(circle))
    }

    /// The circle through several scopes that a dataset is in.
    pub(super) fn across(&self, dataset: &str) -> Option<&str> {
        self.across.get(dataset).map(String::as_str)
    }
}

/// The sets of makers that make datasets of one another in a circle; `flows` has makers by number, with what they make of what.
pub fn makers_in_circles<'a>(flows: impl IntoIterator<Item = (usize, &'a Flow)>) -> Vec<BTreeSet<usize>> {
    let (_, components) = components(flows);
    components.iter().map(|component| component.iter().map(|joint| joint.scope).collect()).collect()
}

/// The names of datasets by number, and joints by the circle that they are part of; those of none are left out.
fn components<'a>(flows: impl IntoIterator<Item = (usize, &'a Flow)>) -> (Vec<&'a str>, Vec<Vec<Joint>>) {
    let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
    let mut joints = BTreeSet::new();
    for (scope, flow) in flows {
        let mut number = |name| {
            let next = numbers.len();
            *numbers.entry(name).or_insert(next)
        };
        let (from, to) = (number(flow.from.as_str()), number(flow.to.as_str()));
        if from != to {
            joints.insert(Joint { from, to, scope });
        }
    }
    let mut names = vec![""; numbers.len()];
    for (name, number) in numbers {
        names[number] = name;
    }
    let components = parted(names.len(), joints);
    (names, components)
}

fn parted(count: usize, joints: BTreeSet<Joint>) -> Vec<Vec<Joint>> {
    let mut left: Vec<Joint> = joints.into_iter().collect();
    // What nothing leads to, or nothing leads on from, is in no circle; seldom anything else is there.
    loop {
        let (mut enters, mut leaves) = (vec![false; count], vec![false; count]);
        for joint in &left {
            enters[joint.to] = true;
            leaves[joint.from] = true;
        }
        let before = left.len();
        left.retain(|joint| enters[joint.from] && leaves[joint.to]);
        if left.len() == before {
            break;
        }
    }
    let mut components = Vec::new();
    while let Some(first) = left.first().copied() {
        let forth = reached(first.to, &left, |joint| (joint.from, joint.to));
        let back = reached(first.to, &left, |joint| (joint.to, joint.from));
        let both = |at: usize| forth.contains(&at) && back.contains(&at);
        let (inside, rest): (Vec<Joint>, Vec<Joint>) =
            left.into_iter().partition(|joint| both(joint.from) && both(joint.to));
        // One that only lies between two circles is in none.
        left = rest.into_iter().filter(|joint| *joint != first).collect();
        if !inside.is_empty() {
            components.push(inside);
        }
    }
    components
}

/// What can be reached, the beginning included.
fn reached(start: usize, joints: &[Joint], ends: impl Fn(&Joint) -> (usize, usize)) -> BTreeSet<usize> {
    let mut next: HashMap<usize, Vec<usize>> = HashMap::new();
    for joint in joints {
        let (from, to) = ends(joint);
        next.entry(from).or_default().push(to);
    }
    let (mut seen, mut queue) = (BTreeSet::from([start]), vec![start]);
    while let Some(at) = queue.pop() {
        for to in next.get(&at).into_iter().flatten() {
            if seen.insert(*to) {
                queue.push(*to);
            }
        }
    }
    seen
}

/// A shortest way around a circle that leads through more than one scope, from its first joint on; none if all is of one scope.
fn around(component: &[Joint]) -> Option<Vec<Joint>> {
    let first = *component.first()?;
    // A place is a dataset, and whether another scope was met on the way to it.
    let (start, end) = ((first.to, false), (first.from, true));
    let mut came: HashMap<(usize, bool), ((usize, bool), Joint)> = HashMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(at) = queue.pop_front() {
        for joint in component.iter().filter(|joint| joint.from == at.0) {
            let next = (joint.to, at.1 || joint.scope != first.scope);
            if next != start && !came.contains_key(&next) {
                came.insert(next, (at, *joint));
                queue.push_back(next);
            }
        }
    }
    let mut way = Vec::new();
    let mut at = end;
    while at != start {
        let (before, joint) = *came.get(&at)?;
        way.push(joint);
        at = before;
    }
    way.push(first);
    way.reverse();
    Some(way)
}

/// `a` makes `y` of `x`, `b` makes `x` of `y`.
fn told(way: &[Joint], names: &[&str], scopes: &[ScopeName]) -> String {
    let joint =
        |joint: &Joint| format!("`{}` makes `{}` of `{}`", scopes[joint.scope], names[joint.to], names[joint.from]);
    way.iter().map(joint).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::Circles;
    use crate::consumer::Class;
    use crate::plan::{CodeObserved, FileClass, Flow, ScopeObserved};

    /// Scopes with what they make of what, e.g. `a: x>y y>x`.
    fn circles(scopes: &[&str]) -> Circles {
        let scope = |text: &&str| {
            let (name, flows) = text.split_once(": ").unwrap_or((text, ""));
            let flow = |text: &str| {
                let (from, to) = text.split_once('>').unwrap_or_default();
                Flow { from: from.to_owned(), to: to.to_owned() }
            };
            let file = FileClass { path: "f.sql".to_owned(), class: Class::Mechanical, edits: 1, reasons: Vec::new() };
            ScopeObserved {
                repository: name.to_owned(),
                part: None,
                base: "main".to_owned(),
                commit: String::new(),
                owner: None,
                seen: 1,
                files: vec![file],
                datasets: Vec::new(),
                flows: flows.split_whitespace().map(flow).collect(),
                notes: Vec::new(),
                told: Vec::new(),
            }
        };
        Circles::of(&CodeObserved { scopes: scopes.iter().map(scope).collect(), ..CodeObserved::default() })
    }

    #[test]
    fn what_one_scope_holds_is_atomic() {
        let circles = circles(&["a: x>y y>z z>x z>end", "b: begin>x end>last"]);
        assert!(circles.is_atomic("x", "y") && circles.is_atomic("z", "x"));
        assert!(!circles.is_atomic("z", "end") && !circles.is_atomic("end", "last"));
        assert!(circles.across.is_empty(), "{circles:?}");
    }

    #[test]
    fn what_several_hold_is_named() {
        let circles = circles(&["a: x>y y>x", "b: y>x p>q", "c: q>p x>p"]);
        let named = |dataset| circles.across(dataset).unwrap_or_default().to_owned();
        assert_eq!(named("x"), "`a` makes `y` of `x`, `b` makes `x` of `y`");
        assert_eq!(named("y"), named("x"));
        assert_eq!(named("p"), "`b` makes `q` of `p`, `c` makes `p` of `q`");
        assert!(circles.atomic.is_empty(), "{circles:?}");
    }

    #[test]
    fn a_longer_way_around_is_named_whole() {
        let circles = circles(&["a: x>y z>x", "b: y>z"]);
        let expected = "`a` makes `y` of `x`, `b` makes `z` of `y`, `a` makes `x` of `z`";
        assert_eq!(circles.across("z"), Some(expected));
    }

    #[test]
    fn what_is_read_and_added_to_is_no_circle() {
        let circles = circles(&["a: x>x x>y", "b: x>x x>y y>y", "c: y>z"]);
        assert!(circles.atomic.is_empty() && circles.across.is_empty(), "{circles:?}");
    }
}
