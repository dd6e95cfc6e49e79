//! `cargo xtask demo`: the main job, live, on the embedded default.
//!
//! Makes an estate with a known truth, imports its catalog, hosts its repositories, plans every migration, applies them, kills
//! the process half-way (`kill -9`) and lets it go on: data is converted, code rewritten, proven and merged. Compares all of it
//! with the truth, takes all of it back, and compares that with what there was. Beside it one template goes over unequal
//! datasets in cohorts, stops at the gate behind the first, and goes on when a person says yes. Everything runs through the optimised binary, as a user would run it; the estate and the state folder stay in `target/demo` to look at.

mod code;

use crate::workspace::Workspace;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Share of the tasks that are done when the process is killed.
const KILL_AT: f64 = 0.4;
/// Datasets that one template is shown on, and rows of each.
const VARIED: [&str; 2] = ["60", "500"];
/// Repositories of the estate.
const REPOSITORIES: &str = "60";
/// Exit code of "finished, but some gave up or are blocked": the estate holds hostile datasets on purpose.
const INCOMPLETE: i32 = 3;

/// What to show.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    /// Seed of the estate.
    pub(crate) seed: u64,
    /// Datasets of the estate.
    pub(crate) datasets: u64,
}

/// Runs the demo; the error is for people.
pub(crate) fn run(workspace: &Workspace, options: Options) -> Result<(), String> {
    let binary = build(workspace, "quick")?;
    let demo = Demo::new(workspace, binary, options)?;
    let begun = Instant::now();
    demo.generate()?;
    demo.import()?;
    let repositories = demo.host()?;
    let plans = demo.plan()?;
    let killed = demo.apply_and_kill(&plans)?;
    let runs = demo.finish(&plans)?;
    let equal = demo.compare()?;
    let code = demo.code(&plans, &repositories)?;
    let cohorts = demo.beside("cohorts")?.roll_out()?;
    let back = demo.take_back(&repositories)?;
    demo.summary(&runs, killed, &equal, &cohorts);
    code.show();
    back.show();
    demo.last_words(begun.elapsed());
    let all = equal["equal"] == true && cohorts["equal"] == true && code.is_sound() && back.is_sound();
    if all { Ok(()) } else { Err("an estate differs from the truth, see above".to_owned()) }
}

/// Builds the binary with one of the workspace's profiles and answers where it is: `quick` is optimised but soon there,
/// `release` is what people get.
pub(crate) fn build(workspace: &Workspace, profile: &str) -> Result<PathBuf, String> {
    say(&format!("building ({profile})"));
    crate::workspace::run(&mut workspace.cargo(&["build", "--profile", profile, "--package", "greylag"]))?;
    Ok(workspace.target.join(profile).join("greylag"))
}

/// A plan that was saved.
struct Planned {
    id: String,
    /// Datasets and scopes.
    tasks: u64,
    /// Files of code by class, those that are unaffected left out.
    files: Value,
    /// What was found in each repository that goes along.
    scopes: Vec<Value>,
}

struct Demo {
    binary: PathBuf,
    estate: PathBuf,
    home: PathBuf,
    options: Options,
}

impl Demo {
    fn new(workspace: &Workspace, binary: PathBuf, options: Options) -> Result<Self, String> {
        let root = workspace.target.join("demo").join(format!("{}-{}", options.seed, options.datasets));
        if root.exists() {
            fs::remove_dir_all(&root).map_err(|error| format!("`{}` cannot be removed: {error}", root.display()))?;
        }
        fs::create_dir_all(&root).map_err(|error| format!("`{}` cannot be made: {error}", root.display()))?;
        Ok(Self { binary, estate: root.join("estate"), home: root.join("home"), options })
    }

    /// An estate and a state folder of another name beside these.
    fn beside(&self, name: &str) -> Result<Self, String> {
        let root = self.home.with_file_name(name);
        fs::create_dir_all(&root).map_err(|error| format!("`{}` cannot be made: {error}", root.display()))?;
        Ok(Self { binary: self.binary.clone(), estate: root.join("estate"), home: root.join("home"), ..*self })
    }

    /// Migrates unequal datasets by one template, cohort by cohort, with a stop at the first gate; answers the comparison.
    fn roll_out(&self) -> Result<Value, String> {
        let begun = Instant::now();
        let (seed, out, [datasets, rows]) = (self.options.seed.to_string(), path(&self.estate)?, VARIED);
        self.json(
            &["lab", "generate", "--seed", &seed, "--datasets", datasets, "--varied", rows, "--out", &out],
            &[0],
        )?;
        self.import()?;
        let template = path(&self.estate.join("migrations/varied.yaml"))?;
        self.carry_on(&["apply", "-f", &template, "--yes", "--quiet"])?;
        let status = self.json(&["status", "varied-1"], &[INCOMPLETE])?;
        let canary = &status["run"]["cohorts"][0];
        if canary["held"]["because"] != "wants_approval" || status["run"]["counters"]["succeeded"] != canary["tasks"] {
            return Err(format!("the run did not stop behind its first cohort: {}", status["run"]["cohorts"]));
        }
        say(&format!(
            "one template over {datasets} unequal datasets: {} went first, and a person was asked",
            canary["tasks"]
        ));
        self.carry_on(&[
            "approve",
            "varied-1",
            "--cohort",
            "canary",
            "--reason",
            "looked at them",
            "--yes",
            "--quiet",
        ])?;
        let comparison = self.json(&["lab", "compare", &out], &[0, 1])?;
        say(&format!("the other cohorts followed, compared with the truth, in {:.1} s", begun.elapsed().as_secs_f64()));
        Ok(comparison)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command.arg("--home").arg(&self.home).args(args);
        command
    }

