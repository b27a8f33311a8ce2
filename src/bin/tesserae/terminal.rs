//! All printing: line by line, without terminal control characters, and without panicking if the
//! reader is gone or the disk is full.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use tesserae::{Error, Result};

/// Standard output carries an output file, so reports go to standard error.
static TAKEN: AtomicBool = AtomicBool::new(false);
/// The reader of standard output has closed it; the work continues regardless.
static CLOSED: AtomicBool = AtomicBool::new(false);

/// Reserves standard output for the bytes of an output file.
pub fn take_stdout() {
    TAKEN.store(true, Relaxed);
}

/// Prints a line of a report. Text from files (names, metadata) is escaped.
pub fn print(line: impl Display) -> Result<()> {
    report(escaped(line))
}

/// The same for JSON, which remains valid JSON.
pub fn print_json(json: impl Display) -> Result<()> {
    let mut line = String::new();
    for c in json.to_string().chars() {
        // Outside of strings JSON has none of these; all of them are below U+10000.
        match is_hidden(c) {
            true => line.push_str(&format!("\\u{:04x}", u32::from(c))),
            false => line.push(c),
        }
    }
    report(line)
}

/// Prints a line to standard error. If that fails, there is nothing left to do.
pub fn warn(line: impl Display) {
    let mut line = escaped(line);
    line.push('\n');
    let _ = io::stderr().write_all(line.as_bytes());
}

/// Writes an output file's bytes to standard output.
pub fn write_stdout(bytes: &[u8]) -> Result<()> {
    if CLOSED.load(Relaxed) {
        return Ok(());
    }
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(e) if e.kind() == ErrorKind::BrokenPipe => {
            CLOSED.store(true, Relaxed);
            Ok(())
        }
        done => done.map_err(|e| Error::io("standard output", e)),
    }
}

fn report(mut line: String) -> Result<()> {
    line.push('\n');
    if TAKEN.load(Relaxed) {
        let _ = io::stderr().write_all(line.as_bytes());
        return Ok(());
    }
    write_stdout(line.as_bytes())
}

fn escaped(line: impl Display) -> String {
    let mut shown = String::new();
    for c in line.to_string().chars() {
        match is_hidden(c) {
            true => shown.extend(c.escape_debug()),
            false => shown.push(c),
        }
    }
    shown
}

/// Control characters, line separators, and marks that change the text direction.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown_and_letters_stay() {
        let name = "a\u{1b}[2J\n\t\u{9b}31m\u{202e}gnp.\u{7f}é×—\\";
        let shown = "a\\u{1b}[2J\\n\\t\\u{9b}31m\\u{202e}gnp.\\u{7f}é×—\\";
        assert_eq!(escaped(name), shown);
    }
}
