//! Each step does what it says, for every shape and format.

use crate::files::{old_file, rows, write_parquet};
use crate::support::{STEPS, Setup, World, code_of, parquet};
use greylag_driver::executor::Outcome;
use greylag_model::code::data as code;
use greylag_model::dataset::Shape;
use greylag_model::task::Direction;
use serde_json::json;
use std::fs;
use std::os::unix::fs::PermissionsExt;

fn names(world: &World) -> Vec<String> {
    let mut names: Vec<String> = greylag_data::durable::walk(&world.home)
        .unwrap()
        .into_iter()
        .filter(|(path, _)| *path != world.home)
        .map(|(path, _)| path.strip_prefix(&world.home).unwrap().display().to_string())
        .collect();
    names.sort();
    names
}

/// Old and new rows of an unchanged mapping.
fn same_rows(world: &World, source: &str, target: &str) -> usize {
    let plan = &world.plan;
    let old = world.rows_of(source, &plan.subject.mapping.source, &plan.subject.source.layout);
    let new = world.rows_of(target, &plan.subject.mapping.target, &plan.subject.target_layout);
    assert_eq!(old, new);
    old.len()
}

#[test]
fn a_file_goes_through_all_phases() {
    let world = Setup::new().build(old_file(250));
    world.run_through("data/publish");
    assert_eq!(names(&world), ["new.parquet", "old.parquet"]);
    assert_eq!(same_rows(&world, "old.parquet", "new.parquet"), 250);
    world.run_through("data/retire");
}

#[test]
fn retired_and_dropped_after_retention() {
    let world = Setup::new().build(old_file(10));
    world.run_through("data/retire");
    let retired = names(&world);
    assert_eq!(retired.len(), 3, "{retired:?}");
    assert!(retired[0].starts_with(".old.parquet.greylag-retired-"));
    assert_eq!(fs::metadata(world.at(&retired[0])).unwrap().permissions().mode() & 0o777, 0);
    let early = world.attempt("data/drop", Direction::Forward).unwrap();
    assert!(matches!(early, Outcome::Pending { wake, .. } if wake.0 == 1_000), "{early:?}");
    assert_eq!(names(&world), retired);
    world.ledger.later(1_000);
    world.step("data/drop").unwrap();
    world.step("data/drop").unwrap();
    assert_eq!(names(&world), ["new.parquet", "old.parquet.sql"]);
}

#[test]
fn many_chunks_make_one_file() {
    let world = Setup::new().small_chunks().build(old_file(1_050));
    let reports = world.run_through("data/publish");
    assert_eq!(reports["data/backfill"].progress.chunks, 11);
    assert_eq!(same_rows(&world, "old.parquet", "new.parquet"), 1_050);
    assert_eq!(names(&world), ["new.parquet", "old.parquet"]);
}

#[test]
fn a_partitioned_directory_stays_one() {
    let mut setup = Setup::new().small_chunks();
    setup.source = "old";
    setup.target = "new";
    setup.layout = parquet(Shape::Directory, &["region"]);
    setup.target_layout = setup.layout.clone();
    setup.schema.columns.push(greylag_model::schema::Column {
        name: "region".to_owned(),
        data_type: greylag_model::types::DataType::String,
        nullable: true,
    });
    let world = setup.build(|home| {
        for (at, region) in ["region=north", "region=a%2Fb", "region=__HIVE_DEFAULT_PARTITION__"].iter().enumerate() {
            let at = at as i64 * 1000;
            write_parquet(&home.join("old").join(region).join("a.parquet"), &rows(at..at + 150), 100);
        }
        fs::write(home.join("old/_SUCCESS"), "").unwrap();
        fs::write(home.join("old/region=north/.half.parquet.tmp"), "half").unwrap();
    });
    world.run_through("data/publish");
    assert_eq!(same_rows(&world, "old", "new"), 450);
    let regions: Vec<String> =
        names(&world).into_iter().filter(|name| name.starts_with("new/") && !name.ends_with(".parquet")).collect();
    assert_eq!(regions, ["new/region=__HIVE_DEFAULT_PARTITION__", "new/region=a%2Fb", "new/region=north"]);
}

