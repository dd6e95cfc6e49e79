//! Rehearsals of undo: what each step back would do, and what stands in its way, with nothing touched.

use crate::files::{rows, write_parquet};
use crate::support::{STEPS, Setup, World, parquet};
use greylag_model::code::data as code;
use greylag_model::dataset::Shape;
use serde_json::json;
use std::fmt::Write as _;
use std::fs;

fn world() -> World {
    let mut setup = Setup::new().mapping(json!({"columns": [{"name": "user_id", "from": "id"}]}));
    (setup.source, setup.target) = ("old", "made/new");
    setup.layout = parquet(Shape::Directory, &[]);
    setup.target_layout = parquet(Shape::Directory, &[]);
    setup.build(|home| write_parquet(&home.join("old/a.parquet"), &rows(0..250), 100))
}

/// A new file of the target with so many rows.
fn add(world: &World, count: i64) {
    let batch = rows(1_000..1_000 + count);
    let mut fields: Vec<_> = batch.schema().fields().iter().map(|field| field.as_ref().clone()).collect();
    fields[0] = fields[0].clone().with_name("user_id");
    let schema = std::sync::Arc::new(arrow::datatypes::Schema::new(fields));
    let renamed = arrow::array::RecordBatch::try_new(schema, batch.columns().to_vec()).unwrap();
    write_parquet(&world.at("made/new/more.parquet"), &renamed, 100);
}

/// Every step back, newest first.
fn rehearsal(world: &World, last: &str) -> String {
    let upto = STEPS.iter().position(|uses| *uses == last).unwrap();
    let mut text = String::new();
    for uses in STEPS[..=upto].iter().rev() {
        writeln!(text, "{uses}").unwrap();
        let rehearsal = world.rehearse(uses).unwrap();
        rehearsal.does.iter().for_each(|line| writeln!(text, "  would {line}").unwrap());
        rehearsal.kept.iter().for_each(|line| writeln!(text, "  kept: {line}").unwrap());
        for error in rehearsal.obstacles {
            writeln!(text, "  in the way [{}]: {}", error.code, error.message).unwrap();
        }
    }
    text.replace(&world.home.display().to_string(), "")
}

#[test]
fn says_what_each_step_back_would_do() {
    let world = world();
    world.run_through("data/retire");
    add(&world, 42);
    fs::write(world.at("made/new/_SUCCESS"), "").unwrap();
    insta::assert_snapshot!(rehearsal(&world, "data/retire"), @"
    data/retire
      would give the old dataset its name back, `/old`, and its mode 755
    data/cutover
      would remove the view `/old.sql`
    data/publish
      would carry 42 new rows of 1 file in `/made/new` back into `/old`
      would take `/made/new` away
      kept: 1 file (`_SUCCESS`) of others would be moved to `/made/.new.greylag-run-1-new.e0.kept`
    data/verify
    data/backfill
      would delete what was converted for `/made/new`
    data/expand
      would remove the directory `/made`, which was made for the new dataset
    ");
}

#[test]
fn says_what_stands_in_the_way() {
    let world = world();
    world.run_through("data/retire");
    add(&world, 1);
    fs::remove_file(world.at("made/new/part-00000.parquet")).unwrap();
    fs::create_dir(world.at("old")).unwrap();
    insta::assert_snapshot!(rehearsal(&world, "data/retire"), @"
    data/retire
      would give the old dataset its name back, `/old`, and its mode 755
      in the way [GL0653]: there is something at `/old` already
    data/cutover
      would remove the view `/old.sql`
    data/publish
      would take `/made/new` away
      in the way [GL0656]: `/made/new` was written to since it was published: 1 file is new (`more.parquet`), 1 file is gone (`part-00000.parquet`); files that were changed or removed cannot be put back
    data/verify
    data/backfill
      would delete what was converted for `/made/new`
    data/expand
      would remove the directory `/made`, which was made for the new dataset
    ");
}

#[test]
fn finds_rows_that_could_not_go_back_before_anything_is_done() {
    let world = world();
    world.run_through("data/publish");
    fs::write(world.at("made/new/broken.parquet"), "PAR1 and nothing else PAR1").unwrap();
    let rehearsal = world.rehearse("data/publish").unwrap();
    assert_eq!(rehearsal.obstacles.len(), 1);
    assert!(rehearsal.obstacles[0].message.contains("cannot be carried back"), "{rehearsal:#?}");
    assert_eq!(world.undo("data/publish").unwrap_err().code, rehearsal.obstacles[0].code);
    assert_eq!(rehearsal.obstacles[0].code, code::CORRUPT_PARQUET);
}
