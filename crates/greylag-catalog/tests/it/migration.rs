//! What a migration publishes.

use super::{CRM, Estate, dataset, joined};
use greylag_catalog::migration::{CUTOVER, CatalogExecutor, PUBLISH};
use greylag_driver::catalog::{Catalog, Filter, MemoryCatalog, Page};
use greylag_driver::error::DriverError;
use greylag_driver::executor::{Context, Executor, Outcome, Progress, StepRequest};
use greylag_model::dataset::{Compression, CsvDialect, Dataset, Format, Layout, Location, Shape};
use greylag_model::entity::EntityRef;
use greylag_model::id::{PlanId, RunId, TaskId, Timestamp};
use greylag_model::increment::Base;
use greylag_model::mapping::Mapping;
use greylag_model::plan::{DatasetWork, PLAN_VERSION, PlanHeader, PlanTask, Totals};
use greylag_model::schema::{Column, Schema};
use greylag_model::snapshot::{Impact, Observed};
use greylag_model::task::{Direction, Phase, Retry, Step};
use greylag_model::types::DataType;
use serde_json::Value;
use std::sync::Arc;

/// Stands still in time; fails at the fault point if told to.
struct Still {
    now: i64,
    fails: bool,
}

impl Context for Still {
    fn now(&self) -> Timestamp {
        Timestamp(self.now)
    }
    fn cancelled(&self) -> bool {
        false
    }
    fn checkpoint_all(&self, _: &[(String, Value)]) -> Result<(), DriverError> {
        Ok(())
    }
    fn checkpoints(&self) -> Result<Vec<(String, Value)>, DriverError> {
        Ok(Vec::new())
    }
    fn noted_forwards(&self) -> Result<Vec<(String, Value)>, DriverError> {
        Ok(Vec::new())
    }
    fn progress(&self, _: Progress) {}
    fn output_of(&self, _: &str) -> Result<Option<std::sync::Arc<Value>>, DriverError> {
        Ok(None)
    }
    fn base_checkpoints(&self, _: &Base) -> Result<Vec<(String, Value)>, DriverError> {
        Ok(Vec::new())
    }
    fn fault(&self, point: &str) -> std::io::Result<()> {
        assert_eq!(point, "in-effect");
        if self.fails { Err(std::io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

fn reference(name: &str) -> EntityRef {
    EntityRef::parse(name, "resource").unwrap()
}

fn task(from: &str, to: &str, format: Format) -> PlanTask<DatasetWork> {
    let column = |name: &str| Column { name: name.to_owned(), data_type: DataType::Int64, nullable: name != "id" };
    let schema = Schema { columns: vec![column("id"), column("odd, \"name\"")] };
    let layout = Layout { format, shape: Shape::Directory, partition_by: vec!["id".to_owned()] };
    let location = |name: &str| Location { connection: Some("lake".to_owned()), path: name.to_owned() };
    let subject = DatasetWork {
        source: Observed {
            dataset: Dataset { entity: reference(from), location: location(from), declared: [].into() },
            layout: layout.clone(),
            schema: schema.clone(),
            files: 1,
            rows: Some(1),
            bytes: 1,
            fingerprint: String::new(),
        },
        target: reference(to),
        target_location: location(to),
        target_layout: layout,
        target_table: None,
        mapping: Mapping { source: schema.clone(), target: schema, columns: vec![], dropped: vec![], reverse: vec![] },
        changes: vec![],
        breaking: vec![],
        impact: Impact::default(),
        checks: vec![],
        references: std::collections::BTreeMap::new(),
        derived: None,
        increments: None,
        sample: None,
        undo: None,
        readers: None,
    };
    PlanTask {
        id: TaskId::new(to),
        owner: Some(EntityRef::new("group", "default", "crm")),
        subject,
        steps: vec![],
        after: vec![],
        cohort: 0,
        window: None,
        warnings: vec![],
    }
}

fn parquet() -> Format {
    Format::Parquet { compression: Compression::Zstd }
}

fn header() -> PlanHeader {
    PlanHeader {
        custom: greylag_model::custom::Custom::default(),
        version: PLAN_VERSION,
        id: PlanId::new("p"),
        migration: "m".to_owned(),
        taken_at: Timestamp(0),
        through: Phase::Cutover,
        retention_millis: 0,
        priority: greylag_model::spec::Priority::default(),
        rollout: None,
        connections: [].into(),
        blocked: vec![],
        warnings: vec![],
        totals: Totals::default(),
        consumers: None,
        samples: None,
    }
}

struct Run {
    catalog: Arc<MemoryCatalog>,
    executor: CatalogExecutor,
}

impl Run {
    fn new(estate: Estate) -> (Self, Estate) {
        let Estate { directory, catalog } = estate;
        let catalog = Arc::new(catalog);
        let executor = CatalogExecutor::new(catalog.clone());
        (Self { catalog, executor }, Estate { directory, catalog: MemoryCatalog::default() })
    }

    fn step(
        &self,
        at: i64,
        uses: &str,
        direction: Direction,
        task: &PlanTask<DatasetWork>,
    ) -> Result<Outcome, DriverError> {
        self.attempt(&Still { now: at, fails: false }, uses, direction, task)
    }

    fn attempt(
        &self,
        context: &Still,
        uses: &str,
        direction: Direction,
        task: &PlanTask<DatasetWork>,
    ) -> Result<Outcome, DriverError> {
        let step = Step {
            inserted: None,
            uses: uses.to_owned(),
            phase: Phase::Publish,
            approval: false,
            retry: Retry::default(),
            timeout_millis: 1,
        };
        let (run, header, frozen) = (RunId::new("r-1"), header(), task.clone().freeze());
        let request = StepRequest {
            run: &run,
            task: &task.id,
            header: &header,
            plan: &frozen,
            step: &step,
            direction,
            attempt: 1,
            epoch: 1,
        };
        self.executor.start(&request, context)
    }

    /// Everything in the catalog, for comparing.
    fn everything(&self) -> String {
        let all = self.catalog.list(&Filter::default(), &Page::default()).unwrap().items;
        let records: Vec<_> = all.iter().map(|summary| self.catalog.record(&summary.entity).unwrap()).collect();
        format!("{records:#?}")
    }

    fn entity(&self, name: &str) -> Value {
        let record = self.catalog.record(&reference(name)).unwrap().unwrap();
        serde_json::to_value(record.entity.unwrap()).unwrap()
    }
}

fn imported() -> (Run, Estate) {
    let users = dataset("users_v1", "/lake/users_v1", "  lifecycle: production\n  system: billing\n").replace(
        "  annotations:",
        "  description: Who they are\n  tags: [pii]\n  labels: {tier: gold}\n  annotations:\n    greylag.dev/table: raw.users_v1, app.people",
    );
    let estate = Estate::new(&[("a.yaml", &joined(&[CRM, &users]))]);
    estate.import(1, &["."]);
    Run::new(estate)
}

#[test]
fn publish_registers_the_new_dataset_and_cutover_deprecates_the_old() {
    let (run, _estate) = imported();
    let task = task("users_v1", "finance/users_v2", parquet());
    run.step(10, PUBLISH, Direction::Forward, &task).unwrap();
    let expected = serde_json::json!({
        "apiVersion": "backstage.io/v1alpha1",
        "kind": "Resource",
        "metadata": {
            "name": "users_v2",
            "namespace": "finance",
            "description": "Who they are",
            "labels": { "tier": "gold" },
            "tags": ["pii"],
            "annotations": {
                "greylag.dev/connection": "lake",
                "greylag.dev/path": "finance/users_v2",
                "greylag.dev/format": "parquet",
                "greylag.dev/table": "raw.users_v2",
                "greylag.dev/predecessor": "resource:default/users_v1",
            },
        },
        "spec": {
            "type": "dataset", "owner": "group:default/crm", "system": "system:default/billing", "lifecycle": "production",
        },
    });
    assert_eq!(run.entity("finance/users_v2"), expected);
    assert_eq!(run.entity("users_v1")["spec"]["lifecycle"], "production", "old and new stand side by side");
    run.step(20, CUTOVER, Direction::Forward, &task).unwrap();
    let old = run.entity("users_v1");
    assert_eq!(old["spec"]["lifecycle"], "deprecated");
    assert_eq!(old["metadata"]["annotations"]["greylag.dev/successor"], "resource:finance/users_v2");
    let found = run.catalog.find(std::slice::from_ref(&task.subject.target)).unwrap()[0].clone().unwrap();
    assert_eq!(found.partition_by, ["id"]);
    assert_eq!(found.dataset().unwrap().location, task.subject.target_location);
}

#[test]
fn the_name_in_code_is_the_one_that_the_file_says() {
    let (run, _estate) = imported();
    let table = |task: &PlanTask<DatasetWork>| {
        run.step(10, PUBLISH, Direction::Forward, task).unwrap();
        run.entity(&task.subject.target.name)["metadata"]["annotations"]["greylag.dev/table"].clone()
    };
    let mut said = task("users_v1", "users_v3", parquet());
    said.subject.target_table = "core.users".parse().ok();
    assert_eq!(table(&said), "core.users");
}

#[test]
fn steps_that_are_done_again_change_nothing() {
    let (run, _estate) = imported();
    let task = task("users_v1", "users_v2", parquet());
    run.step(10, PUBLISH, Direction::Forward, &task).unwrap();
    run.step(20, CUTOVER, Direction::Forward, &task).unwrap();
    let before = run.everything();
    run.step(30, PUBLISH, Direction::Forward, &task).unwrap();
    run.step(40, CUTOVER, Direction::Forward, &task).unwrap();
    assert_eq!(run.everything(), before);
}

#[test]
fn a_step_that_fails_half_way_has_done_nothing() {
    let (run, _estate) = imported();
    let task = task("users_v1", "users_v2", parquet());
    let before = run.everything();
    let failed = run.attempt(&Still { now: 10, fails: true }, PUBLISH, Direction::Forward, &task).unwrap_err();
    assert_eq!(failed.class, greylag_model::spec::ErrorClass::Transient);
    assert_eq!(run.everything(), before);
}

#[test]
fn undo_restores_the_catalog_and_may_be_done_again() {
    let (run, _estate) = imported();
    let before = run.everything();
    let task = task("users_v1", "users_v2", parquet());
    run.step(10, PUBLISH, Direction::Forward, &task).unwrap();
    run.step(20, CUTOVER, Direction::Forward, &task).unwrap();
    for at in [30, 40] {
        run.step(at, CUTOVER, Direction::Undo, &task).unwrap();
        run.step(at, PUBLISH, Direction::Undo, &task).unwrap();
        assert_eq!(run.everything(), before);
    }
    assert_eq!(run.catalog.find(std::slice::from_ref(&task.subject.target)).unwrap(), vec![None]);
    assert_eq!(run.catalog.history(&task.subject.target).unwrap().len(), 2, "its history stays");
}

#[test]
fn a_chain_in_one_run_is_undone_link_by_link() {
    let (run, _estate) = imported();
    let (first, second) = (task("users_v1", "users_v2", parquet()), task("users_v2", "users_v3", parquet()));
    run.step(10, PUBLISH, Direction::Forward, &first).unwrap();
    run.step(11, CUTOVER, Direction::Forward, &first).unwrap();
    let before = run.everything();
    run.step(20, PUBLISH, Direction::Forward, &second).unwrap();
    run.step(21, CUTOVER, Direction::Forward, &second).unwrap();
    assert_eq!(run.entity("users_v2")["spec"]["lifecycle"], "deprecated");
    assert_eq!(run.entity("users_v3")["spec"]["lifecycle"], "production");
    run.step(30, CUTOVER, Direction::Undo, &second).unwrap();
    run.step(31, PUBLISH, Direction::Undo, &second).unwrap();
    assert_eq!(run.everything(), before);
}

#[test]
fn text_files_are_published_with_dialect_and_types() {
    let (run, _estate) = imported();
    let dialect = CsvDialect { delimiter: ';', header: false, ..CsvDialect::default() };
    run.step(10, PUBLISH, Direction::Forward, &task("none", "users_v2", Format::Csv(dialect))).unwrap();
    let annotations = run.entity("users_v2")["metadata"]["annotations"].clone();
    assert_eq!(annotations["greylag.dev/csv-delimiter"], ";");
    assert_eq!(annotations["greylag.dev/csv-header"], "false");
    assert_eq!(annotations.get("greylag.dev/csv-quote"), None);
    let columns = annotations["greylag.dev/columns"].as_str().unwrap();
    assert_eq!(columns, "id: int64 not null\n\"odd, \"\"name\"\"\": int64\n");
}

#[test]
fn what_is_published_is_a_version_of_the_schema() {
    let (run, _estate) = imported();
    let task = task("users_v1", "users_v2", parquet());
    run.step(10, PUBLISH, Direction::Forward, &task).unwrap();
    run.step(20, PUBLISH, Direction::Forward, &task).unwrap();
    let schemas = run.catalog.schemas(&task.subject.target).unwrap();
    assert_eq!(schemas.len(), 1);
    let (version, at, source) = (schemas[0].version, schemas[0].at, schemas[0].source.to_string());
    assert_eq!((version, at, source.as_str()), (1, Timestamp(10), "migration:r-1"));
    assert_eq!(schemas[0].schema, task.subject.mapping.target);
}
