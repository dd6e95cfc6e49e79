//! CSV in and out.

use crate::files::old_file;
use crate::support::{Setup, csv, parquet};
use greylag_model::dataset::{Format, Shape};
use greylag_model::spec::ErrorClass;
use std::fs;

const TEXT: &str = "id,name\n1,plain\n2,\"a \"\"quoted\"\", one\"\n3,\n4,\"two\nlines\"\n";

fn text_setup() -> Setup {
    let mut setup = Setup::new();
    setup.source = "old.csv";
    setup.layout = csv(Shape::File);
    setup.schema.columns.truncate(2);
    setup
}

#[test]
fn csv_becomes_parquet_and_csv() {
    for (target, layout) in
        [("new.parquet", parquet(Shape::File, &[])), ("new", csv(Shape::Directory)), ("new.csv", csv(Shape::File))]
    {
        let mut setup = text_setup();
        setup.target = target;
        setup.target_layout = layout;
        let world = setup.build(|home| fs::write(home.join("old.csv"), TEXT).unwrap());
        world.run_through("data/cutover");
        let plan = &world.plan;
        let rows = world.rows_of(target, &plan.subject.mapping.target, &plan.subject.target_layout);
        assert_eq!(rows, ["1|plain", "2|a \"quoted\", one", "3|∅", "4|two\nlines"], "{target}");
    }
}

#[test]
fn parquet_becomes_one_csv_file_of_many_chunks_with_one_header() {
    let mut setup = Setup::new().small_chunks();
    setup.target = "new.csv";
    setup.target_layout = csv(Shape::File);
    let Format::Csv(dialect) = &mut setup.target_layout.format else { panic!() };
    dialect.byte_order_mark = true;
    let world = setup.build(old_file(450));
    world.run_through("data/cutover");
    let text = fs::read_to_string(world.at("new.csv")).unwrap();
    assert!(text.starts_with("\u{feff}id,name,price,"));
    assert_eq!((text.matches("id,name").count(), text.matches('\u{feff}').count(), text.lines().count()), (1, 1, 451));
    let plan = &world.plan;
    let (old, new) = (&plan.subject.mapping.source, &plan.subject.mapping.target);
    assert_eq!(
        world.rows_of("new.csv", new, &plan.subject.target_layout),
        world.rows_of("old.parquet", old, &plan.subject.source.layout)
    );
}

#[test]
fn every_csv_file_of_a_directory_has_a_header() {
    let mut setup = Setup::new().small_chunks();
    setup.target = "new";
    setup.target_layout = csv(Shape::Directory);
    let world = setup.build(old_file(450));
    world.run_through("data/cutover");
    let files: Vec<_> = fs::read_dir(world.at("new")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 5);
    for file in files {
        assert!(fs::read_to_string(&file).unwrap().starts_with("id,name,price,"), "{}", file.display());
    }
}

#[test]
fn many_chunks_of_a_csv_file() {
    let world = text_setup().small_chunks().build(|home| {
        let rows: Vec<String> = (0..5_000).map(|id| format!("{id},name {id}")).collect();
        fs::write(home.join("old.csv"), format!("id,name\n{}\n", rows.join("\n"))).unwrap();
    });
    let reports = world.run_through("data/publish");
    assert_eq!(reports["data/publish"].output["rows"], 5_000);
}

#[test]
fn a_csv_file_without_rows() {
    for header in [true, false] {
        let mut setup = Setup::new();
        setup.target = "new.csv";
        setup.target_layout = csv(Shape::File);
        let Format::Csv(dialect) = &mut setup.target_layout.format else { panic!() };
        dialect.header = header;
        let world = setup.build(old_file(0));
        world.run_through("data/publish");
        assert_eq!(fs::read_to_string(world.at("new.csv")).unwrap().lines().count(), usize::from(header));
    }
}

#[test]
fn ragged_and_ill_typed_text_stops_the_backfill() {
    for text in ["id,name\n1\n", "id,name\n1,a,b\n", "id,name\nx,a\n", "id,name\n1,\"open\n", "id,name\n1,\u{0}\n"] {
        let world = text_setup().build(|home| fs::write(home.join("old.csv"), text).unwrap());
        world.step("data/expand").unwrap();
        let error = world.step("data/backfill").unwrap_err();
        assert_eq!(error.class, ErrorClass::Permanent, "{text:?}: {error:?}");
        assert!(!world.at("new.parquet").exists());
    }
}
