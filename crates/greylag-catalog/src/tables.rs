//! The names by which code reaches datasets, for all of the catalog.
//!
//! A dataset is reached by what its annotation `greylag.dev/table` says, or else by its own name. A name in code is one
//! of a dataset as far as the two [meet](TableName::meets): in whole before only at their ends. Where it is one of several
//! datasets equally, it means none of them, and who asks is told of all.

use greylag_driver::catalog::{Catalog, Filter, Page};
use greylag_driver::error::DriverError;
use greylag_model::entity::{EntityRef, annotation};
use greylag_model::table::{Meeting, TableName};
use std::collections::HashMap;

/// Entities of a page.
const PAGE: usize = 1_000;

/// Datasets by the names that code calls them.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    /// By the last part of the name in lower case: the name, whose it is, and whether it was said or is the dataset's own.
    by_last: HashMap<String, Vec<Called>>,
}

#[derive(Clone, Debug)]
struct Called {
    table: TableName,
    dataset: EntityRef,
    said: bool,
}

/// What a name in code means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meant {
    /// No dataset of the catalog.
    Nothing,
    /// This one.
    One(EntityRef),
    /// One of these, in order.
    Several(Vec<EntityRef>),
}

impl Tables {
    /// The names of all datasets of a catalog.
    ///
    /// # Errors
    /// Those of the catalog.
    pub fn of(catalog: &dyn Catalog) -> Result<Self, DriverError> {
        let mut tables = Self::default();
        let mut page = Page { after: None, limit: PAGE };
        loop {
            let listing = catalog.list(&Filter::datasets(), &page)?;
            for summary in &listing.items {
                let entity = catalog.record(&summary.entity)?.and_then(|record| record.entity);
                let text = entity.as_ref().and_then(|entity| entity.annotation(annotation::TABLE));
                tables.add(&summary.entity, text.unwrap_or_default());
            }
            if listing.next.is_none() {
                return Ok(tables);
            }
            page.after = listing.next;
        }
    }

    /// Adds a dataset with the text of its annotation.
    pub fn add(&mut self, dataset: &EntityRef, stated: &str) {
        let names: Vec<TableName> = annotation::tables(stated).filter_map(Result::ok).collect();
        let said = !names.is_empty();
        let own = TableName::of(&[&dataset.name]).filter(|_| !said);
        for table in names.into_iter().chain(own) {
            let called = Called { dataset: dataset.clone(), said, table };
            self.by_last.entry(called.table.last().to_lowercase()).or_default().push(called);
        }
    }

    /// What a name in code means.
    pub fn meant<T: AsRef<str>>(&self, name: &[T]) -> Meant {
        self.best(name, |_| true)
    }

    /// What a name means that a person gives for one that annotations say.
    pub fn stated<T: AsRef<str>>(&self, name: &[T]) -> Meant {
        self.best(name, |called| called.said)
    }

    fn best<T: AsRef<str>>(&self, name: &[T], fits: impl Fn(&Called) -> bool) -> Meant {
        let last = name.last().map(|last| last.as_ref().to_lowercase()).unwrap_or_default();
        let called = self.by_last.get(&last).map(Vec::as_slice).unwrap_or_default().iter();
        let met: Vec<(Meeting, &EntityRef)> = called
            .filter(|called| fits(called))
            .filter_map(|called| Some((called.table.meets(name)?, &called.dataset)))
            .collect();
        let Some(best) = met.iter().map(|(meeting, _)| *meeting).max() else { return Meant::Nothing };
        let mut datasets: Vec<EntityRef> =
            met.into_iter().filter(|(meeting, _)| *meeting == best).map(|(_, dataset)| dataset.clone()).collect();
        datasets.sort();
        datasets.dedup();
        match datasets.as_slice() {
            [one] => Meant::One(one.clone()),
            _ => Meant::Several(datasets),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dataset(name: &str) -> EntityRef {
        EntityRef::new("resource", "default", name)
    }

    #[test]
    fn a_name_means_the_dataset_that_it_says_most_of() {
        let mut tables = Tables::default();
        tables.add(&dataset("crm-orders"), "crm.orders");
        tables.add(&dataset("shop-orders"), "raw.orders, lake.raw.Orders");
        tables.add(&dataset("users"), "");
        tables.add(&dataset("people"), "crm.users");
        let meant = |name: &str| {
            let name: Vec<&str> = name.split('.').collect();
            let words = |meant: Meant| match meant {
                Meant::Nothing => "-".to_owned(),
                Meant::One(one) => one.name,
                Meant::Several(all) => all.iter().map(|one| &*one.name).collect::<Vec<_>>().join("|"),
            };
            (words(tables.meant(&name)), words(tables.stated(&name)))
        };
        for (name, code, person) in [
            ("raw.orders", "shop-orders", "shop-orders"),
            ("RAW.Orders", "shop-orders", "shop-orders"),
            ("lake.raw.orders", "shop-orders", "shop-orders"),
            ("lake.crm.orders", "crm-orders", "crm-orders"),
            ("orders", "crm-orders|shop-orders", "crm-orders|shop-orders"),
            ("old.orders", "-", "-"),
            ("users", "users", "people"),
            ("crm.users", "people", "people"),
            ("hr.users", "users", "-"),
            ("", "-", "-"),
        ] {
            assert_eq!(meant(name), (code.to_owned(), person.to_owned()), "{name}");
        }
    }
}
