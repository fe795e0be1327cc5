//! What the operating system says of memory. Linux tells; elsewhere nothing is known.

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

/// A field of a file of `name: value kB` lines, in bytes.
fn field(path: &str, name: &str) -> Option<u64> {
    let text = std::fs::read_to_string(path).ok()?;
    let line = text.lines().find(|l| l.starts_with(name))?;
    line[name.len()..].trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kb| kb * 1024)
}
