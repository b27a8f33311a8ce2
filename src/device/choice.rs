//! Which device to compute on where WebGPU may or may not work. Decided by facts alone; whoever
//! asks finds them out, one after the other.

use std::str::FromStr;

use serde::Serialize;

use crate::error::{Error, Result};

/// What the user asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Choice {
    /// The faster one.
    Auto,
    /// WebGPU, if it works at all.
    WebGpu,
    /// The CPU.
    Cpu,
}

impl FromStr for Choice {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "auto" => Ok(Self::Auto),
            "webgpu" => Ok(Self::WebGpu),
            "cpu" => Ok(Self::Cpu),
            other => Err(Error::Argument(format!("There is no device `{other}`"))),
        }
    }
}

/// A device to compute on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The adapter, through WebGPU.
    WebGpu,
    /// The CPU.
    Cpu,
}

/// What the decision depends on.
#[derive(Debug, Clone)]
pub struct Facts {
    /// What the user asked for.
    pub choice: Choice,
    /// The graphics adapter, or why there is none.
    pub adapter: Result<Adapter>,
    /// Whether WebGPU's device was opened and computes correctly; `None` until it was tried.
    pub tested: Option<Result<()>>,
    /// How long the same work takes on both; `None` until it was measured.
    pub times: Option<Result<Times>>,
}

/// A graphics adapter.
#[derive(Debug, Clone)]
pub struct Adapter {
    /// Its name.
    pub name: String,
    /// Whether it runs on the CPU.
    pub software: bool,
    /// Whether it has all features that are needed.
    pub features: Result<()>,
}

/// Milliseconds that the same work takes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Times {
    /// On the adapter.
    pub webgpu_ms: f64,
    /// On the CPU.
    pub cpu_ms: f64,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// Open WebGPU's device and test it, for [`Facts::tested`].
    Test,
    /// Measure both devices, for [`Facts::times`].
    Measure,
    /// Compute on this device.
    Use {
        /// The device.
        kind: Kind,
        /// Why, in a sentence.
        reason: String,
        /// Why WebGPU is not used although it was asked for or tried.
        problem: Option<Error>,
    },
}

/// The next step to a decision. `remembered` is what [`remember`] gave after an earlier automatic
/// choice, and saves measuring again; on another adapter it is ignored.
pub fn choose(facts: &Facts, remembered: Option<&str>) -> Next {
    if facts.choice == Choice::Cpu {
        return cpu("You chose it.");
    }
    let adapter = match &facts.adapter {
        Ok(adapter) => adapter,
        Err(error) => return failed(error),
    };
    let name = &adapter.name;
    let auto = facts.choice == Choice::Auto;
    if auto && adapter.software {
        return cpu(format!(
            "The only graphics adapter here ({name}) is software, which is far slower."
        ));
    }
    let faster_before = |kind| auto && remembered == Some(remember(kind, name).as_str());
    if faster_before(Kind::Cpu) {
        return cpu("It was the faster one before.");
    }
    if let Err(error) = &adapter.features {
        return failed(error);
    }
    match &facts.tested {
        None => return Next::Test,
        Some(Err(error)) => return failed(error),
        Some(Ok(())) => {}
    }
    if !auto {
        return webgpu(format!("You chose it; the adapter is {name}."));
    }
    if faster_before(Kind::WebGpu) {
        return webgpu(format!(
            "It was the faster one before; the adapter is {name}."
        ));
    }
    let Times { webgpu_ms, cpu_ms } = match &facts.times {
        None => return Next::Measure,
        Some(Err(error)) => return failed(error),
        Some(Ok(times)) => *times,
    };
    let times = format!("{webgpu_ms:.0} ms on WebGPU, {cpu_ms:.0} ms on the CPU.");
    match webgpu_ms <= cpu_ms {
        true => webgpu(format!("{name} was the faster one: {times}")),
        false => cpu(format!("It was the faster one: {times}")),
    }
}

/// What to remember of `kind` being the faster one beside the adapter `name`.
pub fn remember(kind: Kind, name: &str) -> String {
    match kind {
        Kind::WebGpu => format!("webgpu on {name}"),
        Kind::Cpu => format!("cpu beside {name}"),
    }
}

fn webgpu(reason: String) -> Next {
    Next::Use {
        kind: Kind::WebGpu,
        reason,
        problem: None,
    }
}

fn cpu(reason: impl Into<String>) -> Next {
    Next::Use {
        kind: Kind::Cpu,
        reason: reason.into(),
        problem: None,
    }
}

