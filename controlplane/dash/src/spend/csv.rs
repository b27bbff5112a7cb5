//! Lines of a file that a spreadsheet opens (RFC 4180). Names are strangers' text: none of them is taken for a formula.

/// One line, every cell quoted.
pub(super) fn line(cells: &[&str]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| quoted(cell)).collect();
    cells.join(",") + "\r\n"
}

/// What begins like a formula gets an apostrophe before it, which a spreadsheet shows as text.
fn quoted(cell: &str) -> String {
    let formula = cell.trim_start().starts_with([
        '=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}',
    ]) || cell.starts_with(['\t', '\r', '\n']);
    let guard = if formula { "'" } else { "" };
    format!("\"{guard}{}\"", cell.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_and_none_leaves_its_quotes() {
        assert_eq!(line(&["claw", "1.50"]), "\"claw\",\"1.50\"\r\n");
        for cell in ["=1+1", "+1", "-1", "@sum(a1)", " =1", "\t=1", "\r=1", "＝1"] {
            assert!(quoted(cell).starts_with("\"'"), "{cell:?}");
        }
        assert_eq!(quoted("a\",=cmd"), "\"a\"\",=cmd\"");
    }
}
