//! Compiles a migration and a snapshot into a plan. Pure: the same values give the same plan and the same id.
//!
//! What is wrong with the migration as a whole is a diagnostic, and there is no plan. What is wrong with one pair blocks
//! that pair with its reasons, and the rest goes on; only if nothing is left to go on are the reasons diagnostics too.
//!
//! Thousands of pairs share a mapping and often a schema, so what depends on nothing else (mapping, layout, shared
//! checks) is resolved once for each distinct (mapping, layout, source schema, source layout).

use super::circle::Circles;
use super::conflict::Conflicts;
use super::derived;
use super::estimate::{Device, Speed, totals};
use super::order::Order;
use super::steps::{Procedure, procedure};
use super::{
    After, Blocked, Change, DatasetWork, PLAN_VERSION, Plan, PlanHeader, PlanTask, changes, check_spec, diff_check,
    increment, layout, place, sample, scope, task_id, warning,
};
use crate::code;
use crate::dataset::Layout;
use crate::diagnostic::{Diagnostic, Place};
use crate::entity::EntityRef;
use crate::id::PlanId;
use crate::mapping::{self, Mapping, NewRows};
use crate::rollout;
use crate::schema::Schema;
use crate::snapshot::{Observed, PairSnapshot, References, Snapshot};
use crate::spec::{CheckSpec, LayoutSpec, MappingSpec, Migration, Pair};
use crate::task::Phase;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

/// What a plan depends on besides the spec and the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompileOptions {
    /// Tasks that run at once, for the expected time and space.
    pub parallelism: usize,
    /// How fast one of them is.
    pub speed: Speed,
}

/// A plan, or why there is none.
#[derive(Clone, Debug, PartialEq)]
pub struct Compiled {
    /// The plan; absent if the migration is wrong as a whole or nothing of it can be done.
    pub plan: Option<Plan>,
    /// Errors of the whole migration.
    pub diagnostics: Vec<Diagnostic>,
}

/// Finds a JSON pointer into the migration's document in its file.
pub type Places<'a> = &'a dyn Fn(&str) -> Option<Place>;

/// What distinguishes one preparation from another; specs by address, as they outlive the compilation.
type Distinct<'a> = (Option<*const MappingSpec>, Option<*const LayoutSpec>, &'a Schema, &'a Layout);

/// All that pairs of one mapping, layout and source schema have in common.
struct Prepared {
    /// What is wrong besides the mapping: shared checks, types that the format cannot carry.
    errors: Vec<Diagnostic>,
    mapping: Mapping,
    layout: Layout,
    changes: Vec<Change>,
    breaking: Vec<String>,
}

/// A task while its plan is made.
pub(super) type Drafted = PlanTask<DatasetWork>;

struct Compiler<'a> {
    migration: &'a Migration,
    places: Places<'a>,
    connections: &'a BTreeMap<String, String>,
    references: &'a References,
    prepared: HashMap<Distinct<'a>, Result<Rc<Prepared>, Rc<[Diagnostic]>>>,
}

/// Compiles. `places` finds JSON pointers into the migration's document, e.g. `/spec/datasets/0/from`.
pub fn compile(migration: &Migration, places: Places<'_>, snapshot: &Snapshot, options: &CompileOptions) -> Compiled {
    let pairs = &migration.spec.datasets;
    if pairs.len() != snapshot.pairs.len() {
        let message = format!("the snapshot has {} pairs and the migration {}", snapshot.pairs.len(), pairs.len());
        return refused(vec![Diagnostic::error(code::cli::INTERNAL, message)]);
    }
    let procedure = match procedure(&migration.spec, snapshot, places) {
        Ok(procedure) => procedure,
        Err(diagnostics) => return refused(diagnostics),
    };
    let sources = sources(pairs, snapshot);
    let circles = snapshot.code.as_ref().map(Circles::of).unwrap_or_default();
    let order = order(migration, snapshot, &sources, &circles);
    let mut reasons = Conflicts::find(pairs, snapshot, procedure.through, places);
    for (pair, diagnostic) in in_circles(&sources, &order, &circles) {
        reasons[pair].push(diagnostic.at(places(&format!("/spec/datasets/{pair}/from"))));
    }
    let mut compiler = Compiler {
        migration,
        places,
        connections: &snapshot.connections,
        references: &snapshot.references,
        prepared: HashMap::new(),
    };
    let mut tasks: Vec<Option<Drafted>> = (0..pairs.len())
        .map(|number| compiler.task(number, &snapshot.pairs[number], &procedure, &mut reasons[number]))
        .collect();
    drop(compiler);
    derived::connect(migration, &snapshot.references, places, &mut tasks, &mut reasons);
    freeze(migration, places, snapshot, options, &procedure, &order, tasks, reasons)
}

