//! The part of a blob that a `Range` header asks for.

use std::ops::RangeInclusive;

use super::error::Error;

/// First and last byte to serve; None stands for the whole blob. `size` is in bytes.
///
/// What is not one range of bytes is ignored, as RFC 9110 (14.2) allows: the client then gets everything.
///
/// # Errors
/// [`Error::RangeOutside`] where the range begins behind the end, or is the last 0 bytes.
pub fn parse(header: Option<&str>, size: u64) -> Result<Option<RangeInclusive<u64>>, Error> {
    let Some((first, last)) = header.and_then(|text| text.strip_prefix("bytes=")).and_then(|text| text.split_once('-'))
    else {
        return Ok(None);
    };
    let bounds = match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last => (first, last.min(size.saturating_sub(1))),
        (Some(first), None) if last.is_empty() => (first, size.saturating_sub(1)),
        (None, Some(0)) if first.is_empty() => return Err(Error::RangeOutside { size }),
        (None, Some(count)) if first.is_empty() => (size.saturating_sub(count), size.saturating_sub(1)),
        _ => return Ok(None),
    };
    if bounds.0 < size { Ok(Some(bounds.0..=bounds.1)) } else { Err(Error::RangeOutside { size }) }
}

/// Digits alone: the standard parser would also take a sign.
fn number(text: &str) -> Option<u64> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_three_forms() {
        for (header, expected) in [
            ("bytes=0-0", Some(0..=0)),
            ("bytes=2-4", Some(2..=4)),
            ("bytes=2-", Some(2..=9)),
            ("bytes=-3", Some(7..=9)),
            ("bytes=-30", Some(0..=9)),
            ("bytes=8-99", Some(8..=9)),
            ("bytes=4-2", None),
            ("bytes=0-1,3-4", None),
            ("bytes=+1-2", None),
            ("bytes=-", None),
            ("lines=0-1", None),
        ] {
            assert_eq!(parse(Some(header), 10).unwrap(), expected, "{header}");
        }
        assert_eq!(parse(None, 10).unwrap(), None);
    }

    #[test]
    fn outside_is_an_error() {
        for (header, size) in
            [("bytes=10-", 10), ("bytes=11-12", 10), ("bytes=-0", 10), ("bytes=0-", 0), ("bytes=-1", 0)]
        {
            assert!(matches!(parse(Some(header), size), Err(Error::RangeOutside { .. })), "{header} of {size}");
        }
    }

    proptest! {
        #[test]
        fn what_is_served_lies_inside(header in "bytes=[0-9]{0,3}-[0-9]{0,3}", size in 0u64..200) {
            if let Ok(Some(range)) = parse(Some(&header), size) {
                prop_assert!(range.start() <= range.end() && *range.end() < size);
            }
        }
    }
}
