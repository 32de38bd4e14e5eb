//! The annotated function: its signature. The body is not parsed, so an editor can complete inside
//! a body with mistakes.

use proc_macro2::TokenStream;
use syn::{
    Attribute, Error, Result, Signature, Visibility,
    parse::{Parse, ParseStream},
};

/// An annotated function.
pub(crate) struct Function {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    pub(crate) body: TokenStream,
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let attrs = Attribute::parse_outer(input)?;
        let span = input.span();
        let vis = input.parse()?;
        match input.parse() {
            Ok(sig) => Ok(Self { attrs, vis, sig, body: input.parse()? }),
            Err(error) => {
                let mut whole = Error::new(span, "`#[webhook_handler]` goes on an `async fn`");
                whole.combine(error);
                Err(whole)
            }
        }
    }
}

impl Function {
    /// The conditions under which the function exists. They hold for all that is generated beside
    /// it.
    pub(crate) fn cfgs(&self) -> impl Iterator<Item = &Attribute> {
        self.attrs("cfg")
    }

    /// `#[deprecated]`, if the function has it.
    pub(crate) fn deprecated(&self) -> impl Iterator<Item = &Attribute> {
        self.attrs("deprecated")
    }

    fn attrs(&self, name: &str) -> impl Iterator<Item = &Attribute> {
        self.attrs.iter().filter(move |attr| attr.path().is_ident(name))
    }
}
