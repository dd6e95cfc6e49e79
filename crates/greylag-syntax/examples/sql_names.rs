//! Reads SQL files and counts what is found in them.
//!
//! `cargo run --release -p greylag-syntax --example sql_names -- DIALECT [--unknown] PATH…` reads every `.sql` file at or below
//! the paths. `--unknown` also lists each region that was not understood; `--uses` lists every use.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an example talks to a person")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use greylag_syntax::sql::{Base, Confidence, Dialect, NoSchemas, Parsed, Reading, read};

#[derive(Default)]
struct Counts {
    files: usize,
    clean_files: usize,
    bytes: usize,
    statements: usize,
    clean: usize,
    parsed: BTreeMap<&'static str, usize>,
    relations: usize,
    columns: BTreeMap<Confidence, usize>,
    broken: usize,
    panics: usize,
    time: Duration,
}

fn main() {
    let (flags, rest): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with("--"));
    let Some((dialect, paths)) = rest.split_first() else {
        eprintln!("usage: sql_names DIALECT [--unknown] [--uses] PATH…");
        return;
    };
    let dialect: Dialect = match dialect.parse() {
        Ok(dialect) => dialect,
        Err(error) => return eprintln!("{error}"),
    };
    let mut files = Vec::new();
    for path in paths {
        find(Path::new(path), &mut files);
    }
    files.sort();
    let mut counts = Counts::default();
    for file in &files {
        let Ok(bytes) = std::fs::read(file) else { continue };
        let text = String::from_utf8_lossy(&bytes);
        let begun = Instant::now();
        let reading = std::panic::catch_unwind(|| read(&text, dialect, &NoSchemas));
        counts.time += begun.elapsed();
        match reading {
            Ok(reading) => {
                counts.add(&text, &reading);
                list(file, &text, &reading, &flags);
            }
            Err(_) => {
                println!("{}: panic", file.display());
                counts.panics += 1;
            }
        }
    }
    counts.print();
}

fn find(path: &Path, files: &mut Vec<PathBuf>) {
    if let Ok(entries) = std::fs::read_dir(path) {
        for entry in entries.flatten() {
            find(&entry.path(), files);
        }
    } else if path.extension().is_some_and(|extension| extension == "sql") {
        files.push(path.to_owned());
    }
}

fn list(file: &Path, text: &str, reading: &Reading, flags: &[String]) {
    if flags.iter().any(|flag| flag == "--unknown") {
        for unknown in &reading.unknown {
            let line = text.get(..unknown.range.start).map_or(0, |before| before.matches('\n').count() + 1);
            println!("{}:{line}: {}", file.display(), unknown.reason);
        }
    }
    if flags.iter().any(|flag| flag == "--uses") {
        uses(file, text, reading);
    }
}

/// Every use with the offset of its name: `FILE@OFFSET: …`.
fn uses(file: &Path, text: &str, reading: &Reading) {
    let file = file.display();
    for relation in &reading.relations {
        println!("{file}@{}: relation {} {:?}", relation.range.start, &text[relation.range.clone()], relation.role);
    }
    for (at, column) in reading.columns.iter().enumerate() {
        let base = |base: &Base| format!("{}.{}", &text[reading.relations[base.relation].range.clone()], base.column);
        let bases: Vec<String> = reading.bases(at).iter().map(base).collect();
        let (start, name) = (column.name.range.start, &text[column.range.clone()]);
        let said = format!("{:?} {:?} {:?}", column.role, column.confidence, column.why);
        println!(
            "{file}@{start}: column {name} [{}..{}] {said} <- {}",
            column.range.start,
            column.range.end,
            bases.join(", ")
        );
    }
}

impl Counts {
    fn add(&mut self, text: &str, reading: &Reading) {
        self.files += 1;
        self.bytes += text.len();
        self.clean_files += usize::from(reading.unknown.is_empty());
        self.statements += reading.statements.len();
        let unknown = |at: &usize| reading.unknown.iter().any(|unknown| unknown.statement == Some(*at));
        self.clean += (0..reading.statements.len()).filter(|at| !unknown(at)).count();
        for statement in &reading.statements {
            let how = match statement.parsed {
                Parsed::Dialect => "dialect",
                Parsed::Generic => "generic",
                Parsed::Blanked => "blanked",
                Parsed::Unknown => "unknown",
            };
            *self.parsed.entry(how).or_default() += 1;
        }
        self.relations += reading.relations.len();
        for column in &reading.columns {
            *self.columns.entry(column.confidence).or_default() += 1;
            let written = &text[column.name.range.clone()];
            self.broken += usize::from(!written.contains(&*column.name.text) && !written.contains(['"', '`', '\'']));
        }
    }

    fn print(&self) {
        let share = |part: usize, whole: usize| 100.0 * part as f64 / whole.max(1) as f64;
        let speed = self.bytes as f64 / 1e6 / self.time.as_secs_f64().max(1e-9);
        println!(
            "files {} ({:.2}% without an unknown region), {:.1} MB, {speed:.1} MB/s",
            self.files,
            share(self.clean_files, self.files),
            self.bytes as f64 / 1e6
        );
        println!(
            "statements {} ({:.2}% without an unknown region), parsed {:?}",
            self.statements,
            share(self.clean, self.statements),
            self.parsed
        );
        println!(
            "relations {}, columns {:?}, names not at their place {}, panics {}",
            self.relations, self.columns, self.broken, self.panics
        );
    }
}
