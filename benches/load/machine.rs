//! What the figures were taken on: without it they mean nothing.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Instant;

use crate::ward::Database;

/// Where databases are made: beside the build, which is on a disk where `/tmp` may be memory.
pub const PLACE: &str = env!("CARGO_TARGET_TMPDIR");

/// Cores that this process may use.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(2, std::num::NonZero::get)
}

/// Prints the machine's facts.
pub fn describe(databases: &[Database], workers: usize, threads: usize) {
    let first = |file: &str, key: &str| {
        let text = fs::read_to_string(file).unwrap_or_default();
        let line = text
            .lines()
            .find(|line| line.starts_with(key))
            .unwrap_or_default();
        line.split_once(':')
            .map_or("unknown", |(_, value)| value.trim())
            .to_owned()
    };
    println!(
        "cores            {}, shared by server and load generator",
        cores()
    );
    println!("processor        {}", first("/proc/cpuinfo", "model name"));
    println!("memory           {}", first("/proc/meminfo", "MemTotal"));
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    println!("kernel           {}", kernel.trim());
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!(
        "load before      {} (more than a little: the figures below are too low)",
        load.split(' ').next().unwrap_or_default()
    );
    println!("4 KiB and fsync  {}", sync_times(Path::new(PLACE)));
    println!("server threads   {workers}; load generator {threads}");
    for database in databases {
        println!("database         {}", database.describe());
    }
}

/// How long it takes here to write a page and make it durable.
fn sync_times(place: &Path) -> String {
    let path = place.join("sync-probe");
    let file = File::create(&path).expect("a file can be made");
    (&file).write_all(&[0; 4096]).expect("a file can be written");
    let mut micros: Vec<u128> = (0..200)
        .map(|turn: u64| {
            let begun = Instant::now();
            file.write_all_at(&[1; 4096], turn * 4096)
                .expect("a file can be written");
            file.sync_data().expect("a file can be synced");
            begun.elapsed().as_micros()
        })
        .collect();
    micros.sort_unstable();
    let _ = fs::remove_file(path);
    format!("p50 {} µs, p99 {} µs", micros[100], micros[198])
}