/// The mapping that one pair of a migration has for a source of this schema and layout, wherever the target stands.
pub fn mapping_of(
    migration: &Migration,
    pair: usize,
    places: Places<'_>,
    observed: &Observed,
) -> Result<Mapping, Vec<Diagnostic>> {
    let (connections, references) = (BTreeMap::new(), BTreeMap::new());
    let mut compiler =
        Compiler { migration, places, connections: &connections, references: &references, prepared: HashMap::new() };
    let prepared = compiler.prepare(pair, observed).map_err(|errors| errors.to_vec())?;
    Ok(prepared.mapping.clone())
}

/// Which pairs wait for which. Datasets that one scope makes of one another in a circle do not: see [`Circles`].
fn order(migration: &Migration, snapshot: &Snapshot, sources: &[EntityRef], circles: &Circles) -> Order {
    let mut lineage = snapshot.lineage.clone();
    lineage.retain(|edge| !circles.is_atomic(&edge.upstream.short(), &edge.downstream.short()));
    lineage.extend(derived::edges(migration, sources));
    Order::new(sources, &lineage)
}

/// The pairs whose datasets are made of one another in a circle that nothing holds together, with what is wrong.
fn in_circles(sources: &[EntityRef], order: &Order, circles: &Circles) -> Vec<(usize, Diagnostic)> {
    let mut found = Vec::new();
    for (pair, source) in sources.iter().enumerate() {
        if let Some(circle) = circles.across(&source.short()) {
            let message = format!("code of several scopes makes these datasets of one another in a circle: {circle}");
            let hint = "move this code into one repository, where it travels in one change request, or migrate one of the \
                        datasets in a migration of its own";
            found.push((pair, Diagnostic::error(code::plan::SCOPE_CYCLE, message).hint(hint)));
        }
    }
    for (pair, circle) in order.circles() {
        // Who makes what is the better answer.
        if circles.across(&sources[pair].short()).is_none() {
            let message = format!("lineage runs in a circle: {circle}");
            let hint = "correct the descriptors, or migrate these datasets in migrations of their own";
            found.push((pair, Diagnostic::error(code::plan::LINEAGE_CYCLE, message).hint(hint)));
        }
    }
    found
}

fn refused(diagnostics: Vec<Diagnostic>) -> Compiled {
    Compiled { plan: None, diagnostics }
}

/// The source of each pair: as probed, or as named where it could not be.
fn sources(pairs: &[Pair], snapshot: &Snapshot) -> Vec<EntityRef> {
    let source = |(pair, probed): (&Pair, &PairSnapshot)| match &probed.source {
        Ok(observed) => observed.dataset.entity.clone(),
        Err(_) => EntityRef::parse(&pair.from, "resource").unwrap_or_else(|| EntityRef {
            kind: String::new(),
            namespace: String::new(),
            name: pair.from.clone(),
        }),
    };
    pairs.iter().zip(&snapshot.pairs).map(source).collect()
}

