//! Proofs in DuckDB: its own command-line program, in the real sandbox.

use crate::rewrite::rig;
use crate::rig::said;
use greylag_data::pool::ReaderPool;
use greylag_data::proof::{DataFusionProver, DuckDbProver, probe_duckdb};
use greylag_data::request::{Readers, handle};
use greylag_data::sampler::Scratch;
use greylag_driver::error::DriverError;
use greylag_driver::proof::{Prover, conformance};
use greylag_fleet::bubblewrap::Bubblewrap;
use greylag_model::proof::{Effort, Outcome, ProofRequest, ProofVerdict, Reason};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// DuckDB's program, or the line that cures its absence.
pub(crate) fn program() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/venv/lib");
    let found = fs::read_dir(&root).into_iter().flatten().flatten();
    let mut found = found.map(|python| python.path().join("site-packages/duckdb_cli/duckdb"));
    let path = std::env::var_os("GREYLAG_TEST_DUCKDB").map(PathBuf::from).or_else(|| found.find(|path| path.exists()));
    path.unwrap_or_else(|| {
        panic!(
            "no DuckDB below {}: run `python3 -m venv target/venv && target/venv/bin/pip install duckdb-cli==1.5.6`",
            root.display()
        )
    })
}

fn sandbox() -> Bubblewrap {
    Bubblewrap::find(&std::env::var_os("PATH").unwrap())
}

/// Runs nothing, so that DuckDB is asked everything.
struct Unable;

impl Prover for Unable {
    fn width(&self) -> usize {
        1
    }

    fn prove(&self, _: &ProofRequest, _: &dyn Fn() -> bool) -> Result<ProofVerdict, DriverError> {
        Ok(ProofVerdict::unprovable(Reason::Unsupported, "not run"))
    }
}

fn readers() -> Arc<Readers> {
    Arc::new(ReaderPool::in_process(handle))
}

/// A prover with its folder, which it leaves empty.
struct Fixture {
    folder: tempfile::TempDir,
    prover: DuckDbProver,
}

fn behind(first: impl Prover + 'static) -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let scratch = Scratch::create(folder.path(), "proofs").unwrap();
    let prover = DuckDbProver::new(Box::new(first), readers(), Arc::new(sandbox()), program(), scratch);
    Fixture { folder, prover }
}

impl Fixture {
    fn proven(&self, old: &str, new: &str) -> ProofVerdict {
        let effort = Effort { rounds: 6, ..Effort::default() };
        self.with(&ProofRequest { effort, ..conformance::request(old, new) })
    }

    fn with(&self, request: &ProofRequest) -> ProofVerdict {
        let verdict = self.prover.prove(request, &|| false).unwrap();
        let left = fs::read_dir(self.folder.path().join("proofs")).unwrap().count();
        assert_eq!(left, 0, "rows are left behind");
        verdict
    }
}

fn reason(verdict: &ProofVerdict) -> (&'static str, &str) {
    match &verdict.outcome {
        Outcome::Unprovable(found) => (found.reason.name(), &found.why),
        other => panic!("{other:?}"),
    }
}

#[test]
fn alone_it_does_what_every_prover_must() {
    conformance::conformance(&behind(Unable).prover);
}

/// What DuckDB alone runs: the old text, a right edit and a wrong one.
const TEXTS: &[[&str; 3]] = &[
    [
        "select id, list_transform([id, age], x -> x + 1) as l from raw.users_v1",
        "select user_id as id, list_transform([user_id, age], x -> x + 1) as l from raw.users_v2",
        "select user_id as id, list_transform([age, age], x -> x + 1) as l from raw.users_v2",
    ],
    [
        "pivot (select name, age % 2 as odd, id from raw.users_v1) on odd in (0, 1) using sum(id) group by name",
        "pivot (select full_name as name, age % 2 as odd, user_id as id from raw.users_v2) on odd in (0, 1) using sum(id) \
         group by name",
        "pivot (select full_name as name, age % 2 as odd, age as id from raw.users_v2) on odd in (0, 1) using sum(id) \
         group by name",
    ],
    [
        "select u.id, p.place from raw.users_v1 u asof join ref.places p on u.id >= p.id",
        "select u.user_id as id, p.place from raw.users_v2 u asof join ref.places p on u.user_id >= p.id",
        "select u.user_id as id, p.place from raw.users_v2 u asof join ref.places p on u.age >= p.id",
    ],
    [
        "select * exclude (age) replace (upper(name) as name) from raw.users_v1 order by all",
        "select user_id as id, upper(full_name) as name from raw.users_v2 order by all",
        "select user_id as id, full_name as name from raw.users_v2 order by all",
    ],
    [
        "from raw.users_v1 select {'a': id, 'b': name}.a as a, regexp_extract(name, '([a-z]+)', 1) as r where age > 2",
        "from raw.users_v2 select {'a': user_id, 'b': full_name}.a as a, regexp_extract(full_name, '([a-z]+)', 1) as r \
         where age > 2",
        "from raw.users_v2 select {'a': user_id, 'b': full_name}.a as a, regexp_extract(full_name, '([a-z]+)', 0) || '' as r \
         where age > 3",
    ],
    [
        "create table work.seen as from raw.users_v1 select columns(c -> c <> 'age'); \
         update work.seen set name = list_aggregate([name, '!'], 'string_agg', '') where id > 2",
        "create table work.seen as from raw.users_v2 select user_id as id, full_name as name; \
         update work.seen set name = list_aggregate([name, '!'], 'string_agg', '') where id > 2",
        "create table work.seen as from raw.users_v2 select user_id as id, full_name as name; \
         update work.seen set name = list_aggregate([name, '!'], 'string_agg', '') where id > 3",
    ],
    [
        "insert into raw.users_v1 by name select id + 1000 as id, list_max([id, 7]) as age from ref.places",
        "insert into raw.users_v2 by name select id + 1000 as user_id, list_max([id, 7]) as age from ref.places",
        "insert into raw.users_v2 by name select id + 1000 as user_id, list_max([id, 8]) as age from ref.places",
    ],
];

