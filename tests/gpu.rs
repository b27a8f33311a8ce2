//! The command line on a GPU: results match the CPU's, or the GPU is not used. The GPU is lavapipe,
//! Mesa's software Vulkan, so that the tests run on every machine that has it installed.
#![cfg(all(feature = "cli", feature = "wgpu", target_os = "linux"))]
#![allow(clippy::unwrap_used)]

mod support;

use std::fs;
use std::io::Write;
use std::process::Output;

use burn::tensor::{Device, Distribution, Tensor};
use serde_json::Value;
use support::WeightFile;
use support::program::{failed, json, run, run_with, text};
use tempfile::{TempDir, tempdir};
use tesserae::Tokens;
use tesserae::device::SelfTest;

/// The name of the GPU device in this build.
const GPU: &str = if cfg!(feature = "vulkan") {
    "vulkan"
} else {
    "gpu"
};

/// Runs the program on the GPU with this driver, a manifest file for the Vulkan loader.
fn on(driver: &str, folder: &TempDir, arguments: &str) -> Output {
    let variables = [
        ("VK_ICD_FILENAMES", driver),
        ("VK_DRIVER_FILES", driver),
        // Without Vulkan, OpenGL is tried.
        ("__EGL_VENDOR_LIBRARY_FILENAMES", "none.json"),
    ];
    run_with(folder, &variables, &format!("{arguments} --device {GPU}"))
}

/// Lavapipe's driver. Without it, prints that the test is skipped, which `build.sh` counts.
fn lavapipe(test: &str) -> Option<String> {
    let folder = fs::read_dir("/usr/share/vulkan/icd.d").into_iter();
    let mut drivers = folder.flatten().flatten().map(|entry| entry.path());
    let found = drivers.find(|path| path.display().to_string().contains("/lvp_icd"));
    if found.is_none() {
        // `eprintln!` is shown for failed tests only.
        writeln!(
            std::io::stderr(),
            "skipped: {test}: there is no lavapipe here (mesa-vulkan-drivers)"
        )
        .unwrap();
    }
    found.map(|path| path.display().to_string())
}

/// Fails unless both are numbers that differ by at most a thousandth.
fn close(what: &str, cpu: &Value, gpu: &Value) {
    let (cpu, gpu) = (cpu.as_f64().unwrap(), gpu.as_f64().unwrap());
    let off = (cpu - gpu).abs();
    assert!(off <= 1e-3 * cpu.abs(), "{what}: {gpu}, not {cpu}");
}

/// Fails unless at most one token in two hundred differs: on a close call, devices may choose
/// differently.
fn same_tokens(cpu: &[u8], gpu: &[u8]) {
    let codes = |bytes| {
        let tokens = Tokens::from_bytes(bytes).unwrap();
        tokens.codes().collect::<Vec<_>>()
    };
    let (cpu, gpu) = (codes(cpu), codes(gpu));
    assert_eq!(cpu.len(), gpu.len());
    let differ = cpu.iter().zip(&gpu).filter(|(a, b)| a != b).count();
    assert!(differ * 200 <= cpu.len(), "{differ} of {}", cpu.len());
}

#[test]
fn a_gpu_rebuilds_pictures_as_the_cpu_does() {
    let Some(driver) = lavapipe("a_gpu_rebuilds_pictures_as_the_cpu_does") else {
        return;
    };
    let folder = tempdir().unwrap();
    for model in ["photos-f8-vqvae", "photos-f4", "digits"] {
        let command = format!("reconstruct SAMPLES/coffee.png --size 64 --json --model {model}");
        let command = |out: &str| format!("{command} --models ROOT/www/models {out}");
        let cpu = json(&run(&folder, &command("cpu.png")));
        let output = on(&driver, &folder, &command("gpu.png"));
        // It must not be mistaken for a graphics card.
        let told = text(&output.stderr);
        assert!(
            told.contains("llvmpipe") && told.contains("software"),
            "{told}"
        );
        let gpu = json(&output);
        for name in ["psnr", "ssim", "bpp", "perplexity", "used", "tokens"] {
            close(&format!("{model}, {name}"), &cpu[name], &gpu[name]);
        }
    }
}

