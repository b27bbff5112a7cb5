//! The table that is built in, and a house's own prices over it.

use crate::{NotPrices, price::Price};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::LazyLock};

/// What LiteLLM and others put before a model's own name to say whose it is.
const PROVIDERS: [&str; 7] = [
    "openai/",
    "anthropic/",
    "gemini/",
    "mistral/",
    "deepseek/",
    "xai/",
    "bedrock/",
];

static BUILT_IN: LazyLock<Book> = LazyLock::new(|| {
    // The text is part of the program, and a test reads it.
    Book::read(include_str!("../data/prices.json")).unwrap_or_default()
});

/// A table of prices: the one that is built in, or a house's own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Book {
    /// Where it comes from.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// Under which licence.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub licence: String,
    /// The day it was taken from there, such as `2026-11-21`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub taken: String,
    /// What the amounts are: for the reader alone.
    #[serde(default = "unit")]
    pub unit: String,
    /// By the name the target is asked for.
    pub models: BTreeMap<String, Price>,
}

fn unit() -> String {
    "US dollars a million tokens".to_owned()
}

impl Book {
    /// Reads a table; an error says where it is wrong.
    pub fn read(json: &str) -> Result<Self, NotPrices> {
        Ok(serde_json::from_str(json)?)
    }

    /// The table that is built in.
    #[must_use]
    pub fn built_in() -> &'static Self {
        &BUILT_IN
    }

    /// As it is kept in a file, one line a field.
    pub fn write(&self) -> Result<String, NotPrices> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    fn find(&self, model: &str) -> Option<(&str, &Price)> {
        let found = |name: &str| self.models.get_key_value(name);
        let bare = PROVIDERS.iter().find_map(|it| model.strip_prefix(it));
        found(model)
            .or_else(|| found(bare?))
            .map(|(name, price)| (name.as_str(), price))
    }
}

/// Which table a price stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// The one that is built in.
    BuiltIn,
    /// The house's own.
    Own,
}

/// One known price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known<'a> {
    /// The name it stands under.
    pub model: &'a str,
    /// What it is.
    pub price: &'a Price,
    /// Where it stands.
    pub origin: Origin,
}

/// What models cost in this house.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prices {
    own: Book,
}

impl Prices {
    /// The table that is built in, and `own` prices that go before it.
    #[must_use]
    pub const fn new(own: Book) -> Self {
        Self { own }
    }

    /// What a model costs, by the name that its target is asked for; `None` when it is not known.
    #[must_use]
    pub fn of(&self, model: &str) -> Option<&Price> {
        self.known(model).map(|known| known.price)
    }

    /// The same, and where it stands.
    #[must_use]
    pub fn known(&self, model: &str) -> Option<Known<'_>> {
        let known = |book: &'static Book| book.find(model).map(|it| (it, Origin::BuiltIn));
        let own = self.own.find(model).map(|it| (it, Origin::Own));
        let ((model, price), origin) = own.or_else(|| known(&BUILT_IN))?;
        Some(Known {
            model,
            price,
            origin,
        })
    }

    /// Every known price, by name.
    pub fn all(&self) -> impl Iterator<Item = Known<'_>> {
        let mut all: BTreeMap<&str, Known<'_>> = BTreeMap::new();
        for (book, origin) in [(&*BUILT_IN, Origin::BuiltIn), (&self.own, Origin::Own)] {
            all.extend(book.models.iter().map(|(model, price)| {
                let known = Known {
                    model,
                    price,
                    origin,
                };
                (model.as_str(), known)
            }));
        }
        all.into_values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rates;
    use net_model::{MicroDollars, Tokens};

    #[test]
    fn the_built_in_table_is_read_whole_and_says_where_it_comes_from() {
        let book = Book::read(include_str!("../data/prices.json")).unwrap();
        assert!(book.models.len() > 500 && book.source.contains("litellm"));
        assert!(!book.taken.is_empty() && book.licence == "MIT");
        for (model, price) in &book.models {
            assert!(price.rates.input > MicroDollars::ZERO, "{model}");
        }
        assert_eq!(Book::read(&book.write().unwrap()).unwrap(), book);
    }

    #[test]
    fn well_known_models_are_found_under_the_names_they_are_asked_by() {
        let prices = Prices::default();
        for model in [
            "gpt-5",
            "openai/gpt-5",
            "claude-sonnet-4-5",
            "gemini/gemini-2.5-pro",
            "mistral-large-latest",
            "deepseek/deepseek-chat",
            "xai/grok-4",
            "bedrock/anthropic.claude-sonnet-4-5-20250929-v1:0",
            "text-embedding-3-small",
        ] {
            assert!(prices.of(model).is_some(), "{model}");
        }
        for model in ["", "llama3.2", "gpt-5-made-up", "openai/", "another/gpt-5"] {
            assert!(prices.of(model).is_none(), "{model}");
        }
        let used = Tokens {
            prompt: 1000,
            cached: 800,
            completion: 100,
            ..Tokens::default()
        };
        // 200 x 1.25 + 800 x 0.125 + 100 x 10 micro-dollars.
        let cost = prices.of("gpt-5").map(|price| price.cost(&used));
        assert_eq!(cost, Some(MicroDollars(1350)));
    }

    #[test]
    fn the_houses_own_price_goes_before_the_built_in_one() {
        let mut own = Book::default();
        let price = Price::flat(Rates::new(MicroDollars(1), MicroDollars(2)));
        own.models.insert("gpt-5".to_owned(), price);
        own.models.insert("qwen".to_owned(), price);
        let prices = Prices::new(Book::read(&own.write().unwrap()).unwrap());
        assert_eq!(prices.of("openai/gpt-5"), Some(&price));
        assert_eq!(prices.known("gpt-5").unwrap().origin, Origin::Own);
        assert_eq!(prices.known("gpt-4o").unwrap().origin, Origin::BuiltIn);
        assert_eq!(prices.all().filter(|it| it.model == "gpt-5").count(), 1);
        assert_eq!(prices.all().count(), Book::built_in().models.len() + 1);
    }

    #[test]
    fn a_table_that_is_wrong_says_where() {
        for wrong in [
            "",
            "{}",
            r#"{"models":{"m":{"input":"1.00"}}}"#,
            r#"{"models":{"m":{"input":1,"output":"2"}}}"#,
            r#"{"models":{"m":{"input":"0.0000001","output":"2"}}}"#,
            r#"{"model":{}}"#,
        ] {
            let error = Book::read(wrong).unwrap_err().to_string();
            assert!(error.contains("line 1"), "{error}");
        }
    }
}
