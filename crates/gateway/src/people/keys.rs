//! The keys with which platforms sign tokens. Each has the one algorithm that it is for, whatever a token says of itself.

use std::collections::BTreeMap;

use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse},
};
use serde::Deserialize;
use serde_json::Value;

use super::provider;

/// How short a secret may be, in bytes: as long as the hash, RFC 7518, section 3.2.
const MIN_SECRET_BYTES: usize = 32;
/// The size of a public key of Ed25519, in bytes.
const ED25519_BYTES: usize = 32;
/// How many keys a set may have.
const MAX_KEYS: usize = 64;

/// Why something cannot be a key for tokens, and what could.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// A secret that can be guessed.
    #[error(
        "a secret must have at least {MIN_SECRET_BYTES} bytes, as of openssl rand -hex 32; this has {0}"
    )]
    Short(usize),
    /// Not a public key.
    #[error(
        "it must be a public key of Ed25519 in PEM, as of openssl pkey -pubout, from BEGIN PUBLIC KEY on"
    )]
    Pem,
    /// Not a set.
    #[error("it must be a JWKS, {{\"keys\": […]}}, with 1 to {MAX_KEYS} keys")]
    Set,
    /// A key of a set that is no good.
    #[error("keys[{at}]: {what}")]
    Key {
        /// Which one, from 0.
        at: usize,
        /// What is wrong with it.
        what: &'static str,
    },
}

/// A key, and what it is for.
pub(super) struct Key {
    pub(super) algorithm: Algorithm,
    pub(super) key: DecodingKey,
}

/// The keys of a platform.
pub struct Keys {
    /// By their `kid`.
    named: BTreeMap<String, Key>,
    /// The only one, whatever `kid` a token names.
    only: Option<Key>,
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<Value>,
}

impl Keys {
    /// A secret for HS256.
    pub fn secret(secret: &[u8]) -> Result<Self, Wrong> {
        Ok(Self::only(Key::secret(secret)?))
    }

    /// A public key of Ed25519, in PEM.
    pub fn pem(text: &str) -> Result<Self, Wrong> {
        let key = DecodingKey::from_ed_pem(text.as_bytes()).map_err(|_| Wrong::Pem)?;
        Ok(Self::only(Key::ed25519(key).ok_or(Wrong::Pem)?))
    }

    /// A JWKS (RFC 7517): public keys of Ed25519 and secrets for HS256, each with a `kid` of its own. Any other key is an
    /// error, as tokens that are signed with it would be refused later.
    pub fn jwks(text: &str) -> Result<Self, Wrong> {
        provider::install();
        let Set { keys } = serde_json::from_str(text).map_err(|_| Wrong::Set)?;
        if keys.is_empty() || keys.len() > MAX_KEYS {
            return Err(Wrong::Set);
        }
        let mut named = BTreeMap::new();
        for (at, written) in keys.into_iter().enumerate() {
            let wrong = |what| Wrong::Key { at, what };
            let (kid, key) = named_key(written).map_err(wrong)?;
            if named.insert(kid, key).is_some() {
                return Err(wrong("its kid is that of another key"));
            }
        }
        Ok(Self { named, only: None })
    }

    fn only(key: Key) -> Self {
        provider::install();
        Self { named: BTreeMap::new(), only: Some(key) }
    }

    /// The key for a token that names this one.
    pub(super) fn find(&self, kid: Option<&str>) -> Option<&Key> {
        self.only.as_ref().or_else(|| self.named.get(kid?))
    }
}

impl Key {
    fn secret(secret: &[u8]) -> Result<Self, Wrong> {
        if secret.len() < MIN_SECRET_BYTES {
            return Err(Wrong::Short(secret.len()));
        }
        Ok(Self { algorithm: Algorithm::HS256, key: DecodingKey::from_secret(secret) })
    }

    fn ed25519(key: DecodingKey) -> Option<Self> {
        let is_whole = key.try_get_as_bytes().is_ok_and(|bytes| bytes.len() == ED25519_BYTES);
        is_whole.then_some(Self { algorithm: Algorithm::EdDSA, key })
    }
}

