//! What the machine has and allows: open files, threads, the device, and memory for the models.

use std::fs::DirEntry;
use std::path::Path;

use super::models::needs;
use super::{Case, Finding, off_thread, size};
use crate::config::{Device, Role};
use crate::engine::{LocalModelFiles, footprint};
use crate::wiring::model::engine_options;

const FILES: &str = "open_files";
const DEVICE: &str = "device";
const MEMORY: &str = "memory";
/// Files, logs, the chain and what the runtime has open for itself.
const OWN: u64 = 128;

pub(super) async fn look(case: &Case) -> Vec<Finding> {
    let mut findings = vec![open_files(case)];
    if needs(case).text.is_some() {
        findings.push(device(case));
    }
    findings.extend(memory(case).await);
    findings
}

fn open_files(case: &Case) -> Finding {
    let needed = connections(case).saturating_add(OWN);
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    judge_files(soft_limit(&limits), needed)
}

/// The connections that may be open at a time.
fn connections(case: &Case) -> u64 {
    let (neuron, gateway) = (&case.settings.neuron, &case.settings.gateway);
    let axon = case.settings.axon.max_connections;
    let rounds = neuron.num_concurrent_forwards.saturating_mul(neuron.sample_size);
    let users = match gateway.enabled {
        true => gateway.rounds.saturating_mul(neuron.sample_size).saturating_add(gateway.in_flight),
        false => 0,
    };
    let most = match case.role {
        Role::Miner => axon,
        Role::Validator => rounds.saturating_add(users).saturating_add(axon),
        // Both ends are here.
        Role::Localnet => rounds.saturating_add(users).saturating_mul(2),
    };
    u64::try_from(most).unwrap_or(u64::MAX)
}

/// The soft limit of open files, as the kernel's table of limits has it.
fn soft_limit(limits: &str) -> Option<u64> {
    let row = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    match row.split_whitespace().next()? {
        "unlimited" => Some(u64::MAX),
        number => number.parse().ok(),
    }
}

fn judge_files(limit: Option<u64>, needed: u64) -> Finding {
    let cure = format!("`ulimit -n {needed}` in the shell, LimitNOFILE={needed} in a systemd unit");
    match limit {
        None => {
            let seen = format!("the limit is not known here; up to {needed} may be open at a time");
            Finding::warning(FILES, seen, cure)
        }
        Some(limit) if limit < OWN => Finding::failing(
            FILES,
            format!("only {limit} are allowed, which nothing runs with"),
            cure,
        ),
        Some(limit) if limit < needed => {
            let seen = format!("{limit} are allowed, and up to {needed} may be open at a time");
            Finding::warning(FILES, seen, cure)
        }
        Some(limit) => Finding::ok(FILES, format!("{limit} are allowed, up to {needed} needed")),
    }
}

fn device(case: &Case) -> Finding {
    match case.settings.neuron.device {
        Device::Cpu => {
            let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
            judge_threads(case.settings.engine.threads.unwrap_or(cores), cores)
        }
        // A build without CUDA refuses the setting itself.
        Device::Cuda(number) => judge_cuda(number, cuda_devices(Path::new("/dev"))),
    }
}

fn judge_threads(threads: usize, cores: usize) -> Finding {
    let seen = format!("the processor, {threads} threads on {cores} cores");
    if threads > cores {
        return Finding::warning(DEVICE, seen, format!("lower engine.threads to {cores}"));
    }
    Finding::ok(DEVICE, seen)
}

/// How many CUDA devices there are nodes of; not known on WSL. In a container nodes keep the
/// machine's numbers, and CUDA counts those that are there from 0.
fn cuda_devices(dev: &Path) -> Option<usize> {
    if dev.join("dxg").exists() {
        return None;
    }
    let is_device = |node: &DirEntry| {
        let name = node.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix("nvidia"));
        number.is_some_and(|number| number.parse::<u32>().is_ok())
    };
    Some(std::fs::read_dir(dev).ok()?.flatten().filter(is_device).count())
}

fn judge_cuda(number: usize, there: Option<usize>) -> Finding {
    let Some(there) = there.filter(|there| *there <= number) else {
        return Finding::ok(DEVICE, format!("CUDA device {number}"));
    };
    let seen = format!("there is no CUDA device {number}: /dev has {there}, counted from 0");
    let cure =
        "`nvidia-smi` lists the devices (a container needs them passed in); set neuron.device";
    Finding::failing(DEVICE, seen, cure)
}

