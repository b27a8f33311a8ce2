use burn::tensor::Tensor;
use pollster::block_on;

use super::super::{Losses, State};
use super::*;

/// Counts steps, and can be made to fail.
#[derive(Default)]
struct Count {
    seen: Vec<usize>,
}

impl Task for Count {
    type Data = f32;

    async fn step(&mut self, data: &f32, step: usize, _steps: usize) -> Result<Losses> {
        self.seen.push(step);
        let mut losses = Losses::default();
        losses.add("data", Tensor::from_floats([*data], &Device::flex()));
        Ok(losses)
    }

    fn identity(&self) -> Result<String> {
        Ok("count".to_owned())
    }

    fn is_same(&self, identity: &str) -> Result<bool> {
        Ok(identity == self.identity()?)
    }

    async fn save(&self, _state: &mut State) -> Result<()> {
        Ok(())
    }

    fn restore(&mut self, _state: &State) -> Result<()> {
        Ok(())
    }

    async fn artifacts(&self, _: About<'_>, _: Storage) -> Result<Vec<Artifact>> {
        Ok(Vec::new())
    }
}

/// All events up to the end: `s`, `S`, `L` and `l` for a step, a save, a look and a log. Calls
/// `stop` after that many steps.
fn events(session: &mut Session<Count>, stop: usize) -> String {
    let mut events = String::new();
    while let Some(event) = block_on(session.next()).unwrap() {
        events.push(match event {
            Event::Step(_) => 's',
            Event::Save => 'S',
            Event::Look => 'L',
            Event::Log => 'l',
        });
        if session.done() == stop {
            session.stop();
        }
    }
    events
}

fn session(steps: usize, [save, look, log]: [usize; 3]) -> Session<Count> {
    Session::new(Count::default(), 1.5, steps, Rhythm { save, look, log })
}

#[test]
fn events_come_in_their_rhythm_and_all_after_the_last_step() {
    assert_eq!(events(&mut session(5, [2, 4, 1]), 99), "slsSlslsSLlsSLl");
    assert_eq!(events(&mut session(3, [0, 0, 0]), 99), "sss");
    assert_eq!(events(&mut session(0, [1, 1, 1]), 99), "");
}

#[test]
fn a_stop_saves_once_what_was_not_saved_yet() {
    let mut stopped = session(9, [2, 0, 0]);
    assert_eq!(events(&mut stopped, 3), "ssSsS");
    assert_eq!(stopped.done(), 3);
    assert!(!stopped.finished());
    // Nothing changed since the last save.
    assert_eq!(events(&mut session(9, [2, 0, 0]), 4), "ssSssS");
    assert_eq!(events(&mut session(9, [0, 0, 0]), 2), "ss");
    let mut unbegun = session(9, [2, 0, 0]);
    unbegun.stop();
    assert_eq!(events(&mut unbegun, 99), "S");
}

#[test]
fn a_resumed_session_counts_on() {
    let mut first = session(6, [2, 0, 0]);
    for _ in 0..4 {
        block_on(first.next()).unwrap();
    }
    let checkpoint = block_on(first.checkpoint()).unwrap();
    let mut second = session(6, [2, 0, 0]);
    second.resume(&checkpoint).unwrap();
    assert_eq!(second.done(), 3);
    assert_eq!(events(&mut second, 99), "sSssS");
    assert_eq!(second.task().seen, [3, 4, 5]);
    // A stop at once saves what may be older than the checkpoint.
    let mut third = session(6, [2, 0, 0]);
    third.resume(&checkpoint).unwrap();
    third.stop();
    assert_eq!(events(&mut third, 99), "S");
}

#[test]
fn a_loss_that_is_not_finite_is_an_error() {
    let mut session = Session::new(Count::default(), f32::NAN, 3, Rhythm::default());
    let error = block_on(session.next()).unwrap_err();
    assert_eq!(error.code(), "loss_not_finite");
    // At the last step, too, a failure does not look like the end.
    let mut session = Session::new(Count::default(), f32::NAN, 1, Rhythm::default());
    block_on(session.next()).unwrap_err();
    assert!(!session.finished());
    assert!(block_on(session.next()).is_err());
}
