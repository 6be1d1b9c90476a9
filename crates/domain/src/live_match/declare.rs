//! How a vocabulary and its bounded values are declared.

/// Declares a vocabulary: one variant, one tag, one type of data. `with` a path it has the events of
/// another vocabulary, too, as one more variant.
macro_rules! vocabulary {
    ($(with $common:path;)? $($(#[doc = $doc:literal])+ $tag:literal => $variant:ident $({ $($(#[$meta:meta])* $field:ident: $type:ty),+ $(,)? })?;)+) => {
        $(
            $(#[doc = $doc])+
            #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
            #[serde(deny_unknown_fields)]
            pub struct $variant { $($(
                $(#[$meta])*
                pub $field: $type,
            )+)? }
        )+

        /// Something that happened.
        #[derive(Debug, Clone, PartialEq)]
        #[allow(missing_docs, reason = "each variant is documented at its data")]
        pub enum Event {
            $($variant($variant),)+
            $(Common($common),)?
        }

        $(impl From<$common> for Event {
            fn from(event: $common) -> Self { Self::Common(event) }
        })?

        $(impl From<$variant> for Event {
            fn from(data: $variant) -> Self { Self::$variant(data) }
        })+

        impl Event {
            /// The tags of its own events, as they stand in `type`.
            pub const TAGS: &[&str] = &[$($tag),+];

            /// Reads the data of an event; `None` if the tag is not one of ours.
            pub fn parse(tag: &str, data: &str) -> Option<Result<Self, serde_json::Error>> {
                match tag {
                    $($tag => Some(serde_json::from_str(data).map(Self::$variant)),)+
                    $(_ if <$common>::TAGS.contains(&tag) => {
                        <$common>::parse(tag, data).map(|event| event.map(Self::Common))
                    })?
                    _ => None,
                }
            }

            /// The event's `type`.
            pub fn tag(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $tag,)+
                    $(Self::Common(event) => <$common>::tag(event),)?
                }
            }

            /// The event's `data`.
            pub fn to_json(&self) -> String {
                // Writing plain data to a string cannot fail.
                match self {
                    $(Self::$variant(data) => serde_json::to_string(data),)+
                    $(Self::Common(event) => return <$common>::to_json(event),)?
                }
                .unwrap_or_default()
            }

            /// The JSON Schema of the data of an own tag.
            pub fn schema(tag: &str) -> Option<Schema> {
                match tag {
                    $($tag => Some(schemars::schema_for!($variant)),)+
                    _ => None,
                }
            }
        }

        impl $crate::live_match::Vocabulary for Event {
            const TAGS: &'static [&'static str] = Self::TAGS;

            fn parse(tag: &str, data: &str) -> Option<Result<Self, serde_json::Error>> {
                Self::parse(tag, data)
            }

            fn to_json(&self) -> String {
                self.to_json()
            }

            fn schema(tag: &str) -> Option<Schema> {
                Self::schema(tag)
            }

            fn common(&self) -> Option<&$crate::live_match::course::Event> {
                match self {
                    $(Self::Common(event) => {
                        let event: &$common = event;
                        Some(event)
                    })?
                    #[allow(unreachable_patterns, reason = "the common vocabulary has no other")]
                    _ => None,
                }
            }

            const NAMED: &'static [&'static str] = Self::NAMED;

            fn names_mut(
                &mut self,
            ) -> Vec<(&$crate::live_match::Player, &mut $crate::live_match::PersonName)> {
                self.names_mut()
            }

            fn players_mut(&mut self) -> Vec<&mut $crate::live_match::Player> {
                self.players_mut()
            }
        }
    };
}

/// Declares a text or list with a bound that its schema tells too.
macro_rules! bounded {
    ($($(#[$meta:meta])+ $name:ident($inner:ty), $max:literal, $key:literal, $len:expr;)+) => {$(
        $(#[$meta])+
        #[derive(Debug, Clone, PartialEq, Serialize)]
        pub struct $name($inner);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let inner = <$inner>::deserialize(deserializer)?;
                let len: fn(&$inner) -> usize = $len;
                if len(&inner) <= $max {
                    Ok(Self(inner))
                } else {
                    Err(serde::de::Error::custom(concat!(stringify!($name), " is over its ", $key, " of ", $max)))
                }
            }
        }

        impl std::ops::Deref for $name {
            type Target = $inner;
            fn deref(&self) -> &$inner { &self.0 }
        }

        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> { stringify!($name).into() }
            fn inline_schema() -> bool { true }
            fn json_schema(generator: &mut schemars::SchemaGenerator) -> Schema {
                let mut schema = <$inner>::json_schema(generator);
                schema.insert($key.into(), $max.into());
                schema
            }
        }
    )+};
}

pub(crate) use {bounded, vocabulary};