impl<'a> Compiler<'a> {
    /// The task of one pair; `None` if it is blocked, with the reasons added.
    fn task(
        &mut self,
        number: usize,
        probed: &'a PairSnapshot,
        procedure: &Procedure,
        reasons: &mut Vec<Diagnostic>,
    ) -> Option<Drafted> {
        let observed = match &probed.source {
            Ok(observed) => observed,
            Err(why) => {
                let place = (self.places)(&format!("/spec/datasets/{number}/from"));
                reasons.extend(why.iter().map(|reason| match &reason.place {
                    Some(_) => reason.clone(),
                    None => reason.clone().at(place.clone()),
                }));
                return None;
            }
        };
        let prepared = match self.prepare(number, observed) {
            Ok(prepared) => prepared,
            Err(errors) => {
                reasons.extend(errors.iter().cloned());
                return None;
            }
        };
        reasons.extend(prepared.errors.iter().cloned());
        let spec = &self.migration.spec;
        let pair = &spec.datasets[number];
        let (layout, mapping) = (&prepared.layout, &prepared.mapping);
        let refusals = place::refusals(observed, &probed.target, layout, mapping, self.connections, procedure.through);
        let key = if pair.location.is_some() { "location" } else { "to" };
        reasons
            .extend(refusals.into_iter().map(|why| why.at((self.places)(&format!("/spec/datasets/{number}/{key}")))));
        for (at, check) in pair.checks.iter().enumerate() {
            let base = format!("/spec/datasets/{number}/checks/{at}");
            let place = |pointer: &str| (self.places)(&format!("{base}{pointer}"));
            reasons.extend(self.check(check, &prepared.mapping.target, &place));
        }
        if !reasons.is_empty() {
            return None;
        }
        let increments = match increment::resolve(spec, number, probed, observed, (layout, mapping), self.places) {
            Ok((increments, warning)) => (increments, warning),
            Err(errors) => {
                reasons.extend(errors);
                return None;
            }
        };
        let made = match derived::resolve(spec, number, (layout, mapping), self.places) {
            Ok(made) => made,
            Err(errors) => {
                reasons.extend(errors);
                return None;
            }
        };
        let mut task = self.assemble(number, probed, observed, &prepared, procedure);
        if let (Some(made), Some(asked)) = (made, &pair.derived) {
            task.subject.derived = Some(Box::new(made));
            derived::arrange(&mut task, asked);
        }
        task.subject.increments = increments.0;
        if task.subject.goes_on() {
            // Its undo puts the generation before it back, in which they stay.
            task.subject.undo = None;
        }
        task.warnings.extend(increments.1);
        reasons.extend(changes::settle(
            &mut task,
            &self.migration.spec,
            &procedure.custom,
            self.connections,
            self.places,
        ));
        if let Some(sampled) = &probed.sample {
            let weighed = sample::weigh(&task, sampled, &|column| self.place_of(number, column));
            task.warnings.extend(weighed.warnings);
            task.subject.sample = weighed.sample;
            reasons.extend(weighed.reasons);
        }
        reasons.is_empty().then_some(task)
    }

    /// What is wrong with a check of a target with these columns.
    fn check(&self, check: &CheckSpec, target: &Schema, place: Places<'_>) -> Vec<Diagnostic> {
        check_spec::validate(check, target, &|name| self.references.get(name), place)
    }

    /// Where the file speaks of a pair's target column, else of the pair.
    fn place_of(&self, number: usize, column: &str) -> Option<Place> {
        let spec = &self.migration.spec;
        let (mapping, at) = match &spec.datasets[number].mapping {
            Some(mapping) => (Some(mapping), format!("/spec/datasets/{number}/mapping")),
            None => (spec.mapping.as_ref(), "/spec/mapping".to_owned()),
        };
        let rule = mapping.and_then(|mapping| mapping.columns.iter().position(|rule| rule.name == column));
        match rule {
            Some(rule) => (self.places)(&format!("{at}/columns/{rule}")),
            None => (self.places)(&format!("/spec/datasets/{number}/from")),
        }
    }

    fn assemble(
        &self,
        number: usize,
        probed: &PairSnapshot,
        observed: &Observed,
        prepared: &Prepared,
        procedure: &Procedure,
    ) -> Drafted {
        let spec = &self.migration.spec;
        let mut breaking = prepared.breaking.clone();
        let (from, to) = (&observed.dataset.location.connection, &probed.target.location.connection);
        if from != to {
            let name = |connection: &Option<String>| connection.clone().unwrap_or_else(|| "local files".to_owned());
            breaking.push(format!("it moves from `{}` to `{}`", name(from), name(to)));
        }
        let checks: Vec<CheckSpec> = spec.checks.iter().chain(&spec.datasets[number].checks).cloned().collect();
        let subject = DatasetWork {
            source: observed.clone(),
            target: probed.target.entity.clone(),
            target_location: probed.target.location.clone(),
            target_layout: prepared.layout.clone(),
            target_table: spec.datasets[number].table.as_deref().and_then(|table| table.parse().ok()),
            mapping: prepared.mapping.clone(),
            changes: prepared.changes.clone(),
            breaking,
            impact: probed.impact.clone(),
            references: diff_check::references(&checks, self.references),
            checks,
            derived: None,
            increments: None,
            sample: None,
            undo: Some(NewRows::of(&prepared.mapping, &observed.layout, &prepared.layout)),
            readers: None,
        };
        let mut task = Drafted {
            id: task_id(&probed.target.entity),
            owner: probed.owner.clone(),
            subject,
            steps: procedure.steps.clone(),
            after: Vec::new(),
            cohort: 0,
            window: None,
            warnings: Vec::new(),
        };
        task.warnings = warning::of_task(&task, probed.dangling_owner, procedure.through);
        task
    }

