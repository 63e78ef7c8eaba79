//! Whole numbers of any length, as far as RSA and ECDSA by hand need them: limbs of 64 bits, the lowest first. Nothing
//! here is quick or secret.

/// Little-endian limbs of a big-endian number; its length is a multiple of eight octets.
pub(crate) fn limbs(octets: &[u8]) -> Vec<u64> {
    let whole = octets.rchunks(8);
    whole.map(|chunk| chunk.iter().fold(0, |limb, octet| limb << 8 | u64::from(*octet))).collect()
}

pub(crate) fn octets(limbs: &[u64]) -> Vec<u8> {
    limbs.iter().rev().flat_map(|limb| limb.to_be_bytes()).collect()
}

fn wide(low: u64) -> u128 {
    u128::from(low)
}

fn split(sum: u128) -> (u64, u64) {
    (sum as u64, (sum >> 64) as u64)
}

pub(crate) fn multiply(a: &[u64], b: &[u64]) -> Vec<u64> {
    let mut out = vec![0; a.len() + b.len()];
    for (i, a) in a.iter().enumerate() {
        let mut carry = 0;
        for (j, b) in b.iter().enumerate() {
            (out[i + j], carry) = split(wide(out[i + j]) + wide(*a) * wide(*b) + wide(carry));
        }
        out[i + b.len()] = carry;
    }
    out
}

/// Numbers of any number of limbs.
pub(crate) fn is_at_least(a: &[u64], b: &[u64]) -> bool {
    let limb = |number: &[u64], at: usize| number.get(at).copied().unwrap_or(0);
    for at in (0..a.len().max(b.len())).rev() {
        if limb(a, at) != limb(b, at) {
            return limb(a, at) > limb(b, at);
        }
    }
    true
}

pub(crate) fn subtract(a: &mut [u64], b: &[u64]) {
    let mut borrow = false;
    for (at, limb) in a.iter_mut().enumerate() {
        let (first, one) = limb.overflowing_sub(b.get(at).copied().unwrap_or(0));
        let (second, two) = first.overflowing_sub(u64::from(borrow));
        (*limb, borrow) = (second, one || two);
    }
}

/// Adds a small number; what is carried out is lost.
pub(crate) fn add_small(a: &mut [u64], small: u64) {
    let mut carry = small;
    for limb in a {
        (*limb, carry) = split(wide(*limb) + wide(carry));
    }
}

/// The remainder by a small number.
pub(crate) fn remainder_of_small(a: &[u64], small: u64) -> u64 {
    let step = |rest: u64, limb: &u64| (((wide(rest) << 64) | wide(*limb)) % wide(small)) as u64;
    a.iter().rev().fold(0, step)
}

/// The quotient by a small number.
pub(crate) fn divide_by_small(a: &[u64], small: u64) -> Vec<u64> {
    let mut out = vec![0; a.len()];
    let mut rest = 0;
    for at in (0..a.len()).rev() {
        let whole = wide(rest) << 64 | wide(a[at]);
        (out[at], rest) = ((whole / wide(small)) as u64, (whole % wide(small)) as u64);
    }
    out
}

/// An odd number by which others are reduced, by Montgomery's multiplication.
pub(crate) struct Modulus {
    limbs: Vec<u64>,
    inverse: u64,
    /// R² mod n.
    square: Vec<u64>,
}

impl Modulus {
    pub(crate) fn new(modulus: &[u64]) -> Self {
        let length = modulus.len();
        let inverse = (0..6).fold(1u64, |x, _| x.wrapping_mul(2u64.wrapping_sub(modulus[0].wrapping_mul(x))));
        // One, doubled as often as R² has bits.
        let mut square = vec![0u64; length + 1];
        square[0] = 1;
        for _ in 0..2 * 64 * length {
            let mut carry = 0;
            for limb in &mut square {
                (*limb, carry) = (*limb << 1 | carry, *limb >> 63);
            }
            if is_at_least(&square, modulus) {
                subtract(&mut square, modulus);
            }
        }
        square.truncate(length);
        Self { limbs: modulus.to_vec(), inverse: inverse.wrapping_neg(), square }
    }

    fn one(&self) -> Vec<u64> {
        let mut one = vec![0; self.limbs.len()];
        one[0] = 1;
        one
    }

    /// `a b / R mod n`.
    fn montgomery(&self, a: &[u64], b: &[u64]) -> Vec<u64> {
        let length = self.limbs.len();
        let mut t = vec![0u64; length + 2];
        for at in 0..length {
            let b = b.get(at).copied().unwrap_or(0);
            let mut carry = 0;
            for (limb, a) in t.iter_mut().zip(a.iter().chain(std::iter::repeat(&0))).take(length) {
                (*limb, carry) = split(wide(*limb) + wide(*a) * wide(b) + wide(carry));
            }
            (t[length], t[length + 1]) = split(wide(t[length]) + wide(carry));
            let m = t[0].wrapping_mul(self.inverse);
            (_, carry) = split(wide(t[0]) + wide(m) * wide(self.limbs[0]));
            for j in 1..length {
                (t[j - 1], carry) = split(wide(t[j]) + wide(m) * wide(self.limbs[j]) + wide(carry));
            }
            let (low, high) = split(wide(t[length]) + wide(carry));
            (t[length - 1], t[length]) = (low, t[length + 1] + high);
        }
        if is_at_least(&t, &self.limbs) {
            subtract(&mut t, &self.limbs);
        }
        t.truncate(length);
        t
    }

    /// `a b mod n`, both below R.
    pub(crate) fn product(&self, a: &[u64], b: &[u64]) -> Vec<u64> {
        self.montgomery(&self.montgomery(a, b), &self.square)
    }

    /// `base ^ exponent mod n`, the exponent big-endian.
    pub(crate) fn power(&self, base: &[u64], exponent: &[u8]) -> Vec<u64> {
        let one = self.one();
        let base = self.montgomery(base, &self.square);
        let mut out = self.montgomery(&one, &self.square);
        for bit in exponent.iter().flat_map(|octet| (0..8).rev().map(move |bit| octet >> bit & 1)) {
            out = self.montgomery(&out, &out);
            if bit == 1 {
                out = self.montgomery(&out, &base);
            }
        }
        self.montgomery(&out, &one)
    }
}