/// The models' memory beside what is free; nothing where no model runs here.
async fn memory(case: &Case) -> Option<Finding> {
    if case.settings.neuron.device != Device::Cpu {
        return None;
    }
    let needs = needs(case);
    let text = needs.place(case, needs.text?)?;
    let embedder = needs.embedder.and_then(|name| needs.place(case, name));
    let options = engine_options(&case.settings);
    let looked = off_thread(move || {
        let needed = footprint(&LocalModelFiles { text, embedder }, options).ok()?;
        Some((needed, free_memory()))
    });
    match case.soon(MEMORY, looked).await {
        // What is wrong with the files is said of the files.
        Ok(None) => None,
        Ok(Some((needed, free))) => Some(judge_memory(needed, free)),
        Err(late) => Some(late),
    }
}

fn judge_memory(needed: u64, free: Option<u64>) -> Finding {
    let cure = "lower engine.kv_tokens, or choose a smaller neuron.model_id or engine.servers";
    match free {
        None => {
            let seen =
                format!("the models take up to about {}; what is free is not known", size(needed));
            Finding::warning(MEMORY, seen, cure)
        }
        Some(free) => {
            let seen = format!(
                "the models take up to about {}, and {} are free",
                size(needed),
                size(free)
            );
            if free < needed {
                Finding::warning(MEMORY, seen, cure)
            } else {
                Finding::ok(MEMORY, seen)
            }
        }
    }
}

/// The bytes that this process may still take: of the machine, or of the container if that is less.
fn free_memory() -> Option<u64> {
    let read = |path: &str| std::fs::read_to_string(path).ok();
    let machine = available(&read("/proc/meminfo")?)?;
    let number = |path: &str| read(path)?.trim().parse::<u64>().ok();
    let limit = number("/sys/fs/cgroup/memory.max");
    let used = number("/sys/fs/cgroup/memory.current").unwrap_or(0);
    let unused = read("/sys/fs/cgroup/memory.stat").and_then(|stat| unused_pages(&stat));
    let used = used.saturating_sub(unused.unwrap_or(0));
    Some(limit.map_or(machine, |limit| machine.min(limit.saturating_sub(used))))
}

/// The bytes of files in memory that nobody uses now: they are given back when they are wanted.
fn unused_pages(stat: &str) -> Option<u64> {
    stat.lines().find_map(|line| line.strip_prefix("inactive_file ")?.parse().ok())
}

fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kilobytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    #[test]
    fn the_kernels_tables_are_read() {
        let limits = "Limit  Soft Limit  Hard Limit  Units\nMax open files   1024   4096   files\n";
        assert_eq!(soft_limit(limits), Some(1024));
        assert_eq!(soft_limit("Max open files  unlimited unlimited files"), Some(u64::MAX));
        assert_eq!(soft_limit(""), None);
        assert_eq!(available("MemTotal: 9 kB\nMemAvailable:   2 kB\n"), Some(2048));
        assert_eq!(available("MemFree: 2 kB\n"), None);
        assert_eq!(unused_pages("anon 1\ninactive_file 4096\nactive_file 2\n"), Some(4096));
    }

    #[test]
    fn too_few_files_threads_devices_or_bytes_are_told() {
        assert_eq!(judge_files(Some(1024), 20_000).verdict, Verdict::Warning);
        assert_eq!(judge_files(Some(64), 100).verdict, Verdict::Failing);
        assert_eq!(judge_files(Some(u64::MAX), 20_000).verdict, Verdict::Ok);
        assert_eq!(judge_threads(3, 2).cure.unwrap(), "lower engine.threads to 2");
        assert_eq!(judge_threads(2, 2).verdict, Verdict::Ok);
        assert_eq!(judge_cuda(0, Some(0)).verdict, Verdict::Failing);
        assert_eq!(judge_cuda(0, Some(1)).verdict, Verdict::Ok);
        assert_eq!(judge_cuda(0, None).verdict, Verdict::Ok);
        assert_eq!(judge_memory(2, Some(1)).verdict, Verdict::Warning);
        assert_eq!(judge_memory(1, Some(1)).verdict, Verdict::Ok);
    }

    #[test]
    fn cuda_devices_are_counted_by_their_nodes() {
        let dev = tempfile::tempdir().unwrap();
        for name in ["nvidia1", "nvidiactl", "nvidia-uvm"] {
            std::fs::write(dev.path().join(name), "").unwrap();
        }
        assert_eq!(cuda_devices(dev.path()), Some(1));
        std::fs::write(dev.path().join("dxg"), "").unwrap();
        assert_eq!(cuda_devices(dev.path()), None);
    }
}
