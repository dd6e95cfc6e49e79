//! Which task goes in which cohort, and what that says of the migration. Pure; part of compiling a plan.

use super::{Cohort, Gate, Rollout, Window};
use crate::cast::zone::Zone;
use crate::code::plan as code;
use crate::diagnostic::{Diagnostic, Place};
use crate::entity::EntityRef;
use crate::plan::PlanTask;
use crate::spec::{CohortSpec, GateSpec, RolloutSpec, WindowSpec, duration};
use std::collections::HashMap;

/// Name of the cohort of what no other takes.
const REST: &str = "rest";

/// What a cohort may ask of a dataset, besides what its task says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate<'a> {
    /// Tags of the old dataset.
    pub(crate) tags: &'a [String],
    /// Time zone of its owner, if that is known.
    pub(crate) zone: Option<&'a str>,
}

/// Puts each task in a cohort and gives it its window; answers the cohorts and what the reader should know. `candidates` has one
/// entry a task. Fails with what is wrong with the spec.
pub(crate) fn assign(
    spec: &RolloutSpec,
    tasks: &mut [PlanTask],
    candidates: &[Candidate<'_>],
    place: &dyn Fn(&str) -> Option<Place>,
) -> Result<(Option<Rollout>, Vec<Diagnostic>), Vec<Diagnostic>> {
    let errors = wrong(spec, place);
    if !errors.is_empty() {
        return Err(errors);
    }
    let mut warnings = Vec::new();
    if let Some(window) = &spec.window {
        let mut unknown: Vec<&str> = Vec::new();
        for (task, candidate) in tasks.iter_mut().zip(candidates) {
            if let Some(zone) = candidate.zone.filter(|zone| window.zone.is_none() && Zone::find(zone).is_none())
                && !unknown.contains(&zone)
            {
                unknown.push(zone);
                let owner = task.owner.as_ref().map(ToString::to_string).unwrap_or_default();
                let message = format!("`{owner}` has the time zone `{zone}`, which is none; the window is read in UTC");
                warnings.push(
                    Diagnostic::warning(code::OWNER_ZONE, message)
                        .hint("correct `greylag.dev/time-zone` of the owner's descriptor and import it again")
                        .at(place("/spec/rollout/window")),
                );
            }
            task.window = Some(resolve(window, candidate.zone));
        }
    }
    if spec.cohorts.is_empty() {
        return Ok((None, warnings));
    }
    let upstream = upstream(tasks);
    let mut taken = take(spec, tasks, candidates, &order(&upstream));
    for (from, to, count, example) in join_the_last(&mut taken, &upstream, tasks, spec.cohorts.len()) {
        let name = |at: usize| spec.cohorts.get(at).map_or(REST, |cohort| cohort.name.as_str());
        let message = format!(
            "{count} of cohort `{}` go with `{}`, as they are made from datasets of that cohort, such as `{example}`",
            name(from),
            name(to)
        );
        warnings.push(
            Diagnostic::warning(code::COHORT_MOVED, message)
                .hint("a dataset never goes before what it is made from; put its upstream into the earlier cohort")
                .at(place(&format!("/spec/rollout/cohorts/{from}"))),
        );
    }
    let mut cohorts: Vec<Cohort> = Vec::new();
    let mut numbers = HashMap::new();
    for at in 0..=spec.cohorts.len() {
        let count = taken.iter().filter(|cohort| **cohort == at).count() as u64;
        let written = spec.cohorts.get(at);
        match (count, written) {
            (0, Some(written)) => {
                let message = format!("cohort `{}` takes no dataset", written.name);
                warnings.push(
                    Diagnostic::warning(code::COHORT_EMPTY, message)
                        .hint("it is left out; correct its `owners` or `tags`, or the order of the cohorts")
                        .at(place(&format!("/spec/rollout/cohorts/{at}"))),
                );
            }
            (0, None) => {}
            (tasks, written) => {
                numbers.insert(at, cohorts.len() as u32);
                let gate = written.and_then(|written| written.gate.as_ref()).or(spec.gate.as_ref());
                let name = written.map_or(REST, |written| written.name.as_str()).to_owned();
                cohorts.push(Cohort { name, tasks, gate: gate.map(|gate| frozen(gate, tasks)).unwrap_or_default() });
            }
        }
    }
    for (task, cohort) in tasks.iter_mut().zip(taken) {
        task.cohort = numbers.get(&cohort).copied().unwrap_or_default();
    }
    Ok((Some(Rollout { cohorts }), warnings))
}

/// What a schema cannot say: read again here, since a template's rendering comes this way too.
fn wrong(spec: &RolloutSpec, place: &dyn Fn(&str) -> Option<Place>) -> Vec<Diagnostic> {
    let mut errors = Vec::new();
    let mut error = |pointer: String, message: String, hint: &str| {
        errors.push(Diagnostic::error(code::BAD_ROLLOUT, message).hint(hint).at(place(&pointer)));
    };
    for (at, cohort) in spec.cohorts.iter().enumerate() {
        let pointer = format!("/spec/rollout/cohorts/{at}");
        if cohort.name == REST || spec.cohorts[..at].iter().any(|other| other.name == cohort.name) {
            let message = format!("the cohort name `{}` is taken", cohort.name);
            error(format!("{pointer}/name"), message, "each cohort has a name of its own; `rest` is the last one's");
        }
        if cohort.count.is_none() && cohort.percent.is_none() && cohort.owners.is_empty() && cohort.tags.is_empty() {
            let message = format!("cohort `{}` does not say what it takes", cohort.name);
            error(
                pointer.clone(),
                message,
                "give it `count`, `percent`, `owners` or `tags`; what is left goes last by itself",
            );
        }
        for (number, owner) in cohort.owners.iter().enumerate() {
            if EntityRef::parse(owner, "group").is_none() {
                let message = format!("`{owner}` is not a reference to an owner");
                error(format!("{pointer}/owners/{number}"), message, "write `group:NAME` or `user:NAME`");
            }
        }
    }
    let gates =
        spec.cohorts.iter().enumerate().filter_map(|(at, cohort)| {
            cohort.gate.as_ref().map(|gate| (format!("/spec/rollout/cohorts/{at}/gate"), gate))
        });
    for (pointer, gate) in gates.chain(spec.gate.as_ref().map(|gate| ("/spec/rollout/gate".to_owned(), gate))) {
        if let Some(soak) = &gate.soak
            && let Err(why) = duration::parse(soak)
        {
            error(
                format!("{pointer}/soak"),
                format!("`{soak}` {why}"),
                "a duration is a number and a unit: `30m`, `6h`",
            );
        }
    }
    if let Some(zone) = spec.window.as_ref().and_then(|window| window.zone.as_ref())
        && Zone::find(zone).is_none()
    {
        error(
            "/spec/rollout/window/zone".to_owned(),
            format!("`{zone}` is no time zone"),
            "write an IANA name such as `Europe/Stockholm`, or `+hh:mm`",
        );
    }
    errors
}

/// For each task the tasks that it waits for, by position.
fn upstream(tasks: &[PlanTask]) -> Vec<Vec<usize>> {
    let at: HashMap<_, usize> = tasks.iter().enumerate().map(|(at, task)| (&task.id, at)).collect();
    let waits = |task: &PlanTask| task.after.iter().filter_map(|after| at.get(&after.task).copied()).collect();
    tasks.iter().map(waits).collect()
}

/// Positions, upstream first, else in the plan's order.
fn order(upstream: &[Vec<usize>]) -> Vec<usize> {
    let mut depths: Vec<Option<usize>> = vec![None; upstream.len()];
    let mut entered = vec![false; upstream.len()];
    for start in 0..upstream.len() {
        // An explicit stack: lineage may be as deep as there are datasets. Circles were blocked before.
        let mut stack = vec![start];
        while let Some(&at) = stack.last() {
            if depths[at].is_some() {
                stack.pop();
                continue;
            }
            let open: Vec<usize> = upstream[at].iter().copied().filter(|up| !entered[*up]).collect();
            if entered[at] || open.is_empty() {
                let above = upstream[at].iter().filter_map(|up| depths[*up]).max();
                depths[at] = Some(above.map_or(0, |depth| depth + 1));
                stack.pop();
            } else {
                stack.extend(open);
            }
            entered[at] = true;
        }
    }
    let mut order: Vec<usize> = (0..upstream.len()).collect();
    order.sort_by_key(|at| (depths[*at], *at));
    order
}

/// The cohort of each task by what the cohorts ask for; the number of cohorts is that of the rest.
fn take(spec: &RolloutSpec, tasks: &[PlanTask], candidates: &[Candidate<'_>], order: &[usize]) -> Vec<usize> {
    let rest = spec.cohorts.len();
    let mut taken = vec![rest; tasks.len()];
    for (number, cohort) in spec.cohorts.iter().enumerate() {
        let share = cohort.percent.map(|percent| (tasks.len() as f64 * percent / 100.0).ceil() as u64);
        let most = cohort.count.unwrap_or(u64::MAX).min(share.unwrap_or(u64::MAX));
        let owners: Vec<EntityRef> =
            cohort.owners.iter().filter_map(|owner| EntityRef::parse(owner, "group")).collect();
        let fits = |at: &&usize| taken[**at] == rest && wants(cohort, &owners, &tasks[**at], &candidates[**at]);
        let chosen: Vec<usize> =
            order.iter().filter(fits).take(usize::try_from(most).unwrap_or(usize::MAX)).copied().collect();
        for at in chosen {
            taken[at] = number;
        }
    }
    taken
}

fn wants(cohort: &CohortSpec, owners: &[EntityRef], task: &PlanTask, candidate: &Candidate<'_>) -> bool {
    let owned = owners.is_empty() || task.owner.as_ref().is_some_and(|owner| owners.contains(owner));
    owned && (cohort.tags.is_empty() || cohort.tags.iter().any(|tag| candidate.tags.contains(tag)))
}

/// Moves each task to the last cohort of its upstream; answers the moves, from and to, with their number and an upstream.
fn join_the_last(
    taken: &mut [usize],
    upstream: &[Vec<usize>],
    tasks: &[PlanTask],
    cohorts: usize,
) -> Vec<(usize, usize, usize, String)> {
    let mut moves: Vec<(usize, usize, usize, String)> = Vec::new();
    for at in order(upstream) {
        let Some(last) = upstream[at].iter().copied().max_by_key(|up| taken[*up]) else { continue };
        let (from, to) = (taken[at], taken[last]);
        if to <= from || from >= cohorts {
            continue;
        }
        taken[at] = to;
        match moves.iter_mut().find(|known| (known.0, known.1) == (from, to)) {
            Some(known) => known.2 += 1,
            None => moves.push((from, to, 1, tasks[last].id.to_string())),
        }
    }
    moves
}

fn frozen(gate: &GateSpec, tasks: u64) -> Gate {
    let share = gate.max_failure_percent.map(|percent| (tasks as f64 * percent / 100.0) as u64);
    let max_failures = match (gate.max_failures, share) {
        (Some(count), Some(share)) => count.min(share),
        (count, share) => count.or(share).unwrap_or(0),
    };
    let soak_millis = gate.soak.as_deref().and_then(|soak| duration::parse(soak).ok()).unwrap_or(0);
    Gate { max_failures, approval: gate.approval.unwrap_or(false), soak_millis }
}

fn resolve(window: &WindowSpec, owners: Option<&str>) -> Window {
    let minute = |text: &str| {
        let (hours, minutes) = text.split_once(':').unwrap_or(("0", "0"));
        hours.parse::<u16>().unwrap_or(0) * 60 + minutes.parse::<u16>().unwrap_or(0)
    };
    let (from, to) = (minute(&window.from), minute(&window.to));
    let mut days: Vec<u8> = window.days.iter().map(|day| day.number()).collect();
    days.sort_unstable();
    days.dedup();
    if days.is_empty() {
        days = (1..=7).collect();
    }
    let known = |zone: &&str| Zone::find(zone).is_some();
    let zone = window.zone.as_deref().or(owners).filter(known).unwrap_or("UTC").to_owned();
    Window { days, from, to: if to > from { to } else { to + 1_440 }, zone }
}
