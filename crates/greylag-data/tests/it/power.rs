//! Power cuts: a disk that forgets what was not synced. After a cut anywhere the dataset is absent or whole, and the
//! run goes on from what the journal knows.
//!
//! The double works on the real tree and writes down every change of a directory. A change is kept if one of the
//! directories that it touches was synced afterwards, and then so is every earlier change of the same directories;
//! a file's bytes are kept from its own sync on. At a cut the other changes are lost, all of them or all but the oldest
//! few, and files that were not synced are torn. Inodes are kept: the tree is put back by moving what is there.

use crate::files::old_file;
use crate::support::{STEPS, Setup, World, parquet};
use greylag_data::durable::{Disk, LocalDisk, walk};
use greylag_model::dataset::Shape;
use greylag_model::increment::{Increments, Removed};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

struct PowerCut;

/// A change of one or two directories.
#[derive(Clone, Debug)]
enum Change {
    Made(PathBuf, u64),
    Moved(PathBuf, PathBuf),
    Exchanged(PathBuf, PathBuf),
    Gone(PathBuf),
}

#[derive(Clone, Debug)]
struct Entry {
    change: Change,
    directories: Vec<u64>,
    kept: bool,
}

#[derive(Default)]
struct Memory {
    log: Vec<Entry>,
    /// What stood there at the beginning.
    first: BTreeMap<PathBuf, u64>,
    /// What stands there now, as far as it was noticed.
    now: BTreeMap<PathBuf, u64>,
    /// Bytes that are on disk, by inode.
    bytes: HashMap<u64, Vec<u8>>,
}

struct Forgetful {
    home: PathBuf,
    attic: PathBuf,
    memory: Mutex<Memory>,
    calls: AtomicUsize,
    cut_at: AtomicUsize,
}

fn inode(path: &Path) -> u64 {
    fs::symlink_metadata(path).unwrap().ino()
}

impl Forgetful {
    fn new(root: &Path) -> Self {
        let (home, attic) = (root.join("data"), root.join("attic"));
        fs::create_dir_all(&attic).unwrap();
        let (calls, cut_at) = (AtomicUsize::new(0), AtomicUsize::new(usize::MAX));
        Self { home, attic, memory: Mutex::default(), calls, cut_at }
    }

    /// Everything that is there now is on disk.
    fn begin(&self) {
        let mut memory = self.memory.lock().unwrap();
        *memory = Memory::default();
        for (path, metadata) in walk(&self.home).unwrap() {
            if metadata.is_file() {
                memory.bytes.insert(metadata.ino(), fs::read(&path).unwrap());
            }
            memory.first.insert(path.clone(), metadata.ino());
            memory.now.insert(path, metadata.ino());
        }
    }

    /// Counts a call; the power fails before it does anything.
    fn call(&self) {
        if self.calls.fetch_add(1, Ordering::SeqCst) == self.cut_at.load(Ordering::SeqCst) {
            std::panic::resume_unwind(Box::new(PowerCut));
        }
        self.notice();
    }

    /// Writes down what readers made without asking.
    fn notice(&self) {
        let mut memory = self.memory.lock().unwrap();
        for (path, metadata) in walk(&self.home).unwrap() {
            if !memory.now.contains_key(&path) {
                let directories = vec![inode(path.parent().unwrap())];
                memory.log.push(Entry { change: Change::Made(path.clone(), metadata.ino()), directories, kept: false });
                memory.now.insert(path, metadata.ino());
            }
        }
    }

    fn moved(&self, from: &Path, to: &Path) {
        let mut memory = self.memory.lock().unwrap();
        let directories = vec![inode(from.parent().unwrap()), inode(to.parent().unwrap())];
        memory.log.push(Entry { change: Change::Moved(from.to_owned(), to.to_owned()), directories, kept: false });
        move_below(&mut memory.now, from, to);
    }

    fn gone(&self, path: &Path) {
        let mut memory = self.memory.lock().unwrap();
        let directories = vec![inode(path.parent().unwrap())];
        memory.log.push(Entry { change: Change::Gone(path.to_owned()), directories, kept: false });
        memory.now.remove(path);
    }

