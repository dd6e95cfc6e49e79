//! What a job has spent so far: sums over all of its processes, as `/proc` tells them.

use rustix::process::Pid;
use std::fs;
use std::path::{Path, PathBuf};

/// Entries of a writable folder that are looked at; a job that makes more has made too many.
const ENTRIES: u64 = 200_000;
/// Files in the scratch folder: each takes memory of the kernel that its size does not show.
const FILES: u64 = 100_000;

/// Sums over processes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Spent {
    /// Processes and their threads.
    pub(super) processes: u64,
    /// Memory that goes when they go.
    pub(super) memory_bytes: u64,
    /// Processor time, that of ended ones included.
    pub(super) cpu_millis: u64,
}

/// What `init` and all below it have spent. Looks no further once there are more than so many processes.
pub(super) fn spent(init: Pid, most: u64) -> Spent {
    let mut spent = Spent::default();
    let mut left = vec![init.as_raw_nonzero().get()];
    while let Some(pid) = left.pop() {
        let folder = PathBuf::from(format!("/proc/{pid}"));
        // It may have ended meanwhile, and then spends nothing.
        let (Ok(stat), Ok(tasks)) = (fs::read_to_string(folder.join("stat")), fs::read_dir(folder.join("task"))) else {
            continue;
        };
        spent.cpu_millis += cpu_millis(&stat);
        spent.memory_bytes += memory_bytes(&folder);
        for task in tasks.flatten() {
            spent.processes += 1;
            let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
            left.extend(children.split_whitespace().filter_map(|child| child.parse::<i32>().ok()));
        }
        if spent.processes > most {
            break;
        }
    }
    spent
}

/// Time of a process and of its children that have ended. The name may hold anything, so fields are counted after it.
fn cpu_millis(stat: &str) -> u64 {
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: u64 = fields.split_whitespace().skip(11).take(4).filter_map(|field| field.parse::<u64>().ok()).sum();
    ticks.saturating_mul(1_000) / rustix::param::clock_ticks_per_second().max(1)
}

fn memory_bytes(folder: &Path) -> u64 {
    let status = fs::read_to_string(folder.join("status")).unwrap_or_default();
    let own = ["RssAnon:", "RssShmem:", "VmSwap:"];
    let kibibytes = status.lines().filter_map(|line| {
        let (name, rest) = line.split_at_checked(line.find(':')? + 1)?;
        own.contains(&name).then(|| rest.trim().trim_end_matches(" kB").parse::<u64>().ok())?
    });
    kibibytes.sum::<u64>() << 10
}

/// Whether there are too many files in the scratch folder. Until `init` has a root of its own it sees the machine's `/tmp`,
/// which is known by its size.
pub(super) fn has_too_many_files(init: Pid, disk_bytes: u64) -> bool {
    let scratch = Path::new("/proc").join(init.as_raw_nonzero().to_string()).join("root").join("tmp");
    rustix::fs::statvfs(scratch).is_ok_and(|scratch| {
        let is_its_own = scratch.f_blocks.saturating_mul(scratch.f_frsize).abs_diff(disk_bytes) <= scratch.f_frsize;
        is_its_own && scratch.f_files.saturating_sub(scratch.f_ffree) > FILES
    })
}

/// Bytes of disk below a folder, links not followed; all there are if it has too many entries.
pub(super) fn disk_bytes(folder: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let mut bytes = 0;
    let mut entries = 0;
    let mut left = vec![folder.to_owned()];
    while let Some(folder) = left.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            entries += 1;
            if entries > ENTRIES {
                return u64::MAX;
            }
            let Ok(metadata) = entry.metadata() else { continue };
            bytes += metadata.blocks() * 512;
            if metadata.is_dir() {
                left.push(entry.path());
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::{cpu_millis, disk_bytes, spent};

    #[test]
    fn times_are_found_behind_any_name() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 1 2 3 4 100 50 25 25 20 0 3 0 9 1 1";
        assert_eq!(cpu_millis(stat), 200 * 1_000 / rustix::param::clock_ticks_per_second());
        assert_eq!(cpu_millis(""), 0);
    }

    #[test]
    fn this_process_spends() {
        let own = spent(rustix::process::getpid(), 10_000);
        assert!(own.processes >= 1 && own.memory_bytes > 0, "{own:?}");
    }

    #[test]
    fn disk_is_summed_without_links() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(disk_bytes(folder.path()), 0);
        std::fs::create_dir(folder.path().join("a")).unwrap();
        std::fs::write(folder.path().join("a/b"), vec![1; 100_000]).unwrap();
        std::os::unix::fs::symlink("/usr", folder.path().join("link")).unwrap();
        let bytes = disk_bytes(folder.path());
        assert!((100_000..200_000).contains(&bytes), "{bytes}");
    }
}
