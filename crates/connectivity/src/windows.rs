//! Pairs of two grids of neurons, each target with a window of the source: convolutions and pooling.
//!
//! Neurons of a grid are numbered row by row, channels fastest: `(row * columns + column) * channels + channel`. Target
//! `(r, c)` sees the rows `r * stride - padding ..` of the source, as many as the window has, and columns likewise; what
//! lies outside of the source has no synapse, which is as if it were zero. The filter is not flipped: its element
//! `(a, b)` belongs to the source at `(r * stride - padding + a, c * stride - padding + b)`, a cross-correlation, as in
//! ANNarchy and in machine learning.

use crate::ConnectError;
use crate::error::check_count;

/// Windows of one grid in another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Windows {
    /// Rows, columns and channels of the source.
    pub input: [u32; 3],
    /// Rows, columns and channels of the target.
    pub output: [u32; 3],
    /// Rows and columns of the window.
    pub extent: [u32; 2],
    /// How far windows of neighbours lie apart.
    pub stride: [u32; 2],
    /// Rows and columns before the source that the first window covers.
    pub padding: [u32; 2],
    /// Whether each target channel has a filter over all source channels; otherwise it sees its own channel only.
    pub mixes_channels: bool,
}

/// Pairs, and for each the number of its filter element.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct WindowPairs {
    /// (source, target), targets ascending.
    pub pairs: Vec<(u32, u32)>,
    /// `((target channel * rows + row) * columns + column) * source channels + source channel` within the window; the
    /// target channel is left out, and the source channel, where channels are not mixed.
    pub elements: Vec<u32>,
}

impl Windows {
    /// How many rows or columns of targets fit, `padding` before and behind.
    #[must_use]
    pub fn fitting(input: u32, extent: u32, stride: u32, padding: u32) -> u32 {
        let covered = u64::from(input) + 2 * u64::from(padding);
        match covered.checked_sub(u64::from(extent)) {
            Some(rest) => u32::try_from(rest / u64::from(stride.max(1)) + 1).unwrap_or(u32::MAX),
            None => 0,
        }
    }

    /// How many elements all filters have together.
    #[must_use]
    pub fn filter_elements(&self) -> u64 {
        let window = u64::from(self.extent[0]) * u64::from(self.extent[1]);
        if self.mixes_channels {
            window * u64::from(self.output[2]) * u64::from(self.input[2])
        } else {
            window
        }
    }

    /// The pairs, target by target, each target's in the order of its filter elements.
    ///
    /// # Errors
    /// [`ConnectError::TooManySynapses`].
    pub fn pairs(&self) -> Result<WindowPairs, ConnectError> {
        let targets = self.output.iter().map(|n| u64::from(*n)).product::<u64>();
        let per_target = if self.mixes_channels {
            self.filter_elements() / u64::from(self.output[2].max(1))
        } else {
            self.filter_elements()
        };
        check_count(targets.saturating_mul(per_target))?;
        let mut made = WindowPairs::default();
        let [rows, columns, channels] = self.output;
        for row in 0..rows {
            for column in 0..columns {
                for channel in 0..channels {
                    self.window([row, column, channel], &mut made);
                }
            }
        }
        Ok(made)
    }

