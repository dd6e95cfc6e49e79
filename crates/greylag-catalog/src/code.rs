//! What repositories' code reads and writes, as lineage.
//!
//! The repository becomes a `Component` of type `repository`, and each consumer in it one of its kind (`sql`, `dbt-model` …) that is
//! a subcomponent of it. What a consumer reads and writes is stated as `reads.<dataset>` and `writes.<dataset>`, each with the repository,
//! the commit since which it is so, the places, and the columns; the lineage of the catalog follows from that. A consumer
//! that reads what another one makes, where the catalog has no dataset of that name, depends on that other one.
//!
//! All of it is the word of one source, `code:<repository>`, with the weight of a scan: a descriptor or a migration that says
//! something else of the same entity stands. Scanned again, a repository's statements are replaced, and nobody else's.
//! The commit of a fact is kept as long as the rest of it is the same, so a commit that changes nothing changes nothing here.
//!
//! Only consumers that a dataset of the catalog flows through are registered: those that read or write one, those that lie
//! downstream of a reader, and those upstream of a writer.

use crate::report::Report;
use crate::tables::{Meant, Tables};
use greylag_driver::catalog::{Absent, Batch, Catalog, Operation, Record};
use greylag_driver::error::DriverError;
use greylag_model::entity::{EntityRef, annotation, name};
use greylag_model::flow::{Consumer, Flows, Place, Relation, Touched, Way};
use greylag_model::id::Timestamp;
use greylag_model::provenance::{Source, Values, facts};
use greylag_model::table::TableName;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Places of an edge that are kept.
const PLACES: usize = 20;

/// A repository that was read.
#[derive(Clone, Debug)]
pub struct Repository<'a> {
    /// Where it is: a directory, or an address. It names the source of what is stated.
    pub place: &'a str,
    /// A name for it, unless it has one of its own.
    pub name: &'a str,
    /// The commit that was read, if it is known.
    pub commit: Option<&'a str>,
    /// Namespace of the components.
    pub namespace: &'a str,
}

/// What is stated of an edge.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EdgeFact {
    /// The repository.
    pub repository: String,
    /// The commit since which it is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Where, the first of them.
    pub places: Vec<Place>,
    /// Whether it is so in every way that the code can go.
    pub certain: bool,
    /// Of what is read: its columns that are used. Of what is written: where its columns come from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<ColumnFact>,
}

/// What is stated of a column.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ColumnFact {
    /// The column of the edge's dataset; none of what decides about all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// The dataset or component that it comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The column there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// What is done on the way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub way: Option<Way>,
}

/// What became of a scan.
#[derive(Clone, Debug, Default)]
pub struct Scanned {
    /// What it did to the catalog.
    pub report: Report,
    /// The repository's component.
    pub repository: Option<EntityRef>,
    /// Consumers that are registered.
    pub consumers: usize,
    /// Consumers that no dataset of the catalog flows through.
    pub passed_over: usize,
    /// Edges between datasets and consumers.
    pub edges: usize,
    /// Names in code that may mean several datasets, with those.
    pub ambiguous: BTreeMap<TableName, Vec<EntityRef>>,
}

/// Registers what a repository reads and writes.
///
/// # Errors
/// Those of the catalog; then nothing is registered.
pub fn register(
    catalog: &dyn Catalog,
    tables: &Tables,
    flows: &Flows,
    repository: &Repository<'_>,
    now: Timestamp,
) -> Result<Scanned, DriverError> {
    let source = Source::Code(repository.place.to_owned());
    let mut scanned = Scanned::default();
    let resolved = Resolved::of(tables, flows, &mut scanned.ambiguous);
    let kept = resolved.kept(flows);
    scanned.passed_over = flows.consumers.len() - kept.len();
    scanned.consumers = kept.len();
    let whole = own_name(catalog, &source, flows, repository)?;
    let entities: HashMap<&str, EntityRef> =
        kept.iter().map(|consumer| (consumer.key.as_str(), entity_of(consumer, &whole, repository))).collect();
    let mut all = BTreeMap::new();
    if !kept.is_empty() {
        all.insert(whole.clone(), whole_values(flows, &whole, repository));
        scanned.repository = Some(whole.clone());
    }
    for consumer in &kept {
        let Some(entity) = entities.get(consumer.key.as_str()) else { continue };
        let mut values = consumer_values(consumer, entity, &whole, repository);
        let edges = Edges { resolved: &resolved, entities: &entities, repository };
        scanned.edges += edges.add(consumer, &mut values);
        keep_commits(catalog.record(entity)?.as_ref(), &source, &mut values);
        all.insert(entity.clone(), values);
    }
    let operation = Operation::Replace {
        source,
        via: repository.place.to_owned(),
        formerly: None,
        entities: all,
        absent: Absent::Vanish,
    };
    scanned.report.take(catalog.apply(&Batch { at: now, operations: vec![operation] })?);
    scanned.report.read = 1;
    Ok(scanned)
}

