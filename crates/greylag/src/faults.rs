//! Armed fault points, for test rigs: `GREYLAG_FAULTS` makes the very binary that users run kill itself, or meet a full
//! disk, at the n-th hit of a named point.
//!
//! The value is a comma-separated list of `POINT@N=ACTION`: `POINT` is a name such as `data/publish:in-effect` or a
//! prefix ending in `*`, `N` counts hits from 1 (`N+` means the n-th and every later one), `ACTION` is `kill` (the process
//! ends as by `kill -9`), `enospc` (the operation fails with "no space left on device") or `count` (nothing happens).
//! Each firing is first appended to the file named by `GREYLAG_FAULTS_LOG`, so that a rig can prove that it fired.

use greylag_driver::fault::Faults;
use rustix::process::{Signal, getpid, kill_process};
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

/// What happens when a point fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Kill,
    NoSpace,
    Count,
}

/// One armed point.
#[derive(Debug)]
struct Armed {
    point: String,
    prefix: bool,
    from: u64,
    repeats: bool,
    action: Action,
    hits: AtomicU64,
}

/// The armed points of this process.
#[derive(Debug)]
pub(crate) struct ArmedFaults {
    armed: Vec<Armed>,
    log: Option<PathBuf>,
}

impl ArmedFaults {
    /// Reads the list; an entry that is not of the form is an error that names it.
    pub(crate) fn parse(list: &str, log: Option<PathBuf>) -> Result<Self, String> {
        let armed = list.split(',').map(str::trim).filter(|entry| !entry.is_empty()).map(parse_entry);
        Ok(Self { armed: armed.collect::<Result<_, _>>()?, log })
    }
}

fn parse_entry(entry: &str) -> Result<Armed, String> {
    let malformed = || format!("`{entry}` is not of the form `POINT@N=kill|enospc|count`");
    let (place, action) = entry.rsplit_once('=').ok_or_else(malformed)?;
    let (point, number) = place.rsplit_once('@').ok_or_else(malformed)?;
    let action = match action {
        "kill" => Action::Kill,
        "enospc" => Action::NoSpace,
        "count" => Action::Count,
        _ => return Err(malformed()),
    };
    let (number, repeats) = number.strip_suffix('+').map_or((number, false), |number| (number, true));
    let from = number.parse().ok().filter(|&from| from > 0).ok_or_else(malformed)?;
    let (point, prefix) = point.strip_suffix('*').map_or((point, false), |point| (point, true));
    Ok(Armed { point: point.to_owned(), prefix, from, repeats, action, hits: AtomicU64::new(0) })
}

impl Faults for ArmedFaults {
    fn hit(&self, point: &str) -> io::Result<()> {
        for armed in &self.armed {
            let matches = if armed.prefix { point.starts_with(&armed.point) } else { point == armed.point };
            if !matches {
                continue;
            }
            let hit = armed.hits.fetch_add(1, Ordering::SeqCst) + 1;
            if hit != armed.from && !(armed.repeats && hit > armed.from) {
                continue;
            }
            if let Some(log) = &self.log {
                let mut log = OpenOptions::new().create(true).append(true).open(log)?;
                writeln!(log, "{point} {:?}", armed.action)?;
            }
            match armed.action {
                Action::Kill => {
                    kill_process(getpid(), Signal::KILL)?;
                    // The signal ends the process before another instruction of this thread matters.
                    loop {
                        std::thread::park();
                    }
                }
                Action::NoSpace => return Err(io::Error::from(io::ErrorKind::StorageFull)),
                Action::Count => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::ArmedFaults;
    use greylag_driver::fault::Faults;

    #[test]
    fn fires_at_the_given_hits_only() {
        let faults = ArmedFaults::parse("data/*@2=enospc, x@1+=enospc", None).unwrap();
        let fired: Vec<bool> =
            ["data/a", "x", "data/b", "data/c", "x", "y"].iter().map(|point| faults.hit(point).is_err()).collect();
        assert_eq!(fired, [false, true, true, false, true, false]);
    }

    #[test]
    fn malformed_entries_are_named() {
        for entry in ["x", "x@0=kill", "x@1=burn", "x@y=kill"] {
            assert!(ArmedFaults::parse(entry, None).unwrap_err().contains(entry));
        }
    }
}
