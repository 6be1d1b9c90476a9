//! Names of objects, which become paths of files and of S3.

/// Whether it is a name as the archive's contract has it: letters, digits, `.`, `-` and `/`, where no
/// part between slashes is empty, `.` or `..`.
pub(crate) fn is_good(name: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    let part = |part: &str| !matches!(part, "" | "." | "..") && part.chars().all(good);
    name.split('/').all(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for good in ["a", "0001-0420.parquet", "a/b.c/d-e"] {
            assert!(is_good(good), "{good}");
        }
        for bad in ["", "/a", "a/", "a//b", "..", "a/../b", ".", "a b", "a#1", "ä", "a\\b", "a%2e"]
        {
            assert!(!is_good(bad), "{bad}");
        }
    }
}
