//! Claims in memory, taken by many threads at once.

use std::{
    sync::{
        Barrier,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use futures_util::FutureExt;
use uploadcare_hooks::claims::{Claim, ClaimFuture, DeliveryClaims, MemoryClaims};

/// These claims never wait.
fn now<T>(future: ClaimFuture<'_, T>) -> T {
    future.now_or_never().unwrap().unwrap()
}

#[test]
fn claims_in_memory_are_granted_to_one_thread_at_a_time_and_never_after_they_were_completed() {
    const KEYS: usize = 400;
    const THREADS: usize = 4;
    let claims = MemoryClaims::new(10_000, Duration::from_secs(60));
    let taken: [AtomicBool; KEYS] = [const { AtomicBool::new(false) }; KEYS];
    let completed: [AtomicUsize; KEYS] = [const { AtomicUsize::new(0) }; KEYS];
    let start = Barrier::new(THREADS);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                start.wait();
                for round in 0..10 * KEYS {
                    let number = round % KEYS;
                    let key = number.to_string();
                    let Claim::Granted(mark) = now(claims.claim(&key)) else { continue };
                    assert!(!taken[number].swap(true, Ordering::SeqCst), "{key} is granted twice at once");
                    assert_eq!(completed[number].load(Ordering::SeqCst), 0, "{key} is granted after it was done");
                    thread::yield_now();
                    taken[number].store(false, Ordering::SeqCst);
                    // The first claims of every other key end without success.
                    if round < 5 * KEYS && number.is_multiple_of(2) {
                        now(claims.release(&key, &mark));
                    } else {
                        completed[number].fetch_add(1, Ordering::SeqCst);
                        now(claims.complete(&key, &mark));
                    }
                }
            });
        }
    });
    assert!(completed.iter().all(|times| times.load(Ordering::SeqCst) == 1));
}