#[test]
fn what_duckdb_alone_runs_is_proven() {
    let (both, alone) = (behind(DataFusionProver::new(readers())), DataFusionProver::new(readers()));
    for [old, right, wrong] in TEXTS {
        let without = alone.prove(&conformance::request(old, right), &|| false).unwrap();
        assert_eq!(without.name(), "unprovable", "DataFusion runs it: {old}");
        let verdict = both.proven(old, right);
        assert_eq!(verdict.name(), "equal", "{old}\n{verdict:?}");
        let reach = &verdict.reach;
        assert!(reach.engine.starts_with("duckdb v") && reach.rows_in > 0 && reach.rows_out > 0, "{reach:?}");
        let verdict = both.proven(old, wrong);
        assert_eq!(verdict.name(), "different", "{wrong}\n{verdict:?}");
    }
}

#[test]
fn what_datafusion_proves_is_not_asked_again() {
    let both = behind(DataFusionProver::new(readers()));
    let verdict = both.proven("select id from raw.users_v1", "select user_id as id from raw.users_v2");
    assert!(verdict.reach.engine.starts_with("datafusion"), "{verdict:?}");
    let old = "select regexp_extract(name, 'a') as r from raw.users_v1";
    let request = conformance::request(old, &old.replace("_v1", "_v2").replace("name", "full_name"));
    for (dialect, engine, expected) in [("generic", "duckdb", "equal"), ("bigquery", "", "unprovable")] {
        let verdict = both.with(&ProofRequest { dialect: dialect.to_owned(), ..request.clone() });
        assert_eq!((verdict.name(), verdict.reach.engine.starts_with(engine)), (expected, true), "{verdict:?}");
    }
}

#[test]
fn hostile_texts_do_nothing() {
    let alone = behind(Unable);
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("written").display().to_string();
    let texts = [
        format!("copy raw.users_v1 to '{file}'"),
        format!("select 1 as a;\n.shell touch {file}"),
        format!(".shell touch {file}"),
        format!(".read {file}"),
        format!("attach '{file}' as other"),
        format!("export database '{file}'"),
        "select * from read_csv('/etc/passwd')".to_owned(),
        "select * from read_csv('/proc/self/environ')".to_owned(),
        "from read_parquet('/in/old-0.parquet')".to_owned(),
        "from glob('/**')".to_owned(),
        "from '/etc/passwd'".to_owned(),
        "from read_text('http://127.0.0.1:1/')".to_owned(),
        "select getenv('HOME') as a from raw.users_v1".to_owned(),
        "install httpfs".to_owned(),
        "load httpfs".to_owned(),
        "set enable_external_access = true; from read_text('/etc/passwd')".to_owned(),
        "select * from query('from raw.users_v1')".to_owned(),
        "create macro now() as random()".to_owned(),
        "from enable_logging(storage := 'stdout')".to_owned(),
        "select 1 as a -- ; */ ' \n; copy (select 1) to '/in/x'".to_owned(),
    ];
    for text in texts {
        let verdict = alone.proven(&text, &text);
        assert_eq!(verdict.name(), "unprovable", "{text}\n{verdict:?}");
    }
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
}

#[test]
fn what_takes_too_much_is_ended() {
    let alone = behind(Unable);
    let time = "with recursive r(x) as (select 1 union all select (x + 1) % 7 from r) select count(*) as n from r";
    let memory = "select list(range) as l from range(2000000000)";
    for (text, why) in [(time, "it takes too much time"), (memory, "it takes too much memory")] {
        let effort = Effort { millis: 3_000, ..Effort::default() };
        let verdict = alone.with(&ProofRequest { effort, ..conformance::request(text, text) });
        assert_eq!(reason(&verdict), ("limit", why), "{text}");
    }
}

