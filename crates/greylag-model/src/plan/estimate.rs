//! Estimates: free space at the peak and time, from what a probe saw.
//!
//! **Space.** A target is expected to be as large as its source, times ten if Parquet becomes CSV (columns lose their
//! encoding and their compression), times thirty if it becomes JSON lines (which name each column in each line), times
//! three if CSV does, times four if Parquet becomes Avro (which has rows, not columns), plus a block of 4 KiB a file. The work in flight is staged on the target's file
//! system and renamed, so a target needs its space once; but an attempt that dies leaves its staging until the next one
//! removes it, so as many of the largest targets as run at once count twice. Sources stay until drop and free nothing.
//!
//! **Time.** A fixed cost a dataset, and the bytes to read at the speed of their format; spread over what runs at once,
//! and never less than the longest dataset alone. The figures are calibrated and passed in.

use super::compile::Drafted;
use super::{Space, Totals};
use crate::dataset::Format;
use crate::snapshot::Observed;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const BLOCK: u64 = 4_096;
const PARQUET_TO_CSV: u64 = 10;
const CSV_TO_JSON: u64 = 3;
const PARQUET_TO_AVRO: u64 = 4;

/// How fast one worker is, measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Speed {
    /// Fixed microseconds a dataset: its steps, their intents and outcomes, opening and publishing files.
    pub dataset_micros: u64,
    /// Bytes of Parquet converted and verified a second.
    pub parquet_bytes_per_second: u64,
    /// Bytes of CSV converted and verified a second.
    pub csv_bytes_per_second: u64,
    /// Bytes of JSON lines converted and verified a second.
    pub json_bytes_per_second: u64,
    /// Bytes of Avro converted and verified a second.
    pub avro_bytes_per_second: u64,
}

impl Default for Speed {
    /// One core of 2026, as the benches `small` and `lineitem` found it. JSON lines and Avro have no bench yet: they are
    /// taken for as fast as the other text, and as the other binary format.
    fn default() -> Self {
        Self {
            dataset_micros: 7_000,
            parquet_bytes_per_second: 40_000_000,
            csv_bytes_per_second: 30_000_000,
            json_bytes_per_second: 30_000_000,
            avro_bytes_per_second: 40_000_000,
        }
    }
}

/// Where a target goes, for counting space: its file system and what is free there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Device<'a> {
    pub(super) name: &'a str,
    pub(super) free: u64,
}

/// Bytes that a target is expected to take.
fn target_bytes(source: &Observed, target: &Format) -> u64 {
    let factor = match (&source.layout.format, target) {
        (Format::Parquet { .. }, Format::Csv(_)) => PARQUET_TO_CSV,
        (Format::Parquet { .. }, Format::Json) => PARQUET_TO_CSV * CSV_TO_JSON,
        (Format::Csv(_), Format::Json) => CSV_TO_JSON,
        (Format::Parquet { .. }, Format::Avro { .. }) => PARQUET_TO_AVRO,
        (Format::Avro { .. }, Format::Csv(_)) => PARQUET_TO_CSV,
        (Format::Avro { .. }, Format::Json) => PARQUET_TO_CSV * CSV_TO_JSON,
        _ => 1,
    };
    source.bytes.saturating_mul(factor).saturating_add(source.files.max(1).saturating_mul(BLOCK))
}

fn micros(source: &Observed, speed: Speed) -> u64 {
    let rate = match source.layout.format {
        Format::Parquet { .. } => speed.parquet_bytes_per_second,
        Format::Csv(_) => speed.csv_bytes_per_second,
        Format::Json => speed.json_bytes_per_second,
        Format::Avro { .. } => speed.avro_bytes_per_second,
    };
    let moving = u128::from(source.bytes) * 1_000_000 / u128::from(rate.max(1));
    speed.dataset_micros.saturating_add(u64::try_from(moving).unwrap_or(u64::MAX))
}

/// Sums over the tasks; `devices` has one entry a task.
pub(super) fn totals(
    tasks: &[Drafted],
    devices: &[Device<'_>],
    blocked: usize,
    parallelism: usize,
    speed: Speed,
) -> Totals {
    let mut totals = Totals { datasets: tasks.len() as u64, blocked: blocked as u64, ..Totals::default() };
    let parallelism = parallelism.max(1);
    let (mut work, mut longest) = (0_u64, 0_u64);
    let mut needs: BTreeMap<&str, (Vec<u64>, u64)> = BTreeMap::new();
    for (task, device) in tasks.iter().zip(devices) {
        totals.breaking += u64::from(!task.subject.breaking.is_empty());
        totals.steps += task.steps.len() as u64;
        if task.subject.goes_on() {
            // How much has changed is seen when the run looks at the files.
            totals.rows_unknown += 1;
            work = work.saturating_add(speed.dataset_micros);
            longest = longest.max(speed.dataset_micros);
            continue;
        }
        totals.rows += task.subject.source.rows.unwrap_or(0);
        totals.rows_unknown += u64::from(task.subject.source.rows.is_none());
        totals.bytes = totals.bytes.saturating_add(task.subject.source.bytes);
        let micros = micros(&task.subject.source, speed);
        work = work.saturating_add(micros);
        longest = longest.max(micros);
        let (sizes, free) = needs.entry(device.name).or_insert((Vec::new(), device.free));
        sizes.push(target_bytes(&task.subject.source, &task.subject.target_layout.format));
        *free = (*free).min(device.free);
    }
    totals.expected_millis = longest.max(work / parallelism as u64).div_ceil(1_000);
    totals.space = needs.into_iter().map(|(device, (sizes, free))| space(device, sizes, free, parallelism)).collect();
    totals.space.sort_by_key(|space| std::cmp::Reverse(space.needed));
    totals
}

fn space(device: &str, mut sizes: Vec<u64>, free: u64, parallelism: usize) -> Space {
    sizes.sort_unstable_by_key(|size| std::cmp::Reverse(*size));
    let left_over = &sizes[..sizes.len().min(parallelism)];
    let needed = sizes.iter().chain(left_over).fold(0_u64, |sum, size| sum.saturating_add(*size));
    Space { device: device.to_owned(), needed, free }
}
