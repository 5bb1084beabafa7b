//! How much time of the processors a process took.

use std::time::Duration;

/// The kernel counts in hundredths of a second here, whatever it does inside.
const TICK: Duration = Duration::from_millis(10);

/// User and system time of a process and all its threads so far, where the system tells it.
pub(super) fn cpu_time(pid: u32) -> Option<Duration> {
    time_in(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

fn time_in(stat: &str) -> Option<Duration> {
    // The program's name comes second, in brackets, and may itself hold blanks and brackets.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut times = fields.split_whitespace().skip(11).map(str::parse::<u32>);
    let (user, system) = (times.next()?.ok()?, times.next()?.ok()?);
    TICK.checked_mul(user.checked_add(system)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds_user_and_system_time_and_is_not_led_astray_by_a_name() {
        let stat = "77 (a) b (c) S 1 77 77 0 -1 4194304 100 0 0 0 150 25 9 9 20 0 3 0 5 6 7";
        assert_eq!(time_in(stat), Some(Duration::from_millis(1_750)));
        assert_eq!(time_in("77 (sn1) S 1"), None);
        assert_eq!(time_in(""), None);
    }

    #[test]
    fn knows_this_process_and_no_other_one() {
        assert!(cpu_time(std::process::id()).is_some());
        assert_eq!(cpu_time(u32::MAX), None);
    }
}