#[test]
fn chance_and_the_order_of_rows_prove_nothing() {
    let alone = behind(Unable);
    let [old, new] = ["name", "full_name"].map(|name| format!("select {name} as n, uuid() as u from raw.users_v"));
    assert_eq!(reason(&alone.proven(&(old + "1"), &(new + "2"))).0, "random");
    let any = "select list(id) as a from raw.users_v1";
    let verdict = alone.proven(any, "select list(age) as a from raw.users_v2");
    assert_eq!(reason(&verdict), ("random", "what it gives hangs on the order in which rows are read"));
    let verdict = alone.proven(any, "select list(user_id) as a from raw.users_v2");
    let assumed = "where the order of rows decides, both get them in the same one";
    assert_eq!((verdict.name(), verdict.reach.assumed.join(" ")), ("equal", assumed.to_owned()));
    // The clock stands still.
    let verdict = alone.proven(
        "select id, now() as n, current_date as d, current_timestamp as t from raw.users_v1 where name is not null",
        "select user_id as id, now() as n, current_date as d, current_timestamp as t from raw.users_v2 where full_name \
         is not null",
    );
    assert_eq!((verdict.name(), verdict.reach.assumed.join(" ").as_str()), ("equal", "the time is the same for both"));
}

#[test]
fn values_are_in_no_verdict() {
    let alone = behind(Unable);
    for (old, new) in [
        (
            "select error('v: ' || name) as e from raw.users_v1",
            "select error('v: ' || full_name) as e from raw.users_v2",
        ),
        ("select id as e from raw.users_v1", "select error('v: ' || coalesce(full_name, '')) as e from raw.users_v2"),
        ("select id as e from raw.users_v1", "select cast('v: ' || user_id as integer) as e from raw.users_v2"),
    ] {
        let verdict = alone.proven(old, new);
        assert!(!format!("{:?}", verdict.outcome).contains("v: "), "{verdict:?}");
    }
}

#[test]
fn a_tool_that_is_not_there_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("no-such-duckdb");
    let scratch = Scratch::create(folder.path(), "proofs").unwrap();
    let prover = DuckDbProver::new(Box::new(Unable), readers(), Arc::new(sandbox()), missing.clone(), scratch);
    let verdict = prover.prove(&conformance::request("select 1", "select 1"), &|| false).unwrap();
    let why = format!("not run; DuckDB could not be asked: there is no program at `{}`", missing.display());
    assert_eq!(reason(&verdict), ("unsupported", why.as_str()));
    let script = folder.path().join("script");
    fs::write(&script, "#!/no/such/interpreter\n").unwrap();
    for path in [missing, script] {
        assert_eq!(probe_duckdb(&path, &sandbox()).unwrap_err().code.to_string(), "GL0680", "{}", path.display());
    }
    assert!(probe_duckdb(&program(), &sandbox()).unwrap().starts_with('v'));
}

#[test]
fn the_environment_declares_it() {
    let rig = rig(&[("a.sql", "select uid, regexp_extract(name, '[a-z]+') as r from raw.users_v1;\n")]);
    let path = std::env::var_os("PATH").unwrap();
    let run = |args: &[&str], declared: Option<&OsStr>| {
        let mut command = rig.command();
        command.args(args).env("PATH", &path).envs(declared.map(|declared| ("GREYLAG_DUCKDB", declared)));
        said(&command.output().unwrap())
    };
    let prove = ["rewrite", "-f", "m.yaml", "repository", "--prove", "-o", "json"];
    let of = |declared| run(&prove, declared).json()["items"][0]["proof"].clone();
    assert_eq!(of(None)["verdict"], "unprovable");
    let declared = program();
    let proof = of(Some(declared.as_os_str()));
    assert_eq!(proof["verdict"], "equal", "{proof}");
    assert!(proof["reach"]["engine"].as_str().unwrap().starts_with("duckdb v"), "{proof}");
    assert!(proof["reach"]["sampled"].as_u64() > Some(0), "no real row was tried: {proof}");
    let line = |declared| {
        let found = run(&["doctor"], declared).stdout;
        found.lines().find(|line| line.starts_with("duckdb")).unwrap_or_default().to_owned()
    };
    assert!(line(None).contains("not declared"), "{}", line(None));
    assert!(line(Some(declared.as_os_str())).contains("pass"), "{}", line(Some(declared.as_os_str())));
    let missing = line(Some(OsStr::new("/no/such/duckdb")));
    assert!(missing.contains("warn") && missing.contains("GL0680"), "{missing}");
}
