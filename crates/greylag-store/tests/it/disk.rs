//! A disk that tells what was synced from what was only written, and that can be full.
//!
//! A VFS over the platform's own: it passes everything on, but for each database and write-ahead log it remembers the
//! content that was synced and the writes since. [`Disk::after_power_cut`] gives what a machine could find after a power
//! cut: what was synced, and of the rest nothing, all, or an arbitrary part with torn writes.
#![expect(unsafe_code, reason = "SQLite calls a VFS through C function pointers")]
#![expect(clippy::unwrap_used, reason = "tests")]

use rusqlite::ffi;
use std::collections::BTreeMap;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Once};

pub(crate) const VFS: &str = "greylag-test-disk";

/// What of the writes since the last sync is found.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Found {
    Nothing,
    All,
    /// Each write whole, torn or not at all, by a seed.
    Some(u64),
}

#[derive(Clone, Debug)]
enum Op {
    Write(u64, Vec<u8>),
    Truncate(u64),
}

#[derive(Clone, Debug, Default)]
struct Synced {
    content: Vec<u8>,
    since: Vec<Op>,
}

/// What fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fails {
    Write,
    Sync,
}

type Image = BTreeMap<String, Synced>;

/// The disk of one folder.
#[derive(Default)]
pub(crate) struct Disk {
    files: Mutex<Image>,
    ops: AtomicU64,
    fails: Mutex<Option<(Fails, u64)>>,
    cut: Mutex<Option<(u64, Image, u64)>>,
    /// What the load has been told is on disk.
    pub(crate) acknowledged: AtomicU64,
}

static DISKS: Mutex<BTreeMap<String, Arc<Disk>>> = Mutex::new(BTreeMap::new());

impl Disk {
    /// A disk for databases below `folder`.
    pub(crate) fn at(folder: &Path) -> Arc<Self> {
        static REGISTER: Once = Once::new();
        REGISTER.call_once(register);
        let disk = Arc::new(Self::default());
        DISKS.lock().unwrap().insert(folder.to_str().unwrap().to_owned(), Arc::clone(&disk));
        disk
    }

    /// Makes the n-th operation of a kind from now on (from 1) fail, once.
    pub(crate) fn fail(&self, fails: Fails, nth: u64) {
        *self.fails.lock().unwrap() = Some((fails, nth));
    }

    /// Whether a failure is still to come.
    pub(crate) fn is_to_fail(&self) -> bool {
        self.fails.lock().unwrap().is_some()
    }

    /// Writes and syncs so far.
    pub(crate) fn ops(&self) -> u64 {
        self.ops.load(Ordering::SeqCst)
    }

    /// Remembers how things stand just before the n-th operation (counted by [`Disk::ops`]).
    pub(crate) fn cut_before(&self, op: u64) {
        *self.cut.lock().unwrap() = Some((op, Image::new(), 0));
    }

    /// Writes what is found after the power cut into `folder`; answers what had been acknowledged by then.
    pub(crate) fn after_power_cut(&self, found: Found, folder: &Path) -> u64 {
        let cut = self.cut.lock().unwrap();
        let (_, image, acknowledged) = cut.as_ref().unwrap();
        for (name, file) in image {
            std::fs::write(folder.join(Path::new(name).file_name().unwrap()), file.found(found)).unwrap();
        }
        *acknowledged
    }

    /// Counts an operation; whether it is to fail.
    fn operation(&self, kind: Fails) -> bool {
        let op = self.ops.fetch_add(1, Ordering::SeqCst) + 1;
        if let Some((at, image, acknowledged)) = self.cut.lock().unwrap().as_mut()
            && *at == op
        {
            *image = self.files.lock().unwrap().clone();
            *acknowledged = self.acknowledged.load(Ordering::SeqCst);
        }
        let mut fails = self.fails.lock().unwrap();
        match fails.as_mut() {
            Some((of, left)) if *of == kind => {
                *left -= 1;
                let now = *left == 0;
                if now {
                    *fails = None;
                }
                now
            }
            _ => false,
        }
    }