    /// What the pair has in common with others of its mapping, layout and schema.
    fn prepare(&mut self, number: usize, observed: &'a Observed) -> Result<Rc<Prepared>, Rc<[Diagnostic]>> {
        let spec = &self.migration.spec;
        let pair = &spec.datasets[number];
        let own = |key: &str| format!("/spec/datasets/{number}/{key}");
        let (mapping, mapping_at) = match (&pair.mapping, &spec.mapping) {
            (Some(mapping), _) => (Some(mapping), own("mapping")),
            (None, shared) => (shared.as_ref(), "/spec/mapping".to_owned()),
        };
        let (layout, layout_at) = match (&pair.layout, &spec.layout) {
            (Some(layout), _) => (Some(layout), own("layout")),
            (None, shared) => (shared.as_ref(), "/spec/layout".to_owned()),
        };
        let key = (mapping.map(std::ptr::from_ref), layout.map(std::ptr::from_ref), &observed.schema, &observed.layout);
        if let Some(prepared) = self.prepared.get(&key) {
            return prepared.clone();
        }
        let at_mapping = |pointer: &str| (self.places)(&format!("{mapping_at}{pointer}"));
        let at_layout = |pointer: &str| (self.places)(&format!("{layout_at}{pointer}"));
        let prepared = self.resolve(mapping, layout, observed, &at_mapping, &at_layout).map(Rc::new).map_err(Rc::from);
        self.prepared.insert(key, prepared.clone());
        prepared
    }

    fn resolve(
        &self,
        mapping: Option<&MappingSpec>,
        layout: Option<&LayoutSpec>,
        observed: &Observed,
        at_mapping: Places<'_>,
        at_layout: Places<'_>,
    ) -> Result<Prepared, Vec<Diagnostic>> {
        let keep_all = MappingSpec::default();
        let laid_out = layout::resolve(layout, &observed.layout, at_layout);
        let request = mapping::Request {
            spec: mapping.unwrap_or(&keep_all),
            source: &observed.schema,
            partition_by: &observed.layout.partition_by,
            target_partition_by: laid_out.as_ref().ok().and_then(|(_, asked)| asked.as_deref()),
            place: at_mapping,
            layout_place: at_layout,
        };
        let (resolved, laid_out) = match (mapping::resolve(request), laid_out) {
            (Ok(resolved), Ok((laid_out, _))) => (resolved, laid_out),
            (Err(errors), Ok(_)) | (Ok(_), Err(errors)) => return Err(errors),
            (Err(mut errors), Err(more)) => {
                errors.extend(more);
                return Err(errors);
            }
        };
        let layout = Layout { partition_by: resolved.partition_by, ..laid_out };
        let mut errors = layout::check_types(&layout, &resolved.mapping, at_layout("/format").as_ref());
        for (number, check) in self.migration.spec.checks.iter().enumerate() {
            let place = |pointer: &str| (self.places)(&format!("/spec/checks/{number}{pointer}"));
            errors.extend(self.check(check, &resolved.mapping.target, &place));
        }
        let (mut changes, mut breaking) = (resolved.changes, resolved.breaks);
        let (laid_out, breaks) = layout::differences(&observed.layout, &layout, &resolved.mapping);
        changes.extend(laid_out);
        breaking.extend(breaks);
        Ok(Prepared { errors, mapping: resolved.mapping, layout, changes, breaking })
    }
}