    /// Runs a command whose JSON is wanted; codes other than those allowed are errors.
    fn json(&self, args: &[&str], allowed: &[i32]) -> Result<Value, String> {
        let mut with_format = args.to_vec();
        with_format.extend(["-o", "json"]);
        let output = self
            .command(&with_format)
            .stderr(Stdio::piped())
            .output()
            .map_err(|error| format!("`{}` cannot be started: {error}", self.binary.display()))?;
        let code = output.status.code().unwrap_or(-1);
        if !allowed.contains(&code) {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(format!("`greylag {}` ended with {code}:\n{said}", args.join(" ")));
        }
        serde_json::from_slice(&output.stdout)
            .map_err(|error| format!("`greylag {}` printed no JSON: {error}", args.join(" ")))
    }

    fn generate(&self) -> Result<(), String> {
        let begun = Instant::now();
        let (seed, datasets) = (self.options.seed.to_string(), self.options.datasets.to_string());
        let out = path(&self.estate)?;
        self.json(
            &[
                "lab",
                "generate",
                "--seed",
                &seed,
                "--datasets",
                &datasets,
                "--repositories",
                REPOSITORIES,
                "--out",
                &out,
            ],
            &[0],
        )?;
        say(&format!(
            "estate of {datasets} datasets and {REPOSITORIES} repositories made in {:.1} s (seed {seed})",
            begun.elapsed().as_secs_f64()
        ));
        Ok(())
    }

    fn import(&self) -> Result<(), String> {
        let begun = Instant::now();
        let catalog = path(&self.estate.join("catalog"))?;
        let report = self.json(&["catalog", "import", &catalog], &[0, INCOMPLETE])?;
        let added = report["added"].as_u64().unwrap_or_default();
        say(&format!("catalog: {added} entities imported in {:.1} s", begun.elapsed().as_secs_f64()));
        Ok(())
    }

    /// Plans all migrations.
    fn plan(&self) -> Result<Vec<Planned>, String> {
        let begun = Instant::now();
        let migrations = path(&self.migrations())?;
        let said = self
            .command(&["plan", "-f", &migrations, "-o", "ndjson"])
            .output()
            .map_err(|error| format!("the plan cannot be started: {error}"))?;
        if !matches!(said.status.code(), Some(0 | INCOMPLETE)) {
            return Err(format!("the plan failed:\n{}", String::from_utf8_lossy(&said.stderr)));
        }
        let mut plans = Vec::new();
        let (mut datasets, mut scopes, mut blocked) = (0, 0, 0);
        for line in String::from_utf8_lossy(&said.stdout).lines() {
            let plan: Value = serde_json::from_str(line).map_err(|error| format!("a plan is no JSON: {error}"))?;
            if plan["type"] == "version" {
                continue;
            }
            let count = |key: &str| plan["header"]["totals"][key].as_u64().unwrap_or_default();
            datasets += count("datasets");
            scopes += count("scopes");
            blocked += count("blocked");
            let tasks = plan["tasks"].as_array().into_iter().flatten();
            plans.push(Planned {
                id: plan["header"]["id"].as_str().unwrap_or_default().to_owned(),
                tasks: count("datasets") + count("scopes"),
                files: plan["header"]["consumers"]["files"].clone(),
                scopes: tasks.map(|task| &task["scope"]["found"]).filter(|found| !found.is_null()).cloned().collect(),
            });
        }
        say(&format!(
            "{} plans: {datasets} datasets and the code of {scopes} scopes to migrate, {blocked} blocked with a reason, in {:.1} s",
            plans.len(),
            begun.elapsed().as_secs_f64()
        ));
        Ok(plans)
    }

