//! What a migration publishes: the steps `catalog/publish` and `catalog/cutover`.
//!
//! **Publish** registers the new dataset: where it lies, how it is laid out, its columns (a version of its schema), whose
//! it is (carried over from the old one, with its tags, labels, system, description and lifecycle) and what it was made
//! from. **Cutover** states that the old one has a successor; that it is deprecated follows. Both state facts as
//! `migration:<run>`, so an older descriptor does not overwrite them, and undo takes back just these.
//!
//! Each step is one transaction of the catalog's store. One that is started again states the same facts again, which
//! changes nothing; so it makes no difference where the first attempt died.

use greylag_driver::catalog::{Batch, Catalog, Operation, Record};
use greylag_driver::error::DriverError;
use greylag_driver::executor::{Context, Executor, Outcome, Rehearsal, StepReport, StepRequest};
use greylag_model::code::{catalog as code, cli};
use greylag_model::entity::{DATASET, EntityRef, annotation, relation};
use greylag_model::plan::DatasetWork;
use greylag_model::provenance::{Source, Values, facts};
use greylag_model::table::{self, TableName};
use greylag_model::task::Direction;
use serde_json::{Value, json};
use std::sync::Arc;

/// Registers the new dataset.
pub const PUBLISH: &str = "catalog/publish";
/// Deprecates the old one.
pub const CUTOVER: &str = "catalog/cutover";

/// Executes [`PUBLISH`] and [`CUTOVER`].
pub struct CatalogExecutor {
    catalog: Arc<dyn Catalog>,
}

impl CatalogExecutor {
    /// An executor that publishes to `catalog`.
    pub fn new(catalog: Arc<dyn Catalog>) -> Self {
        Self { catalog }
    }

    fn publish(
        &self,
        task: &DatasetWork,
        owner: Option<&EntityRef>,
    ) -> Result<(EntityRef, Values, Vec<String>), DriverError> {
        let old = self.catalog.record(&task.source.dataset.entity)?;
        Ok((task.target.clone(), published(task, owner, old.as_ref()), Vec::new()))
    }

    /// The keys of what the run states of the new dataset, but what later tasks of the same run made of it.
    fn retract(&self, source: &Source, task: &DatasetWork) -> Result<(EntityRef, Values, Vec<String>), DriverError> {
        let record = self.catalog.record(&task.target)?;
        let stated = record.into_iter().flat_map(|record| record.facts).filter(|fact| fact.source == *source);
        // A lifecycle that follows from a successor is no key of its own; taking it back twice does no harm.
        let keys = stated.map(|fact| fact.key).filter(|key| !key.starts_with(facts::SUCCESSOR)).collect();
        Ok((task.target.clone(), Values::new(), keys))
    }

    fn run(&self, request: &StepRequest<'_>, context: &dyn Context) -> Result<StepReport, DriverError> {
        let task = request.dataset()?;
        let source = Source::Migration(request.run.to_string());
        let tie = format!("{}{}", facts::SUCCESSOR, task.target);
        let old = &task.source.dataset.entity;
        if request.step.uses == PUBLISH && task.goes_on() {
            // An earlier run has published it, and what the catalog says of it is the same.
            return Ok(StepReport {
                output: json!({ "entity": task.target, "outcome": "unchanged" }),
                ..StepReport::default()
            });
        }
        let (entity, set, unset) = match (request.step.uses.as_str(), request.direction) {
            (PUBLISH, Direction::Forward) => self.publish(task, request.plan.owner.as_ref())?,
            (PUBLISH, Direction::Undo) => self.retract(&source, task)?,
            (CUTOVER, Direction::Forward) => (old.clone(), Values::from([(tie, Value::from(true))]), Vec::new()),
            (CUTOVER, Direction::Undo) => (old.clone(), Values::new(), vec![tie]),
            (other, _) => {
                return Err(DriverError::permanent(cli::INTERNAL, format!("`{other}` is no step of the catalog")));
            }
        };
        context.fault("in-effect").map_err(|error| {
            DriverError::transient(code::CATALOG_UNAVAILABLE, format!("the catalog cannot be written: {error}"))
        })?;
        let operation = Operation::Amend { source, entity: entity.clone(), set, unset };
        let applied = self.catalog.apply(&Batch { at: context.now(), operations: vec![operation] })?;
        let outcome = applied.entities.first().map(|touched| touched.outcome);
        Ok(StepReport { output: json!({ "entity": entity, "outcome": outcome }), ..StepReport::default() })
    }
}

