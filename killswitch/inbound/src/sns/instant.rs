//! Dates and times as SNS and certificates write them, in seconds since the epoch.

/// RFC 3339 in UTC, such as `2026-11-21T08:02:07.123Z`, without its fraction.
pub(super) fn seconds(text: &str) -> Option<u64> {
    let whole = text.strip_suffix('Z')?;
    let (whole, fraction) = whole.split_once('.').unwrap_or((whole, "0"));
    let fine = (1..=9).contains(&fraction.len()) && fraction.bytes().all(|b| b.is_ascii_digit());
    let (date, time) = whole.split_once('T')?;
    let date: Vec<&str> = date.split('-').collect();
    let time: Vec<&str> = time.split(':').collect();
    let ([year, month, day], [hour, minute, second]) = (date.as_slice(), time.as_slice()) else {
        return None;
    };
    let two = [month, day, hour, minute, second];
    if !fine || year.len() != 4 || two.iter().any(|part| part.len() != 2) {
        return None;
    }
    since_epoch(&format!("{year}{month}{day}{hour}{minute}{second}"))
}

/// `YYYYMMDDhhmmss`, from 1970 to 9999.
pub(super) fn since_epoch(digits: &str) -> Option<u64> {
    if digits.len() != 14 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let part = |from: usize, to: usize| -> Option<u64> { digits.get(from..to)?.parse().ok() };
    let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
    let (hour, minute, second) = (part(8, 10)?, part(10, 12)?, part(12, 14)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 => 28 + u64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if year < 1970 || !(1..=length).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    // Days from a civil date, counting years from March so that the leap day comes last.
    let years = if month > 2 { year } else { year - 1 };
    let months = if month > 2 { month - 3 } else { month + 9 };
    let leaps = years / 4 - years / 100 + years / 400;
    let days = years * 365 + leaps + (months * 153 + 2) / 5 + day - 1;
    Some((days.checked_sub(719_468)?) * 86_400 + hour * 3600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kill_wire::Timestamp;

    #[test]
    fn what_we_write_reads_back() {
        for at in [
            0,
            951_782_400,
            951_868_799,
            1_795_248_127,
            4_102_444_800,
            253_402_300_799,
        ] {
            let text = Timestamp::from_millis(at * 1000).to_string();
            assert_eq!(seconds(&text), Some(at), "{text}");
        }
        assert_eq!(seconds("2026-11-21T08:02:07Z"), Some(1_795_248_127));
    }

    #[test]
    fn what_is_no_instant_is_none() {
        for text in [
            "",
            "Z",
            "2026-11-21",
            "2026-11-21T08:02:07",
            "2026-11-21T08:02:07+01:00",
            "2026-11-21 08:02:07Z",
            "2026-1-21T08:02:07Z",
            "2026-13-21T08:02:07Z",
            "2026-02-29T08:02:07Z",
            "2026-11-00T08:02:07Z",
            "2026-11-21T24:02:07Z",
            "2026-11-21T08:02:+7Z",
            "2026-11-21T08:02:07.Z",
            "2026-11-21T08:02:07.1x3Z",
            "1969-12-31T23:59:59Z",
            "02026-11-21T08:02:07Z",
        ] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
