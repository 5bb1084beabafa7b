//! `$NACL`, a nonce of 24 bytes, and a secretbox (wire.md §13).

use argon2::{Algorithm, Argon2, Block, Params, Version};
use crypto_secretbox::aead::Aead;
use crypto_secretbox::{Key, KeyInit, Nonce, XSalsa20Poly1305};
use zeroize::{Zeroize, Zeroizing};

use super::super::error::WalletError;
use super::super::secret::Secret;
use super::DecryptError;

pub(super) const HEAD: &[u8] = b"$NACL";
const NONCE: usize = 24;
const TAG: usize = 16;

/// The SDK uses one salt for all keys.
const SALT: &[u8] = b"\x13\x71\x83\xdf\xf1\x5a\x09\xbc\x9c\x90\xb5\x51\x87\x39\xe9\xb1";
/// libsodium's limits for sensitive data.
const MEMORY_KIB: u32 = 512 << 10;
const PASSES: u32 = 8;

pub(super) fn decrypt(content: &[u8], password: &Secret) -> Result<Secret, DecryptError> {
    let sealed = content.strip_prefix(HEAD).unwrap_or_default();
    let (nonce, sealed) = sealed.split_first_chunk::<NONCE>().ok_or(CUT_SHORT)?;
    if sealed.len() < TAG {
        return Err(CUT_SHORT);
    }
    let key = stretched(password)?;
    let cipher = XSalsa20Poly1305::new(Key::from_slice(key.as_ref()));
    let plain = cipher.decrypt(Nonce::from_slice(nonce), sealed);
    plain.map(Secret::new).map_err(|_| DecryptError::WrongPassword)
}

const CUT_SHORT: DecryptError = DecryptError::Damaged("it is cut short");

pub(super) fn encrypt(plain: &Secret, password: &Secret) -> Result<Vec<u8>, WalletError> {
    let mut nonce = [0; NONCE];
    getrandom::fill(&mut nonce).map_err(WalletError::Random)?;
    let key = stretched(password).map_err(|_| WalletError::Memory)?;
    let cipher = XSalsa20Poly1305::new(Key::from_slice(key.as_ref()));
    let sealed = cipher.encrypt(Nonce::from_slice(&nonce), plain.expose());
    let sealed = sealed.map_err(|_| WalletError::Memory)?;
    Ok([HEAD, &nonce, &sealed].concat())
}

/// The key of a password.
fn stretched(password: &Secret) -> Result<Zeroizing<[u8; 32]>, DecryptError> {
    let failed = |_| DecryptError::Damaged("its password is longer than any");
    let params = Params::new(MEMORY_KIB, PASSES, 1, Some(32)).map_err(failed)?;
    let mut memory: Vec<Block> = Vec::new();
    let blocks = params.block_count();
    memory.try_reserve_exact(blocks).map_err(|_| DecryptError::Memory)?;
    memory.resize(blocks, Block::new());
    let argon = Argon2::new(Algorithm::Argon2i, Version::V0x13, params);
    let mut key = Zeroizing::new([0; 32]);
    let filled =
        argon.hash_password_into_with_memory(password.expose(), SALT, key.as_mut(), &mut memory);
    memory.zeroize();
    filled.map_err(failed)?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_cut_short_is_refused_before_the_costly_part() {
        let password = Secret::new(b"password".to_vec());
        let whole = [HEAD, &[7; NONCE + TAG]].concat();
        for length in HEAD.len()..whole.len() {
            let cut = decrypt(&whole[..length], &password);
            assert_eq!(cut.unwrap_err(), CUT_SHORT, "{length}");
        }
    }
}
