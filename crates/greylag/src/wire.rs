//! The one place that names concrete drivers: which store, which data plane, which readers.

use crate::context::Context;
use crate::failure::Failure;
use crate::faults::ArmedFaults;
use crate::home::Home;
use crate::verified;
use greylag_catalog::migration::CatalogExecutor;
use greylag_code::executor::{CodePlane, Recent};
use greylag_code::forge::embedded::EmbeddedForge;
use greylag_code::git::{Git, Person, Repository, Safety};
use greylag_code::proposal::{OwnBuild, OwnCommand};
use greylag_data::describe::local::LocalFiles;
use greylag_data::describe::{FileCalls, FileRequest};
use greylag_data::diff::Diff;
use greylag_data::durable::{self, LocalDisk};
use greylag_data::executor::{DataPlane, ForWriter, Options, Took, executors};
use greylag_data::pool::{self, PoolConfig, ReaderPool, ServeLimits};
use greylag_data::proof::{DataFusionProver, DuckDbBuilds, DuckDbProver, probe_duckdb};
use greylag_data::request::{self, Readers};
use greylag_data::sampler::{self, LocalSampler, Scratch};
use greylag_data::seen::Seen;
use greylag_driver::catalog::Catalog;
use greylag_driver::executor::Executor;
use greylag_driver::fault::{Faults, NoFaults};
use greylag_driver::journal::{Journal, Prune, TaskFilter};
use greylag_driver::proof::{BuildProver, Prover};
use greylag_driver::sandbox::Sandbox;
use greylag_engine::{Drivers, Engine, Limits};
use greylag_fleet::bubblewrap::Bubblewrap;
use greylag_fleet::custom::{CustomSteps, Places, Writer};
use greylag_model::code;
use greylag_model::derived::{SURVEY, Survey};
use greylag_model::id::{RunId, WorkerId};
use greylag_model::increment::mark_text;
use greylag_model::plan::{DatasetWork, PlanHeader, PlanTask};
use greylag_store::Store;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// Memory of one reader process, bytes.
const READER_MEMORY: u64 = 512 << 20;
/// Longest time for one request to a reader: a chunk is a second's work, so this is a reader that hangs.
const READER_TIMEOUT: Duration = Duration::from_mins(10);
/// A reader is replaced after so many requests, so that what leaks somewhere below does not add up.
const READER_REQUESTS: u64 = 100_000;

/// Where programs are looked for if nothing is said.
const USUAL_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// The opened state folder.
pub(crate) struct State {
    /// Plans, runs, events.
    pub(crate) journal: Arc<dyn Journal>,
    /// The same, for letting go of them.
    pub(crate) prune: Arc<dyn Prune>,
    /// Datasets, owners, consumers.
    pub(crate) catalog: Arc<dyn Catalog>,
    readers: Arc<Readers>,
    seen: Arc<Seen>,
    home: Home,
}

/// Opens the state folder.
pub(crate) fn open(home: &Home) -> Result<State, Failure> {
    let store = Arc::new(Store::open(home.database())?);
    let catalog: Arc<dyn Catalog> = Arc::new(store.catalog());
    let program = env::current_exe().map_err(|error| {
        Failure::error(code::cli::INTERNAL, format!("the path of this program cannot be had: {error}"))
    })?;
    let readers = ReaderPool::new(PoolConfig {
        command: vec![program.into_os_string(), OsString::from("reader")],
        size: 2 * parallelism(),
        at_once: parallelism(),
        memory_bytes: READER_MEMORY,
        request_timeout: READER_TIMEOUT,
        max_requests: READER_REQUESTS,
    })?;
    Ok(State {
        journal: store.clone(),
        prune: store,
        catalog,
        readers: Arc::new(readers),
        seen: Arc::default(),
        home: home.clone(),
    })
}

/// How many things are done at once: one for each processor.
pub(crate) fn parallelism() -> usize {
    std::thread::available_parallelism().map_or(2, std::num::NonZero::get)
}

