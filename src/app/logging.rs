//! Where the log of operation goes. Lines gather in memory and a thread of its own writes them to standard error some
//! milliseconds later, many at once: no request waits for whoever reads them, and a busy service does not wake that
//! thread for every line. Keeps at most [`KEPT_BYTES_MAX`]; what comes while a slow reader has that much before it is
//! counted and not kept, because a service must not stop for its log.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::app::settings::{LogFormat, Settings};
use crate::kernel::refusal::Fault;

/// Bytes that wait to be written at most.
pub const KEPT_BYTES_MAX: usize = 8 << 20;

/// How long the thread gathers lines before it writes again.
const GATHER_FOR: Duration = Duration::from_millis(5);

/// Writes the service's log to standard error, until the guard is dropped.
///
/// # Errors
/// A fault if the settings name no filter, or if something else logs already.
pub fn start(settings: &Settings) -> Result<Guard, Fault> {
    let filter = filter(&settings.log_level)?;
    let (lines, guard) = gather(io::stderr())?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(lines);
    let done = match settings.log_format {
        LogFormat::Text => builder.with_ansi(false).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    done.map_err(|error| Fault::broken(format!("start logging: {error}")))?;
    Ok(guard)
}

/// What is written. That somebody has sent what is no HTTP is an error to the library that reads it; anybody can send that, and it is no error of the service.
/// A filter that names the same place is the last word.
fn filter(log_level: &str) -> Result<EnvFilter, Fault> {
    // By itself first: what the settings say must be a filter without what stands before it.
    EnvFilter::try_new(log_level)
        .and_then(|_| EnvFilter::try_new(format!("actix_http::h1::dispatcher=off,{log_level}")))
        .map_err(|error| Fault::caused("log_level", error))
}

/// Takes lines; clones share them.
#[derive(Clone)]
struct Lines(Arc<Shared>);

/// Ends the writing when it is dropped, after everything that waits is written.
pub struct Guard {
    lines: Lines,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    gathered: Mutex<Gathered>,
    come: Condvar,
}

#[derive(Default)]
struct Gathered {
    bytes: Vec<u8>,
    lost: u64,
    /// The thread waits to be told.
    idle: bool,
    ended: bool,
}

impl Shared {
    fn gathered(&self) -> MutexGuard<'_, Gathered> {
        // Bytes are bytes, whatever became of the thread that added the last ones.
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn gather(to: impl Write + Send + 'static) -> Result<(Lines, Guard), Fault> {
    let lines = Lines(Arc::default());
    let shared = lines.0.clone();
    let thread = std::thread::Builder::new()
        .name("log".into())
        .spawn(move || write_out(&shared, to))
        .map_err(|error| Fault::caused("start logging", error))?;
    let guard = Guard {
        lines: lines.clone(),
        thread: Some(thread),
    };
    Ok((lines, guard))
}

fn write_out(shared: &Shared, mut to: impl Write) {
    // Changes places with what was gathered, so that neither has to grow again.
    let mut bytes = Vec::new();
    loop {
        let (lost, ended) = {
            let mut gathered = shared.gathered();
            while gathered.bytes.is_empty() && gathered.lost == 0 && !gathered.ended {
                gathered.idle = true;
                gathered = shared.come.wait(gathered).unwrap_or_else(PoisonError::into_inner);
                gathered.idle = false;
            }
            std::mem::swap(&mut bytes, &mut gathered.bytes);
            (std::mem::take(&mut gathered.lost), gathered.ended)
        };
        // Nobody can be told that nobody reads the log.
        let _ = to.write_all(&bytes);
        if lost > 0 {
            let _ = writeln!(
                to,
                "{lost} lines of the log were lost: it was not read fast enough"
            );
        }
        let _ = to.flush();
        bytes.clear();
        if ended {
            return;
        }
        std::thread::sleep(GATHER_FOR);
    }
}

impl Write for Lines {
    /// Takes a whole line, or counts it as lost.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut gathered = self.0.gathered();
        if gathered.bytes.len().saturating_add(line.len()) > KEPT_BYTES_MAX {
            gathered.lost = gathered.lost.saturating_add(1);
        } else {
            gathered.bytes.extend_from_slice(line);
        }
        let idle = gathered.idle;
        drop(gathered);
        if idle {
            self.0.come.notify_one();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.lines.0.gathered().ended = true;
        self.lines.0.come.notify_one();
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has nothing left to write.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver, Sender, channel};

    /// Shows what was written, and writes only when it is let.
    struct Reader {
        written: Sender<Vec<u8>>,
        go_on: Receiver<()>,
    }

    impl Write for Reader {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.go_on.recv();
            self.written.send(bytes.to_vec()).unwrap();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn reader() -> (Reader, Receiver<Vec<u8>>, Sender<()>) {
        let ((written, shown), (let_go, go_on)) = (channel(), channel());
        (Reader { written, go_on }, shown, let_go)
    }

    #[test]
    fn lines_come_out_whole_in_order_and_all_of_them() {
        let (reader, shown, let_go) = reader();
        drop(let_go);
        let (lines, guard) = gather(reader).unwrap();
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let mut lines = lines.clone();
                scope.spawn(move || {
                    for line in 0..500 {
                        lines
                            .write_all(format!("{writer} {line:03}\n").as_bytes())
                            .unwrap();
                    }
                });
            }
        });
        drop(guard);
        let text = String::from_utf8(shown.iter().flatten().collect()).unwrap();
        for writer in 0..4 {
            let own = text
                .lines()
                .filter_map(|line| line.strip_prefix(&format!("{writer} ")));
            let expected: Vec<String> = (0..500).map(|line| format!("{line:03}")).collect();
            assert_eq!(own.collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn a_reader_that_stands_still_stops_nobody_and_is_told_what_it_missed() {
        let (reader, shown, let_go) = reader();
        let (mut lines, guard) = gather(reader).unwrap();
        let line = [b'x'; 1 << 20];
        lines.write_all(b"first\n").unwrap();
        // The thread may have taken as much as is kept, and as much again waits.
        for _ in 0..20 {
            lines.write_all(&line).unwrap();
        }
        assert!(lines.0.gathered().bytes.len() <= KEPT_BYTES_MAX);
        drop(let_go);
        drop(guard);
        let text = String::from_utf8(shown.iter().flatten().collect()).unwrap();
        assert!(text.starts_with("first\n"));
        assert!(text.contains("lines of the log were lost"), "{}", text.len());
        assert!(text.len() < 20 << 20);
    }

    #[test]
    fn what_anybody_can_send_is_no_error_unless_somebody_wants_to_see_it() {
        let of = |level: &str| filter(level).unwrap().to_string();
        assert!(of("info").contains("actix_http::h1::dispatcher=off") && of("info").contains("info"));
        let wanted = of("info,actix_http::h1::dispatcher=debug");
        assert!(
            wanted.contains("actix_http::h1::dispatcher=debug") && !wanted.contains("=off"),
            "{wanted}"
        );
        assert!(filter("info,=").is_err() || filter("[").is_err());
    }
}