fn failed(error: &Error) -> Next {
    Next::Use {
        kind: Kind::Cpu,
        reason: error.to_string(),
        problem: Some(error.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOFTWARE: &str =
        "The only graphics adapter here (Radeon) is software, which is far slower.";
    const WEBGPU_BEFORE: &str = "It was the faster one before; the adapter is Radeon.";
    const MEASURED_WEBGPU: &str = "Radeon was the faster one: 20 ms on WebGPU, 20 ms on the CPU.";
    const MEASURED_CPU: &str = "It was the faster one: 31 ms on WebGPU, 30 ms on the CPU.";

    /// What is known after an adapter has been found.
    fn found(choice: Choice) -> Facts {
        let adapter = Adapter {
            name: "Radeon".to_owned(),
            software: false,
            features: Ok(()),
        };
        Facts {
            choice,
            adapter: Ok(adapter),
            tested: None,
            times: None,
        }
    }

    fn software(choice: Choice) -> Facts {
        let mut facts = found(choice);
        facts.adapter.as_mut().unwrap().software = true;
        facts
    }

    fn without_feature(choice: Choice) -> Facts {
        let mut facts = found(choice);
        facts.adapter.as_mut().unwrap().features = Err(missing());
        facts
    }

    fn absent(choice: Choice) -> Facts {
        Facts {
            adapter: Err(Error::AdapterAbsent),
            ..found(choice)
        }
    }

    fn tested(choice: Choice, result: Result<()>) -> Facts {
        Facts {
            tested: Some(result),
            ..found(choice)
        }
    }

    fn timed(times: Result<[f64; 2]>) -> Facts {
        let times = times.map(|[webgpu_ms, cpu_ms]| Times { webgpu_ms, cpu_ms });
        Facts {
            times: Some(times),
            ..tested(Choice::Auto, Ok(()))
        }
    }

    fn missing() -> Error {
        Error::FeatureMissing("timestamp-query".to_owned())
    }

    fn wrong() -> Error {
        Error::SelfTestFailed("it is off by 3".to_owned())
    }

    #[test]
    fn every_case_has_its_device_and_its_reason() {
        use Choice::{Auto, Cpu, WebGpu};
        let (on_webgpu, on_cpu) = (Some("webgpu on Radeon"), Some("cpu beside Radeon"));
        let cases = [
            // Asked for the CPU, whatever else there is.
            (found(Cpu), None, cpu("You chose it.")),
            (absent(Cpu), None, cpu("You chose it.")),
            (software(Cpu), on_webgpu, cpu("You chose it.")),
            // Asked for WebGPU: nothing but a failure keeps it from that, and nothing is measured.
            (absent(WebGpu), None, failed(&Error::AdapterAbsent)),
            (without_feature(WebGpu), None, failed(&missing())),
            (found(WebGpu), None, Next::Test),
            (found(WebGpu), on_cpu, Next::Test),
            (software(WebGpu), None, Next::Test),
            (tested(WebGpu, Err(wrong())), None, failed(&wrong())),
            (
                tested(WebGpu, Ok(())),
                on_cpu,
                webgpu("You chose it; the adapter is Radeon.".to_owned()),
            ),
            // Automatic, before anything was opened.
            (absent(Auto), on_webgpu, failed(&Error::AdapterAbsent)),
            (software(Auto), on_webgpu, cpu(SOFTWARE)),
            (without_feature(Auto), None, failed(&missing())),
            (without_feature(Auto), on_webgpu, failed(&missing())),
            (found(Auto), None, Next::Test),
            // With what was measured before: the CPU needs no test, WebGPU does.
            (found(Auto), on_cpu, cpu("It was the faster one before.")),
            (
                without_feature(Auto),
                on_cpu,
                cpu("It was the faster one before."),
            ),
            (found(Auto), on_webgpu, Next::Test),
            (
                tested(Auto, Ok(())),
                on_webgpu,
                webgpu(WEBGPU_BEFORE.to_owned()),
            ),
            (tested(Auto, Err(wrong())), on_webgpu, failed(&wrong())),
            // That of another adapter, or no such text, counts for nothing.
            (found(Auto), Some("cpu beside GeForce"), Next::Test),
            (
                tested(Auto, Ok(())),
                Some("webgpu on GeForce"),
                Next::Measure,
            ),
            (tested(Auto, Ok(())), Some("webgpu"), Next::Measure),
            // Measured now.
            (tested(Auto, Err(wrong())), None, failed(&wrong())),
            (tested(Auto, Ok(())), None, Next::Measure),
            (timed(Err(wrong())), None, failed(&wrong())),
            (
                timed(Ok([20.4, 20.4])),
                None,
                webgpu(MEASURED_WEBGPU.to_owned()),
            ),
            (timed(Ok([30.6, 30.4])), None, cpu(MEASURED_CPU)),
        ];
        for (facts, remembered, expected) in cases {
            assert_eq!(
                choose(&facts, remembered),
                expected,
                "{facts:?} {remembered:?}"
            );
        }
    }

    #[test]
    fn a_failure_is_the_reason_and_the_problem() {
        let Next::Use {
            kind,
            reason,
            problem,
        } = choose(&absent(Choice::Auto), None)
        else {
            panic!("nothing is left to find out");
        };
        assert_eq!((kind, problem), (Kind::Cpu, Some(Error::AdapterAbsent)));
        assert_eq!(reason, Error::AdapterAbsent.to_string());
    }

    #[test]
    fn what_is_remembered_decides_the_next_time() {
        for times in [[1.0, 2.0], [2.0, 1.0]] {
            let Next::Use { kind, .. } = choose(&timed(Ok(times)), None) else {
                panic!("all is known");
            };
            let note = remember(kind, "Radeon");
            let again = choose(&tested(Choice::Auto, Ok(())), Some(&note));
            assert!(
                matches!(again, Next::Use { kind: again, .. } if again == kind),
                "{again:?}"
            );
        }
    }

    #[test]
    fn choices_are_read_by_their_names() {
        for choice in [Choice::Auto, Choice::WebGpu, Choice::Cpu] {
            let name = serde_json::to_value(choice).unwrap();
            assert_eq!(name.as_str().unwrap().parse(), Ok(choice));
        }
        let error = "gpu".parse::<Choice>().unwrap_err();
        assert_eq!(error.code(), "argument");
        assert!(error.to_string().contains("`gpu`"), "{error}");
    }
}
