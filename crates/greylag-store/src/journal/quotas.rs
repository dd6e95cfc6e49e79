//! Limits that all runs share.

use super::row::{TASK_COLUMNS, get, loaded};
use super::watch::run_row;
use super::{from_text, run_unknown, to_text};
use crate::Store;
use crate::session::Session;
use greylag_driver::error::DriverError;
use greylag_driver::journal::{KeyUse, Loaded, Quotas, RunLease};
use greylag_model::code::engine as code;
use greylag_model::id::{RunId, Timestamp, WorkerId};
use greylag_model::limit::{Allotted, Ask, Bucket, Limit, Limits, Share, Use, allot};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

impl Store {
    /// Shares of a key, those of runs that nobody drives left out.
    fn shares(&self, session: &Session<'_>, key: &str) -> Result<BTreeMap<RunId, Share>, DriverError> {
        let select = "SELECT r.id, r.worker, s.in_use, s.short, s.weight FROM limit_share s \
                      JOIN run r ON r.key = s.run WHERE s.key = ?1 AND r.worker IS NOT NULL";
        let rows = session.rows(select, &[&key], |row| {
            let share = Share { in_use: get::<i64>(row, 2)? as u64, short: get(row, 3)?, weight: get(row, 4)? };
            Ok((RunId(get(row, 0)?), WorkerId(get(row, 1)?), share))
        })?;
        // A process that is merely silent may still be at work, so only one that is known to have died has nothing.
        Ok(rows
            .into_iter()
            .filter(|(_, worker, _)| !self.alive.is_dead(worker))
            .map(|(run, _, share)| (run, share))
            .collect())
    }
}

fn limits(session: &Session<'_>) -> Result<Limits, DriverError> {
    let rows = session.rows("SELECT key, value FROM limits", &[], |row| {
        Ok((get::<String>(row, 0)?, from_text::<Limit>(&get::<String>(row, 1)?)?))
    })?;
    Ok(Limits(rows.into_iter().collect()))
}

impl Quotas for Store {
    fn limits(&self) -> Result<Limits, DriverError> {
        self.read(limits)
    }

    fn set_limits(&self, limits: &Limits) -> Result<(), DriverError> {
        self.write(|session| {
            session.execute("DELETE FROM limits", &[])?;
            // A bucket of another rate counts other units.
            session.execute("DELETE FROM limit_bucket", &[])?;
            for (key, limit) in &limits.0 {
                session.execute("INSERT INTO limits (key, value) VALUES (?1, ?2)", &[key, &to_text(limit)?])?;
            }
            Ok(())
        })?;
        self.posted.fetch_add(1, Ordering::AcqRel);
        Ok(())
    }

    fn limit_use(&self, _: Timestamp) -> Result<Vec<KeyUse>, DriverError> {
        self.read(|session| {
            let keys =
                session.rows("SELECT DISTINCT key FROM limit_share ORDER BY key", &[], |row| get::<String>(row, 0))?;
            let of = |key: String| Ok(KeyUse { shares: self.shares(session, &key)?.into_iter().collect(), key });
            keys.into_iter().map(of).collect()
        })
    }

    fn allot(&self, lease: &RunLease, ask: &Ask, now: Timestamp) -> Result<Allotted, DriverError> {
        self.write(|session| {
            let run = run_row(session, &lease.run)?.ok_or_else(|| run_unknown(&lease.run))?;
            if run.epoch != lease.epoch {
                let message = format!("run `{}` was taken over by another process", lease.run);
                return Err(DriverError::conflict(code::LEASE_LOST, message));
            }
            let limits = limits(session)?;
            let keys: BTreeSet<&String> = ask.in_use.keys().chain(ask.wanted.iter().flatten()).collect();
            let mut known = BTreeMap::new();
            for key in keys {
                let select = "SELECT units, at FROM limit_bucket WHERE key = ?1";
                let bucket = session.row(select, &[key], |row| {
                    Ok(Bucket { units: get::<i64>(row, 0)? as u64, at: Timestamp(get(row, 1)?) })
                })?;
                known.insert(key.clone(), Use { shares: self.shares(session, key)?, bucket });
            }
            let before = known.clone();
            let allotted = allot(&limits, &mut known, &lease.run, ask, now);
            for (key, of) in known.iter().filter(|(key, of)| before.get(*key) != Some(of)) {
                if let Some(bucket) = &of.bucket {
                    let upsert = "INSERT OR REPLACE INTO limit_bucket (key, units, at) VALUES (?1, ?2, ?3)";
                    session.execute(upsert, &[key, &(bucket.units as i64), &bucket.at.0])?;
                }
                let Some(share) = of.shares.get(&lease.run) else { continue };
                if share.in_use == 0 && !share.short {
                    session.execute("DELETE FROM limit_share WHERE key = ?1 AND run = ?2", &[key, &run.key])?;
                } else {
                    let upsert = "INSERT OR REPLACE INTO limit_share (key, run, in_use, short, weight) \
                                  VALUES (?1, ?2, ?3, ?4, ?5)";
                    let in_use = share.in_use as i64;
                    session.execute(upsert, &[key, &run.key, &in_use, &share.short, &share.weight])?;
                }
            }
            Ok(allotted)
        })
    }

    fn due_beside(
        &self,
        run: &RunId,
        now: Timestamp,
        ready: usize,
        closed: &BTreeSet<u32>,
    ) -> Result<Vec<Loaded>, DriverError> {
        // The lanes that have ready tasks, one look at the index each.
        const LANES: &str = "WITH RECURSIVE lane (number) AS ( \
             SELECT min(lane) FROM task INDEXED BY task_lane WHERE run = ?1 AND state = 1 \
             UNION ALL SELECT (SELECT min(lane) FROM task INDEXED BY task_lane \
             WHERE run = ?1 AND state = 1 AND lane > number) FROM lane WHERE number IS NOT NULL) \
             SELECT number FROM lane WHERE number IS NOT NULL";
        let select = format!(
            "SELECT {TASK_COLUMNS}, t.ordinal, p.body, p.awaited FROM task t INDEXED BY task_lane \
             JOIN plan_task p ON p.plan = ?2 AND p.ordinal = t.ordinal \
             WHERE t.run = ?1 AND t.state = 1 AND t.lane = ?3 AND t.wake <= ?4 ORDER BY t.wake, t.ordinal LIMIT ?5"
        );
        self.read(|session| {
            let (key, plan) = self.keys_of(session, run)?;
            let lanes = session.rows(LANES, &[&key], |row| get::<u32>(row, 0))?;
            let mut tasks = Vec::new();
            for lane in lanes.iter().filter(|lane| !closed.contains(lane)) {
                tasks.extend(session.rows(&select, &[&key, &plan, lane, &now.0, &(ready as i64)], loaded)?);
            }
            Ok(tasks)
        })
    }
}
