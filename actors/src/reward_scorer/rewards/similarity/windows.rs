//! The longest common subsequences of a text and every window of another, in one pass.
//!
//! By combing (A. Tiskin, "Semi-local string comparison: algorithmic techniques and applications",
//! 2013). Strands run through the table of the two texts: one enters each row at the left and one
//! each column at the top, and in a cell a strand goes on straight, or turns where the letters are
//! equal or where it has crossed the other one already. Of a window the subsequence is as long as
//! the window is, less the strands that both enter and leave the table within it.

use std::collections::HashMap;

use super::MAX_WINDOWED;
use crate::domain::Score;
use crate::reward_scorer::effort::Effort;

/// Letters and strands by their numbers. The smaller the type, the more of them the machine takes at
/// once; signed ones can be compared so everywhere.
type Number = i16;
const _: () = assert!(2 * MAX_WINDOWED <= Number::MAX as usize);

/// The highest indel ratio of `short` to a window of `long` that is as long as `short`, or shorter
/// and at an end of `long`. `long` is no shorter than `short`, and neither is longer than
/// [`MAX_WINDOWED`].
pub(super) fn best(short: &[char], long: &[char], effort: &Effort) -> Score {
    if short.is_empty() || long.len() < short.len() {
        return Score::ZERO;
    }
    effort.spend(short.len() * long.len());
    let mut numbers = HashMap::new();
    let mut numbered = |text: &[char]| -> Vec<Number> {
        let number = |&letter: &char| {
            let next = number(numbers.len());
            *numbers.entry(letter).or_insert(next)
        };
        text.iter().map(number).collect()
    };
    let (short, long) = (numbered(short), numbered(long));
    best_of_strands(short.len(), &comb(&short, &long))
}

fn number(count: usize) -> Number {
    Number::try_from(count).unwrap_or(Number::MAX)
}

/// For each column, the strand that leaves the table at its foot. Strands are numbered from the
/// last row up, and on from the first column to the last.
fn comb(short: &[Number], long: &[Number]) -> Vec<Number> {
    let last = short.len() - 1;
    let upwards: Vec<Number> = short.iter().rev().copied().collect();
    let mut across: Vec<Number> = (0..short.len()).map(number).collect();
    let mut down: Vec<Number> = (0..long.len()).map(|n| number(short.len() + n)).collect();
    // The cells of a diagonal do not depend on each other.
    for diagonal in 0..last + long.len() {
        let (row, column) = (last.saturating_sub(diagonal), diagonal.saturating_sub(last));
        let cells = usize::min(short.len() - row, long.len() - column);
        pass(
            &mut across[row..row + cells],
            &mut down[column..column + cells],
            &upwards[row..row + cells],
            &long[column..column + cells],
        );
    }
    down
}

/// Takes the strands through the cells of a diagonal.
fn pass(across: &mut [Number], down: &mut [Number], rows: &[Number], columns: &[Number]) {
    let cells = across.iter_mut().zip(down).zip(rows).zip(columns);
    for (((across, down), row), column) in cells {
        let turn = (row == column) | (*across > *down);
        (*across, *down) = if turn { (*down, *across) } else { (*across, *down) };
    }
}

/// The highest ratio over all windows, from the first end to the last.
fn best_of_strands(short: usize, leaves: &[Number]) -> Score {
    // The column at whose top the strand entered that leaves at the foot of each, if it was a
    // column; and the other way around.
    let entered: Vec<Option<usize>> =
        leaves.iter().map(|&strand| usize::try_from(strand).ok()?.checked_sub(short)).collect();
    let mut left = vec![None; leaves.len()];
    for (foot, top) in entered.iter().enumerate() {
        if let Some(top) = top {
            left[*top] = Some(foot);
        }
    }
    let mut best = 0.0;
    let mut inside = 0;
    for end in 1..leaves.len() + short {
        // Where the window does not lie wholly on the text, its part on it is the window.
        let (from, to) = (end.saturating_sub(short), end.min(leaves.len()));
        if end > short && left[from - 1].is_some_and(|foot| foot + 1 < end) {
            inside -= 1;
        }
        if end == to && entered[end - 1].is_some_and(|top| top >= from) {
            inside += 1;
        }
        let common = to - from - inside;
        best = f64::max(best, (2 * common) as f64 / (short + to - from) as f64);
    }
    Score::new(best)
}
