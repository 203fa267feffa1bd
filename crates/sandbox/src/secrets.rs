//! New secrets.

use aws_lc_rs::rand;
use thiserror::Error;

/// Bytes of a secret: as many as a hash has, far beyond guessing.
const BYTES: usize = 32;
/// The number of characters of a secret.
pub const LENGTH: usize = 2 * BYTES;

/// The system gave no random numbers.
#[derive(Debug, Error)]
#[error("the system gives no random numbers")]
pub struct NoChance;

/// A new secret: 64 hexadecimal digits.
pub fn fresh() -> Result<String, NoChance> {
    let mut bytes = [0; BYTES];
    rand::fill(&mut bytes).map_err(|_| NoChance)?;
    Ok(hex::encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_secrets_are_equal_and_each_fits_an_address() {
        let (one, other) = (fresh().unwrap(), fresh().unwrap());
        assert_ne!(one, other);
        assert!(one.len() == 64 && one.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
}
