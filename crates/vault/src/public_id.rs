//! Public ids: how others than a player and their friends name the player, `MW-26-000042`.
//!
//! The year in which the id was given, and a number that was drawn: it stays the same, and nothing of the account, of the
//! player id or of the order in which people came can be read from it.

use std::{collections::HashSet, io};

use ring::rand::{SecureRandom as _, SystemRandom};

/// How many digits a number has at least.
const DIGITS: u32 = 6;
/// How often a number is drawn before there is one digit more, when most are given.
const TRIES: u32 = 16;
/// The most digits: more people than there are.
const MAX_DIGITS: u32 = 12;

/// A public id of a year that nobody has.
pub(crate) fn draw(
    random: &SystemRandom,
    year: i32,
    is_taken: impl Fn(&str) -> bool,
) -> io::Result<String> {
    for digits in DIGITS..=MAX_DIGITS {
        for _ in 0..TRIES {
            let mut bytes = [0; 8];
            random.fill(&mut bytes).map_err(|_| io::Error::other("no random bytes"))?;
            let number = u64::from_le_bytes(bytes) % 10_u64.pow(digits);
            let year = year.rem_euclid(100);
            let id = format!("MW-{year:02}-{number:0width$}", width = digits as usize);
            if !is_taken(&id) {
                return Ok(id);
            }
        }
    }
    Err(io::Error::other("no public id is left"))
}

/// Whether a text has the form of a public id.
pub fn is_public(text: &str) -> bool {
    let Some((year, number)) = text.strip_prefix("MW-").and_then(|rest| rest.split_once('-'))
    else {
        return false;
    };
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let fits = (DIGITS as usize..=MAX_DIGITS as usize).contains(&number.len());
    year.len() == 2 && fits && is_number(year) && is_number(number)
}

/// Public ids that are not given again, though nobody has them any more.
pub(crate) type Spent = HashSet<String>;
