//! The annotated item. Of a function the signature is parsed and the body is not, so an editor can
//! complete inside a body with mistakes.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{
    Attribute, FnArg, Ident, LitStr, PathSegment, Result, Signature, Token, Type, TypeGroup, TypeParen, Visibility,
    ext::IdentExt,
    parse::{Parse, ParseStream, Parser},
    parse_quote,
};

/// What the attribute stands on.
pub(crate) enum Annotated {
    Function(Box<Function>),
    Other(Other),
}

/// An annotated function.
pub(crate) struct Function {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    pub(crate) body: TokenStream,
    /// Whether words such as `async` and `unsafe` stand in an order in which the compiler does not
    /// accept them. It reports that itself, before it expands the attribute.
    pub(crate) is_out_of_order: bool,
}

/// An item that is not a function.
pub(crate) struct Other {
    /// The first word of the item, such as `struct`.
    pub(crate) keyword: Ident,
    /// The name, if the item is a type without generic parameters.
    pub(crate) ty: Option<Ident>,
}

impl Parse for Annotated {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let attrs = Attribute::parse_outer(input)?;
        let vis = input.parse()?;
        let start = input.fork();
        let mut qualifiers = qualifiers(input)?;
        let is_function = input.peek(Token![fn]);
        let rest: TokenStream = input.parse()?;
        if !is_function {
            return Other::parse.parse2(start.parse()?).map(Self::Other);
        }
        let is_out_of_order = !qualifiers.is_sorted_by_key(|(place, _)| *place);
        qualifiers.sort_by_key(|(place, _)| *place);
        let function = |input: ParseStream<'_>| {
            Ok(Function { attrs, vis, sig: input.parse()?, body: input.parse()?, is_out_of_order })
        };
        let sorted = qualifiers.into_iter().map(|(_, tokens)| tokens).chain([rest]);
        function.parse2(sorted.collect()).map(Box::new).map(Self::Function)
    }
}

/// The words before `fn`, each with its place in the order that the compiler accepts.
fn qualifiers(input: ParseStream<'_>) -> Result<Vec<(usize, TokenStream)>> {
    const ORDER: [&[&str]; 4] = [&["const"], &["async"], &["unsafe", "safe"], &["extern"]];
    let mut qualifiers = Vec::new();
    loop {
        let word = input.fork().call(Ident::parse_any).map(|word| word.to_string()).unwrap_or_default();
        let Some(place) = ORDER.iter().position(|words| words.contains(&word.as_str())) else { return Ok(qualifiers) };
        let mut tokens = TokenStream::from(input.parse::<TokenTree>()?);
        if word == "extern" && input.peek(LitStr) {
            tokens.extend([input.parse::<TokenTree>()?]);
        }
        qualifiers.push((place, tokens));
    }
}

impl Other {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        const TYPES: [&str; 3] = ["struct", "enum", "union"];
        let mut keyword = input.call(Ident::parse_any)?;
        if keyword == "unsafe" {
            keyword = input.call(Ident::parse_any)?;
        }
        let name: Option<Ident> = TYPES.iter().any(|word| keyword == word).then(|| input.parse()).transpose()?;
        let is_generic = input.peek(Token![<]);
        input.parse::<TokenStream>()?;
        Ok(Self { keyword, ty: name.filter(|_| !is_generic) })
    }
}

impl Function {
    /// Whether it stands inside an `impl` or a `trait`, as far as its signature shows.
    pub(crate) fn is_associated(&self) -> bool {
        self.sig.receiver().is_some() || self.first_self_type().is_some()
    }

    /// The first `Self` in the signature, apart from the receiver.
    pub(crate) fn first_self_type(&self) -> Option<Ident> {
        let inputs = self.sig.inputs.iter().filter(|input| matches!(input, FnArg::Typed(_)));
        let signature = inputs.map(ToTokens::to_token_stream).chain([self.sig.output.to_token_stream()]);
        find_self(signature.collect())
    }

    /// Further `#[webhook_handler(..)]`s on the function.
    pub(crate) fn second_attributes(&self) -> impl Iterator<Item = &Attribute> {
        self.attrs.iter().filter(|attr| is_webhook_handler(attr))
    }

    /// Attributes that make the function a route of a web framework, such as `#[post(..)]`.
    pub(crate) fn routes(&self) -> impl Iterator<Item = &Attribute> {
        self.attrs.iter().filter(|attr| is_route(attr))
    }

    /// The function to put back after a mistake, if it cannot be put back as it was written: the
    /// second attribute and that of a route would expand too, and the compiler would report
    /// parameters without a size once more.
    pub(crate) fn replacement(&self) -> Option<TokenStream> {
        let Self { attrs, vis, body, .. } = self;
        let kept: Vec<_> = attrs.iter().filter(|attr| !is_webhook_handler(attr) && !is_route(attr)).collect();
        let mut is_replaced = kept.len() < attrs.len();
        let mut sig = self.sig.clone();
        for input in &mut sig.inputs {
            if let FnArg::Typed(input) = input
                && is_unsized(&input.ty)
            {
                let ty = &input.ty;
                input.ty = parse_quote!(::std::boxed::Box<#ty>);
                is_replaced = true;
            }
        }
        is_replaced.then(|| quote!(#(#kept)* #vis #sig #body))
    }

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

fn is_webhook_handler(attr: &Attribute) -> bool {
    attr.path().segments.last().is_some_and(|segment| segment.ident == "webhook_handler")
}

fn is_route(attr: &Attribute) -> bool {
    // Others of actix-web's are names of attributes that do something else, such as `trace`.
    const ROUTES: [&str; 7] = ["delete", "get", "head", "patch", "post", "put", "route"];
    attr.path().segments.last().is_some_and(|segment| ROUTES.iter().any(|route| segment.ident == route))
}

/// The type without parentheses and without the groups that `macro_rules!` puts around it.
pub(crate) fn bare(ty: &Type) -> &Type {
    match ty {
        Type::Paren(TypeParen { elem, .. }) | Type::Group(TypeGroup { elem, .. }) => bare(elem),
        _ => ty,
    }
}

/// The last part of the path of a type: `State<u32>` of `axum::extract::State<u32>`.
pub(crate) fn last_segment(ty: &Type) -> Option<&PathSegment> {
    let Type::Path(ty) = bare(ty) else { return None };
    ty.path.segments.last()
}

/// Whether values of the type have no size: `str`, `[T]` or `dyn Trait`.
pub(crate) fn is_unsized(ty: &Type) -> bool {
    match bare(ty) {
        Type::Slice(_) | Type::TraitObject(_) => true,
        Type::Path(ty) => ty.path.is_ident("str"),
        _ => false,
    }
}

fn find_self(tokens: TokenStream) -> Option<Ident> {
    tokens.into_iter().find_map(|token| match token {
        TokenTree::Ident(word) if word == "Self" => Some(word),
        TokenTree::Group(group) => find_self(group.stream()),
        _ => None,
    })
}
