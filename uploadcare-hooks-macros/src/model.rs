//! The annotated function: its signature, with its body left unread, so that an editor can go on completing inside it.

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
    /// The conditions under which the function exists, and so all that belongs to it.
    pub(crate) fn cfgs(&self) -> impl Iterator<Item = &Attribute> {
        self.attrs.iter().filter(|attr| attr.path().is_ident("cfg"))
    }
}
