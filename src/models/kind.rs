//! The traits that each kind of model implements, and the macro that joins kinds into one type.

use std::fmt::Debug;

use burn::module::Module;
use burn::tensor::Device;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde::ser::Serializer;
use serde_json::{Map, Value};

use crate::error::Result;

/// The part of a network that a tensor belongs to. Each part is hashed separately.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Image to latents. Latents can only be decoded by the decoder trained with this encoder.
    Encoder,
    /// Latents to tokens. Tokens are only valid with this codebook.
    Codebook,
    /// Latents to image. Another decoder reconstructs a different image from the same latents.
    Decoder,
}

/// The config of one kind of model: everything needed to read, check, save and list it. Its JSON is
/// a flat object; see [`Config`].
pub trait Kind: Debug + Clone + PartialEq + Serialize + DeserializeOwned {
    /// Value of the JSON field `kind`.
    const NAME: &'static str;

    /// The network it describes.
    type Network: Module;

    /// A config whose JSON contains every field, optional ones included: fields that are not in it
    /// are unknown.
    fn example() -> Self;

    /// Documented presets by name; see [`Config::presets`].
    fn presets() -> Vec<(&'static str, Self)> {
        Vec::new()
    }

    /// Checks that the network can be built.
    ///
    /// # Errors
    /// [`ConfigInvalid`](crate::Error::ConfigInvalid) names the field.
    fn validate(&self) -> Result<()>;

    /// Builds the network with random weights; the config must have been validated.
    ///
    /// # Errors
    /// [`ConfigInvalid`](crate::Error::ConfigInvalid) if a width overflows.
    fn network(&self, device: &Device) -> Result<Self::Network>;

    /// The part that this tensor belongs to, if that part is hashed.
    fn part(tensor: &str) -> Option<Part>;

    /// The config without the fields that have no effect on the network: models of equal
    /// architectures can exchange weights.
    fn architecture(&self) -> Self {
        self.clone()
    }
}

/// A config of one [`Kind`], or of any of several joined by `one_of!`.
pub trait Config: Debug + Clone + PartialEq + Sized {
    /// The network it describes.
    type Network: Module;

    /// Accepted values of the field `kind`.
    fn kinds() -> Vec<&'static str>;

    /// Documented presets by name.
    fn presets() -> Vec<(&'static str, Self)>;

    /// Parses the config of `kind` from the other fields of the JSON object; `None` for an unknown
    /// kind.
    fn from_fields(kind: &str, fields: &Map<String, Value>) -> Option<Result<Self, String>>;

    /// Serializes `kind` and the other fields as one flat object.
    ///
    /// # Errors
    /// Serializer errors.
    fn serialize_tagged<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;

    /// The name of its kind.
    fn kind(&self) -> &'static str;

    /// See [`Kind::validate`].
    ///
    /// # Errors
    /// As [`Kind::validate`].
    fn validate(&self) -> Result<()>;

    /// See [`Kind::network`].
    ///
    /// # Errors
    /// As [`Kind::network`].
    fn network(&self, device: &Device) -> Result<Self::Network>;

    /// See [`Kind::part`].
    fn part(&self, tensor: &str) -> Option<Part>;

    /// See [`Kind::architecture`].
    fn architecture(&self) -> Self;
}

/// A kind's name followed by its fields.
#[derive(Serialize)]
struct Tagged<'a, K> {
    kind: &'static str,
    #[serde(flatten)]
    fields: &'a K,
}

impl<K: Kind> Config for K {
    type Network = K::Network;

    fn kinds() -> Vec<&'static str> {
        vec![K::NAME]
    }

    fn presets() -> Vec<(&'static str, Self)> {
        <K as Kind>::presets()
    }

    fn from_fields(kind: &str, fields: &Map<String, Value>) -> Option<Result<Self, String>> {
        (kind == K::NAME).then(|| {
            let text = |e: serde_json::Error| e.to_string();
            // Flattened structs cannot deny unknown fields themselves. Unknown fields are checked
            // first: one may be a misspelling of a field that would then be reported missing.
            let known = serde_json::to_value(K::example()).map_err(text)?;
            let unknown = |name: &&String| known.get(name.as_str()).is_none();
            if let Some(name) = fields.keys().find(unknown) {
                return Err(format!("unknown field `{name}`"));
            }
            serde_json::from_value(Value::Object(fields.clone())).map_err(text)
        })
    }

    fn serialize_tagged<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let kind = K::NAME;
        Tagged { kind, fields: self }.serialize(serializer)
    }

    fn kind(&self) -> &'static str {
        K::NAME
    }

    fn validate(&self) -> Result<()> {
        Kind::validate(self)
    }

    fn network(&self, device: &Device) -> Result<Self::Network> {
        Kind::network(self, device)
    }

    fn part(&self, tensor: &str) -> Option<Part> {
        <K as Kind>::part(tensor)
    }

    fn architecture(&self) -> Self {
        Kind::architecture(self)
    }
}

