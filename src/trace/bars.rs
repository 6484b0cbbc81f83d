// SPDX-License-Identifier: GPL-2.0-only
//! Bars of text, an eighth of a character exact.

const UPWARD: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const RIGHTWARD: [char; 9] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];

/// Columns as high as `values`, the highest `lines` lines high; top line
/// first. What is above 0 shows at least a little.
pub fn columns(values: &[f64], lines: usize) -> Vec<String> {
    let highest = values.iter().copied().fold(0.0, f64::max);
    let eighths: Vec<usize> = values
        .iter()
        .map(|&value| eighths(value, highest, lines))
        .collect();
    let line = |line: usize| {
        let columns = eighths
            .iter()
            .map(|eighths| UPWARD[eighths.saturating_sub(line * 8).min(8)]);
        columns.collect::<String>().trim_end().to_owned()
    };
    (0..lines).rev().map(line).collect()
}

/// A bar of `value`, `width` characters wide where it is `highest`.
pub fn bar(value: f64, highest: f64, width: usize) -> String {
    let eighths = eighths(value, highest, width);
    let mut bar: String = std::iter::repeat_n(RIGHTWARD[8], eighths / 8).collect();
    if !eighths.is_multiple_of(8) {
        bar.push(RIGHTWARD[eighths % 8]);
    }
    bar
}

fn eighths(value: f64, highest: f64, characters: usize) -> usize {
    if value > 0.0 && highest > 0.0 {
        ((value / highest * 8.0 * characters as f64).round() as usize).max(1)
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_on_the_ground() {
        assert_eq!(columns(&[0.0, 8.0, 16.0, 0.1], 2), ["  █", " ██▁"]);
        assert_eq!(columns(&[0.0, 0.0], 1), [""]);
        assert_eq!(columns(&[f64::NAN, 1.0], 1), [" █"]);
    }

    #[test]
    fn bars_end_where_they_should() {
        assert_eq!(bar(1.0, 2.0, 5), "██▌");
        assert_eq!(bar(0.0, 2.0, 5), "");
        assert_eq!(bar(1e-9, 2.0, 5), "▏");
        assert_eq!(bar(2.0, 2.0, 5), "█████");
        assert_eq!(bar(1.0, 0.0, 5), "");
    }
}
