//! What one query may take of memory and time, kept where SQLite allocates.
//!
//! SQLite looks at the clock while a statement runs, but not while it prepares one, and a short statement can grow
//! without end there: `WITH` parts that each name the one before twice, say. Whatever grows allocates. So the allocator
//! of the library is wrapped by one that, within [`Budget::spend`], gives the thread nothing beyond its budget; SQLite then
//! ends that statement for lack of memory, and nobody else notices.

#![expect(unsafe_code, reason = "SQLite's allocator is a table of functions in C")]

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::sync::OnceLock;
use std::time::Instant;

use rusqlite::ffi;

/// What is left to a query.
#[derive(Clone, Copy)]
pub(super) struct Budget {
    /// Bytes.
    left: i64,
    until: Instant,
}

thread_local! {
    /// Of the work that this thread does now.
    static BUDGET: Cell<Option<Budget>> = const { Cell::new(None) };
}

impl Budget {
    pub(super) fn new(bytes: i64, until: Instant) -> Self {
        Self { left: bytes, until }
    }

    /// What SQLite allocates during `work` is taken from the budget, what it frees is given back.
    pub(super) fn spend<T>(&mut self, work: impl FnOnce() -> T) -> T {
        /// Ends it also where `work` panics.
        struct Spending<'a>(&'a mut Budget);
        impl Drop for Spending<'_> {
            fn drop(&mut self) {
                if let Some(rest) = BUDGET.take() {
                    *self.0 = rest;
                }
            }
        }
        BUDGET.set(Some(*self));
        let _spending = Spending(self);
        work()
    }

    /// Whether the thread may have so many bytes more. Fewer are always allowed.
    fn grants(bytes: i64) -> bool {
        let Some(mut budget) = BUDGET.get() else { return true };
        if bytes > 0 && (budget.left < bytes || Instant::now() >= budget.until) {
            return false;
        }
        budget.left -= bytes;
        BUDGET.set(Some(budget));
        true
    }
}

/// The functions of the allocator that is wrapped.
struct Wrapped {
    malloc: unsafe extern "C" fn(c_int) -> *mut c_void,
    free: unsafe extern "C" fn(*mut c_void),
    realloc: unsafe extern "C" fn(*mut c_void, c_int) -> *mut c_void,
    size: unsafe extern "C" fn(*mut c_void) -> c_int,
}

static WRAPPED: OnceLock<Wrapped> = OnceLock::new();

/// Wraps SQLite's allocator; to be called before anything else is asked of SQLite in this process. Whether it is wrapped.
pub(in crate::store::sql::query) fn install() -> bool {
    static INSTALLED: OnceLock<bool> = OnceLock::new();
    *INSTALLED.get_or_init(|| wrap().is_some())
}

fn wrap() -> Option<()> {
    let mut methods = std::mem::MaybeUninit::<ffi::sqlite3_mem_methods>::uninit();
    // SAFETY: GETMALLOC fills in the table that it is given, where it succeeds.
    let mut methods = unsafe {
        if ffi::sqlite3_config(ffi::SQLITE_CONFIG_GETMALLOC, methods.as_mut_ptr()) != ffi::SQLITE_OK {
            return None;
        }
        methods.assume_init()
    };
    let (malloc, free, realloc) = (methods.xMalloc?, methods.xFree?, methods.xRealloc?);
    // Before SQLite can call ours, which need it.
    WRAPPED.set(Wrapped { malloc, free, realloc, size: methods.xSize? }).ok()?;
    methods.xMalloc = Some(bounded_malloc);
    methods.xFree = Some(bounded_free);
    methods.xRealloc = Some(bounded_realloc);
    // SAFETY: SQLite copies the table. Its functions do what those that they call do, or refuse an allocation, for which
    // SQLite is made. Once it is in use, SQLite takes no other table.
    let set = unsafe { ffi::sqlite3_config(ffi::SQLITE_CONFIG_MALLOC, &raw mut methods) };
    (set == ffi::SQLITE_OK).then_some(())
}

unsafe extern "C" fn bounded_malloc(bytes: c_int) -> *mut c_void {
    match WRAPPED.get() {
        // SAFETY: called as SQLite calls.
        Some(wrapped) if Budget::grants(bytes.into()) => unsafe { (wrapped.malloc)(bytes) },
        _ => std::ptr::null_mut(),
    }
}

unsafe extern "C" fn bounded_free(block: *mut c_void) {
    if let Some(wrapped) = WRAPPED.get().filter(|_| !block.is_null()) {
        // SAFETY: the block is one of this allocator.
        unsafe {
            Budget::grants(-i64::from((wrapped.size)(block)));
            (wrapped.free)(block);
        }
    }
}

unsafe extern "C" fn bounded_realloc(block: *mut c_void, bytes: c_int) -> *mut c_void {
    match WRAPPED.get() {
        // SAFETY: the block is one of this allocator, and SQLite gives no null here.
        Some(wrapped) if Budget::grants(i64::from(bytes) - i64::from(unsafe { (wrapped.size)(block) })) => unsafe {
            (wrapped.realloc)(block, bytes)
        },
        _ => std::ptr::null_mut(),
    }
}