    /// Loses what was not synced, but for the oldest `spared` lost changes.
    fn cut(&self, spared: usize) {
        self.notice();
        let memory = &mut *self.memory.lock().unwrap();
        let mut tree = memory.first.clone();
        let mut left = spared;
        for entry in &memory.log {
            let kept = entry.kept || left > 0;
            left -= usize::from(!entry.kept && left > 0);
            let standing = |tree: &BTreeMap<PathBuf, u64>, path: &Path| tree.contains_key(path.parent().unwrap());
            match &entry.change {
                Change::Made(path, inode) if kept && standing(&tree, path) => drop(tree.insert(path.clone(), *inode)),
                Change::Moved(from, to) if kept && standing(&tree, to) && tree.contains_key(from) => {
                    move_below(&mut tree, from, to);
                }
                Change::Exchanged(left, right) if kept && tree.contains_key(left) && tree.contains_key(right) => {
                    exchange_below(&mut tree, left, right);
                }
                Change::Gone(path) if kept => drop(tree.remove(path)),
                _ => {}
            }
        }
        // A directory that was removed for good has no children.
        let whole: HashSet<PathBuf> = tree.keys().cloned().collect();
        tree.retain(|path, _| {
            path == &self.home
                || path.ancestors().skip(1).take_while(|up| up.starts_with(&self.home)).all(|up| whole.contains(up))
        });
        self.put_back(&tree, &memory.bytes);
    }

    fn put_back(&self, tree: &BTreeMap<PathBuf, u64>, bytes: &HashMap<u64, Vec<u8>>) {
        for (path, metadata) in walk(&self.home).unwrap().into_iter().rev().filter(|(path, _)| *path != self.home) {
            let kept = self.attic.join(metadata.ino().to_string());
            if kept.exists() { fs::remove_file(&path).unwrap() } else { fs::rename(&path, &kept).unwrap() }
        }
        let mut placed: HashMap<u64, &PathBuf> = HashMap::new();
        for (path, inode) in tree.iter().filter(|(path, _)| **path != self.home) {
            let kept = self.attic.join(inode.to_string());
            if let Some(first) = placed.insert(*inode, path) {
                fs::hard_link(first, path).unwrap();
                continue;
            }
            if !kept.exists() {
                // A directory whose removal was lost.
                fs::create_dir(path).unwrap();
                continue;
            }
            fs::rename(&kept, path).unwrap();
            if path.is_file() {
                let live = fs::read(path).unwrap();
                let torn = || live[..live.len() / 2].to_vec();
                let durable = bytes.get(inode).cloned().unwrap_or_else(torn);
                if durable != live {
                    fs::write(path, durable).unwrap();
                }
            }
        }
        fs::remove_dir_all(&self.attic).unwrap();
        fs::create_dir(&self.attic).unwrap();
    }
}

fn move_below(tree: &mut BTreeMap<PathBuf, u64>, from: &Path, to: &Path) {
    let below: Vec<PathBuf> = tree.keys().filter(|path| path.starts_with(from)).cloned().collect();
    for path in below {
        let inode = tree.remove(&path).unwrap();
        let rest = path.strip_prefix(from).unwrap();
        tree.insert(if rest.as_os_str().is_empty() { to.to_owned() } else { to.join(rest) }, inode);
    }
}

fn exchange_below(tree: &mut BTreeMap<PathBuf, u64>, left: &Path, right: &Path) {
    let aside = Path::new("/aside");
    move_below(tree, left, aside);
    move_below(tree, right, left);
    move_below(tree, aside, right);
}

