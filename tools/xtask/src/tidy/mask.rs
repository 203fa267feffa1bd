//! Rust source with comments, texts and characters blanked out, so that what is left is code; or with
//! all but the comments blanked out.

/// The source with the same lines and the same number of bytes, in which every byte of a comment,
/// of a string's or character's content, and everything that is not ASCII is a blank.
pub(super) fn mask(source: &str) -> String {
    masked(source, Kept::Code)
}

/// The source with the same lines and the same number of bytes, in which every byte outside of a
/// comment is a blank.
pub(super) fn comments(source: &str) -> String {
    masked(source, Kept::Comments)
}

fn masked(source: &str, kept: Kept) -> String {
    let out = Vec::with_capacity(source.len());
    let mut mask = Mask { bytes: source.as_bytes(), at: 0, out, kept };
    while mask.at < mask.bytes.len() {
        mask.step();
    }
    String::from_utf8(mask.out).unwrap_or_default()
}

/// The part of the source that is not blanked out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kept {
    Code,
    Comments,
}

struct Mask<'a> {
    bytes: &'a [u8],
    at: usize,
    out: Vec<u8>,
    kept: Kept,
}

impl Mask<'_> {
    fn step(&mut self) {
        let rest = &self.bytes[self.at..];
        if rest.starts_with(b"//") {
            let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
            self.comment(end);
        } else if rest.starts_with(b"/*") {
            self.comment(block_comment(rest));
        } else if let Some(length) = raw_string(rest).filter(|_| !self.inside_word()) {
            self.blank(length);
        } else if rest[0] == b'"' {
            self.blank(quoted(rest, b'"'));
        } else if rest[0] == b'\'' && is_character(rest) {
            self.blank(quoted(rest, b'\''));
        } else if self.kept == Kept::Code {
            self.out.push(if rest[0].is_ascii() { rest[0] } else { b' ' });
            self.at += 1;
        } else {
            self.blank(1);
        }
    }

    fn comment(&mut self, length: usize) {
        if self.kept == Kept::Code {
            return self.blank(length);
        }
        let end = (self.at + length).min(self.bytes.len());
        self.out.extend(&self.bytes[self.at..end]);
        self.at = end;
    }

    fn blank(&mut self, length: usize) {
        let end = (self.at + length).min(self.bytes.len());
        let kept = |byte: &u8| if *byte == b'\n' { b'\n' } else { b' ' };
        self.out.extend(self.bytes[self.at..end].iter().map(kept));
        self.at = end;
    }

    fn inside_word(&self) -> bool {
        self.at > 0 && is_word(self.bytes[self.at - 1])
    }
}

/// True if a byte can be part of a name.
pub(super) const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// The length of a block comment, inner ones included.
fn block_comment(bytes: &[u8]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < bytes.len() {
        if bytes[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if bytes[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    at
}

/// The length of a raw string such as `r#"…"#` or `br"…"`, if one begins here.
fn raw_string(bytes: &[u8]) -> Option<usize> {
    let after = bytes.strip_prefix(b"br").or_else(|| bytes.strip_prefix(b"r"))?;
    let hashes = after.iter().take_while(|byte| **byte == b'#').count();
    if after.get(hashes) != Some(&b'"') {
        return None;
    }
    let start = bytes.len() - after.len() + hashes + 1;
    let end: Vec<u8> = std::iter::once(b'"').chain(std::iter::repeat_n(b'#', hashes)).collect();
    let content = &bytes[start..];
    let found = content.windows(end.len()).position(|window| window == end);
    Some(found.map_or(bytes.len(), |at| start + at + end.len()))
}

/// The length of a quoted text with its quotes.
fn quoted(bytes: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    at
}

/// True if `'` begins a character and not a lifetime.
fn is_character(bytes: &[u8]) -> bool {
    match bytes.get(1) {
        Some(b'\\') => true,
        Some(byte) if is_word(*byte) => bytes.get(2) == Some(&b'\''),
        Some(_) => true,
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn masked(source: &str, expected: &str) {
        let masked = mask(source);
        assert_eq!(masked.len(), source.len());
        assert_eq!(masked.split_whitespace().collect::<Vec<_>>().join(" "), expected);
    }

    #[test]
    fn only_code_is_left() {
        masked("a // f64\nb", "a b");
        masked("a /* f64 /* { */ } */ b", "a b");
        masked(r#"a("f64 \" {", 'x')"#, "a( , )");
        masked(r##"a(r#"f64 " { "#) br"}" b"##, "a( ) b");
        masked("fn a<'b>(x: &'b str) -> char { '}' }", "fn a<'b>(x: &'b str) -> char { }");
        masked(r"match c { '\'' => 1, '\u{7d}' => 2 }", "match c { => 1, => 2 }");
        masked("let voir\u{e9} = expr;", "let voir = expr;");
        masked("for r in rows { bar(\"x\") }", "for r in rows { bar( ) }");
    }

    #[test]
    fn only_comments_are_left() {
        let source = "a(\"// no\"); // b \u{a7}1\n/* c */ d /// e\n";
        assert_eq!(comments(source), "            // b \u{a7}1\n/* c */   /// e\n");
    }

    #[test]
    fn lines_stay_where_they_are() {
        let source = "a\n/* b\n c */\nr\"d\ne\" f\n";
        assert_eq!(mask(source).lines().nth(4), Some("   f"));
    }
}
