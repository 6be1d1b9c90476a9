//! What is printed for people: rows in columns, and nothing that does something to their terminal.

use std::io::{self, Write as _};

use serde_json::Value;

/// A member as it is told on a line.
pub(crate) fn text(object: &Value, key: &str) -> String {
    let text = match object.get(key) {
        None | Some(Value::Null) => return "-".into(),
        Some(Value::String(text)) if text.is_empty() => return "-".into(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// Columns as wide as what is in them.
pub(crate) fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let mut out = String::new();
    for row in rows {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        let line = cells.collect::<Vec<_>>().join("  ");
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// Prints. That nobody reads it to the end is no error.
pub(crate) fn print(text: &str) -> io::Result<()> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn columns_are_as_wide_as_what_is_in_them() {
        let rows = [["A".to_owned(), "B".to_owned()], ["long".to_owned(), "é".to_owned()]];
        assert_eq!(table(&rows), "A     B\nlong  é\n");
    }

    #[test]
    fn nothing_reaches_the_terminal_as_control() {
        let letter = json!({"seq": 7, "id": "a\u{1b}[2Jb", "source": ""});
        assert_eq!(text(&letter, "id"), "a\u{fffd}[2Jb");
        assert_eq!((text(&letter, "seq"), text(&letter, "source")), ("7".into(), "-".into()));
    }
}