/// Reads a config; the field `kind` selects its type.
pub fn from_value<C: Config>(mut value: Value) -> Result<C, String> {
    let Some(fields) = value.as_object_mut() else {
        return Err("a model config is a JSON object".to_owned());
    };
    let kind = match fields.remove("kind") {
        Some(Value::String(kind)) => kind,
        Some(_) => return Err("`kind` must be a string".to_owned()),
        None => return Err("missing field `kind`".to_owned()),
    };
    C::from_fields(&kind, fields).unwrap_or_else(|| {
        let known = C::kinds();
        let known: Vec<_> = known.iter().map(|kind| format!("`{kind}`")).collect();
        Err(format!(
            "unknown variant `{kind}`, expected one of {}",
            known.join(", ")
        ))
    })
}

/// Joins several configs, and their networks, into one enum each. Adding a kind takes one line.
///
/// `is` names a trait that all of them implement: the joined type dereferences to it.
macro_rules! one_of {
    (@is [] $Type:ident { $($Variant:ident)+ }) => {};

    (@is [$Trait:ident] $Type:ident { $($Variant:ident)+ }) => {
        impl std::ops::Deref for $Type {
            type Target = dyn $Trait;

            fn deref(&self) -> &Self::Target {
                match self {
                    $( Self::$Variant(one) => one, )+
                }
            }
        }

        impl std::ops::DerefMut for $Type {
            fn deref_mut(&mut self) -> &mut Self::Target {
                match self {
                    $( Self::$Variant(one) => one, )+
                }
            }
        }
    };

    (
        $(#[$config_doc:meta])* config $Config:ident $(is $Described:ident)?,
        $(#[$network_doc:meta])* network $Network:ident $(is $Able:ident)?,
        $(
            $(#[doc = $doc:literal])*
            $(#[cfg($($cfg:tt)+)])?
            $Variant:ident($C:ty => $N:ty),
        )+
    ) => {
        $(#[$config_doc])*
        #[derive(Debug, Clone, PartialEq)]
        // One a program, as for the network.
        #[allow(clippy::large_enum_variant)]
        pub enum $Config {
            $( $(#[doc = $doc])* $(#[cfg($($cfg)+)])? $Variant($C), )+
        }

        $(#[$network_doc])*
        #[derive(burn::module::Module, Debug)]
        // One per program; boxing would save nothing.
        #[allow(clippy::large_enum_variant)]
        pub enum $Network {
            $( $(#[doc = $doc])* $(#[cfg($($cfg)+)])? $Variant($N), )+
        }

        impl $crate::models::Config for $Config {
            type Network = $Network;

            fn kinds() -> Vec<&'static str> {
                let mut all = Vec::new();
                $( $(#[cfg($($cfg)+)])? all.extend(<$C as $crate::models::Config>::kinds()); )+
                all
            }

            fn presets() -> Vec<(&'static str, Self)> {
                let mut all = Vec::new();
                $( $(#[cfg($($cfg)+)])? all.extend(
                    <$C as $crate::models::Config>::presets()
                        .into_iter()
                        .map(|(name, config)| (name, Self::$Variant(config))),
                ); )+
                all
            }

            fn from_fields(
                kind: &str,
                fields: &serde_json::Map<String, serde_json::Value>,
            ) -> Option<std::result::Result<Self, String>> {
                $( $(#[cfg($($cfg)+)])? if let Some(read) =
                    <$C as $crate::models::Config>::from_fields(kind, fields)
                {
                    return Some(read.map(Self::$Variant));
                } )+
                None
            }

            fn serialize_tagged<S: serde::Serializer>(
                &self,
                serializer: S,
            ) -> std::result::Result<S::Ok, S::Error> {
                match self {
                    $( $(#[cfg($($cfg)+)])? Self::$Variant(config) => config.serialize_tagged(serializer), )+
                }
            }

            fn kind(&self) -> &'static str {
                match self {
                    $( $(#[cfg($($cfg)+)])? Self::$Variant(config) => {
                        $crate::models::Config::kind(config)
                    } )+
                }
            }

            fn validate(&self) -> $crate::error::Result<()> {
                match self {
                    $( $(#[cfg($($cfg)+)])? Self::$Variant(config) => {
                        $crate::models::Config::validate(config)
                    } )+
                }
            }

            fn network(
                &self,
                device: &burn::tensor::Device,
            ) -> $crate::error::Result<Self::Network> {
                Ok(match self {
                    $( $(#[cfg($($cfg)+)])? Self::$Variant(config) => {
                        $Network::$Variant($crate::models::Config::network(config, device)?)
                    } )+
                })
            }

            fn architecture(&self) -> Self {
                match self {
                    $( $(#[cfg($($cfg)+)])? Self::$Variant(config) => {
                        Self::$Variant($crate::models::Config::architecture(config))
                    } )+
                }
            }

            fn part(&self, tensor: &str) -> Option<$crate::models::Part> {
                match self {
                    $( $(#[cfg($($cfg)+)])? Self::$Variant(config) => {
                        $crate::models::Config::part(config, tensor)
                    } )+
                }
            }
        }

        $crate::models::kind::one_of!(@is [$($Described)?] $Config { $($Variant)+ });
        $crate::models::kind::one_of!(@is [$($Able)?] $Network { $($Variant)+ });

        impl serde::Serialize for $Config {
            fn serialize<S: serde::Serializer>(
                &self,
                serializer: S,
            ) -> std::result::Result<S::Ok, S::Error> {
                $crate::models::Config::serialize_tagged(self, serializer)
            }
        }

        impl<'de> serde::Deserialize<'de> for $Config {
            fn deserialize<D: serde::Deserializer<'de>>(
                deserializer: D,
            ) -> std::result::Result<Self, D::Error> {
                let value = serde_json::Value::deserialize(deserializer)?;
                $crate::models::kind::from_value(value).map_err(serde::de::Error::custom)
            }
        }

        impl $Config {
            /// Reads a config from JSON. Unknown fields are rejected by name.
            ///
            /// # Errors
            /// [`ConfigInvalid`](crate::Error::ConfigInvalid) names the offending field.
            pub fn from_json(json: &str) -> $crate::error::Result<Self> {
                let config: Self = serde_json::from_str(json).map_err(|e| {
                    $crate::error::Error::ConfigInvalid($crate::error::one_line(e))
                })?;
                config.validate()?;
                Ok(config)
            }

            /// The config as one line of JSON.
            pub fn to_json(&self) -> $crate::error::Result<String> {
                serde_json::to_string(self)
                    .map_err(|e| $crate::error::Error::Internal(e.to_string()))
            }

            /// A documented preset by name; [`Self::preset_names`] lists them.
            ///
            /// # Errors
            /// [`ModelUnknown`](crate::Error::ModelUnknown).
            pub fn preset(name: &str) -> $crate::error::Result<Self> {
                let all = <Self as $crate::models::Config>::presets();
                let found = all.into_iter().find(|(known, _)| *known == name);
                let unknown = || $crate::error::Error::ModelUnknown(name.to_owned());
                found.map(|(_, config)| config).ok_or_else(unknown)
            }

            /// Names of the documented presets.
            pub fn preset_names() -> Vec<&'static str> {
                let all = <Self as $crate::models::Config>::presets();
                all.into_iter().map(|(name, _)| name).collect()
            }

            /// The name of its kind, as in the JSON.
            pub fn kind(&self) -> &'static str {
                $crate::models::Config::kind(self)
            }

            /// Checks that the network can be built.
            ///
            /// # Errors
            /// [`ConfigInvalid`](crate::Error::ConfigInvalid) names the field.
            pub fn validate(&self) -> $crate::error::Result<()> {
                $crate::models::Config::validate(self)
            }
        }

        impl $Network {
            /// Builds the network with random weights. To reproduce them, seed the device first.
            ///
            /// # Errors
            /// [`ConfigInvalid`](crate::Error::ConfigInvalid) when the config cannot be built.
            pub fn new(
                config: &$Config,
                device: &burn::tensor::Device,
            ) -> $crate::error::Result<Self> {
                config.validate()?;
                $crate::models::Config::network(config, device)
            }
        }
    };
}

pub(super) use one_of;
