//! 500 repositories of 30 files: cloned, branched, edited, committed and offered, against two processes of plain git, which do
//! the same with `sed`.

use super::measure::{Cost, median, run as measure, table};
use super::small::{output, with_argument, with_path};
use super::{Setting, fresh};
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const REPOSITORIES: usize = 500;
const FILES: usize = 30;
/// Of these, so many read the dataset that moves.
const READERS: usize = 3;

const MIGRATION: &str = "apiVersion: greylag.dev/v1alpha1\nkind: Migration\nmetadata: {name: users-v2}\nspec:\n  \
                         datasets: [{from: users_v1, to: users_v2, table: raw.users_v2}]\n  \
                         mapping: {columns: [{name: user_id, from: uid}]}\n";
const CATALOG: &str = "apiVersion: backstage.io/v1alpha1\nkind: Resource\nmetadata:\n  name: users_v1\n  annotations:\n    \
                       greylag.dev/location: users.csv\n    greylag.dev/table: raw.users_v1\n    \
                       greylag.dev/columns: 'uid: int64 not null, name: string'\n\
                       spec: {type: dataset, lifecycle: production, owner: crm}\n";

/// Runs the bench. Every run has a place of its own, and nothing is removed before the last one is over.
pub(crate) fn run(setting: &Setting) -> Result<(), String> {
    let scratch = setting.scratch.join("repositories");
    fresh(&scratch)?;
    let sources = generate(&scratch)?;
    let (mut ours, mut peers) = (Vec::new(), Vec::new());
    for round in 0..=setting.rounds {
        let own = greylag(setting, &sources, &scratch.join(format!("greylag-{round}")))?;
        let peer = git(setting, &sources, &scratch.join(format!("git-{round}")))?;
        // The first round warms what both read.
        if round > 0 {
            ours.push(own);
            peers.push(peer);
        }
    }
    let (own, peer) = (median(&ours), median(&peers));
    let title =
        format!("repositories: {REPOSITORIES} of {FILES} files, {READERS} edited in each, {} rounds", setting.rounds);
    table(&title, &[("greylag changes host, open", own), ("2 x git and sed", peer)]);
    println!("  {:<28} {:>9.2}x of the time of git", "ours / git", own.wall / peer.wall);
    fresh(&scratch)
}

/// The repositories, bare, each of one commit.
fn generate(scratch: &Path) -> Result<Vec<PathBuf>, String> {
    let folder = scratch.join("sources");
    let mut sources = Vec::new();
    for number in 0..REPOSITORIES {
        let path = folder.join(format!("r{number}.git"));
        let mut init = Command::new("git");
        init.args(["init", "-q", "--bare", "-b", "main", "--template="]).arg(&path);
        output(init)?;
        let mut import = Command::new("git");
        import.arg("--git-dir").arg(&path).args(["fast-import", "--quiet"]);
        fed(import, commit(number).as_bytes())?;
        sources.push(path);
    }
    Ok(sources)
}

fn commit(number: usize) -> String {
    let mut stream =
        "commit refs/heads/main\ncommitter Ada <ada@example.com> 1700000000 +0000\ndata 4\nall\n".to_owned();
    for file in 0..FILES {
        let table = if file < READERS { "raw.users_v1" } else { "raw.orders" };
        let mut text = String::new();
        for line in 0..40 {
            let _ = writeln!(text, "select uid, name, {number}, {file} from {table} where uid = {line};");
        }
        let _ = write!(stream, "M 100644 inline jobs/d{}/f{file}.sql\ndata {}\n{text}", file % 5, text.len());
    }
    stream
}

/// Runs a command to its end with something on its standard input.
fn fed(mut command: Command, input: &[u8]) -> Result<(), String> {
    let failed = |error: std::io::Error| error.to_string();
    let mut child = command.stdin(Stdio::piped()).spawn().map_err(failed)?;
    child.stdin.take().ok_or("no standard input")?.write_all(input).map_err(failed)?;
    let status = child.wait().map_err(failed)?;
    if status.success() { Ok(()) } else { Err(format!("`{command:?}` ended with {status}")) }
}

fn of_home(setting: &Setting, place: &Path) -> Command {
    let mut command = Command::new(&setting.greylag);
    command.arg("--home").arg(place.join("home")).arg("--quiet");
    command
}

fn greylag(setting: &Setting, sources: &[PathBuf], place: &Path) -> Result<Cost, String> {
    fs::create_dir_all(place.join("catalog")).map_err(|error| error.to_string())?;
    for (name, text) in
        [("m.yaml", MIGRATION), ("catalog/users.yaml", CATALOG), ("catalog/users.csv", "uid,name\n1,Ada\n")]
    {
        fs::write(place.join(name), text).map_err(|error| error.to_string())?;
    }
    let mut import = of_home(setting, place);
    import.args(["catalog", "import"]);
    output(with_argument(import, &place.join("catalog")))?;
    let mut host = of_home(setting, place);
    host.args(["changes", "host"]).args(sources);
    let mut open = of_home(setting, place);
    // The peer proves nothing.
    open.args(["changes", "open", "--no-prove"]);
    let taken = measure(&mut [host], &[0])?;
    let opened = measure(&mut [with_path(open, "-f", &place.join("m.yaml"))], &[0])?;
    let mut list = of_home(setting, place);
    list.args(["changes", "list", "--state", "open", "-o", "name"]);
    let open = output(list)?.lines().count();
    if open != REPOSITORIES {
        return Err(format!("{open} change requests are open, not {REPOSITORIES}"));
    }
    let (wall, cpu) = (taken.wall + opened.wall, taken.cpu + opened.cpu);
    Ok(Cost { wall, cpu, memory: taken.memory.max(opened.memory) })
}

fn git(setting: &Setting, sources: &[PathBuf], place: &Path) -> Result<Cost, String> {
    // They push, so that each run has hosts of its own.
    let hosts = place.join("hosts");
    fs::create_dir_all(&hosts).map_err(|error| error.to_string())?;
    let mut copy = Command::new("cp");
    copy.arg("-r").args(sources).arg(&hosts);
    output(copy)?;
    let script = setting.workspace.join("benches/repositories_git.sh");
    let mut parts: Vec<Command> = (0..2)
        .map(|part: usize| {
            let mut command = Command::new(&script);
            command.arg(&hosts).arg(place.join("work")).args([&part.to_string(), "2"]);
            command
        })
        .collect();
    let cost = measure(&mut parts, &[0])?;
    for source in sources {
        let host = hosts.join(source.file_name().unwrap_or_default());
        let mut verify = Command::new("git");
        verify.arg("--git-dir").arg(&host).args(["rev-parse", "--verify", "-q", "refs/heads/greylag/users-v2"]);
        output(verify)?;
    }
    Ok(cost)
}
