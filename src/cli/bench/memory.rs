//! How much memory this process took at its worst.

/// The peak of the resident set in MB (of 2^20 bytes), where the system tells it.
pub(super) fn peak_rss_mb() -> Option<f64> {
    peak_in(&std::fs::read_to_string("/proc/self/status").ok()?)
}

fn peak_in(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_peak_and_nothing_else() {
        let status = "Name:\tsn1\nVmPeak:\t  999 kB\nVmHWM:\t  358400 kB\nVmRSS:\t 12 kB\n";
        assert_eq!(peak_in(status), Some(350.0));
        assert_eq!(peak_in("VmHWM: many\n"), None);
        assert_eq!(peak_in(""), None);
    }
}