/// How many repositories are worked on at once: git's processes wait for the disk half of the time, and more than some gain nothing.
pub(crate) fn repositories_at_once() -> usize {
    (2 * parallelism()).min(8)
}

/// What looks at datasets; `roots` are those of the connections.
pub(crate) fn describe(state: &State, roots: &BTreeMap<String, String>) -> LocalFiles {
    let roots = roots.iter().map(|(name, root)| (name.clone(), PathBuf::from(root))).collect();
    LocalFiles::new(state.readers.clone(), roots)
}

/// The same for a look at a plan's sources that executors may rely on while the files stay as they are.
pub(crate) fn describe_again(state: &State, roots: &BTreeMap<String, String>) -> LocalFiles {
    describe(state, roots).telling(Arc::clone(&state.seen))
}

/// The engine with every executor of this build.
pub(crate) fn engine(context: &Context, state: &State) -> Result<Engine, Failure> {
    let mut all = executors(&Arc::new(plane(state)));
    all.push(Arc::new(CatalogExecutor::new(Arc::clone(&state.catalog))));
    all.push(Arc::new(custom_steps(state)));
    // Plans without code need no git.
    if state.home.forge().exists() {
        all.extend(code_steps(context, state)?);
    }
    let drivers = Drivers {
        journal: Arc::clone(&state.journal),
        executors: all,
        clock: Arc::new(context.clock()),
        faults: faults()?,
        seed: u64::from(std::process::id()),
        worker: worker(context),
    };
    Ok(Engine::new(drivers, Limits { workers: 12 * parallelism(), ..Limits::default() }))
}

/// What moves the code of repositories.
fn code_steps(context: &Context, state: &State) -> Result<Vec<Arc<dyn Executor>>, Failure> {
    let forge = Arc::new(forge(context)?);
    let journal = Arc::clone(&state.journal);
    let plane = CodePlane {
        hosts: forge.clone(),
        forge,
        signer: committer(),
        prover: prover(state)?,
        command: own_command(state.home.clone()),
        build: own_build(state)?,
        has_ended: Arc::new(move |run, task| {
            let filter = TaskFilter { id: Some(task.clone()), ..TaskFilter::default() };
            let found = journal.tasks(run, &filter, 0, 1)?;
            Ok(found.first().is_none_or(|task| task.row.state.has_ended()))
        }),
        recent: Recent::default(),
    };
    Ok(greylag_code::executor::executors(&Arc::new(plane)))
}

/// What runs the commands of repositories that are trusted.
pub(crate) fn own_command(home: Home) -> OwnCommand {
    Arc::new(move |repository, base, new, cancelled| {
        let ran = verified::by_command(&home, &format!("forge:{repository}"), (base, new), cancelled)?;
        Ok(ran.map(|ran| ran.check))
    })
}

/// What builds the projects of repositories whose build is trusted.
pub(crate) fn own_build(state: &State) -> Result<OwnBuild, Failure> {
    let (home, builds) = (state.home.clone(), builds(state)?);
    Ok(Arc::new(move |changed| {
        let repository = format!("forge:{}", changed.name);
        verified::by_build(&home, builds.as_deref(), &repository, changed)
    }))
}

/// What runs the commands of custom steps.
fn custom_steps(state: &State) -> CustomSteps {
    let plane = plane(state);
    CustomSteps::new(Arc::new(sandbox()), state.home.steps(), move |request, context| {
        let (source, target, staging) = DataPlane::places(request)?;
        let work = request.dataset()?;
        let survey = match &work.derived {
            Some(_) => context.output_of(SURVEY)?.and_then(|found| Survey::deserialize(&*found).ok()),
            None => None,
        };
        let given = plane.for_writer(request, survey)?;
        let writer = given.map(|ForWriter { reads, writes, survey }| {
            let of = work.derived.as_ref().and_then(|derived| derived.watermark.as_ref());
            let of = of.and_then(|name| work.mapping.target.find(name));
            let since = survey.since.zip(of).map(|(since, (_, column))| mark_text(&column.data_type, since));
            Writer { reads, writes, since }
        });
        Ok(Places { source, target, staging, writer })
    })
}

