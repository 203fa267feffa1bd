//! Writing HTML safely.

/// The text with what HTML would read as markup written out.
pub(super) fn escape(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut html, c| {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            _ => html.push(c),
        }
        html
    })
}

/// The text with `code` between back-ticks shown as such.
pub(super) fn inline(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for (index, part) in text.split('`').enumerate() {
        let part = escape(part);
        if index % 2 == 0 {
            html.push_str(&part);
        } else {
            html.push_str("<code>");
            html.push_str(&part);
            html.push_str("</code>");
        }
    }
    html
}

/// Paragraphs, separated by empty lines.
pub(super) fn paragraphs(text: &str) -> String {
    let paragraphs = text.split("\n\n").filter(|text| !text.trim().is_empty());
    paragraphs.fold(String::new(), |html, text| html + "<p>" + &inline(text) + "</p>\n")
}

/// A word that can be the target of a link.
pub(super) fn anchor(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
    text.chars().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_written_out_and_code_is_shown_as_such() {
        assert_eq!(inline("a `<b>` & c"), "a <code>&lt;b&gt;</code> &amp; c");
        assert_eq!(paragraphs("one\n\ntwo"), "<p>one</p>\n<p>two</p>\n");
        assert_eq!(anchor("Suspense and cases"), "Suspense-and-cases");
    }
}