/// The datasets that relations mean.
struct Resolved<'a> {
    datasets: HashMap<&'a TableName, EntityRef>,
}

impl<'a> Resolved<'a> {
    fn of(tables: &Tables, flows: &'a Flows, ambiguous: &mut BTreeMap<TableName, Vec<EntityRef>>) -> Self {
        let touched = flows.consumers.iter().flat_map(|consumer| consumer.reads.iter().chain(&consumer.writes));
        let mut datasets = HashMap::new();
        for table in touched.filter_map(|touched| touched.relation.table.as_ref()) {
            match tables.meant(table.parts()) {
                Meant::One(dataset) => {
                    datasets.insert(table, dataset);
                }
                Meant::Several(several) => {
                    ambiguous.insert(table.clone(), several);
                }
                Meant::Nothing => {}
            }
        }
        Self { datasets }
    }

    fn dataset(&self, relation: &Relation) -> Option<&EntityRef> {
        self.datasets.get(relation.table.as_ref()?)
    }

    /// The consumers that a dataset flows through.
    fn kept(&self, flows: &'a Flows) -> Vec<&'a Consumer> {
        let numbers: HashMap<&str, usize> =
            flows.consumers.iter().enumerate().map(|(number, consumer)| (consumer.key.as_str(), number)).collect();
        let (mut down, mut up) = (vec![Vec::new(); numbers.len()], vec![Vec::new(); numbers.len()]);
        for (number, consumer) in flows.consumers.iter().enumerate() {
            let makers = consumer.reads.iter().filter_map(|read| read.relation.made_by.as_deref());
            for maker in makers.filter_map(|maker| numbers.get(maker)) {
                down[*maker].push(number);
                up[number].push(*maker);
            }
        }
        let touches = |touched: &[Touched]| touched.iter().any(|touched| self.dataset(&touched.relation).is_some());
        let begin = |of: fn(&Consumer) -> &[Touched]| -> Vec<usize> {
            let touching = flows.consumers.iter().enumerate().filter(|(_, consumer)| touches(of(consumer)));
            touching.map(|(number, _)| number).collect()
        };
        let mut kept = reached(begin(|consumer| &consumer.reads), &down);
        kept.extend(reached(begin(|consumer| &consumer.writes), &up));
        kept.into_iter().map(|number| &flows.consumers[number]).collect()
    }
}

fn reached(mut left: Vec<usize>, next: &[Vec<usize>]) -> BTreeSet<usize> {
    let mut seen: BTreeSet<usize> = left.iter().copied().collect();
    while let Some(at) = left.pop() {
        for &further in &next[at] {
            if seen.insert(further) {
                left.push(further);
            }
        }
    }
    seen
}

/// The repository's component: as its descriptor calls it, else by its name unless that is somebody else's.
fn own_name(
    catalog: &dyn Catalog,
    source: &Source,
    flows: &Flows,
    repository: &Repository<'_>,
) -> Result<EntityRef, DriverError> {
    let component = |name: &str| EntityRef::new("component", repository.namespace, name);
    if let Some(stated) = flows.name.as_deref().filter(|stated| name::is_name(stated)) {
        return Ok(component(stated));
    }
    if name::is_name(repository.name) {
        let plain = component(repository.name);
        let known = catalog.find(std::slice::from_ref(&plain))?.pop().flatten();
        if known.is_none_or(|known| known.registered_by.contains(source)) {
            return Ok(plain);
        }
    }
    Ok(component(&name::legal(&format!("{}/", repository.name), repository.place)))
}

/// The component of a consumer, named after the repository and itself.
fn entity_of(consumer: &Consumer, whole: &EntityRef, repository: &Repository<'_>) -> EntityRef {
    let plain = format!("{}.{}", whole.name, consumer.name.replace('/', "."));
    let unique = format!("{}\0{}", repository.place, consumer.key);
    let named = if name::is_name(&plain) { plain } else { name::legal(&format!("{plain}/"), &unique) };
    EntityRef::new("component", repository.namespace, &named)
}

fn component(entity: &EntityRef, kind: &str, title: &str, owner: Option<&str>) -> Values {
    let identity = facts::identity("backstage.io/v1alpha1", "Component", &entity.namespace, &entity.name);
    let mut values = Values::from([
        (facts::IDENTITY.to_owned(), identity),
        (facts::TYPE.to_owned(), json!(kind)),
        (facts::TITLE.to_owned(), json!(title)),
        (facts::LIFECYCLE.to_owned(), json!("production")),
    ]);
    if let Some(owner) = owner {
        values.insert(facts::OWNER.to_owned(), json!(owner));
    }
    values
}

fn whole_values(flows: &Flows, whole: &EntityRef, repository: &Repository<'_>) -> Values {
    let mut values = component(whole, "repository", repository.name, flows.owner.as_deref());
    values.insert(format!("{}{}", facts::ANNOTATION, annotation::REPOSITORY), json!(repository.place));
    if let Some(commit) = repository.commit {
        values.insert(format!("{}{}", facts::ANNOTATION, annotation::COMMIT), json!(commit));
    }
    values
}

fn consumer_values(consumer: &Consumer, entity: &EntityRef, whole: &EntityRef, repository: &Repository<'_>) -> Values {
    let mut values = component(entity, &consumer.kind, &consumer.key, consumer.owner.as_deref());
    values.insert("spec.subcomponentOf".to_owned(), json!(whole.to_string()));
    values.insert(format!("{}{}", facts::ANNOTATION, annotation::REPOSITORY), json!(repository.place));
    values.insert(format!("{}{}", facts::ANNOTATION, annotation::PATH_IN_REPOSITORY), json!(consumer.path));
    values
}

/// What relations become.
struct Edges<'a> {
    resolved: &'a Resolved<'a>,
    entities: &'a HashMap<&'a str, EntityRef>,
    repository: &'a Repository<'a>,
}

