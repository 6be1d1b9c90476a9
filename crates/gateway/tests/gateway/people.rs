//! Who is a person, and whose token is not believed. Tokens are made here from their parts, by what the RFCs say.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use hyper::body::Bytes;
use matchwire_gateway::{Exchange as _, Keys, People};
use matchwire_log::ManualClock;
use ring::{
    hmac,
    signature::{Ed25519KeyPair, KeyPair as _},
};
use serde_json::{Value, json};

use crate::{
    harness::{Reply, Server},
    setup::Setup,
};

const SECRET: &[u8; 32] = b"a secret that is of this test al";
const NOW_S: i64 = 1_700_000_000;
const LEEWAY_S: i64 = 10;
/// Of whom there is no player id.
const NEW: &str = "steam:2";

/// Signs something.
pub(crate) enum Signer {
    Secret(Vec<u8>),
    Pair(Ed25519KeyPair),
}

impl Signer {
    pub(crate) fn secret() -> Self {
        Self::Secret(SECRET.to_vec())
    }

    fn pair(seed: u8) -> Self {
        Self::Pair(Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap())
    }

    fn public(&self) -> &[u8] {
        match self {
            Self::Secret(secret) => secret,
            Self::Pair(pair) => pair.public_key().as_ref(),
        }
    }

    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        let [header, claims] = [header, claims].map(|part| BASE64.encode(part.to_string()));
        let signed = format!("{header}.{claims}");
        let signature = match self {
            Self::Secret(secret) => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
                hmac::sign(&key, signed.as_bytes()).as_ref().to_vec()
            }
            Self::Pair(pair) => pair.sign(signed.as_bytes()).as_ref().to_vec(),
        };
        format!("{signed}.{}", BASE64.encode(signature))
    }
}

pub(crate) fn hs256() -> Value {
    json!({"typ": "JWT", "alg": "HS256"})
}

fn eddsa() -> Value {
    json!({"alg": "EdDSA"})
}

/// What a good token says.
pub(crate) fn claims() -> Value {
    json!({"sub": "steam:1", "exp": NOW_S + 60})
}

pub(crate) fn with(object: &Value, name: &str, value: Value) -> Value {
    let mut object = object.clone();
    object[name] = value;
    object
}

/// A server with these keys on which the account `steam:1` has the player id `p1`.
async fn server(keys: Keys, issuer: Option<&str>, audience: Option<&str>) -> Server {
    let leeway_s = LEEWAY_S.try_into().unwrap();
    let people = People::new(keys, issuer.map(Into::into), audience.map(Into::into), leeway_s);
    let clock = Arc::new(ManualClock::new(NOW_S * 1_000));
    let server = Server::of(Setup { people: Some(people), clock, ..Setup::default() }).await;
    assert_eq!(server.ids.id_for("steam:1"), "p1");
    server
}

/// One that knows people by a secret.
pub(crate) async fn server_with_secret() -> Server {
    server(Keys::secret(SECRET).unwrap(), None, None).await
}

async fn me(server: &Server, headers: &[(&str, &str)]) -> Reply {
    server.send("GET", "/api/v1/me", headers, Bytes::new()).await
}

async fn with_token(server: &Server, token: &str) -> Reply {
    me(server, &[("authorization", &format!("Bearer {token}"))]).await
}

/// Whether somebody is refused because of the token, and for which reason.
fn refused(reply: &Reply, reason: &str) {
    assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (401, "unauthorized"));
    assert_eq!(reply.header("www-authenticate"), "Bearer error=\"invalid_token\"");
    let detail = reply.json()["detail"].clone();
    assert!(detail.as_str().unwrap().contains(reason), "{detail} should tell of {reason}");
}

