//! How code is read, as the command line says it.

use clap::Args;
use greylag_code::repository::{Options, Stated};
use greylag_syntax::sql::Dialect;
use serde_json::Value;

/// How code is read.
#[derive(Debug, Args)]
pub(crate) struct Reading {
    /// Dialect of SQL, instead of what repositories say (`dialect` in `.greylag.yaml`, the profile of a dbt project): bigquery,
    /// postgres, duckdb, snowflake, trino, spark, clickhouse or generic.
    #[arg(long, value_name = "DIALECT")]
    dialect: Option<Dialect>,
    /// What the target of dbt projects is in every run that matters: name, schema, database, type … It is believed, and comes before what
    /// repositories say (`dbt` in `.greylag.yaml`); what nobody says is taken for open. More may be given.
    #[arg(long, value_name = "KEY=VALUE", value_parser = target)]
    target: Vec<(String, String)>,
    /// A variable of dbt projects, as `dbt run --vars` would give it: JSON, or else text. More may be given.
    #[arg(long, value_name = "NAME=VALUE", value_parser = var)]
    vars: Vec<(String, Value)>,
}

/// What the command line says of how code is read.
#[derive(Debug)]
pub(crate) struct Said {
    dialect: Option<Dialect>,
    stated: Stated,
}

impl Reading {
    pub(crate) fn said(&self) -> Said {
        let mut stated = Stated::default();
        // What is no word was refused when it was read.
        for (key, value) in &self.target {
            let _ = stated.say_target(key, value);
        }
        for (name, value) in &self.vars {
            let _ = stated.say_var(name, value.clone());
        }
        Said { dialect: self.dialect, stated }
    }
}

impl Said {
    pub(crate) fn options(&self) -> Options<'_> {
        Options { dialect: self.dialect, stated: Some(&self.stated).filter(|stated| !stated.is_empty()) }
    }
}

fn target(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("give a key and a value: `schema=shop`")?;
    Stated::default().say_target(key, value)?;
    Ok((key.to_owned(), value.to_owned()))
}

fn var(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or("give a name and a value: `days=7`")?;
    let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
    Stated::default().say_var(name, value.clone())?;
    Ok((name.to_owned(), value))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::{target, var};
    use serde_json::json;

    #[test]
    fn words_are_taken_apart_at_the_first_sign() {
        assert_eq!(target("schema=a=b"), Ok(("schema".to_owned(), "a=b".to_owned())));
        assert_eq!(target("schema").unwrap_err(), "give a key and a value: `schema=shop`");
        assert_eq!(target("=x").unwrap_err(), "`` is no key of a target: write e.g. `schema`");
        assert_eq!(
            target("name={{ x }}").unwrap_err(),
            "`name` of a target is a plain word: a template is not rendered here"
        );
    }

    #[test]
    fn variables_are_json_or_text() {
        let value = |text: &str| var(text).unwrap().1;
        assert_eq!([value("a=1"), value("a=true"), value("a=[1,\"x\"]")], [json!(1), json!(true), json!([1, "x"])]);
        assert_eq!([value("a="), value("a=x y"), value("a=\"1\"")], [json!(""), json!("x y"), json!("1")]);
        assert_eq!(var("a").unwrap_err(), "give a name and a value: `days=7`");
    }
}
