//! Shortens long texts from other people.

/// Keeps the beginning of a text of more than `longest` bytes, and states how many bytes are left out.
pub fn shorten(text: &mut String, longest: usize) {
    if text.len() > longest {
        let kept = text.floor_char_boundary(longest);
        let rest = text.len() - kept;
        text.truncate(kept);
        text.push_str(&format!("... ({rest} bytes left out)"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_truncated_between_characters() {
        let mut text = "é".repeat(10);
        shorten(&mut text, 20);
        assert_eq!(text, "é".repeat(10));
        shorten(&mut text, 11);
        assert_eq!(text, "ééééé... (10 bytes left out)");
    }
}
