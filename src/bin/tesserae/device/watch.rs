use std::fmt;
use std::time::{Duration, Instant};

use tesserae::Result;

/// Time between two tests of a device in use. A test takes milliseconds on a GPU, and less than two
/// seconds on a software adapter.
const EVERY: Duration = Duration::from_secs(60);

/// Tests a device periodically while it is in use.
pub struct Watch {
    check: Box<dyn FnMut() -> Result<()>>,
    last: Instant,
}

impl Watch {
    pub fn new(check: impl FnMut() -> Result<()> + 'static) -> Self {
        Self {
            check: Box::new(check),
            last: Instant::now(),
        }
    }

    pub fn check(&mut self) -> Result<()> {
        (self.check)()?;
        self.last = Instant::now();
        Ok(())
    }

    pub fn check_if_due(&mut self) -> Result<()> {
        match self.last.elapsed() >= EVERY {
            true => self.check(),
            false => Ok(()),
        }
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("last", &self.last).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use super::*;

    #[test]
    fn a_device_is_tested_again_when_a_minute_has_passed() {
        let tests = Rc::new(Cell::new(0));
        let counted = tests.clone();
        let mut watch = Watch::new(move || {
            counted.set(counted.get() + 1);
            Ok(())
        });
        watch.check_if_due().unwrap();
        assert_eq!(tests.get(), 0);
        let Some(earlier) = Instant::now().checked_sub(EVERY) else {
            return;
        };
        watch.last = earlier;
        watch.check_if_due().unwrap();
        watch.check_if_due().unwrap();
        assert_eq!(tests.get(), 1);
        watch.check().unwrap();
        assert_eq!(tests.get(), 2);
    }
}
