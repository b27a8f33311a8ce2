use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;

use plotters::coord::Shift;
use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::prelude::*;
use serde_json::{Map, Value, json};
use tesserae::{Error, Result};

use crate::files;
use crate::outputs::{Outputs, OverwriteArgs};
use crate::terminal;

/// Size of the plot in pixels, all panels together.
const SIZE: (u32, u32) = (900, 1100);

/// Log fields that are not losses, by panel; all others are losses.
const QUALITY: [&str; 2] = ["psnr", "held_out_psnr"];
const CODES: [&str; 2] = ["used", "perplexity"];
const ASIDE: [&str; 3] = ["step", "learning_rate", "crops_per_second"];

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Training log (.jsonl).
    log: PathBuf,
    /// Plot to write: SVG.
    output: PathBuf,
    #[command(flatten)]
    overwrite: OverwriteArgs,
}

/// The points of each curve, keyed by name.
type Curves = BTreeMap<String, Vec<(f64, f64)>>;

impl Args {
    pub fn run(self, json: bool) -> Result<()> {
        let mut outputs = Outputs::new([self.log.as_path()], self.overwrite.overwrite);
        let output = outputs.claim(&self.output)?;
        let log = files::read(&self.log)?;
        let log = String::from_utf8_lossy(&log);
        let lines = log
            .lines()
            .map(serde_json::from_str::<Map<String, Value>>)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|e| Error::io(&self.log, format!("this is not a training log: {e}")))?;
        let curves = curves(&lines);
        if curves.is_empty() {
            return Err(Error::io(&self.log, "this log contains no steps"));
        }
        let mut svg = String::new();
        draw(&curves, &mut svg).map_err(|e| Error::Internal(e.to_string()))?;
        output.write(svg.as_bytes())?;
        if json {
            let names: Vec<&String> = curves.keys().collect();
            terminal::print_json(json!({"steps": lines.len(), "curves": names}))?;
        }
        Ok(())
    }
}

fn curves(lines: &[Map<String, Value>]) -> Curves {
    let mut curves = Curves::new();
    for line in lines {
        let Some(step) = line.get("step").and_then(Value::as_f64) else {
            continue;
        };
        for (name, value) in line {
            if let Some(value) = value.as_f64().filter(|_| !ASIDE.contains(&name.as_str())) {
                curves.entry(name.clone()).or_default().push((step, value));
            }
        }
    }
    curves
}

type Drawn = Result<(), Box<dyn std::error::Error>>;

fn draw(curves: &Curves, svg: &mut String) -> Drawn {
    let area = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let panels = area.split_evenly((3, 1));
    let among = |names: &[&str]| -> Vec<_> {
        let of = |(name, _): &(&String, _)| names.contains(&name.as_str());
        curves.iter().filter(of).collect()
    };
    let (quality, codes) = (among(&QUALITY), among(&CODES));
    let losses: Vec<_> = curves
        .iter()
        .filter(|(name, points)| {
            let name = name.as_str();
            let elsewhere = QUALITY.contains(&name) || CODES.contains(&name);
            // A logarithmic axis can only show positive values.
            !elsewhere && points.iter().all(|(_, value)| *value > 0.0)
        })
        .collect();
    let [first, second, third] = panels.as_slice() else {
        return Ok(());
    };
    panel(first, "PSNR, dB", &quality, |range| range)?;
    panel(second, "Loss terms", &losses, |range| range.log_scale())?;
    panel(third, "Codebook", &codes, |range| 0.0..range.end)?;
    area.present()?;
    Ok(())
}

/// Draws one panel; nothing if it has no curves.
fn panel<Y>(
    area: &DrawingArea<SVGBackend<'_>, Shift>,
    title: &str,
    curves: &[(&String, &Vec<(f64, f64)>)],
    scale: impl Fn(Range<f64>) -> Y,
) -> Drawn
where
    Y: AsRangedCoord<Value = f64>,
    Y::CoordDescType: ValueFormatter<f64>,
{
    let points = || curves.iter().flat_map(|(_, points)| points.iter());
    let Some((steps, values)) = range(points().map(|p| p.0)).zip(range(points().map(|p| p.1)))
    else {
        return Ok(());
    };
    let mut chart = ChartBuilder::on(area)
        .caption(title, ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(30)
        .y_label_area_size(60)
        .build_cartesian_2d(steps, scale(values))?;
    chart
        .configure_mesh()
        .x_desc("step")
        .light_line_style(TRANSPARENT)
        .draw()?;
    for (i, (name, points)) in curves.iter().enumerate() {
        let colour = Palette99::pick(i).stroke_width(2);
        chart
            .draw_series(LineSeries::new(points.iter().copied(), colour))?
            .label(name.replace('_', " "))
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerLeft)
        .background_style(WHITE.mix(0.8))
        .draw()?;
    Ok(())
}

/// From the minimum to the maximum, widened if they are equal.
fn range(values: impl Iterator<Item = f64>) -> Option<Range<f64>> {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    match high - low {
        span if span > 0.0 => Some(low..high),
        0.0 => Some(low * 0.9..high * 1.1 + f64::MIN_POSITIVE),
        _ => None,
    }
}