#[tokio::test]
async fn people_are_known_by_the_account_in_their_token() {
    let server = server(Keys::secret(SECRET).unwrap(), None, None).await;
    let signer = Signer::secret();
    let reply = with_token(&server, &signer.sign(&hs256(), &claims())).await;
    assert_eq!(
        (reply.status.as_u16(), reply.json()),
        (200, json!({"player": "p1", "public_id": "MW-26-000001"}))
    );
    assert_eq!(reply.header("cache-control"), "private");
    let new = signer.sign(&hs256(), &with(&claims(), "sub", json!(NEW)));
    assert_eq!(with_token(&server, &new).await.json(), json!({}));
    assert_eq!(server.ids.player_of(NEW), None, "nobody gets a player id by asking");
    let lower = format!("bearer  {new}");
    assert_eq!(me(&server, &[("Authorization", &lower)]).await.status, 200);
    let stranger = me(&server, &[]).await;
    assert_eq!((stranger.status.as_u16(), stranger.problem().as_str()), (401, "unauthorized"));
    assert_eq!(stranger.header("www-authenticate"), "Bearer");
    // A token in an address would end in logs.
    let path = format!("/api/v1/me?access_token={new}");
    assert_eq!(server.get(&path).await.problem(), "query");
    // Where it does not matter who asks, nobody looks.
    let headers = [("authorization", "Bearer nonsense")];
    assert_eq!(server.send("GET", "/api/v1/matches", &headers, Bytes::new()).await.status, 200);
    for (result, count) in [("player", 1.0), ("unknown", 2.0), ("stranger", 2.0), ("refused", 0.0)]
    {
        let name = format!("matchwire_people_requests_total{{result=\"{result}\"}}");
        assert!((server.metric(&name).await - count).abs() < 0.5, "{result}");
    }
}

#[tokio::test]
async fn a_token_that_is_not_good_makes_nobody_a_stranger() {
    let server = server(Keys::secret(SECRET).unwrap(), None, None).await;
    let signer = Signer::secret();
    let good = signer.sign(&hs256(), &claims());
    let (body, _) = good.rsplit_once('.').unwrap();
    let other = Signer::Secret(vec![7; 32]).sign(&hs256(), &claims());
    let forged = format!("{body}.{}", other.rsplit_once('.').unwrap().1);
    for (token, reason) in [
        ("mw_1_abc".into(), "must be a JWT"),
        (good.replace('.', ""), "must be a JWT"),
        (format!("{good}.{good}"), "must be a JWT"),
        (body.to_owned(), "must be a JWT"),
        (format!("{body}."), "not signed with the key"),
        (other, "not signed with the key"),
        (forged, "not signed with the key"),
        (format!("{good}{}", "A".repeat(8 << 10)), "longer than 8 KiB"),
        (signer.sign(&with(&hs256(), "crit", json!(["exp"])), &claims()), "crit"),
    ] {
        refused(&with_token(&server, &token).await, reason);
    }
    for (name, value, reason) in [
        ("exp", Value::Null, "an exp, which is a number"),
        ("exp", json!("1800000000"), "an exp, which is a number"),
        ("exp", json!(NOW_S - LEEWAY_S), "has expired"),
        ("exp", json!(-1), "has expired"),
        ("nbf", json!(NOW_S + LEEWAY_S + 1), "not good yet"),
        ("sub", Value::Null, "a sub, which is a text"),
        ("sub", json!(7), "a sub, which is a text"),
        ("sub", json!("p1"), "an account with its system"),
        ("sub", json!(format!("steam:{}", "1".repeat(123))), "of at most 128"),
        ("aud", json!("somebody"), "without one there may be no aud"),
    ] {
        let token = signer.sign(&hs256(), &with(&claims(), name, value));
        refused(&with_token(&server, &token).await, reason);
    }
    for (name, value) in [
        ("exp", json!(NOW_S - LEEWAY_S + 1)),
        ("exp", json!(1_700_000_000.5)),
        ("nbf", json!(NOW_S + LEEWAY_S)),
        ("iss", json!("anybody")),
    ] {
        let token = signer.sign(&hs256(), &with(&claims(), name, value));
        assert_eq!(with_token(&server, &token).await.status, 200, "{name}");
    }
    let bearer = format!("Bearer {good}");
    for headers in [
        &[("authorization", "Basic dXNlcjpwYXNz")][..],
        &[("authorization", "Bearer")],
        &[("authorization", good.as_str())],
        &[("authorization", bearer.as_str()), ("authorization", bearer.as_str())],
    ] {
        refused(&me(&server, headers).await, "one Authorization header");
    }
}