    fn window(&self, [row, column, channel]: [u32; 3], made: &mut WindowPairs) {
        let [_, columns, channels] = self.output;
        let target = (row * columns + column) * channels + channel;
        let sources = if self.mixes_channels { 0..self.input[2] } else { channel..channel + 1 };
        // The place of an element of the window in the source, if it lies there.
        let place = |at: u32, k: usize, offset: u32| {
            let here = u64::from(at) * u64::from(self.stride[k]) + u64::from(offset);
            let here = here.checked_sub(u64::from(self.padding[k]))?;
            u32::try_from(here).ok().filter(|n| *n < self.input[k])
        };
        for a in 0..self.extent[0] {
            let Some(r) = place(row, 0, a) else { continue };
            for b in 0..self.extent[1] {
                let Some(c) = place(column, 1, b) else { continue };
                for source in sources.clone() {
                    made.pairs.push(((r * self.input[1] + c) * self.input[2] + source, target));
                    let element = a * self.extent[1] + b;
                    made.elements.push(if self.mixes_channels {
                        let first = channel * self.extent[0] * self.extent[1];
                        (first + element) * self.input[2] + source
                    } else {
                        element
                    });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same sum, written down from the definition over a padded image.
    fn naive(w: &Windows, image: &[f64], filter: &[f64], target: [u32; 3]) -> f64 {
        let at = |r: i64, c: i64, ch: u32| {
            let inside = r >= 0 && c >= 0 && r < i64::from(w.input[0]) && c < i64::from(w.input[1]);
            let place = (r * i64::from(w.input[1]) + c) * i64::from(w.input[2]) + i64::from(ch);
            if inside { image[place as usize] } else { 0.0 }
        };
        let mut sum = 0.0;
        for a in 0..w.extent[0] {
            for b in 0..w.extent[1] {
                for ch in 0..w.input[2] {
                    let r = i64::from(target[0] * w.stride[0] + a) - i64::from(w.padding[0]);
                    let c = i64::from(target[1] * w.stride[1] + b) - i64::from(w.padding[1]);
                    let k = ((target[2] * w.extent[0] + a) * w.extent[1] + b) * w.input[2] + ch;
                    sum += filter[k as usize] * at(r, c, ch);
                }
            }
        }
        sum
    }

    proptest! {
        #[test]
        fn a_convolution_is_the_sum_over_the_padded_image(
            rows in 1_u32..7, columns in 1_u32..7, channels in 1_u32..4, filters in 1_u32..4,
            a in 1_u32..4, b in 1_u32..4, stride in 1_u32..4, padding in 0_u32..3,
        ) {
            let fit = |n, e| Windows::fitting(n, e, stride, padding);
            let w = Windows {
                input: [rows, columns, channels],
                output: [fit(rows, a), fit(columns, b), filters],
                extent: [a, b],
                stride: [stride; 2],
                padding: [padding; 2],
                mixes_channels: true,
            };
            // Powers of two up to 2^20 add without rounding here.
            let image: Vec<f64> = (0..rows * columns * channels).map(|k| f64::from(1 + k * 7 % 13)).collect();
            let filter: Vec<f64> = (0..w.filter_elements()).map(|k| f64::from(k as u32 * 5 % 17)).collect();
            let made = w.pairs().unwrap();
            prop_assert!(made.pairs.is_sorted_by_key(|p| p.1));
            let mut found = vec![0.0; w.output.iter().product::<u32>() as usize];
            for ((pre, post), element) in made.pairs.iter().zip(&made.elements) {
                found[*post as usize] += image[*pre as usize] * filter[*element as usize];
            }
            for r in 0..w.output[0] {
                for c in 0..w.output[1] {
                    for f in 0..filters {
                        let target = ((r * w.output[1] + c) * filters + f) as usize;
                        prop_assert_eq!(found[target], naive(&w, &image, &filter, [r, c, f]));
                    }
                }
            }
        }

        #[test]
        fn pooling_windows_without_overlap_share_no_source(rows in 1_u32..9, columns in 1_u32..9, channels in 1_u32..4, e in 1_u32..4) {
            let fit = |n| Windows::fitting(n, e, e, 0);
            let w = Windows {
                input: [rows, columns, channels],
                output: [fit(rows), fit(columns), channels],
                extent: [e; 2],
                stride: [e; 2],
                padding: [0; 2],
                mixes_channels: false,
            };
            let mut sources: Vec<u32> = w.pairs().unwrap().pairs.iter().map(|p| p.0).collect();
            prop_assert!(w.pairs().unwrap().pairs.iter().all(|(pre, post)| pre % channels == post % channels));
            let count = sources.len();
            prop_assert_eq!(count as u32, w.output.iter().product::<u32>() * e * e);
            sources.sort_unstable();
            sources.dedup();
            prop_assert_eq!(sources.len(), count);
        }
    }
}
