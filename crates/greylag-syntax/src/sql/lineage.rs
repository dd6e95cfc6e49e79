//! From a use or an output back to the relations that it comes from, through as many blocks as there are between.

use std::collections::HashSet;

use super::reading::{Confidence, Feed, Origin, OutputKind, QueryKind, Reading, Role};

/// A column of a relation that something comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Base {
    /// The relation.
    pub relation: usize,
    /// The column, as the text writes it.
    pub column: Box<str>,
    /// What is done on the way.
    pub way: Way,
    /// The least sure step of the way.
    pub confidence: Confidence,
}

/// What is done to a value on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Way {
    /// It stays as it is.
    Identity,
    /// Something is computed from it.
    Transformation,
    /// It is aggregated.
    Aggregation,
}

/// An edge of column lineage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// The column that the statement gives or writes; none if the source decides about all of them.
    pub output: Option<Box<str>>,
    /// The source.
    pub base: Base,
    /// For an edge to all columns: what the source decides.
    pub indirect: Option<Role>,
}

/// A step of the search.
struct Step {
    origin: Origin,
    name: Box<str>,
    way: Way,
    confidence: Confidence,
}

impl Reading {
    /// The columns of relations that a use of a column comes from.
    pub fn bases(&self, column: usize) -> Vec<Base> {
        let Some(column) = self.columns.get(column) else { return Vec::new() };
        let step = |origin: &Origin| Step {
            origin: *origin,
            name: column.name.text.clone(),
            way: Way::Identity,
            confidence: column.confidence,
        };
        self.follow(column.from.iter().map(step).collect())
    }

    /// The columns of relations that an output comes from. An open output stands for columns that it does not name: it has none.
    pub fn output_bases(&self, query: usize, output: usize) -> Vec<Base> {
        let Some(name) = self
            .queries
            .get(query)
            .and_then(|block| block.outputs.get(output))
            .map(|output| output.name.clone().unwrap_or_default())
        else {
            return Vec::new();
        };
        self.follow(vec![Step {
            origin: Origin::Output { query, output },
            name,
            way: Way::Identity,
            confidence: Confidence::Certain,
        }])
    }

    fn follow(&self, mut steps: Vec<Step>) -> Vec<Base> {
        let (mut bases, mut seen) = (Vec::new(), HashSet::new());
        while let Some(step) = steps.pop() {
            if !seen.insert((step.origin, step.name.clone(), step.way, step.confidence)) {
                continue;
            }
            match step.origin {
                Origin::Relation(relation) => {
                    bases.push(Base { relation, column: step.name, way: step.way, confidence: step.confidence });
                }
                Origin::Output { query, output } => self.behind(query, output, &step, &mut steps),
            }
        }
        bases.sort();
        bases.dedup_by(|later, first| {
            (later.relation, &later.column, later.way) == (first.relation, &first.column, first.way)
        });
        bases
    }

    fn behind(&self, query: usize, output: usize, step: &Step, steps: &mut Vec<Step>) {
        let Some(block) = self.queries.get(query) else { return };
        let Some(column) = block.outputs.get(output) else { return };
        let way = step.way.max(match column.kind {
            OutputKind::Aggregation => Way::Aggregation,
            OutputKind::Transformation => Way::Transformation,
            _ => Way::Identity,
        });
        // The columns of values that are not known.
        let is_any = |feed: &Feed| matches!(feed, Feed::Use(_));
        let is_unknown = block.kind == QueryKind::Pivot && column.is_open() && column.feeds.iter().any(is_any);
        let confidence = if is_unknown { Confidence::Unknown } else { step.confidence };
        for feed in &column.feeds {
            match feed {
                Feed::Use(at) => {
                    let Some(used) = self.columns.get(*at) else { continue };
                    let way = way.max(if used.place.aggregate { Way::Aggregation } else { Way::Identity });
                    let confidence = confidence.min(used.confidence);
                    steps.extend(used.from.iter().map(|origin| Step {
                        origin: *origin,
                        name: used.name.text.clone(),
                        way,
                        confidence,
                    }));
                }
                Feed::Column(origin, name) => steps.push(Step { origin: *origin, name: name.clone(), way, confidence }),
                Feed::All(origin) => {
                    if let Some(name) = self.through(*origin, column.kind, &step.name) {
                        steps.push(Step { origin: *origin, name, way, confidence });
                    }
                }
            }
        }
    }

    /// The name that a column has before it goes through a star or set operation, if it can.
    fn through(&self, origin: Origin, kind: OutputKind, name: &str) -> Option<Box<str>> {
        let star = if let OutputKind::Star(star) = kind { self.stars.get(star) } else { None };
        let old = star.and_then(|star| star.rename.iter().find(|(_, new)| new.text.eq_ignore_ascii_case(name)));
        let name = old.map_or(name, |(old, _)| &*old.text);
        let Origin::Output { query, output } = origin else { return Some(name.into()) };
        let column = self.queries.get(query)?.outputs.get(output)?;
        (column.is_open() || column.name.as_deref().is_some_and(|other| other.eq_ignore_ascii_case(name)))
            .then(|| name.into())
    }

    /// The edges of a statement: from each column that it gives or writes back to columns of relations, and from what joins,
    /// filters, groups, sorts or decides to all of them. The kinds are those of OpenLineage's column lineage facet.
    pub fn lineage(&self, statement: usize) -> Vec<Edge> {
        let Some(info) = self.statements.get(statement) else { return Vec::new() };
        let mut edges = Vec::new();
        if let Some(query) = info.query {
            for (at, output) in
                self.queries.get(query).map(|block| block.outputs.as_slice()).unwrap_or_default().iter().enumerate()
            {
                let listed = info
                    .target_columns
                    .get(at)
                    .and_then(|column| self.columns.get(*column))
                    .map(|column| column.name.text.clone());
                let name = listed.or_else(|| output.name.clone());
                edges.extend(self.output_bases(query, at).into_iter().map(|base| Edge {
                    output: name.clone(),
                    base,
                    indirect: None,
                }));
            }
        }
        for &block in &info.assignments {
            for (at, output) in
                self.queries.get(block).map(|block| block.outputs.as_slice()).unwrap_or_default().iter().enumerate()
            {
                edges.extend(self.output_bases(block, at).into_iter().map(|base| Edge {
                    output: output.name.clone(),
                    base,
                    indirect: None,
                }));
            }
        }
        for (at, column) in self.columns.iter().enumerate().filter(|(_, column)| column.statement == statement) {
            if column.role.is_indirect() || column.place.condition {
                edges.extend(self.bases(at).into_iter().map(|base| Edge {
                    output: None,
                    base,
                    indirect: Some(column.role),
                }));
            }
        }
        edges
    }
}

impl Role {
    /// Whether such a use decides about rows without becoming a value of them.
    pub fn is_indirect(self) -> bool {
        matches!(
            self,
            Self::Join
                | Self::Using
                | Self::Filter
                | Self::Group
                | Self::Having
                | Self::Qualify
                | Self::Window
                | Self::Order
                | Self::MergeKey
        )
    }
}