/// A key of a set, with its `kid`.
fn named_key(written: Value) -> Result<(String, Key), &'static str> {
    if written.get("d").is_some() {
        return Err(
            "it is a private key; give the public one, without d, and tell nobody this one",
        );
    }
    let jwk: Jwk = serde_json::from_value(written).map_err(|_| "it is no JWK")?;
    let key = DecodingKey::from_jwk(&jwk).ok();
    let key = match (&jwk.algorithm, key) {
        (AlgorithmParameters::OctetKeyPair(pair), Some(key))
            if pair.curve == EllipticCurve::Ed25519 =>
        {
            Key::ed25519(key).ok_or("its x must be 32 bytes in base64url")?
        }
        (AlgorithmParameters::OctetKey(_), Some(key)) => {
            let secret = key.try_get_as_bytes().unwrap_or_default();
            Key::secret(secret).map_err(|_| "its k must be 32 bytes or more in base64url")?
        }
        _ => return Err("it must be of kty OKP with crv Ed25519, or of kty oct"),
    };
    let stated = jwk.common.key_algorithm;
    let own = KeyAlgorithm::from(key.algorithm);
    if stated.is_some_and(|stated| stated != own) {
        return Err("its alg must be EdDSA for OKP, or HS256 for oct");
    }
    if jwk.common.public_key_use.is_some_and(|it| it != PublicKeyUse::Signature) {
        return Err("its use must be sig");
    }
    let kid = jwk.common.key_id.filter(|kid| !kid.is_empty());
    Ok((kid.ok_or("it must have a kid, by which tokens name it")?, key))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The public key of RFC 8037, appendix A.
    const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    /// 32 bytes.
    const K: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

    fn set(keys: &Value) -> Result<Vec<(String, Algorithm)>, Wrong> {
        let keys = Keys::jwks(&json!({"keys": keys}).to_string())?;
        Ok(keys.named.into_iter().map(|(kid, key)| (kid, key.algorithm)).collect())
    }

    #[test]
    fn sets_of_keys() {
        let pair = json!({"kty": "OKP", "crv": "Ed25519", "x": X, "kid": "a", "alg": "EdDSA", "use": "sig"});
        let secret = json!({"kty": "oct", "k": K, "kid": "b"});
        let both = set(&json!([pair, secret])).unwrap();
        assert_eq!(both, [("a".into(), Algorithm::EdDSA), ("b".into(), Algorithm::HS256)]);
        let changed = |key: &Value, name: &str, value: Value| {
            let mut key = key.clone();
            key[name] = value;
            json!([secret, key])
        };
        for (keys, said) in [
            (changed(&pair, "kid", json!("b")), "keys[1]: its kid is that of another key"),
            (changed(&pair, "kid", json!("")), "keys[1]: it must have a kid"),
            (changed(&pair, "kid", Value::Null), "keys[1]: it must have a kid"),
            (changed(&pair, "x", json!("AAAA")), "keys[1]: its x must be 32 bytes"),
            (changed(&pair, "x", json!("?")), "keys[1]: it must be of kty OKP"),
            (changed(&pair, "crv", json!("Ed448")), "keys[1]: it must be of kty OKP"),
            (changed(&pair, "crv", json!("X25519")), "keys[1]: it must be of kty OKP"),
            (changed(&pair, "alg", json!("HS256")), "keys[1]: its alg must be EdDSA"),
            (changed(&pair, "alg", json!("none")), "keys[1]: its alg must be EdDSA"),
            (changed(&pair, "use", json!("enc")), "keys[1]: its use must be sig"),
            (changed(&pair, "d", json!(K)), "keys[1]: it is a private key"),
            (changed(&secret, "k", json!("AAAA")), "keys[1]: its k must be 32 bytes or more"),
            (changed(&secret, "alg", json!("HS512")), "keys[1]: its alg must be EdDSA"),
            (json!([{"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "c"}]), "keys[0]: it must be"),
            (json!([1]), "keys[0]: it is no JWK"),
            (json!([]), "it must be a JWKS, {\"keys\": […]}, with 1 to 64 keys"),
            (json!(1), "it must be a JWKS"),
            (json!(vec![&secret; MAX_KEYS + 1]), "it must be a JWKS"),
        ] {
            let error = set(&keys).unwrap_err().to_string();
            assert!(error.starts_with(said), "{keys}: {error}");
        }
    }

    #[test]
    fn secrets_and_public_keys() {
        assert!(Keys::secret(&[7; 32]).is_ok());
        assert_eq!(Keys::secret(&[7; 31]).err(), Some(Wrong::Short(31)));
        // Of a seed of 32 zeros, by openssl.
        let public = "MCowBQYDK2VwAyEAO2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik=";
        let pem = |what: &str, key: &str| {
            Keys::pem(&format!("-----BEGIN {what}-----\n{key}\n-----END {what}-----\n"))
        };
        assert!(pem("PUBLIC KEY", public).is_ok());
        // The private key of RFC 8410, section 10.3.
        let private = "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC";
        assert_eq!(pem("PRIVATE KEY", private).err(), Some(Wrong::Pem));
        // The same public key, said to be of X25519.
        let other = public.replace("K2VwAyEA", "K2VuAyEA");
        assert_eq!(pem("PUBLIC KEY", &other).err(), Some(Wrong::Pem));
        for text in ["", "-----BEGIN PUBLIC KEY-----", public] {
            assert_eq!(Keys::pem(text).err(), Some(Wrong::Pem), "{text}");
        }
    }
}