impl Disk for Forgetful {
    fn create_dir(&self, path: &Path, mode: u32) -> io::Result<()> {
        self.call();
        LocalDisk.create_dir(path, mode)
    }
    fn write_new(&self, path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
        self.call();
        LocalDisk.write_new(path, bytes, mode)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.call();
        LocalDisk.rename(from, to)?;
        self.moved(from, to);
        Ok(())
    }
    fn replace(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.call();
        LocalDisk.replace(from, to)
    }
    fn exchange(&self, left: &Path, right: &Path) -> io::Result<()> {
        self.call();
        LocalDisk.exchange(left, right)?;
        let mut memory = self.memory.lock().unwrap();
        let directories = vec![inode(left.parent().unwrap()), inode(right.parent().unwrap())];
        let change = Change::Exchanged(left.to_owned(), right.to_owned());
        memory.log.push(Entry { change, directories, kept: false });
        exchange_below(&mut memory.now, left, right);
        Ok(())
    }
    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.call();
        LocalDisk.link(from, to)?;
        self.notice();
        Ok(())
    }
    fn sync(&self, path: &Path) -> io::Result<()> {
        self.call();
        LocalDisk.sync(path)?;
        let mut memory = self.memory.lock().unwrap();
        let own = inode(path);
        if path.is_file() {
            memory.bytes.insert(own, fs::read(path).unwrap());
            return Ok(());
        }
        let mut synced = HashSet::from([own]);
        for entry in memory.log.iter_mut().rev() {
            if entry.directories.iter().any(|directory| synced.contains(directory)) {
                entry.kept = true;
                synced.extend(&entry.directories);
            }
        }
        Ok(())
    }
    fn set_access(&self, path: &Path, mode: u32, owner: Option<(u32, u32)>) -> io::Result<()> {
        self.call();
        LocalDisk.set_access(path, mode, owner)
    }
    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.call();
        let kept = self.attic.join(inode(path).to_string());
        if path.starts_with(&self.home) && !kept.exists() {
            fs::hard_link(path, kept)?;
        }
        LocalDisk.remove_file(path)?;
        self.gone(path);
        Ok(())
    }
    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        self.call();
        LocalDisk.remove_dir(path)?;
        self.gone(path);
        Ok(())
    }
}

fn setup(kind: usize) -> Setup {
    let mut setup = Setup::new();
    if kind > 0 {
        setup = setup.small_chunks();
    }
    if kind > 1 {
        setup.target = "new";
        setup.target_layout = parquet(Shape::Directory, &["flag"]);
    }
    setup
}

/// A world on a forgetful disk.
fn world(kind: usize) -> (World, Arc<Forgetful>) {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().to_owned();
    let disk = Arc::new(Forgetful::new(&root));
    let world = Setup { disk: Arc::clone(&disk) as Arc<dyn Disk>, ..setup(kind) }.build_at(
        root,
        Some(directory),
        old_file(150),
    );
    disk.begin();
    (world, disk)
}

fn rows(world: &World) -> Vec<String> {
    let plan = &world.plan;
    world.rows_of(&plan.subject.target_location.path, &plan.subject.mapping.target, &plan.subject.target_layout)
}

#[test]
fn after_a_power_cut_the_target_is_absent_or_whole_and_the_run_goes_on() {
    let mut went_back = 0;
    for kind in 0..3 {
        let (undisturbed, disk) = world(kind);
        let before = disk.calls.load(Ordering::SeqCst);
        undisturbed.run_through("data/cutover");
        let (expected, calls) = (rows(&undisturbed), disk.calls.load(Ordering::SeqCst) - before);
        assert!(calls >= 12, "{calls} calls");
        for cut_at in 0..calls {
            for spared in [0, 2, usize::MAX] {
                let (mut world, disk) = world(kind);
                let source = fs::read(world.at("old.parquet")).unwrap();
                disk.cut_at.store(disk.calls.load(Ordering::SeqCst) + cut_at, Ordering::SeqCst);
                let mut done = 0;
                for uses in &STEPS[..5] {
                    match catch_unwind(AssertUnwindSafe(|| world.step(uses))) {
                        Ok(report) => drop(report.unwrap()),
                        Err(_) => break,
                    }
                    done += 1;
                }
                assert!(done < 5, "call {cut_at} was not reached");
                disk.cut(spared);
                world.reboot();
                let place = format!("kind {kind}, call {cut_at}, {spared} spared, {done} steps done");
                let target = world.at(&world.plan.subject.target_location.path);
                assert!(!target.exists() || rows(&world) == expected, "{place}: half a target");
                assert!(done < 4 || target.exists(), "{place}: what the journal calls published is there");
                assert_eq!(fs::read(world.at("old.parquet")).unwrap(), source, "{place}");
                world.run_through("data/cutover");
                assert_eq!(rows(&world), expected, "{place}");
                let names: Vec<_> =
                    fs::read_dir(&world.home).unwrap().map(|entry| entry.unwrap().file_name()).collect();
                assert_eq!(names.len(), 3, "{place}: {names:?}");
                went_back += world.went_back.load(Ordering::SeqCst);
            }
        }
    }
    assert!(went_back > 0, "a staged name was lost and made again");
}

