//! What may be unpacked, as the command line says it.

use anyhow::{Context as _, Result, bail};
use douse::revoke::parse_span;
use douse::scan::Archives;
use douse::source::Repositories;
use douse::unpack::{Limit, Limits};

use super::args::ArchiveArgs;

/// Settles whether containers are opened, and how far.
pub(super) fn archives(args: &ArchiveArgs, packs: Repositories) -> Result<Archives> {
    if args.no_archives {
        return Ok(Archives::Closed);
    }
    let mut limits = Limits {
        depth: args.max_depth,
        packs,
        ..Limits::default()
    };
    if let Some(size) = &args.max_unpacked {
        limits.bytes = Limit::Fixed(parse_size(size).context("--max-unpacked")?);
    }
    if let Some(entries) = args.max_members {
        limits.entries = Limit::Fixed(entries);
    }
    if let Some(time) = &args.max_unpack_time {
        let time = parse_span(time).context("--max-unpack-time")?;
        limits.time = Limit::Fixed(u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
    }
    if let Some(memory) = &args.max_unpack_memory {
        limits.memory = parse_size(memory).context("--max-unpack-memory")?;
    }
    Ok(Archives::Open(limits))
}

/// Reads a number of bytes: a whole number, and `K`, `M`, `G` or `T` for powers of 1024.
fn parse_size(text: &str) -> Result<u64> {
    let (digits, shift) = match text.as_bytes().last() {
        Some(b'K' | b'k') => (&text[..text.len() - 1], 10),
        Some(b'M' | b'm') => (&text[..text.len() - 1], 20),
        Some(b'G' | b'g') => (&text[..text.len() - 1], 30),
        Some(b'T' | b't') => (&text[..text.len() - 1], 40),
        Some(_) | None => (text, 0),
    };
    let number = digits
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| digits.parse::<u64>().ok())
        .flatten();
    match number.and_then(|number| number.checked_mul(1 << shift)) {
        Some(size) => Ok(size),
        None => bail!(
            "a size is a whole number of bytes, or one with K, M, G or T behind it, as in 64M"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read() {
        for (text, size) in [
            ("0", 0),
            ("12", 12),
            ("3k", 3 << 10),
            ("64M", 64 << 20),
            ("2T", 2 << 40),
        ] {
            assert_eq!(parse_size(text).unwrap(), size);
        }
        for text in [
            "",
            "M",
            "-1",
            "+1",
            "1.5G",
            "64MB",
            "99999999999999999T",
            "ü",
        ] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }
}
