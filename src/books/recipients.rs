//! Recipients of sealed files: `age1…`, read strictly. Pure.
//!
//! A recipient is a point of a curve, and some of those lead every secret to the same place: whatever was sealed to one, anybody could
//! open, and age's own code stops the process when it meets one while sealing. They are refused where a recipient is read.

use age::x25519::Recipient;

/// Characters of a recipient: what a column holds, and more than one has.
pub const RECIPIENT_LENGTH_MAX: usize = 100;

/// The recipient, if it is an X25519 one in its one canonical form. Those of plugins begin alike and are none, and a file that names
/// one would start a program.
pub fn recipient(text: &str) -> Option<Recipient> {
    if text.len() > RECIPIENT_LENGTH_MAX {
        return None;
    }
    let recipient: Recipient = text.parse().ok()?;
    if recipient.to_string() != text || leads_nowhere(text) {
        return None;
    }
    Some(recipient)
}

/// Whether every secret key has the same secret in common with it.
fn leads_nowhere(text: &str) -> bool {
    let decoded = age_core::primitives::bech32_decode(
        text,
        |_| (),
        |_| Ok(()),
        |_, bytes| <[u8; 32]>::try_from(bytes.collect::<Vec<u8>>().as_slice()).map_err(|_| ()),
    );
    // Every scalar is made a multiple of eight, the order of the points in question; so any one scalar tells.
    decoded.map_or(true, |point| x25519_dalek::x25519([9; 32], point) == [0; 32])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(point: [u8; 32]) -> String {
        let known = age::x25519::Identity::generate().to_public().to_string();
        age_core::primitives::bech32_decode(
            &known,
            |_| (),
            |_| Ok(()),
            |prefix, _| Ok(age_core::primitives::bech32_encode(prefix, &point)),
        )
        .unwrap()
    }

    #[test]
    fn only_recipients_that_keep_a_secret_are_read() {
        let good = age::x25519::Identity::generate().to_public();
        assert!(recipient(&good.to_string()) == Some(good.clone()));
        assert!(recipient(&good.to_string().to_uppercase()).is_none());
        for bad in [
            "",
            "age1",
            "age1nobody",
            "ssh-ed25519 AAAA",
            " age1",
            "age1yubikey1qwt50d05nh5vutpdzmlg5wn80xq5negm4uj9ghv0snvdd3yysf5yw3rhl3t",
        ] {
            assert!(recipient(bad).is_none(), "{bad}");
        }
        assert!(recipient(&"age1".repeat(50)).is_none());
        let (mut one, mut last) = ([0; 32], [0xff; 32]);
        one[0] = 1;
        // One less than the field's prime.
        (last[0], last[31]) = (0xec, 0x7f);
        for point in [[0; 32], one, last] {
            assert!(written(point).parse::<Recipient>().is_ok(), "age would take it");
            assert!(recipient(&written(point)).is_none());
        }
    }
}
