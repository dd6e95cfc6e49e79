//! Saved plans.

use super::row::{get, phase_number};
use super::{from_text, to_text};
use crate::Store;
use greylag_driver::error::DriverError;
use greylag_driver::journal::{Plans, check_plan};
use greylag_model::id::{PlanId, TaskId};
use greylag_model::plan::{Plan, PlanHeader, PlanTask};
use std::collections::{BTreeSet, HashMap, HashSet};

impl Plans for Store {
    fn save_plan(&self, plan: &Plan) -> Result<(), DriverError> {
        check_plan(plan)?;
        let ordinals: HashMap<&TaskId, i64> =
            (0..).zip(&plan.tasks).map(|(ordinal, task)| (&task.id, ordinal)).collect();
        let awaited: HashSet<&TaskId> =
            plan.tasks.iter().flat_map(|task| task.after.iter().map(|after| &after.task)).collect();
        let lanes = greylag_model::limit::lanes(&plan.tasks);
        let header = to_text(&plan.header)?;
        self.write(|session| {
            let id = plan.header.id.as_str();
            let insert = "INSERT INTO plan (id, migration, header) VALUES (?1, ?2, ?3) ON CONFLICT (id) DO NOTHING";
            if session.execute(insert, &[&id, &plan.header.migration, &header])? == 0 {
                return Ok(());
            }
            let key = session.connection.last_insert_rowid();
            for ((ordinal, task), lane) in (0_i64..).zip(&plan.tasks).zip(&lanes) {
                let waits: BTreeSet<(i64, i64)> = task
                    .after
                    .iter()
                    .filter_map(|after| Some((*ordinals.get(&after.task)?, phase_number(after.phase))))
                    .collect();
                session.execute(
                    "INSERT INTO plan_task (plan, ordinal, id, steps, waits, awaited, body, cohort, lane) \
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                    &[
                        &key,
                        &ordinal,
                        &task.id.as_str(),
                        &(task.steps.len() as i64),
                        &(waits.len() as i64),
                        &awaited.contains(&task.id),
                        &to_text(task)?,
                        &task.cohort,
                        lane,
                    ],
                )?;
                for (upstream, phase) in waits {
                    let insert = "INSERT INTO plan_dependency (plan, upstream, phase, ordinal) VALUES (?1, ?2, ?3, ?4)";
                    session.execute(insert, &[&key, &upstream, &phase, &ordinal])?;
                }
            }
            Ok(())
        })
    }

    fn plan(&self, plan: &PlanId) -> Result<Option<PlanHeader>, DriverError> {
        let select = "SELECT header FROM plan WHERE id = ?1";
        self.read(|session| session.row(select, &[&plan.as_str()], |row| from_text(&get::<String>(row, 0)?)))
    }

    fn plan_tasks(&self, plan: &PlanId, from: u64, limit: usize) -> Result<Vec<PlanTask>, DriverError> {
        let select = "SELECT p.body FROM plan_task p WHERE p.plan = (SELECT key FROM plan WHERE id = ?1) \
                      AND p.ordinal >= ?2 ORDER BY p.ordinal LIMIT ?3";
        let params: &[&dyn rusqlite::ToSql] = &[&plan.as_str(), &(from as i64), &(limit as i64)];
        self.read(|session| session.rows(select, params, |row| from_text(&get::<String>(row, 0)?)))
    }

    fn plans(&self, limit: usize) -> Result<Vec<PlanHeader>, DriverError> {
        let select = "SELECT header FROM plan ORDER BY key DESC LIMIT ?1";
        self.read(|session| session.rows(select, &[&(limit as i64)], |row| from_text(&get::<String>(row, 0)?)))
    }
}
