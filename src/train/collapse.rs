use std::fmt;

use super::{Parts, TrainConfig};
use crate::tokens::Usage;

/// Below this fraction of the codes that could be in use, the perplexity counts as collapsed. The
/// shipped models reach 0.36 and above on photos.
const FRACTION: f64 = 0.05;

/// The minimum for small codebooks, where that fraction comes to fewer than two codes.
const FEWEST: f64 = 2.0;

/// Consecutive low windows before collapse is reported: restarts may need one to recover.
const WINDOWS: usize = 2;

/// Detects when training uses only a few codes of its codebook.
#[derive(Debug)]
pub struct CodebookWatch {
    /// Codes in all grids; 0 if there is nothing to watch.
    codes: usize,
    /// Tokens per step.
    tokens: usize,
    /// First step to consider.
    from: usize,
    low: usize,
    last: Usage,
}

/// A codebook of which only a few codes are in use. Its `Display` is a sentence that suggests
/// fixes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Collapse {
    /// Codes in all grids.
    pub codes: usize,
    /// Their usage over the last window.
    pub usage: Usage,
}

impl CodebookWatch {
    /// Watches training with `config`; if `trained`, the codebook is in use from the first step.
    pub fn new(config: &TrainConfig, trained: bool) -> Self {
        let grids = config.model.grids();
        let side = |factor: &usize| (config.data.crop / factor).pow(2);
        let learns = config.parts != Parts::Decoder;
        let warmup = config.optimizer.warmup;
        Self {
            codes: if learns {
                config.model.codes() * grids.len()
            } else {
                0
            },
            tokens: config.batch * config.accumulate * grids.iter().map(side).sum::<usize>(),
            from: match trained {
                true => warmup,
                false => warmup.max(config.codebook.quantize_after),
            },
            low: 0,
            last: Usage::of([]),
        }
    }

    /// Records the `usage` of codes over the last `steps` of the `done` steps.
    pub fn see(&mut self, done: usize, steps: usize, usage: Usage) {
        if self.codes == 0 || done < self.from + steps {
            return;
        }
        let possible = self.codes.min(steps * self.tokens) as f64;
        let least = (FRACTION * possible).max(FEWEST.min(possible / 4.0));
        self.low = if usage.perplexity < least {
            self.low + 1
        } else {
            0
        };
        self.last = usage;
    }

    /// The current collapse, if any.
    pub fn collapsed(&self) -> Option<Collapse> {
        (self.low >= WINDOWS).then_some(Collapse {
            codes: self.codes,
            usage: self.last,
        })
    }
}

impl fmt::Display for Collapse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { codes, usage } = self;
        write!(
            f,
            "the codebook has collapsed to {} of its {codes} codes (perplexity {:.1}). Try a lower \
             `learning_rate`, a higher `quantize_after`, earlier restarts (`restart_every`, \
              `dead_below`), fewer codes, or more varied pictures.",
            usage.used, usage.perplexity
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::AutoencoderConfig;

    fn config(preset: &str) -> TrainConfig {
        let model = AutoencoderConfig::preset(preset)
            .unwrap()
            .to_json()
            .unwrap();
        TrainConfig::from_json(&format!(
            r#"{{"model": {model}, "data": {{"crop": 64}}, "batch": 8, "steps": 1000,
                 "optimizer": {{"learning_rate": 0.001, "warmup": 20}},
                 "codebook": {{"quantize_after": 100}}}}"#
        ))
        .unwrap()
    }

    fn usage(perplexity: f64) -> Usage {
        let used = 2 * perplexity as usize;
        Usage { used, perplexity }
    }

    #[test]
    fn a_few_codes_over_two_windows_after_the_warm_up_are_a_collapse() {
        // 2,048 codes: a twentieth is 102.4.
        let mut watch = CodebookWatch::new(&config("photos-f8"), false);
        for (done, perplexity, collapsed) in [
            // No codebook yet, or not for the whole window.
            (50, 0.0, false),
            (100, 5.0, false),
            (149, 5.0, false),
            (200, 102.0, false),
            (250, 102.0, true),
            (300, 12.0, true),
            (350, 103.0, false),
            (400, 12.0, false),
        ] {
            watch.see(done, 50, usage(perplexity));
            assert_eq!(watch.collapsed().is_some(), collapsed, "after {done}");
        }
        watch.see(450, 50, usage(12.0));
        let told = watch.collapsed().unwrap().to_string();
        assert!(
            told.contains("24 of its 2048 codes (perplexity 12.0)"),
            "{told}"
        );
        assert!(told.contains("`learning_rate`"), "{told}");
    }

    #[test]
    fn a_codebook_is_measured_by_what_its_tokens_can_reach() {
        let collapsed = |mut watch: CodebookWatch, steps, perplexity| {
            watch.see(500, steps, usage(perplexity));
            watch.see(500 + steps, steps, usage(perplexity));
            watch.collapsed().is_some()
        };
        // 512 tokens in a one-step window: a twentieth is 25.6.
        let large = || CodebookWatch::new(&config("photos-f8"), false);
        assert!(collapsed(large(), 1, 25.0) && !collapsed(large(), 1, 26.0));
        // 32 codes: a twentieth would be less than two.
        let small = || CodebookWatch::new(&config("vqvae-tiny"), false);
        assert!(collapsed(small(), 50, 1.9) && !collapsed(small(), 50, 2.1));
        // The codebook is frozen, or there is none.
        let mut decoder = config("vqvae-tiny");
        decoder.parts = Parts::Decoder;
        assert!(!collapsed(CodebookWatch::new(&decoder, true), 50, 1.0));
        let kl = CodebookWatch::new(&config("kl-tiny"), false);
        assert!(!collapsed(kl, 50, 0.0));
    }

    #[test]
    fn a_trained_codebook_is_watched_from_the_warm_up_on() {
        let mut watch = CodebookWatch::new(&config("photos-f8"), true);
        watch.see(60, 30, usage(5.0));
        watch.see(70, 10, usage(5.0));
        assert!(watch.collapsed().is_some());
    }
}