/// The facts of a new dataset.
fn published(task: &DatasetWork, owner: Option<&EntityRef>, old: Option<&Record>) -> Values {
    let target = &task.target;
    let schema = &task.mapping.target;
    let layout = annotation::of_format(&task.target_layout.format, schema);
    let mut values = Values::from([
        (
            facts::IDENTITY.to_owned(),
            facts::identity("backstage.io/v1alpha1", "Resource", &target.namespace, &target.name),
        ),
        (facts::TYPE.to_owned(), json!(DATASET)),
        (facts::LOCATION.to_owned(), json!(task.target_location)),
        (facts::LAYOUT.to_owned(), json!(layout)),
        (facts::SCHEMA.to_owned(), json!(schema)),
        (format!("{}{}", facts::PREDECESSOR, task.source.dataset.entity), json!(true)),
    ]);
    if !task.target_layout.partition_by.is_empty() {
        values.insert(facts::PARTITIONS.to_owned(), json!(task.target_layout.partition_by));
    }
    if let Some(table) = table(task, old) {
        values.insert(format!("{}{}", facts::ANNOTATION, annotation::TABLE), json!(table.to_string()));
    }
    if let Some(owner) = owner {
        values.insert(facts::OWNER.to_owned(), json!(owner));
    }
    let mut last = "";
    for fact in old.iter().flat_map(|old| &old.facts) {
        // Of each key the first fact stands.
        let stands = fact.key != last;
        last = &fact.key;
        if stands && carried(&fact.key) {
            values.insert(fact.key.clone(), in_full(&fact.value, &fact.key, &task.source.dataset.entity));
        }
    }
    if values.get(facts::LIFECYCLE).is_some_and(|lifecycle| lifecycle == "deprecated") {
        // The old one may be deprecated because of the new one, which is not.
        values.insert(facts::LIFECYCLE.to_owned(), json!("production"));
    }
    values
}

/// The name by which code reaches the new dataset, if that can be known.
fn table(task: &DatasetWork, old: Option<&Record>) -> Option<TableName> {
    if task.target_table.is_some() {
        return task.target_table.clone();
    }
    let key = format!("{}{}", facts::ANNOTATION, annotation::TABLE);
    let stated = old?.facts.iter().find(|fact| fact.key == key)?.value.as_str()?;
    let names: Vec<TableName> = annotation::tables(stated).filter_map(Result::ok).collect();
    table::successor(&names, &task.source.dataset.entity.name, &task.target.name)
}

/// A carried value; a reference in full, since the new dataset may be in another namespace.
fn in_full(value: &Value, key: &str, old: &EntityRef) -> Value {
    let field = key.strip_prefix("spec.").and_then(|name| relation::field("resource", name));
    match (field, value.as_str()) {
        (Some(field), Some(text)) => EntityRef::parse_in(text, field.kind, &old.namespace)
            .map_or_else(|_| value.clone(), |reference| json!(reference)),
        _ => value.clone(),
    }
}

/// Whether a fact of the old dataset holds for the new one too.
fn carried(key: &str) -> bool {
    key.starts_with(facts::TAG)
        || key.starts_with(facts::LABEL)
        || [facts::DESCRIPTION, facts::LIFECYCLE, "spec.system"].contains(&key)
}

impl Executor for CatalogExecutor {
    fn serves(&self) -> &'static [&'static str] {
        &[PUBLISH, CUTOVER]
    }

    fn start(&self, request: &StepRequest<'_>, context: &dyn Context) -> Result<Outcome, DriverError> {
        self.run(request, context).map(Outcome::Done)
    }

    fn poll(&self, request: &StepRequest<'_>, _: &str, context: &dyn Context) -> Result<Outcome, DriverError> {
        // Never pending.
        self.start(request, context)
    }

    fn cancel(&self, _: &StepRequest<'_>, _: &str, _: &dyn Context) -> Result<(), DriverError> {
        Ok(())
    }

    fn rehearse(&self, request: &StepRequest<'_>, _: &dyn Context) -> Result<Rehearsal, DriverError> {
        let work = request.dataset()?;
        let (old, new) = (work.source.dataset.entity.short(), work.target.short());
        Ok(Rehearsal::does(match request.step.uses.as_str() {
            CUTOVER => format!("the catalog forgets that `{old}` has `{new}` as its successor"),
            _ => format!("the catalog forgets what this run said of `{new}`"),
        }))
    }
}
