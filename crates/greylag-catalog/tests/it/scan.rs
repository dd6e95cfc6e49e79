//! Directories of data files.

use super::{CRM, Estate, dataset, joined};
use greylag_catalog::scan::scan;
use greylag_driver::catalog::Catalog;
use greylag_driver::describe::{Describe, Found, Place};
use greylag_driver::error::DriverError;
use greylag_model::code::catalog as code;
use greylag_model::dataset::{Dataset, Location};
use greylag_model::id::Timestamp;
use greylag_model::schema::{Column, Schema};
use greylag_model::snapshot::Observed;
use greylag_model::types::DataType;

/// Finds what it is told; `!` before a path means that it is corrupt.
struct Told(Vec<&'static str>);

fn at(path: &str) -> Location {
    Location { connection: None, path: path.to_owned() }
}

impl Describe for Told {
    fn describe(&self, _: &[Dataset]) -> Vec<Result<Observed, DriverError>> {
        Vec::new()
    }

    fn places(&self, _: &[Location]) -> Vec<Result<Place, DriverError>> {
        Vec::new()
    }

    fn scan(&self, _: &Location) -> Result<Vec<Found>, DriverError> {
        let found = |path: &&str| {
            let column = Column { name: "id".to_owned(), data_type: DataType::Int64, nullable: false };
            let corrupt = DriverError::permanent(code::SCAN_UNREADABLE, "no footer").hint("write it again");
            Found {
                location: at(path.trim_start_matches('!')),
                schema: if path.starts_with('!') { Err(corrupt) } else { Ok(Schema { columns: vec![column] }) },
                partition_by: if path.ends_with("parts") { vec!["country".to_owned()] } else { vec![] },
                format: if path.ends_with("csv") { "csv".to_owned() } else { "parquet".to_owned() },
            }
        };
        Ok(self.0.iter().map(found).collect())
    }
}

fn told(estate: &Estate, now: i64, paths: &[&'static str]) -> String {
    let report = scan(&estate.catalog, &Told(paths.to_vec()), &at("/lake"), "default", Timestamp(now)).unwrap();
    estate.text(&report)
}

#[test]
fn datasets_are_named_by_their_paths() {
    let estate = Estate::new(&[]);
    let text =
        told(&estate, 10, &["/lake/users.parquet", "/lake/sales/orders.csv", "/lake/parts", "/lake/Zürich (old).csv"]);
    let lines: Vec<&str> = text.lines().collect();
    let odd = lines[3].trim_start_matches("Added resource:default/").to_owned();
    assert!(odd.starts_with("z-rich-old-") && odd.len() == "z-rich-old-".len() + 8, "{text}");
    let plain = ["Added resource:default/parts", "Added resource:default/sales.orders", "Added resource:default/users"];
    assert_eq!(lines[..3], plain);
    assert_eq!(lines[4..], ["4 added, 0 changed, 0 unchanged, 0 removed"]);
    assert_eq!(estate.fact("parts", "partitions").unwrap(), "[\"country\"] by scan:/lake");
    assert_eq!(estate.fact(&odd, "metadata.title").unwrap(), "\"/lake/Zürich (old).csv\" by scan:/lake");
    assert!(estate.fact("users", "schema").unwrap().contains("int64"));
    let entity = greylag_model::entity::EntityRef::new("resource", "default", &odd);
    let record = estate.catalog.record(&entity).unwrap().unwrap();
    assert_eq!(record.entity.unwrap().annotation("greylag.dev/path-in-store"), Some("/lake/Zürich (old).csv"));
}

#[test]
fn names_stay_and_collisions_get_a_hash() {
    let estate = Estate::new(&[]);
    told(&estate, 10, &["/lake/orders.parquet"]);
    let text = told(&estate, 20, &["/lake/orders.csv", "/lake/orders.parquet"]);
    assert!(text.starts_with("Added resource:default/orders-"), "{text}");
    assert!(estate.fact("orders", "location").unwrap().contains("orders.parquet"), "the first keeps its name");
    assert_eq!(
        told(&estate, 30, &["/lake/orders.csv", "/lake/orders.parquet"]),
        "0 added, 0 changed, 2 unchanged, 0 removed"
    );
    let gone = told(&estate, 40, &["/lake/orders.csv"]);
    assert_eq!(gone, "Removed resource:default/orders\n0 added, 0 changed, 1 unchanged, 1 removed");
}

#[test]
fn what_cannot_be_read_is_told_and_stays_as_it_was() {
    let estate = Estate::new(&[]);
    told(&estate, 10, &["/lake/a.parquet", "/lake/b.parquet"]);
    assert_eq!(
        told(&estate, 20, &["!/lake/a.parquet", "!/lake/new.parquet"]),
        "Removed resource:default/b
error[GL0314]: `/lake/a.parquet` cannot be read: no footer (GL0314)
  hint: write it again
error[GL0314]: `/lake/new.parquet` cannot be read: no footer (GL0314)
  hint: write it again
0 added, 0 changed, 0 unchanged, 1 removed; 2 errors"
    );
    assert!(estate.fact("a", "schema").is_some());
    assert_eq!(estate.fact("new", "identity"), None);
}

#[test]
fn a_described_dataset_keeps_its_name_and_gains_its_columns() {
    let estate = Estate::new(&[("a.yaml", &joined(&[CRM, &dataset("users", "/lake/u.parquet", "")]))]);
    estate.import(10, &["."]);
    assert_eq!(
        told(&estate, 20, &["/lake/u.parquet"]),
        "Changed resource:default/users\n0 added, 1 changed, 0 unchanged, 0 removed"
    );
    assert!(estate.fact("users", "schema").unwrap().ends_with("by scan:/lake"));
    assert_eq!(estate.fact("users", "metadata.title"), None);
    assert_eq!(estate.told(30, &["."]), "0 added, 0 changed, 2 unchanged, 0 removed");
}