#[test]
fn a_file_becomes_partitions_and_few_files_are_open() {
    let mut setup = Setup::new();
    setup.target = "new";
    setup.target_layout = parquet(Shape::Directory, &["small"]);
    let world = setup.build(old_file(1_000));
    world.run_through("data/publish");
    let plan = &world.plan;
    assert_eq!(plan.subject.mapping.target.columns.last().unwrap().name, "small");
    let new = world.rows_of("new", &plan.subject.mapping.target, &plan.subject.target_layout);
    assert_eq!(new.len(), 1_000);
    // 100 partitions, of which 32 may be open: each batch of 100 rows has one row for each.
    let directories =
        names(&world).into_iter().filter(|name| name.starts_with("new/small=") && !name.ends_with(".parquet"));
    assert_eq!(directories.count(), 100);
}

#[test]
fn no_rows_make_a_valid_dataset() {
    for (target, layout) in [
        ("new.parquet", parquet(Shape::File, &[])),
        ("new", parquet(Shape::Directory, &[])),
        ("new", parquet(Shape::Directory, &["name"])),
    ] {
        let mut setup = Setup::new();
        setup.target = target;
        setup.target_layout = layout;
        let world = setup.build(old_file(0));
        world.run_through("data/publish");
        let plan = &world.plan;
        assert_eq!(
            world.rows_of(target, &plan.subject.mapping.target, &plan.subject.target_layout),
            Vec::<String>::new()
        );
    }
}

#[test]
fn modes_and_owners_are_kept() {
    let world = Setup::new().build(|home| {
        old_file(10)(home);
        let path = home.join("old.parquet");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o440)).unwrap();
        if rustix::process::geteuid().is_root() {
            std::os::unix::fs::chown(&path, Some(12), Some(34)).unwrap();
        }
    });
    world.run_through("data/publish");
    let of = |name: &str| {
        let metadata = fs::metadata(world.at(name)).unwrap();
        use std::os::unix::fs::MetadataExt;
        (metadata.mode(), metadata.uid(), metadata.gid())
    };
    assert_eq!(of("new.parquet"), of("old.parquet"));
    assert_eq!(of("new.parquet").0 & 0o777, 0o440);
}

#[test]
fn every_operation_of_a_mapping() {
    let world = Setup::new()
        .mapping(json!({
            "columns": [
                { "name": "user_id", "from": "id" },
                { "name": "label", "expr": "upper(name)", "default": "'none'" },
                { "name": "price", "type": "float64", "loss": "round" },
                { "name": "third", "expr": "small + 1", "type": "int64" },
                { "name": "seen", "from": "day", "type": "timestamp(us)" },
                { "name": "version", "expr": "CAST(2 AS int32)" },
            ],
            "split": [{ "from": "name", "into": ["first", "rest"], "separator": " " }],
            "merge": [{ "from": ["city", "code"], "into": "place", "separator": "/" }],
            "drop": [{ "name": "flag", "reason": "unused" }],
        }))
        .build(old_file(300));
    let reports = world.run_through("data/publish");
    let checks: Vec<&str> = reports["data/verify"].checks.iter().map(|check| check.name.as_str()).collect();
    assert_eq!(checks, ["rows", "schema", "read-back", "nulls", "bounds", "sums", "hash", "reverse", "reference"]);
}

#[test]
fn misfits_become_null_or_the_default() {
    let world = Setup::new()
        .mapping(json!({ "columns": [
            { "name": "id", "type": "int8", "misfit": "null" },
            { "name": "small", "type": "int8", "misfit": "null", "default": "CAST(0 AS int8)" },
        ] }))
        .build(old_file(300));
    let reports = world.run_through("data/publish");
    let evidence = &reports["data/verify"].output["evidence"]["columns"];
    assert_eq!((&evidence[0]["nulls"], &evidence[0]["max"]), (&json!(172), &json!("127")));
    let reverse = reports["data/verify"].checks.iter().find(|check| check.name == "reverse").unwrap();
    assert!(reverse.detail.contains("7 of 9 columns"), "{}", reverse.detail);
}

