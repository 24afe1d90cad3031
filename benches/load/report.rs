//! The table: one line for each measurement, printed as soon as it is there.

use std::time::Duration;

use crate::client::Tally;

/// One line.
pub struct Line {
    /// What was measured; with the database and the clients the name of the line.
    pub what: String,
    /// On what.
    pub on: String,
    /// How many at once.
    pub clients: usize,
    /// Successes a second.
    pub per_second: f64,
    /// Microseconds of the server's processor time for each; `None` where there is no server.
    pub cpu_micros: Option<f64>,
    /// Microseconds, sorted.
    pub micros: Vec<u32>,
    /// What went wrong, and what was checked.
    pub remarks: Vec<String>,
}

impl Line {
    /// The line of a load.
    pub fn of(what: &str, on: &str, clients: usize, window: Duration, tally: Tally) -> Self {
        let Tally {
            mut micros,
            others,
            mut broken,
            acknowledged,
            cpu,
        } = tally;
        micros.sort_unstable();
        let mut remarks: Vec<String> = others
            .into_iter()
            .map(|(status, count)| format!("ERRORS: {count} × {status}"))
            .collect();
        broken.sort_unstable();
        if let Some(first) = broken.first() {
            remarks.push(format!("BROKEN: {} × {first}", broken.len()));
        }
        Self {
            what: what.to_owned(),
            on: on.to_owned(),
            clients,
            per_second: micros.len() as f64 / window.as_secs_f64(),
            cpu_micros: (acknowledged > 0).then(|| cpu * 1e6 / acknowledged as f64),
            micros,
            remarks,
        }
    }

    /// The latency that so many hundredths of all stay within, in milliseconds; nearest rank.
    fn percentile(&self, hundredths: usize) -> f64 {
        let rank = (self.micros.len() * hundredths).div_ceil(100).max(1);
        self.micros
            .get(rank - 1)
            .map_or(f64::NAN, |micros| f64::from(*micros) / 1000.0)
    }
}

/// All lines so far.
pub struct Report(Vec<Line>);

impl Report {
    /// Prints the table's head.
    pub fn begin() -> Self {
        println!();
        println!(
            "| what | on | clients | per second | p50 ms | p99 ms | max ms | CPU µs | ratio | remarks |"
        );
        println!("|---|---|--:|--:|--:|--:|--:|--:|--:|---|");
        Self(Vec::new())
    }

    /// Prints a line; `beside` names what it is compared with, on whatever, at as many clients.
    pub fn add(&mut self, line: Line, beside: Option<&str>) {
        let ratio = beside.and_then(|what| self.rate(what, line.clients)).map_or_else(
            || "–".to_owned(),
            |other| format!("{:.2}", line.per_second / other),
        );
        let cpu = line
            .cpu_micros
            .map_or_else(|| "–".to_owned(), |micros| format!("{micros:.1}"));
        println!(
            "| {} | {} | {} | {} | {:.2} | {:.2} | {:.2} | {cpu} | {ratio} | {} |",
            line.what,
            line.on,
            line.clients,
            thousands(line.per_second),
            line.percentile(50),
            line.percentile(99),
            line.percentile(100),
            line.remarks.join("; "),
        );
        self.0.push(line);
    }

    fn rate(&self, what: &str, clients: usize) -> Option<f64> {
        let line = self
            .0
            .iter()
            .find(|line| line.what == what && line.clients == clients)?;
        Some(line.per_second)
    }

    /// Says at the end whether anything went wrong on the way.
    pub fn end(&self) {
        let wrong = self.0.iter().filter(|line| {
            line.remarks
                .iter()
                .any(|remark| remark.contains("ERROR") || remark.contains("BROKEN"))
        });
        println!("\n{} lines, {} of them with errors.", self.0.len(), wrong.count());
    }
}

fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}