/// The sandbox of this machine.
pub(crate) fn sandbox() -> Bubblewrap {
    let path = env::var_os("PATH").unwrap_or_else(|| OsString::from(USUAL_PATH));
    Bubblewrap::find(&path)
}

/// Whether custom steps can be run: words for people.
pub(crate) fn try_sandbox() -> Result<String, Failure> {
    Ok(Sandbox::probe(&sandbox())?)
}

/// The data plane on the local file system.
pub(crate) fn plane(state: &State) -> DataPlane {
    DataPlane {
        disk: Arc::new(LocalDisk),
        readers: Arc::clone(&state.readers),
        describe: Arc::new(describe(state, &BTreeMap::new())),
        seen: Arc::clone(&state.seen),
        artefacts: state.home.rejected(),
        diffs: state.home.diffs(),
        boot: boot(),
        options: Options::default(),
    }
}

/// Names this start of the machine; nothing where the system does not tell.
fn boot() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").map(|id| id.trim().to_owned()).unwrap_or_default()
}

/// Staging directories that attempts of a task have left beside its target.
pub(crate) fn leftovers(header: &PlanHeader, task: &PlanTask, run: &RunId) -> Result<Vec<PathBuf>, Failure> {
    let staging = DataPlane::leftovers(header, task, run)?;
    staging.left().map_err(|error| {
        let message = format!("what `{}` left beside its target cannot be listed: {error}", task.id);
        Failure::error(code::cli::FILE_UNREADABLE, message)
    })
}

/// What a task keeps beside its target of the generation before its own, if it is there.
pub(crate) fn generation_before(header: &PlanHeader, task: &PlanTask, run: &RunId) -> Result<Option<PathBuf>, Failure> {
    if !task.dataset().is_some_and(DatasetWork::goes_on) {
        return Ok(None);
    }
    let before = DataPlane::leftovers(header, task, run)?.before();
    Ok(Some(before).filter(|path| path.symlink_metadata().is_ok()))
}

/// What an undo that came to no end has left beside the old dataset of a task.
pub(crate) fn left_by_undo(header: &PlanHeader, task: &PlanTask, run: &RunId) -> Result<Vec<PathBuf>, Failure> {
    DataPlane::left_by_undo(header, task, run)?.left().map_err(|error| {
        let message = format!("what `{}` left beside its old dataset cannot be listed: {error}", task.id);
        Failure::error(code::cli::FILE_UNREADABLE, message)
    })
}

/// Whether the ledger of a task says all that there is to say, without those of the runs before it.
pub(crate) fn ledger_is_whole(journal: &dyn Journal, run: &RunId, ordinal: u64) -> Result<bool, Failure> {
    let published = journal.output(run, ordinal, "data/publish")?;
    Ok(published.is_some_and(|output| DataPlane::ledger_is_whole(&output)))
}

/// What a task with increments took, if it was converted.
pub(crate) fn took(journal: &dyn Journal, run: &RunId, ordinal: u64) -> Result<Option<Took>, Failure> {
    Ok(journal.output(run, ordinal, "data/backfill")?.and_then(|output| Took::of(&output)))
}

/// Removes a file or directory beside a dataset, whatever modes its directories have.
pub(crate) fn remove(path: &Path) -> std::io::Result<()> {
    durable::remove(&LocalDisk, path)
}

/// What takes samples. They lie in a scratch directory of this process, which goes when the sampler does.
pub(crate) fn sampler(context: &Context, state: &State) -> Result<LocalSampler, Failure> {
    Ok(LocalSampler::new(Arc::clone(&state.readers), Options::default(), scratch(context)?))
}

