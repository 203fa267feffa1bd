//! Account numbers that a mistyped one may have meant.

/// Patterns that find all numbers which differ in one digit: `_` stands for any one character
/// even in an "exact" search (`fineract.md` §8.1), so one search per place is enough.
pub(crate) fn one_digit_off(number: &str) -> Vec<String> {
    (0..number.len())
        .filter_map(|place| Some(format!("{}_{}", number.get(..place)?, number.get(place + 1..)?)))
        .collect()
}

/// The numbers with two neighbouring digits swapped.
pub(crate) fn swapped(number: &str) -> Vec<String> {
    let digits: Vec<char> = number.chars().collect();
    (1..digits.len())
        .filter(|&place| digits.get(place - 1) != digits.get(place))
        .map(|place| {
            let mut digits = digits.clone();
            digits.swap(place - 1, place);
            digits.into_iter().collect()
        })
        .collect()
}

/// The distance of two numbers: 0 equal, 1 swapped neighbours, 2 one digit, `None` further.
pub(crate) fn distance(typed: &str, found: &str) -> Option<u8> {
    if typed == found {
        return Some(0);
    }
    if typed.len() != found.len() {
        return None;
    }
    if swapped(typed).iter().any(|candidate| candidate == found) {
        return Some(1);
    }
    let differing = typed.bytes().zip(found.bytes()).filter(|(a, b)| a != b).count();
    (differing == 1).then_some(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_numbers_are_those_with_one_slip() {
        assert_eq!(one_digit_off("123"), ["_23", "1_3", "12_"]);
        assert_eq!(swapped("1123"), ["1213", "1132"]);
        assert_eq!(distance("000000034", "000000034"), Some(0));
        assert_eq!(distance("000000034", "000000043"), Some(1));
        assert_eq!(distance("000000034", "000000035"), Some(2));
        assert_eq!(distance("000000034", "000000055"), None);
        assert_eq!(distance("34", "000000034"), None);
    }
}
