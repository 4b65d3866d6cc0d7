//! Keys: their notation, and which of them means what in the present context.
//!
//! `bindings.rs` lists every key once; this file reads the list, and a reader's own file over it.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::tui::bindings::{Action, BINDINGS, Binding, Context};

/// One key press: `j`, `G`, `ctrl-d`, `enter`, `pgdn`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    code: KeyCode,
    ctrl: bool,
    alt: bool,
}

/// Why a key file is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    #[error("the key file is not TOML: {0}")]
    Syntax(String),
    #[error("no context {0}; contexts are {1}")]
    NoContext(String, String),
    #[error("nothing in {context} is called {name}; the nearest is {nearest}")]
    NoName { context: String, name: String, nearest: String },
    #[error("{0} is no key; write j, G, ctrl-d, enter, esc, tab, space, pgdn, f5")]
    NoKey(String),
    #[error("{name} in {context}: expected a list of keys such as [\"j\", \"down\"]")]
    NoList { context: String, name: String },
    #[error("{key} would mean both {first} and {second} in {context}")]
    Conflict { key: String, first: String, second: String, context: String },
}

/// The keys in force, one list a binding of `BINDINGS`.
#[derive(Clone, Debug, PartialEq)]
pub struct Bindings {
    keys: Vec<Vec<Key>>,
}

impl Default for Bindings {
    fn default() -> Self {
        let parse = |text: &str| text.parse().expect("a listed key is a key");
        Bindings { keys: BINDINGS.iter().map(|binding| binding.keys.split(' ').map(parse).collect()).collect() }
    }
}

impl Bindings {
    /// The listed keys with those of a TOML file in their place: `[context]`, `name = ["key", ...]`.
    pub fn with(text: &str) -> Result<Bindings, KeysError> {
        let mut bindings = Bindings::default();
        let document: toml::Table = text.parse().map_err(|e: toml::de::Error| KeysError::Syntax(e.message().into()))?;
        for (context, names) in &document {
            let known = Context::ALL
                .iter()
                .find(|it| it.name() == context)
                .ok_or_else(|| KeysError::NoContext(context.clone(), Context::ALL.map(Context::name).join(", ")))?;
            let no_list = |name: &str| KeysError::NoList { context: context.clone(), name: name.to_owned() };
            for (name, keys) in names.as_table().ok_or_else(|| no_list(context))? {
                let at = position(*known, name)?;
                let keys = keys.as_array().ok_or_else(|| no_list(name))?;
                let texts = keys.iter().map(|key| key.as_str().ok_or_else(|| no_list(name)));
                bindings.keys[at] = texts.map(|text| text?.parse()).collect::<Result<_, _>>()?;
            }
        }
        bindings.check()?;
        Ok(bindings)
    }

    /// What a key means: the narrowest context of the chain that knows it decides.
    pub fn find(&self, chain: &[Context], key: Key) -> Option<&'static Binding> {
        chain.iter().find_map(|context| {
            let mut all = BINDINGS.iter().zip(&self.keys);
            all.find(|(binding, keys)| binding.context == *context && keys.contains(&key)).map(|(binding, _)| binding)
        })
    }

    /// Every binding of the contexts with its keys, in the order of the list.
    pub fn listed(&self, chain: &[Context]) -> impl Iterator<Item = (&'static Binding, String)> {
        let text = |keys: &Vec<Key>| keys.iter().map(Key::to_string).collect::<Vec<_>>().join(" ");
        chain
            .iter()
            .flat_map(move |context| {
                BINDINGS
                    .iter()
                    .zip(&self.keys)
                    .filter(move |(binding, _)| binding.context == *context)
                    .map(move |(binding, keys)| (binding, text(keys)))
            })
            .collect::<Vec<_>>()
            .into_iter()
    }

    /// The first key of an action, for hints.
    pub fn key_of(&self, action: Action) -> String {
        let mut all = BINDINGS.iter().zip(&self.keys);
        all.find(|(binding, keys)| binding.action == action && !keys.is_empty())
            .map_or_else(String::new, |(_, keys)| keys[0].to_string())
    }

    /// No key may mean two things at once, not even in a narrower context: nobody could know which.
    fn check(&self) -> Result<(), KeysError> {
        for chain in Context::CHAINS {
            let mut seen: BTreeMap<String, &Binding> = BTreeMap::new();
            let here = BINDINGS.iter().zip(&self.keys).filter(|(binding, _)| chain.contains(&binding.context));
            for (binding, key) in here.flat_map(|(binding, keys)| keys.iter().map(move |key| (binding, key))) {
                if let Some(first) = seen.insert(key.to_string(), binding) {
                    return Err(KeysError::Conflict {
                        key: key.to_string(),
                        first: first.name.to_owned(),
                        second: binding.name.to_owned(),
                        context: chain[0].name().to_owned(),
                    });
                }
            }
        }
        Ok(())
    }
}

