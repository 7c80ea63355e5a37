//! The frame of the page: what stands before and behind the parts that differ, and those parts'
//! markup.

use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha2::{Digest as _, Sha256};

use super::data::{Row, Table};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// A page that was begun and must be ended.
pub(super) struct Page<'a> {
    pub(super) out: &'a mut dyn Write,
}

impl<'a> Page<'a> {
    /// Writes everything up to the first part.
    pub(super) fn begin(out: &'a mut dyn Write, title: &str, good: bool) -> io::Result<Self> {
        let title = markup(title);
        let class = if good { "good" } else { "alarm" };
        write!(
            out,
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
             style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"referrer\" content=\"no-referrer\">\n\
             <meta name=\"robots\" content=\"noindex\">\n\
             <title>{title} · douse</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
             <a class=\"skip\" href=\"#findings\">To the list of tokens</a>\n\
             <header>\n<h1>Leaked GitHub tokens</h1>\n<p class=\"lead {class}\">{title}</p>\n\
             </header>\n<main>\n",
            hash(STYLE),
            hash(SCRIPT),
        )?;
        Ok(Self { out })
    }

    /// Writes the table, and all that is left.
    pub(super) fn end<'r>(
        self,
        table: &Table,
        rows: impl Iterator<Item = Row<'r>>,
    ) -> io::Result<()> {
        let out = self.out;
        out.write_all(include_bytes!("table.html"))?;
        table.write(rows, out)?;
        write!(
            out,
            "<script>{SCRIPT}</script>\n<footer class=\"faint\">Written by douse {}. \
             No token stands on this page: each is named by its SHA-256.</footer>\n</body>\n\
             </html>\n",
            env!("CARGO_PKG_VERSION")
        )
    }
}

/// What the security policy calls a text by.
fn hash(text: &str) -> String {
    BASE64.encode(Sha256::digest(text.as_bytes()))
}

/// Numbers that are to be seen first.
pub(super) fn tiles(out: &mut dyn Write, tiles: &[(&str, String)]) -> io::Result<()> {
    writeln!(out, "<dl class=\"tiles\">")?;
    for (label, value) in tiles {
        let (label, value) = (markup(label), markup(value));
        writeln!(out, "<div><dt>{label}</dt><dd>{value}</dd></div>")?;
    }
    writeln!(out, "</dl>")
}

pub(super) fn paragraph(out: &mut dyn Write, class: &str, text: &str) -> io::Result<()> {
    writeln!(out, "<p class=\"{class}\">{}</p>", markup(text))
}

pub(super) fn list(out: &mut dyn Write, title: &str, lines: &[String]) -> io::Result<()> {
    writeln!(
        out,
        "<section>\n<h2>{}</h2>\n<ul class=\"unread\">",
        markup(title)
    )?;
    for line in lines {
        writeln!(out, "<li>{}</li>", markup(line))?;
    }
    writeln!(out, "</ul>\n</section>")
}

/// Text as markup that shows it.
pub(super) fn markup(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text() {
        assert_eq!(
            markup("<img src=x onerror='a'>\"&"),
            "&lt;img src=x onerror=&#39;a&#39;&gt;&quot;&amp;"
        );
    }

    /// Their hashes stand in the policy, so neither may end before its end.
    #[test]
    fn style_and_script_hold_no_end_tag() {
        for text in [STYLE, SCRIPT] {
            assert!(!text.contains("</") && !text.contains("<!--"));
            assert!(
                !text.contains("http:") && !text.contains("https:") && !text.contains("innerHTML")
            );
        }
    }
}