impl Edges<'_> {
    /// Adds the facts of a consumer's edges; how many there are.
    fn add(&self, consumer: &Consumer, values: &mut Values) -> usize {
        let before = values.len();
        let mut edges: BTreeMap<String, EdgeFact> = BTreeMap::new();
        for read in &consumer.reads {
            if let Some(dataset) = self.resolved.dataset(&read.relation) {
                let columns = self.columns_read(consumer, &read.relation);
                self.edge(edges.entry(format!("{}{dataset}", facts::READS)).or_default(), read, columns);
            } else if let Some(maker) = self.maker(&read.relation) {
                values.insert(format!("spec.dependsOn.{maker}"), json!(maker.to_string()));
            }
        }
        for write in &consumer.writes {
            if let Some(dataset) = self.resolved.dataset(&write.relation) {
                let columns = self.columns_written(consumer, &write.relation);
                self.edge(edges.entry(format!("{}{dataset}", facts::WRITES)).or_default(), write, columns);
            }
        }
        values.extend(edges.into_iter().map(|(key, edge)| (key, json!(edge))));
        values.len() - before
    }

    fn maker(&self, relation: &Relation) -> Option<&EntityRef> {
        self.entities.get(relation.made_by.as_deref()?)
    }

    /// Adds to an edge: two names in code may mean one dataset.
    fn edge(&self, edge: &mut EdgeFact, touched: &Touched, columns: BTreeSet<ColumnFact>) {
        self.repository.place.clone_into(&mut edge.repository);
        edge.commit = self.repository.commit.map(str::to_owned);
        edge.places.extend(touched.places.iter().cloned());
        edge.places.sort();
        edge.places.dedup();
        edge.places.truncate(PLACES);
        edge.certain |= touched.certain;
        edge.columns.extend(columns);
        edge.columns.sort();
        edge.columns.dedup();
    }

    fn columns_read(&self, consumer: &Consumer, relation: &Relation) -> BTreeSet<ColumnFact> {
        let used = consumer.columns.iter().filter(|flow| flow.from == *relation);
        used.map(|flow| ColumnFact { column: Some(flow.column.clone()), ..ColumnFact::default() }).collect()
    }

    fn columns_written(&self, consumer: &Consumer, relation: &Relation) -> BTreeSet<ColumnFact> {
        let made = consumer.columns.iter().filter(|flow| flow.to == *relation);
        let fact = made.map(|flow| ColumnFact {
            column: flow.output.clone(),
            from: self.resolved.dataset(&flow.from).or_else(|| self.maker(&flow.from)).map(ToString::to_string),
            of: Some(flow.column.clone()),
            way: Some(flow.way),
        });
        fact.filter(|fact| fact.from.is_some()).collect()
    }
}

/// Keeps the commits of facts that are otherwise as this source stated them before.
fn keep_commits(before: Option<&Record>, source: &Source, values: &mut Values) {
    let stated = before.into_iter().flat_map(|record| &record.facts).filter(|fact| fact.source == *source);
    for fact in stated {
        let Some(now) = values.get_mut(&fact.key) else { continue };
        let without = |value: &Value| {
            let mut value = value.clone();
            value.as_object_mut().map(|value| value.remove("commit"));
            value
        };
        if now.is_object() && without(now) == without(&fact.value) {
            *now = fact.value.clone();
        }
    }
}
