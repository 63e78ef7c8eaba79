//! Primes by name, the same in every run.

use kakitome_pki::crypto::sha256;

use crate::number::{Modulus, add_small, divide_by_small, limbs, multiply, octets, remainder_of_small};

/// Numbers that have no prime below this as a factor are looked at more closely.
const SIEVE: u64 = 4096;

/// The first prime behind the number that a name hashes to, with this many bits, so that `exponent`, itself prime, has an
/// inverse below it. The two highest bits are set, so that two of them make a modulus of twice the length.
pub(crate) fn behind(name: &str, bits: usize, exponent: u64) -> Vec<u64> {
    let hashed = (0u32..).flat_map(|count| sha256(&[name.as_bytes(), &count.to_be_bytes()].concat()));
    let mut number = limbs(&hashed.take(bits / 8).collect::<Vec<_>>());
    *number.last_mut().expect("a length") |= 3 << 62;
    number[0] |= 1;
    let small: Vec<u64> = (3..SIEVE).step_by(2).filter(|n| (3..*n).step_by(2).all(|m| n % m != 0)).collect();
    let rests: Vec<u64> = small.iter().map(|prime| remainder_of_small(&number, *prime)).collect();
    let mut offset = 0;
    loop {
        if small.iter().zip(&rests).all(|(prime, rest)| (rest + offset) % prime != 0) {
            let mut candidate = number.clone();
            add_small(&mut candidate, offset);
            if remainder_of_small(&candidate, exponent) != 1 && is_prime(&candidate) {
                return candidate;
            }
        }
        offset += 2;
    }
}

/// By Miller and Rabin with the base 2, which no number that is found by hashing will deceive.
fn is_prime(number: &[u64]) -> bool {
    let modulus = Modulus::new(number);
    let mut less = number.to_vec();
    less[0] -= 1;
    let twos = number.iter().enumerate().find_map(|(at, limb)| {
        let limb = if at == 0 { limb - 1 } else { *limb };
        (limb != 0).then(|| at * 64 + limb.trailing_zeros() as usize)
    });
    let twos = twos.expect("more than one");
    let mut odd = less.clone();
    for _ in 0..twos {
        odd = divide_by_small(&odd, 2);
    }
    let mut base = vec![0; number.len()];
    base[0] = 2;
    let mut power = modulus.power(&base, &octets(&odd));
    let mut one = vec![0; number.len()];
    one[0] = 1;
    if power == one || power == less {
        return true;
    }
    for _ in 1..twos {
        power = modulus.product(&power, &power);
        if power == less {
            return true;
        }
    }
    false
}

/// The inverse of a small prime by another number, which it must not divide: `(1 + k n) / small`, where `k` makes it even.
pub(crate) fn inverse_of_small(small: u64, order: &[u64]) -> Vec<u64> {
    let rest = remainder_of_small(order, small);
    let times = (1..small).find(|k| k * rest % small == small - 1).expect("the two have no common factor");
    let mut whole = multiply(order, &[times]);
    add_small(&mut whole, 1);
    divide_by_small(&whole, small)
}