fn position(context: Context, name: &str) -> Result<usize, KeysError> {
    let found = BINDINGS.iter().position(|binding| binding.context == context && binding.name == name);
    found.ok_or_else(|| {
        let names = BINDINGS.iter().filter(|binding| binding.context == context).map(|binding| binding.name);
        let nearest = names.min_by_key(|known| osteon_study::protocol::edits(name, known)).unwrap_or_default();
        KeysError::NoName { context: context.name().to_owned(), name: name.to_owned(), nearest: nearest.to_owned() }
    })
}

const NAMED: [(&str, KeyCode); 16] = [
    ("enter", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("tab", KeyCode::Tab),
    ("shift-tab", KeyCode::BackTab),
    ("space", KeyCode::Char(' ')),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("pgup", KeyCode::PageUp),
    ("pgdn", KeyCode::PageDown),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("del", KeyCode::Delete),
    ("ins", KeyCode::Insert),
    ("backspace", KeyCode::Backspace),
];

/// Esc and a key in one read, or within the time that tmux waits, arrive as that key with Alt. Where nobody bound it, it
/// is Esc, then the key.
pub fn parted(event: KeyEvent) -> Option<[KeyEvent; 2]> {
    let esc = KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE);
    let plain = KeyEvent::new(event.code, event.modifiers - KeyModifiers::ALT);
    event.modifiers.contains(KeyModifiers::ALT).then_some([esc, plain])
}

impl From<KeyEvent> for Key {
    fn from(event: KeyEvent) -> Key {
        let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
        let code = match event.code {
            KeyCode::Char(c) if ctrl => KeyCode::Char(c.to_ascii_lowercase()),
            code => code,
        };
        Key { code, ctrl, alt: event.modifiers.contains(KeyModifiers::ALT) }
    }
}

impl FromStr for Key {
    type Err = KeysError;

    fn from_str(text: &str) -> Result<Key, KeysError> {
        let (ctrl, rest) = text.strip_prefix("ctrl-").map_or((false, text), |rest| (true, rest));
        let (alt, rest) = rest.strip_prefix("alt-").map_or((false, rest), |rest| (true, rest));
        let one = || rest.chars().next().filter(|c| c.len_utf8() == rest.len() && !c.is_whitespace());
        let function = || rest.strip_prefix('f').and_then(|n| n.parse().ok()).filter(|n| (1..=12).contains(n));
        let named = NAMED.iter().find(|(name, _)| *name == rest).map(|(_, code)| *code);
        let code = named.or_else(|| one().map(KeyCode::Char)).or_else(|| function().map(KeyCode::F));
        Ok(Key { code: code.ok_or_else(|| KeysError::NoKey(text.to_owned()))?, ctrl, alt })
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let (ctrl, alt) = (if self.ctrl { "ctrl-" } else { "" }, if self.alt { "alt-" } else { "" });
        let name = NAMED.iter().find(|(_, code)| *code == self.code).map(|(name, _)| (*name).to_owned());
        let name = name.unwrap_or_else(|| match self.code {
            KeyCode::Char(c) => c.to_string(),
            KeyCode::F(n) => format!("f{n}"),
            other => format!("{other:?}").to_lowercase(),
        });
        write!(f, "{ctrl}{alt}{name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_listed_key_means_two_things() {
        assert_eq!(Bindings::default().check(), Ok(()));
    }

    #[test]
    fn a_key_reads_as_it_is_written() {
        for text in ["j", "G", "ctrl-d", "alt-x", "enter", "shift-tab", "space", "pgdn", "f5", "?", "é"] {
            assert_eq!(text.parse::<Key>().unwrap().to_string(), text);
        }
        for text in ["", "jj", "ctrl-", "f13", "hyper-x"] {
            assert!(text.parse::<Key>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_file_moves_a_key_and_a_conflict_is_refused() {
        let moved = Bindings::with("[patients]\nsort = [\"O\"]").unwrap();
        let found = moved.find(&[Context::Patients, Context::Table], "O".parse().unwrap());
        assert_eq!(found.map(|binding| binding.name), Some("sort"));
        let refused = |text: &str, part: &str| {
            let message = Bindings::with(text).expect_err(text).to_string();
            assert!(message.contains(part), "{message}");
        };
        refused("[patients]\nsort = [\"j\"]", "both");
        refused("[patients]\nsrot = [\"j\"]", "nearest is sort");
        refused("[list]\nsort = [\"j\"]", "contexts are");
        refused("[patients]\nsort = \"j\"", "list of keys");
        refused("[patients]\nsort = [\"jj\"]", "no key");
        refused("sort", "not TOML");
    }
}
