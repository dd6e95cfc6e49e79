//! A sandbox in which nothing is run: jobs do what a function of the test's says.

use super::{Cut, Ended, Job, LOG_BYTES, Limit, Lines, Report, Sandbox};
use crate::error::DriverError;

/// What a job of [`Scripted`] does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Writes this on standard output.
    Write(Vec<u8>),
    /// Writes this on standard error.
    Complain(String),
    /// Writes the same for ever.
    Flood(Vec<u8>),
    /// Does nothing until it is ended.
    Hang,
    /// Ends with a code.
    Exit(i32),
}

type Script = dyn Fn(&Job) -> Vec<Act> + Send + Sync;

/// Jobs that do what a function says, in this process and without any of the world.
pub struct Scripted {
    script: Box<Script>,
}

impl Scripted {
    /// With this function.
    pub fn new(script: impl Fn(&Job) -> Vec<Act> + Send + Sync + 'static) -> Self {
        Self { script: Box::new(script) }
    }
}

impl Sandbox for Scripted {
    fn probe(&self) -> Result<String, DriverError> {
        Ok("scripted".to_owned())
    }

    fn run(
        &self,
        job: &Job,
        line: &mut dyn FnMut(&[u8]) -> Result<(), DriverError>,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Report, DriverError> {
        let mut lines = Lines::default();
        let mut log = Vec::new();
        let mut ended = Ended::Exit(0);
        for act in (self.script)(job) {
            let cut = match act {
                Act::Write(bytes) => lines.take(&bytes, line).err(),
                Act::Flood(bytes) => loop {
                    if let Err(cut) = lines.take(&bytes, line) {
                        break Some(cut);
                    }
                },
                Act::Complain(text) => {
                    log.extend_from_slice(text.as_bytes());
                    None
                }
                Act::Hang => {
                    // Its time is counted in looks, so that no test waits.
                    let mut left = job.time_millis.max(1);
                    ended = loop {
                        if cancelled() {
                            break Ended::Cancelled;
                        }
                        left -= 1;
                        if left == 0 {
                            break Ended::Limit(Limit::Time);
                        }
                    };
                    break;
                }
                Act::Exit(code) => {
                    ended = Ended::Exit(code);
                    break;
                }
            };
            match cut {
                None => {}
                Some(Cut::Refused(error)) => return Err(error),
                Some(Cut::Limit(limit)) => {
                    ended = Ended::Limit(limit);
                    break;
                }
            }
        }
        if matches!(ended, Ended::Exit(_))
            && let Err(Cut::Refused(error)) = lines.end(line)
        {
            return Err(error);
        }
        let from = log.len().saturating_sub(LOG_BYTES);
        Ok(Report { ended, log: String::from_utf8_lossy(&log[from..]).into_owned() })
    }
}
