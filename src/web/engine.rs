use std::cell::RefCell;

use burn::tensor::Device;
use burn::tensor::wgpu::wgpu;
use serde::Serialize;
use wasm_bindgen::prelude::*;

use super::adapter::{AdapterFacts, probe};
use super::clock::{self, Patience};
use super::object;
use crate::codec::Limits;
use crate::device::choice::{Adapter, Choice, Facts, Kind, Next, Times, choose, remember};
use crate::device::{check, measure, warm_up};
use crate::error::{Error, Result};

/// How long to wait for one answer from the graphics driver. A hung driver must not keep the user
/// from the CPU; a software adapter needs a second or two.
const PATIENCE_MS: i32 = 20_000;
/// The same when the user explicitly asked for WebGPU and would rather wait than fall back to the
/// CPU: on a busy machine, a software adapter takes most of a minute to compile its first kernels.
const LONG_PATIENCE_MS: i32 = 120_000;

thread_local! {
    // The runtime accepts one device per worker and cannot be initialised twice.
    static WEBGPU: RefCell<Option<(Device, wgpu::Device)>> = const { RefCell::new(None) };
}

#[derive(Debug, Clone, Serialize)]
struct Problem {
    code: &'static str,
    message: String,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct DeviceFacts {
    kind: Kind,
    choice: Choice,
    reason: String,
    adapter: Option<AdapterFacts>,
    self_test: Option<Times>,
    problem: Option<Problem>,
}

/// A working device: WebGPU or the CPU.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Engine {
    device: Device,
    facts: DeviceFacts,
}

#[wasm_bindgen]
impl Engine {
    /// Opens the requested device. If WebGPU fails in any way, falls back to the CPU and reports
    /// the reason in `facts.problem`.
    ///
    /// `remembered` is the `remember` value of an earlier "auto" run, which saves measuring again;
    /// it is ignored on a different adapter.
    pub async fn open(
        #[wasm_bindgen(unchecked_param_type = "DeviceChoice")] choice: String,
        remembered: Option<String>,
    ) -> std::result::Result<Engine, JsValue> {
        let choice: Choice = choice.parse()?;
        let patience = Patience::new(match choice {
            Choice::WebGpu => LONG_PATIENCE_MS,
            Choice::Auto | Choice::Cpu => PATIENCE_MS,
        });
        let adapter = patience.wait(probe()).await;
        let adapter = adapter.unwrap_or(Err(Error::AdapterAbsent));
        let mut facts = Facts {
            choice,
            adapter: adapter.as_ref().map(Adapter::from).map_err(Error::clone),
            tested: None,
            times: None,
        };
        let mut device = Device::flex();
        loop {
            match choose(&facts, remembered.as_deref()) {
                Next::Test => {
                    let opened = webgpu(&patience).await;
                    facts.tested = Some(opened.map(|opened| device = opened));
                }
                Next::Measure => facts.times = Some(contest(&device, &patience).await),
                Next::Use {
                    kind,
                    reason,
                    problem,
                } => {
                    return Ok(Self {
                        device: match kind {
                            Kind::WebGpu => device,
                            Kind::Cpu => Device::flex(),
                        },
                        facts: DeviceFacts {
                            kind,
                            choice,
                            reason,
                            adapter: adapter.ok(),
                            self_test: facts.times.and_then(Result::ok),
                            problem: problem.map(|error| Problem {
                                code: error.code(),
                                message: error.to_string(),
                            }),
                        },
                    });
                }
            }
        }
    }

    /// Waits until the device has reported all errors of the work so far, before its result is
    /// returned. If the browser rejects a shader, the work is silently skipped and stale values are
    /// read in its place; reporting the error panics.
    pub async fn settle(&self) {
        let device = match self.facts.kind {
            Kind::WebGpu => WEBGPU.with_borrow(|open| open.as_ref().map(|(_, d)| d.clone())),
            Kind::Cpu => None,
        };
        let Some(device) = device else { return };
        // Resolves after all earlier errors have been reported.
        let scope = device.push_error_scope(wgpu::ErrorFilter::Validation);
        let _ = scope.pop().await;
        clock::breathe().await;
    }

    /// The value to pass as `remembered` next time; undefined if nothing was measured.
    #[wasm_bindgen(getter)]
    pub fn remember(&self) -> Option<String> {
        self.facts.self_test.as_ref()?;
        let adapter = self.facts.adapter.as_ref()?.name();
        Some(remember(self.facts.kind, &adapter))
    }

    /// Which device is in use, why, and its adapter.
    #[wasm_bindgen(getter, unchecked_return_type = "DeviceFacts")]
    pub fn facts(&self) -> std::result::Result<JsValue, JsValue> {
        object(&self.facts)
    }
}

impl Engine {
    pub(super) fn device(&self) -> &Device {
        &self.device
    }

    /// What fits on the device: the adapter's limits, or the CPU's.
    pub(super) fn limits(&self) -> Limits {
        let adapter = match (self.facts.kind, &self.facts.adapter) {
            (Kind::WebGpu, Some(adapter)) => adapter,
            (Kind::WebGpu, None) => return Limits::PORTABLE,
            (Kind::Cpu, _) => return Limits::CPU,
        };
        let limit = |name: &str, portable| adapter.limits.get(name).map_or(portable, |&v| v as u64);
        Limits {
            binding: limit("maxStorageBufferBindingSize", Limits::PORTABLE.binding),
            buffer: limit("maxBufferSize", Limits::PORTABLE.buffer),
            ..Limits::PORTABLE
        }
    }
}

/// Times the same work on WebGPU and on the CPU; checks both results.
async fn contest(webgpu: &Device, patience: &Patience) -> Result<Times> {
    let webgpu_ms = patience
        .wait(measure(webgpu, clock::now))
        .await
        .ok_or_else(|| Error::SelfTestFailed("it took too long".into()))??;
    Ok(Times {
        webgpu_ms,
        cpu_ms: measure(&Device::flex(), clock::now).await?,
    })
}

/// This worker's WebGPU device, after it has passed the self-test.
async fn webgpu(patience: &Patience) -> Result<Device> {
    let open = WEBGPU.with_borrow(|open| open.as_ref().map(|(device, _)| device.clone()));
    let device = match open {
        Some(device) => device,
        None => {
            let (device, setup) = patience
                .wait(Device::wgpu_options().init_with_setup_async())
                .await
                .ok_or_else(|| Error::DeviceRefused("it did not answer".into()))?
                .map_err(|e| Error::DeviceRefused(e.to_string()))?;
            WEBGPU.with_borrow_mut(|slot| *slot = Some((device.clone(), setup.device)));
            device
        }
    };
    let passed = async {
        warm_up(&device, || patience.sign_of_life()).await?;
        check(&device).await
    };
    patience
        .wait(passed)
        .await
        .ok_or_else(|| Error::SelfTestFailed("it took too long".into()))??;
    Ok(device)
}