/// A published directory to which somebody has added rows; all of it is on disk.
fn added_to() -> (World, Arc<Forgetful>) {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().to_owned();
    let disk = Arc::new(Forgetful::new(&root));
    let mut setup = Setup { disk: Arc::clone(&disk) as Arc<dyn Disk>, ..Setup::new() };
    (setup.source, setup.target) = ("old", "new");
    setup.layout = parquet(Shape::Directory, &["flag"]);
    setup.target_layout = parquet(Shape::Directory, &[]);
    let flag = setup.schema.columns.remove(5);
    setup.schema.columns.push(flag);
    let part = |range: std::ops::Range<i64>| crate::files::rows(range).project(&[0, 1, 2, 3, 4, 6, 7, 8]).unwrap();
    let world = setup.build_at(root, Some(directory), |home| {
        crate::files::write_parquet(&home.join("old/flag=true/a.parquet"), &part(0..20), 100);
    });
    disk.begin();
    world.run_through("data/publish");
    let all = [0, 1, 2, 3, 4, 6, 7, 8, 5];
    let more = crate::files::rows(100..150).project(&all).unwrap();
    crate::files::write_parquet(&world.at("new/more.parquet"), &more, 100);
    disk.begin();
    (world, disk)
}

#[test]
fn after_a_power_cut_rows_on_their_way_back_are_in_one_dataset_at_least_and_in_the_end_in_the_old() {
    let all_rows = |world: &World, name: &str, target: bool| -> Vec<String> {
        let plan = &world.plan;
        let (schema, layout) = if target {
            (&plan.subject.mapping.target, &plan.subject.target_layout)
        } else {
            (&plan.subject.mapping.source, &plan.subject.source.layout)
        };
        world.rows_of(name, schema, layout)
    };
    let (undisturbed, disk) = added_to();
    let mut expected = all_rows(&undisturbed, "new", true);
    let before = disk.calls.load(Ordering::SeqCst);
    undisturbed.undo("data/publish").unwrap();
    let calls = disk.calls.load(Ordering::SeqCst) - before;
    assert_eq!(all_rows(&undisturbed, "old", false), expected);
    assert!(calls >= 15, "{calls} calls");
    expected.sort();
    for cut_at in 0..calls {
        for spared in [0, 2, usize::MAX] {
            let (mut world, disk) = added_to();
            disk.cut_at.store(disk.calls.load(Ordering::SeqCst) + cut_at, Ordering::SeqCst);
            assert!(catch_unwind(AssertUnwindSafe(|| world.undo("data/publish"))).is_err(), "call {cut_at}");
            disk.cut(spared);
            world.reboot();
            let place = format!("call {cut_at}, {spared} spared");
            let in_target = world.at("new").exists() && all_rows(&world, "new", true) == expected;
            assert!(in_target || all_rows(&world, "old", false) == expected, "{place}: rows are nowhere");
            world.undo("data/publish").unwrap_or_else(|error| panic!("{place}: {error:?}"));
            assert_eq!(all_rows(&world, "old", false), expected, "{place}");
            assert!(!world.at("new").exists(), "{place}");
            for uses in ["data/verify", "data/backfill", "data/expand"] {
                world.undo(uses).unwrap();
            }
            let left: Vec<_> = fs::read_dir(&world.home).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            assert_eq!(left, ["old"], "{place}");
        }
    }
}

