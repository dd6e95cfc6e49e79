use super::{Direction, Graph, Tree};
use crate::entity::EntityRef;
use crate::entity::relation::Relation;
use std::collections::{BTreeSet, HashMap};

fn node(name: &str) -> EntityRef {
    EntityRef::new("resource", "default", name)
}

/// Reads `a>b b>c`.
fn graph(edges: &str) -> Graph {
    Graph::new(
        edges.split_whitespace().filter_map(|edge| edge.split_once('>')).map(|(from, to)| (node(from), node(to))),
    )
}

fn cycles(edges: &str) -> String {
    let name = |cycle: Vec<EntityRef>| cycle.iter().map(EntityRef::short).collect::<Vec<_>>().join(">");
    graph(edges).cycles().into_iter().map(name).collect::<Vec<_>>().join(" ")
}

#[test]
fn cycles_are_found_and_named_by_a_shortest_way() {
    assert_eq!(cycles(""), "");
    assert_eq!(cycles("a>b b>c a>c"), "");
    assert_eq!(cycles("a>a"), "", "feeding oneself is no lineage");
    assert_eq!(cycles("b>c c>a a>b x>a c>y"), "a>b>c");
    assert_eq!(cycles("a>b b>c c>d d>a b>a"), "a>b");
    assert_eq!(cycles("z>y y>z p>q q>p y>p"), "p>q y>z");
}

fn draw(tree: &Tree, indent: usize) -> String {
    let mark = if tree.seen {
        " (seen)"
    } else if tree.more {
        " …"
    } else {
        ""
    };
    let next: String = tree.next.iter().map(|next| draw(next, indent + 1)).collect();
    format!("{}{}{mark}\n{next}", "  ".repeat(indent), tree.entity.short())
}

fn check_tree(edges: &str, start: &str, direction: Direction, depth: usize, expected: &str) {
    let text = draw(&graph(edges).tree(&node(start), direction, depth), 0);
    assert_eq!(text, expected);
}

#[test]
fn trees_show_each_edge_once() {
    let edges = "raw>clean clean>b clean>a a>report b>report report>mail";
    check_tree(
        edges,
        "raw",
        Direction::Down,
        9,
        "raw\n  clean\n    a\n      report\n        mail\n    b\n      report (seen)\n",
    );
    check_tree(edges, "report", Direction::Up, 1, "report\n  a …\n  b …\n");
    check_tree(edges, "report", Direction::Up, 0, "report …\n");
    check_tree(edges, "mail", Direction::Down, 5, "mail\n");
    check_tree(edges, "stranger", Direction::Down, 5, "stranger\n");
    check_tree("a>b b>c c>a", "a", Direction::Down, 9, "a\n  b\n    c\n      a (seen)\n");
}

#[test]
fn walks_list_edges_nearest_first() {
    let hops = graph("a>b b>c a>c c>d").walk(&node("d"), Direction::Up, 2);
    let text: Vec<String> =
        hops.iter().map(|hop| format!("{}>{} {}", hop.from.short(), hop.to.short(), hop.depth)).collect();
    assert_eq!(text, ["c>d 1", "a>c 2", "b>c 2"]);
}

#[test]
fn a_long_chain_overflows_no_stack() {
    let count = 200_000;
    let name = |number: usize| EntityRef::new("resource", "default", &format!("n{number}"));
    let graph = Graph::new((1..count).map(|number| (name(number - 1), name(number))));
    assert_eq!(graph.cycles(), Vec::<Vec<EntityRef>>::new());
    assert_eq!(graph.impact(&name(0)).indirect, count as u64 - 2);
    let tree = graph.tree(&name(0), Direction::Down, usize::MAX);
    assert_eq!(tree.entity, name(0));
    assert_eq!(graph.walk(&name(0), Direction::Down, usize::MAX).len(), count - 1);
}

/// A generator of numbers that look random, from a seed (xorshift).
fn numbers(mut seed: u64) -> impl FnMut(u64) -> u64 {
    move |below| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed % below
    }
}

#[test]
fn impacts_of_all_agree_with_each_ones_own_search() {
    for seed in 1..60 {
        let mut next = numbers(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed));
        let count = 2 + next(700);
        let edges: Vec<(u64, u64)> = (0..next(count * 2)).map(|_| (next(count), next(count))).collect();
        let graph = Graph::new(edges.iter().map(|(from, to)| (node(&from.to_string()), node(&to.to_string()))));
        let all = graph.impacts();
        assert_eq!(all.len(), graph.nodes().len());
        for node in graph.nodes() {
            assert_eq!(all[node], graph.impact(node), "seed {seed}, {node}");
        }
    }
}

#[test]
fn relations_become_edges_the_way_the_data_flows() {
    let relation = |from: &str, kind: &str, to: &str| Relation {
        from: EntityRef::parse(from, "component").unwrap_or_else(|| node(from)),
        kind: kind.to_owned(),
        to: EntityRef::parse(to, "resource").unwrap_or_else(|| node(to)),
    };
    let relations = [
        relation("job", "dependsOn", "raw"),
        relation("job", "dependsOn", "out"),
        relation("job", "dependsOn", "both"),
        relation("job", "writes", "out"),
        relation("job", "writes", "both"),
        relation("job", "reads", "both"),
        relation("job", "ownedBy", "group:crm"),
        relation("job", "dependencyOf", "late"),
        relation("resource:copy", "dependsOn", "out"),
    ];
    let graph = Graph::of_relations(&relations);
    let edges: BTreeSet<String> = (graph.nodes().iter())
        .flat_map(|from| graph.next(from, Direction::Down).map(move |to| format!("{}>{}", from.short(), to.short())))
        .collect();
    let expected = ["both>job", "job>both", "job>late", "job>out", "out>copy", "raw>job"];
    assert_eq!(edges.into_iter().collect::<Vec<_>>(), expected);
    let impact: HashMap<_, _> = graph.impacts();
    assert_eq!((impact[&node("raw")].direct.len(), impact[&node("raw")].indirect), (1, 4));
}
