//! The kernel's count of processes where it keeps no other.
//!
//! `RLIMIT_NPROC` does not hold for root, so a job of a Greylag that runs as root could fork faster than anybody looks. Then
//! the job gets a control group of its own, with a limit on tasks; where control groups cannot be written to (in most
//! containers) there is nothing but the look, and the job's lower priority, which lets the look come in time.
//!
//! A group is removed when its job has ended. One whose Greylag was killed is empty, and removed by the next.

use rustix::process::Pid;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// How much a job gives way to everything else.
const NICE: i32 = 10;

/// The control group of one job.
#[derive(Debug)]
pub(super) struct Group {
    folder: PathBuf,
}

impl Drop for Group {
    fn drop(&mut self) {
        // Empty by now; if not, the next job's Greylag removes it.
        let _ = fs::remove_dir(&self.folder);
    }
}

/// Lets a process and all that it starts give way, and limits their number where nothing else does.
pub(super) fn limit(init: Pid, processes: u64) -> Option<Group> {
    // It may be as low already, and the rest does not depend on it.
    let _ = rustix::process::setpriority_process(Some(init), NICE);
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    homes().iter().find_map(|home| Group::make(home, init, processes).ok())
}

/// Where groups with a limit on tasks may be made: this process's own of version 1, or the root of version 2.
fn homes() -> Vec<PathBuf> {
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let own =
        own.lines().find_map(|line| line.split_once(":pids:").map(|(_, path)| path.trim_start_matches('/').to_owned()));
    let first = own.map(|path| Path::new("/sys/fs/cgroup/pids").join(path));
    first.into_iter().chain([PathBuf::from("/sys/fs/cgroup")]).collect()
}

impl Group {
    fn make(home: &Path, init: Pid, processes: u64) -> io::Result<Self> {
        forget_dead(home);
        let group = Self { folder: home.join(format!("greylag.{}.{}", std::process::id(), init.as_raw_nonzero())) };
        fs::create_dir(&group.folder)?;
        // Where tasks are not counted the file is not there, and none can be made.
        fs::write(group.folder.join("pids.max"), processes.to_string())?;
        fs::write(group.folder.join("cgroup.procs"), init.as_raw_nonzero().to_string())?;
        Ok(group)
    }
}

/// Removes groups of processes that are no more.
fn forget_dead(home: &Path) {
    for entry in fs::read_dir(home).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let owner = name.strip_prefix("greylag.").and_then(|rest| rest.split('.').next());
        if owner.is_some_and(|owner| !Path::new("/proc").join(owner).exists()) {
            let _ = fs::remove_dir(entry.path());
        }
    }
}