#[test]
fn a_way_back_with_a_tolerance_is_judged_by_its_figures() {
    let mapping = json!({ "columns": [
        { "name": "share", "type": "float32", "loss": "round", "tolerance": { "relative": 1e-6 } },
    ] });
    let world = Setup::new().mapping(mapping.clone()).build(old_file(300));
    let reports = world.run_through("data/publish");
    let tolerance = reports["data/verify"].checks.iter().find(|check| check.name == "tolerance").unwrap();
    assert_eq!(tolerance.detail, "figures of 1 columns are within it");
    // The same figures of the source, moved by more than the tolerance.
    let world = Setup::new().mapping(mapping).build(old_file(300));
    world.step("data/expand").unwrap();
    world.step("data/backfill").unwrap();
    world.ledger.edit("data/backfill", |output| {
        output["source_state"]["tolerant"]["columns"][0]["floats"][0][0] = json!(36);
    });
    assert!(world.failed_checks().contains(&"tolerance".to_owned()));
}

#[test]
fn rejected_rows_are_set_aside_and_masked() {
    let world = Setup::new()
        .mapping(json!({ "columns": [{ "name": "id", "type": "int8", "misfit": "reject" }] }))
        .build(old_file(300));
    let reports = world.run_through("data/publish");
    assert_eq!(reports["data/backfill"].output["rejected"], 172);
    let lines = fs::read_to_string(world.artefacts().join("run-1/new.rejected.jsonl")).unwrap();
    assert_eq!(lines.lines().count(), 172);
    let first: serde_json::Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!((&first["row"], &first["column"]), (&json!(128), &json!("id")));
    assert!(!lines.contains("näme"), "values are masked");
    let plan = &world.plan;
    assert_eq!(world.rows_of("new.parquet", &plan.subject.mapping.target, &plan.subject.target_layout).len(), 128);
}

#[test]
fn a_misfit_that_fails_ends_the_step() {
    let world = Setup::new().mapping(json!({ "columns": [{ "name": "id", "type": "int8" }] })).build(old_file(300));
    world.step("data/expand").unwrap();
    let error = world.step("data/backfill").unwrap_err();
    assert_eq!(error.class, greylag_model::spec::ErrorClass::Permanent, "{error:?}");
}

#[test]
fn a_target_that_exists_stops_expand_and_publish() {
    let world = Setup::new().build(old_file(10));
    fs::write(world.at("new.parquet"), "somebody's").unwrap();
    assert_eq!(code_of(world.step("data/expand")), code::TARGET_EXISTS);
    fs::remove_file(world.at("new.parquet")).unwrap();
    world.run_through("data/verify");
    fs::write(world.at("new.parquet"), "somebody's").unwrap();
    assert_eq!(code_of(world.step("data/publish")), code::TARGET_EXISTS);
    assert_eq!(fs::read_to_string(world.at("new.parquet")).unwrap(), "somebody's");
}

#[test]
fn a_source_that_changes_is_not_published() {
    let world = Setup::new().build(old_file(10));
    world.run_through("data/verify");
    write_parquet(&world.at("old.parquet"), &rows(0..20), 100);
    assert_eq!(code_of(world.step("data/publish")), code::SOURCE_CHANGED);
    assert!(!world.at("new.parquet").exists());
}

#[test]
fn repeating_a_step_that_is_done_changes_nothing() {
    let world = Setup::new().build(old_file(50));
    for uses in STEPS {
        world.ledger.later(10_000);
        world.step(uses).unwrap();
        if uses == "data/expand" || uses == "data/backfill" || uses == "data/drop" {
            continue;
        }
        let before = world.estate();
        world.step(uses).unwrap_or_else(|error| panic!("{uses}: {error:?}"));
        let strip = |lines: Vec<String>| lines.into_iter().filter(|line| !line.starts_with(".new")).collect::<Vec<_>>();
        assert_eq!(strip(world.estate()), strip(before), "{uses}");
    }
}

#[test]
fn missing_directories_above_the_target_are_made_and_taken_back() {
    let mut setup = Setup::new();
    setup.target = "deep/er/new.parquet";
    let world = setup.build(old_file(10));
    let before = world.estate();
    world.run_through("data/publish");
    assert!(world.at("deep/er/new.parquet").is_file());
    for uses in ["data/publish", "data/verify", "data/backfill", "data/expand"] {
        world.undo(uses).unwrap();
    }
    assert_eq!(world.estate(), before);
}