/// A directory of this process, which goes when the answer does.
pub(crate) fn scratch(context: &Context) -> Result<Scratch, Failure> {
    scratch_in(&context.home()?)
}

/// The same, in a state folder.
pub(crate) fn scratch_in(home: &Home) -> Result<Scratch, Failure> {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let name = format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    Ok(Scratch::create(&home.scratch(), &name)?)
}

/// Scratch directories of processes that are no more.
pub(crate) fn abandoned_scratch(home: &Home) -> Result<Vec<PathBuf>, Failure> {
    let mut found = sampler::abandoned(&home.scratch())?;
    found.extend(sampler::abandoned(&home.diffs())?);
    Ok(found)
}

/// Removes one of them; false if somebody holds it by now.
pub(crate) fn clear_scratch(path: &Path) -> Result<bool, Failure> {
    Ok(sampler::clear(path)?)
}

/// An id that no other process ever has: host, process and time.
fn worker(context: &Context) -> WorkerId {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    WorkerId::new(format!("{host}:{}:{}", std::process::id(), context.now().0))
}

/// Fault points, if a test rig has armed some.
pub(crate) fn faults() -> Result<Arc<dyn Faults>, Failure> {
    let Some(list) = env::var_os("GREYLAG_FAULTS") else { return Ok(Arc::new(NoFaults)) };
    let log = env::var_os("GREYLAG_FAULTS_LOG").map(PathBuf::from);
    let armed = ArmedFaults::parse(&list.to_string_lossy(), log)
        .map_err(|message| Failure::error(code::cli::CONFIGURATION, format!("`GREYLAG_FAULTS`: {message}")))?;
    Ok(Arc::new(armed))
}

/// What proves that rewritten texts give what they gave.
pub(crate) fn prover(state: &State) -> Result<Arc<dyn Prover>, Failure> {
    let first = DataFusionProver::new(Arc::clone(&state.readers));
    let Some(program) = duckdb() else { return Ok(Arc::new(first)) };
    let (readers, scratch) = (Arc::clone(&state.readers), scratch_in(&state.home)?);
    Ok(Arc::new(DuckDbProver::new(Box::new(first), readers, Arc::new(sandbox()), program, scratch)))
}

/// What compares builds of projects, if DuckDB is declared.
pub(crate) fn builds(state: &State) -> Result<Option<Arc<dyn BuildProver>>, Failure> {
    let Some(program) = duckdb() else { return Ok(None) };
    let (readers, scratch) = (Arc::clone(&state.readers), scratch_in(&state.home)?);
    Ok(Some(Arc::new(DuckDbBuilds::new(readers, Arc::new(sandbox()), program, scratch))))
}

/// Folders of programs that commands of repositories see, as the operator declares them: absolute ones.
pub(crate) fn tools() -> Vec<PathBuf> {
    let declared = env::var_os("GREYLAG_TOOLS").unwrap_or_default();
    env::split_paths(&declared).filter(|folder| folder.is_absolute()).collect()
}

/// DuckDB's command-line program, if it is declared: a path, or a name that `PATH` finds.
fn duckdb() -> Option<PathBuf> {
    let named = PathBuf::from(env::var_os("GREYLAG_DUCKDB").filter(|named| !named.is_empty())?);
    if named.components().count() > 1 {
        return Some(std::path::absolute(&named).unwrap_or(named));
    }
    let path = env::var_os("PATH").unwrap_or_else(|| OsString::from(USUAL_PATH));
    let mut places = env::split_paths(&path).filter(|folder| folder.is_absolute()).map(|folder| folder.join(&named));
    Some(places.find(|place| place.is_file()).unwrap_or(named))
}

/// The version of the DuckDB that is declared, if one is, or why it cannot be used.
pub(crate) fn try_duckdb() -> Option<Result<String, Failure>> {
    let program = duckdb()?;
    let version = probe_duckdb(&program, &sandbox()).map_err(Failure::from);
    Some(version.map(|version| format!("{version}, `{}`", program.display())))
}

