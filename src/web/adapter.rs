use std::collections::BTreeMap;

use js_sys::{Array, Function, Promise, Reflect};
use serde::Serialize;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use crate::device::choice::Adapter;
use crate::error::{Error, Result};

/// What WebGPU reports about its adapter.
#[derive(Debug, Clone, Serialize)]
pub struct AdapterFacts {
    pub vendor: String,
    pub architecture: String,
    pub device: String,
    pub description: String,
    /// Whether it runs on the CPU, regardless of its name.
    pub software: bool,
    pub features: Vec<String>,
    pub limits: BTreeMap<&'static str, f64>,
}

/// cubecl requests timestamps and panics if they are missing.
const NEEDED: &str = "timestamp-query";

/// Substrings that identify software adapters by name.
const SOFTWARE: [&str; 6] = [
    "swiftshader",
    "llvmpipe",
    "lavapipe",
    "softpipe",
    "microsoft basic render",
    "software rasterizer",
];

/// The limits that determine what fits.
const LIMITS: [&str; 8] = [
    "maxBufferSize",
    "maxStorageBufferBindingSize",
    "maxStorageBuffersPerShaderStage",
    "maxComputeInvocationsPerWorkgroup",
    "maxComputeWorkgroupSizeX",
    "maxComputeWorkgroupStorageSize",
    "maxComputeWorkgroupsPerDimension",
    "maxTextureDimension2D",
];

/// Asks the browser for its adapter, without taking a device.
///
/// # Errors
/// [`Error::WebGpuAbsent`], [`Error::AdapterAbsent`].
pub async fn probe() -> Result<AdapterFacts> {
    let gpu = get(&get(&js_sys::global(), "navigator"), "gpu");
    if gpu.is_undefined() || gpu.is_null() {
        return Err(Error::WebGpuAbsent);
    }
    let adapter = request(&gpu).await.ok_or(Error::AdapterAbsent)?;
    let info = get(&adapter, "info");
    let text = |key: &str| get(&info, key).as_string().unwrap_or_default();
    let names = [
        text("vendor"),
        text("architecture"),
        text("device"),
        text("description"),
    ];
    let fallback = [&info, &adapter]
        .iter()
        .any(|o| get(o, "isFallbackAdapter").is_truthy());
    let known = names.iter().any(|name| {
        let name = name.to_lowercase();
        SOFTWARE.iter().any(|known| name.contains(known))
    });
    let features = Array::from(&get(&adapter, "features"));
    let limits = get(&adapter, "limits");
    let [vendor, architecture, device, description] = names;
    Ok(AdapterFacts {
        vendor,
        architecture,
        device,
        description,
        software: fallback || known,
        features: features.iter().filter_map(|f| f.as_string()).collect(),
        limits: LIMITS
            .into_iter()
            .filter_map(|name| Some((name, get(&limits, name).as_f64()?)))
            .collect(),
    })
}

impl AdapterFacts {
    /// # Errors
    /// [`Error::FeatureMissing`] if a required feature is missing.
    fn check_features(&self) -> Result<()> {
        if self.features.iter().any(|f| f == NEEDED) {
            Ok(())
        } else {
            Err(Error::FeatureMissing(NEEDED.to_owned()))
        }
    }

    /// The most descriptive of its names.
    pub fn name(&self) -> String {
        let named = [&self.description, &self.device, &self.architecture]
            .into_iter()
            .find(|name| !name.is_empty());
        match (self.vendor.as_str(), named) {
            ("", None) => "unnamed".to_owned(),
            ("", Some(name)) => name.clone(),
            (vendor, None) => vendor.to_owned(),
            (vendor, Some(name)) => format!("{vendor} {name}"),
        }
    }
}

impl From<&AdapterFacts> for Adapter {
    fn from(facts: &AdapterFacts) -> Self {
        Self {
            name: facts.name(),
            software: facts.software,
            features: facts.check_features(),
        }
    }
}

async fn request(gpu: &JsValue) -> Option<JsValue> {
    let options = js_sys::Object::new();
    Reflect::set(
        &options,
        &"powerPreference".into(),
        &"high-performance".into(),
    )
    .ok()?;
    let ask: Function = get(gpu, "requestAdapter").dyn_into().ok()?;
    let promise: Promise = ask.call1(gpu, &options).ok()?.dyn_into().ok()?;
    let adapter = JsFuture::from(promise).await.ok()?;
    (!adapter.is_null() && !adapter.is_undefined()).then_some(adapter)
}

/// A property of `object`, or undefined if `object` has no properties.
fn get(object: &JsValue, key: &str) -> JsValue {
    Reflect::get(object, &key.into()).unwrap_or(JsValue::UNDEFINED)
}
