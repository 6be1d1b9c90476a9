//! Query parameters, read strictly: an unknown one, one that is given twice and one that is out of
//! range are errors, since a misspelt parameter that is ignored answers another question.

use axum::http::Uri;

use crate::problem::{Code, Problem};

/// How many elements a list has if nothing else is asked for.
const LIMIT: usize = 100;
/// How many elements a list may have.
const MAX_LIMIT: usize = 1_000;

/// The parameters of a request.
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    /// Reads the query; `known` are the names that it may have.
    pub(crate) fn parse(uri: &Uri, known: &[&str]) -> Result<Self, Problem> {
        let mut params: Vec<(String, String)> = Vec::new();
        let pairs = uri.query().unwrap_or("").split('&').filter(|pair| !pair.is_empty());
        for pair in pairs {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode(name)?;
            if !known.contains(&name.as_str()) {
                let takes = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                let name: String = name.chars().take(40).collect();
                return Err(wrong(format!("parameter {name:?} is not known here; known: {takes}")));
            }
            if params.iter().any(|(other, _)| *other == name) {
                return Err(wrong(format!("parameter {name:?} is given twice")));
            }
            params.push((name, decode(value)?));
        }
        Ok(Self(params))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// A decimal number.
    pub(crate) fn number(&self, name: &str) -> Result<Option<u64>, Problem> {
        let Some(text) = self.get(name) else { return Ok(None) };
        number(text).map(Some).ok_or_else(|| {
            let text: String = text.chars().take(40).collect();
            wrong(format!("{name} {text:?} must be a decimal number from 0 on"))
        })
    }

    /// A decimal number that need not be whole.
    pub(crate) fn decimal(&self, name: &str) -> Result<Option<f64>, Problem> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let is_plain = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        text.parse().ok().filter(|_| is_plain).map(Some).ok_or_else(|| {
            let text: String = text.chars().take(40).collect();
            wrong(format!("{name} {text:?} must be a decimal number, like 4 or 0.5"))
        })
    }

    /// The length of a list.
    pub(crate) fn limit(&self) -> Result<usize, Problem> {
        let limit = self.number("limit")?.map_or(Ok(LIMIT), usize::try_from);
        limit
            .ok()
            .filter(|limit| (1..=MAX_LIMIT).contains(limit))
            .ok_or_else(|| wrong(format!("limit must be from 1 to {MAX_LIMIT}")))
    }
}

/// A problem with a parameter.
pub(crate) fn wrong(detail: impl Into<String>) -> Problem {
    Problem::new(Code::Query, detail)
}

/// A decimal number without signs.
pub(crate) fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

fn decode(text: &str) -> Result<String, Problem> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || rest.next().and_then(|b| char::from(b).to_digit(16));
                let code = digit().zip(digit()).and_then(|(a, b)| u8::try_from(a * 16 + b).ok());
                code.ok_or_else(|| wrong("a % in the query must be followed by two hex digits"))?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).map_err(|_| wrong("the query must be UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters() {
        let check = |query: &str| {
            let uri = format!("/x?{query}").parse().unwrap();
            let params = Params::parse(&uri, &["subject", "limit", "after"])?;
            Ok::<_, Problem>((
                params.get("subject").unwrap_or("-").to_owned(),
                params.limit()?,
                params.number("after")?,
            ))
        };
        assert_eq!(check("").unwrap(), ("-".into(), 100, None));
        assert_eq!(
            check("subject=match%2Fm1/1&limit=7&after=0").unwrap(),
            ("match/m1/1".into(), 7, Some(0))
        );
        for bad in [
            "limt=1",
            "limit=0",
            "limit=1001",
            "limit=-1",
            "limit=",
            "after=+1",
            "after=x",
            "limit=1&limit=2",
            "subject=%zz",
            "subject=%ff",
            "after=18446744073709551616",
        ] {
            assert_eq!(check(bad).unwrap_err().code, Code::Query, "{bad}");
        }
    }
}