    fn with(&self, name: &str, change: impl FnOnce(&mut Synced)) {
        change(self.files.lock().unwrap().entry(name.to_owned()).or_default());
    }
}

impl Synced {
    fn apply(content: &mut Vec<u8>, op: &Op, bytes: usize) {
        match op {
            Op::Write(at, data) => {
                let (at, data) = (*at as usize, &data[..bytes.min(data.len())]);
                if content.len() < at + data.len() {
                    content.resize(at + data.len(), 0);
                }
                content[at..at + data.len()].copy_from_slice(data);
            }
            Op::Truncate(size) => content.truncate(*size as usize),
        }
    }

    fn sync(&mut self) {
        for op in std::mem::take(&mut self.since) {
            Self::apply(&mut self.content, &op, usize::MAX);
        }
    }

    fn found(&self, found: Found) -> Vec<u8> {
        let mut content = self.content.clone();
        let mut random = match found {
            Found::Nothing => return content,
            Found::All => None,
            Found::Some(seed) => Some(seed | 1),
        };
        for op in &self.since {
            let bytes = random.as_mut().map_or(usize::MAX, |state| {
                // xorshift64 (Marsaglia, 2003).
                *state ^= *state << 13;
                *state ^= *state >> 7;
                *state ^= *state << 17;
                match *state % 4 {
                    0 | 1 => usize::MAX,
                    2 => 512,
                    _ => 0,
                }
            });
            if bytes > 0 {
                Self::apply(&mut content, op, bytes);
            }
        }
        content
    }
}

/// SQLite's file, then ours, then (in the same memory) the platform's.
#[repr(C)]
struct Handle {
    base: ffi::sqlite3_file,
    /// None for files that are not of interest.
    log: *mut Log,
}

struct Log {
    disk: Arc<Disk>,
    name: String,
}

fn platform() -> *mut ffi::sqlite3_vfs {
    // SAFETY: a null name asks for the default VFS, which is registered for as long as the process lives.
    unsafe { ffi::sqlite3_vfs_find(std::ptr::null()) }
}

/// The platform's file behind ours.
fn real(file: *mut ffi::sqlite3_file) -> *mut ffi::sqlite3_file {
    // SAFETY: SQLite allocates `szOsFile` bytes, which we set to our size and the platform's together.
    unsafe { file.cast::<u8>().add(size_of::<Handle>()).cast() }
}

fn log<'a>(file: *mut ffi::sqlite3_file) -> Option<&'a Log> {
    // SAFETY: `file` was opened by `open`, which set `log` to null or to a box that `close` frees.
    unsafe { (*file.cast::<Handle>()).log.as_ref() }
}

fn methods(file: *mut ffi::sqlite3_file) -> &'static ffi::sqlite3_io_methods {
    // SAFETY: the platform's `xOpen` has set the methods, which are static.
    unsafe { &*(*real(file)).pMethods }
}

macro_rules! pass {
    ($($name:ident: $method:ident($($arg:ident: $type:ty),*);)*) => {$(
        unsafe extern "C" fn $name(file: *mut ffi::sqlite3_file, $($arg: $type),*) -> c_int {
            // SAFETY: passed on as it came, to the platform's file.
            unsafe { methods(file).$method.unwrap()(real(file), $($arg),*) }
        }
    )*};
}

pass! {
    read: xRead(buffer: *mut c_void, amount: c_int, offset: i64);
    file_size: xFileSize(size: *mut i64);
    lock: xLock(level: c_int);
    unlock: xUnlock(level: c_int);
    check_lock: xCheckReservedLock(out: *mut c_int);
    control: xFileControl(op: c_int, argument: *mut c_void);
    sector_size: xSectorSize();
    characteristics: xDeviceCharacteristics();
    shm_map: xShmMap(region: c_int, size: c_int, extend: c_int, out: *mut *mut c_void);
    shm_lock: xShmLock(offset: c_int, count: c_int, flags: c_int);
    shm_unmap: xShmUnmap(delete: c_int);
}

