//! The exponential of a small dense matrix of doubles, with IEEE operations in a fixed order.
//!
//! Scaling and squaring with a diagonal Padé approximant (Golub & Van Loan, Matrix Computations, algorithm
//! 9.3.1); at norm 1/2 the approximant of order 8 is exact to rounding.

/// A square matrix, row after row.
pub(crate) type Matrix = Vec<Vec<f64>>;

const ORDER: u32 = 8;

/// `exp(a)`.
pub(crate) fn expm(a: &Matrix) -> Matrix {
    let n = a.len();
    let norm = a.iter().map(|row| row.iter().map(|x| x.abs()).sum::<f64>()).fold(0.0, f64::max);
    if !norm.is_finite() {
        return vec![vec![f64::NAN; n]; n];
    }
    let (mut squarings, mut size) = (0, norm);
    while size > 0.5 {
        size *= 0.5;
        squarings += 1;
    }
    // Halving is exact.
    let mut scaled = a.clone();
    for x in scaled.iter_mut().flatten() {
        for _ in 0..squarings {
            *x *= 0.5;
        }
    }
    let mut result = pade(&scaled);
    for _ in 0..squarings {
        result = product(&result, &result);
    }
    result
}

/// `exp(a)` and `(exp(a) - 1) / a`, the latter finite for singular `a`: the blocks of the exponential of
/// `[[a, 1], [0, 0]]`.
pub(crate) fn expm_and_integral(a: &Matrix) -> (Matrix, Matrix) {
    let n = a.len();
    let mut augmented = vec![vec![0.0; 2 * n]; 2 * n];
    for i in 0..n {
        augmented[i][..n].copy_from_slice(&a[i]);
        augmented[i][n + i] = 1.0;
    }
    let e = expm(&augmented);
    let block = |from: usize| (0..n).map(|i| e[i][from..from + n].to_vec()).collect();
    (block(0), block(n))
}

fn pade(a: &Matrix) -> Matrix {
    let n = a.len();
    let (mut numerator, mut denominator, mut power) = (identity(n), identity(n), identity(n));
    let mut c = 1.0;
    for k in 1..=ORDER {
        c *= f64::from(ORDER - k + 1) / f64::from(k * (2 * ORDER - k + 1));
        power = product(a, &power);
        let sign = if k % 2 == 0 { 1.0 } else { -1.0 };
        for i in 0..n {
            for j in 0..n {
                numerator[i][j] += c * power[i][j];
                denominator[i][j] += sign * c * power[i][j];
            }
        }
    }
    solve(denominator, numerator)
}

fn identity(n: usize) -> Matrix {
    (0..n).map(|i| (0..n).map(|j| if i == j { 1.0 } else { 0.0 }).collect()).collect()
}

fn product(a: &Matrix, b: &Matrix) -> Matrix {
    let n = a.len();
    let entry = |i: usize, j: usize| (0..n).map(|k| a[i][k] * b[k][j]).fold(0.0, |sum, x| sum + x);
    (0..n).map(|i| (0..n).map(|j| entry(i, j)).collect()).collect()
}

/// `a^-1 b` by elimination with partial pivoting; `a` is close to the identity.
#[allow(clippy::needless_range_loop, reason = "two rows of one matrix at a time")]
fn solve(mut a: Matrix, mut b: Matrix) -> Matrix {
    let n = a.len();
    for k in 0..n {
        let mut pivot = k;
        for i in k + 1..n {
            if a[i][k].abs() > a[pivot][k].abs() {
                pivot = i;
            }
        }
        a.swap(k, pivot);
        b.swap(k, pivot);
        for i in k + 1..n {
            let factor = a[i][k] / a[k][k];
            if factor == 0.0 {
                continue;
            }
            for j in k..n {
                a[i][j] -= factor * a[k][j];
            }
            for j in 0..n {
                b[i][j] -= factor * b[k][j];
            }
        }
    }
    for k in (0..n).rev() {
        for j in 0..n {
            let known = (k + 1..n).map(|i| a[k][i] * b[i][j]).fold(0.0, |sum, x| sum + x);
            b[k][j] = (b[k][j] - known) / a[k][k];
        }
    }
    b
}

#[cfg(test)]
mod tests {
    use approx_equal::close;

    use super::*;

    mod approx_equal {
        pub(super) fn close(a: f64, b: f64) -> bool {
            (a - b).abs() <= 1e-14 * a.abs().max(b.abs()).max(1.0)
        }
    }

    #[test]
    #[allow(clippy::disallowed_methods, reason = "the platform's functions are the reference")]
    fn a_rotation_and_a_jordan_block_have_their_closed_forms() {
        let x = 2.3_f64;
        let e = expm(&vec![vec![0.0, x], vec![-x, 0.0]]);
        assert!(close(e[0][0], x.cos()) && close(e[0][1], x.sin()) && close(e[1][0], -x.sin()), "{e:?}");
        let e = expm(&vec![vec![-0.7, 0.4], vec![0.0, -0.7]]);
        assert!(close(e[0][1], 0.4 * (-0.7_f64).exp()) && e[1][0] == 0.0, "{e:?}");
    }

    #[test]
    fn the_integral_of_a_singular_matrix_is_finite() {
        let (e, integral) = expm_and_integral(&vec![vec![0.0, 1.0], vec![0.0, 0.0]]);
        assert_eq!(e, vec![vec![1.0, 1.0], vec![0.0, 1.0]]);
        assert!(close(integral[0][1], 0.5) && close(integral[0][0], 1.0), "{integral:?}");
    }

    #[test]
    fn a_matrix_that_is_not_finite_gives_no_endless_loop() {
        assert!(expm(&vec![vec![f64::INFINITY]])[0][0].is_nan());
    }
}
