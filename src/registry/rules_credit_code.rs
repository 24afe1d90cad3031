//! Unified social credit codes (统一社会信用代码, GB 32100-2015): eighteen characters, the last of which checks the others. Pure.

use std::fmt;
use std::str::FromStr;

/// The characters of a code, each at its value: the digits, and the letters without I, O, S, V and Z (GB 32100-2015 table 2).
const ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
/// How many there are, and the modulus of the check.
const MODULUS: u32 = 31;
/// Characters of a code.
pub const LENGTH: usize = 18;

/// A code whose check character is right.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CreditCode(String);

/// Why a text is no code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CreditCodeError {
    /// Not 18 digits and capital letters other than I, O, S, V, Z.
    #[error("a credit code has 18 digits and capital letters, none of them I, O, S, V or Z")]
    Form,
    /// Some character is not the one that was meant.
    #[error("the check character does not fit")]
    Check,
}

impl CreditCode {
    /// The code as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CreditCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for CreditCode {
    type Err = CreditCodeError;

    fn from_str(text: &str) -> Result<Self, CreditCodeError> {
        let values: Vec<u32> = text.bytes().map_while(value).collect();
        if values.len() != LENGTH || text.len() != LENGTH {
            return Err(CreditCodeError::Form);
        }
        if weighted(&values) == 0 {
            Ok(Self(text.to_owned()))
        } else {
            Err(CreditCodeError::Check)
        }
    }
}

fn value(character: u8) -> Option<u32> {
    let place = ALPHABET.iter().position(|known| *known == character)?;
    u32::try_from(place).ok()
}

/// The sum of all eighteen values, each times 3^(place − 1) modulo 31, the check character times 1; zero in a good code.
fn weighted(values: &[u32]) -> u32 {
    let (mut sum, mut weight) = (0, 1);
    for (place, value) in values.iter().enumerate() {
        let factor = if place == LENGTH - 1 { 1 } else { weight };
        sum = (sum + value * factor) % MODULUS;
        weight = weight * 3 % MODULUS;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Codes that their owners publish.
    const KNOWN: [&str; 8] = [
        "914403001922038216", // 华为技术有限公司
        "9144030071526726XG", // 深圳市腾讯计算机系统有限公司
        "91330100799655058B", // 阿里巴巴（中国）有限公司
        "91440300192317458F", // 比亚迪股份有限公司
        "91100000100003962T", // 中国工商银行股份有限公司
        "911100007109250324", // 中国移动通信集团有限公司
        "91110108551385082Q", // 小米科技有限责任公司
        "91110000802100433B", // 百度在线网络技术（北京）有限公司
    ];

    fn checked(body: &[usize]) -> String {
        let values: Vec<u32> = body.iter().map(|place| u32::try_from(*place).unwrap()).collect();
        let check = (MODULUS - weighted(&values)) % MODULUS;
        let last = ALPHABET[usize::try_from(check).unwrap()];
        body.iter()
            .map(|place| char::from(ALPHABET[*place]))
            .chain([char::from(last)])
            .collect()
    }

    #[test]
    fn codes_that_are_in_use_are_good() {
        for code in KNOWN {
            assert_eq!(code.parse::<CreditCode>().unwrap().as_str(), code);
        }
    }

    #[test]
    fn what_has_not_the_form_of_a_code_is_told_from_what_does_not_check() {
        for bad in [
            "",
            "91440300192203821",
            "9144030019220382166",
            "91440300192203821I",
            "91440300192203821g",
            " 14403001922038216",
            "９14403001922038216",
            "9144030071526726xG",
        ] {
            assert_eq!(bad.parse::<CreditCode>(), Err(CreditCodeError::Form), "{bad}");
        }
        assert_eq!(
            "914403001922038217".parse::<CreditCode>(),
            Err(CreditCodeError::Check)
        );
    }

    proptest! {
        #[test]
        fn one_wrong_character_is_always_found(
            body in prop::collection::vec(0_usize..31, 17), place in 0_usize..18, other in 0_usize..31,
        ) {
            let code = checked(&body);
            prop_assert!(code.parse::<CreditCode>().is_ok());
            let mut bytes = code.clone().into_bytes();
            bytes[place] = ALPHABET[other];
            let wrong = String::from_utf8(bytes).unwrap();
            prop_assert_eq!(wrong.parse::<CreditCode>().is_ok(), wrong == code);
        }

        #[test]
        fn two_neighbours_that_changed_places_are_always_found(
            body in prop::collection::vec(0_usize..31, 17), place in 0_usize..17,
        ) {
            let code = checked(&body);
            let mut bytes = code.clone().into_bytes();
            bytes.swap(place, place + 1);
            let wrong = String::from_utf8(bytes).unwrap();
            prop_assert_eq!(wrong.parse::<CreditCode>().is_ok(), wrong == code);
        }
    }
}
