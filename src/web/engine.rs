use std::cell::RefCell;

use burn::tensor::Device;
use burn::tensor::wgpu::wgpu;
use serde::Serialize;
use wasm_bindgen::prelude::*;

use super::adapter::{AdapterFacts, probe};
use super::clock::{self, Patience};
use super::object;
use crate::codec::Limits;
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

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    WebGpu,
    Cpu,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct SelfTest {
    webgpu_ms: Option<f64>,
    cpu_ms: Option<f64>,
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
    choice: String,
    reason: String,
    adapter: Option<AdapterFacts>,
    self_test: Option<SelfTest>,
    problem: Option<Problem>,
}

/// Result of an earlier measurement on this adapter.
#[derive(Debug, PartialEq)]
enum Remembered {
    Nothing,
    WebGpu,
    Cpu,
}

impl Remembered {
    fn of(remembered: Option<&str>, choice: &str, adapter: &AdapterFacts) -> Self {
        let name = adapter.name();
        match remembered.filter(|_| choice == "auto") {
            Some(text) if text == format!("webgpu on {name}") => Self::WebGpu,
            Some(text) if text == format!("cpu beside {name}") => Self::Cpu,
            _ => Self::Nothing,
        }
    }
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
        if !["auto", "webgpu", "cpu"].contains(&choice.as_str()) {
            return Err(Error::Argument(format!("There is no device `{choice}`")).into());
        }
        let patience = Patience::new(match choice.as_str() {
            "webgpu" => LONG_PATIENCE_MS,
            _ => PATIENCE_MS,
        });
        let adapter = patience.wait(probe()).await;
        let adapter = adapter.unwrap_or(Err(Error::AdapterAbsent));
        let facts = |kind, reason: String| DeviceFacts {
            kind,
            choice: choice.clone(),
            reason,
            adapter: adapter.as_ref().ok().cloned(),
            self_test: None,
            problem: None,
        };
        let cpu = |reason: String, problem: Option<&Error>| Engine {
            device: Device::flex(),
            facts: DeviceFacts {
                problem: problem.map(|error| Problem {
                    code: error.code(),
                    message: error.to_string(),
                }),
                ..facts(Kind::Cpu, reason)
            },
        };
        if choice == "cpu" {
            return Ok(cpu("You chose it.".into(), None));
        }
        let found = match &adapter {
            Ok(found) => found,
            Err(error) => return Ok(cpu(error.to_string(), Some(error))),
        };
        if choice == "auto" && found.software {
            let reason = format!(
                "The only graphics adapter here ({}) is software, which is far slower.",
                found.name()
            );
            return Ok(cpu(reason, None));
        }
        let remembered = Remembered::of(remembered.as_deref(), &choice, found);
        if remembered == Remembered::Cpu {
            return Ok(cpu("It was the faster one before.".into(), None));
        }
        let opened = match found.check_features() {
            Ok(()) => webgpu(&patience).await,
            Err(error) => Err(error),
        };
        let device = match opened {
            Ok(device) => device,
            Err(error) => return Ok(cpu(error.to_string(), Some(&error))),
        };
        if choice == "webgpu" {
            let reason = format!("You chose it; the adapter is {}.", found.name());
            let facts = facts(Kind::WebGpu, reason);
            return Ok(Engine { device, facts });
        }
        if remembered == Remembered::WebGpu {
            let reason = format!(
                "It was the faster one before; the adapter is {}.",
                found.name()
            );
            let facts = facts(Kind::WebGpu, reason);
            return Ok(Engine { device, facts });
        }
        let (gpu_ms, cpu_ms) = match contest(&device, &patience).await {
            Ok(times) => times,
            Err(error) => return Ok(cpu(error.to_string(), Some(&error))),
        };
        let timed =
            |text: &str| format!("{text}: {gpu_ms:.0} ms on WebGPU, {cpu_ms:.0} ms on the CPU.");
        let mut engine = if gpu_ms <= cpu_ms {
            let reason = timed(&format!("{} was the faster one", found.name()));
            let facts = facts(Kind::WebGpu, reason);
            Engine { device, facts }
        } else {
            cpu(timed("It was the faster one"), None)
        };
        engine.facts.self_test = Some(SelfTest {
            webgpu_ms: Some(gpu_ms),
            cpu_ms: Some(cpu_ms),
        });
        Ok(engine)
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
        Some(match self.facts.kind {
            Kind::WebGpu => format!("webgpu on {adapter}"),
            Kind::Cpu => format!("cpu beside {adapter}"),
        })
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

/// Times the same work on WebGPU and on the CPU, in milliseconds; checks both results.
async fn contest(webgpu: &Device, patience: &Patience) -> Result<(f64, f64)> {
    let gpu_ms = patience
        .wait(measure(webgpu, clock::now))
        .await
        .ok_or_else(|| Error::SelfTestFailed("it took too long".into()))??;
    Ok((gpu_ms, measure(&Device::flex(), clock::now).await?))
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
