//! The only place that opens a device: no GPU is used before it has passed the self-test.

mod gpu;
mod kind;
mod trial;
mod watch;

use std::cell::RefCell;
use std::ops::Deref;

use burn::tensor::Device;
use clap::ValueEnum;
use kind::Kind;
use tesserae::Result;
use tesserae::codec::Limits;
use tesserae::device::SelfTest;
use watch::Watch;

use crate::terminal;

/// Which device to compute on.
#[derive(Debug, clap::Args)]
pub struct DeviceArgs {
    /// Device to compute on.
    #[arg(long, value_enum, default_value_t)]
    device: Kind,
}

impl DeviceArgs {
    /// Opens the device. A GPU is first tested in a separate process, as a driver that computes
    /// wrong results may also crash.
    ///
    /// # Errors
    /// [`AdapterAbsent`](tesserae::Error::AdapterAbsent),
    /// [`DeviceRefused`](tesserae::Error::DeviceRefused),
    /// [`SelfTestFailed`](tesserae::Error::SelfTestFailed).
    pub fn open(&self) -> Result<Opened> {
        self.open_for(Work::Forward)
    }

    /// The same for training: also tests a GPU's gradients.
    ///
    /// # Errors
    /// As [`DeviceArgs::open`].
    pub fn open_to_train(&self) -> Result<Opened> {
        self.open_for(Work::Training)
    }

    fn open_for(&self, work: Work) -> Result<Opened> {
        let kind = self.device;
        if kind == Kind::Cpu {
            return Ok(Opened::cpu());
        }
        trial::run(&word(kind), &word(work))
            .and_then(|()| Opened::here(kind, work))
            .map_err(|error| kind.advise(error))
    }
}

/// A choice as written on the command line.
fn word(choice: impl ValueEnum) -> String {
    let value = choice.to_possible_value();
    value.map_or_else(String::new, |value| value.get_name().to_owned())
}

/// What the device is used for, which determines what is tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Work {
    Forward,
    Training,
}

/// A device that has computed correctly so far.
#[derive(Debug)]
pub struct Opened {
    device: Device,
    limits: Limits,
    /// `None` for the CPU.
    watch: Option<RefCell<Watch>>,
    kind: Kind,
}

impl Opened {
    /// The CPU, which needs no test.
    pub fn cpu() -> Self {
        Self {
            device: Device::flex(),
            limits: Limits::CPU,
            watch: None,
            kind: Kind::Cpu,
        }
    }

    /// Opens a device and tests it in this process.
    fn here(kind: Kind, work: Work) -> Result<Self> {
        if kind == Kind::Cpu {
            return Ok(Self::cpu());
        }
        let (device, limits) = gpu::open(kind)?;
        let test = match work {
            Work::Forward => SelfTest::new(&device),
            Work::Training => pollster::block_on(SelfTest::for_training(&device))?,
        };
        let mut watch = Watch::new(move || pollster::block_on(test.check()));
        watch.check()?;
        Ok(Self {
            device,
            limits,
            watch: Some(RefCell::new(watch)),
            kind,
        })
    }

    /// What fits on the device.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Tests the device again if the last test was some time ago; called between the steps of
    /// long-running work.
    ///
    /// # Errors
    /// [`SelfTestFailed`](tesserae::Error::SelfTestFailed).
    pub fn check_sometimes(&self) -> Result<()> {
        self.watched(Watch::check_if_due)
    }

    /// Tests the device again now; called before results are saved.
    ///
    /// # Errors
    /// [`SelfTestFailed`](tesserae::Error::SelfTestFailed).
    pub fn check(&self) -> Result<()> {
        self.watched(Watch::check)
    }

    fn watched(&self, check: impl Fn(&mut Watch) -> Result<()>) -> Result<()> {
        match &self.watch {
            Some(watch) => check(&mut watch.borrow_mut()),
            None => Ok(()),
        }
        .map_err(|error| self.kind.advise(error))
    }

    /// The CPU with a custom test, to simulate a GPU that starts to compute wrong results.
    #[cfg(test)]
    pub fn tested_by(check: impl FnMut() -> Result<()> + 'static) -> Self {
        Self {
            watch: Some(RefCell::new(Watch::new(check))),
            ..Self::cpu()
        }
    }
}

impl Deref for Opened {
    type Target = Device;

    fn deref(&self) -> &Device {
        &self.device
    }
}

/// Arguments of the process that tests a GPU; see [`trial`].
#[derive(Debug, clap::Args)]
pub struct SelfTestArgs {
    #[command(flatten)]
    device: DeviceArgs,
    #[arg(long, value_enum)]
    work: Work,
}

impl SelfTestArgs {
    /// Tests the device and prints the result.
    pub fn run(self) -> Result<()> {
        let opened = Opened::here(self.device.device, self.work);
        terminal::print_json(trial::answer(opened.map(|_| ())))
    }
}

#[cfg(test)]
mod tests {
    use tesserae::Error;

    use super::*;

    #[test]
    fn a_device_that_starts_to_compute_wrong_is_noticed_and_the_way_on_named() {
        let mut left = 1;
        let device = Opened::tested_by(move || {
            left -= 1;
            match left {
                0.. => Ok(()),
                _ => Err(Error::SelfTestFailed("its result is off by 3".to_owned())),
            }
        });
        device.check().unwrap();
        // Not due yet.
        device.check_sometimes().unwrap();
        let error = device.check().unwrap_err();
        assert_eq!(error.code(), "self_test_failed");
        let told = error.to_string();
        assert!(told.contains("off by 3; `--device cpu`"), "{told}");
    }
}