#[test]
fn bulk_work_on_a_gpu_gives_the_tokens_that_the_cpu_gives() {
    let Some(driver) = lavapipe("bulk_work_on_a_gpu_gives_the_tokens_that_the_cpu_gives") else {
        return;
    };
    let folder = tempdir().unwrap();
    let bulk = "encode SAMPLES --size 48 --model TINY --json --out-dir";
    json(&run(&folder, &format!("{bulk} cpu")));
    json(&on(&driver, &folder, &format!("{bulk} gpu")));
    let entries = |name: &str| {
        let shard = folder.path().join(name).join("samples.tokens.tar");
        let mut tar = tar::Archive::new(fs::File::open(shard).unwrap());
        let entries = tar.entries().unwrap().map(|entry| {
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut entry.unwrap(), &mut bytes).unwrap();
            bytes
        });
        entries.collect::<Vec<_>>()
    };
    let (cpu, gpu) = (entries("cpu"), entries("gpu"));
    assert_eq!(cpu.len(), gpu.len());
    assert!(cpu.len() > 2);
    for (cpu, gpu) in cpu.iter().zip(&gpu) {
        same_tokens(cpu, gpu);
    }
    let eval = "eval SAMPLES --size 48 --model TINY --json";
    let cpu = json(&run(&folder, eval));
    let gpu = json(&on(&driver, &folder, eval));
    for name in ["psnr", "ssim", "perplexity"] {
        close(name, &cpu[name], &gpu[name]);
    }
}

#[test]
fn a_gpu_tunes_as_the_cpu_does() {
    let Some(driver) = lavapipe("a_gpu_tunes_as_the_cpu_does") else {
        return;
    };
    let folder = tempdir().unwrap();
    let tune = "tune SAMPLES/coffee.png --model TINY --size 64 --square --steps 6 --json";
    for options in ["", "--parts all"] {
        let command = |out: &str| format!("{tune} {options} --out {out}");
        let cpu = json(&run(&folder, &command("cpu.safetensors")));
        let gpu = json(&on(&driver, &folder, &command("gpu.safetensors")));
        for name in ["psnr_before", "psnr_after"] {
            close(&format!("{options} {name}"), &cpu[name], &gpu[name]);
        }
        let steps = |told: &Value| told["losses"].as_array().unwrap().clone();
        for (step, (cpu, gpu)) in steps(&cpu).iter().zip(steps(&gpu)).enumerate() {
            for (name, cpu) in cpu.as_object().unwrap() {
                close(&format!("{options} {name} of step {step}"), cpu, &gpu[name]);
            }
        }
        let weights = |name| WeightFile::of(&fs::read(folder.path().join(name)).unwrap());
        let (cpu, gpu) = (weights("cpu.safetensors"), weights("gpu.safetensors"));
        assert_eq!(cpu.tensors.len(), gpu.tensors.len());
    }
    // Each run initialises its own discriminator, which affects all losses but these.
    let command = |out: &str| format!("{tune} --objective lifelike --out {out}");
    let cpu = json(&run(&folder, &command("cpu.safetensors")));
    let gpu = json(&on(&driver, &folder, &command("gpu.safetensors")));
    for name in ["l1", "gradient"] {
        close(name, &cpu["losses"][0][name], &gpu["losses"][0][name]);
    }
}

#[test]
fn a_gpu_trains_and_the_cpu_resumes() {
    let Some(driver) = lavapipe("a_gpu_trains_and_the_cpu_resumes") else {
        return;
    };
    let folder = tempdir().unwrap();
    let model: Value = serde_json::from_str(
        &tesserae::AutoencoderConfig::preset("vqgan-tiny")
            .unwrap()
            .to_json()
            .unwrap(),
    )
    .unwrap();
    let config = serde_json::json!({
        "model": model, "data": {"crop": 16}, "batch": 2, "steps": 4,
        "optimizer": {"learning_rate": 0.001, "warmup": 1}, "seed": 3
    });
    fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
    let train = "train config.json --data SAMPLES --out out.safetensors --json";
    let told = json(&on(&driver, &folder, train));
    assert_eq!(told["step"], 4);
    // All steps are done, so this only reads the checkpoint and writes the weights again.
    let told = json(&run(&folder, &format!("{train} --resume")));
    assert_eq!(told["step"], 4);
}

#[test]
fn without_an_adapter_the_cpu_is_named() {
    let folder = tempdir().unwrap();
    let command = "reconstruct SAMPLES/coffee.png out.png --size 32 --model TINY";
    let output = on("/none.json", &folder, command);
    failed(&output, "adapter_absent", "CPU");
    assert!(!folder.path().join("out.png").exists());
}

#[test]
fn a_check_of_the_device_draws_no_random_numbers() {
    // Checks between the steps do not change a training's results.
    let device = Device::flex();
    let test = pollster::block_on(SelfTest::for_training(&device)).unwrap();
    let draw = |checks: usize| {
        device.seed(7);
        for _ in 0..checks {
            pollster::block_on(test.check()).unwrap();
        }
        let drawn = Tensor::<1>::random([4], Distribution::Default, &device);
        drawn.into_data().iter::<f32>().collect::<Vec<_>>()
    };
    assert_eq!(draw(0), draw(2));
}
