//! What a token must be to be believed.

use jsonwebtoken::{Validation, decode, decode_header, errors::ErrorKind};
use matchwire_domain::timestamp::Timestamp;
use serde::Deserialize;

use super::keys::Keys;

/// How long a token may be, in bytes.
const MAX_BYTES: usize = 8 << 10;
/// How long an account may be, in characters: as long as in events.
const MAX_ACCOUNT: usize = 128;

/// By what people are known: the keys of the platform, and what must stand in its tokens.
pub struct People {
    keys: Keys,
    issuer: Option<String>,
    audience: Option<String>,
    leeway_s: u32,
}

/// What is read of a token. Times are in seconds since 1970, and need not be whole (RFC 7519, section 2).
#[derive(Deserialize)]
struct Claims {
    sub: String,
    exp: f64,
    nbf: Option<f64>,
}

impl People {
    /// With an `issuer` or an `audience` a token must name it, as `iss` or in `aud`. A token is good for `leeway_s` seconds longer, and
    /// before, than it says, since clocks differ.
    pub fn new(
        keys: Keys,
        issuer: Option<String>,
        audience: Option<String>,
        leeway_s: u32,
    ) -> Self {
        Self { keys, issuer, audience, leeway_s }
    }

    /// The account in a token that is good at a time, or the reason why it is not, which tells nothing of what is in
    /// the token.
    pub(super) fn account(&self, token: &str, now: Timestamp) -> Result<String, &'static str> {
        if token.len() > MAX_BYTES {
            return Err("the token is longer than 8 KiB");
        }
        let header = decode_header(token).map_err(|_| "the token must be a JWT that is signed")?;
        // Whoever signed it wants it refused by those who do not understand the extension, RFC 7515, section 4.1.11.
        if header.crit.is_some() {
            return Err("the token has crit in its header, and no extension is understood");
        }
        let key = self.keys.find(header.kid.as_deref());
        let key = key.ok_or("the token's kid must be that of a key that is set")?;
        let mut validation = Validation::new(key.algorithm);
        // The times are looked at below, by the clock of the server.
        validation.validate_exp = false;
        validation.required_spec_claims.clear();
        for (claim, wanted, own) in [
            ("iss", &self.issuer, &mut validation.iss),
            ("aud", &self.audience, &mut validation.aud),
        ] {
            if let Some(wanted) = wanted {
                *own = Some([wanted.clone()].into());
                validation.required_spec_claims.insert(claim.into());
            }
        }
        let decoded = decode::<Claims>(token, &key.key, &validation);
        let claims = decoded.map_err(|error| reason(error.kind()))?.claims;
        self.check_times(&claims, now)?;
        let account = claims.sub;
        if !account.contains(':') || account.chars().count() > MAX_ACCOUNT {
            return Err(
                "the token's sub must be an account with its system, like steam:7656…, of at most 128 characters",
            );
        }
        Ok(account)
    }

    fn check_times(&self, claims: &Claims, now: Timestamp) -> Result<(), &'static str> {
        #[expect(
            clippy::cast_precision_loss,
            reason = "exact to the millisecond until the year 287396"
        )]
        let now_s = now.ms() as f64 / 1_000.0;
        let leeway_s = f64::from(self.leeway_s);
        if now_s >= claims.exp + leeway_s {
            return Err("the token has expired; ask for a new one");
        }
        if claims.nbf.is_some_and(|nbf| now_s < nbf - leeway_s) {
            return Err("the token is not good yet, by its nbf");
        }
        Ok(())
    }
}

/// Why a token was refused. What the crate says in words may quote it.
fn reason(kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::InvalidAlgorithm => "the token's alg must be that of the key",
        ErrorKind::InvalidSignature => "the token is not signed with the key that is set",
        ErrorKind::InvalidIssuer => "the token's iss must be the issuer that is set",
        ErrorKind::InvalidAudience => {
            "the token's aud must have the audience that is set; without one there may be no aud"
        }
        ErrorKind::MissingRequiredClaim(_) => {
            "the token must have an iss and an aud where an issuer and an audience are set"
        }
        _ => "the token must have a sub, which is a text, and an exp, which is a number",
    }
}
