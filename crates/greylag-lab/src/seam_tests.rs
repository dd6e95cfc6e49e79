//! What the lab writes and what the model makes of it: migration files parse without a word, descriptors too, and every
//! pair compiles to the very schema and layout that the truth has, or is refused where the truth says so.

#![expect(clippy::unwrap_used, reason = "tests")]

use crate::design::{Design, Estate, PER_SYSTEM, Slot, design};
use crate::generate::{Options, estate, generate};
use crate::hostile::{Hostile, Refusal};
use crate::layout as lab;
use greylag_model::dataset::{self, CsvDialect, Dataset, Layout, LineEnding, Location, Shape};
use greylag_model::diagnostic::Diagnostic;
use greylag_model::entity::{EntityRef, annotation, descriptor};
use greylag_model::id::Timestamp;
use greylag_model::plan::{CompileOptions, Plan, Speed, compile, default_location};
use greylag_model::schema::{Column, Schema};
use greylag_model::snapshot::{Impact, Observed, PairSnapshot, Snapshot, TargetPlace};
use greylag_model::spec::{self, Document, Migration, Pair};
use std::collections::BTreeMap;
use std::path::Path;

fn options(seed: u64, datasets: usize, place: &Path) -> Options {
    Options { most_rows: Some(3), ..Options::new(seed, datasets, place) }
}

fn layout(layout: &lab::Layout) -> Layout {
    let format = match &layout.format {
        lab::Format::Parquet { compression } => dataset::Format::Parquet { compression: *compression },
        lab::Format::Json => dataset::Format::Json,
        lab::Format::Csv(csv) => dataset::Format::Csv(CsvDialect {
            delimiter: csv.delimiter,
            quote: csv.quote,
            escape: csv.escape,
            header: csv.header,
            null: csv.null.clone(),
            encoding: csv.encoding.name().to_owned(),
            byte_order_mark: csv.mark,
            line_ending: if csv.crlf { LineEnding::Crlf } else { LineEnding::Lf },
        }),
    };
    let shape = match layout.shape {
        lab::Shape::File => Shape::File,
        lab::Shape::Directory => Shape::Directory,
    };
    Layout { format, shape, partition_by: layout.partition_by.clone() }
}

fn schema(slots: &[Slot]) -> Schema {
    let column = |slot: &Slot| Column {
        name: slot.column.name.clone(),
        data_type: slot.column.data_type.clone(),
        nullable: true,
    };
    Schema { columns: slots.iter().map(column).collect() }
}

fn snapshot(pair: &Pair, design: &Design) -> PairSnapshot {
    let location = Location { connection: None, path: format!("/estate/{}", design.old_path) };
    let old_layout = layout(&design.old);
    let entity = EntityRef::parse(&pair.to, "resource").unwrap();
    let target = match &pair.location {
        Some(path) => Location { connection: None, path: format!("/estate/{}/{path}", design.system.directory) },
        None => default_location(&location, &old_layout, &entity, pair.layout.as_ref()),
    };
    let unread = [Hostile::CorruptFooter, Hostile::MissingFile, Hostile::UnknownEntity, Hostile::EmptyFile];
    let source = match design.hostile.filter(|hostile| unread.contains(hostile)) {
        Some(_) => Err(vec![Diagnostic::error(greylag_model::code::data::NOT_FOUND, "there is nothing")]),
        None => Ok(Observed {
            dataset: Dataset {
                entity: EntityRef::parse(&pair.from, "resource").unwrap(),
                location,
                declared: BTreeMap::new(),
            },
            layout: old_layout,
            schema: schema(&design.old_slots),
            files: 1,
            rows: None,
            bytes: 1,
            fingerprint: String::new(),
        }),
    };
    PairSnapshot {
        source,
        target: TargetPlace {
            entity,
            location: target,
            exists: design.hostile == Some(Hostile::TargetExists),
            free_bytes: 1 << 40,
            device: "disk".to_owned(),
        },
        owner: None,
        tags: Vec::new(),
        zone: None,
        dangling_owner: false,
        impact: Impact::default(),
        published: None,
        sample: None,
    }
}

fn migration(path: &Path) -> Migration {
    let text = std::fs::read_to_string(path).unwrap();
    let parsed = spec::parse(&path.display().to_string(), &text);
    let words: Vec<String> = parsed.diagnostics.iter().map(ToString::to_string).collect();
    assert!(words.is_empty(), "{}", words.join("\n"));
    let migrations = parsed.documents.into_iter().filter_map(|document| match document {
        Document::Migration(migration, _) => Some(*migration),
        Document::Template(..) | Document::Connection(..) | Document::Limits(..) => None,
    });
    migrations.last().unwrap()
}

