//! The compatibility view: DuckDB runs it and sees the old columns.

use crate::support::{Setup, csv, old_file, parquet};
use greylag_model::dataset::Shape;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The interpreter that has DuckDB, or the line that cures its absence.
fn python() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let path = std::env::var_os("GREYLAG_TEST_PYTHON").map_or(root.join("target/venv/bin/python"), PathBuf::from);
    assert!(
        path.exists(),
        "no Python with DuckDB at {}: run `python3 -m venv target/venv && target/venv/bin/pip install duckdb`",
        path.display()
    );
    path
}

#[test]
fn duckdb_sees_the_old_columns_through_the_view() {
    for (target, layout) in [
        ("new.parquet", parquet(Shape::File, &[])),
        ("new", parquet(Shape::Directory, &["flag"])),
        ("new.csv", csv(Shape::File)),
    ] {
        let mut setup = Setup::new().mapping(json!({
            "columns": [
                { "name": "user_id", "from": "id" },
                { "name": "small", "type": "int64" },
                { "name": "seen", "from": "day", "type": "timestamp(us)" },
            ],
            "drop": [{ "name": "share", "reason": "unused" }],
        }));
        setup.target = target;
        setup.target_layout = layout;
        let world = setup.build(old_file(200));
        world.run_through("data/cutover");
        let script = "\
import duckdb, sys
database = duckdb.connect()
database.execute(open(sys.argv[1]).read())
old, view = f\"read_parquet('{sys.argv[2]}')\", 'old'
columns = 'id, name, price, day, flag, small'
there = database.execute(f'(SELECT {columns} FROM {old} EXCEPT ALL SELECT {columns} FROM {view})').fetchall()
back = database.execute(f'(SELECT {columns} FROM {view} EXCEPT ALL SELECT {columns} FROM {old})').fetchall()
names = lambda table: [row[0] for row in database.execute(f'DESCRIBE SELECT * FROM {table}').fetchall()]
types = lambda table: [row[1] for row in database.execute(f'DESCRIBE SELECT * FROM {table}').fetchall()]
assert not there and not back, (there[:3], back[:3])
assert names(old) == names(view), (names(old), names(view))
assert types(old) == types(view), (types(old), types(view))
print(database.execute(f'SELECT count(*) FROM {view}').fetchone()[0])
";
        let answer = Command::new(python())
            .args(["-c", script])
            .args([world.at("old.parquet.sql"), world.at("old.parquet")])
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&answer.stderr);
        assert!(
            answer.status.success(),
            "{target}: {errors}\n{}",
            std::fs::read_to_string(world.at("old.parquet.sql")).unwrap()
        );
        assert_eq!(String::from_utf8_lossy(&answer.stdout).trim(), "200", "{target}");
    }
}