/// Joins the tasks in order, puts them into cohorts, sums them up, and hashes.
#[expect(clippy::too_many_arguments, reason = "the last step of one function")]
fn freeze(
    migration: &Migration,
    places: Places<'_>,
    snapshot: &Snapshot,
    options: &CompileOptions,
    procedure: &Procedure,
    order: &Order,
    drafted: Vec<Option<Drafted>>,
    reasons: Vec<Vec<Diagnostic>>,
) -> Compiled {
    let pairs = &migration.spec.datasets;
    let samples = snapshot.sampling.map(|sampling| sample::totals(sampling, &snapshot.pairs, &drafted));
    let ids: Vec<Option<_>> = drafted.iter().map(|task| task.as_ref().map(|task| task.id.clone())).collect();
    let mut tasks = Vec::with_capacity(drafted.len());
    let mut devices = Vec::with_capacity(drafted.len());
    let mut candidates = Vec::with_capacity(drafted.len());
    for (number, task) in drafted.into_iter().enumerate() {
        let Some(mut task) = task else { continue };
        task.after = derived::after(migration, number, &ids);
        for upstream in order.upstream_of(number) {
            match &ids[upstream] {
                Some(id) => {
                    let after = After { task: id.clone(), phase: Phase::Publish };
                    if !task.after.contains(&after) {
                        task.after.push(after);
                    }
                }
                None => task.warnings.push(warning::upstream_blocked(&task.id, &pairs[upstream])),
            }
        }
        tasks.push(task);
        let pair = &snapshot.pairs[number];
        candidates.push(rollout::Candidate { tags: &pair.tags, zone: pair.zone.as_deref() });
        let target = &pair.target;
        devices.push(Device { name: &target.device, free: target.free_bytes });
    }
    let blocked = blocked(pairs, snapshot, reasons);
    if tasks.is_empty() {
        return nothing_left(blocked);
    }
    let mut totals = totals(&tasks, &devices, blocked.len(), options.parallelism, options.speed);
    let mut tasks: Vec<PlanTask> = tasks.into_iter().map(PlanTask::freeze).collect();
    let mut warnings = warning::of_space(&totals.space);
    let mut rollout = match &migration.spec.rollout {
        None => None,
        Some(spec) => match rollout::assign(spec, &mut tasks, &candidates, places) {
            Ok((rollout, said)) => {
                warnings.extend(said);
                rollout
            }
            Err(errors) => return refused(errors),
        },
    };
    let consumers = scope::join(migration, snapshot, &procedure.retry, &mut tasks, rollout.as_mut());
    totals.scopes = tasks.len() as u64 - totals.datasets;
    let header = PlanHeader {
        version: PLAN_VERSION,
        id: PlanId::new(""),
        migration: migration.metadata.name.clone(),
        taken_at: snapshot.taken_at,
        through: procedure.through,
        retention_millis: procedure.retention_millis,
        priority: migration.spec.priority,
        rollout,
        connections: snapshot.connections.clone(),
        custom: procedure.custom.clone(),
        blocked,
        warnings,
        totals,
        consumers,
        samples,
    };
    let mut plan = Plan { header, tasks };
    plan.header.id = plan.computed_id();
    Compiled { plan: Some(plan), diagnostics: Vec::new() }
}

/// The pairs that have reasons not to be migrated.
fn blocked(pairs: &[Pair], snapshot: &Snapshot, reasons: Vec<Vec<Diagnostic>>) -> Vec<Blocked> {
    let mut blocked = Vec::new();
    for ((pair, probed), reasons) in pairs.iter().zip(&snapshot.pairs).zip(reasons) {
        if !reasons.is_empty() {
            let sample = probed.sample.as_ref().and_then(|sampled| sampled.as_ref().ok()).cloned();
            blocked.push(Blocked { from: pair.from.clone(), to: pair.to.clone(), reasons, sample });
        }
    }
    blocked
}

/// Every reason once, however many pairs share it, and a last line that says what they come to.
fn nothing_left(blocked: Vec<Blocked>) -> Compiled {
    let pairs = blocked.len();
    let mut diagnostics: Vec<Diagnostic> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for reason in blocked.into_iter().flat_map(|blocked| blocked.reasons) {
        if seen.insert((reason.code, reason.message.clone(), reason.place.clone())) {
            diagnostics.push(reason);
        }
    }
    if pairs > 1 {
        let message = format!("nothing can be planned: all {pairs} pairs are blocked");
        diagnostics.push(Diagnostic::error(code::plan::NOTHING_TO_DO, message));
    }
    refused(diagnostics)
}