/// A published base whose source has a file that was written again, one that is gone and one that is new; all of it is on
/// disk, and the increment is about to begin.
fn grown() -> (World, Arc<Forgetful>) {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().to_owned();
    let disk = Arc::new(Forgetful::new(&root));
    let mut setup = Setup { disk: Arc::clone(&disk) as Arc<dyn Disk>, ..Setup::new() };
    (setup.source, setup.target) = ("old", "new");
    setup.layout = parquet(Shape::Directory, &[]);
    setup.target_layout = parquet(Shape::Directory, &["flag"]);
    let file = |home: &Path, name: &str, ids: std::ops::Range<i64>| {
        crate::files::write_parquet(&home.join("old").join(name), &crate::files::rows(ids), 100);
    };
    let mut world = setup.build_at(root, Some(directory), |home| {
        file(home, "a.parquet", 0..20);
        file(home, "b.parquet", 20..30);
        file(home, "d.parquet", 30..40);
    });
    world.plan.subject.increments = Some(Increments { removed: Removed::Follow, ..Increments::default() });
    disk.begin();
    world.run_through("data/publish");
    file(&world.home, "a.parquet", 0..5);
    fs::remove_file(world.at("old/b.parquet")).unwrap();
    file(&world.home, "c.parquet", 50..60);
    world.go_to("run-2", Some("run-1"));
    disk.begin();
    (world, disk)
}

#[test]
fn after_a_power_cut_a_target_is_one_generation_or_the_other_and_the_increment_goes_on() {
    let (undisturbed, disk) = grown();
    let (old, before) = (rows(&undisturbed), disk.calls.load(Ordering::SeqCst));
    undisturbed.run_through("data/publish");
    let (new, calls) = (rows(&undisturbed), disk.calls.load(Ordering::SeqCst) - before);
    assert!(old != new && calls >= 30, "{calls} calls");
    for cut_at in 0..calls {
        for spared in [0, 2, usize::MAX] {
            let (mut world, disk) = grown();
            disk.cut_at.store(disk.calls.load(Ordering::SeqCst) + cut_at, Ordering::SeqCst);
            let steps = STEPS[..4].iter();
            let done = steps.take_while(|uses| catch_unwind(AssertUnwindSafe(|| world.step(uses))).is_ok()).count();
            assert!(done < 4, "call {cut_at} was not reached");
            disk.cut(spared);
            world.reboot();
            let place = format!("call {cut_at}, {spared} spared, {done} steps done");
            let now = rows(&world);
            assert!(now == old || now == new, "{place}: half a generation of {} rows", now.len());
            world.run_through("data/publish");
            assert_eq!(rows(&world), new, "{place}");
            for uses in STEPS[..4].iter().rev() {
                world.undo(uses).unwrap_or_else(|error| panic!("{place}: undo of {uses}: {error:?}"));
            }
            assert_eq!(rows(&world), old, "{place}");
            assert_eq!(names(&world), ["new", "old"], "{place}");
        }
    }
}

#[test]
fn after_a_power_cut_an_increment_on_its_way_back_is_there_or_gone_and_the_undo_goes_on() {
    let (undisturbed, disk) = grown();
    let old = rows(&undisturbed);
    undisturbed.run_through("data/publish");
    let new = rows(&undisturbed);
    disk.begin();
    let before = disk.calls.load(Ordering::SeqCst);
    for uses in STEPS[..4].iter().rev() {
        undisturbed.undo(uses).unwrap();
    }
    let calls = disk.calls.load(Ordering::SeqCst) - before;
    assert!(calls >= 20, "{calls} calls");
    for cut_at in 0..calls {
        for spared in [0, 2, usize::MAX] {
            let (mut world, disk) = grown();
            world.run_through("data/publish");
            disk.begin();
            disk.cut_at.store(disk.calls.load(Ordering::SeqCst) + cut_at, Ordering::SeqCst);
            let steps = || STEPS[..4].iter().rev();
            let done = steps().take_while(|uses| catch_unwind(AssertUnwindSafe(|| world.undo(uses))).is_ok()).count();
            assert!(done < 4, "call {cut_at} was not reached");
            disk.cut(spared);
            world.reboot();
            let place = format!("call {cut_at}, {spared} spared, {done} steps back");
            let now = rows(&world);
            assert!(now == old || done == 0 && now == new, "{place}: {} rows", now.len());
            for uses in steps().skip(done) {
                world.undo(uses).unwrap_or_else(|error| panic!("{place}: undo of {uses}: {error:?}"));
            }
            assert_eq!(rows(&world), old, "{place}");
            assert_eq!(names(&world), ["new", "old"], "{place}");
        }
    }
}

fn names(world: &World) -> Vec<String> {
    let entries = fs::read_dir(&world.home).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = entries.map(|name| name.to_string_lossy().into_owned()).collect();
    names.sort();
    names
}