fn compiled(migration: &Migration, designs: &[Design]) -> Plan {
    let snapshot = Snapshot {
        taken_at: Timestamp(0),
        connections: BTreeMap::new(),
        pairs: migration.spec.datasets.iter().zip(designs).map(|(pair, design)| snapshot(pair, design)).collect(),
        lineage: vec![],
        scripts: BTreeMap::new(),
        references: BTreeMap::new(),
        sampling: None,
        code: None,
    };
    let options = CompileOptions { parallelism: 2, speed: Speed::default() };
    let compiled = compile(migration, &|_| None, &snapshot, &options);
    let words: Vec<String> = compiled.diagnostics.iter().map(ToString::to_string).collect();
    compiled.plan.unwrap_or_else(|| panic!("no plan: {}", words.join("\n")))
}

fn check(estate: &Estate, plan: &Plan, designs: &[Design]) {
    for design in designs {
        let reference = EntityRef::new("resource", &design.system.namespace, &design.to);
        let task = plan.tasks.iter().filter_map(|task| task.dataset()).find(|task| task.target == reference);
        let blocked = design.hostile.is_some_and(|hostile| hostile.refusal() == Refusal::Blocked);
        if blocked {
            assert!(task.is_none(), "{reference} is to be blocked ({:?})", design.hostile);
            continue;
        }
        let said = || {
            let reasons = plan.header.blocked.iter().filter(|blocked| blocked.to.ends_with(&design.to));
            let reasons: Vec<String> = reasons.flat_map(|blocked| &blocked.reasons).map(ToString::to_string).collect();
            format!("seed {} {reference} ({:?}):\n{}", estate.seed, design.hostile, reasons.join("\n"))
        };
        let task = task.unwrap_or_else(|| panic!("{}", said()));
        let place = format!("/estate/{}", design.new_path);
        assert_eq!(task.target_location.path, place, "{reference}");
        if design.hostile.is_none() {
            let names = |schema: &Schema| -> Vec<(String, String)> {
                schema.columns.iter().map(|column| (column.name.clone(), column.data_type.to_string())).collect()
            };
            assert_eq!(names(&task.mapping.target), names(&schema(&design.new_slots)), "{}", said());
            assert_eq!(task.target_layout, layout(&design.new), "{}", said());
        }
    }
}

#[test]
fn the_model_plans_what_the_truth_says() {
    for seed in [1, 2, 42] {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().join("estate");
        let options = options(seed, 300, &place);
        let report = generate(&options, &|_, _| {}).unwrap();
        let estate = estate(&options);
        let designs: Vec<Design> = (0..300).map(|index| design(&estate, index)).collect();
        for (path, designs) in report.migrations.iter().zip(designs.chunks(PER_SYSTEM)) {
            let migration = migration(path);
            assert_eq!(migration.spec.datasets.len(), designs.len());
            check(&estate, &compiled(&migration, designs), designs);
        }
    }
}

#[test]
fn descriptors_are_read_without_a_word() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("estate");
    let options = options(3, 120, &place);
    generate(&options, &|_, _| {}).unwrap();
    let estate = estate(&options);
    let mut kinds = BTreeMap::<String, u64>::new();
    for file in std::fs::read_dir(place.join("catalog")).unwrap() {
        let path = file.unwrap().path();
        let read = descriptor::read(&path.display().to_string(), &std::fs::read(&path).unwrap());
        let words: Vec<String> = read.diagnostics.iter().map(ToString::to_string).collect();
        assert!(words.is_empty() && read.complete, "{}", words.join("\n"));
        for descriptor in read.entities {
            *kinds.entry(descriptor.entity.kind.clone()).or_default() += 1;
            let annotations = descriptor.entity.metadata.get("annotations");
            let Some(serde_json::Value::Object(annotations)) = annotations else { continue };
            for (key, text) in annotation::layout(annotations) {
                assert_eq!(annotation::layout_fault(&key, &text), None, "{key}: {text}");
            }
        }
    }
    assert_eq!(kinds, crate::catalog_truth(&place).unwrap().entities);
    for design in (0..120).map(|index| design(&estate, index)).filter(|design| design.declares) {
        let text = crate::catalog::declared_columns(&design);
        let declared = annotation::parse_columns(&text).unwrap();
        assert_eq!(declared, schema(&design.old_slots), "{text}");
    }
}
