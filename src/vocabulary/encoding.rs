//! How a token is written in the bytes around it.

use std::fmt;

/// Every way of writing a token that is looked for. Where one lies in another, the outermost comes
/// first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Encoding {
    /// As itself.
    Plain,
    /// Base64, standard or URL-safe, folded or not.
    Base64,
    /// Base64 of base64: a docker configuration in a Kubernetes secret.
    Base64Base64,
    /// Base64 of UTF-16: what `powershell -EncodedCommand` takes.
    Base64Utf16Le,
    /// Two bytes a character, the lower one first.
    Utf16Le,
    /// Two bytes a character, the higher one first.
    Utf16Be,
    /// Two hexadecimal digits a character.
    Hex,
    /// `%5F`, as in URLs and forms.
    Percent,
    /// `\u005f`, as in JSON, Java and JavaScript.
    JsonEscape,
    /// `\x5f`, as in C, Python, JavaScript and many logs.
    HexEscape,
    /// `=5F` and lines broken by `=`, as in mails.
    QuotedPrintable,
    /// `&#95;` and `&#x5f;`, as in HTML and XML.
    CharacterReference,
    /// `\_`, as in Markdown.
    Markdown,
}

impl Encoding {
    /// Its name in machine output; a chain is joined by `+`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Base64 => "base64",
            Self::Base64Base64 => "base64+base64",
            Self::Base64Utf16Le => "base64+utf16le",
            Self::Utf16Le => "utf16le",
            Self::Utf16Be => "utf16be",
            Self::Hex => "hex",
            Self::Percent => "percent",
            Self::JsonEscape => "json_escape",
            Self::HexEscape => "hex_escape",
            Self::QuotedPrintable => "quoted_printable",
            Self::CharacterReference => "character_reference",
            Self::Markdown => "markdown",
        }
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