unsafe extern "C" fn shm_barrier(file: *mut ffi::sqlite3_file) {
    // SAFETY: as for the others.
    unsafe { methods(file).xShmBarrier.unwrap()(real(file)) }
}

unsafe extern "C" fn write(file: *mut ffi::sqlite3_file, buffer: *const c_void, amount: c_int, offset: i64) -> c_int {
    if let Some(log) = log(file) {
        if log.disk.operation(Fails::Write) {
            return ffi::SQLITE_FULL;
        }
        // SAFETY: SQLite hands over `amount` readable bytes.
        let data = unsafe { std::slice::from_raw_parts(buffer.cast::<u8>(), amount as usize) }.to_vec();
        log.disk.with(&log.name, |synced| synced.since.push(Op::Write(offset as u64, data)));
    }
    // SAFETY: passed on as it came.
    unsafe { methods(file).xWrite.unwrap()(real(file), buffer, amount, offset) }
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, size: i64) -> c_int {
    if let Some(log) = log(file) {
        log.disk.with(&log.name, |synced| synced.since.push(Op::Truncate(size as u64)));
    }
    // SAFETY: passed on as it came.
    unsafe { methods(file).xTruncate.unwrap()(real(file), size) }
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, _flags: c_int) -> c_int {
    if let Some(log) = log(file) {
        if log.disk.operation(Fails::Sync) {
            return ffi::SQLITE_IOERR_FSYNC;
        }
        log.disk.with(&log.name, Synced::sync);
    }
    // The machine that runs the test does not lose power: its own disk need not be asked.
    ffi::SQLITE_OK
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: closed once; the box was made by `open`.
    unsafe {
        let handle = file.cast::<Handle>();
        if !(*handle).log.is_null() {
            drop(Box::from_raw((*handle).log));
            (*handle).log = std::ptr::null_mut();
        }
        methods(file).xClose.unwrap()(real(file))
    }
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_lock),
    xFileControl: Some(control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

unsafe extern "C" fn open(
    _vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: the memory behind `file` is as large as `szOsFile` says; the name is null or lives as long as the file.
    unsafe {
        let handle = file.cast::<Handle>();
        (*handle).base.pMethods = std::ptr::null();
        (*handle).log = std::ptr::null_mut();
        let result = (*platform()).xOpen.unwrap()(platform(), name, real(file), flags, out);
        if result != ffi::SQLITE_OK {
            return result;
        }
        (*handle).base.pMethods = &raw const METHODS;
        if !name.is_null() {
            let name = CStr::from_ptr(name).to_str().unwrap().to_owned();
            let disks = DISKS.lock().unwrap();
            if let Some((_, disk)) = disks.iter().find(|(folder, _)| name.starts_with(folder.as_str())) {
                (*handle).log = Box::into_raw(Box::new(Log { disk: Arc::clone(disk), name }));
            }
        }
        ffi::SQLITE_OK
    }
}

unsafe extern "C" fn delete(_vfs: *mut ffi::sqlite3_vfs, name: *const c_char, sync: c_int) -> c_int {
    // SAFETY: a name that SQLite passes is valid during the call.
    unsafe {
        let text = CStr::from_ptr(name).to_str().unwrap();
        let disks = DISKS.lock().unwrap();
        if let Some((_, disk)) = disks.iter().find(|(folder, _)| text.starts_with(folder.as_str())) {
            disk.files.lock().unwrap().remove(text);
        }
        (*platform()).xDelete.unwrap()(platform(), name, sync)
    }
}

fn register() {
    // SAFETY: a copy of the platform's VFS under another name, kept for as long as the process lives. Its other methods
    // look at nothing of the struct but what the copy has too.
    unsafe {
        let mut vfs = *platform();
        vfs.szOsFile += size_of::<Handle>() as c_int;
        vfs.zName = c"greylag-test-disk".as_ptr();
        vfs.pNext = std::ptr::null_mut();
        vfs.xOpen = Some(open);
        vfs.xDelete = Some(delete);
        assert_eq!(ffi::sqlite3_vfs_register(Box::into_raw(Box::new(vfs)), 0), ffi::SQLITE_OK);
    }
}
