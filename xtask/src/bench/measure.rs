//! Measuring whole process trees.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How often memory is sampled.
const SAMPLE_EVERY: Duration = Duration::from_millis(20);
/// Clock ticks a second in `/proc`; Linux has it at 100 on every architecture that people run.
const TICKS: f64 = 100.0;

/// What one run cost.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cost {
    /// Seconds.
    pub(crate) wall: f64,
    /// User plus system seconds of the whole tree.
    pub(crate) cpu: f64,
    /// Largest sum of resident sets over the tree, bytes.
    pub(crate) memory: u64,
}

/// Runs commands side by side until all have ended. Fails if one of them does.
pub(crate) fn run(commands: &mut [Command], allowed: &[i32]) -> Result<Cost, String> {
    for command in commands.iter_mut() {
        command.stdout(Stdio::null());
    }
    measured(commands, allowed)
}

/// Runs a command, and reads what it prints, by way of a file.
pub(crate) fn told(mut command: Command, allowed: &[i32], file: &Path) -> Result<(Cost, String), String> {
    let failed = |error: std::io::Error| format!("`{}`: {error}", file.display());
    command.stdout(fs::File::create(file).map_err(failed)?);
    let cost = measured(&mut [command], allowed)?;
    Ok((cost, fs::read_to_string(file).map_err(failed)?))
}

fn measured(commands: &mut [Command], allowed: &[i32]) -> Result<Cost, String> {
    let before = reaped_ticks();
    let begun = Instant::now();
    let mut children = Vec::new();
    for command in commands.iter_mut() {
        let child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn();
        children.push(child.map_err(|error| format!("`{command:?}` cannot be started: {error}"))?);
    }
    let mut memory = 0;
    let mut ended = 0.0;
    let mut open: Vec<&mut Child> = children.iter_mut().collect();
    while !open.is_empty() {
        std::thread::sleep(if begun.elapsed() < Duration::from_secs(1) { SAMPLE_EVERY / 4 } else { SAMPLE_EVERY });
        memory = memory.max(resident(open.iter().map(|child| child.id())));
        let mut still = Vec::new();
        for child in open {
            if child.try_wait().map_err(|error| error.to_string())?.is_none() {
                still.push(child);
            }
        }
        open = still;
        ended = begun.elapsed().as_secs_f64();
    }
    for (child, command) in children.into_iter().zip(commands) {
        let output = child.wait_with_output().map_err(|error| error.to_string())?;
        if !output.status.code().is_some_and(|code| allowed.contains(&code)) {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(format!("`{command:?}` ended with {}:\n{said}", output.status));
        }
    }
    Ok(Cost { wall: ended, cpu: (reaped_ticks() - before) as f64 / TICKS, memory })
}

/// Processor time of all children of this process that were waited for, and of theirs, in ticks.
fn reaped_ticks() -> u64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name in parentheses may hold spaces; what follows it does not.
    let fields: Vec<&str> = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).and_then(|field| field.parse::<u64>().ok()).unwrap_or_default();
    // cutime and cstime are fields 16 and 17 of the whole line, 13 and 14 after the name.
    ticks(13) + ticks(14)
}

/// Sum of the resident sets of processes and all their descendants, bytes.
fn resident(roots: impl Iterator<Item = u32>) -> u64 {
    let mut parents: HashMap<u32, (u32, u64)> = HashMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        let Ok(status) = fs::read_to_string(entry.path().join("status")) else { continue };
        let field = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name))?;
            line.split_whitespace().nth(1)?.parse::<u64>().ok()
        };
        if let Some(parent) = field("PPid:") {
            parents.insert(id, (parent as u32, field("VmRSS:").unwrap_or_default() * 1024));
        }
    }
    let mut tree: HashSet<u32> = roots.collect();
    loop {
        let found: Vec<u32> = parents
            .iter()
            .filter(|(id, (parent, _))| tree.contains(parent) && !tree.contains(id))
            .map(|(&id, _)| id)
            .collect();
        if found.is_empty() {
            break;
        }
        tree.extend(found);
    }
    tree.iter().filter_map(|id| parents.get(id)).map(|(_, bytes)| bytes).sum()
}

/// The middle of the costs, figure by figure.
pub(crate) fn median(costs: &[Cost]) -> Cost {
    let middle = |mut figures: Vec<f64>| {
        figures.sort_by(f64::total_cmp);
        figures.get(figures.len() / 2).copied().unwrap_or_default()
    };
    Cost {
        wall: middle(costs.iter().map(|cost| cost.wall).collect()),
        cpu: middle(costs.iter().map(|cost| cost.cpu).collect()),
        memory: middle(costs.iter().map(|cost| cost.memory as f64).collect()) as u64,
    }
}

/// Prints contenders and how the first compares with the others.
pub(crate) fn table(title: &str, contenders: &[(&str, Cost)]) {
    println!("\n{title}");
    println!("  {:<28} {:>10} {:>10} {:>10}", "", "wall s", "cpu s", "memory MB");
    for (name, cost) in contenders {
        println!("  {name:<28} {:>10.2} {:>10.2} {:>10.0}", cost.wall, cost.cpu, cost.memory as f64 / 1e6);
    }
    if let Some(((_, own), peers)) = contenders.split_first() {
        for (name, peer) in peers {
            println!(
                "  {:<28} {:>9.2}x {:>9.2}x {:>9.2}x",
                format!("{name} / ours"),
                peer.wall / own.wall,
                peer.cpu / own.cpu,
                peer.memory as f64 / own.memory.max(1) as f64
            );
        }
    }
}
