//! The same work on many things, a bounded number of them at a time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

/// Does `work` on each item in threads, at most `most` at a time; answers what came of them, in their order. `done` is told in this
/// thread how many are over. Once `stop` holds no further item is begun, and none is answered for it.
pub(crate) fn each<T: Sync, R: Send>(
    items: &[T],
    most: usize,
    work: impl Fn(&T) -> R + Sync,
    stop: impl Fn() -> bool + Sync,
    mut done: impl FnMut(usize),
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let mut results: Vec<(usize, R)> = std::thread::scope(|scope| {
        let (tell, told) = mpsc::channel();
        for _ in 0..most.clamp(1, items.len().max(1)) {
            let (tell, next, work, stop) = (tell.clone(), &next, &work, &stop);
            scope.spawn(move || {
                while !stop() {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(at) else { return };
                    // Who listens goes only after all have ended.
                    let _ = tell.send((at, work(item)));
                }
            });
        }
        drop(tell);
        told.into_iter().enumerate().inspect(|(count, _)| done(count + 1)).map(|(_, result)| result).collect()
    });
    results.sort_by_key(|(at, _)| *at);
    results.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::each;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn all_are_done_in_order_and_not_more_than_so_many_at_once() {
        let (now, largest) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let items: Vec<usize> = (0..500).collect();
        let mut told = Vec::new();
        let doubled = each(
            &items,
            3,
            |item| {
                largest.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                std::thread::yield_now();
                now.fetch_sub(1, Ordering::SeqCst);
                item * 2
            },
            || false,
            |count| told.push(count),
        );
        assert_eq!(doubled, items.iter().map(|item| item * 2).collect::<Vec<_>>());
        assert!((1..=3).contains(&largest.load(Ordering::SeqCst)));
        assert_eq!(told, (1..=500).collect::<Vec<_>>());
        assert_eq!(each(&[0; 0], 3, |item| *item, || false, |_| ()), [0; 0]);
    }

    #[test]
    fn what_is_stopped_begins_nothing_more() {
        let begun = AtomicUsize::new(0);
        let answered =
            each(&[0; 100], 1, |_| begun.fetch_add(1, Ordering::SeqCst), || begun.load(Ordering::SeqCst) >= 7, |_| ());
        assert_eq!(answered, (0..7).collect::<Vec<_>>());
    }
}