/// Starts a reader and asks it something; answers the milliseconds it took.
pub(crate) fn try_reader(context: &Context) -> Result<u128, Failure> {
    let state = context.state()?;
    let begun = Instant::now();
    FileCalls::call(state.readers.as_ref(), &FileRequest::Describe(Vec::new()))?;
    Ok(begun.elapsed().as_millis())
}

/// Serves requests of a parent process on standard input until it closes.
pub(crate) fn read_for_parent(memory_bytes: u64) -> Result<(), Failure> {
    Ok(pool::serve(ServeLimits { memory_bytes }, &request::handle)?)
}

/// Makes a diff with the state folder's readers and room.
pub(crate) fn diff<T>(
    state: &State,
    rows: usize,
    progress: &(dyn Fn(u64, u64) + Sync),
    cancelled: &(dyn Fn() -> bool + Sync),
    run: impl FnOnce(&Diff<'_>) -> T,
) -> T {
    let Options { chunk_bytes, limits, .. } = Options::default();
    run(&Diff {
        readers: &state.readers,
        directory: &state.home.diffs(),
        chunk_bytes,
        batch_rows: limits.batch_rows,
        rows,
        progress,
        cancelled,
    })
}

/// The embedded forge, whose repositories are on this machine.
pub(crate) type Hosting = EmbeddedForge;

/// Opens the embedded forge of the state folder.
pub(crate) fn forge(context: &Context) -> Result<Hosting, Failure> {
    let home = context.home()?;
    home.create()?;
    let forge = EmbeddedForge::open(home.forge(), git()?, Arc::new(context.clock()), committer())?;
    Ok(forge.with_faults(faults()?))
}

/// A bare repository that goes when the answer is dropped.
pub(crate) fn passing_repository(context: &Context) -> Result<(Scratch, Repository), Failure> {
    let scratch = scratch(context)?;
    let repository = Repository::make(git()?, scratch.path().join("incoming.git"), Safety::Cache)?;
    Ok((scratch, repository))
}

/// Who commits what this program writes.
pub(crate) fn committer() -> Person {
    Person { name: "Greylag".to_owned(), email: "greylag@localhost".to_owned() }
}

/// Who acts, as an author of commits.
pub(crate) fn author(context: &Context) -> Person {
    let plain = |text: &str| text.replace(|letter: char| letter.is_control() || matches!(letter, '<' | '>'), " ");
    let actor = plain(&context.actor());
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    Person { email: format!("{}@{}", actor.replace(char::is_whitespace, "."), plain(&host)), name: actor }
}

/// The version of git, or why none can be used.
pub(crate) fn try_git() -> Result<String, Failure> {
    Ok(git()?.version()?)
}

/// The first git of the environment's path that is new enough, found once.
fn git() -> Result<Git, Failure> {
    static FOUND: OnceLock<Git> = OnceLock::new();
    if let Some(found) = FOUND.get() {
        return Ok(found.clone());
    }
    let found = find_git()?;
    Ok(FOUND.get_or_init(|| found).clone())
}

fn find_git() -> Result<Git, Failure> {
    let path = env::var_os("PATH").unwrap_or_else(|| OsString::from(USUAL_PATH));
    let places = env::split_paths(&path).filter(|folder| folder.is_absolute()).map(|folder| folder.join("git"));
    let mut refused = None;
    for place in places.filter(|place| place.is_file()) {
        let git = Git::new(&place);
        match git.version() {
            Ok(_) => return Ok(git),
            Err(error) => refused = refused.or(Some((place, error))),
        }
    }
    let (place, error) = refused.ok_or_else(|| {
        Failure::error(code::repository::GIT_START, "there is no program `git` in any folder of `PATH`")
            .hint("install git, at least version 2.40")
    })?;
    Err(Failure::from(error).hint(format!("that is `{}`: put a newer one into `PATH`", place.display())))
}
