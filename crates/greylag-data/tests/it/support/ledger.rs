//! What the engine offers to an attempt, in memory.

use super::STEPS;
use greylag_driver::error::DriverError;
use greylag_driver::executor::{Context, Progress};
use greylag_model::id::Timestamp;
use greylag_model::increment::Base;
use greylag_model::task::Direction;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

/// What happens at a fault point.
pub(crate) type Fault = Arc<dyn Fn(&str, &str, usize) -> io::Result<()> + Send + Sync>;

/// The journal's part: outputs of steps that are done, and checkpoints.
#[derive(Default)]
pub(crate) struct Ledger {
    pub(super) outputs: Mutex<BTreeMap<String, Value>>,
    pub(crate) checkpoints: Mutex<BTreeMap<String, Vec<(String, Value)>>>,
    pub(crate) hits: Mutex<Vec<String>>,
    pub(super) fault: Mutex<Option<Fault>>,
    pub(super) now: Mutex<i64>,
    pub(super) others: Mutex<BTreeMap<String, OtherRun>>,
}

/// What another run of the migration has left in the journal.
#[derive(Clone, Default)]
pub(super) struct OtherRun {
    pub(super) outputs: BTreeMap<String, Value>,
    pub(super) checkpoints: BTreeMap<String, Vec<(String, Value)>>,
    pub(super) base: Option<Base>,
}

impl Ledger {
    /// Time passes.
    pub(crate) fn later(&self, millis: i64) {
        *self.now.lock().unwrap() += millis;
    }

    pub(crate) fn output(&self, uses: &str) -> Value {
        self.outputs.lock().unwrap()[uses].clone()
    }

    /// Changes what a step wrote down.
    pub(crate) fn edit(&self, uses: &str, edit: impl FnOnce(&mut Value)) {
        edit(self.outputs.lock().unwrap().get_mut(uses).unwrap());
    }
}

pub(super) struct Attempt<'a> {
    pub(super) ledger: &'a Ledger,
    pub(super) uses: &'a str,
    pub(super) direction: Direction,
}

impl Attempt<'_> {
    /// Notes are kept by step and direction, as the journal keeps them.
    fn noted(&self, direction: Direction) -> String {
        if direction == Direction::Undo { format!("undo:{}", self.uses) } else { self.uses.to_owned() }
    }

    fn notes(&self, direction: Direction) -> Vec<(String, Value)> {
        self.ledger.checkpoints.lock().unwrap().get(&self.noted(direction)).cloned().unwrap_or_default()
    }
}

impl Context for Attempt<'_> {
    fn now(&self) -> Timestamp {
        Timestamp(*self.ledger.now.lock().unwrap())
    }
    fn cancelled(&self) -> bool {
        false
    }
    fn checkpoint_all(&self, notes: &[(String, Value)]) -> Result<(), DriverError> {
        let mut all = self.ledger.checkpoints.lock().unwrap();
        let own = all.entry(self.noted(self.direction)).or_default();
        for (key, value) in notes {
            own.retain(|(other, _)| other != key);
            own.push((key.clone(), value.clone()));
        }
        Ok(())
    }
    fn checkpoints(&self) -> Result<Vec<(String, Value)>, DriverError> {
        Ok(self.notes(self.direction))
    }
    fn noted_forwards(&self) -> Result<Vec<(String, Value)>, DriverError> {
        Ok(self.notes(Direction::Forward))
    }
    fn progress(&self, _: Progress) {}
    fn base_checkpoints(&self, base: &Base) -> Result<Vec<(String, Value)>, DriverError> {
        let others = self.ledger.others.lock().unwrap();
        let other = others.get(base.run.as_str()).map(|other| &other.checkpoints);
        Ok(other.and_then(|steps| steps.get(STEPS[base.step as usize])).cloned().unwrap_or_default())
    }
    fn output_of(&self, uses: &str) -> Result<Option<Arc<Value>>, DriverError> {
        Ok(self.ledger.outputs.lock().unwrap().get(uses).cloned().map(Arc::new))
    }
    fn fault(&self, point: &str) -> io::Result<()> {
        let mut hits = self.ledger.hits.lock().unwrap();
        hits.push(format!("{}:{point}", self.uses));
        let number = hits.len() - 1;
        drop(hits);
        // Not locked while it is called: it may panic.
        let fault = self.ledger.fault.lock().unwrap().clone();
        match fault {
            Some(fault) => fault(self.uses, point, number),
            None => Ok(()),
        }
    }
}
