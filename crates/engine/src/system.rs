//! What the operating system says of memory and of processor time. Of memory only Linux tells; elsewhere nothing is
//! known.

use std::time::Duration;

/// Bytes that can be allocated without swapping.
#[must_use]
pub fn available_memory() -> Option<u64> {
    field("/proc/meminfo", "MemAvailable:")
}

/// The largest amount of memory that this process has held so far, in bytes.
#[must_use]
pub fn peak_memory() -> Option<u64> {
    field("/proc/self/status", "VmHWM:")
}

/// Processor time that this process has used so far, all its threads, user and system.
#[cfg(unix)]
#[must_use]
pub fn cpu_time() -> Option<Duration> {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Some(Duration::new(u64::try_from(time.tv_sec).ok()?, u32::try_from(time.tv_nsec).ok()?))
}

/// Processor time that this process has used so far, all its threads, user and system.
#[cfg(not(unix))]
#[must_use]
pub fn cpu_time() -> Option<Duration> {
    None
}

/// A field of a file of `name: value kB` lines, in bytes.
fn field(path: &str, name: &str) -> Option<u64> {
    let text = std::fs::read_to_string(path).ok()?;
    let line = text.lines().find(|l| l.starts_with(name))?;
    line[name.len()..].trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kb| kb * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn the_processor_time_grows_with_work() {
        let begin = cpu_time().expect("unix tells");
        let mut x = 1_u64;
        for k in 0..10_000_000 {
            x = std::hint::black_box(x.wrapping_mul(3) + k);
        }
        assert!(cpu_time().expect("unix tells") > begin);
    }
}