#[tokio::test]
async fn the_key_decides_the_algorithm_and_not_the_token() {
    let pair = Signer::pair(1);
    let pem = {
        // RFC 8410: what says that a public key of Ed25519 follows.
        let prefix = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
        let der = [&prefix[..], pair.public()].concat();
        let der = base64::engine::general_purpose::STANDARD.encode(der);
        format!("-----BEGIN PUBLIC KEY-----\n{der}\n-----END PUBLIC KEY-----\n")
    };
    let public = server(Keys::pem(&pem).unwrap(), None, None).await;
    let secret = server(Keys::secret(SECRET).unwrap(), None, None).await;
    assert_eq!(with_token(&public, &pair.sign(&eddsa(), &claims())).await.status, 200);
    // The public key is known to everybody, so it must not do as a secret.
    let forged = Signer::Secret(pair.public().to_vec());
    refused(&with_token(&public, &forged.sign(&hs256(), &claims())).await, "alg");
    let forged = Signer::Secret(pem.into_bytes());
    refused(&with_token(&public, &forged.sign(&hs256(), &claims())).await, "alg");
    refused(&with_token(&secret, &pair.sign(&eddsa(), &claims())).await, "alg");
    refused(&with_token(&public, &Signer::pair(2).sign(&eddsa(), &claims())).await, "not signed");
    for alg in ["none", "None", "HS384", "HS512", "RS256", "ES256"] {
        let header = json!({"alg": alg});
        for (server, signer) in [(&public, &pair), (&secret, &Signer::secret())] {
            let token = signer.sign(&header, &claims());
            let unsigned = format!("{}.", token.rsplit_once('.').unwrap().0);
            for token in [token, unsigned] {
                let reply = with_token(server, &token).await;
                refused(&reply, if alg.starts_with(['n', 'N']) { "JWT" } else { "alg" });
            }
        }
    }
}

#[tokio::test]
async fn a_token_names_its_key_and_is_for_this_server() {
    let (pair, secret) = (Signer::pair(1), Signer::secret());
    let keys = json!({"keys": [
        {"kty": "OKP", "crv": "Ed25519", "kid": "new", "x": BASE64.encode(pair.public())},
        {"kty": "oct", "kid": "old", "k": BASE64.encode(SECRET)},
    ]});
    let keys = Keys::jwks(&keys.to_string()).unwrap();
    let server = server(keys, Some("https://platform.example"), Some("matchwire")).await;
    let full = with(&claims(), "iss", json!("https://platform.example"));
    let full = with(&full, "aud", json!(["x", "matchwire"]));
    let [new, old] = [with(&eddsa(), "kid", json!("new")), with(&hs256(), "kid", json!("old"))];
    assert_eq!(with_token(&server, &pair.sign(&new, &full)).await.status, 200);
    assert_eq!(with_token(&server, &secret.sign(&old, &full)).await.status, 200);
    let confused = with(&hs256(), "kid", json!("new"));
    let forged = Signer::Secret(pair.public().to_vec()).sign(&confused, &full);
    refused(&with_token(&server, &forged).await, "alg");
    for header in [eddsa(), with(&eddsa(), "kid", json!("other"))] {
        refused(&with_token(&server, &pair.sign(&header, &full)).await, "kid");
    }
    for (name, value, reason) in [
        ("iss", json!("https://other.example"), "iss must be"),
        ("iss", Value::Null, "must have an iss"),
        ("aud", json!("x"), "aud must have"),
        ("aud", json!([]), "aud must have"),
        ("aud", Value::Null, "must have an iss and an aud"),
    ] {
        let token = pair.sign(&new, &with(&full, name, value));
        refused(&with_token(&server, &token).await, reason);
    }
}

#[tokio::test]
async fn without_keys_there_are_strangers_alone() {
    let server = Server::start().await;
    let token = Signer::secret().sign(&hs256(), &claims());
    refused(&with_token(&server, &token).await, "no key for tokens of people is set");
    assert_eq!(me(&server, &[]).await.header("www-authenticate"), "Bearer");
}
