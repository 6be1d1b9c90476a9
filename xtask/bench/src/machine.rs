//! What the figures were measured on.

use std::{fs, path::Path, time::Duration};

use crate::batch::EVENT_BYTES;

/// One line about this machine and the disk that a folder is on.
pub(crate) fn describe(dir: &Path) -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let cpu = read("/proc/cpuinfo");
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("unknown processor", |rest| rest.trim_start_matches([' ', '\t', ':']));
    let kernel = read("/proc/sys/kernel/osrelease");
    let dir = fs::canonicalize(dir).unwrap_or_else(|_| dir.into());
    let (kind, device) = file_system(&read("/proc/self/mountinfo"), &dir)
        .unwrap_or_else(|| ("unknown file system".into(), "unknown disk".into()));
    let warning =
        if kind == "tmpfs" { " (memory: a sync costs nothing there; see --dir)" } else { "" };
    format!(
        "machine   {cores} cores, {model}; Linux {}; {kind} on {device}{warning}; \
         {EVENT_BYTES}-byte events",
        kernel.trim()
    )
}

/// Processor time, of the server and of this process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cpu {
    server_s: f64,
    own_s: f64,
}

impl Cpu {
    /// As it is now, for a server with this process id.
    pub(crate) fn now(server: u32) -> Self {
        Self { server_s: cpu_s(&server.to_string()), own_s: cpu_s("self") }
    }

    /// How many cores each has used since, on average.
    pub(crate) fn since(self, before: Self, elapsed: Duration) -> String {
        let cores = |now: f64, before: f64| (now - before) / elapsed.as_secs_f64();
        format!(
            "{:.2} cores for the server, {:.2} for the load",
            cores(self.server_s, before.server_s),
            cores(self.own_s, before.own_s)
        )
    }
}

/// The processor time of a process in seconds; 0 where it cannot be told.
pub(crate) fn cpu_s(process: &str) -> f64 {
    // In ticks of 1/100 s, after the program's name, which may have spaces and parentheses.
    let stat = read(&format!("/proc/{process}/stat"));
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let ticks =
        fields.split_whitespace().skip(11).take(2).filter_map(|text| text.parse::<f64>().ok());
    ticks.sum::<f64>() / 100.0
}

/// What a process has in memory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    /// Its own, without files that are mapped: what nobody else could use meanwhile.
    pub(crate) own_bytes: u64,
    /// All that is resident, with its program.
    pub(crate) resident_bytes: u64,
}

impl Memory {
    /// That of a process now.
    pub(crate) fn of(process: u32) -> Self {
        let status = format!("/proc/{process}/status");
        Self {
            own_bytes: field(&status, "RssAnon:") << 10,
            resident_bytes: field(&status, "VmRSS:") << 10,
        }
    }
}

/// The number after a name at the start of a line; 0 if there is none.
pub(crate) fn field(file: &str, name: &str) -> u64 {
    let text = read(file);
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// The type of the file system that a folder is on, and its device, from `mountinfo`: of the mount
/// points above the folder the longest, and of those the last.
fn file_system(mounts: &str, dir: &Path) -> Option<(String, String)> {
    let mount = |line: &str| {
        let (before, after) = line.split_once(" - ")?;
        let point = before.split(' ').nth(4)?.to_owned();
        let mut after = after.split(' ');
        Some((point, after.next()?.to_owned(), after.next()?.to_owned()))
    };
    mounts
        .lines()
        .filter_map(mount)
        .filter(|(point, ..)| dir.starts_with(point))
        .max_by_key(|(point, ..)| point.len())
        .map(|(_, kind, device)| (kind, device))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_grows() {
        let before = cpu_s("self");
        while cpu_s("self") <= before {
            std::hint::black_box((0..10_000).sum::<u64>());
        }
        assert!(cpu_s("no such process") <= 0.0);
    }

    #[test]
    fn longest_mount_point() {
        let mounts =
            "1 0 8:1 / / rw - ext4 /dev/a rw\n2 1 0:2 / /tmp rw shared:1 - tmpfs tmpfs rw\n";
        let check = |dir: &str| file_system(mounts, Path::new(dir)).unwrap().0;
        assert_eq!(check("/tmp/x"), "tmpfs");
        assert_eq!(check("/tmpfile"), "ext4");
    }
}