    /// Applies all plans in one process and kills it when enough is done. Answers how many datasets were done then, if it came to that.
    fn apply_and_kill(&self, plans: &[Planned]) -> Result<Option<u64>, String> {
        let total: u64 = plans.iter().map(|plan| plan.tasks).sum();
        let goal = (total as f64 * KILL_AT) as u64;
        let mut args = vec!["apply"];
        args.extend(plans.iter().map(|plan| plan.id.as_str()));
        let mut child = self
            .command(&args)
            .stdout(Stdio::null())
            .spawn()
            .map_err(|error| format!("the run cannot be started: {error}"))?;
        loop {
            std::thread::sleep(Duration::from_millis(20));
            if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
                return match status.code() {
                    Some(0 | INCOMPLETE) => {
                        say("the run was over before it could be killed");
                        Ok(None)
                    }
                    code => Err(format!("the run ended with {code:?}")),
                };
            }
            let done = self.ended()?;
            if done >= goal {
                child.kill().map_err(|error| format!("the run cannot be killed: {error}"))?;
                child.wait().map_err(|error| error.to_string())?;
                say(&format!(
                    "killed the process (kill -9) with {done} of {total} tasks done; it goes on where it was"
                ));
                return Ok(Some(done));
            }
        }
    }

    /// Tasks that have ended, over all runs.
    fn ended(&self) -> Result<u64, String> {
        let runs = self.json(&["runs", "--limit", "10000"], &[0])?;
        let items = runs["items"].as_array().map(Vec::as_slice).unwrap_or_default();
        Ok(items.iter().map(|run| count(run, "succeeded") + bad(run)).sum())
    }

    /// Goes on with the run that was killed and applies the plans that had not been begun.
    fn finish(&self, plans: &[Planned]) -> Result<Vec<Value>, String> {
        let runs = self.json(&["runs", "--limit", "10000"], &[0])?;
        let begun = runs["items"].as_array().cloned().unwrap_or_default();
        for run in begun.iter().filter(|run| run["state"] != "finished") {
            self.carry_on(&["resume", run["id"].as_str().unwrap_or_default()])?;
        }
        let missing: Vec<&str> = plans
            .iter()
            .map(|plan| plan.id.as_str())
            .filter(|id| !begun.iter().any(|run| run["plan"] == *id))
            .collect();
        if !missing.is_empty() {
            let mut args = vec!["apply"];
            args.extend(missing);
            self.carry_on(&args)?;
        }
        let runs = self.json(&["runs", "--limit", "10000"], &[0])?;
        Ok(runs["items"].as_array().cloned().unwrap_or_default())
    }

    fn carry_on(&self, args: &[&str]) -> Result<(), String> {
        let status = self
            .command(args)
            .stdout(Stdio::null())
            .status()
            .map_err(|error| format!("the run cannot be started: {error}"))?;
        match status.code() {
            Some(0 | INCOMPLETE) => Ok(()),
            code => Err(format!("`greylag {}` ended with {code:?}", args.join(" "))),
        }
    }

    fn compare(&self) -> Result<Value, String> {
        let begun = Instant::now();
        let estate = path(&self.estate)?;
        let comparison = self.json(&["lab", "compare", &estate], &[0, 1])?;
        say(&format!("compared with the truth in {:.1} s", begun.elapsed().as_secs_f64()));
        Ok(comparison)
    }

    fn summary(&self, runs: &[Value], killed: Option<u64>, comparison: &Value, cohorts: &Value) {
        let sum = |key: &str| runs.iter().map(|run| count(run, key)).sum::<u64>();
        let rows: u64 = runs.iter().map(|run| run["progress"]["rows"].as_u64().unwrap_or_default()).sum();
        let bytes: u64 = runs.iter().map(|run| run["progress"]["bytes"].as_u64().unwrap_or_default()).sum();
        println!();
        println!(
            "  migrated      {} datasets and scopes, {rows} rows, {:.1} MB read",
            sum("succeeded"),
            bytes as f64 / 1e6
        );
        println!(
            "  set aside     {} on purpose (values that do not fit, corrupt files)",
            runs.iter().map(bad).sum::<u64>()
        );
        match killed {
            Some(done) => println!("  killed        once, with {done} tasks done; it went on where it was"),
            None => println!("  killed        not: the run was over first"),
        }
        println!(
            "  truth         {}: {} datasets compared row by row, {} differences",
            if comparison["equal"] == true { "equal" } else { "DIFFERENT" },
            comparison["datasets"].as_u64().unwrap_or_default(),
            comparison["differences"].as_array().map_or(0, Vec::len),
        );
        println!(
            "  cohorts       one template over {} unequal datasets, stopped at the first gate; truth {}",
            cohorts["datasets"].as_u64().unwrap_or_default(),
            if cohorts["equal"] == true { "equal" } else { "DIFFERENT" },
        );
    }

    fn last_words(&self, took: Duration) {
        println!("  time          {:.1} s", took.as_secs_f64());
        println!();
        println!("  look around   {} --home {} status", self.binary.display(), self.home.display());
    }
}

fn count(run: &Value, state: &str) -> u64 {
    run["counters"][state].as_u64().unwrap_or_default()
}

fn bad(run: &Value) -> u64 {
    ["failed", "quarantined", "stale", "skipped"].into_iter().map(|state| count(run, state)).sum()
}

fn path(path: &Path) -> Result<String, String> {
    path.to_str().map(str::to_owned).ok_or_else(|| format!("`{}` is not UTF-8", path.display()))
}

fn say(line: &str) {
    eprintln!("demo: {line}");
}
