//! ar: archives of object files, and Debian's packages. Long names as GNU and as BSD write them.

use std::io::{self, BufRead};

use super::exactly::{Exactly, block, read_text};
use super::lookahead::Lookahead;
use super::{Members, Unread};

/// What every archive starts with. Thin ones, which hold names alone, start with something else.
pub(super) const MAGIC: &[u8] = b"!<arch>\n";

const HEADER: usize = 60;

/// What every header ends with.
const END: &[u8] = b"`\n";

/// Reads all members.
pub(super) fn read(input: &mut dyn BufRead, members: &mut dyn Members) -> Result<(), Unread> {
    let mut input = Lookahead::new(input);
    Exactly::new(&mut input, MAGIC.len() as u64).skip_rest()?;
    let mut long_names = Vec::new();
    loop {
        let offset = input.position();
        let Some(header) = block::<HEADER>(&mut input)? else {
            // A line break may fill up the last member.
            return if input.position() <= offset + 1 {
                Ok(())
            } else {
                Err(damaged(offset))
            };
        };
        let Some(mut size) = header
            .ends_with(END)
            .then(|| number(&header[48..58]))
            .flatten()
        else {
            return Err(damaged(offset));
        };
        let padding = size % 2;
        let field = header[..16].trim_ascii_end();
        let name = if field == b"//" {
            long_names = read_text(&mut input, size)?;
            size = 0;
            None
        } else if let Some(length) = field.strip_prefix(b"#1/").and_then(number) {
            let mut name = read_text(&mut input, length.min(size))?;
            size -= length.min(size);
            name.truncate(
                name.iter()
                    .position(|&byte| byte == 0)
                    .unwrap_or(name.len()),
            );
            Some(name)
        } else if let Some(at) = field.strip_prefix(b"/").and_then(number) {
            Some(long_name(&long_names, at))
        } else {
            Some(field.strip_suffix(b"/").unwrap_or(field).to_vec())
        };
        let at = input.position();
        let mut contents = Exactly::new(&mut input, size);
        if let Some(name) = name
            && members.stored(&name, at, &mut contents).is_break()
        {
            return Ok(());
        }
        contents.skip_rest()?;
        // Some writers leave the last one out.
        if padding == 1 && !input.head()?.is_empty() {
            input.consume(1);
        }
    }
}

/// The name at a place in the table of long names: up to the end of its line.
fn long_name(names: &[u8], at: u64) -> Vec<u8> {
    let rest = usize::try_from(at).ok().and_then(|at| names.get(at..));
    let line = rest.unwrap_or_default().split(|&byte| byte == b'\n').next();
    let line = line.unwrap_or_default();
    line.strip_suffix(b"/").unwrap_or(line).to_vec()
}

fn number(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits.trim_ascii()).ok()?.parse().ok()
}

fn damaged(offset: u64) -> Unread {
    let message = format!("no header at byte {offset}, where one should be");
    Unread::Damaged(io::Error::new(io::ErrorKind::InvalidData, message))
}
