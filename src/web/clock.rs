use std::cell::Cell;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(callback: &Function, milliseconds: i32) -> JsValue;
}

/// The page's clock in milliseconds; also works in a worker, where there is no `window`.
pub fn now() -> f64 {
    Reflect::get(&js_sys::global(), &"performance".into())
        .ok()
        .and_then(|p| p.dyn_into::<web_sys::Performance>().ok())
        .map_or(0.0, |p| p.now())
}

/// How often a waiting task checks the clock, in milliseconds.
const TICK_MS: i32 = 250;

/// How long a device may go without a sign of life before it counts as hung.
///
/// A busy machine is slow, not hung, and time spent asleep must not count. So this counts ticks of
/// this thread's own timer, which also fire late on a busy machine, and every sign of life resets
/// the count.
pub struct Patience {
    limit: i32,
    waited: Cell<i32>,
}

impl Patience {
    pub fn new(milliseconds: i32) -> Self {
        Self {
            limit: milliseconds,
            waited: Cell::new(0),
        }
    }

    /// Called by the awaited work whenever it makes progress.
    pub fn sign_of_life(&self) {
        self.waited.set(0);
    }

    /// The result of `work`, or `None` if it times out.
    pub async fn wait<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        self.sign_of_life();
        while self.waited.get() < self.limit {
            if let Some(done) = within(TICK_MS, work.as_mut()).await {
                return Some(done);
            }
            self.waited.set(self.waited.get() + TICK_MS);
        }
        None
    }
}

/// The result of `work`, or `None` if it takes longer than `milliseconds`.
async fn within<T>(milliseconds: i32, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    let mut alarm = pin!(sleep(milliseconds));
    poll_fn(|context| {
        if let Poll::Ready(done) = work.as_mut().poll(context) {
            return Poll::Ready(Some(done));
        }
        alarm.as_mut().poll(context).map(|()| None)
    })
    .await
}

/// Lets messages and timers run. Waking the task alone would only reach the microtask queue, and a
/// cancel would never arrive.
pub async fn breathe() {
    sleep(0).await;
}

async fn sleep(milliseconds: i32) {
    let promise = Promise::new(&mut |resolve, _| {
        set_timeout(&resolve, milliseconds);
    });
    // The promise never rejects.
    let _ = JsFuture::from(promise).await;
}
